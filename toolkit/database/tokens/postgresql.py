"""Tokens in PostgreSQL: a trigger of each statement notes the transaction that wrote a table.

A token stands while no visible transaction has written the table since it was drawn. It is bound to the table, its
file and its trigger as they were then: rewriting the table, dropping and making it anew, or restoring a dump leave it
without a token. ``TRUNCATE`` and what foreign keys do count as well; replicas and ``session_replication_role`` do not
silence the trigger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.database.tokens.keeping import CHANGES, TOKENS, TokenKeeper, new_token

if TYPE_CHECKING:
    from toolkit.database.connections import Database

TRIGGER = "toolkit_changed"
LOCK_TIMEOUT = "2s"
"""How long to wait for writers before a table gets its trigger; without one it is compared row by row."""

_TABLES = (
    f"CREATE TABLE IF NOT EXISTS {TOKENS} (name text PRIMARY KEY, token text NOT NULL, state text NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {CHANGES} (name text, transaction xid8, began timestamptz, "
    "PRIMARY KEY (name, transaction, began))",
    # of whoever owns the tables, in their schema: another role's writes must be noted too
    f"""
    CREATE OR REPLACE FUNCTION toolkit_note_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO {CHANGES} VALUES (TG_TABLE_NAME, pg_current_xact_id(), transaction_timestamp())
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,  # noqa: S608 - a constant
)

_STATE = "concat_ws(':', c.oid, c.relfilenode, c.xmin, t.oid, t.xmin, t.tgenabled, p.oid, p.xmin)"
_GUARDED = f"""
    FROM pg_class c
    JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = '{TRIGGER}' AND t.tgenabled = 'A'
    JOIN pg_proc p ON p.oid = t.tgfoid AND p.oid = to_regproc('toolkit_note_change')
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
"""


class PostgreSQLTokens(TokenKeeper):
    """Tokens in a PostgreSQL schema."""

    refusals = "read-only|permission denied|must be owner|lock timeout"

    def read(self, database: Database, tables: Sequence[str]) -> dict[str, str]:
        if database.fetch(f"SELECT to_regclass('{TOKENS}') IS NULL OR to_regclass('{CHANGES}') IS NULL")[0][0]:
            return {}
        sql = (
            f"SELECT k.name, k.token FROM {TOKENS} k JOIN (SELECT c.relname, {_STATE} AS state {_GUARDED}) now "  # noqa: S608
            f"ON now.relname = k.name AND now.state = k.state "
            f"WHERE NOT EXISTS (SELECT 1 FROM {CHANGES} g WHERE g.name = k.name)"
        )
        return dict(database.fetch(sql, [list(tables)]))

    def prepare(self, database: Database, tables: Sequence[str]) -> None:
        with database.atomic():
            database.run(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            for statement in _TABLES:
                database.run(statement)
            guarded = {name for (name,) in database.fetch(f"SELECT c.relname {_GUARDED}", [list(tables)])}
            for table in tables:
                if table not in guarded:
                    name = database.backend.quoted(table)
                    database.run(f"DROP TRIGGER IF EXISTS {TRIGGER} ON {name}")
                    database.run(
                        f"CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name} "
                        "FOR EACH STATEMENT EXECUTE FUNCTION toolkit_note_change()"
                    )
                    database.run(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {TRIGGER}")

    def draw(self, database: Database, tables: Sequence[str]) -> None:
        """Forget the transactions that are over. What one still at work noted is not seen here, and stays."""
        with database.atomic():
            database.run(f"LOCK TABLE {TOKENS} IN EXCLUSIVE MODE")  # one who draws at a time
            database.run(f"DELETE FROM {CHANGES} WHERE name = ANY(%s)", [list(tables)])  # noqa: S608 - a constant
            states = dict(database.fetch(f"SELECT c.relname, {_STATE} {_GUARDED}", [list(tables)]))
            database.run_many(
                f"INSERT INTO {TOKENS} VALUES (%s, %s, %s) ON CONFLICT (name) "  # noqa: S608 - a constant
                "DO UPDATE SET token = excluded.token, state = excluded.state",
                [(table, new_token(), state) for table, state in states.items()],
            )
