"""Rows of one table, written by their keys in few statements."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import DatabaseError, DatabaseUnavailable, ToolkitError, ValidationError
from toolkit.models.fields.base import DATABASE_DEFAULT
from toolkit.models.sqltext import iter_chunks, key_text, placeholder, quoted
from toolkit.models.writing import insert_sql
from toolkit.serialization.records import columns_of
from toolkit.trace import Scope

if TYPE_CHECKING:
    from toolkit.serialization.spool import Row

BATCH = 500

Refuse = Callable[["Row", ToolkitError], None]


class TableWriter:
    """Writes to the table of one model; a parent's table has a writer of its own.

    Args:
        scope: Gives the database, in a transaction.
        model: The model.
    """

    def __init__(self, scope: Scope, model: Any) -> None:
        self.scope, self.model = scope, model
        self.database = scope.database
        self.dialect: str = scope.database.dialect
        self.meta = model._meta
        self.fields = [field for field in self.meta.local_fields if not field.is_generated]
        self.table = quoted(self.dialect, self.meta.table)
        self._write = {field: field.db_value_of(self.dialect) for field in self.fields}
        self._read = {field: field.db_reader(self.dialect) for field in self.fields}

    # what is there

    def _said(self, field: Any, raw: Any) -> Any:
        """What the driver gave, as it is written: only so can the two be compared (in Python ``1 == True``)."""
        read = self._read[field]
        return None if raw is None else self._write[field](raw if read is None else read(raw))

    def _given(self, fields: Sequence[Any], values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The driver's values of some fields."""
        found = ((field, values.get(field.attname)) for field in fields)
        return tuple(None if value is None else self._write[field](value) for field, value in found)

    def _select(self, fields: Sequence[Any], by: Sequence[Any], keys: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Rows by the driver's values of some columns."""
        names = ", ".join(quoted(self.dialect, field.column) for field in fields)
        where = key_text(self.dialect, [field.column for field in by])
        wanted = [key if len(by) > 1 else key[0] for key in dict.fromkeys(keys)]
        found = []
        for chunk, marks in iter_chunks(wanted, self.dialect, len(by)):
            sql = f"SELECT {names} FROM {self.table} WHERE {where} IN ({marks})"  # noqa: S608 - names of the schema
            found += [
                tuple(self._said(field, raw) for field, raw in zip(fields, row, strict=True))
                for row in self.database.fetch(sql, chunk)
            ]
        return found

    def present(self, fields: Sequence[Any], values: Collection[Any]) -> set[Any]:
        """Which of these values (tuples, of several fields) rows have."""
        spelt = {value: value if len(fields) > 1 else (value,) for value in values}
        written = {
            value: tuple(self._write[field](each) for field, each in zip(fields, parts, strict=True))
            for value, parts in spelt.items()
        }
        there = set(self._select(fields, fields, written.values()))
        return {value for value, key in written.items() if key in there}

    # rows

    def write(self, rows: Sequence[Row], *, only_new: bool, refuse: Refuse) -> None:
        """Insert the rows that are not there, update those that differ.

        Args:
            rows: The rows, with their keys; each is told what became of it.
            only_new: Leave those alone that are there.
            refuse: Called with a row that the database refuses.
        """
        key = self.meta.key
        places = [self.fields.index(part) for part in key]
        found = self._select(self.fields, key, (self._given(key, row.values) for row in rows))
        there = {tuple(row[place] for place in places): row for row in found}
        for row in rows:
            before = there.get(self._given(key, row.values))
            row.state = "added" if before is None else "skipped" if only_new else self._change(row, before, refuse)
        self._insert([row for row in rows if row.state == "added"], refuse)
        for state, operation in (("added", "insert"), ("changed", "update")):
            self.database.wrote(self.model, operation, [row.pk for row in rows if row.state == state])

    def _change(self, row: Row, before: Sequence[Any], refuse: Refuse) -> str:
        """Set the columns that the record names and that have other values."""
        named = [field for field in self.fields if field.attname in row.values and field not in self.meta.key]
        after = self._given(named, row.values)
        changed = [
            (field, value)
            for field, value in zip(named, after, strict=True)
            if value != before[self.fields.index(field)]
        ]
        if not changed:
            return "unchanged"
        mark = placeholder(self.dialect)
        pairs = ", ".join(f"{quoted(self.dialect, field.column)} = {mark}" for field, _ in changed)
        where = " AND ".join(f"{quoted(self.dialect, part.column)} = {mark}" for part in self.meta.key)
        sql = f"UPDATE {self.table} SET {pairs} WHERE {where}"  # noqa: S608 - names of the schema
        self._run(row, sql, [*(value for _, value in changed), *self._given(self.meta.key, row.values)], refuse)
        return "changed"

    def _insert(self, rows: Sequence[Row], refuse: Refuse) -> None:
        """Insert rows; a column that the database fills in is left out, where a record does not name it."""
        groups: dict[tuple[Any, ...], list[tuple[Row, list[Any]]]] = {}
        for row in rows:
            try:
                fields, values = self._whole(row)
            except ValidationError as error:
                refuse(row, error)
                continue
            groups.setdefault(fields, []).append((row, values))
        for fields, group in groups.items():
            sql = insert_sql(self.scope, self.model, fields, returning=False)
            for start in range(0, len(group), BATCH):
                self._insert_batch(sql, group[start : start + BATCH], refuse)

    def _insert_batch(self, sql: str, batch: Sequence[tuple[Row, list[Any]]], refuse: Refuse) -> None:
        try:
            with self.database.atomic():
                self.database.executemany(sql, [values for _, values in batch])
        except DatabaseUnavailable:  # it is no fault of a row's
            raise
        except DatabaseError:
            for row, values in batch:  # one by one, to tell which
                self._run(row, sql, values, refuse)

    def _whole(self, row: Row) -> tuple[tuple[Any, ...], list[Any]]:
        """The fields of a new row and the driver's values of them: the record's, or else those that new rows have."""
        values = dict(row.values)
        for field in self.fields:
            if field.attname not in values:
                stamped = field.auto_now or field.auto_now_add
                values[field.attname] = field.stamp(self.scope.now()) if stamped else field.get_default()
        fields = tuple(field for field in self.fields if values[field.attname] is not DATABASE_DEFAULT)
        for field in fields:
            if values[field.attname] is None and not field.null:
                raise ValidationError(f"{field.name} is not given, and cannot be NULL")
        return fields, list(self._given(fields, values))

    def _run(self, row: Row, sql: str, values: Sequence[Any], refuse: Refuse) -> None:
        try:
            with self.database.atomic():
                self.database.execute(sql, values)
        except DatabaseUnavailable:  # it is no fault of a row's
            raise
        except DatabaseError as error:
            refuse(row, error)

    # rows that belong to others

    def replace(self, owner: Any, rows: Mapping[Any, Sequence[Mapping[str, Any]]]) -> set[Any]:
        """Let these be all the rows that refer to some owners.

        Args:
            owner: The foreign key to the owners.
            rows: Primary key of an owner to its rows, each attribute to value.

        Returns:
            The owners that had others.
        """
        own = columns_of(owner)
        fields = [field for field in self.fields if field not in self.meta.key]
        places = [fields.index(part) for part in own]
        owners = {self._owner(own, pk): pk for pk in rows}
        before = set(self._select(fields, own, owners))
        after = {self._given(fields, self._defaulted(fields, row)) for each in rows.values() for row in each}
        gone, new = before - after, sorted(after - before, key=repr)
        self._delete(own, fields, gone)
        if new:
            self.database.executemany(insert_sql(self.scope, self.model, fields, returning=False), new)
        if gone or new:
            self.database.wrote(self.model, "update", None)
        return {owners[tuple(row[place] for place in places)] for row in (*gone, *new)}

    def _owner(self, own: Sequence[Any], pk: Any) -> tuple[Any, ...]:
        parts = pk if len(own) > 1 else (pk,)
        return tuple(self._write[part](each) for part, each in zip(own, parts, strict=True))

    def _defaulted(self, fields: Sequence[Any], row: Mapping[str, Any]) -> dict[str, Any]:
        return {f.attname: row[f.attname] if f.attname in row else f.get_default() for f in fields}

    def _delete(self, own: Sequence[Any], fields: Sequence[Any], rows: Collection[tuple[Any, ...]]) -> None:
        """Delete rows by what makes them one of a kind: all that they refer to, or the owner and the locale."""
        locale = self.meta.by_name.get("locale")
        told = list(fields) if locale is None else [*own, locale]
        where = key_text(self.dialect, [field.column for field in told])
        keys = [tuple(row[fields.index(field)] for field in told) for row in rows]
        for chunk, marks in iter_chunks(keys, self.dialect, len(told)):
            self.database.execute(f"DELETE FROM {self.table} WHERE {where} IN ({marks})", chunk)  # noqa: S608 - quoted

    def keys_were_given(self) -> None:
        """Let the database's own counter go on behind the greatest key."""
        if len(self.meta.key) == 1 and not self.meta.pk.is_relation:
            self.database.backend.keys_were_given(self.database, self.meta.table, self.meta.pk.column)
