"""Values that go from the rows of one table to those of another, where the table of keys says which is which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from toolkit.migrations.editors.conversions import Refusals, conversion, held_by, same_storage
from toolkit.migrations.editors.keys import TABLE as KEYS
from toolkit.migrations.editors.pairing import chunks


class Carriage:
    """Carries values: in one statement where SQL can, some thousand rows at a time where values need Python.

    Args:
        editor: Of the database.
        source: The model whose rows are read, which have the old keys.
        target: The model whose rows are written.
        fields: (source's, target's) pairs.
        side: Which keys the target's rows have: "old" or "new".
    """

    def __init__(self, editor: Any, source: Any, target: Any, fields: Sequence[tuple[Any, Any]], *, side: str) -> None:
        self._editor, self._source, self._target, self._fields = editor, source, target, fields
        self._key = f"k.{side}_0"
        self._from = (
            f"FROM {editor.quote(source._meta.table)} s JOIN {editor.quote(KEYS)} k "
            f"ON k.old_0 = s.{editor.quote(source._meta.pk.column)}"
        )
        self._table = editor.quote(target._meta.table)
        self._own_key = editor.quote(target._meta.pk.column)

    def insert(self, given: Mapping[Any, Any]) -> None:
        """Make the rows that are not there.

        Args:
            given: A stored value, or a function that makes one, by the target's field: in the place of NULL, too.
        """
        carried = {new: old for old, new in self._fields}
        fields = [*carried, *(field for field in given if field not in carried)]
        names = ", ".join(self._editor.quote(field.column) for field in (self._target._meta.pk, *fields))
        absent = f"NOT EXISTS (SELECT 1 FROM {self._table} t WHERE t.{self._own_key} = {self._key})"  # noqa: S608 - quoted
        head = f"INSERT INTO {self._table} ({names})"
        if self._is_sql() and not any(callable(given.get(field)) for field in fields):
            spelled, values = self._spelled(fields, carried, given)
            columns = ", ".join([self._key, *spelled])
            self._editor.database.execute(f"{head} SELECT {columns} {self._from} WHERE {absent}", values)
            return
        self._editor.remark(f"Python writes rows into {self._table}")
        marks = ", ".join([self._editor.mark] * (len(fields) + 1))
        rest = [given[field] for field in fields if field not in carried]
        instead = [given.get(field) for field in carried]
        for rows in self._read(absent):
            whole = [(key, *map(_or, values, instead), *map(_made, rest)) for key, *values in rows]
            self._editor.database.executemany(f"{head} VALUES ({marks})", whole)

    def _spelled(
        self, fields: Sequence[Any], carried: Mapping[Any, Any], given: Mapping[Any, Any]
    ) -> tuple[list[str], list[Any]]:
        """The SQL of each column's value, and the parameters in it."""
        spelled, values = [], []
        for field in fields:
            source = f"s.{self._editor.quote(carried[field].column)}" if field in carried else ""
            value = given.get(field)
            if value is None:
                spelled.append(source or "NULL")
                continue
            spelled.append(f"coalesce({source}, {self._editor.mark})" if source else self._editor.mark)
            values.append(value)
        return spelled, values

    def update(self, given: Mapping[Any, Any]) -> None:
        """Write the values into the rows that are there.

        Args:
            given: What stands in the place of NULL, as in ``insert``.
        """
        if not self._fields:
            return
        carried = {new: old for old, new in self._fields}
        names = [self._editor.quote(field.column) for field in carried]
        if self._is_sql() and not any(callable(given.get(field)) for field in carried):
            where = f"WHERE {self._key} = {self._table}.{self._own_key}"
            spelled, values = self._spelled(list(carried), carried, given)
            listed = ", ".join(
                f"{name} = (SELECT {value} {self._from} {where})" for name, value in zip(names, spelled, strict=True)
            )
            self._editor.database.execute(
                f"UPDATE {self._table} SET {listed} WHERE EXISTS (SELECT 1 {self._from} {where})",  # noqa: S608 - quoted
                values,
            )
            return
        self._editor.remark(f"Python writes values into {self._table}")
        listed = ", ".join(f"{name} = {self._editor.mark}" for name in names)
        instead = [given.get(field) for field in carried]
        there = f"EXISTS (SELECT 1 FROM {self._table} t WHERE t.{self._own_key} = {self._key})"  # noqa: S608 - quoted
        for rows in self._read(there):
            self._editor.database.executemany(
                f"UPDATE {self._table} SET {listed} WHERE {self._own_key} = {self._editor.mark}",  # noqa: S608 - quoted
                [(*map(_or, values, instead), key) for key, *values in rows],
            )

    def _is_sql(self) -> bool:
        return all(same_storage(old, new) for old, new in self._fields)

    def _read(self, condition: str) -> Iterator[list[tuple[Any, ...]]]:
        """Rows as the target stores them, each behind its key there."""
        columns = "".join(f", s.{self._editor.quote(old.column)}" for old, _ in self._fields)
        refusals = Refusals(self._target)
        convert = [_converter(refusals, old, new, self._editor.database.dialect) for old, new in self._fields]
        for first, last in chunks(self._editor):
            found = self._editor.database.fetch(
                f"SELECT {self._key}{columns} {self._from} "
                f"WHERE k.number BETWEEN {first} AND {last} AND {condition} ORDER BY k.number"
            )
            rows = [
                (key, *(each(value, key) for each, value in zip(convert, values, strict=True)))
                for key, *values in found
            ]
            refusals.check()
            if rows:
                yield rows


def _or(value: Any, given: Any) -> Any:
    return _made(given) if value is None else value


def _made(given: Any) -> Any:
    return given() if callable(given) else given


def _converter(refusals: Refusals, old: Any, new: Any, dialect: str) -> Callable[[Any, Any], Any]:
    if not same_storage(old, new):
        return refusals.guarded(conversion(old, new, dialect=dialect), new)
    read, write = held_by(old).db_reader(dialect), held_by(new).db_writer(dialect)

    def kept(value: Any, row: Any) -> Any:
        if value is None:
            return None
        value = value if read is None else read(value)
        return value if write is None else write(value)

    return kept
