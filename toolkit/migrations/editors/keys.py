"""A primary key that becomes one of another kind, and every reference to it with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, NoReturn

from toolkit.errors import MigrationError
from toolkit.migrations.editors.conversions import Refusals, conversion
from toolkit.models import IntegerField, UUIDField
from toolkit.models.fields import MISSING

TABLE = "toolkit_keys"
"""The table of old and new keys, while there are both."""

RECIPE = (
    "Make a new model, copy the rows with RunPython, point what refers to them there, and delete the old one: "
    "see 'Another key' in the how-to on migrations."
)


@dataclass(frozen=True)
class Follower:
    """A table in which a key stands.

    Args:
        old: The model as it was.
        new: The model as it shall be.
        names: The fields that hold the key, or refer to it.
    """

    old: Any
    new: Any
    names: frozenset[str]


def key_changes(old: Any, new: Any) -> bool:
    """Whether the primary key of a model becomes one of another kind."""
    before, after = old._meta, new._meta
    if before.composite_key is not None or after.composite_key is not None or before.pk.name != after.pk.name:
        return False
    return type(before.pk) is not type(after.pk) or str(before.pk.sql_type()) != str(after.pk.sql_type())


def find_followers(before: Mapping[str, Any], after: Mapping[str, Any], label: str) -> list[Follower]:
    """The table of a model whose key changes, and those that refer to it, however far.

    Args:
        before: All models as they were, by label.
        after: The same as they shall be.
        label: The model.

    Raises:
        MigrationError: A key of several columns would have to follow.
    """
    names: dict[str, set[str]] = {label: {before[label]._meta.pk.name}}
    keys = {before[label]._meta.pk}
    while True:
        found = {
            (other, field)
            for other, model in before.items()
            if not model._meta.proxy
            for field in model._meta.local_fields
            if field.is_relation and field not in keys and field.target_field in keys
        }
        if not found:
            break
        for other, field in found:
            names.setdefault(other, set()).add(field.name)
            keys.add(field)
    for model in before.values():
        for key in model._meta.spread_keys:
            if keys & set(key.target._meta.key):
                raise MigrationError(
                    f"{model._meta.label}.{key.name} refers to the key of {key.target._meta.label}, which has several "
                    f"fields, one of which follows {label}",
                    hint=RECIPE,
                )
    return [Follower(before[other], after[other], frozenset(found)) for other, found in names.items()]


def keeps_values(old: Any, new: Any) -> bool:
    """Whether the keys stay what they are, and only their column is another."""
    before, after = (_held(model._meta.pk) for model in (old, new))
    return isinstance(before, IntegerField) and isinstance(after, IntegerField)


def new_keys(old: Any, new: Any, rows: list[Any], *, dialect: str, fill: Any = MISSING) -> Iterator[tuple[Any, Any]]:
    """Old and new keys of rows, as the driver has them.

    A key that the new kind can hold is converted. Between numbers and UUIDs nothing can be: the rows get new keys,
    from ``fill``, from the field's default, or the numbers from 1.

    Args:
        old: The model as it was.
        new: The model as it shall be.
        rows: The keys that there are, in order.
        dialect: The database's.
        fill: What the operation says.

    Raises:
        Problems: Keys that the new kind cannot hold.
        MigrationError: There is nothing that makes keys.
    """
    make = _maker(old, new, dialect=dialect, fill=fill)
    if make is None:
        refusals = Refusals(new)
        convert = refusals.guarded(conversion(_held(old._meta.pk), _held(new._meta.pk), dialect=dialect), new._meta.pk)
        found = [(key, convert(key, key)) for key in rows]
        refusals.check()
        yield from found
        return
    for key in rows:
        yield key, make()


def _maker(old: Any, new: Any, *, dialect: str, fill: Any) -> Callable[[], Any] | None:
    """What makes a new key for each row; None where keys are converted."""
    before, after = (_held(model._meta.pk) for model in (old, new))
    write = after.db_value_of(dialect)
    if callable(fill):
        return lambda: write(after.to_python(fill()))
    if not _are_foreign(before, after):
        return None
    if isinstance(after, IntegerField):
        numbers = count(1)
        return lambda: next(numbers)
    if not callable(new._meta.pk.default):
        return lambda: _refuse(new, after)
    return lambda: write(after.to_python(new._meta.pk.default()))


def _refuse(model: Any, held: Any) -> NoReturn:
    """Refuse to make a key for a row.

    Raises:
        MigrationError: Always.
    """
    key = model._meta.pk
    told = f"{model._meta.label}.{key.name}: numbers cannot become {type(held).__name__} keys by themselves"
    if key.is_relation:
        raise MigrationError(
            f"{told}, and each would have to be that of a row of {key.target._meta.label}",
            hint="Remove the rows before, or copy them to a new model with RunPython.",
        )
    raise MigrationError(
        told,
        hint="Give the field a default that makes keys (default=uuid.uuid4), or write fill=... into the operation.",
    )


def _are_foreign(before: Any, after: Any) -> bool:
    """Whether values of one kind say nothing in the other."""
    kinds = {kind for field in (before, after) for kind in (IntegerField, UUIDField) if isinstance(field, kind)}
    return len(kinds) == 2


def _held(field: Any) -> Any:
    """The field that says what kind of values a key has."""
    while field.is_relation:
        field = field.target_field
    return field
