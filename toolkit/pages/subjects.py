"""The subjects of routes: what gives them, what identifies them, and the values that their URLs need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from toolkit.errors import Collision, DeclarationError, RouteError, ToolkitError
from toolkit.pages.patterns import placeholders
from toolkit.pages.routes import Route

FEW_KEYS = 16
"""One statement asks for so many subjects, or fewer."""


def subjects_by_key(route: Route, subjects: Iterable[Any]) -> dict[Any, Any]:
    """Subjects that are no rows, by key.

    Raises:
        Collision: Two that differ have the same values in their URL.
    """
    found: dict[Any, Any] = {}
    for subject in subjects:
        key = subject_key(route, subject)
        other = found.setdefault(key, subject)
        if other is not subject and other != subject:
            told = ", ".join(f"{name} = {value!r}" for name, value in zip(placeholders(route.path), key, strict=True))
            raise Collision(
                f"each= of {route.name!r} gives two subjects with {told}: {other!r} and {subject!r}",
                path=route.declared_at[0],
                line=route.declared_at[1],
                hint="A page has one subject: leave one out, or put what tells them apart into the path.",
            )
    return found


def is_row(subject: Any) -> bool:
    """Whether a subject is known by its key; what lookups found nothing for is another subject."""
    return subject is None or hasattr(subject, "_meta") or not isinstance(subject, Mapping)


def subject_key(route: Route, subject: Any) -> Any:
    """What identifies a subject: its primary key, or the values of the route's placeholders, as plain data.

    Raises:
        RouteError: The subject lacks one of the values.
    """
    if subject is None or route.each is None:
        return None
    if hasattr(subject, "_meta"):
        return plain_key(subject.pk)
    if route.model is not None:  # lookups that found no row
        return tuple(plain_key(subject[name]) for name in sorted(subject))
    return tuple(plain_key(value) for value in subject_values(placeholders(route.path), subject).values())


def plain_key(value: Any) -> Any:
    """A key as the manifest, the history and traces keep it: whole numbers and texts as they are, others as text."""
    if value.__class__ is int:  # nearly all of them
        return value
    if isinstance(value, tuple):
        return tuple(map(plain_key, value))
    return value if value is None or isinstance(value, int | str) else str(value)


def subject_values(names: Sequence[str], subject: Any) -> dict[str, Any]:
    """The values of a path's placeholders for a subject that is no row: a mapping, or an object with attributes.

    Raises:
        RouteError: The subject lacks one.
    """
    return {name: _value_of(subject, name) for name in names}


def _value_of(subject: Any, name: str) -> Any:
    value = subject
    for part in name.split("__"):
        try:
            value = value[part] if isinstance(value, Mapping) else getattr(value, part)
        except (KeyError, AttributeError):
            raise RouteError(f"{subject!r} has no {name!r}, which its URL needs") from None
    return value


def call_function(route: Route, subject: Any) -> Any:
    """Call the user's function with its subject."""
    function = route.function
    if function is None:
        return {}
    if route.each is None:
        return function()
    if isinstance(subject, Mapping):
        return function(**subject)
    return function(subject)


def iter_subjects(route: Route) -> Iterator[Any]:
    """All subjects of a route in the current scope."""
    if route.model is not None:
        return iter(route.each.all())  # asked anew: a queryset keeps the answer that it got in another language
    each = route.each() if callable(route.each) else route.each
    try:
        return iter(each)
    except TypeError:
        raise DeclarationError(
            f"each= of {route.name!r} gave {each!r}, which is no list of subjects",
            path=route.declared_at[0],
            line=route.declared_at[1],
            hint="Give a queryset, a list, or a function that gives one.",
        ) from None


def load_subjects(route: Route, keys: Sequence[Any]) -> dict[Any, Any]:
    """Subjects by key, loaded together, so that their relations load together too. For the current scope."""
    if route.each is None:
        return {None: None}
    if route.model is not None:
        wanted = _row_keys(route, keys)
        size = max(FEW_KEYS, 1 << (len(wanted) - 1).bit_length()) if wanted else 0
        wanted += wanted[-1:] * (size - len(wanted))  # so that few statements do for all batches
        return {plain_key(row.pk): row for row in route.each.filter(pk__in=wanted)}
    return {subject_key(route, subject): subject for subject in iter_subjects(route)}


def _row_keys(route: Route, keys: Iterable[Any]) -> list[Any]:
    """Plain keys as the model's primary keys; texts that are none name no row."""
    read = route.model._meta.pk.to_python
    found = []
    for key in keys:
        try:
            found.append(read(key))
        except ToolkitError:
            continue
    return found
