"""Tokens in MariaDB: triggers of each row note the connection that wrote a table.

MariaDB has no triggers of statements, and ``TRUNCATE`` fires none; but it gives the table another number, which the
token is bound to. Reading that number takes the privilege PROCESS: without it there are no tokens. What foreign keys
do (``ON DELETE CASCADE``) fires no triggers either, so a table that has such keys is never vouched for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.database.tokens.keeping import CHANGES, TOKENS, TokenKeeper, new_token
from toolkit.errors import DatabaseError

if TYPE_CHECKING:
    from toolkit.database.connections import Database

YOUNG_SECONDS = 2
"""A table made or altered so lately may be altered again in the same second, unseen: it gets no token yet."""

EVENTS = ("INSERT", "UPDATE", "DELETE")

_TABLES = (
    f"CREATE TABLE IF NOT EXISTS {TOKENS} (name VARCHAR(64) PRIMARY KEY, token VARCHAR(32) NOT NULL, "
    "state VARCHAR(255) NOT NULL) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    f"CREATE TABLE IF NOT EXISTS {CHANGES} (name VARCHAR(64), connection BIGINT UNSIGNED, "
    "PRIMARY KEY (name, connection)) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
)


class MySQLTokens(TokenKeeper):
    """Tokens in a MariaDB database."""

    refusals = "read-?only|denied|SUPER privilege|lock wait timeout"

    def read(self, database: Database, tables: Sequence[str]) -> dict[str, str]:
        if not {TOKENS, CHANGES} <= set(database.table_names()):
            return {}
        sql = (
            f"SELECT name, token, state FROM {TOKENS} k "  # noqa: S608 - constants
            f"WHERE NOT EXISTS (SELECT 1 FROM {CHANGES} c WHERE c.name = k.name)"
        )
        standing = {name: (token, state) for name, token, state in database.fetch(sql)}
        wanted = [table for table in tables if table in standing]
        states = _states(database, wanted) if wanted else {}
        return {table: standing[table][0] for table in wanted if states.get(table) == standing[table][1]}

    def prepare(self, database: Database, tables: Sequence[str]) -> None:
        """Make the triggers; MariaDB commits each by itself."""
        for statement in _TABLES:
            database.run(statement)
        there = dict(_triggers_there(database))
        for table in tables:
            for name, (event, body) in _triggers(table).items():
                if there.get(name) != (table, event, body):
                    database.run(f"DROP TRIGGER IF EXISTS {name}")
                    on = database.backend.quoted(table)
                    database.run(f"CREATE TRIGGER {name} AFTER {event} ON {on} FOR EACH ROW {body}")
                    database.run(f"DELETE FROM {TOKENS} WHERE name = %s", [table])  # noqa: S608 - a constant

    def draw(self, database: Database, tables: Sequence[str]) -> None:
        """Forget the writers that are done.

        A row of ``toolkit_change`` that a writer at work holds is passed over, and its table gets no token: waiting
        for it could end in a deadlock, and the one who is given up might be the writer.
        """
        with database.atomic():
            done = database.fetch(f"SELECT name, connection FROM {CHANGES} FOR UPDATE SKIP LOCKED")  # noqa: S608
            gone = [row for row in done if row[0] in set(tables)]
            if gone:
                database.run_many(f"DELETE FROM {CHANGES} WHERE name = %s AND connection = %s", gone)  # noqa: S608
            busy = {name for (name,) in database.fetch(f"SELECT DISTINCT name FROM {CHANGES}")}  # noqa: S608
            states = _states(database, [table for table in tables if table not in busy])
            if states:
                database.run_many(
                    f"REPLACE INTO {TOKENS} (name, token, state) VALUES (%s, %s, %s)",  # noqa: S608 - a constant
                    [(table, new_token(), state) for table, state in states.items()],
                )


def _triggers(table: str) -> dict[str, tuple[str, str]]:
    """Name to (event, body) of a table's triggers. Names have 64 characters at most, as tables' names have."""
    stem = hashlib.blake2b(table.encode(), digest_size=8).hexdigest()
    literal = "'" + table.replace("\\", "\\\\").replace("'", "''") + "'"
    body = f"INSERT IGNORE INTO {CHANGES} VALUES ({literal}, CONNECTION_ID())"  # noqa: S608 - a table of the schema
    return {f"toolkit_changed_{stem}_{event.lower()}": (event, body) for event in EVENTS}


def _triggers_there(database: Database) -> list[tuple[str, tuple[str, str, str]]]:
    rows = database.fetch(
        "SELECT trigger_name, event_object_table, event_manipulation, action_statement "
        "FROM information_schema.triggers "
        "WHERE trigger_schema = database() AND trigger_name LIKE 'toolkit\\_changed\\_%%'",
        (),
    )
    return [(name, (table, event, body)) for name, table, event, body in rows]


def _states(database: Database, tables: Sequence[str]) -> dict[str, str]:
    """What a token is bound to, for the tables that can be vouched for."""
    there = dict(_triggers_there(database))
    try:
        numbers = database.fetch(_NUMBERS, (YOUNG_SECONDS,))
    except DatabaseError:  # no privilege, or MySQL, which calls the table otherwise
        return {}
    known = dict(numbers)
    keyed = {
        name
        for (name,) in database.fetch(
            "SELECT table_name FROM information_schema.referential_constraints WHERE constraint_schema = database() "
            "AND (delete_rule NOT IN ('RESTRICT', 'NO ACTION') OR update_rule NOT IN ('RESTRICT', 'NO ACTION'))"
        )
    }
    return {
        table: known[table]
        for table in tables
        if table in known
        and table not in keyed
        and all(there.get(name) == (table, *made) for name, made in _triggers(table).items())
    }


_NUMBERS = """
    SELECT t.table_name, concat_ws(':', i.table_id, t.create_time)
    FROM information_schema.innodb_sys_tables i
    JOIN information_schema.tables t
    ON t.table_schema = database() AND t.create_time < now() - INTERVAL %s SECOND
    AND i.name = concat(database(), '/', t.table_name)
"""
"""A table's number, which ``TRUNCATE`` changes, and when ``ALTER TABLE`` last changed it, to the second."""
