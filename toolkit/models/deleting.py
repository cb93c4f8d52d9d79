"""Deleting rows and what depends on them, as ``on_delete`` says.

The rows that go are collected first, and only then is anything written: so a row that is protected is found while
nothing is lost yet, and rows that refer to each other in a circle go together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from toolkit.errors import ProtectedError
from toolkit.models.circles import children_first
from toolkit.models.relations import CASCADE, PROTECT, RESTRICT, SET_DEFAULT, SET_NULL
from toolkit.models.sqltext import flat, iter_chunks, key_of, key_text, placeholder, quoted
from toolkit.trace import Scope

SHOWN = 5
"""Rows named in the message when a row is protected."""


def delete_instance(scope: Scope, instance: Any, *, even_if_stale: bool = False) -> dict[str, int]:
    """Delete one row and what depends on it; how many went, by model."""
    gone = _delete(scope, instance._meta.concrete_model, [instance.pk])
    instance._row = None
    return gone


def delete_rows(scope: Scope, queryset: Any) -> dict[str, int]:
    """Delete all rows of a queryset and what depends on them; how many went, by model."""
    return _delete(scope, queryset.model._meta.concrete_model, list(queryset.order_by().values_list("pk", flat=True)))


def _delete(scope: Scope, model: Any, keys: list[Any]) -> dict[str, int]:
    write = model._meta.pk.db_value_of(scope.database.dialect)
    raw = [write(key) for key in keys if key is not None]
    if not raw:
        return {}
    with scope.database.atomic():
        deletion = Deletion(scope)
        deletion.take(model, raw)
        gone = deletion.run()
    scope.database.changed()
    return gone


class Deletion:
    """What one delete takes along.

    Args:
        scope: Gives the database. What its viewer may see is of no account here.

    Attributes:
        going: Model to the keys of its rows that go, as the driver has them, in the order they were found.
        changes: Statements that let go of rows, for SET_NULL and SET_DEFAULT.
        restricted: (model, foreign key, keys) of rows that may only go along.
        referred: (model, foreign key, values) by which other rows may refer to those that go.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.database = scope.database
        self.going: dict[Any, dict[Any, None]] = {}
        self.changes: list[Callable[[], None]] = []
        self.restricted: list[tuple[Any, Any, list[Any]]] = []
        self.referred: list[tuple[Any, Any, list[Any]]] = []

    def take(self, model: Any, keys: Iterable[Any]) -> None:
        """Let these rows go, and whatever hangs on them.

        Raises:
            ProtectedError: A row that refers to one of them protects it.
        """
        wanted = list(keys)
        for parent, link in model._meta.parents.items():  # first, so that their rows go last
            self.take(parent, self._held(model, link, wanted))
        taken = self.going.setdefault(model, {})
        fresh = [key for key in dict.fromkeys(wanted) if key not in taken]
        taken.update(dict.fromkeys(fresh))
        if fresh:
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
            key = model._meta.reverse[relation.name].field
            values = [key.key_for(read(value) if read else value) for value in keys]
            rows = key.model._meta.plain_manager.__get__(None, key.model).unrestricted()
            for chunk, _ in iter_chunks(values, self.database.dialect):
                found = rows.filter(**{key.names[0]: model, f"{key.names[1]}__in": chunk}).order_by()
                write = key.model._meta.pk.db_value_of(self.database.dialect)
                self.take(key.model, [write(pk) for pk in found.values_list("pk", flat=True)])

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
            found += [key_of(row, len(wanted.columns)) for row in self.database.fetch(sql, chunk)]
        return found

    def _follow(self, model: Any, field: Any, keys: list[Any]) -> None:
        if field.on_delete in (SET_NULL, SET_DEFAULT):
            self.changes.append(lambda: self._let_go(field, keys))
            return
        if field.on_delete not in (CASCADE, PROTECT, RESTRICT):
            return
        referring = self._referring(field, keys)
        if not referring:
            return
        if field.on_delete == CASCADE:
            self.take(field.model, referring)
        elif field.on_delete == RESTRICT:
            self.restricted.append((model, field, referring))
        else:
            raise self._refusal(model, field, referring)

    def _referring(self, field: Any, keys: Sequence[Any]) -> list[Any]:
        """Keys of the rows whose foreign key is one of these, in their order."""
        return self._select(field.model, field.model._meta.pk, field, keys)

    def _let_go(self, field: Any, keys: Sequence[Any]) -> None:
        dialect = self.database.dialect
        value = None if field.on_delete == SET_NULL else field.get_default()
        if value is not None:
            value = field.db_value_of(dialect)(value)
        table, width, mark = quoted(dialect, field.model._meta.table), len(field.columns), placeholder(dialect)
        changes = ", ".join(f"{quoted(dialect, column)} = {mark}" for column in field.columns)
        values = [None] * width if value is None else flat([value], width)
        for chunk, marks in iter_chunks(keys, dialect, width):
            sql = f"UPDATE {table} SET {changes} WHERE {key_text(dialect, field.columns)} IN ({marks})"  # noqa: S608
            self.database.execute(sql, [*values, *chunk])

    def run(self) -> dict[str, int]:
        """Write: first what is let go of, then the rows, those that refer before those they refer to.

        Raises:
            ProtectedError: A restricting row does not go along.
        """
        for model, field, referring in self.restricted:
            staying = [key for key in referring if key not in self.going.get(field.model, {})]
            if staying:
                raise self._refusal(model, field, staying)
        for change in self.changes:
            change()
        ordered, circular = children_first(self.going)
        held = circular and not self.database.backend.deferrable
        with self.database.references_held() if held else nullcontext():
            gone = {model._meta.label: self._remove(model, list(self.going[model])) for model in ordered}
            if held:
                self._refuse_dangling()
        return gone

    def _refuse_dangling(self) -> None:
        """Prove what the database was kept from checking: no row refers to one that is gone.

        Another writer who refers to one of the rows has either committed, and is seen here, or waits for their
        locks and is refused by the database afterwards.
        """
        for model, field, values in self.referred:
            staying = self._referring(field, values)
            if staying:
                raise self._refusal(model, field, staying)

    def _remove(self, model: Any, keys: Sequence[Any]) -> int:
        dialect = self.database.dialect
        table, columns = quoted(dialect, model._meta.table), model._meta.pk.columns
        key, count = key_text(dialect, columns), 0
        for chunk, marks in iter_chunks(keys, dialect, len(columns)):
            count += self.database.execute(f"DELETE FROM {table} WHERE {key} IN ({marks})", chunk).rowcount  # noqa: S608
        return count

    def _refusal(self, model: Any, field: Any, referring: Sequence[Any]) -> ProtectedError:
        rows = field.model._meta.base_manager.unrestricted().filter(pk__in=list(referring[:SHOWN]))
        shown = ", ".join(map(str, rows)) or f"{len(referring)} rows"
        more = " and more" if len(referring) > SHOWN else ""
        return ProtectedError(
            f"{model._meta.object_name} cannot be deleted: "
            f"{field.model.__name__}.{field.name} refers to it ({shown}{more})",
            hint="Delete those first, or give them another.",
        )
