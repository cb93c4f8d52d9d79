"""Reading tables of SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from toolkit.migrations.editors.statements import create_statements
from toolkit.migrations.tables.definitions import checks_of, constraint_key, generated_of, parse_table, quote, words_of
from toolkit.migrations.tables.information import Column, TableInfo

Fetch = Callable[[str, Sequence[Any]], list[Any]]

_SQL_OF = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"


def present(database: Any, tables: Iterable[str]) -> set[str]:
    """Those of some tables that are there."""
    return {table for table in tables if database.fetch(_SQL_OF, (table,))}


def read(database: Any, tables: Iterable[str]) -> dict[str, TableInfo]:
    """What those of some tables are like that are there."""
    found = {table: database.fetch(_SQL_OF, (table,)) for table in tables}
    return {table: _read(database.fetch, table, rows[0][0]) for table, rows in found.items() if rows}


def expected(database: Any, models: Sequence[Any]) -> dict[Any, TableInfo]:
    """What the tables of some models look like when they are made now: in a database in memory."""
    scratch = database.empty_twin()
    try:
        return {model: _expected(database, scratch, model) for model in models}
    finally:
        scratch.close()


def _expected(database: Any, scratch: Any, model: Any) -> TableInfo:
    """Made, read and gone again: models may be of one table, and their indexes of one name."""
    table = model._meta.table
    for statement in create_statements(database, model, foreign_keys=True):
        scratch.execute(statement)
    found = _read(scratch.fetch, table, scratch.fetch(_SQL_OF, (table,))[0][0])
    scratch.execute(f"DROP TABLE {quote(table)}")
    return found


def _read(fetch: Fetch, table: str, sql: str) -> TableInfo:
    parsed = parse_table(sql)
    found = fetch(f"PRAGMA table_xinfo({quote(table)})", ())
    listed = fetch(f"PRAGMA index_list({quote(table)})", ())
    keys = sorted((key, name) for _, name, _, _, _, key, _ in found if key)
    has_index = any(origin == "pk" for _, _, _, origin, _ in listed)
    row_number = keys[0][1] if len(keys) == 1 and not has_index else None  # INTEGER PRIMARY KEY, which is never NULL
    columns = {
        name: Column(
            kind.upper(),
            not required and name != row_number,
            optional=not required or default is not None or bool(key) or hidden > 0,
            default=default,
            generated=generated_of(parsed.columns.get(name, "")) if hidden > 1 else None,
        )
        for _, name, kind, required, default, key, hidden in found
        if hidden != 1
    }
    constraints = checks_of(parsed) | set(_foreign_keys(fetch, table))
    constraints |= {f"PRIMARYKEY({','.join(name for _, name in keys)})"} if keys else set()
    indexes: dict[str, str] = {}
    for _, name, unique, origin, _ in listed:
        if origin == "u":
            constraints.add(f"UNIQUE({','.join(_index_columns(fetch, name))})")
        elif origin == "c":
            indexes[name] = _index(fetch, name, unique=bool(unique))
    return TableInfo(columns, frozenset(constraints), indexes)


def _foreign_keys(fetch: Fetch, table: str) -> Iterator[str]:
    keys: dict[int, list[Any]] = {}
    for row in fetch(f"PRAGMA foreign_key_list({quote(table)})", ()):
        keys.setdefault(row[0], []).append(row)
    for rows in keys.values():
        rows.sort(key=lambda row: row[1])
        own, other = (",".join(str(row[place]) for row in rows) for place in (3, 4))
        action = "" if rows[0][6] == "NO ACTION" else f"ONDELETE{rows[0][6]}".replace(" ", "")
        yield f"FOREIGNKEY({own})REFERENCES{rows[0][2]}({other}){action}"


def _index_columns(fetch: Fetch, name: str) -> list[str]:
    rows = fetch(f"PRAGMA index_xinfo({quote(name)})", ())
    return [f"{column or 'expression'}{' DESC' * descending}" for _, _, column, descending, _, key in rows if key]


def _index(fetch: Fetch, name: str, *, unique: bool) -> str:
    """What an index says: its columns and its condition, and its expressions where it has any."""
    sql = fetch("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?", (name,))[0][0]
    names = _index_columns(fetch, name)
    if any(column.startswith("expression") for column in names):
        words = words_of(sql)
        return f"{'UNIQUE ' * unique}{constraint_key(''.join(words[words.index('(') :]))}"
    _, _, where = sql.partition("WHERE")
    return f"{'UNIQUE ' * unique}({', '.join(names)}){' WHERE ' + constraint_key(where) if where else ''}"
