"""PostgreSQL, through psycopg 3."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from toolkit.database.backends.base import Backend, Broken
from toolkit.database.backends.explaining import explained
from toolkit.database.backends.reading import Reader, called_in
from toolkit.database.backends.waiting import LIBPQ_OPTIONS, bounded
from toolkit.database.tokens.postgresql import PostgreSQLTokens
from toolkit.lazily import LazyModule

if TYPE_CHECKING:
    from toolkit.database.backends import prepared, unread
    from toolkit.database.connections import Database
    from toolkit.database.tokens import TokenKeeper
else:
    prepared = LazyModule("toolkit.database.backends.prepared")  # it imports psycopg, an extra
    unread = LazyModule("toolkit.database.backends.unread")

logging.getLogger("psycopg").addHandler(logging.NullHandler())
"""It warns of what an error that is under way has for a consequence, and where nobody listens Python would print it."""

COPIED_ROWS = 50
"""From so many rows on an insert is a COPY."""

_NUMBERS = itertools.count(1)
_PLAIN_INSERT = re.compile(r'INSERT INTO ("(?:[^"]|"")+" \((?:"(?:[^"]|"")+"(?:, )?)+\)) VALUES \(%s(?:, %s)*\)')

TABLES = (
    "SELECT relname FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'f') AND relnamespace = "
    "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())"
)
"""The tables and views of the schema. ``information_schema.tables``, which asks who may read each, takes longer."""


HINTS = {
    "current transaction is aborted": (
        "Give what may fail a block of its own, 'with atomic():', and catch the error around it."
    ),
    "generation expression is not immutable": (
        "A GeneratedField may call IMMUTABLE functions alone, which give the same whoever asks: declare your function "
        "so, or compute the value in annotate()."
    ),
    'type "geometry" does not exist': "Geometry needs PostGIS: CREATE EXTENSION postgis, in this database.",
}
"""Words of the server's errors, and what to do about them."""


class PostgreSQL(Backend):
    """PostgreSQL."""

    dialect = "postgresql"
    driver = "postgresql+psycopg"
    extra = "postgresql"
    dialect_options = {"use_native_hstore": False}  # it would be read as a dict, on some connections
    whole_numbers = "%s::bigint[]"
    snapshot = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)
    direct = True
    returning = True
    virtual_columns = False
    deferrable_unique = True
    nulls_not_distinct = True
    index_methods = True
    exclusion = True
    streams_beside = True
    lock_options = frozenset({"of", "no_key"})
    too_large = r"stack depth limit exceeded|target lists can have at most|number of parameters must be"

    def connect_options(self) -> dict[str, Any]:
        return {**super().connect_options(), **LIBPQ_OPTIONS}

    def prepare(self, connection: Any) -> None:
        seconds = self.bounds.read_timeout_seconds
        if seconds is not None:
            connection.wait = bounded(connection.wait, seconds, partial(prepared.overdue, connection, seconds))
        connection.wait = prepared.ended_if_broken_off(connection)
        connection.autocommit = True
        connection.execute("SET TIME ZONE 'UTC'")  # parts of dates, and instants as read, are those of UTC
        _read_as_text(connection)
        prepared.watch(connection)

    @contextmanager
    def inspectable(self, connection: Any) -> Iterator[Any]:
        """SQLAlchemy asks for collations as JSON, and takes it for read."""
        from psycopg.types.json import JsonLoader

        connection.adapters.register_loader("json", JsonLoader)
        try:
            yield connection
        finally:
            _read_as_text(connection)

    def reader(self, connection: Any) -> Reader:
        return prepared.PreparedReader(connection)

    def let_go(self, connection: Any) -> None:
        """Forget all that a connection has prepared: its tables are others now."""
        prepared.let_go(connection)

    def send_many(self, cursor: Any, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Rows that are only inserted go through COPY: 100,000 rows take a third of the time.

        Source: PostgreSQL manual, "Populating a Database"; psycopg 3, "Using COPY TO and COPY FROM".
        """
        plain = _PLAIN_INSERT.fullmatch(sql) if len(rows) >= COPIED_ROWS else None
        if plain is None:
            cursor.executemany(sql, rows)
            return
        with cursor.copy(f"COPY {plain[1].replace('%%', '%')} FROM STDIN") as copy:  # which has no marks of values
            for row in rows:
                copy.write_row(row)

    def stream_cursor(self, connection: Any) -> Any:
        """A cursor of the server's, which outlives a transaction: it sees the rows of the moment it was opened.

        Source: PostgreSQL, "DECLARE"; psycopg 3, "Server-side cursors".
        """
        return connection.cursor(f"toolkit_{next(_NUMBERS)}", withhold=True)

    def is_idle(self, connection: Any) -> bool:
        return bool(connection.info.transaction_status == prepared.IDLE)

    def is_overdue(self, error: Exception) -> bool:
        return isinstance(error, prepared.OverdueError)

    def contention(self, error: Exception) -> str:
        """Source: PostgreSQL, "Error Codes": deadlock_detected, serialization_failure, lock_not_available."""
        state = getattr(error, "sqlstate", None)
        return {"40P01": "deadlock", "40001": "deadlock", "55P03": "locked"}.get(str(state), "")

    def forbids(self, error: BaseException | None) -> bool:
        """Source: PostgreSQL, "Error Codes": read_only_sql_transaction, insufficient_privilege."""
        return getattr(error, "sqlstate", None) in ("25006", "42501")

    def broken(self, error: Exception) -> Broken | None:
        """Source: PostgreSQL, "Error Codes", class 23."""
        state = getattr(error, "sqlstate", None) or ""
        if not state.startswith("23"):
            return None
        told = error.diag  # type: ignore[attr-defined]  # psycopg's, for it has a state
        name = told.constraint_name or (f"{told.table_name}.{told.column_name}" if told.column_name else "")
        kind = _KINDS.get(state, "")
        return Broken(kind, name, mend=self._deferring(told) if kind == "foreign_key" else "")

    def _deferring(self, told: Any) -> str:
        """How to have a reference checked at the commit, whose row may then be written after it."""
        table, name = self.identifier(told.table_name), self.identifier(told.constraint_name)
        return (
            "If the row that it refers to comes later in the same transaction, let the database wait for it: "
            f"ALTER TABLE {table} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED."
        )

    def unread(self, cursor: Any, error: Exception, sql: str, parameters: Sequence[Any] | None) -> Exception:
        """psycopg's DataError without a state of the server's is about a value that it cannot give."""
        result = getattr(cursor, "pgresult", None)
        is_of_value = type(error).__name__ == "DataError" and getattr(error, "sqlstate", None) is None
        return unread.unread(cursor.connection, result) if is_of_value and result is not None else error

    def hold_references(self, database: Database) -> None:
        """Until the commit; those that are not ``DEFERRABLE`` are checked at once in any case.

        Source: PostgreSQL, "SET CONSTRAINTS".
        """
        database.run("SET CONSTRAINTS ALL DEFERRED")

    def may_write(self, database: Database, sql: str) -> bool:
        """Source: PostgreSQL, "Function Volatility Categories"; a function is VOLATILE unless it says otherwise."""
        found = "SELECT 1 FROM pg_proc WHERE proname = ANY(%s) AND provolatile = 'v'"
        return bool(database.ask(f"{found} AND pronamespace <> 'pg_catalog'::regnamespace LIMIT 1", (called_in(sql),)))

    def server(self, connection: Any) -> str:
        return str(connection.info.server_version)

    def is_rolled_back(self, cursor: Any) -> bool:
        """After an error, COMMIT is a ROLLBACK that says so in its tag alone. Source: PostgreSQL, "COMMIT"."""
        return bool(cursor.statusmessage == "ROLLBACK")

    def hint(self, told: str) -> str | None:
        return next((hint for words, hint in HINTS.items() if words in told), None)

    def forbid_writing(self, connection: Any) -> None:
        connection.execute("SET default_transaction_read_only = on")

    def table_names(self, database: Database) -> list[str]:
        return [name for (name,) in database.fetch(TABLES)]

    def has_table(self, database: Database, name: str) -> bool:
        """By the index of names: to list tables reads the whole catalog, 2 ms where many have come and gone."""
        return bool(database.fetch(f"{TABLES} AND relname = %s", (name,)))

    def keys_were_given(self, database: Database, table: str, column: str) -> None:
        sequence = database.fetch("SELECT pg_get_serial_sequence(%s, %s)", (self.identifier(table), column))[0][0]
        if sequence is not None:
            greatest = f"(SELECT max({self.quoted(column)}) FROM {self.quoted(table)})"  # noqa: S608 - names of the schema
            database.fetch(
                f"SELECT setval(%s, greatest({greatest}, nextval(%s) - 1)) WHERE {greatest} IS NOT NULL",
                (sequence, sequence),
            )

    def move_counter_sql(self, table: str, column: str) -> str:
        names = ", ".join("'" + name.replace("'", "''") + "'" for name in (self.identifier(table), column))
        greatest = f"SELECT max({self.identifier(column)}) FROM {self.identifier(table)}"  # noqa: S608 - names of the schema
        return f"SELECT setval(pg_get_serial_sequence({names}), ({greatest}))"

    def next_keys(self, database: Database, table: str, column: str, count: int) -> Sequence[int]:
        sequence = database.fetch("SELECT pg_get_serial_sequence(%s, %s)", (self.identifier(table), column))[0][0]
        if sequence is None:
            return ()
        taken = database.fetch("SELECT nextval(%s) FROM generate_series(1, %s)", (sequence, count))
        return [number for (number,) in taken]

    def insert_returning(self, database: Database, sql: str, key: str, rows: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """All statements are sent before the first answer is read."""
        try:
            with database.connection.pipeline():
                cursors = [database.run(f"{sql} RETURNING {key}", row) for row in rows]
            return [cursor.fetchone()[0] for cursor in cursors]
        except Exception as error:
            raise database.translated(error, sql) from error

    def token_keeper(self) -> TokenKeeper:
        return PostgreSQLTokens()

    def written_tables(self, database: Database, sql: str, parameters: Sequence[Any]) -> set[str] | None:
        nodes = explained(database, f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        if nodes is None:
            return None
        return {node["Relation Name"] for node in nodes if node.get("Node Type") == "ModifyTable"}

    @property
    def shares_snapshots(self) -> bool:
        return True

    def begin_snapshot(self, database: Database, name: str) -> None:
        super().begin_snapshot(database, name)
        if name:
            database.run(f"SET TRANSACTION SNAPSHOT '{name}'")

    def export_snapshot(self, database: Database) -> str:
        """Source: PostgreSQL, "System Administration Functions", ``pg_export_snapshot``."""
        return str(database.fetch("SELECT pg_export_snapshot()")[0][0])


def _read_as_text(connection: Any) -> None:
    """Give what no field reads otherwise as its text.

    Of JSON it is what other databases give: parsed, the value null could not be told from NULL. Addresses and ranges of
    tables that others made would be objects of which no digest can be made. Times with a zone may be 24:00, and no
    field keeps them.
    """
    from psycopg.types.string import TextLoader

    for kind in _TEXTS:
        connection.adapters.register_loader(kind, TextLoader)


_RANGED = ("int4", "int8", "num", "ts", "tstz", "date")
_TEXTS = (
    "jsonb",
    "json",
    "inet",
    "cidr",
    "timetz",
    *(f"{kind}{range_}" for kind in _RANGED for range_ in ("range", "multirange")),
)

_KINDS = {"23505": "unique", "23502": "not_null", "23503": "foreign_key", "23514": "check", "23P01": "exclusion"}
