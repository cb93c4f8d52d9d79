"""Blocks that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class Transaction:
    """The open transaction of one thread.

    Attributes:
        depth: How many atomic blocks are open; the first is the transaction, others are savepoints.
        callbacks: (depth, function) pairs to call once the outermost block is committed.
    """

    depth: int = 0
    callbacks: list[tuple[int, Callable[[], object]]] = field(default_factory=list)


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
            transaction = Transaction()
            database.execute("BEGIN IMMEDIATE" if database.dialect == "sqlite" else "BEGIN")
            database.transaction = transaction
        else:
            database.execute(f"SAVEPOINT toolkit_{transaction.depth}")
        transaction.depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        database = self._database
        transaction: Transaction = database.transaction
        transaction.depth -= 1
        if transaction.depth:
            self._leave_savepoint(transaction, failed=kind is not None)
            return
        database.transaction = None
        database.memo.clear()
        if kind is not None:
            database.execute("ROLLBACK")
            return
        try:
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise
        for _, callback in transaction.callbacks:
            callback()

    def _leave_savepoint(self, transaction: Transaction, *, failed: bool) -> None:
        name = f"toolkit_{transaction.depth}"
        if failed:
            self._database.execute(f"ROLLBACK TO SAVEPOINT {name}")
            transaction.callbacks = [pair for pair in transaction.callbacks if pair[0] <= transaction.depth]
        self._database.execute(f"RELEASE SAVEPOINT {name}")

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with Atomic(self._database):
                return function(*args, **kwargs)

        return wrapped
