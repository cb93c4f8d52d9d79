"""One database of one site: a raw DB-API connection for each thread, and nothing that outlives a fork.

SQLAlchemy brings the dialects; it is imported only when a statement has to be compiled, so that a command
with nothing to ask starts fast.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.database.backends import backend_for
from toolkit.database.backends.reading import is_reading
from toolkit.database.changes import Changes, RawWatch, errors_told
from toolkit.database.forking import lock_for_forks
from toolkit.database.holding import EVERY, Holding, Local
from toolkit.database.log import LoggedQuery, QueryLog, Wrapper
from toolkit.database.raw import Cursor, note_statement
from toolkit.database.transactions import ASKED, Atomic, Callback, Transaction, call_all, is_ending, roll_back
from toolkit.errors import TransactionError
from toolkit.lazily import LazyModule
from toolkit.signals import Receivers

if TYPE_CHECKING:
    from toolkit.database import refusals, streams
    from toolkit.database.streams import Stream
else:
    refusals = LazyModule("toolkit.database.refusals")
    streams = LazyModule("toolkit.database.streams")

DEFAULT = "default"
"""The alias of a site's main database."""


class Database(Holding):
    """A database, named by its URL.

    Args:
        url: ``sqlite:///path``, ``sqlite://`` (in memory), ``postgresql://...``, ``mysql://...``.
        folder: Where a relative SQLite path starts.
        alias: What a site calls it.
        read_only: Refuse every write.
        replica_of: The alias of the database that it is a copy of; a replica is read only.
        atomic_requests: What a view writes here is one transaction.

    Attributes:
        place: Where its rows live, for traces: the alias of the database that it is a copy of, or its own.
        backend: What the toolkit knows of this kind of database.
        dialect: Whose SQL it speaks: ``"sqlite"``, ``"postgresql"``, ``"mysql"``, or that of another's backend.
        spelling: The backend's class: how names and marks are written, and what the database can do.
        path: The database's file, if it is one.
        in_memory: Whether it lives in this process only.
        shapes: Compiled query shapes, by key; filled by the models.
        known: Shapes that another process compiled; None where nobody keeps them.
        lookups: Compiled lookups by key, the specialised form of ``objects.get(pk=…)``; filled by the models.
        statements: Statements that write rows, and what makes the rows; filled by the models.
        compiling: Held while a shape is compiled: SQLAlchemy's tables are made once, by one thread. Forks wait for it.
        version: Counts what this process wrote, so that relations loaded before a write are loaded anew.
        queries: How many statements were executed, for tests and reports.
        receivers: Who hears what is written here; the site's own.
    """

    def __init__(
        self,
        url: str,
        *,
        folder: Path | None = None,
        alias: str = DEFAULT,
        read_only: bool = False,
        replica_of: str = "",
        atomic_requests: bool = False,
    ) -> None:
        self.url = url
        self.atomic_requests = atomic_requests
        super().__init__(backend_for(url, folder or Path.cwd()))
        self.backend.read_only = self.read_only = read_only or bool(replica_of)
        self.alias, self.replica_of = alias, replica_of
        self.place = replica_of or alias
        self.dialect = self.backend.dialect
        self.spelling = type(self.backend)
        self.path = self.backend.path
        self._remote = self.backend.remote
        self._direct = self.backend.direct
        self._embedded = self._direct and not self._remote
        self.shapes: dict[Any, Any] = {}
        self.known: Any = None
        self.lookups: dict[Any, Any] = {}
        self.statements: dict[Any, Any] = {}
        self.compiling = lock_for_forks()
        self.schema: Any = None
        self.queries = 0
        self.on_query: list[Callable[[str], None]] = []
        self.receivers = Receivers()
        self._watch = RawWatch(self)
        self._sqlalchemy_dialect: Any = None

    def __repr__(self) -> str:
        return f"<Database {self.safe_url}>"

    @property
    def safe_url(self) -> str:
        """The URL without its password."""
        return self.backend.safe_url

    def empty_twin(self) -> Database:
        """A database of SQLite's in memory, without tables, in which the same functions are known as in this one."""
        scheme, options = self.url.partition("://")[0], self.url.partition("?")[2]
        twin = Database(f"{scheme}://{'?' * bool(options)}{options}")
        for hook in self._hooks:
            twin.on_connect(hook)
        return twin

    # statements

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Run one statement with bound parameters and return its cursor.

        What it writes is told by ``rows_changed``, with the operation ``raw``.

        Raises:
            IntegrityError: A constraint was broken.
            DatabaseError: Anything else that the database refused.
        """
        note_statement(sql, sys._getframe(1))
        if self._local.transaction is not None and is_ending(sql):
            raise refusals.ends_block(sql)
        if self.receivers.watching:
            found = self._run_watched(lambda: self.run(sql, parameters), sql, parameters)
        else:
            found = self.run(sql, parameters)
        if not is_reading(sql):
            self.changed()
        return found

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """``execute``, for those who tell what they write themselves (``wrote``)."""
        self.queries += 1
        local = self._local
        if self._remote or local.wrappers or self.on_query:
            return self._run_attended(sql, parameters, False)
        connection = local.connection
        if connection is None or local.pid != os.getpid():
            connection = self.connection
        try:
            if self._direct:
                return connection.execute(sql, parameters)
            return self._send(connection, sql, parameters, False)
        except Exception as error:
            raise self.translated(error, sql, parameters) from error

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for every row of parameters."""
        if self.receivers.watching and rows:
            self._run_watched(lambda: self.run_many(sql, rows), sql, rows[0])
        else:
            self.run_many(sql, rows)
        self.changed()

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """``executemany``, for those who tell what they write themselves (``wrote``); how many rows it met."""
        self.queries += 1
        cursor = self._run_attended(sql, rows, True)
        count = int(cursor.rowcount)
        cursor.close()
        return count

    def _run_attended(
        self, sql: str, parameters: Sequence[Any], many: bool, last: Callable[..., Any] | None = None
    ) -> Any:
        """Run a statement through all who want to see it.

        Args:
            sql: The statement.
            parameters: Its parameters, or a list of them.
            many: It is a list.
            last: What runs it, in the end.
        """
        for listener in self.on_query:
            listener(sql)
        run: Callable[..., Any] = last or self._run_safely
        for wrapper in reversed(self._local.wrappers):
            run = partial(wrapper, run)
        return run(sql, parameters, many, {"database": self})

    def _run_safely(self, sql: str, parameters: Sequence[Any], many: bool, context: Mapping[str, Any]) -> Any:
        connection = self.usable() if self._remote else self.connection
        once = None if many else parameters
        return self._persist(connection, sql, lambda used: self._send(used, sql, parameters, many), once)

    def _persist(self, connection: Any, sql: str, send: Callable[[Any], Any], parameters: Sequence[Any] | None) -> Any:
        """Send a statement, over a new connection if the server ended the old one while nothing was under way."""
        try:
            return send(connection)
        except Exception as error:  # noqa: BLE001 - told, or sent again
            return self._send_again(error, connection, sql, send, parameters)

    def _send_again(
        self,
        error: Exception,
        connection: Any,
        sql: str,
        send: Callable[[Any], Any],
        parameters: Sequence[Any] | None = None,
    ) -> Any:
        """Send what failed over a new connection, if the old one is lost and nothing was under way; or raise."""
        may_repeat = self._remote and self.backend.is_lost(connection) and not self.is_inside
        told = self.translated(error, sql, parameters)
        is_given_up = told is error or self.backend.is_overdue(error)  # an error that no driver made ended the wait
        if not (may_repeat and self.backend.is_repeatable(sql)) or is_given_up:
            raise told from error
        self.renew()
        if self.backend.may_write(self, sql):
            raise told from error
        try:
            return send(self.connection)
        except Exception as again:
            raise self.translated(again, sql) from again

    def _send(self, connection: Any, sql: str, parameters: Sequence[Any], many: bool) -> Any:
        cursor = connection.cursor()
        if many:
            self.backend.send_many(cursor, sql, parameters)
        else:
            cursor.execute(sql, parameters)
            self.backend.refuse_doubtful(cursor, sql)
        return cursor

    def _run_watched(self, run: Callable[[], Any], sql: str, parameters: Sequence[Any]) -> Any:
        """Run a statement that somebody wrote by hand, and tell which tables it wrote."""
        models = self._watch.written(sql, parameters)
        found = run()
        for model in models:
            self.wrote(model, "raw", None)
        return found

    def refuse_lost_file(self) -> None:
        """Tell that what was just committed is lost, if the database is a file that is no longer there.

        This is asked after a commit, and not before: the file may go at any time.

        Raises:
            DatabaseUnavailable: It was removed, or replaced by another.
        """
        if self.path is not None and self.has_lost_connection:
            self.renew()
            raise refusals.lost_written(self)

    def wrote(self, model: Any, operation: str, keys: Iterable[Any] | None) -> None:
        """Say that rows were written: at once outside of a transaction, after the commit inside one.

        Args:
            model: Whose rows.
            operation: ``insert``, ``update``, ``delete`` or ``raw``.
            keys: Their primary keys, as Python has them; None if they are not known.
        """
        self.changed([model._meta.table] if operation in ("insert", "update") else [EVERY])
        if not self._remote and self.transaction is None:
            self.refuse_lost_file()
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
        note_statement(sql, sys._getframe(1))
        if self.receivers.watching:
            found: list[Any] = self._run_watched(lambda: self.ask(sql, parameters), sql, parameters)
            return found
        return self.ask(sql, parameters)

    def ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """``fetch``, for those who note what they read, and tell what they write, themselves."""
        local = self._local
        if self._embedded and not local.wrappers:
            return self._read_here(local, sql, parameters)
        if self._remote and not local.wrappers and is_reading(sql):
            self.queries += 1
            for listener in self.on_query:
                listener(sql)
            return self._read(local, sql, parameters)
        cursor = self.run(sql, parameters)
        rows: list[Any] = self.taken(cursor.fetchall, sql, parameters=parameters)
        return rows if rows.__class__ is list else list(rows)

    def _read_here(self, local: Local, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows of a question to a database in this process: of a lookup by key, all that is not SQLite's."""
        self.queries += 1
        for listener in self.on_query:
            listener(sql)
        connection, cursor = local.connection, None
        if connection is None or local.pid != os.getpid():
            connection = self.connection
        try:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall()  # type: ignore[no-any-return]  # a list of tuples
        except Exception as error:  # noqa: BLE001 - told
            told = error if cursor is None else self.backend.unread(cursor, error, sql, parameters)
            raise self.translated(told, sql, parameters) from told

    def taken(
        self, take: Callable[..., Any], sql: str, *arguments: Any, parameters: Sequence[Any] | None = None
    ) -> Any:
        """Rows that a cursor gives. A value may be none that the driver can give, such as a day in the year 10,000.

        Args:
            take: The cursor's function.
            sql: What it was asked.
            arguments: Of the function.
            parameters: Of the question, if they are at hand.
        """
        try:
            return take(*arguments)
        except Exception as error:  # noqa: BLE001 - told
            told = self.backend.unread(getattr(take, "__self__", None), error, sql, parameters)
            raise self.translated(told, sql) from told

    def _read(self, local: Local, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows of a question, which is asked over a new connection if the server ended the old one."""
        connection = self.current_connection()
        owner, read = local.reader
        if owner is not connection:
            read = self.backend.reader(connection)
            local.reader = connection, read
        try:
            rows: list[Any] = read(sql, parameters)
        except Exception as error:  # noqa: BLE001 - told, or asked again
            found: list[Any] = self._send_again(
                error, connection, sql, lambda used: self.backend.reader(used)(sql, parameters), parameters
            )
            return found
        return rows

    def stream(self, sql: str, parameters: Sequence[Any] = (), *, size: int) -> Iterator[list[Any]]:
        """The rows of one question, so many at a time; the others stay with the server meanwhile.

        They are the rows of the moment of asking, whatever is written while they are taken. Where the backend does not
        ``stream_beside`` others, nothing else can be asked before the last of them is taken.

        Args:
            sql: The question.
            parameters: Its parameters.
            size: Rows at a time.
        """
        with self.open_stream(sql, parameters) as stream:
            yield from stream.chunks(size)

    def open_stream(self, sql: str, parameters: Sequence[Any] = ()) -> Stream:
        """The same, with the names of the columns. Use it in a ``with`` block."""
        self.queries += 1
        return streams.Stream(self, self._run_attended(sql, parameters, False, self._open_stream), sql, parameters)

    def _open_stream(self, sql: str, parameters: Sequence[Any], many: bool, context: Mapping[str, Any]) -> Any:
        connection = self.usable() if self._remote else self.connection
        return self._persist(connection, sql, lambda used: self._stream_over(used, sql, parameters), None)

    def _stream_over(self, connection: Any, sql: str, parameters: Sequence[Any]) -> Any:
        cursor = self.backend.stream_cursor(connection)
        try:
            cursor.execute(sql, parameters)
        except Exception:
            cursor.close()
            raise
        return cursor

    def cursor(self) -> Cursor:
        """A cursor for SQL that is written by hand: ``with site.database.cursor() as cursor: cursor.execute(...)``."""
        return Cursor(self)

    @contextmanager
    def inspector(self) -> Iterator[Any]:
        """SQLAlchemy's inspector, on this thread's connection."""
        import sqlalchemy as sa
        from sqlalchemy.pool import StaticPool

        with self.backend.inspectable(self.connection) as found:
            options = {"creator": lambda: found, "poolclass": StaticPool, **self.backend.dialect_options}
            engine = sa.create_engine(self.backend.sqlalchemy_url, **options)
            with engine.connect() as connection:
                yield sa.inspect(connection)

    def table_names(self) -> list[str]:
        """The tables that there are, sorted."""
        return sorted(self.backend.table_names(self))

    def has_table(self, name: str) -> bool:
        """Whether there is a table of this name."""
        return self.backend.has_table(self, name)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Collect the SQL text of every statement run inside the block, by any thread."""
        seen: list[str] = []
        self.on_query.append(seen.append)
        try:
            yield seen
        finally:
            self.on_query.remove(seen.append)

    @contextmanager
    def wrap(self, wrapper: Wrapper) -> Iterator[None]:
        """Let a function stand around every statement that this thread runs inside the block, as Django's
        ``execute_wrapper`` does.

        Args:
            wrapper: Called as ``wrapper(execute, sql, parameters, many, context)``. It calls ``execute`` with what
                it was given, or something else, and returns its cursor; or it raises, and nothing is run.
        """
        local = self._local
        before = local.wrappers
        local.wrappers = (*before, wrapper)
        try:
            yield
        finally:
            local.wrappers = before

    @contextmanager
    def log(self) -> Iterator[list[LoggedQuery]]:
        """Collect the statements that this thread runs inside the block: how long each took, how many rows it gave,
        and which line of a template or of Python asked."""
        log = QueryLog()
        with self.wrap(log):
            yield log.queries

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
        if not callable(function):
            hint = "Give the function, without a call: on_commit(notify)."
            raise TransactionError(f"on_commit({function!r}): that is no function", hint=hint)
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
            self.break_off(ASKED)
        else:
            self.transaction.broken = ""
            self.resume()

    @contextmanager
    def references_held(self) -> Iterator[None]:
        """A block, inside a transaction, in which rows may refer to rows that come later.

        Where a database can, references are checked at the commit, those of tables that others made, too. One that
        cannot checks none inside the block: whoever uses it proves before the end that no row refers to nothing.
        """
        self.backend.hold_references(self)
        try:
            yield
        finally:
            self.backend.release_references(self)

    @property
    def is_inside(self) -> bool:
        """Whether this thread's connection is in a transaction or a snapshot, which end with it."""
        return self._local.transaction is not None or self._local.snapshot

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
        try:
            self.backend.begin_snapshot(self, name)
            self._keep_memo(self.backend.version(self.connection))
        except BaseException:  # else the transaction would stay open
            roll_back(self)
            raise
        self._local.snapshot = True

    def end_snapshot(self) -> None:
        """Leave the read transaction."""
        self._local.snapshot = False
        if self._remote and self.has_lost_connection:
            self.renew()
        else:
            self.run("COMMIT")  # nothing was written; after ROLLBACK, psycopg lets go of all that it has prepared

    # SQLAlchemy, when needed

    @property
    def sqlalchemy_dialect(self) -> Any:
        """SQLAlchemy's dialect object for compiling statements, with positional parameters."""
        if self._sqlalchemy_dialect is None:
            self._sqlalchemy_dialect = self.backend.compiler(self.find_idle())
        return self._sqlalchemy_dialect

    def translated(self, error: Exception, sql: str, parameters: Sequence[Any] | None = None) -> Exception:
        """The toolkit's error for a driver's; an error that no driver made is returned as it is."""
        return refusals.translated(self, error, sql, parameters)
