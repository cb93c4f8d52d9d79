"""SQLite: one file, or the memory of one process."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from toolkit.database.backends.base import Backend, Broken
from toolkit.database.backends.reading import NoValue, Unread, is_reading
from toolkit.database.backends.values import in_utc, microseconds
from toolkit.database.json_values import FUNCTIONS as JSON_FUNCTIONS
from toolkit.database.pool import Bounds
from toolkit.database.sqlfunctions import register
from toolkit.database.sqlguards import register as register_guards
from toolkit.database.sqlguards import take_failure
from toolkit.database.sqlpatterns import matches
from toolkit.database.tokens.keeping import BUCKETS, TOKENS
from toolkit.database.tokens.sqlite import SQLiteTokens
from toolkit.errors import DatabaseError, DatabaseUnavailable, did_you_mean

if TYPE_CHECKING:
    from toolkit.database.connections import Database
    from toolkit.database.tokens import TokenKeeper

PAGE_CACHE_KIBIBYTES = 16 * 1024
"""What one connection keeps of the file at most. Source: sqlite.org/pragma.html#pragma_cache_size.

With SQLite's own 2 MB, the lists of a database of 90 MB read the same pages of it again and again.
"""

BUSY_TIMEOUT_MILLISECONDS = 10_000
ROWS_IN_STATEMENT = 20
TOLD_REFERENCES = 100
"""Rows that refer to none, of which what they refer to is read before they are taken back."""

PARAMETERS = 32_766
"""What a statement may have of them. Source: sqlite.org/limits.html, "Maximum Number Of Host Parameters"."""


class Durability(NamedTuple):
    """How a file is written, as its URL says: ``sqlite:///site.db?synchronous=normal&journal_mode=delete``.

    By default a commit is on the disk when it returns, and readers never wait for the writer.
    Source: sqlite.org/pragma.html, "synchronous" and "journal_mode".

    Args:
        synchronous: ``full``: what was committed survives a loss of power. ``normal``: the last commits before one may
            be gone, and nothing is half there; quicker where each row is a transaction of its own. ``extra`` also
            waits for the folder. ``off`` leaves it to the system: a loss of power may spoil the file.
        journal_mode: ``wal``, or for a file system that cannot share memory ``delete``, ``truncate`` or ``persist``,
            where readers and the writer wait for each other.
    """

    synchronous: str = "full"
    journal_mode: str = "wal"


CHOICES = {
    "synchronous": ("full", "normal", "extra", "off"),
    "journal_mode": ("wal", "delete", "truncate", "persist"),
}
"""What a URL may say. A journal that is kept in memory, or not at all, is not among it: a process killed while it
writes would leave a file that nobody can read."""

_WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}

TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"


class Connection(sqlite3.Connection):
    """One to a file, or to memory.

    Attributes:
        file: Which file it has open.
        log: Which write-ahead log.
    """

    file: tuple[int, int] | None = None
    log: tuple[int, int] | None = None

    def __del__(self) -> None:
        """End with the database that held it, which nobody has to close; since Python 3.13 the module warns of that."""
        with suppress(sqlite3.ProgrammingError):  # it was never opened
            self.close()


class SQLite(Backend):
    """SQLite, through Python's own module."""

    dialect = "sqlite"
    driver = "sqlite"
    placeholder = "?"
    paramstyle = "qmark"
    begin = ("BEGIN IMMEDIATE",)
    locks_rows = False
    snapshot = ("BEGIN", "SELECT count(*) FROM sqlite_master")  # the transaction begins with the first read
    remote = False
    loss: ClassVar[str] = "the file of {} was removed or replaced"
    bounds = Bounds()
    direct = True
    nulls_first: ClassVar[bool] = True
    joined_tables: ClassVar[int | None] = 64  # sqlite.org/limits.html, "Maximum Number Of Tables In A Join"
    combined_questions: ClassVar[int | None] = 500  # the same, "Maximum Number Of Terms In A Compound SELECT Statement"
    nested_questions: ClassVar[int] = 11  # so many SELECTs fit its parser's stack
    too_large: ClassVar[str] = (
        r"parser stack overflow|Expression tree is too large|too many (SQL variables|columns|terms|arguments on)"
    )

    writers: ClassVar[Mapping[type, Callable[[Any], Any]]] = {
        Decimal: float,
        UUID: lambda value: value.hex,
        timedelta: microseconds,
        datetime: lambda value: in_utc(value).isoformat(" "),
        date: date.isoformat,
        time: time.isoformat,
    }

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        if self.bounds.read_timeout_seconds is not None:
            told = "read_timeout_seconds in the database's URL is no option of SQLite"
            raise DatabaseError(told, hint="Leave it out: no server has to answer.")
        self._path = _path_of(url, folder)
        self.durability = _durability_of(self.sqlalchemy_url)
        self._left: Connection | None = None

    @property
    def path(self) -> Path | None:
        return self._path

    @property
    def in_memory(self) -> bool:
        return self._path is None

    @property
    def shares_snapshots(self) -> bool:
        """It can be proved that nobody wrote in between."""
        return self._path is not None

    def connect(self) -> Connection:
        path = self._path
        if path is not None and self._left is not None:
            self._refuse_remains(path, self._left)
        if path is not None and not path.parent.is_dir():
            raise DatabaseUnavailable(
                f"the database {path} cannot be opened: its folder does not exist",
                hint="Create the folder, or mend the setting 'database'.",
            )
        try:
            name = (
                ":memory:" if path is None else f"{path.absolute().as_uri()}?mode=ro" if self.read_only else str(path)
            )
            connection = sqlite3.connect(
                name,
                isolation_level=None,
                cached_statements=512,
                check_same_thread=False,
                uri=self.read_only,
                factory=Connection,
            )
            self.prepare(connection)
        except sqlite3.Error as error:
            raise DatabaseUnavailable(
                f"the database {path} cannot be opened: {error}",
                hint="Is it a SQLite file, and may this user read and write it and its folder?",
            ) from error
        if path is not None:
            connection.file, connection.log = _inode(path), _inode(_log_of(path))
        self._left = None
        return connection

    def _refuse_remains(self, path: Path, left: Connection) -> None:
        """Do not open what is at a path after another file was lost from there.

        SQLite would make an empty file where there is none, and take the log of the lost one for that of its successor.
        Source: sqlite.org/howtocorrupt.html, 1.4.
        """
        log = _log_of(path)
        if not path.exists():
            raise DatabaseUnavailable(
                f"the database {path} was removed while it was open", hint="Put it back, or start again without it."
            )
        if left.log is not None and _inode(log) == left.log and log.stat().st_size:
            raise DatabaseUnavailable(
                f"the database {path} was replaced while it was open, and {log.name} is still that of the file before: "
                "together they would be neither of the two",
                hint=f"End all programs that have it open, remove {log.name} and {path.name}-shm, and start again. To "
                "replace a database that is in use, let SQLite write into it: sqlite3 site.db '.restore backup.db'.",
            )

    def prepare(self, connection: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{PAGE_CACHE_KIBIBYTES}")
        with suppress(sqlite3.OperationalError):  # a read-only file keeps the journal mode it has
            connection.execute(f"PRAGMA journal_mode={self.durability.journal_mode}")
            connection.execute(f"PRAGMA synchronous={self.durability.synchronous}")
        connection.execute("SELECT count(*) FROM sqlite_master")
        connection.create_function("toolkit_fold", 1, _fold, deterministic=True)
        connection.create_function("toolkit_matches", 2, matches, deterministic=True)
        for name, (count, function) in JSON_FUNCTIONS.items():
            connection.create_function(name, count, function, deterministic=True)
        register(connection)
        register_guards(connection)

    def opening(self) -> Sequence[str]:
        """Whoever may not write takes no lock of the writer's."""
        return ("BEGIN",) if self.read_only else self.begin

    def compiler(self, connection: Any = None) -> Any:
        return self.dialect_class()(paramstyle=self.paramstyle)

    def is_lost(self, connection: Any) -> bool:
        """Whether its file is no longer where it was. What is written to one that was removed is gone with it, and on
        this SQLite says nothing. To ask the file system takes a millionth of a second."""
        file = getattr(connection, "file", None)
        if self._path is None or file is None or _inode(self._path) == file:
            return False
        self._left = connection
        return True

    def is_alive(self, connection: Any) -> bool:
        return not self.is_lost(connection)

    def forbid_writing(self, connection: Any) -> None:
        connection.execute("PRAGMA query_only = ON")

    def table_names(self, database: Database) -> list[str]:
        """Those that SQLite makes for itself, such as that of its counters, are left out."""
        return [name for (name,) in database.fetch(TABLES)]

    def has_table(self, database: Database, name: str) -> bool:
        return bool(database.fetch(f"{TABLES} AND name = ?", (name,)))

    def next_keys(self, database: Database, table: str, column: str, count: int) -> Sequence[int]:
        """The transaction holds the lock of the one writer."""
        sql = f"SELECT coalesce(max({self.quoted(column)}), 0) FROM {self.quoted(table)}"  # noqa: S608 - of the schema
        last = max(database.fetch(sql)[0][0], self.last_key(database, table))
        return range(last + 1, last + 1 + count)

    def last_key(self, database: Database, table: str) -> int:
        """Source: sqlite.org/autoinc.html."""
        if not database.fetch("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
            return 0  # it comes with the first table that has a counter
        found = database.fetch("SELECT seq FROM sqlite_sequence WHERE name = ? COLLATE NOCASE", (table,))
        return int(found[0][0] or 0) if found else 0

    def insert_all(self, database: Database, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """A counter of keys is read and written once a statement, so each takes several rows.

        Source: sqlite.org/autoinc.html. Measured with 60 such tables, 200,000 rows: 0.66 s of CPU row by row,
        0.16 s by twenty; without counters 0.18 s.
        """
        head, values, one = sql.rpartition(" VALUES ")
        size = min(ROWS_IN_STATEMENT, PARAMETERS // max(1, len(rows[0])))
        whole = len(rows) - len(rows) % size if values else 0
        if whole:
            together = [list(chain.from_iterable(rows[at : at + size])) for at in range(0, whole, size)]
            database.run_many(f"{head}{values}{', '.join([one] * size)}", together)
        if whole < len(rows):
            database.run_many(sql, rows[whole:])

    def insert_returning(self, database: Database, sql: str, key: str, rows: Sequence[Sequence[Any]]) -> Sequence[Any]:
        return [database.run(f"{sql} RETURNING {key}", row).fetchone()[0] for row in rows]

    def token_keeper(self) -> TokenKeeper:
        return SQLiteTokens()

    def written_tables(self, database: Database, sql: str, parameters: Sequence[Any]) -> set[str] | None:
        """SQLite names each table that a statement writes, those that triggers and references write included.

        Source: sqlite.org/c3ref/set_authorizer.html.
        """
        found: set[str] = set()

        def note(action: int, table: str | None, *_: Any) -> int:
            if action in _WRITES and table is not None:
                found.add(table)
            return sqlite3.SQLITE_OK

        connection = database.connection
        connection.set_authorizer(note)
        try:
            connection.execute(f"EXPLAIN {sql}", parameters).close()
        except sqlite3.Error:
            return None
        finally:
            connection.set_authorizer(None)
        return found

    def version(self, connection: Any) -> tuple[int, int]:
        """The first number changes when another connection writes, the second when this one does."""
        return connection.execute("PRAGMA data_version").fetchone()[0], connection.total_changes

    def hold_references(self, database: Database) -> None:
        """Until the commit. Source: sqlite.org/pragma.html, "defer_foreign_keys"."""
        database.run("PRAGMA defer_foreign_keys = ON")

    def broken_references(self, database: Database, undo: Callable[[], None]) -> Broken | None:
        """Source: sqlite.org/pragma.html#pragma_foreign_key_check."""
        connection, check = database.connection, "PRAGMA foreign_key_check"
        every = connection.execute(check).fetchall()
        told = {each: _dangling(connection, *each) for each in every[:TOLD_REFERENCES]}
        undo()
        before = set(connection.execute(check).fetchall())  # which another program may have left behind
        found = [one for each, one in told.items() if each not in before]
        if not found:
            return None
        left = len(set(every) - before) - 3
        more = f"; and {left} more" if left > 0 else ""
        return Broken("foreign_key", found[0].constraint, "; ".join(each.told for each in found[:3]) + more)

    def broken_references_of(self, database: Database, sql: str, parameters: Sequence[Any]) -> Broken | None:
        """The statement is run once more, where its rows can be looked at before they are taken back."""
        connection = database.connection
        if connection.in_transaction:
            return None

        def undo() -> None:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("PRAGMA defer_foreign_keys = ON")  # until this transaction ends
            connection.execute(sql, parameters).fetchall()
            return self.broken_references(database, undo)
        except sqlite3.Error:  # somebody else writes, or something else is wrong with it, too
            return None
        finally:
            undo()

    def broken(self, error: Exception) -> Broken | None:
        if not isinstance(error, sqlite3.IntegrityError):
            return None
        found = re.match(
            r"(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (?:index '(.*)'$)?(.*))?", str(error)
        )
        return Broken(_KINDS[found[1]], found[2] or found[3] or "") if found else Broken()

    def told(self, error: Exception) -> str:
        """A function's own words, where SQLite says only that there was an error in one."""
        found = super().told(error)
        return (take_failure() or found) if found.startswith("user-defined ") else found

    def unread(self, cursor: Any, error: Exception, sql: str, parameters: Sequence[Any] | None) -> Exception:
        """A text that another program wrote in another encoding: the question is asked once more, without the rest."""
        if parameters is None or not str(error).startswith("Could not decode to UTF-8") or not is_reading(sql):
            return error
        connection = cursor.connection
        connection.text_factory = _text_or_none
        try:
            found = connection.execute(sql, parameters)
            rows = [row for row in found if any(isinstance(value, NoValue) for value in row)]
        finally:
            connection.text_factory = str
        return Unread([column[0] for column in found.description], rows)

    def forbids(self, error: BaseException | None) -> bool:
        return "readonly database" in str(error)

    def contention(self, error: Exception) -> str:
        return "locked" if "database is locked" in str(error) else ""

    def hint(self, told: str) -> str | None:
        return next((hint for pattern, hint in _HINTS if re.search(pattern, told)), None)


def _dangling(connection: Any, table: str, row: int | None, parent: str, number: int) -> Broken:
    """What to tell of a row that refers to none; one of a table without rowid has no number."""
    keys = connection.execute(
        'SELECT "from" FROM pragma_foreign_key_list(?) WHERE id = ? ORDER BY seq', [table, number]
    )
    columns = [column for (column,) in keys]
    names = ", ".join(columns)
    shown = f": {names}"
    if row is not None:
        chosen = ", ".join(map(SQLite.quoted, columns))
        values = connection.execute(f"SELECT {chosen} FROM {SQLite.quoted(table)} WHERE rowid = ?", [row]).fetchone()  # noqa: S608 - quoted
        shown = f": {names} = {', '.join(map(repr, values))}"
    which = "a row" if row is None else f"row {row}"
    told = f"{which} of {table} refers to a row of {parent} that does not exist{shown}"
    return Broken("foreign_key", f"{table}.{', '.join(columns)}", told)


def _text_or_none(written: bytes) -> str | NoValue:
    try:
        return written.decode()
    except UnicodeDecodeError:
        return NoValue(repr(written), "it is not UTF-8")


_KINDS = {"UNIQUE": "unique", "NOT NULL": "not_null", "CHECK": "check", "FOREIGN KEY": "foreign_key"}

_HINTS = (
    (
        r"database is locked",
        f"Another process has been writing for more than {BUSY_TIMEOUT_MILLISECONDS // 1000} seconds. "
        "Try again when it is done.",
    ),
    (
        rf"no such table: (main\.)?({TOKENS}|{BUCKETS})",
        "Somebody dropped a table of the toolkit's, to which triggers write. Run: toolkit build. It takes the triggers "
        "away before it writes, and makes the tables and the triggers anew.",
    ),
    (
        r"disk I/O error",
        "If somebody removed the -wal file beside the database: end all programs that have it open, in order, and what "
        "they wrote is in it. If not, look whether the disk is well.",
    ),
    (r"database or disk is full", "Make room on the disk, and run it again: nothing of it was written."),
    (
        r"malformed|not a database",
        "The file is damaged. Restore a backup, or save what is left: sqlite3 site.db .recover",
    ),
    (r"readonly database", "May this user write the file and its folder?"),
    (r"digits than SQLite keeps", "Sum parts, or Cast() to a float first."),
    (
        r"parser stack overflow|Expression tree is too large",
        "Nest conditions, expressions and querysets less deeply: load the keys of an inner question first, and give "
        "them as a list: pk__in=[...].",
    ),
    (r"user-defined function raised", "A regular expression must be one of Python's re module."),
)


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _inode(path: Path) -> tuple[int, int] | None:
    """Which file is at a path; None if there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - at every transaction
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def _path_of(url: str, folder: Path) -> Path | None:
    """The file of a SQLite URL (three slashes relative, four absolute), or None for memory."""
    name = url.partition("://")[2].partition("?")[0].removeprefix("/")
    return None if name in ("", ":memory:") else folder / name


def _durability_of(url: str) -> Durability:
    """What a URL's query says.

    Raises:
        DatabaseError: An option is unknown, or has a value that it cannot have.
    """
    found = {}
    for name, text in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if name not in CHOICES:
            known = [*CHOICES, *Bounds._fields]
            raise DatabaseError(
                f"{name}={text} in the database's URL is no option of SQLite", hint=did_you_mean(name, known)
            )
        if text.lower() not in CHOICES[name]:
            raise DatabaseError(
                f"{name}={text} in the database's URL is not possible", hint=f"It may be {', '.join(CHOICES[name])}."
            )
        found[name] = text.lower()
    return Durability(**found)


def _fold(text: str | None) -> str | None:
    """Unicode case folding for case-insensitive comparison; SQLite itself folds ASCII only."""
    return text.casefold() if isinstance(text, str) else text
