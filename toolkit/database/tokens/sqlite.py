"""Tokens in SQLite: a trigger deletes a table's token.

A restored copy of the database carries the token of exactly the state that it restores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from toolkit.database.tokens.keeping import TOKENS, TokenKeeper, new_token

if TYPE_CHECKING:
    from toolkit.database.connections import Database


class SQLiteTokens(TokenKeeper):
    """Tokens in a SQLite file."""

    def read(self, database: Database, tables: Sequence[str]) -> dict[str, str]:
        present = _present(database)
        if TOKENS not in present:
            return {}
        tokens = dict(database.fetch(f"SELECT name, token FROM {TOKENS}"))  # noqa: S608 - a constant
        return {table: tokens[table] for table in tables if table in tokens and _guarded(table, present)}

    def prepare(self, database: Database, tables: Sequence[str]) -> None:
        """Where a trigger was missing the old token says nothing, and goes."""
        with database.atomic():
            database.run(
                f"CREATE TABLE IF NOT EXISTS {TOKENS} (name TEXT PRIMARY KEY, token TEXT NOT NULL) WITHOUT ROWID"
            )
            present = _present(database)
            for table in tables:
                if not _guarded(table, present):
                    for name, sql in _triggers(table).items():
                        database.run(f"DROP TRIGGER IF EXISTS {_quote(name)}")
                        database.run(sql)
                    database.run(f"DELETE FROM {TOKENS} WHERE name = ?", (table,))  # noqa: S608 - a constant

    def draw(self, database: Database, tables: Sequence[str]) -> None:
        """One statement: no other writer comes between."""
        rows = [(table, new_token()) for table in tables]
        with database.atomic():
            database.run_many(f"INSERT OR IGNORE INTO {TOKENS} (name, token) VALUES (?, ?)", rows)  # noqa: S608


def _present(database: Database) -> dict[str, str]:
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
            f"WHEN EXISTS (SELECT 1 FROM {TOKENS} WHERE name = {literal}) "
            f"BEGIN DELETE FROM {TOKENS} WHERE name = {literal}; END"
        )
    return made


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
