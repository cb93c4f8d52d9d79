"""A random token for each table, taken away by trigger at the table's next change.

Equal tokens mean equal tables: a token is drawn from 128 random bits when somebody asks, and any insert, update
or delete, whoever makes it (the models, psql, Datasette, a bulk import), removes it. A restored copy of the
database carries the token of exactly the state that it restores. A table whose triggers are missing has no token,
and is compared row by row instead.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.errors import DatabaseError

TABLE = "toolkit_token"


def install_tokens(database: Any, tables: Iterable[str]) -> None:
    """Give each table its triggers and, where it has none, a new token. SQLite only, for now.

    A database that cannot be written is left alone: its tables are then compared row by row.
    """
    if database.dialect != "sqlite":
        return
    tables = sorted(tables)
    if set(read_tokens(database, tables)) == set(tables):
        return
    try:
        with database.atomic():
            database.execute(
                f"CREATE TABLE IF NOT EXISTS {TABLE} (name TEXT PRIMARY KEY, token TEXT NOT NULL) WITHOUT ROWID"
            )
            present = _present(database)
            for table in tables:
                _install(database, table, present)
    except DatabaseError as error:
        if "readonly" not in str(error):
            raise


def read_tokens(database: Any, tables: Iterable[str]) -> dict[str, str]:
    """Table to token, for the tables that have one and whose triggers all stand as they were made."""
    if database.dialect != "sqlite":
        return {}
    present = _present(database)
    if TABLE not in present:
        return {}
    tokens = dict(database.fetch(f"SELECT name, token FROM {TABLE}"))  # noqa: S608 - a constant
    return {table: tokens[table] for table in tables if table in tokens and _guarded(table, present)}


def _present(database: Any) -> dict[str, str]:
    """The tokens' table and triggers that there are, by name, with their SQL."""
    return dict(
        database.fetch(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'toolkit_changed_%' "
            "OR type = 'table' AND name = 'toolkit_token'"
        )
    )


def _guarded(table: str, present: Mapping[str, str]) -> bool:
    """Whether a table has its triggers. Renaming a table takes them along, which changes their SQL."""
    return all(present.get(name) == sql for name, sql in _triggers(table).items())


def _triggers(table: str) -> dict[str, str]:
    """Name to SQL of a table's triggers, as SQLite keeps it."""
    literal = "'" + table.replace("'", "''") + "'"
    made = {}
    for event in ("insert", "update", "delete"):
        name = f"toolkit_changed_{table}_{event}"
        made[name] = (
            f"CREATE TRIGGER {_quote(name)} AFTER {event.upper()} ON {_quote(table)} "  # noqa: S608 - a table of the schema
            f"WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE name = {literal}) "
            f"BEGIN DELETE FROM {TABLE} WHERE name = {literal}; END"
        )
    return made


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _install(database: Any, table: str, present: Mapping[str, str]) -> None:
    """Triggers, then a token. Where a trigger was missing the old token says nothing, and another is drawn."""
    if not _guarded(table, present):
        for name, sql in _triggers(table).items():
            database.execute(f"DROP TRIGGER IF EXISTS {_quote(name)}")
            database.execute(sql)
        database.execute(f"DELETE FROM {TABLE} WHERE name = ?", (table,))  # noqa: S608 - a constant
    database.execute(
        f"INSERT OR IGNORE INTO {TABLE} (name, token) VALUES (?, ?)",  # noqa: S608 - a constant
        (table, secrets.token_hex(16)),
    )
