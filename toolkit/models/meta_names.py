"""The names that a model's Meta speaks of: whether there is what they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from toolkit.errors import DeclarationError, FieldError, ToolkitError, did_you_mean
from toolkit.models.expressions import Expression, Q
from toolkit.models.fields.lookable import Lookable
from toolkit.models.lookup_names import find_lookup, is_lookup_name, refuse_lookup
from toolkit.models.naming import names_in
from toolkit.models.outputs import kind_of
from toolkit.models.relations import Reverse


def _follow(meta: Any, name: str) -> None:
    """Follow a name through models as far as it names fields; lookups may stand behind.

    Raises:
        FieldError: A name leads nowhere, or what stands behind a field is neither a transform nor a lookup of it.
    """
    first, _, rest = name.partition("__")
    field = meta.get_field(first)
    if not rest:
        return
    target = field.model if isinstance(field, Reverse) else field.target if field.is_relation else None
    following, _, further = rest.partition("__")
    if target is None:
        _check_behind(f"{meta.object_name}.{name}", field, following, last=not further)
    elif not is_lookup_name(following):
        _follow(target._meta, rest)


def _check_behind(where: str, field: Any, name: str, *, last: bool) -> None:
    """Refuse what cannot stand behind a field. What a transform gives is known once it is compiled, with what follows.

    Args:
        where: The whole name, for the message.
        field: The field.
        name: What stands behind it.
        last: Nothing follows, so that it may be a lookup.
    """
    is_lookup = last and (name == "isnull" or find_lookup(field, name) is not None)
    if isinstance(field, Lookable) and not is_lookup and field.find_transform(name) is None:
        raise refuse_lookup(where, name, field)


def check_names(model: Any) -> list[ToolkitError]:
    """Problems with the names in ``class Meta``."""
    meta = model._meta
    problems: list[ToolkitError] = []
    ordered = [names_in(each) if isinstance(each, Expression) else [each.lstrip("-")] for each in meta.ordering]
    named = [(name, "ordering") for names in ordered for name in names]
    latest = [meta.get_latest_by] if isinstance(meta.get_latest_by, str) else meta.get_latest_by or ()
    named += [(name.lstrip("-"), "get_latest_by") for name in latest]
    named += [(name, "natural_key") for name in meta.natural_key]
    named += [(name, "public") for name in (meta.public.names() if meta.public is not None else ())]
    named += [(name, "constraints") for item in meta.constraints for name in item.names()]
    named += [(name, "indexes") for item in meta.indexes for name in item.names()]
    for option, items in (("constraints", meta.constraints), ("indexes", meta.indexes)):
        named += [(name, option) for item in items for name in getattr(item, "include", None) or ()]
        problems += _check_twice(meta, option, items)
    for name, option in named:
        try:
            _follow(meta, name)
        except FieldError as error:
            problems.append(DeclarationError(f"{meta.label}.Meta.{option}: {error.message}", hint=error.hint))
    problems += _check_local(meta) + _check_single(meta)
    problems += _check_days(meta) + _check_limits(meta) + _check_image_fields(meta)
    if "untranslated" in meta.given and meta.untranslated == "hide" and not meta.translated:
        problems.append(
            DeclarationError(
                f"{meta.label}.Meta: untranslated = 'hide', but no field is translated",
                hint="Give a field translated=True, or remove the option.",
            )
        )
    return problems


def _check_twice(meta: Any, option: str, items: Iterable[Any]) -> list[ToolkitError]:
    """Servers refuse a column that stands twice in a constraint or an index."""
    problems: list[ToolkitError] = []
    for item in items:
        fields = [str(name).lstrip("-") for name in getattr(item, "fields", None) or ()]
        for name in dict.fromkeys(name for name in fields if fields.count(name) > 1):
            told = f"{meta.label}.Meta.{option}: {item.name!r} has {name!r} twice"
            problems.append(DeclarationError(told, hint="Remove one."))
    return problems


def _check_days(meta: Any) -> list[ToolkitError]:
    """``unique_for_date`` and its kin name a date of the model."""
    dates = [name for name, field in meta.by_name.items() if kind_of(getattr(field, "output_field", field)) in _DAYS]
    return [
        DeclarationError(
            f"{meta.label}.{field.name}: unique_for_{kind} = {day!r} is no date of the model",
            hint=did_you_mean(day, dates) or "Name a DateField or a DateTimeField.",
        )
        for field in meta.local_fields
        for kind in ("date", "month", "year")
        if (day := getattr(field, f"unique_for_{kind}", None)) is not None and day not in dates
    ]


_DAYS = (date, datetime)


def _check_image_fields(meta: Any) -> list[ToolkitError]:
    """What an image field writes its width and height to, and reads its focal point from, is there."""
    return [
        DeclarationError(
            f"{meta.label}.{field.name}: {option} = {name!r} is no field of the model",
            hint=did_you_mean(name, meta.by_name),
        )
        for field in meta.local_fields
        for option in ("width_field", "height_field", "focal_field")
        if (name := getattr(field, option, None)) is not None and name not in meta.by_name
    ]


def _check_limits(meta: Any) -> list[ToolkitError]:
    """What ``limit_choices_to`` names is there on the other side."""
    problems: list[ToolkitError] = []
    for key in (*meta.local_foreign_keys(), *meta.local_many_to_many):
        limit = key.limit_choices_to
        names = limit.names() if isinstance(limit, Q) else limit if isinstance(limit, Mapping) else ()
        for name in names:
            try:
                _follow(key.target._meta, name)
            except FieldError as error:
                told = f"{meta.label}.{key.name}: limit_choices_to: {error.message}"
                problems.append(DeclarationError(told, hint=error.hint))
    return problems


def _check_single(meta: Any) -> list[ToolkitError]:
    """Conditions and expressions of a table are about its columns: migrations know no other names."""
    return [
        DeclarationError(
            f"{meta.label}.Meta: {item.name!r} compares {name!r}, which is several columns",
            hint=f"Name its fields: {', '.join(meta.virtual[name].names)}.",
        )
        for item in (*meta.constraints, *meta.indexes)
        for name in dict.fromkeys(item.names())
        if name in meta.virtual
    ]


def _check_local(meta: Any) -> list[ToolkitError]:
    """Constraints and indexes are of one table: they cannot speak of a parent's columns."""
    if not meta.parents or meta.proxy:
        return []
    own = {name for field in meta.local_fields for name in (field.name, field.attname)}
    return [
        DeclarationError(
            f"{meta.label}.Meta: {item.name!r} names {name!r}, which is in the table of a parent",
            hint="Declare it in the Meta of that parent.",
        )
        for item in (*meta.constraints, *meta.indexes)
        for name in getattr(item, "fields", ())
        if name.lstrip("-") in meta.by_name and name.lstrip("-") not in own
    ]
