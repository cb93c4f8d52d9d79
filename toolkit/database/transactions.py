"""Blocks that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from toolkit.errors import DatabaseError, IntegrityError

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class Transaction:
    """The open transaction of one thread.

    Attributes:
        depth: How many atomic blocks are open; the first is the transaction, others are savepoints.
        callbacks: (depth, function) pairs to call once the outermost block is committed.
        held: What is let go of when the transaction ends.
    """

    depth: int = 0
    callbacks: list[tuple[int, Callable[[], object]]] = field(default_factory=list)
    held: ExitStack = field(default_factory=ExitStack)


class Atomic:
    """A block, or a decorated function, that is written whole or not at all.

    An exception that leaves the block rolls back what the block wrote: the whole transaction for the outermost
    block, its savepoint for an inner one, so that the outer block stays usable.
    """

    def __init__(self, database: Any) -> None:
        self._database = database

    def __enter__(self) -> Atomic:
        database = self._database
        transaction = database.transaction
        if transaction is None:
            self._begin()
        else:
            database.execute(f"SAVEPOINT toolkit_{transaction.depth}")
            transaction.depth += 1
        return self

    def _begin(self) -> None:
        database = self._database
        held = ExitStack()
        held.enter_context(database.alone())
        try:
            for statement in database.backend.begin:
                database.execute(statement)
        except BaseException:
            held.close()
            raise
        database.transaction = Transaction(depth=1, held=held)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        transaction: Transaction = self._database.transaction
        transaction.depth -= 1
        if transaction.depth:
            self._leave_savepoint(transaction, failed=kind is not None)
            return
        with transaction.held:
            self._database.transaction = None
            self._database.changed()
            if kind is not None:
                self._roll_back()
                return
            self._commit()
        _call_all([function for _, function in transaction.callbacks])

    def _commit(self) -> None:
        try:
            self._database.execute("COMMIT")
        except BaseException as error:
            broken = (
                self._database.backend.broken_references(self._database) if isinstance(error, IntegrityError) else ""
            )
            self._roll_back()
            if broken:
                raise IntegrityError(
                    f"the transaction was not committed: {broken}", hint="Nothing was written."
                ) from error
            raise

    def _roll_back(self) -> None:
        """Roll back, and let no second error hide the first: the database may have done it by itself, or be gone."""
        with suppress(DatabaseError):
            self._database.execute("ROLLBACK")

    def _leave_savepoint(self, transaction: Transaction, *, failed: bool) -> None:
        name = f"toolkit_{transaction.depth}"
        if failed:
            transaction.callbacks = [pair for pair in transaction.callbacks if pair[0] <= transaction.depth]
            self._database.changed()
            with suppress(DatabaseError):
                self._database.execute(f"ROLLBACK TO SAVEPOINT {name}")
                self._database.execute(f"RELEASE SAVEPOINT {name}")
            return
        self._database.execute(f"RELEASE SAVEPOINT {name}")
        transaction.callbacks = [(min(depth, transaction.depth), call) for depth, call in transaction.callbacks]

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with Atomic(self._database):
                return function(*args, **kwargs)

        return wrapped


def _call_all(functions: list[Callable[[], object]]) -> None:
    """Call each, whatever the others do; then raise the first error."""
    errors = []
    for function in functions:
        try:
            function()
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)
    if errors:
        raise errors[0]
