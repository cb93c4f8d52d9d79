"""A primary key that becomes one of another kind, and every reference to it with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, NoReturn

from toolkit.errors import MigrationError, Problems
from toolkit.migrations.editors.conversions import SHOWN_PROBLEMS, Refusals, conversion, held_by
from toolkit.models import AutoField, IntegerField, UUIDField
from toolkit.models.fields import MISSING

TABLE = "toolkit_keys"
"""The table of old and new keys, while there are both."""

RECIPE = (
    "Make a new model, copy the rows with RunPython, point what refers to them there, and delete the old one: "
    "see 'Another key' in the how-to on migrations."
)


OWN = -1
"""In a source: the value of the column itself, not a part of the new key."""

Source = tuple[int, tuple[str, ...]]
"""Where a column gets its values: which part of the new key, and the columns that hold the old one."""

Pair = tuple[tuple[Any, ...], tuple[Any, ...]]
"""An old key and the new one, each with a value for each of its columns."""


@dataclass(frozen=True)
class Follower:
    """A table in which a key stands.

    Args:
        old: The model as it was.
        new: The model as it shall be.
        made: The fields whose columns are made anew, by name, and where each gets its values.
        gone: The columns that go.
    """

    old: Any
    new: Any
    made: Mapping[str, Source]
    gone: frozenset[str]

    @property
    def held(self) -> set[tuple[str, ...]]:
        """The columns that hold the old key, the key itself apart, as often as they do."""
        own = tuple(field.column for field in self.old._meta.key)
        found = {columns for number, columns in self.made.values() if number != OWN}
        return {columns for columns in found if columns != own or self._refers(columns)}

    def _refers(self, columns: tuple[str, ...]) -> bool:
        """Whether columns refer to the key of another table."""
        return any(field.is_relation and (field.column,) == columns for field in self.old._meta.local_fields)


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
        MigrationError: A reference over several columns holds a key that follows.
    """
    owner = before[label]._meta
    references = _references(before, label)
    found: dict[str, dict[str, Source]] = {label: _made_by_owner(owner, after[label]._meta)}
    gone: dict[str, set[str]] = {label: _gone_from_owner(owner, after[label]._meta)}
    for other, name, columns in references:
        found.setdefault(other, {}).update(_made_by_reference(before[other]._meta, after[other]._meta, name, columns))
        kept = {field.column for field in after[other]._meta.local_fields if field.name not in found[other]}
        gone.setdefault(other, set()).update(set(columns) - kept)
    return [Follower(before[other], after[other], made, frozenset(gone[other])) for other, made in found.items()]


def _references(models: Mapping[str, Any], label: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """(model, name of the reference, columns) of all that refers to the key of a model, however far."""
    owner = models[label]._meta
    tables = [(other, model._meta) for other, model in models.items() if not model._meta.proxy]
    found = [
        (other, key.name, tuple(key.columns))
        for other, meta in tables
        for key in meta.spread_keys
        if key.target._meta.concrete_model is models[label]
    ]
    keys = set() if owner.composite_key is not None else {owner.pk}
    while True:
        more = [
            (other, field)
            for other, meta in tables
            for field in meta.local_fields
            if field.is_relation and field not in keys and field.target_field in keys
        ]
        if not more:
            break
        found += [(other, field.name, (field.column,)) for other, field in more]
        keys |= {field for _, field in more}
    for _, meta in tables:
        for key in meta.spread_keys:
            if keys & set(key.target._meta.key):
                raise MigrationError(
                    f"{meta.label}.{key.name} refers to the key of {key.target._meta.label}, which has several "
                    f"fields, one of which follows {label}",
                    hint=RECIPE,
                )
    return found


def _made_by_owner(before: Any, after: Any) -> dict[str, Source]:
    """The columns of the key's own table that are made anew."""
    columns = tuple(field.column for field in before.key)
    was = {field.name: field for field in before.local_fields}
    made: dict[str, Source] = {}
    for number, field in enumerate(after.key):
        if field.name not in was or before.key == (was[field.name],):
            made[field.name] = (number, columns)
    for field in before.key:
        now = after.by_name.get(field.name)
        if now is not None and now not in after.key and type(now) is not type(field):
            made[field.name] = (OWN, (field.column,))  # it stays, and counts no more
    return made


def _gone_from_owner(before: Any, after: Any) -> set[str]:
    was = {field.name: field.column for field in before.local_fields}
    stays = {field.name for field in after.local_fields} - _made_by_owner(before, after).keys()
    return {column for name, column in was.items() if name not in stays}


def _made_by_reference(before: Any, after: Any, name: str, columns: tuple[str, ...]) -> dict[str, Source]:
    """The columns of a reference that are made anew: one, or one for each part of the key."""
    spread = next((key for key in after.spread_keys if key.name == name), None)
    if spread is None:
        return {name: (0, columns)}
    return {part: (number, columns) for number, part in enumerate(spread.names) if part not in before.by_name}


def key_pairs(editor: Any, old: Any, new: Any, *, fill: Any = MISSING) -> list[Pair]:
    """The old and the new key of each row, as the driver has them.

    Args:
        editor: Of the database.
        old: The model as it was.
        new: The model as it shall be.
        fill: A function that makes a new key for each row.

    Raises:
        Problems: Rows whose values cannot be keys.
        MigrationError: There is nothing that makes keys.
    """
    made = _made_by_owner(old._meta, new._meta)
    stay = [old._meta.by_name[field.name].column for field in new._meta.key if field.name not in made]
    own = [field.column for field in old._meta.key]
    listed, order = (", ".join(editor.quote(name) for name in names) for names in ([*own, *stay], own))
    rows = editor.database.fetch(f"SELECT {listed} FROM {editor.quote(old._meta.table)} ORDER BY {order}")  # noqa: S608 - quoted
    if len(own) == 1 and old._meta.pk.name in made and old._meta.pk.name == new._meta.pk.name:
        return [
            ((one,), (other,))
            for one, other in new_keys(old, new, [key for (key,) in rows], dialect=editor.database.dialect, fill=fill)
        ]
    makers = {
        field.name: _fresh(field, dialect=editor.database.dialect, fill=fill)
        for field in new._meta.key
        if field.name in made
    }
    found: list[Pair] = []
    for row in rows:
        rest = iter(row[len(own) :])
        key = tuple(makers[field.name]() if field.name in makers else next(rest) for field in new._meta.key)
        found.append((tuple(row[: len(own)]), key))
    _check_pairs(new, found)
    return found


def _fresh(field: Any, *, dialect: str, fill: Any) -> Callable[[], Any]:
    """What makes the values of a key that is new."""
    held = held_by(field)
    write = held.db_value_of(dialect)
    if callable(fill):
        return lambda: write(held.to_python(fill()))
    if isinstance(held, AutoField):
        numbers = count(1)
        return lambda: next(numbers)
    if callable(field.default):
        return lambda: write(held.to_python(field.default()))
    return lambda: _refuse_fresh(field)


def _refuse_fresh(field: Any) -> NoReturn:
    """Refuse to make a key for a row.

    Raises:
        MigrationError: Always.
    """
    raise MigrationError(
        f"{field.model._meta.label}.{field.name}: the rows have no value for it, and each needs one of its own",
        hint="Give the field a default that makes keys, or write fill=... with a function into the operation.",
    )


def _check_pairs(model: Any, pairs: list[Pair]) -> None:
    """Refuse keys that are NULL, or that two rows would have.

    Raises:
        Problems: Each with its rows.
    """
    names = ", ".join(field.name for field in model._meta.key)
    rows: dict[tuple[Any, ...], list[Any]] = {}
    for old, new in pairs:
        rows.setdefault(new, []).append(_shown(old))
    problems = [
        MigrationError(
            f"{model._meta.table}, row {', '.join(map(str, same))}: {names} is NULL"
            if None in key
            else f"{model._meta.table}, rows {', '.join(map(str, same))} all have {names} = {_shown(key)!r}"
        )
        for key, same in rows.items()
        if None in key or len(same) > 1
    ]
    if problems:
        raise Problems(
            problems[:SHOWN_PROBLEMS],
            summary=f"{model._meta.label}: {names} cannot be the key; nothing was changed. Mend the rows, or do it in "
            "a RunPython before",
        )


def _shown(key: tuple[Any, ...]) -> Any:
    return key[0] if len(key) == 1 else key


def keeps_values(old: Any, new: Any) -> bool:
    """Whether the keys stay what they are, and only their column is another."""
    before, after = (held_by(model._meta.pk) for model in (old, new))
    return isinstance(before, IntegerField) and isinstance(after, IntegerField)


def new_keys(
    old: Any, new: Any, rows: list[Any], *, dialect: str, fill: Any = MISSING, fresh: Callable[[], Any] | None = None
) -> Iterator[tuple[Any, Any]]:
    """Old and new keys of rows, as the driver has them.

    A key that the new kind can hold is converted. Between numbers and UUIDs nothing can be: the rows get new keys,
    from ``fill``, from the field's default, or the numbers from 1.

    Args:
        old: The model as it was.
        new: The model as it shall be.
        rows: The keys that there are, in order.
        dialect: The database's.
        fill: What the operation says.
        fresh: Makes a key where none can be converted.

    Raises:
        Problems: Keys that the new kind cannot hold.
        MigrationError: There is nothing that makes keys.
    """
    make = _maker(old, new, dialect=dialect, fill=fill)
    if make is not None and fresh is not None:
        make = fresh
    if make is None:
        refusals = Refusals(new)
        convert = refusals.guarded(
            conversion(held_by(old._meta.pk), held_by(new._meta.pk), dialect=dialect), new._meta.pk
        )
        found = [(key, convert(key, key)) for key in rows]
        refusals.check()
        yield from found
        return
    for key in rows:
        yield key, make()


def _maker(old: Any, new: Any, *, dialect: str, fill: Any) -> Callable[[], Any] | None:
    """What makes a new key for each row; None where keys are converted."""
    before, after = (held_by(model._meta.pk) for model in (old, new))
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
