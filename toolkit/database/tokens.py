"""A random token for each table, taken away by trigger at the table's next change.

Equal tokens mean equal tables: a token is drawn from 128 random bits when somebody asks, and any insert, update
or delete, whoever makes it (the models, psql, Datasette, a bulk import), removes it. A restored copy of the
database carries the token of exactly the state that it restores. A table whose triggers are missing has no token,
and is compared row by row instead.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
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
    try:
        present = _present(database)
        if _complete(database, tables, present):
            return
        with database.atomic():
            for table in tables:
                _install(database, table)
    except DatabaseError as error:
        if "readonly" not in str(error):
            raise


def read_tokens(database: Any, tables: Iterable[str]) -> dict[str, str]:
    """Table to token, for the tables that have one and whose triggers all stand."""
    if database.dialect != "sqlite":
        return {}
    present = _present(database)
    if TABLE not in present:
        return {}
    tokens = dict(database.fetch(f"SELECT name, token FROM {TABLE}"))  # noqa: S608 - a constant
    return {
        table: tokens[table]
        for table in tables
        if table in tokens and all(trigger in present for trigger in _trigger_names(table))
    }


def _present(database: Any) -> set[str]:
    return {
        name
        for (name,) in database.fetch(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'toolkit_changed_%' "
            "OR type = 'table' AND name = 'toolkit_token'"
        )
    }


def _complete(database: Any, tables: Iterable[str], present: set[str]) -> bool:
    if TABLE not in present:
        return False
    return set(read_tokens(database, tables)) >= set(tables)


def _trigger_names(table: str) -> list[str]:
    return [f"toolkit_changed_{table}_{event}" for event in ("insert", "update", "delete")]


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _install(database: Any, table: str) -> None:
    literal = "'" + table.replace("'", "''") + "'"
    database.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (name TEXT PRIMARY KEY, token TEXT NOT NULL) WITHOUT ROWID"
    )
    for trigger in _trigger_names(table):
        event = trigger.rpartition("_")[2].upper()
        database.execute(
            f"CREATE TRIGGER IF NOT EXISTS {_quote(trigger)} AFTER {event} ON {_quote(table)} "
            f"WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE name = {literal}) "
            f"BEGIN DELETE FROM {TABLE} WHERE name = {literal}; END"
        )
    database.execute(
        f"INSERT OR IGNORE INTO {TABLE} (name, token) VALUES (?, ?)",  # noqa: S608 - a constant
        (table, secrets.token_hex(16)),
    )
