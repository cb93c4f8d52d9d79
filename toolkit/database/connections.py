"""One database of one site: a raw DB-API connection for each thread, and nothing that outlives a fork.

SQLAlchemy brings the dialects; it is imported only when a statement has to be compiled, so that a command
with nothing to ask starts fast.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit.database.backends import backend_for
from toolkit.database.changes import Changes, RawWatch, errors_told
from toolkit.database.transactions import Atomic, Callback, Refusal, Transaction, call_all
from toolkit.errors import DatabaseError, IntegrityError, ToolkitError, TransactionError
from toolkit.signals import Receivers


class _Local(threading.local):
    """What one thread holds: its connection, its transaction, and the process it belongs to."""

    connection: Any = None
    transaction: Transaction | None = None
    pid: int = 0
    memo: dict[Any, Any]
    memo_version: Any = None
    snapshot: bool = False

    def __init__(self) -> None:
        self.memo = {}


class Database:
    """A database, named by its URL.

    Args:
        url: ``sqlite:///path``, ``sqlite://`` (in memory), ``postgresql://...``, ``mysql://...``.
        folder: Where a relative SQLite path starts.

    Attributes:
        backend: What the toolkit knows of this kind of database.
        dialect: Whose SQL it speaks: ``"sqlite"``, ``"postgresql"``, ``"mysql"``, or that of another's backend.
        path: The database's file, if it is one.
        in_memory: Whether it lives in this process only.
        shapes: Compiled query shapes, by key; filled by the models.
        lookups: Compiled lookups by key, the specialised form of ``objects.get(pk=…)``; filled by the models.
        compiling: Held while a shape is compiled: SQLAlchemy's tables are made once, by one thread.
        version: Counts what this process wrote, so that relations loaded before a write are loaded anew.
        queries: How many statements were executed, for tests and reports.
        receivers: Who hears what is written here; the site's own.
    """

    def __init__(self, url: str, *, folder: Path | None = None) -> None:
        self.url = url
        self.backend = backend_for(url, folder or Path.cwd())
        self.dialect = self.backend.dialect
        self.path = self.backend.path
        self.in_memory = self.backend.in_memory
        self._direct = self.backend.direct
        self.shapes: dict[Any, Any] = {}
        self.lookups: dict[Any, Any] = {}
        self.compiling = threading.RLock()
        self.version = 0
        self.schema: Any = None
        self.queries = 0
        self.on_query: list[Callable[[str], None]] = []
        self.receivers = Receivers()
        self._hooks: list[Callable[[Any], None]] = []
        self._local = _Local()
        self._shared_connection: Any = None
        self._shared_lock = threading.RLock()
        self._inherited: list[Any] = []
        self._watch = RawWatch(self)
        self._sqlalchemy_dialect: Any = None

    def __repr__(self) -> str:
        return f"<Database {self.safe_url}>"

    @property
    def safe_url(self) -> str:
        """The URL without its password."""
        return self.backend.safe_url

    def on_connect(self, hook: Callable[[Any], None]) -> None:
        """Call ``hook(connection)`` on every new connection, to register SQL functions and the like."""
        self._hooks.append(hook)

    @property
    def connection(self) -> Any:
        """This thread's raw DB-API connection, opened when first asked for.

        A database in memory has one connection for all threads: a second one would see another, empty database.
        """
        local = self._local
        if local.connection is None or (local.pid != os.getpid() and not self.in_memory):
            self._leave_inherited()
            local.connection, local.transaction = self._shared() if self.in_memory else self._open(), None
            local.pid, local.snapshot = os.getpid(), False
        return local.connection

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

    def changed(self) -> None:
        """Say that this thread wrote: what was remembered of the database holds no longer."""
        self.version += 1
        self._local.memo.clear()

    def close(self) -> None:
        """Close this thread's connection; of a database in memory, the one connection, and with it the data."""
        local = self._local
        if local.connection is not None and (local.pid == os.getpid() or self.in_memory):
            local.connection.close()
        local.connection = local.transaction = self._shared_connection = None
        self.changed()

    def forget(self) -> None:
        """Leave this thread's connection unclosed: in a forked child it belongs to the parent."""
        if not self.in_memory:
            self._leave_inherited()
            self._local.connection = self._local.transaction = None

    # statements

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Run one statement with bound parameters and return its cursor.

        What it writes is told by ``rows_changed``, with the operation ``raw``.

        Raises:
            IntegrityError: A constraint was broken.
            DatabaseError: Anything else that the database refused.
        """
        if self.receivers.watching:
            return self._run_watched(lambda: self.run(sql, parameters), sql, parameters)
        return self.run(sql, parameters)

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """``execute``, for those who tell what they write themselves (``wrote``)."""
        self.queries += 1
        if self.on_query:
            self._tell(sql)
        local = self._local
        connection = local.connection
        if connection is None or local.pid != os.getpid():
            connection = self.connection
        try:
            if self._direct:
                return connection.execute(sql, parameters)
            cursor = connection.cursor()
            cursor.execute(sql, parameters)
            return cursor
        except Exception as error:
            raise self.translated(error, sql) from error

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for every row of parameters."""
        if self.receivers.watching and rows:
            self._run_watched(lambda: self.run_many(sql, rows), sql, rows[0])
        else:
            self.run_many(sql, rows)

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """``executemany``, for those who tell what they write themselves (``wrote``)."""
        self.queries += 1
        if self.on_query:
            self._tell(sql)
        try:
            cursor = self.connection.cursor()
            cursor.executemany(sql, rows)
            cursor.close()
        except Exception as error:
            raise self.translated(error, sql) from error

    def _run_watched(self, run: Callable[[], Any], sql: str, parameters: Sequence[Any]) -> Any:
        """Run a statement that somebody wrote by hand, and tell which tables it wrote."""
        models = self._watch.written(sql, parameters)
        found = run()
        for model in models:
            self.wrote(model, "raw", None)
        return found

    def wrote(self, model: Any, operation: str, keys: Iterable[Any] | None) -> None:
        """Say that rows were written: at once outside of a transaction, after the commit inside one.

        Args:
            model: Whose rows.
            operation: ``insert``, ``update``, ``delete`` or ``raw``.
            keys: Their primary keys, as Python has them; None if they are not known.
        """
        self.changed()
        if not self.receivers.watching:
            return
        transaction = self.transaction
        if transaction is not None:
            transaction.changes.add(transaction.depth, model, operation, keys)
            return
        changes = Changes()
        changes.add(0, model, operation, keys)
        with errors_told() as errors:
            errors += changes.send(self)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of one statement, as tuples."""
        rows = self.execute(sql, parameters).fetchall()
        return rows if isinstance(rows, list) else list(rows)

    def _tell(self, sql: str) -> None:
        for listener in self.on_query:
            listener(sql)

    def table_names(self) -> list[str]:
        """The tables that there are, sorted."""
        return sorted(self.backend.table_names(self))

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Collect the SQL text of every statement run inside the block, by any thread."""
        seen: list[str] = []
        self.on_query.append(seen.append)
        try:
            yield seen
        finally:
            self.on_query.remove(seen.append)

    # transactions

    @property
    def transaction(self) -> Transaction | None:
        """The transaction that this thread is in, if any."""
        local = self._local
        return local.transaction if local.pid == os.getpid() or self.in_memory else None

    @transaction.setter
    def transaction(self, value: Transaction | None) -> None:
        self._local.transaction = value

    def atomic(self, *, durable: bool = False, savepoint: bool = True) -> Atomic:
        """A block that is written whole or not at all; blocks nest as savepoints. See ``Atomic``."""
        return Atomic(self, durable=durable, savepoint=savepoint)

    def on_commit(self, function: Callable[[], object], *, robust: bool = False) -> None:
        """Call a function once what this thread is writing is committed; at once, outside of a transaction.

        It is never called when the transaction, or the block that it was registered in, is rolled back.

        Args:
            function: Takes nothing.
            robust: Log its error, rather than raise it once all functions were called.
        """
        transaction = self.transaction
        callback = Callback(transaction.depth if transaction is not None else 0, function, robust)
        if transaction is not None:
            transaction.callbacks.append(callback)
            return
        with errors_told() as errors:
            errors += call_all([callback])

    def set_rollback(self, rollback: bool) -> None:
        """Have the innermost atomic block rolled back when it ends, though no error leaves it; or not, after all.

        Until then nothing can be asked.

        Raises:
            TransactionError: There is no atomic block.
        """
        if self.transaction is None:
            raise TransactionError("set_rollback() outside of an atomic block", hint="Use it inside 'with atomic():'.")
        if rollback:
            self.break_off("set_rollback(True) was called")
        else:
            self.transaction.broken = ""
            self.resume()

    def break_off(self, reason: str) -> None:
        """Refuse statements until the block at hand is rolled back."""
        transaction = self.transaction
        if transaction is not None and not transaction.broken:
            transaction.broken = reason
            self._local.connection = Refusal(self._local.connection, reason)

    def resume(self) -> None:
        """Take statements again."""
        if isinstance(self._local.connection, Refusal):
            self._local.connection = self._local.connection.connection

    @contextmanager
    def references_held(self) -> Iterator[None]:
        """A block, inside a transaction, in which a database that cannot defer it checks no reference.

        Whoever uses it proves before the transaction ends that no row refers to nothing. Elsewhere references are
        checked at commit anyway, and the block does nothing.
        """
        self.backend.hold_references(self)
        try:
            yield
        finally:
            self.backend.release_references(self)

    @property
    def in_snapshot(self) -> bool:
        """Whether this thread reads from a snapshot, in which nothing can be written."""
        return self._local.snapshot and self._local.pid == os.getpid()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A block in which every read of this thread sees the database as of one instant."""
        if self.transaction is not None or self.in_snapshot:
            yield
            return
        self.begin_snapshot()
        try:
            yield
        finally:
            self.end_snapshot()

    @property
    def shares_snapshots(self) -> bool:
        """Whether processes can all see one snapshot: by name, or because it can be proved that nobody wrote."""
        return self.backend.shares_snapshots

    def export_snapshot(self) -> str:
        """A name under which other processes enter this thread's snapshot; empty where snapshots have none."""
        return self.backend.export_snapshot(self)

    def begin_snapshot(self, name: str = "") -> None:
        """Open a read transaction, and make it look now rather than at its first read.

        Args:
            name: Look at the snapshot that another process exported, instead.
        """
        self.backend.begin_snapshot(self, name)
        self._keep_memo(self.backend.version(self.connection))
        self._local.snapshot = True

    def _keep_memo(self, version: Any) -> None:
        """Keep the memo if it is known that nothing was written since it was filled, by others or by ourselves."""
        if version is None or self._local.memo_version != version:
            self._local.memo.clear()
            self._local.memo_version = version

    def end_snapshot(self) -> None:
        """Leave the read transaction."""
        self._local.snapshot = False
        self.run("ROLLBACK")

    # SQLAlchemy, when needed

    @property
    def sqlalchemy_dialect(self) -> Any:
        """SQLAlchemy's dialect object for compiling statements, with positional parameters."""
        if self._sqlalchemy_dialect is None:
            self._sqlalchemy_dialect = self.backend.compiler()
        return self._sqlalchemy_dialect

    def _open(self) -> Any:
        connection = self.backend.connect()
        for hook in self._hooks:
            hook(connection)
        return connection

    def translated(self, error: Exception, sql: str) -> Exception:
        """The toolkit's error for a driver's; an error that no driver made is returned as it is."""
        if isinstance(error, ToolkitError):
            return error
        names = {kind.__name__ for kind in type(error).__mro__}
        told = " ".join(str(error).split())
        message = f"{told} (in: {' '.join(sql.split())[:200]})"
        broken = self.backend.broken(error)
        if broken is not None:
            refused = IntegrityError(
                f"{broken.told}: {message}" if broken.told else message, hint="Nothing was written."
            )
            refused.kind, refused.constraint, refused.detail = broken.kind, broken.constraint or None, told
            if self.schema is not None:
                self.schema.explain(refused, sql)
            return refused
        if isinstance(error, OverflowError):
            return DatabaseError(message, hint="Whole numbers have 64 bits.")
        if names & {"DatabaseError", "InterfaceError"}:
            return DatabaseError(message, hint=self.backend.hint(told) or _hint_for(told))
        return error


def _hint_for(told: str) -> str | None:
    """The next step for what all databases say."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, told)), None)


_HINTS = (
    (
        r"no such table|no such column|has no column named|(relation|column) .* does not exist|doesn't exist"
        r"|Unknown column",
        "Apply the migrations: toolkit migrations apply.",
    ),
    (r"read-only", "May this user write here?"),
    (r"too many SQL variables", "Filter with a queryset instead of a list: author__in=Author.objects.filter(...)."),
)
