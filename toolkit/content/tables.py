"""Reading and writing many rows of a model by key, in statements that need no query compiler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from toolkit.models.stale import next_version
from toolkit.models.writing import insert_sql, quoted

BATCH = 500


def mark_of(database: Any) -> str:
    """The placeholder of a parameter."""
    return "?" if database.dialect == "sqlite" else "%s"


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    items = list(values)
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _select(database: Any, model: Any, columns: Sequence[str], by: str, values: Iterable[Any]) -> list[Any]:
    names = ", ".join(quoted(database.dialect, name) for name in columns)
    table, key = quoted(database.dialect, model._meta.table), quoted(database.dialect, by)
    found = []
    for chunk in _chunks(values):
        marks = ", ".join([mark_of(database)] * len(chunk))
        found += database.fetch(f"SELECT {names} FROM {table} WHERE {key} IN ({marks})", chunk)  # noqa: S608
    return found


def fetch_rows(database: Any, model: Any, pks: Iterable[Any]) -> dict[Any, tuple[Any, ...]]:
    """Primary key to the row's values, by ``model._meta.fields``."""
    meta = model._meta
    rows = _select(database, model, meta.columns, meta.pk.column, pks)
    return {row[meta.pk_index]: tuple(row) for row in rows}


def fetch_by(database: Any, model: Any, field: Any, values: Iterable[Any]) -> list[tuple[Any, ...]]:
    """The rows in which a field has one of these values."""
    return [tuple(row) for row in _select(database, model, model._meta.columns, field.column, values)]


def fetch_keys(database: Any, model: Any, field: Any, keys: Iterable[Any]) -> list[tuple[Any, Any]]:
    """(key, primary key) of the rows whose field has one of these values."""
    columns = (field.column, model._meta.pk.column)
    return [tuple(row) for row in _select(database, model, columns, field.column, keys)]


def all_keys(database: Any, model: Any, field: Any, *, limit: int = 5000) -> list[tuple[Any, Any]]:
    """(key, primary key) of many rows, for suggestions."""
    meta = model._meta
    names = ", ".join(quoted(database.dialect, name) for name in (field.column, meta.pk.column))
    sql = f"SELECT {names} FROM {quoted(database.dialect, meta.table)} LIMIT {limit}"  # noqa: S608 - of the schema
    return [tuple(row) for row in database.fetch(sql)]


def reserve_keys(database: Any, model: Any, count: int) -> list[int]:
    """Primary keys for new rows. Inside a transaction that may write."""
    meta = model._meta
    if count == 0:
        return []
    if database.dialect == "postgresql":
        sql = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
        table = quoted("postgresql", meta.table)
        return [row[0] for row in database.fetch(sql, (table, meta.pk.column, count))]
    table, key = quoted(database.dialect, meta.table), quoted(database.dialect, meta.pk.column)
    last = database.fetch(f"SELECT coalesce(max({key}), 0) FROM {table}")[0][0]  # noqa: S608 - names of the schema
    return list(range(last + 1, last + 1 + count))


def insert_rows(scope: Any, model: Any, fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of driver's values."""
    if not rows:
        return
    scope.database.run_many(insert_sql(scope, model, fields, returning=False), rows)
    pk = model._meta.pk
    known = [row[fields.index(pk)] for row in rows] if pk in fields else None
    _tell(scope.database, model, "insert", known)


def update_rows(database: Any, model: Any, rows: Sequence[Sequence[Any]]) -> None:
    """Set all columns of rows that are known by their primary key; values by ``model._meta.fields``."""
    meta, mark = model._meta, mark_of(database)
    kept = [number for number, field in enumerate(meta.fields) if not field.primary_key and not field.is_version]
    names = [quoted(database.dialect, meta.fields[number].column) for number in kept]
    if not rows or not names:
        return
    pairs = [f"{name} = {mark}" for name in names]
    pairs += [next_version(database.dialect, meta)] if meta.version is not None else []
    table, key = quoted(database.dialect, meta.table), quoted(database.dialect, meta.pk.column)
    at = meta.pk_index
    moved = [(*(row[number] for number in kept), row[at]) for row in rows]
    database.run_many(f"UPDATE {table} SET {', '.join(pairs)} WHERE {key} = {mark}", moved)  # noqa: S608 - of the schema
    _tell(database, model, "update", [row[at] for row in rows])


def delete_by(database: Any, model: Any, field: Any, values: Iterable[Any]) -> None:
    """Delete the rows in which a field has one of these values; nothing that refers to them is looked at."""
    table, key = quoted(database.dialect, model._meta.table), quoted(database.dialect, field.column)
    mark, found = mark_of(database), [(value,) for value in values]
    if found:
        database.run_many(f"DELETE FROM {table} WHERE {key} = {mark}", found)  # noqa: S608 - names of the schema
        _tell(database, model, "delete", [value for (value,) in found] if field is model._meta.pk else None)


def _tell(database: Any, model: Any, operation: str, keys: Iterable[Any] | None) -> None:
    """Let those who hear ``rows_changed`` know; keys as Python has them."""
    read = model._meta.pk.db_reader(database.dialect)
    if keys is not None and read is not None:
        keys = [read(key) for key in keys]
    database.wrote(model, operation, keys)


def defer_references(database: Any) -> None:
    """Let references between rows be checked at the end of the transaction only."""
    statement = {
        "sqlite": "PRAGMA defer_foreign_keys = ON",
        "postgresql": "SET CONSTRAINTS ALL DEFERRED",
        "mysql": "SET FOREIGN_KEY_CHECKS = 0",
    }
    database.execute(statement[database.dialect])


def restore_references(database: Any) -> None:
    """Check references again at once, where the setting outlives the transaction."""
    if database.dialect == "mysql":
        database.execute("SET FOREIGN_KEY_CHECKS = 1")
