"""The transaction in which tables are changed, and the editor for a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toolkit.errors import MigrationError
from toolkit.migrations.editors.servers import Editor
from toolkit.migrations.editors.sqlite import SqliteEditor

LOCK = 0x746F6F6C6B6974  # "toolkit": the key of PostgreSQL's advisory lock


@contextmanager
def editing(database: Any) -> Iterator[Editor]:
    """A block in which tables are changed: whole or not at all, and by one process at a time.

    Raises:
        MigrationError: The database is in a transaction already, is of a kind that migrations do not know, or
            rows would refer to rows that are not there.
    """
    if database.transaction is not None:
        raise MigrationError("tables cannot be changed inside a transaction", hint="Call it outside of atomic().")
    if database.dialect == "sqlite":
        with _sqlite_transaction(database):
            yield SqliteEditor(database)
    elif database.dialect == "postgresql":
        with _postgresql_transaction(database):
            yield Editor(database)
    else:
        raise MigrationError(f"migrations do not know {database.dialect} yet", hint="Use SQLite or PostgreSQL.")
    database.shapes.clear()


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
    """psycopg prepares what it runs often, and a prepared plan fails once its table has changed.

    So nothing is prepared on the way, and the connection with its older plans is given up.
    """
    database.connection.prepare_threshold = None
    try:
        with database.atomic():
            database.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            yield
    finally:
        database.close()


def _broken_keys(database: Any) -> list[tuple[Any, ...]]:
    return [tuple(row[:3]) for row in database.fetch("PRAGMA foreign_key_check")]


def _check_keys(database: Any, before: set[tuple[Any, ...]]) -> None:
    broken = [row for row in _broken_keys(database) if row not in before]
    if broken:
        table, row, parent = broken[0]
        raise MigrationError(
            f"rows would refer to rows that are not there ({len(broken)} of them); the first is row {row} of {table}, "
            f"which refers to {parent}",
            hint="Mend or remove the rows, perhaps in a RunPython before this operation. Nothing was changed.",
        )
