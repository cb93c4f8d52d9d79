"""One database of one site: a raw DB-API connection for each thread, and nothing that outlives a fork.

SQLAlchemy brings the dialects; it is imported only when a statement has to be compiled, so that a command
with nothing to ask starts fast.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from toolkit.database.transactions import Atomic, Transaction
from toolkit.errors import DatabaseError, DatabaseUnavailable, IntegrityError

CONNECT_TIMEOUT_SECONDS = 10
BUSY_TIMEOUT_MILLISECONDS = 10_000

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_DIALECT_NAMES = {"postgres": "postgresql", "mariadb": "mysql"}
_SNAPSHOTS = {
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "mysql": "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
}
_EXTRAS = {"postgresql": "postgresql", "mysql": "mysql"}


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
        dialect: ``"sqlite"``, ``"postgresql"`` or ``"mysql"``.
        shapes: Compiled query shapes, by key; filled by the models.
        lookups: Compiled lookups by key, the specialised form of ``objects.get(pk=…)``; filled by the models.
        compiling: Held while a shape is compiled: SQLAlchemy's tables are made once, by one thread.
        version: Counts what this process wrote, so that relations loaded before a write are loaded anew.
        queries: How many statements were executed, for tests and reports.
    """

    def __init__(self, url: str, *, folder: Path | None = None) -> None:
        self.url = url
        scheme = urlsplit(url).scheme
        base = scheme.partition("+")[0]
        if base not in _DRIVERS:
            raise DatabaseError(
                f"database = {url!r} names no database that the toolkit knows",
                hint="Use sqlite:///file.db, postgresql://user@host/name or mysql://user@host/name.",
            )
        self.dialect = _DIALECT_NAMES.get(base, base)
        self._sqlalchemy_url = url.replace(scheme, _DRIVERS[base] if "+" not in scheme else scheme, 1)
        self.path = _sqlite_path(url, folder or Path.cwd()) if self.dialect == "sqlite" else None
        self.shapes: dict[Any, Any] = {}
        self.lookups: dict[Any, Any] = {}
        self.compiling = threading.RLock()
        self.version = 0
        self.schema: Any = None
        self.queries = 0
        self.on_query: list[Callable[[str], None]] = []
        self._hooks: list[Callable[[Any], None]] = []
        self._local = _Local()
        self._shared_connection: Any = None
        self._shared_lock = threading.RLock()
        self._inherited: list[Any] = []
        self._sqlalchemy_dialect: Any = None

    def __repr__(self) -> str:
        return f"<Database {self.safe_url}>"

    @property
    def safe_url(self) -> str:
        """The URL without its password."""
        parts = urlsplit(self.url)
        return self.url.replace(f":{parts.password}@", ":***@") if parts.password else self.url

    @property
    def in_memory(self) -> bool:
        """Whether it is a SQLite database that lives in this process only."""
        return self.dialect == "sqlite" and self.path is None

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
            if self.dialect == "sqlite":
                self._keep_memo(self._sqlite_version())
            else:
                local.memo.clear()
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

        Raises:
            IntegrityError: A constraint was broken.
            DatabaseError: Anything else that the database refused.
        """
        self.queries += 1
        if self.on_query:
            self._tell(sql)
        local = self._local
        connection = local.connection
        if connection is None or local.pid != os.getpid():
            connection = self.connection
        try:
            if self.dialect == "sqlite":
                return connection.execute(sql, parameters)
            cursor = connection.cursor()
            cursor.execute(sql, parameters)
            return cursor
        except Exception as error:
            raise translated(error, sql) from error

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for every row of parameters."""
        self.queries += 1
        if self.on_query:
            self._tell(sql)
        try:
            cursor = self.connection.cursor()
            cursor.executemany(sql, rows)
            cursor.close()
        except Exception as error:
            raise translated(error, sql) from error

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of one statement, as tuples."""
        rows = self.execute(sql, parameters).fetchall()
        return rows if isinstance(rows, list) else list(rows)

    def _tell(self, sql: str) -> None:
        for listener in self.on_query:
            listener(sql)

    def table_names(self) -> list[str]:
        """The tables that there are, sorted."""
        if self.dialect == "sqlite":
            rows = self.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
        else:
            schema = "current_schema()" if self.dialect == "postgresql" else "database()"
            rows = self.fetch(f"SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}")  # noqa: S608
        return sorted(name for (name,) in rows)

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

    def atomic(self) -> Atomic:
        """A block that is written whole or not at all; blocks nest as savepoints."""
        return Atomic(self)

    def on_commit(self, function: Callable[[], object]) -> None:
        """Call a function once what this thread is writing is committed; at once, outside of a transaction.

        It is never called when the transaction, or the block that it was registered in, is rolled back.
        """
        transaction = self.transaction
        if transaction is None:
            function()
        else:
            transaction.callbacks.append((transaction.depth, function))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A block in which every read of this thread sees the database as of one instant."""
        if self.transaction is not None or (self._local.snapshot and self._local.pid == os.getpid()):
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
        return self.dialect == "postgresql" or self.path is not None

    def export_snapshot(self) -> str:
        """A name under which other processes enter this thread's snapshot; empty where snapshots have none.

        Source: PostgreSQL, "System Administration Functions", ``pg_export_snapshot``.
        """
        return str(self.fetch("SELECT pg_export_snapshot()")[0][0]) if self.dialect == "postgresql" else ""

    def begin_snapshot(self, name: str = "") -> None:
        """Open a read transaction, and make it look now rather than at its first read.

        Args:
            name: Look at the snapshot that another process exported, instead.
        """
        if self.dialect == "sqlite":
            self.execute("BEGIN")
            self.fetch("SELECT count(*) FROM sqlite_master")
            self._keep_memo(self._sqlite_version())
        else:
            self._local.memo.clear()
            self.execute(_SNAPSHOTS[self.dialect])
            if name:
                self.execute(f"SET TRANSACTION SNAPSHOT '{name}'")
        self._local.snapshot = True

    def _sqlite_version(self) -> tuple[int, int]:
        """Changes when anybody writes: the first number when another connection does, the second when this one does."""
        connection = self.connection
        return connection.execute("PRAGMA data_version").fetchone()[0], connection.total_changes

    def _keep_memo(self, version: Any) -> None:
        """Keep the memo if nothing was written since it was filled, by others or by ourselves."""
        if self._local.memo_version != version:
            self._local.memo.clear()
            self._local.memo_version = version

    def end_snapshot(self) -> None:
        """Leave the read transaction."""
        self._local.snapshot = False
        self.execute("ROLLBACK")

    # SQLAlchemy, when needed

    @property
    def sqlalchemy_dialect(self) -> Any:
        """SQLAlchemy's dialect object for compiling statements, with positional parameters."""
        if self._sqlalchemy_dialect is None:
            from sqlalchemy.engine import make_url

            url = make_url(self._sqlalchemy_url)
            style = "qmark" if self.dialect == "sqlite" else "format"
            make: Any = url.get_dialect()
            dialect = make(paramstyle=style)
            if self.dialect != "sqlite":
                self._learn_server_version(dialect)
            self._sqlalchemy_dialect = dialect
        return self._sqlalchemy_dialect

    def _learn_server_version(self, dialect: Any) -> None:
        """Let the dialect ask the server what it can do, where the dialect's SQL depends on it."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        with create_engine(self._sqlalchemy_url, poolclass=NullPool).connect() as connection:
            dialect.initialize(connection)

    def _open(self) -> Any:
        connection = self._open_sqlite() if self.dialect == "sqlite" else self._open_server()
        for hook in self._hooks:
            hook(connection)
        return connection

    def _open_sqlite(self) -> sqlite3.Connection:
        if self.path is not None and not self.path.parent.is_dir():
            raise DatabaseUnavailable(
                f"the database {self.path} cannot be opened: its folder does not exist",
                hint="Create the folder, or mend the setting 'database'.",
            )
        try:
            connection = sqlite3.connect(
                str(self.path) if self.path else ":memory:",
                isolation_level=None,
                cached_statements=512,
                check_same_thread=False,
            )
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")
            connection.execute("PRAGMA foreign_keys=ON")
            with suppress(sqlite3.OperationalError):  # a read-only file keeps the journal mode it has
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.Error as error:
            raise DatabaseUnavailable(
                f"the database {self.path} cannot be opened: {error}",
                hint="Is it a SQLite file, and may this user read and write it and its folder?",
            ) from error
        connection.create_function("toolkit_fold", 1, _fold, deterministic=True)
        connection.create_function("toolkit_matches", 2, _matches, deterministic=True)
        return connection

    def _open_server(self) -> Any:
        from sqlalchemy.engine import make_url

        url = make_url(self._sqlalchemy_url)
        try:
            dialect = url.get_dialect()()
            dialect.dbapi = url.get_dialect().import_dbapi()
        except ImportError as error:
            raise DatabaseUnavailable(
                f"the driver for {self.safe_url} is not installed: {error}",
                hint=f"pip install 'publishing-toolkit[{_EXTRAS[self.dialect]}]'",
            ) from error
        arguments, options = dialect.create_connect_args(url)
        options.setdefault("connect_timeout", CONNECT_TIMEOUT_SECONDS)
        try:
            connection = dialect.dbapi.connect(*arguments, **options)
        except Exception as error:
            raise DatabaseUnavailable(
                f"the database {self.safe_url} cannot be reached: {str(error).strip()}",
                hint="Is the server running, and are host, port, user and name right in the setting 'database'?",
            ) from error
        if self.dialect == "postgresql":
            connection.autocommit = True
            connection.execute("SET TIME ZONE 'UTC'")  # parts of dates, and instants as read, are those of UTC
        else:
            connection.autocommit(True)
        return connection


def _fold(text: str | None) -> str | None:
    """Unicode case folding for case-insensitive comparison; SQLite itself folds ASCII only."""
    return text.casefold() if isinstance(text, str) else text


def _sqlite_path(url: str, folder: Path) -> Path | None:
    """The file of a SQLite URL (three slashes relative, four absolute), or None for memory."""
    rest = url.partition("://")[2]
    name = rest.partition("?")[0].removeprefix("/")
    if name in ("", ":memory:"):
        return None
    return folder / name


def _matches(text: str | None, pattern: str) -> bool | None:
    """Whether a regular expression is found in a text; SQLite has no engine of its own."""
    return None if text is None else re.search(pattern, str(text)) is not None


def translated(error: Exception, sql: str) -> Exception:
    """The toolkit's error for a driver's; an error that no driver made is returned as it is."""
    names = {kind.__name__ for kind in type(error).__mro__}
    told = " ".join(str(error).split())
    message = f"{told} (in: {' '.join(sql.split())[:200]})"
    if "IntegrityError" in names:
        return IntegrityError(message, hint="Nothing was written.")
    if isinstance(error, OverflowError):
        return DatabaseError(message, hint="Whole numbers have 64 bits.")
    if names & {"DatabaseError", "InterfaceError"}:
        return DatabaseError(message, hint=_hint_for(told))
    return error


def _hint_for(told: str) -> str | None:
    """The next step for what databases say most often."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, told)), None)


_HINTS = (
    (
        r"no such table|no such column|has no column named|(relation|column) .* does not exist|doesn't exist",
        "Apply the migrations: toolkit migrations apply.",
    ),
    (
        r"database is locked",
        f"Another process has been writing for more than {BUSY_TIMEOUT_MILLISECONDS // 1000} seconds. "
        "Try again when it is done.",
    ),
    (r"readonly database|read-only", "May this user write the file and its folder?"),
    (r"too many SQL variables", "Filter with a queryset instead of a list: author__in=Author.objects.filter(...)."),
    (r"user-defined function raised", "A regular expression must be one of Python's re module."),
)
