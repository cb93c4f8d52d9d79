"""Reading and writing many rows of a model by key, in statements that need no query compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, islice
from operator import itemgetter
from typing import Any, TypeVar

from toolkit.content.levels import key_fields, root_field, root_key, stored_fields
from toolkit.models import TimeField
from toolkit.models.fields.base import DATABASE_DEFAULT
from toolkit.models.fields.several import parts_of
from toolkit.models.sqltext import flat, iter_chunks, key_of
from toolkit.models.stale import next_version
from toolkit.models.writing import insert_sql, quoted

BATCH = 500

T = TypeVar("T")


def mark_of(database: Any) -> str:
    """The placeholder of a parameter."""
    return "?" if database.dialect == "sqlite" else "%s"


def chunks_of(values: Iterable[T], *, size: int = BATCH) -> Iterator[list[T]]:
    """Some values at a time."""
    found = iter(values)
    while chunk := list(islice(found, size)):
        yield chunk


def _column(database: Any, model: Any, field: Any) -> str:
    """A column, with its table where a row of the model is in several."""
    name = quoted(database.dialect, field.column)
    if not model._meta.parents:
        return name
    owner = next(level for level in model._meta.levels if field in level._meta.local_fields)
    return f"{quoted(database.dialect, owner._meta.table)}.{name}"


def _tables(database: Any, model: Any) -> str:
    """The table of a model, joined with those that it inherits from."""
    meta = model._meta
    text = quoted(database.dialect, meta.table)
    links = {
        parent: link for level in reversed(meta.levels) for parent, link in reversed(level._meta.parents.items())
    }  # a parent that is reached by two ways has one row, and is joined once
    for parent, link in links.items():
        key = _column(database, model, link.target_field)
        text += f" JOIN {quoted(database.dialect, parent._meta.table)} ON {key} = {_column(database, model, link)}"
    return text


def fetch_columns(
    database: Any, model: Any, fields: Sequence[Any], by: Any, values: Iterable[Any]
) -> list[tuple[Any, ...]]:
    """Fields of the rows in which one has one of these values. The value of a composite one is a tuple."""
    select = _select(database, model, fields)
    parts = parts_of(by)
    key = ", ".join(_column(database, model, part) for part in parts)
    key = key if len(parts) == 1 else f"({key})"
    found = []
    for chunk, marks in iter_chunks(list(values), database.dialect, len(parts)):
        found += database.fetch(f"{select} WHERE {key} IN ({marks})", chunk)
    return _as_written(database, fields, found)


def _select(database: Any, model: Any, fields: Sequence[Any]) -> str:
    names = ", ".join(_column(database, model, part) for field in fields for part in parts_of(field))
    return f"SELECT {names} FROM {_tables(database, model)}"  # noqa: S608 - names of the schema


def _as_written(database: Any, fields: Sequence[Any], rows: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Rows with the values that the driver takes: of a time of day, MariaDB's gives the time since midnight."""
    found = [tuple(row) for row in rows]
    parts = [part for field in fields for part in parts_of(field)]
    times = [at for at, part in enumerate(parts) if isinstance(_plain(part), TimeField)]
    if database.dialect == "mysql" and times:
        readers = {at: parts[at].db_reader(database.dialect) for at in times}
        found = [
            tuple(readers[at](value) if at in readers and value is not None else value for at, value in enumerate(row))
            for row in found
        ]
    widths = [len(parts_of(field)) for field in fields]
    if len(parts) == len(fields):
        return found
    starts = list(accumulate(widths, initial=0))
    return [tuple(key_of(row, width, at) for at, width in zip(starts, widths, strict=False)) for row in found]


def _plain(field: Any) -> Any:
    """A field, or of a reference the one that it keeps."""
    while field.is_relation:
        field = field.target_field
    return field


def fetch_all(database: Any, model: Any, fields: Sequence[Any], *, limit: int | None = None) -> list[tuple[Any, ...]]:
    """Some columns of all rows."""
    end = "" if limit is None else f" LIMIT {limit}"
    return _as_written(database, fields, database.fetch(f"{_select(database, model, fields)}{end}"))


def fetch_rows(database: Any, model: Any, pks: Iterable[Any]) -> dict[Any, tuple[Any, ...]]:
    """Primary key to the row's values, by ``stored_fields``."""
    fields, key_of_row = stored_fields(model), key_getter(model)
    return {key_of_row(row): row for row in fetch_columns(database, model, fields, root_key(model), pks)}


def key_getter(model: Any, key: Any = None) -> Callable[[Sequence[Any]], Any]:
    """Gives the primary key of a row's values by ``stored_fields``; a composite one is a tuple.

    Args:
        model: The model.
        key: The key of another of the row's tables; see ``root_keys``.
    """
    fields = stored_fields(model)
    return itemgetter(*(fields.index(part) for part in parts_of(key or root_key(model))))


def fetch_keys(database: Any, model: Any, field: Any, keys: Iterable[Any]) -> list[tuple[Any, Any]]:
    """(key, primary key) of the rows whose field has one of these values."""
    return [(key, pk) for key, pk in fetch_columns(database, model, (field, root_key(model)), field, keys)]


def all_keys(database: Any, model: Any, field: Any, *, limit: int = 5000) -> list[tuple[Any, Any]]:
    """(key, primary key) of many rows, for suggestions."""
    return [(key, pk) for key, pk in fetch_all(database, model, (field, root_key(model)), limit=limit)]


def reserve_keys(database: Any, key: Any, count: int) -> list[int]:
    """Primary keys for new rows of the table that a key is of. Inside a transaction that may write."""
    meta = key.model._meta
    if count == 0:
        return []
    given = database.backend.next_keys(database, meta.table, meta.pk.column, count)
    if given:
        return list(given)
    table, column = quoted(database.dialect, meta.table), quoted(database.dialect, meta.pk.column)
    greatest = database.fetch(f"SELECT coalesce(max({column}), 0) FROM {table}")[0][0]  # noqa: S608 - names of the schema
    last = max(greatest, database.backend.last_key(database, meta.table))
    return list(range(last + 1, last + 1 + count))


def insert_rows(scope: Any, model: Any, fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of driver's values, into each of their tables; what the database fills in is left out."""
    if any(field.is_several for field in fields):
        widths = [len(parts_of(field)) for field in fields]
        rows = [[each for one, width in zip(row, widths, strict=True) for each in flat([one], width)] for row in rows]
        fields = [part for field in fields for part in parts_of(field)]
    for level in model._meta.levels if rows else ():
        found = _of_level(level, fields)
        groups: dict[tuple[Any, ...], list[list[Any]]] = {}
        for row in rows:
            given = [(field, row[at]) for field, at in found if row[at] is not DATABASE_DEFAULT]
            groups.setdefault(tuple(field for field, _ in given), []).append([value for _, value in given])
        for named, group in groups.items():
            sql = insert_sql(scope, level, named, returning=False)
            scope.database.backend.insert_all(scope.database, sql, group)
        places = [fields.index(field) for field in key_fields(level) if field in fields]
        known = list(map(itemgetter(*places), rows)) if len(places) == len(key_fields(level)) else None
        _tell(scope.database, level, "insert", known)


def _of_level(level: Any, fields: Sequence[Any]) -> list[tuple[Any, int]]:
    """The fields of one table of a row, and where their values stand: of links, where the key does."""
    found = [(field, at) for at, field in enumerate(fields) if field in level._meta.local_fields]
    return found + [(link, fields.index(root_field(link))) for link in level._meta.parents.values()]


def update_rows(database: Any, model: Any, rows: Sequence[Sequence[Any]]) -> None:
    """Set all columns of rows that are known by their primary key; values by ``stored_fields``."""
    fields, mark = stored_fields(model), mark_of(database)
    for level in model._meta.levels if rows else ():
        meta = level._meta
        own = [(field, place) for place, field in enumerate(fields) if field in meta.local_fields]
        kept = [(field, place) for field, place in own if not field.in_key and not field.is_version]
        key_of_row = key_getter(model, root_key(level))
        pairs = [f"{quoted(database.dialect, field.column)} = {mark}" for field, _ in kept]
        pairs += next_version(database.dialect, level)
        if not pairs:
            continue
        table, where = quoted(database.dialect, meta.table), _equal(database, meta.pk)
        keys = [key_of_row(row) for row in rows]
        width = len(parts_of(meta.pk))
        moved = [(*(row[at] for _, at in kept), *flat([key], width)) for row, key in zip(rows, keys, strict=True)]
        database.run_many(f"UPDATE {table} SET {', '.join(pairs)} WHERE {where}", moved)  # noqa: S608 - of the schema
        _tell(database, level, "update", keys)


def _equal(database: Any, field: Any) -> str:
    """The condition that a field has a value."""
    columns = [quoted(database.dialect, column) for column in field.columns]
    return " AND ".join(f"{column} = {mark_of(database)}" for column in columns)


def delete_by(database: Any, model: Any, field: Any, values: Iterable[Any]) -> None:
    """Delete the rows of a table in which a field has one of these values; nothing that refers to them is looked at."""
    given, width = list(values), len(parts_of(field))
    if given:
        table = quoted(database.dialect, model._meta.table)
        found = [flat([value], width) for value in given]
        database.run_many(f"DELETE FROM {table} WHERE {_equal(database, field)}", found)  # noqa: S608 - of the schema
        _tell(database, model, "delete", given if field is model._meta.pk else None)


def delete_rows(database: Any, model: Any, rows: Sequence[Sequence[Any]]) -> None:
    """Delete rows from all their tables; values by ``stored_fields``. Nothing that refers to them is looked at."""
    for level in reversed(model._meta.levels):
        delete_by(database, level, level._meta.pk, map(key_getter(model, root_key(level)), rows))


def _tell(database: Any, model: Any, operation: str, keys: Iterable[Any] | None) -> None:
    """Let those who hear ``rows_changed`` know; keys as Python has them."""
    read = root_key(model).db_reader(database.dialect)
    if keys is not None and read is not None:
        keys = [read(key) for key in keys]
    database.wrote(model, operation, keys)
