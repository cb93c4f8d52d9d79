"""A primary key that becomes one of another kind, and every reference to it with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.errors import MigrationError
from toolkit.migrations.editors.conversions import held_by
from toolkit.models import IntegerField

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


def check_key(old: Any, new: Any) -> None:
    """Refuse to change a primary key: rows of other tables refer to it.

    Raises:
        MigrationError: It would change.
    """
    kinds = [[str(field.sql_type()) for field in each._meta.key] for each in (old, new)]
    if old._meta.pk.columns != new._meta.pk.columns or kinds[0] != kinds[1]:
        before, after = (
            ", ".join(f"{field.name} ({type(field).__name__})" for field in each._meta.key) for each in (old, new)
        )
        raise MigrationError(
            f"{new._meta.label}: the primary key changes from {before} to {after}, and other tables may refer to it",
            hint=RECIPE,
        )


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
    found: dict[str, dict[str, Source]] = {label: made_by_owner(owner, after[label]._meta)}
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


def made_by_owner(before: Any, after: Any) -> dict[str, Source]:
    """The columns of the key's own table that are made anew, by the names of their fields."""
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
    stays = {field.name for field in after.local_fields} - made_by_owner(before, after).keys()
    return {column for name, column in was.items() if name not in stays}


def _made_by_reference(before: Any, after: Any, name: str, columns: tuple[str, ...]) -> dict[str, Source]:
    """The columns of a reference that are made anew: one, or one for each part of the key."""
    spread = next((key for key in after.spread_keys if key.name == name), None)
    if spread is None:
        return {name: (0, columns)}
    return {part: (number, columns) for number, part in enumerate(spread.names) if part not in before.by_name}


def keeps_values(old: Any, new: Any) -> bool:
    """Whether the keys stay what they are, and only their column is another: what another field holds is another."""
    before, after = old._meta.pk, new._meta.pk
    return before.name == after.name and all(isinstance(held_by(one), IntegerField) for one in (before, after))
