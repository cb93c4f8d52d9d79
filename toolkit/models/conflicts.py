"""What ``bulk_create`` does about rows that are there already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from toolkit.database.backends.base import Target
from toolkit.errors import FieldError
from toolkit.models.constraints import UniqueConstraint
from toolkit.models.given import refuse_one
from toolkit.models.sqltext import quoted
from toolkit.models.writing import insert_sql, own_fields
from toolkit.trace import Scope


class Conflict(msgspec.Struct, frozen=True):
    """Pass over rows that break a unique constraint, or update the ones that are there.

    Args:
        updates: Columns that take the new row's values; none passes over.
        unique: Columns by which a row is known to be there; none for any unique constraint.
    """

    updates: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()

    @property
    def ignores(self) -> bool:
        """Whether the new row is passed over."""
        return not self.updates

    def sql(self, scope: Scope, model: Any, fields: Sequence[Any], *, insert: str = "") -> str:
        """The statement that inserts a row with these fields, or does what is said about one that is there.

        Args:
            scope: Gives the database.
            model: Whose row.
            fields: Which fields.
            insert: The ``INSERT``, where it is not that of plain values.
        """
        meta, dialect = model._meta, scope.database.dialect

        def names(columns: Iterable[str]) -> tuple[str, ...]:
            return tuple(quoted(dialect, name) for name in columns)

        given = [field.column for field in fields]
        every = [self.unique] if self.unique else [sorted(found) for found in unique_sets(model) if found <= {*given}]
        target = Target(
            quoted(dialect, meta.table),
            quoted(dialect, meta.key[0].column),
            names(given),
            tuple(names(columns) for columns in every),
        )
        counter = quoted(dialect, meta.version.column) if meta.version is not None and self.updates else ""
        insert = insert or insert_sql(scope, model, fields, returning=False)
        statement: str = scope.database.backend.upsert(insert, target, names(self.updates), counter)
        return statement


def make_conflict(
    scope: Scope,
    model: Any,
    *,
    ignore_conflicts: bool,
    update_conflicts: bool,
    update_fields: Iterable[str] | None,
    unique_fields: Iterable[str] | None,
) -> Conflict | None:
    """The conflict that the arguments of ``bulk_create`` describe.

    Raises:
        FieldError: They do not fit together, or name no unique constraint.
    """
    if ignore_conflicts and update_conflicts:
        raise FieldError("bulk_create(): ignore_conflicts and update_conflicts exclude each other")
    if not update_conflicts:
        if update_fields or unique_fields:
            raise FieldError("bulk_create(): update_fields and unique_fields need update_conflicts=True")
        return Conflict() if ignore_conflicts else None
    meta = model._meta
    for argument, names in (("update_fields", update_fields), ("unique_fields", unique_fields)):
        if names is not None:
            refuse_one("bulk_create", argument, names)
    updated = [field for name in update_fields or () for field in own_fields(meta, name)]
    unique = [field for name in unique_fields or () for field in own_fields(meta, name)]
    if not updated or not unique:
        raise FieldError(
            "bulk_create(update_conflicts=True) needs the fields to update and those that tell rows apart",
            hint='Write update_fields=["title"], unique_fields=["slug"].',
        )
    if all(field in unique for field in updated):
        raise FieldError(
            f"bulk_create(): update_fields names only what tells rows apart, {updated[0].name!r}: nothing is updated",
            hint="Name the fields to update, or say ignore_conflicts=True.",
        )
    updated = [field for field in updated if field not in unique]  # where it is the same
    wrong = next((field for field in updated if field.in_key or field.is_generated), None)
    if wrong is not None:
        raise FieldError(f"bulk_create(): update_fields names {wrong.name!r}, which is a key, or computed")
    _check_unique(scope, model, [field.column for field in unique])
    columns = [field.column for field in updated if field is not meta.version]
    return Conflict(tuple(columns), tuple(field.column for field in unique))


def unique_sets(model: Any) -> list[frozenset[str]]:
    """The sets of columns in which no two rows agree, the key first."""
    meta = model._meta
    found = [frozenset(field.column for field in meta.key)]
    found += [frozenset([field.column]) for field in meta.local_fields if field.unique and not field.primary_key]
    for constraint in meta.constraints:
        names = getattr(constraint, "fields", ())
        if names and isinstance(constraint, UniqueConstraint) and not constraint.computes:
            found.append(frozenset(meta.get_field(name).column for name in names))
    return found


def _check_unique(scope: Scope, model: Any, columns: Sequence[str]) -> None:
    every = unique_sets(model)
    told = "; ".join(", ".join(sorted(names)) for names in every)
    if frozenset(columns) not in every:
        raise FieldError(
            f"bulk_create(): no constraint of {model.__name__} makes {', '.join(columns)} unique",
            hint=f"Unique are: {told}.",
        )
    others = [names for names in every if names != frozenset(columns) and names != every[0]]
    hidden = [rule.name for rule in model._meta.constraints if isinstance(rule, UniqueConstraint) and rule.computes]
    told += "".join(f"; {name}" for name in hidden)
    if (others or hidden) and not scope.database.backend.conflict_targets:
        raise FieldError(
            f"bulk_create(): {model.__name__} has other unique fields ({told}), and this database cannot be told "
            "that only a conflict of these counts: it would change another row",
            hint="Use update_or_create() for each row.",
        )
