"""Blocks that are written whole or not at all."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial, wraps
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar, cast, overload

import msgspec

from toolkit.database.changes import Changes, errors_told
from toolkit.errors import DatabaseError, IntegrityError, TransactionError
from toolkit.lazily import LazyModule
from toolkit.trace import current

if TYPE_CHECKING:
    from toolkit.database import refusals
else:
    refusals = LazyModule("toolkit.database.refusals")


P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("toolkit.database")

ASKED = "set_rollback(True) was called"
"""Why a block is rolled back without a word: somebody asked for it."""


class Block(msgspec.Struct, eq=False):
    """What becomes of what an atomic block wrote, for those who keep it in mind longer than the block is open.

    Attributes:
        around: The block that it is in.
        is_over: The block has ended.
        taken_back: What it wrote was rolled back.
    """

    around: Block | None = None
    is_over: bool = False
    taken_back: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether what it wrote was rolled back, with itself or with a block around it."""
        return self.taken_back or (self.around is not None and self.around.is_lost)

    @property
    def home(self) -> Block | None:
        """The open block that decides about it: itself, or the nearest one around; None when all is committed."""
        return self if not self.is_over else self.around.home if self.around is not None else None


class Transaction(msgspec.Struct):
    """The open transaction of one thread.

    Attributes:
        block: The innermost block that is open.
        depth: How many atomic blocks are open; the first is the transaction, others are savepoints.
        callbacks: What to call once the outermost block is committed.
        tables: What was written.
        changes: What was written, row by row, for ``rows_changed``; collected only while somebody listens.
        held: What is let go of when the transaction ends.
        lost: Whether the database ended the whole transaction by itself: no savepoint is left to go back to.
        broken: Why nothing can be asked before the block at hand is rolled back; empty while all is well.
    """

    block: Block = msgspec.field(default_factory=Block)
    depth: int = 0
    callbacks: list[Callback] = msgspec.field(default_factory=list)
    tables: set[str] = msgspec.field(default_factory=set)
    changes: Changes = msgspec.field(default_factory=Changes)
    held: ExitStack = msgspec.field(default_factory=ExitStack)
    broken: str = ""
    lost: bool = False


class Callback(NamedTuple):
    """A function to call after the commit.

    Args:
        depth: The block it was registered in: it is forgotten when that is rolled back.
        function: The function.
        robust: Its error is logged, and does not reach the code that committed.
    """

    depth: int
    function: Callable[[], object]
    robust: bool = False


class Entered(NamedTuple):
    """What a block needs to know when it is left.

    Args:
        transaction: The transaction that it is a block of.
        depth: Of itself.
        savepoint: The name of its savepoint; empty if it has none.
        block: What becomes of it.
    """

    transaction: Transaction
    depth: int
    savepoint: str
    block: Block


class Atomic:
    """A block, or a decorated function, that is written whole or not at all.

    An exception that leaves the block rolls back what the block wrote: the whole transaction for the outermost
    block, its savepoint for an inner one, so that the outer block stays usable.

    Args:
        database: The database.
        durable: Refuse to be an inner block: what this block wrote is committed when it ends.
        savepoint: Make a savepoint of an inner block. Without one it is cheaper, and an exception that leaves it
            leaves the block around it no choice but to be rolled back as well.

    Raises:
        TransactionError: A durable block was opened inside another.
    """

    def __init__(self, database: Any, *, durable: bool = False, savepoint: bool = True) -> None:
        self._given, self._durable, self._savepoint = database, durable, savepoint
        self._entered: list[Entered] = []

    @property
    def _database(self) -> Any:
        return self._given() if callable(self._given) else self._given

    def __enter__(self) -> Atomic:
        database = self._database
        transaction: Transaction | None = database.transaction
        if transaction is None:
            transaction = self._begin(database)
            self._entered.append(Entered(transaction, 1, "", transaction.block))
            return self
        if self._durable:
            raise TransactionError(
                "a durable block cannot be inside another atomic block: its end would commit nothing",
                hint="Call it outside of atomic(), or leave out durable=True.",
            )
        name = f"toolkit_{transaction.depth}" if self._savepoint and not transaction.broken else ""
        if name:
            _at_savepoint(database, MAKE, name)
        transaction.depth += 1
        transaction.block = Block(around=transaction.block)
        self._entered.append(Entered(transaction, transaction.depth, name, transaction.block))
        return self

    def _begin(self, database: Any) -> Transaction:
        held = ExitStack()
        held.enter_context(database.alone())
        try:
            for statement in database.backend.opening():
                database.run(statement)
        except BaseException as error:
            if not isinstance(error, Exception):  # an interrupt is told when the transaction is open already
                roll_back(database)
            held.close()
            raise
        transaction = database.transaction = Transaction(depth=1, held=held)
        return transaction

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        database, (transaction, depth, name, block) = self._database, self._entered.pop()
        block.is_over = True
        if database.transaction is not transaction:
            block.taken_back = True
            database.leave_closed()
            if error is None:
                raise ended()
            return
        transaction.depth -= 1
        if transaction.depth >= depth:
            block.taken_back = True
            database.abandon()
            if error is None:
                raise out_of_order()
            return
        failed = kind is not None or bool(transaction.broken)
        if transaction.depth:
            transaction.block, block.taken_back = cast("Block", block.around), failed
            self._leave(database, transaction, name, failed=failed, told=kind is not None)
            return
        with transaction.held:
            database.resume()
            block.taken_back = True  # unless the commit is told to be done
            try:
                if failed:
                    roll_back(database)
                    if kind is None and transaction.broken != ASKED:  # whoever wrote believes that it is kept
                        raise not_committed(transaction.broken)
                    return
                _commit(database)
                block.taken_back = False
            finally:  # not sooner: outside of a transaction a lost connection is renewed, and would commit nothing
                database.transaction = None
                database.changed(transaction.tables)
        with errors_told() as errors:
            errors += transaction.changes.send(database)
            errors += call_all(transaction.callbacks)

    def _leave(self, database: Any, transaction: Transaction, name: str, *, failed: bool, told: bool) -> None:
        """Leave an inner block; ``told``: by an error, which says that nothing is kept of it."""
        if failed and name and not transaction.lost:
            database.resume()
            reason, transaction.broken = transaction.broken, ""
            transaction.callbacks = [call for call in transaction.callbacks if call.depth <= transaction.depth]
            transaction.changes.take_back(transaction.depth)
            database.changed()
            with suppress(DatabaseError):
                _at_savepoint(database, TAKE_BACK, name)
                _at_savepoint(database, LET_GO, name)
            if not told and reason != ASKED:
                raise TransactionError(
                    f"what this inner block wrote was taken back, for {reason}",
                    hint="Give what may fail a savepoint of its own, and catch the error around that.",
                )
            return
        if failed:
            database.break_off("an error left an inner block that has no savepoint")
            return
        if name:
            _at_savepoint(database, LET_GO, name)
        transaction.callbacks = [
            call._replace(depth=min(call.depth, transaction.depth)) for call in transaction.callbacks
        ]
        transaction.changes.keep(transaction.depth)

    async def __aenter__(self) -> None:
        raise TransactionError(
            "async with atomic(): what a coroutine asks is asked in other threads, which are outside of the block",
            hint="Put the block into a plain function, and await asyncio.to_thread(function).",
        )

    async def __aexit__(self, *_: object) -> None:
        """Never called: there is no way in."""

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        _refuse_late(function)

        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            with Atomic(self._given, durable=self._durable, savepoint=self._savepoint):
                return function(*args, **kwargs)

        return wrapped


def _refuse_late(function: Any) -> None:
    """Refuse what is not done when its call is over: a generator, or a coroutine."""
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    if not flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR):
        return
    kind, hint = "generator", "Write 'with atomic():' inside of it, and nothing else's work between two of its values."
    if not flags & CO_GENERATOR:
        kind, hint = "coroutine", "Put the block into a plain function, and await asyncio.to_thread(function)."
    raise TransactionError(
        f"{function.__qualname__}() is a {kind}: to call it only makes one, and the atomic block around that would end "
        "before its first statement",
        hint=hint,
    )


class Refusal:
    """Stands in a connection's place while its transaction can only be rolled back."""

    def __init__(self, connection: Any, reason: str) -> None:
        self.connection, self.reason = connection, reason

    def __getattr__(self, name: str) -> Any:
        raise TransactionError(
            f"nothing can be asked before this atomic block has ended: {self.reason}, so it will be rolled back",
            hint="Let the error leave the block, or give the inner block its savepoint.",
        )


MAKE, TAKE_BACK, LET_GO = range(3)


def _at_savepoint(database: Any, step: int, name: str) -> None:
    statement = database.backend.savepoint[step]
    if statement:
        database.run(statement.format(name))


def _commit(database: Any) -> None:
    if (
        database.path is None and database.has_lost_connection
    ):  # and an error inside of the block, which told so, was caught
        raise refusals.lost_inside(database)
    try:
        cursor = database.run("COMMIT")
    except BaseException as error:
        undo = partial(roll_back, database)
        if not isinstance(error, IntegrityError):
            undo()
            raise
        broken = database.backend.broken_references(database, undo)
        if broken is not None:
            message = f"the transaction was not committed: {broken.told}"
            raise refusals.integrity_error(database, broken, "COMMIT", told=broken.told, message=message) from error
        raise
    if database.backend.is_rolled_back(cursor):
        raise not_committed("an error was caught inside of the block")
    database.refuse_lost_file()


def not_committed(reason: str) -> TransactionError:
    """What to say of a block that ends without an error, and whose transaction cannot be committed."""
    return TransactionError(
        f"the transaction was not committed, for {reason}: nothing was written",
        hint="Give what may fail a block of its own, 'with atomic():', and catch the error around it; after a "
        "deadlock, begin the whole transaction again.",
    )


def out_of_order() -> TransactionError:
    """What to say of a block that is left before one that was entered inside of it."""
    return TransactionError(
        "this atomic block ended before one inside of it, as that of a generator which was not finished: nothing of "
        "the transaction was written",
        hint="Finish or close the generator first, or let it yield outside of its atomic().",
    )


def ended(
    *, hint: str = "Close connections, and fork, outside of atomic(), and leave inner blocks first."
) -> TransactionError:
    """What to say of a block whose transaction ended before it.

    The connection was closed inside of it, or a block around it is over, or this is a fork of the process whose
    transaction it is.
    """
    return TransactionError(
        "this atomic block has no transaction any more: its connection was closed inside of it, a block around it "
        "ended first, or it was begun by the process that this one was forked from",
        hint=f"What was written before is not kept. {hint}",
    )


def roll_back(database: Any) -> None:
    """Roll back, and let no second error hide the first: the database may have done it by itself, or be gone."""
    if database.is_connected:
        with suppress(DatabaseError):
            database.run("ROLLBACK")


def call_all(callbacks: list[Callback]) -> list[Exception]:
    """Call each, whatever the others do, and give the errors of those that are not robust."""
    errors = []
    for callback in callbacks:
        try:
            callback.function()
        except Exception as error:
            if callback.robust:
                logger.error("a function called after a commit failed", exc_info=error)
            else:
                errors.append(error)
    return errors


_ENDING = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ABORT|PREPARE\s+TRANSACTION"
    r"|ROLLBACK(?!\s+(?:WORK\s+|TRANSACTION\s+)?TO\b))\b",
    re.IGNORECASE | re.DOTALL,
)


def is_ending(sql: str) -> bool:
    """Whether a statement begins or ends a transaction, and is no step to a savepoint."""
    return _ENDING.match(sql) is not None


# for the database of the current site


@overload
def atomic(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def atomic(function: str, *, durable: bool = False, savepoint: bool = True) -> Atomic: ...
@overload
def atomic(*, using: Any = None, durable: bool = False, savepoint: bool = True) -> Atomic: ...
def atomic(
    function: Callable[P, R] | str | None = None, *, using: Any = None, durable: bool = False, savepoint: bool = True
) -> Any:
    """A block, or a decorated function, that is written whole or not at all, in the current site's database.

    Args:
        function: For ``@atomic`` without parentheses; or the name of a database, as ``using`` says it.
        using: Another database, or the name of one in the setting ``databases``.
        durable: Refuse to be an inner block: what this block wrote is committed when it ends.
        savepoint: Make a savepoint of an inner block; without one, an error that leaves it spoils the outer block too.

    Raises:
        TransactionError: Nothing was written though no error leaves the block: one that spoilt it was caught inside.
    """
    named, function = (function, None) if isinstance(function, str) else (using, function)
    if function is not None and not callable(function):
        raise TransactionError(
            f"atomic({function!r}): that is no function", hint="Name a database: atomic(using='archive')."
        )
    block = Atomic(lambda: _database(named), durable=durable, savepoint=savepoint)
    return block if function is None else block(function)


def on_commit(function: Callable[[], object], *, using: Any = None, robust: bool = False) -> None:
    """Call a function once what is being written is committed; at once, outside of a transaction.

    Args:
        function: Takes nothing.
        using: Another database than the current site's, or its name.
        robust: Log its error, rather than raise it once all functions were called.
    """
    _database(using).on_commit(function, robust=robust)


def set_rollback(rollback: bool, *, using: Any = None) -> None:
    """Have the innermost atomic block rolled back when it ends, though no error leaves it."""
    _database(using).set_rollback(rollback)


def non_atomic_requests(using: Any = None) -> Any:
    """Leave a view out of ``atomic_requests``: it commits what it writes itself, statement by statement.

    Use it as ``@non_atomic_requests``, or with a name as ``@non_atomic_requests(using="archive")``, to leave it out
    for that database alone.

    Args:
        using: The name of a database; without one the view is left out for all of them.
    """
    if callable(using):
        return _left_out(using, None)
    return lambda function: _left_out(function, using)


def _left_out(function: Any, alias: str | None) -> Any:
    function.non_atomic_requests = {*getattr(function, "non_atomic_requests", ()), alias}
    return function


@contextmanager
def atomic_request(databases: Iterable[Any], view: Any) -> Iterator[None]:
    """What a view writes is written whole, in each database that is opened with ``atomic_requests``, or not at all.

    Args:
        databases: The site's.
        view: The function; see ``non_atomic_requests``.
    """
    left_out: frozenset[str | None] = frozenset(getattr(view, "non_atomic_requests", ()))
    with ExitStack() as stack:
        for database in databases:
            if database.atomic_requests and not left_out & {None, database.alias}:
                stack.enter_context(database.atomic())
        yield


def _database(using: Any) -> Any:
    if using is not None and not isinstance(using, str):
        return using
    scope = current.get()
    if scope is None:
        raise TransactionError("there is no current site, so it is not known which database", hint="Use 'with site:'.")
    if using is None:
        return scope.database
    if scope.site is None:
        raise TransactionError(f"there is no site, so no database {using!r}", hint="Use 'with site:'.")
    return scope.site.databases.named(using)
