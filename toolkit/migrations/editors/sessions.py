"""The transaction in which tables are changed, and the editor for a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toolkit.errors import MigrationError
from toolkit.migrations.editors.base import Editor
from toolkit.migrations.editors.journal import TABLE
from toolkit.migrations.editors.keys import TABLE as KEYS
from toolkit.migrations.editors.mysql import MysqlEditor
from toolkit.migrations.editors.postgresql import PostgresqlEditor
from toolkit.migrations.editors.sqlite import SqliteEditor
from toolkit.migrations.tables.mysql import digest_again, digest_before

LOCK = 0x746F6F6C6B6974  # "toolkit": the key of PostgreSQL's advisory lock
LOCK_TIMEOUT_SECONDS = 600


def can_take_back(database: Any) -> bool:
    """Whether a database takes back changes of tables when the transaction fails."""
    return bool(database.dialect != "mysql")


def note_before(database: Any, sql: str) -> str:
    """A digest of what a statement may change, on a database whose changes of tables are noted one by one."""
    return digest_before(database, sql, without=(TABLE, KEYS)) if database.dialect == "mysql" else ""


def was_taken(database: Any, note: str) -> bool:
    """Whether the statement was run that ``note_before`` noted."""
    return database.dialect == "mysql" and note != digest_again(database, note, without=(TABLE, KEYS))


def editor_of(database: Any) -> Editor:
    """The editor for a database, outside of any transaction."""
    return _session_of(database)[1](database)


@contextmanager
def editing(database: Any) -> Iterator[Editor]:
    """A block in which tables are changed by one process at a time, and whole or not at all.

    On MariaDB and MySQL, which commit at every change of a table, it may end half done: the editor's ``journal`` then
    notes how far it got, if it is given one.

    Raises:
        MigrationError: The database is in a transaction already, is of a kind that migrations do not know, or
            rows would refer to rows that are not there.
    """
    if database.transaction is not None:
        raise MigrationError("tables cannot be changed inside a transaction", hint="Call it outside of atomic().")
    session, kind = _session_of(database)
    with session(database):
        yield kind(database)
    database.shapes.clear()
    database.lookups.clear()


def _session_of(database: Any) -> tuple[Any, type[Editor]]:
    if database.dialect not in _SESSIONS:
        raise MigrationError(
            f"migrations do not know {database.dialect} yet", hint=f"Use one of: {', '.join(_SESSIONS)}."
        )
    return _SESSIONS[database.dialect]


@contextmanager
def _sqlite_transaction(database: Any) -> Iterator[None]:
    """Foreign keys can only be switched off outside of a transaction, and are checked at its end."""
    database.execute("PRAGMA foreign_keys = OFF")
    try:
        with database.atomic():
            broken = set(_broken_keys(database))
            yield
            _check_keys(database, broken)
    finally:
        database.execute("PRAGMA foreign_keys = ON")


@contextmanager
def _postgresql_transaction(database: Any) -> Iterator[None]:
    """A prepared plan fails once its table has changed: nothing is prepared on the way, and older plans are let go of.

    Where it fails, the connection is given up.
    """
    connection = database.connection
    database.sqlalchemy_dialect  # noqa: B018 - made inside of the transaction it would take a connection of its own
    threshold, connection.prepare_threshold = connection.prepare_threshold, None
    try:
        with database.atomic():
            database.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            yield
        database.backend.let_go(connection)
    except BaseException:
        database.close()
        raise
    connection.prepare_threshold = threshold


@contextmanager
def _mysql_session(database: Any) -> Iterator[None]:
    """No transaction would hold; the lock belongs to the connection, and goes with it when the process is killed."""
    name = database.fetch("SELECT concat('toolkit.', left(database(), 50))")[0][0]
    if not database.fetch("SELECT get_lock(%s, %s)", (name, LOCK_TIMEOUT_SECONDS))[0][0]:
        raise MigrationError(
            f"another process has been changing tables for more than {LOCK_TIMEOUT_SECONDS} seconds",
            hint="Try again when it is done.",
        )
    try:
        yield
    finally:
        database.fetch("SELECT release_lock(%s)", (name,))


def _broken_keys(database: Any) -> list[tuple[Any, ...]]:
    return [tuple(row[:3]) for row in database.fetch("PRAGMA foreign_key_check")]


def _check_keys(database: Any, before: set[tuple[Any, ...]]) -> None:
    broken = [row for row in _broken_keys(database) if row not in before]
    if broken:
        table, row, parent = broken[0]
        raise MigrationError(
            f"rows would refer to rows that are not there ({len(broken)} of them); the first is row {row} of {table}, "
            f"which refers to {parent}",
            hint="Mend or remove the rows, perhaps in a RunPython before this operation.",
        )


_SESSIONS: dict[str, tuple[Any, type[Editor]]] = {
    "sqlite": (_sqlite_transaction, SqliteEditor),
    "postgresql": (_postgresql_transaction, PostgresqlEditor),
    "mysql": (_mysql_session, MysqlEditor),
}
