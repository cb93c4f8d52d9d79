"""What a table really looks like, and how it differs from its model.

Nothing is guessed about how a database spells a type: the table that a model asks for is made in a scratch place
(a database in memory, temporary tables that are rolled back), and both are read by the same eyes.
"""

from __future__ import annotations

import dataclasses
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from toolkit.errors import MigrationError
from toolkit.migrations.editors.statements import ddl, table_of
from toolkit.migrations.tables.definitions import checks_of, constraint_key, quote

Fetch = Callable[[str, Sequence[Any]], list[Any]]

SCRATCH_SCHEMA = "pg_temp"


@dataclass(frozen=True)
class Column:
    """A column of a table that is there.

    Args:
        kind: Its type, as the database spells it.
        null: Whether it may hold NULL.
        optional: Whether a row may be inserted that does not name it.
    """

    kind: str
    null: bool
    optional: bool = True


@dataclass(frozen=True)
class TableInfo:
    """A table that is there. Constraints are known by what they say, not by their names.

    Args:
        columns: Column name to column.
        constraints: What the table's constraints say.
        indexes: What its indexes say, by name.
    """

    columns: dict[str, Column]
    constraints: frozenset[str]
    indexes: dict[str, str] = dataclasses.field(default_factory=dict)


def read_table(database: Any, table: str) -> TableInfo | None:
    """The table of this name as it is, or None when there is none."""
    if database.dialect == "sqlite":
        return _read_sqlite(database.fetch, table)
    return _read_postgresql(database, table)


def differences(database: Any, models: Iterable[Any]) -> list[MigrationError]:
    """How the tables that are there differ from their models; missing tables are not told."""
    found = {model: read_table(database, model._meta.table) for model in models}
    actual = {model: info for model, info in found.items() if info is not None}
    expected = _expected(database, list(actual))
    return [problem for model, info in actual.items() for problem in _compared(model, info, expected[model])]


def missing_tables(database: Any, models: Iterable[Any]) -> list[Any]:
    """The models whose tables are not there."""
    return [model for model in models if read_table(database, model._meta.table) is None]


def _compared(model: Any, actual: TableInfo, expected: TableInfo) -> Iterator[MigrationError]:
    table = model._meta.table
    for name, column in expected.columns.items():
        found = actual.columns.get(name)
        if found is None:
            yield _problem(table, name, f"the table has no column {name!r}, and {model._meta.label} does")
        elif found.kind != column.kind:
            yield _problem(table, name, f"the column is {found.kind}, and {model._meta.label} wants {column.kind}")
        elif found.null != column.null:
            yield _problem(table, name, f"the column {_allows(found)} NULL, and {model._meta.label} {_wants(column)}")
    for name, found in actual.columns.items():
        if name not in expected.columns and not found.optional:
            message = f"the table has a column {name!r} that needs a value, and {model._meta.label} does not know it"
            yield _problem(table, name, message)
    for text in sorted(expected.constraints - actual.constraints):
        yield _problem(table, None, f"the table lacks the constraint {text}")
    for text in sorted(actual.constraints - expected.constraints):
        yield _problem(table, None, f"the table has the constraint {text}, which {model._meta.label} does not know")
    for name, text in expected.indexes.items():
        if actual.indexes.get(name) != text:
            state = "lacks the index" if name not in actual.indexes else "has another index called"
            yield _problem(table, None, f"the table {state} {name}")


def _problem(table: str, column: str | None, message: str) -> MigrationError:
    return MigrationError(
        message,
        path=table,
        column=column,
        hint="Mend the table, or give its app migrations: toolkit migrations make.",
    )


def _allows(column: Column) -> str:
    return "allows" if column.null else "refuses"


def _wants(column: Column) -> str:
    return "wants it" if column.null else "does not"


def _expected(database: Any, models: Sequence[Any]) -> dict[Any, TableInfo]:
    if not models:
        return {}
    if database.dialect == "sqlite":
        return {model: _expected_sqlite(database, model) for model in models}
    with _scratch_place(database):
        return {model: _expected_on_server(database, model) for model in models}


# SQLite

_SQL_OF = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"


def _expected_sqlite(database: Any, model: Any) -> TableInfo:
    connection = sqlite3.connect(":memory:")
    try:
        for statement in _statements(database, model):
            connection.execute(statement)
        return _read_columns(lambda sql, values: connection.execute(sql, values).fetchall(), model._meta.table)
    finally:
        connection.close()


def _read_sqlite(fetch: Fetch, table: str) -> TableInfo | None:
    found = fetch(_SQL_OF, (table,))
    return _read_columns(fetch, table) if found else None


def _read_columns(fetch: Fetch, table: str) -> TableInfo:
    found = fetch(_SQL_OF, (table,))
    rows = [row for row in fetch(f"PRAGMA table_xinfo({quote(table)})", ()) if row[6] == 0]
    columns = {
        name: Column(kind.upper(), not required, not required or default is not None or bool(key))
        for _, name, kind, required, default, key, _ in rows
    }
    constraints = checks_of(found[0][0]) | set(_sqlite_foreign_keys(fetch, table))
    indexes: dict[str, str] = {}
    for _, name, unique, origin, _ in fetch(f"PRAGMA index_list({quote(table)})", ()):
        if origin == "u":
            constraints.add(f"UNIQUE({','.join(_index_columns(fetch, name))})")
        elif origin == "c":
            indexes[name] = _sqlite_index(fetch, name, unique=bool(unique))
    return TableInfo(columns, frozenset(constraints), indexes)


def _sqlite_foreign_keys(fetch: Fetch, table: str) -> Iterator[str]:
    for row in fetch(f"PRAGMA foreign_key_list({quote(table)})", ()):
        yield f"FOREIGNKEY({row[3]})REFERENCES{row[2]}({row[4]})"


def _index_columns(fetch: Fetch, name: str) -> list[str]:
    rows = fetch(f"PRAGMA index_xinfo({quote(name)})", ())
    return [f"{column or 'expression'}{' DESC' * descending}" for _, _, column, descending, _, key in rows if key]


def _sqlite_index(fetch: Fetch, name: str, *, unique: bool) -> str:
    sql = fetch("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?", (name,))[0][0]
    _, _, where = sql.partition("WHERE")
    columns = ", ".join(_index_columns(fetch, name))
    return f"{'UNIQUE ' * unique}({columns}){' WHERE ' + constraint_key(where) if where else ''}"


# PostgreSQL

_COLUMNS = """SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull,
NOT attnotnull OR atthasdef OR attidentity <> '' OR attgenerated <> ''
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_CONSTRAINTS = """SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype IN ('u', 'f', 'c')"""
_INDEXES = """SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid
AND contype IN ('u', 'p', 'x'))"""


def _read_postgresql(database: Any, table: str) -> TableInfo | None:
    there = database.fetch("SELECT to_regclass(%s)", (quote(table),))[0][0] is not None
    return _describe_on_server(database, table) if there else None


def _describe_on_server(database: Any, table: str) -> TableInfo:
    name = quote(table)
    columns = {name: Column(*rest) for name, *rest in database.fetch(_COLUMNS, (name,))}
    constraints = frozenset(text for (text,) in database.fetch(_CONSTRAINTS, (name,)))
    indexes = {
        index: re.sub(r" ON .*? USING", " USING", text, count=1) for index, text in database.fetch(_INDEXES, (name,))
    }
    return TableInfo(columns, constraints, indexes)


def _expected_on_server(database: Any, model: Any) -> TableInfo:
    for target in [model, *(key.target for key in model._meta.foreign_keys())]:
        if not _is_in_scratch(database, target):
            for statement in _statements(database, target, foreign_keys=False):
                database.execute(statement)
    for statement in _foreign_key_statements(database, model):
        database.execute(statement)
    return _describe_on_server(database, model._meta.table)


def _is_in_scratch(database: Any, model: Any) -> bool:
    name = f"{SCRATCH_SCHEMA}.{quote(model._meta.table)}"
    return database.fetch("SELECT to_regclass(%s)", (name,))[0][0] is not None


@contextmanager
def _scratch_place(database: Any) -> Iterator[None]:
    """Temporary tables first in the path, which every role may make, and which go away by rolling back."""
    database.execute("SAVEPOINT toolkit_scratch" if database.transaction is not None else "BEGIN")
    try:
        path = database.fetch("SELECT current_setting('search_path')")[0][0]
        database.execute(f"SET LOCAL search_path TO {SCRATCH_SCHEMA}, {path}")
        yield
    finally:
        inside = database.transaction is not None
        database.execute("ROLLBACK TO SAVEPOINT toolkit_scratch" if inside else "ROLLBACK")


def _statements(database: Any, model: Any, *, foreign_keys: bool = True) -> list[str]:
    from sqlalchemy.schema import CreateIndex, CreateTable

    table = table_of(model, database.dialect)
    made = CreateTable(table) if foreign_keys else CreateTable(table, include_foreign_key_constraints=[])
    return [ddl(database, made), *(ddl(database, CreateIndex(index)) for index in table.indexes)]


def _foreign_key_statements(database: Any, model: Any) -> list[str]:
    from sqlalchemy.schema import AddConstraint

    table = table_of(model, database.dialect)
    keys = sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
    return [ddl(database, AddConstraint(key)) for key in keys]
