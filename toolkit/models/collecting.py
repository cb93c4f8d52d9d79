"""Finding what a delete takes along: the rows that go, what is let go of, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from toolkit.models.on_delete import (
    CASCADE,
    DB_CASCADE,
    DB_SET_DEFAULT,
    DB_SET_NULL,
    PROTECT,
    RESTRICT,
    SET,
    SET_DEFAULT,
    SET_NULL,
)
from toolkit.models.plans import Blocker, DeletionPlan, PlannedChange
from toolkit.models.sqltext import iter_chunks, key_of, key_text, quoted
from toolkit.trace import Scope


class Release(NamedTuple):
    """Rows whose reference is set to something else.

    Args:
        field: The foreign key.
        keys: The driver's keys of the rows.
        value: What it is set to.
        raw: The same as the driver has it.
    """

    field: Any
    keys: list[Any]
    value: Any
    raw: Any


class Collector:
    """What one delete takes along. Nothing is written here.

    Args:
        scope: Gives the database. What its viewer may see is of no account here.

    Attributes:
        going: Model to the keys of its rows that go, as the driver has them, in the order they were found.
        releases: References that are let go of.
        referred: (model, foreign key, values) by which other rows may refer to those that go.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope, self.database = scope, scope.database
        self.going: dict[Any, dict[Any, None]] = {}
        self.referred: list[tuple[Any, Any, list[Any]]] = []
        self._releases: list[Release] = []
        self._protected: list[tuple[Any, Any, list[Any]]] = []
        self._restricted: list[tuple[Any, Any, list[Any]]] = []
        self._waiting: list[tuple[Any, list[Any]]] = []

    def collect(self, model: Any, keys: Iterable[Any]) -> None:
        """Find what goes with these rows. A chain of references may be of any length."""
        self._waiting.append((model, list(keys)))
        while self._waiting:
            self._take(*self._waiting.pop())

    def follow(self, model: Any, field: Any, values: Sequence[Any]) -> None:
        """Find what goes with rows that are gone already, and were referred to by these values of a field."""
        for relation in model._meta.own_reverse():
            key = relation.field
            if hasattr(key, "on_delete") and key.target_field is field:
                self.referred.append((model, key, list(values)))
                self._follow(model, key, values)
        self.collect(model, ())

    def _take(self, model: Any, wanted: list[Any]) -> None:
        for parent, link in model._meta.parents.items():
            self._waiting.append((parent, self._held(model, link, wanted)))
        taken = self.going.setdefault(model, {})
        fresh = [key for key in dict.fromkeys(wanted) if key not in taken]
        taken.update(dict.fromkeys(fresh))
        if not fresh:
            return
        self._take_generic(model, fresh)
        for relation in model._meta.own_reverse():
            field = relation.field
            if hasattr(field, "on_delete") and field.model._meta.table in self.database.schema.by_table:
                values = self._held(model, field.target_field, fresh)
                self.referred.append((model, field, values))
                self._follow(model, field, values)

    def _take_generic(self, model: Any, keys: Sequence[Any]) -> None:
        """Rows that refer to these by a generic foreign key, where the model has a ``GenericRelation`` for them."""
        read = model._meta.pk.db_reader(self.database.dialect)
        for relation in model._meta.generic_relations.values():
            reverse = model._meta.reverse[relation.name]
            key, other = reverse.field, reverse.model
            values = [key.key_for(read(value) if read else value) for value in keys]
            rows = other._meta.plain_manager.__get__(None, other).unrestricted()
            for chunk, _ in iter_chunks(values, self.database.dialect):
                found = rows.filter(**{key.names[0]: model, f"{key.names[1]}__in": chunk}).order_by()
                write = other._meta.pk.db_value_of(self.database.dialect)
                self._waiting.append((other, [write(pk) for pk in found.values_list("pk", flat=True)]))

    def _follow(self, model: Any, field: Any, values: Sequence[Any]) -> None:
        """Do what ``on_delete`` says for the rows that refer to some that go."""
        rule = field.on_delete
        if not (isinstance(rule, SET) or rule in _FOLLOWED):
            return
        found = self.referring(field, values)
        if not found:
            return
        if rule in (CASCADE, DB_CASCADE):
            self._waiting.append((field.model, found))
        elif rule == PROTECT:
            self._protected.append((model, field, found))
        elif rule == RESTRICT:
            self._restricted.append((model, field, found))
        else:
            value = rule.value() if isinstance(rule, SET) else _value_of(field, rule)
            write = field.db_value_of(self.database.dialect)
            self._releases.append(Release(field, found, value, None if value is None else write(value)))

    def referring(self, field: Any, values: Sequence[Any]) -> list[Any]:
        """Keys of the rows whose foreign key has one of these values, in their order."""
        return self._select(field.model, field.model._meta.pk, field, values)

    def block(self, model: Any, field: Any, keys: list[Any]) -> None:
        """Note rows that stand in the way."""
        self._protected.append((model, field, keys))

    def _held(self, model: Any, field: Any, keys: Sequence[Any]) -> list[Any]:
        """What the rows with these keys have in a field."""
        if not keys or field is model._meta.pk:
            return list(keys)
        return self._select(model, field, model._meta.pk, keys)

    def _select(self, model: Any, wanted: Any, by: Any, keys: Sequence[Any]) -> list[Any]:
        """What the rows with some values in one field have in another, in the order of their keys."""
        dialect, meta = self.database.dialect, model._meta
        columns, order = (", ".join(quoted(dialect, n) for n in each.columns) for each in (wanted, meta.pk))
        table, where = quoted(dialect, meta.table), key_text(dialect, by.columns)
        found: list[Any] = []
        for chunk, marks in iter_chunks(keys, dialect, len(by.columns)):
            sql = f"SELECT {columns} FROM {table} WHERE {where} IN ({marks}) ORDER BY {order}"  # noqa: S608 - of the schema
            found += [key_of(row, len(wanted.columns)) for row in self.database.ask(sql, chunk)]
        return found

    @property
    def releases(self) -> list[Release]:
        """References that are let go of, of rows that stay."""
        staying = []
        for release in self._releases:
            keys = [key for key in release.keys if key not in self.going.get(release.field.model, {})]
            if keys:
                staying.append(release._replace(keys=keys))
        return staying

    def python_keys(self, model: Any, keys: Iterable[Any]) -> list[Any]:
        """Keys as Python has them."""
        read = model._meta.pk.db_reader(self.database.dialect)
        return list(keys) if read is None else [read(key) for key in keys]

    def plan(self) -> DeletionPlan:
        """What was found, for people to read. A restricting row that goes along stands in nobody's way."""
        blocked = list(self._protected)
        for model, field, keys in self._restricted:
            staying = [key for key in keys if key not in self.going.get(field.model, {})]
            if staying:
                blocked.append((model, field, staying))
        return DeletionPlan(
            deleted={model: self.python_keys(model, keys) for model, keys in self.going.items() if keys},
            changed=[
                PlannedChange(release.field, self.python_keys(release.field.model, release.keys), release.value)
                for release in self.releases
            ],
            blocked=[Blocker(model, field, self.python_keys(field.model, keys)) for model, field, keys in blocked],
        )


_FOLLOWED = frozenset({CASCADE, DB_CASCADE, PROTECT, RESTRICT, SET_NULL, DB_SET_NULL, SET_DEFAULT, DB_SET_DEFAULT})


def _value_of(field: Any, rule: str) -> Any:
    """What a reference is set to. A default of the database is read from the declaration."""
    if rule in (SET_NULL, DB_SET_NULL):
        return None
    return field.db_default if rule == DB_SET_DEFAULT else field.get_default()
