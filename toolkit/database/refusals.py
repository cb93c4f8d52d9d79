"""What a database refuses, in the toolkit's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.database.backends.reading import Unread
from toolkit.database.hints import SMALLER, hint_for
from toolkit.errors import (
    DatabaseError,
    DatabaseUnavailable,
    DeadlockError,
    IntegrityError,
    LockedError,
    ToolkitError,
    TransactionError,
)

if TYPE_CHECKING:
    from toolkit.database.backends.base import Broken
    from toolkit.database.connections import Database


MEND_IT = "Mend the row, which was not written through the models."


def translated(database: Database, error: Exception, sql: str, parameters: Sequence[Any] | None = None) -> Exception:
    """The toolkit's error for a driver's; an error that no driver made is returned as it is.

    Args:
        database: Which refused.
        error: The driver's.
        sql: The statement.
        parameters: Of one that was run once, where they are at hand.
    """
    if isinstance(error, ToolkitError):
        return error
    if parameters is not None and not isinstance(parameters, Sequence | Mapping):
        told = (
            f"the values of a statement are a list, and {parameters!r:.80} is none (in: {' '.join(sql.split())[:200]})"
        )
        return DatabaseError(told, hint=f"Write [{parameters!r:.80}].")
    if isinstance(error, Unread):
        return DatabaseError(f"{error} (in: {' '.join(sql.split())[:200]})", hint=MEND_IT)
    backend = database.backend
    told = backend.told(error)
    message = f"{told} (in: {' '.join(sql.split())[:200]})"
    too_large = backend.too_large and re.search(backend.too_large, told)
    if too_large:
        message = f"the statement is larger than the database takes: {message}"
    broken = backend.broken(error)
    if broken is not None:
        message = f"{broken.told}: {message}" if broken.told else message
        if broken.kind == "foreign_key" and parameters is not None and database.transaction is None:
            named = backend.broken_references_of(database, sql, parameters)
            broken, message = (broken, message) if named is None else (named, named.told)
        return integrity_error(database, broken, sql, told=told, message=message)
    contention = backend.contention(error)
    if contention:
        return _contended(database, contention, message, backend.hint(told))
    if isinstance(error, UnicodeError):
        return DatabaseError(message, hint="The text has half of a surrogate pair, which is no character.")
    if isinstance(error, OverflowError):
        return DatabaseError(message, hint="Whole numbers have 64 bits.")
    if isinstance(error, ValueError) and "format character" in told:  # of the driver that writes values into the text
        return DatabaseError(message, hint=hint_for(told))
    if {kind.__name__ for kind in type(error).__mro__} & {"DatabaseError", "InterfaceError"}:
        if database.has_lost_connection:
            return _lost(database, sql, error)
        hint = _hint_for_reading(database, told) or backend.hint(f"{told} in {sql}") or hint_for(told)
        return DatabaseError(message, hint=hint or (SMALLER if too_large else None))
    return error


def integrity_error(database: Database, broken: Broken, sql: str, *, told: str, message: str) -> IntegrityError:
    """The error for a constraint that was broken.

    Args:
        database: Which refused.
        broken: The constraint.
        sql: The statement.
        told: What the database said.
        message: What to say.
    """
    waits = database.transaction is not None and sql.startswith(("INSERT", "UPDATE"))
    refused = IntegrityError(message, hint=broken.mend if broken.mend and waits else "Nothing was written.")
    refused.kind, refused.constraint, refused.detail = broken.kind, broken.constraint or None, told
    if database.schema is not None:
        database.schema.explain(refused, sql)
    return refused


def _hint_for_reading(database: Database, told: str) -> str | None:
    """The next step, where this database is not to be written."""
    if not database.read_only or not re.search(r"(?i)read[- ]?only", told):
        return None
    original = database.replica_of
    why = f"replica_of = {original!r}" if original else "read_only = true"
    where = f" Write to {original!r}." if original else ""
    return f"The setting databases.{database.alias} says {why}, so nothing is written there.{where}"


def _contended(database: Database, kind: str, message: str, hint: str | None) -> TransactionError:
    """The error for a transaction that another one was in the way of."""
    if kind == "locked":
        return LockedError(message, hint=hint or "Another transaction holds the lock. Try again when it is done.")
    transaction = database.transaction
    if transaction is not None and database.backend.deadlock_ends_transaction:
        transaction.lost = True
        database.break_off("a deadlock ended the whole transaction")
    return DeadlockError(message, hint="The transaction is rolled back. Try it again.")


def _lost(database: Database, sql: str, error: Exception) -> DatabaseUnavailable:
    """The error for a connection that ended while it was in use.

    Args:
        database: Whose connection.
        sql: What was being run.
        error: The driver's.
    """
    told = database.backend.told(error)
    if not database.is_inside or sql == "COMMIT":
        what = "the transaction was committed" if sql == "COMMIT" else "the statement was run"
        return DatabaseUnavailable(
            f"{_loss(database)}, and it is not known whether {what}: {told} (in: {sql[:200]})",
            hint="Look before you run it again.",
        )
    if database.in_snapshot:
        return DatabaseUnavailable(f"{_loss(database)} while one instant of it was read: {told}", hint="Run it again.")
    return lost_inside(database, f": {told}")


def _loss(database: Database) -> str:
    return database.backend.loss.format(database.safe_url)


def lost_inside(database: Database, told: str = "") -> DatabaseUnavailable:
    """The error for a transaction whose connection ended before it was to be committed."""
    return DatabaseUnavailable(
        f"{_loss(database)} inside a transaction, of which nothing was written{told}",
        hint="Run the whole block again.",
    )


def lost_written(database: Database) -> DatabaseUnavailable:
    """The error for what was written to a file that is no longer there."""
    return DatabaseUnavailable(
        f"{_loss(database)} while it was open: what was just written is gone with it",
        hint="Write it again, to the file that is there now.",
    )


def lost_while_taking(database: Database, error: Exception, sql: str) -> DatabaseUnavailable:
    """The error for a connection that ended when some of the rows were taken."""
    return DatabaseUnavailable(
        f"{_loss(database)} while rows were taken, not all of which were: "
        f"{database.backend.told(error)} (in: {sql[:200]})",
        hint="Ask again from the beginning.",
    )


def ends_block(sql: str) -> TransactionError:
    """The error for a statement that would end a transaction, or begin one, inside of an atomic block."""
    return TransactionError(
        f"{' '.join(sql.split())[:50]!r} cannot be said inside of an atomic block: what was written before could not "
        "be taken back any more, and what comes after would be a transaction for each statement",
        hint="Leave the block, or use 'with atomic():' inside of it; to have it rolled back, set_rollback(True).",
    )
