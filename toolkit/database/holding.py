"""Which connection a thread has: opened when first needed, never shared through a fork, renewed when it died."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from toolkit.database.backends import Backend
from toolkit.database.backends.base import closed_unless_done
from toolkit.database.pool import Pool
from toolkit.database.transactions import Refusal, Transaction, ended

EVERY = ""
"""Stands for every table."""


class Local(threading.local):
    """What one thread holds: its connection, its transaction, and the process it belongs to."""

    connection: Any = None
    transaction: Transaction | None = None
    closed_inside: int = 0
    """How many atomic blocks are open whose connection was closed."""
    pid: int = 0
    memo: dict[Any, Any]
    memo_version: Any = None
    snapshot: bool = False
    wrappers: tuple[Callable[..., Any], ...] = ()
    reader: tuple[Any, Any] = (None, None)

    def __init__(self) -> None:
        self.memo = {}


class Holding:
    """The connections of a database.

    Args:
        backend: Opens them.

    Attributes:
        in_memory: Whether it lives in this process only.
        siblings: The other databases of a site: what is written here may make what was loaded from them stale.
        version: Counts what this process wrote, so that relations loaded before a write are loaded anew.
        written: Table to the version at which it was written last; ``EVERY`` stands for all of them.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.in_memory = backend.in_memory
        self.version = 0
        self.written: dict[str, int] = {}
        self.siblings: list[Any] = []
        self._hooks: list[Callable[[Any], None]] = []
        self._local = Local()
        self._shared_connection: Any = None
        self._shared_lock = threading.RLock()
        self._inherited: list[Any] = []
        self._pool = self._make_pool()
        self._has_age = backend.bounds.max_age_seconds is not None

    def _make_pool(self) -> Pool:
        backend = self.backend
        return Pool(self._open, backend.is_alive, backend.bounds, backend.safe_url)

    def on_connect(self, hook: Callable[[Any], None]) -> None:
        """Call ``hook(connection)`` on every new connection, to register SQL functions and the like."""
        self._hooks.append(hook)

    def _open(self) -> Any:
        connection = self.backend.connect()
        with closed_unless_done(connection):
            for hook in self._hooks:
                hook(connection)
            if self.backend.read_only:
                self.backend.forbid_writing(connection)
        return connection

    @property
    def connection(self) -> Any:
        """This thread's raw DB-API connection, opened when first asked for.

        A database in memory has one connection for all threads: a second one would see another, empty database.
        """
        local = self._local
        if local.connection is None or (local.pid != os.getpid() and not self.in_memory):
            if local.closed_inside and local.pid == os.getpid():
                raise ended(hint="Close connections outside of atomic().")  # each statement would be a transaction
            self._leave_inherited()
            local.connection = self._shared() if self.in_memory else self._own_pool().take()
            local.pid, local.snapshot, local.transaction, local.closed_inside = os.getpid(), False, None, 0
        return local.connection

    @property
    def is_connected(self) -> bool:
        """Whether this thread has a connection. None is opened to know it."""
        return self._local.connection is not None

    @property
    def has_lost_connection(self) -> bool:
        """Whether the driver knows that this thread's connection ended. None is opened to know it."""
        connection = self._local.connection
        if isinstance(connection, Refusal):
            connection = connection.connection
        return connection is not None and self.backend.is_lost(connection)

    def _own_pool(self) -> Pool:
        """The pool of this process. One that came through a fork is kept, and never touched."""
        if self._pool.pid != os.getpid():
            self._inherited.append(self._pool)
            self._pool = self._make_pool()
        return self._pool

    def usable(self) -> Any:
        """This thread's connection; another, if the server ended it while it was idle, or it is too old."""
        connection = self.connection
        local = self._local
        if local.transaction is None and not local.snapshot:
            if self._pool.is_old(connection) or not self.backend.is_alive(connection):
                self.renew()
            return self.connection
        return connection

    def find_idle(self) -> Any:
        """This thread's connection, if it is certain that nothing is under way on it; else None. None is opened."""
        local = self._local
        connection = local.connection
        mine = connection is not None and local.pid == os.getpid() and not isinstance(connection, Refusal)
        if not mine or local.transaction is not None or local.snapshot or not self.backend.is_idle(connection):
            return None
        return connection if self.backend.is_alive(connection) else None

    def current_connection(self) -> Any:
        """This thread's connection; another, if it is too old. For a question, which can be asked again if it ended."""
        local = self._local
        connection = local.connection
        if connection is None or local.pid != os.getpid():
            return self.connection
        if self._has_age and local.transaction is None and not local.snapshot and self._pool.is_old(connection):
            self.renew()
            return self.connection
        return connection

    def renew(self) -> None:
        """Close this thread's connection, if it can be closed; the next statement opens another."""
        connection, self._local.connection = self._local.connection, None
        self._local.memo.clear()
        self._own_pool().discard(connection)

    def _leave_inherited(self) -> None:
        """Keep a connection that came through a fork, and never touch it: closing it would end the parent's.

        SQLite forbids even to close it (sqlite.org/howtocorrupt.html, 2.6); a server would hang up on the parent.
        """
        if self._local.connection is not None:
            self._inherited.append(self._local.connection)
        self._local.memo.clear()

    def _shared(self) -> Any:
        with self._shared_lock:
            if self._shared_connection is None:
                self._shared_connection = self._open()
            return self._shared_connection

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A block that no other thread enters, for a database in memory, whose connection all threads share."""
        if not self.in_memory:
            yield
            return
        with self._shared_lock:
            yield

    @property
    def memo(self) -> dict[Any, Any]:
        """Answers that hold while the database does not change; this thread's own.

        Inside a snapshot nothing changes. Outside, SQLite tells whether anybody wrote; another database does not,
        so nothing is remembered there.
        """
        local = self._local
        if not local.snapshot or local.pid != os.getpid():
            self._keep_memo(self.backend.version(self.connection))
        return local.memo

    def _keep_memo(self, version: Any) -> None:
        """Keep the memo if it is known that nothing was written since it was filled, by others or by ourselves."""
        if version is None or self._local.memo_version != version:
            self._local.memo.clear()
            self._local.memo_version = version

    def changed(self, tables: Iterable[str] = (EVERY,)) -> None:
        """Say that this thread wrote: what was remembered of the database holds no longer.

        Args:
            tables: What it wrote; all of them if that is not known.
        """
        for database in (self, *self.siblings):
            database.version += 1
            for table in tables:
                database.written[table] = database.version
        self._local.memo.clear()
        if self._local.transaction is not None:
            self._local.transaction.tables.update(tables)

    def has_written(self, tables: Iterable[str], since: int) -> bool:
        """Whether this process wrote one of these tables since a version."""
        return any(self.written.get(table, 0) > since for table in (EVERY, *tables))

    def break_off(self, reason: str) -> None:
        """Refuse statements until the block at hand is rolled back."""
        transaction = self._local.transaction
        if transaction is not None and not transaction.broken:
            transaction.broken = reason
            self._local.connection = Refusal(self._local.connection, reason)

    def resume(self) -> None:
        """Take statements again."""
        if isinstance(self._local.connection, Refusal):
            self._local.connection = self._local.connection.connection

    def release(self) -> None:
        """Let other threads use this thread's connection; the next statement takes one again.

        Called when a piece of work is done, as at the end of a request. A connection that is still in a transaction
        is closed instead. Of a database without a bound (``pool_size``) each thread keeps its own, as long as its file
        is there.
        """
        local = self._local
        local.closed_inside = 0  # a block that is open still, of a generator that somebody keeps, is no longer at work
        if local.connection is None or local.pid != os.getpid():
            return
        if self.backend.bounds.pool_size is None:
            if local.transaction is None and not local.snapshot and self.has_lost_connection:
                self.renew()
            return
        self.resume()
        if local.transaction is not None or local.snapshot:
            self.close()
            local.closed_inside = 0
            return
        connection, local.connection = local.connection, None
        self._pool.give_back(connection)

    def leave_closed(self) -> None:
        """Leave an atomic block whose connection was closed; behind the outermost, another connection may be opened."""
        self._local.closed_inside = max(0, self._local.closed_inside - 1)

    def close(self) -> None:
        """Close this thread's connection; of a database in memory, the one connection, and with it the data.

        Atomic blocks that are open have lost what they wrote: they take no statement any more.
        """
        local = self._local
        self.resume()
        if local.transaction is not None and local.pid == os.getpid():
            local.closed_inside = local.transaction.depth
        if local.connection is not None:
            if self.in_memory:
                local.connection.close()
            elif local.pid == os.getpid():
                self._own_pool().discard(local.connection)
        local.connection = local.transaction = self._shared_connection = None
        local.snapshot = False
        self.changed()

    def abandon(self) -> None:
        """Take back this thread's transaction, whose blocks do not end in order: those that are open still have lost
        what they wrote, and take no statement any more."""
        local = self._local
        transaction = local.transaction
        if transaction is None:
            return
        if not self.in_memory:
            self.close()
        else:
            self.resume()
            local.connection.rollback()
            local.closed_inside, local.connection, local.transaction = transaction.depth, None, None
            self.changed()
        transaction.held.close()

    def close_all(self) -> None:
        """Close the connections of all threads; a thread that is still at work gets an error, and then a new one."""
        self.close()
        self._own_pool().close_all()

    def forget(self) -> None:
        """Leave this thread's connection unclosed: in a forked child it belongs to the parent."""
        if not self.in_memory:
            self._leave_inherited()
            self._local.connection = self._local.transaction = None
