"""Tokens in SQLite: a trigger deletes a table's token, and takes back that of the bucket of rows that was written.

A restored copy of the database carries the tokens of exactly the state that it restores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from toolkit.database.tokens.keeping import BUCKETS, TOKENS, Buckets, TokenKeeper, new_token
from toolkit.trace import BUCKET_BITS

if TYPE_CHECKING:
    from toolkit.database.connections import Database


class SQLiteTokens(TokenKeeper):
    """Tokens in a SQLite file.

    ``REPLACE`` deletes rows without a trigger, in whichever bucket they are: so whoever believes tokens of buckets
    counts the table's rows too.
    """

    def read(self, database: Database, tables: Sequence[str]) -> dict[str, str]:
        present = _present(database)
        if not _TABLES.keys() <= present.keys():
            return {}
        tokens = dict(database.fetch(f"SELECT name, token FROM {TOKENS}"))  # noqa: S608 - a constant
        keys = _keys(database) if tokens else {}
        return {t: tokens[t] for t in tables if t in tokens and _guarded(_triggers(t, keys.get(t)), present)}

    def read_buckets(self, database: Database, table: str) -> Buckets | None:
        present, key = _present(database), _keys(database).get(table)
        if key is None or not _TABLES.keys() <= present.keys() or not _guarded(_triggers(table, key), present):
            return None
        rows = database.fetch(f"SELECT bucket, token FROM {BUCKETS} WHERE name = ?", (table,))  # noqa: S608 - a constant
        return Buckets(key, dict(rows))

    def prepare(self, database: Database, tables: Sequence[str]) -> None:
        """Where a trigger was missing the old tokens say nothing, and go."""
        with database.atomic():
            for name, columns in _TABLES.items():
                database.run(f"CREATE TABLE IF NOT EXISTS {name} ({columns}) WITHOUT ROWID")
            present, keys = _present(database), _keys(database)
            for table in tables:
                triggers = _triggers(table, keys.get(table))
                if not _guarded(triggers, present):
                    for name, sql in triggers.items():
                        database.run(f"DROP TRIGGER IF EXISTS {_quote(name)}")
                        database.run(sql)
                    for kept in _TABLES:
                        database.run(f"DELETE FROM {kept} WHERE name = ?", (table,))  # noqa: S608 - constants
                    self._list(database, table, keys.get(table))

    def _list(self, database: Database, table: str, key: str | None) -> None:
        """Note the buckets that there are, none of them with a token."""
        if key is not None:
            found = f"SELECT DISTINCT ?, {_quote(key)} >> {BUCKET_BITS}, '' FROM {_quote(table)}"  # noqa: S608 - as above
            database.run(f"INSERT INTO {BUCKETS} (name, bucket, token) {found}", (table,))

    def _forget_empty(self, database: Database, table: str, key: str) -> None:
        """Forget the buckets from which the last row went: nothing of them can be compared, and they would be asked."""
        first, size = f"bucket * {1 << BUCKET_BITS}", 1 << BUCKET_BITS
        found = f"SELECT 1 FROM {_quote(table)} WHERE {_quote(key)} BETWEEN {first} AND {first} + {size - 1}"  # noqa: S608 - as above
        database.run(f"DELETE FROM {BUCKETS} WHERE name = ? AND token = '' AND NOT EXISTS ({found})", (table,))  # noqa: S608 - constants, and quoted

    def release(self, database: Database) -> None:
        """SQLite has no trigger that passes over a table that is not there."""
        present = _present(database)
        triggers = present.keys() - _TABLES.keys()
        if triggers and not _TABLES.keys() <= present.keys():
            with database.atomic():
                for name in sorted(triggers):
                    database.run(f"DROP TRIGGER IF EXISTS {_quote(name)}")

    def draw(self, database: Database, tables: Sequence[str]) -> None:
        """One transaction: no other writer comes between."""
        rows = [(table, new_token()) for table in tables]
        keys = _keys(database)
        with database.atomic():
            for table in keys.keys() & set(tables):
                self._forget_empty(database, table, keys[table])
            database.run_many(f"INSERT OR IGNORE INTO {TOKENS} (name, token) VALUES (?, ?)", rows)  # noqa: S608 - a constant
            drawn = "lower(hex(randomblob(16)))"
            database.run_many(
                f"UPDATE {BUCKETS} SET token = {drawn} WHERE name = ? AND token = ''",  # noqa: S608 - constants
                [(table,) for table in tables],
            )


_TABLES = {
    TOKENS: "name TEXT PRIMARY KEY, token TEXT NOT NULL",
    BUCKETS: "name TEXT, bucket INTEGER, token TEXT NOT NULL, PRIMARY KEY (name, bucket)",
}


def _present(database: Database) -> dict[str, str]:
    """The tokens' tables and triggers that there are, by name, with their SQL."""
    return dict(
        database.fetch(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'toolkit_changed_%' "
            "OR type = 'table' AND name IN (?, ?)",
            (TOKENS, BUCKETS),
        )
    )


def _keys(database: Database) -> dict[str, str]:
    """Table to its primary key, of those where that is the number of the row: nothing else can be in it."""
    rows = database.fetch(
        "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p "
        "WHERE m.type = 'table' AND p.pk AND upper(p.type) = 'INTEGER' "
        "AND m.sql NOT LIKE '%WITHOUT%ROWID%' AND m.sql NOT LIKE '%PRIMARY KEY DESC%' "
        "AND (SELECT count(*) FROM pragma_table_info(m.name) WHERE pk) = 1"
    )
    return dict(rows)


def _guarded(triggers: Mapping[str, str], present: Mapping[str, str]) -> bool:
    """Whether a table has its triggers. Renaming a table takes them along, which changes their SQL."""
    return all(present.get(name) == sql for name, sql in triggers.items())


def _triggers(table: str, key: str | None) -> dict[str, str]:
    """Name to SQL of a table's triggers, as SQLite keeps it.

    None of them says ``OR REPLACE``: a statement's own ``OR IGNORE`` holds in its triggers too.
    """
    made = {}
    for event, rows in (("insert", ["NEW"]), ("update", ["OLD", "NEW"]), ("delete", ["OLD"])):
        name = f"toolkit_changed_{table}_{event}"
        literal = "'" + table.replace("'", "''") + "'"
        buckets = [f"{row}.{_quote(key)} >> {BUCKET_BITS}" for row in rows] if key is not None else []
        made[name] = (
            f"CREATE TRIGGER {_quote(name)} AFTER {event.upper()} ON {_quote(table)} "
            f"WHEN {_is_due(literal, buckets)} BEGIN {' '.join(_steps(literal, buckets))} END"
        )
    return made


def _is_due(table: str, buckets: Iterable[str]) -> str:
    """Whether there is anything left to be taken away: of many rows written at once only the first have to."""
    due = [f"EXISTS (SELECT 1 FROM {TOKENS} WHERE name = {table})"]  # noqa: S608 - as above
    for bucket in buckets:
        due.append(f"NOT EXISTS (SELECT 1 FROM {BUCKETS} WHERE name = {table} AND bucket = {bucket} AND token = '')")  # noqa: S608 - constants, and quoted
    return " OR ".join(due)


def _steps(table: str, buckets: Iterable[str]) -> Iterable[str]:
    yield f"DELETE FROM {TOKENS} WHERE name = {table};"  # noqa: S608 - as above
    for bucket in buckets:
        yield f"UPDATE {BUCKETS} SET token = '' WHERE name = {table} AND bucket = {bucket};"  # noqa: S608 - constants, and quoted
        known = f"SELECT 1 FROM {BUCKETS} WHERE name = {table} AND bucket = {bucket}"  # noqa: S608 - constants, and quoted
        yield f"INSERT INTO {BUCKETS} SELECT {table}, {bucket}, '' WHERE NOT EXISTS ({known});"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
