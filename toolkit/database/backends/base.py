"""What the toolkit must know of a kind of database: how to open it, which words it uses, what it can do."""

from __future__ import annotations

import re
import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from urllib.parse import urlsplit

from toolkit.database.backends.reading import CursorReader, Reader, is_reading
from toolkit.database.pool import Bounds, take_bounds
from toolkit.errors import DatabaseError, DatabaseUnavailable

if TYPE_CHECKING:
    from toolkit.database.connections import Database
    from toolkit.database.tokens import TokenKeeper

CONNECT_TIMEOUT_SECONDS = 10

SECRETS = re.compile(r"([?&](?:password|passwd|sslpassword)=)[^&#]*")
"""What a URL's query says that nobody else should read."""


class Broken(NamedTuple):
    """A constraint that a row would have broken.

    Attributes:
        kind: ``"unique"``, ``"not_null"``, ``"foreign_key"``, ``"check"``, ``"exclusion"``, or empty.
        constraint: Its name, as far as the database tells.
        told: What to say before the driver's own message.
        mend: The next step, inside a transaction.
    """

    kind: str = ""
    constraint: str = ""
    told: str = ""
    mend: str = ""


class Target(NamedTuple):
    """Where a row is to be inserted or updated; all names are quoted.

    Attributes:
        table: The table.
        key: The column of the key.
        columns: The columns that the row has.
        unique: The sets of columns by which it is known to be there already.
    """

    table: str
    key: str
    columns: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]


@contextmanager
def closed_unless_done(connection: Any) -> Iterator[None]:
    """A block that makes a new connection ready; one that fails in it is closed, for nobody else has it."""
    try:
        yield
    except BaseException:
        with suppress(Exception):  # it may have ended already
            connection.close()
        raise


class Backend:
    """One kind of database. Those of the toolkit and those of others are written the same way.

    A distribution adds one under the entry point group ``toolkit.backends``; the entry point's name is the URL's
    scheme. Subclass the nearest of the toolkit's, or this one, and override what differs.

    Args:
        url: The database's URL, with the scheme that the backend was found by.
        folder: Where a relative path starts, for databases that are files.

    Attributes:
        dialect: Whose SQL it speaks: ``"sqlite"``, ``"postgresql"``, ``"mysql"``, or a name of its own, which
            migrations do not know.
        driver: SQLAlchemy's name of dialect and driver, such as ``"postgresql+psycopg"``.
        extra: The extra of the toolkit that brings the driver.
        placeholder: What stands in a statement for a bound value.
        paramstyle: SQLAlchemy's word for it (PEP 249); a positional one.
        dialect_options: What SQLAlchemy's dialect is made with besides.
        whole_numbers: What stands in a statement for a list of whole numbers that is one value, written ``{1,2,3}``;
            empty where there is no such value.
        quote_marks: What stands before and after an identifier; the second is doubled inside.
        begin: Statements that open a transaction.
        savepoint: What makes, takes back and lets go of a savepoint; the last is empty where it needs no word.
        snapshot: Statements that open a transaction in which every read sees one instant.
        default_row: What an ``INSERT`` of no columns ends with; ``{key}`` stands for the column of the key.
        remote: It is a server: a connection may end at any time, and there should not be too many.
        loss: What to say of a connection that is lost; ``{}`` stands for the URL.
        bounds: How many connections there may be, and for how long, where the URL says nothing.
        direct: The driver's connection itself has ``execute``, as PEP 249 does not ask for.
        returning: ``INSERT ... RETURNING`` gives the key; otherwise the cursor's ``lastrowid`` does.
        deferrable: References are checked at commit, so that rows may be written in any order inside a transaction.
        partial_indexes: An index, a unique one too, may cover the rows that meet a condition.
        expression_indexes: An index, a unique one too, may be over what an expression gives.
        hidden_columns: An index is over columns alone, and what it computes becomes a column that nobody sees.
        deferrable_unique: A unique constraint may be checked when the transaction ends.
        nulls_not_distinct: A unique constraint may take NULL for a value like others.
        index_methods: There are PostgreSQL's kinds of index: GIN, GiST, BRIN and so on.
        exclusion: There are exclusion constraints.
        indexed_text_length: Characters that an indexed or unique text may have at most; None if there is no bound.
        conditions_are_values: A condition may stand where a value may: in ``coalesce(a > b, false)``.
        identity: A key that the database gives must be declared as one, beyond being a primary key.
        conflict_targets: ``on_conflict`` can be told which unique columns count.
        locks_rows: ``SELECT ... FOR UPDATE`` locks rows; otherwise a transaction that may write is the only one.
        lock_options: Which words of ``select_for_update`` it has beside ``nowait`` and ``skip_locked``.
        deadlock_ends_transaction: A deadlock rolls the whole transaction back, not the statement alone.
        stored_columns: A column may be computed when the row is written, and kept.
        virtual_columns: A column may be computed whenever it is read, and not kept.
        nulls_first: ``ORDER BY`` has NULLs first when ascending and last when descending, with no word said.
        places_nulls: ``ORDER BY`` knows NULLS FIRST and NULLS LAST.
        streams_beside: Other questions may be asked, and rows written, while the rows of one are taken from the server.
        sets_defaults: A reference may be set to its default when the row that it refers to goes.
        joined_tables: How many tables one SELECT may have; None if there is no bound.
        combined_questions: How many SELECTs a union and its kin may have; None if there is no bound.
        nested_questions: How many SELECTs may stand inside of one another: PostgreSQL plans 40 for 0.3 s, 80 for 19 s.
        too_large: A regular expression for what the driver says of a statement that is larger than the database takes.
        writers: How values of Python's types, the first that fits, are kept in columns, where the driver would not
            write them so itself.
    """

    dialect: ClassVar[str] = ""
    driver: ClassVar[str] = ""
    extra: ClassVar[str] = ""
    placeholder: ClassVar[str] = "%s"
    paramstyle: ClassVar[str] = "format"
    dialect_options: ClassVar[Mapping[str, Any]] = {}
    whole_numbers: ClassVar[str] = ""
    quote_marks: ClassVar[tuple[str, str]] = ('"', '"')
    begin: ClassVar[Sequence[str]] = ("BEGIN",)
    savepoint: ClassVar[tuple[str, str, str]] = (
        "SAVEPOINT {}",
        "ROLLBACK TO SAVEPOINT {}",
        "RELEASE SAVEPOINT {}",
    )
    snapshot: ClassVar[Sequence[str]] = ("BEGIN",)
    default_row: ClassVar[str] = "DEFAULT VALUES"
    remote: ClassVar[bool] = True
    loss: ClassVar[str] = "the connection to {} was lost"
    bounds: Bounds = Bounds(pool_size=20)
    direct: ClassVar[bool] = False
    returning: ClassVar[bool] = False
    deferrable: ClassVar[bool] = True
    partial_indexes: ClassVar[bool] = True
    expression_indexes: ClassVar[bool] = True
    hidden_columns: ClassVar[bool] = False
    deferrable_unique: ClassVar[bool] = False
    nulls_not_distinct: ClassVar[bool] = False
    index_methods: ClassVar[bool] = False
    exclusion: ClassVar[bool] = False
    indexed_text_length: ClassVar[int | None] = None
    conditions_are_values: ClassVar[bool] = True
    identity: ClassVar[bool] = False
    conflict_targets: ClassVar[bool] = True
    locks_rows: ClassVar[bool] = True
    lock_options: ClassVar[frozenset[str]] = frozenset()
    deadlock_ends_transaction: ClassVar[bool] = False
    stored_columns: ClassVar[bool] = True
    virtual_columns: ClassVar[bool] = True
    nulls_first: ClassVar[bool] = False
    places_nulls: ClassVar[bool] = True
    streams_beside: ClassVar[bool] = False
    sets_defaults: ClassVar[bool] = True
    joined_tables: ClassVar[int | None] = None
    combined_questions: ClassVar[int | None] = None
    nested_questions: ClassVar[int] = 40
    too_large: ClassVar[str] = ""
    writers: ClassVar[Mapping[type, Callable[[Any], Any]]] = {}

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.read_only = False
        self.folder = folder
        self.bounds, plain = take_bounds(url, self.bounds)
        scheme = urlsplit(url).scheme
        self.sqlalchemy_url = plain if "+" in scheme else plain.replace(scheme, self.driver, 1)

    @property
    def path(self) -> Path | None:
        """The database's file, if it is one."""
        return None

    @property
    def in_memory(self) -> bool:
        """Whether it lives in this process only."""
        return False

    @property
    def safe_url(self) -> str:
        """The URL without its password."""
        parts = urlsplit(self.url)
        url = self.url.replace(f":{parts.password}@", ":***@") if parts.password else self.url
        return SECRETS.sub(r"\1***", url)

    # connections

    def connect(self) -> Any:
        """A new DB-API connection that commits each statement by itself.

        Raises:
            DatabaseUnavailable: It cannot be opened.
        """
        from sqlalchemy.engine import make_url

        url = make_url(self.sqlalchemy_url)
        try:
            dialect = url.get_dialect()()
            dialect.dbapi = url.get_dialect().import_dbapi()
        except ImportError as error:
            raise DatabaseUnavailable(
                f"the driver for {self.safe_url} is not installed: {error}",
                hint=f"pip install 'publishing-toolkit[{self.extra}]'",
            ) from error
        try:
            arguments, options = dialect.create_connect_args(url)
            connection = dialect.dbapi.connect(*arguments, **{**self.connect_options(), **options})
            with closed_unless_done(connection):
                self.prepare(connection)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            raise self._unreachable(error) from error
        return connection

    def _unreachable(self, error: Exception) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            f"the database {self.safe_url} cannot be reached: {self.told(error)}",
            hint="Is the server running, and are host, port, user and name right in the setting 'database'?",
        )

    def connect_options(self) -> dict[str, Any]:
        """Arguments for the driver's ``connect``, where the URL gives none."""
        return {"connect_timeout": CONNECT_TIMEOUT_SECONDS}

    def prepare(self, connection: Any) -> None:
        """Make a new connection commit each statement by itself and speak of time in UTC."""

    @contextmanager
    def inspectable(self, connection: Any) -> Iterator[Any]:
        """A block in which SQLAlchemy reads through a connection what tables there are, and finds it as its own are."""
        yield connection

    def is_lost(self, connection: Any) -> bool:
        """Whether the driver knows that a connection has ended, after an error."""
        return bool(getattr(connection, "closed", False))

    def is_overdue(self, error: Exception) -> bool:
        """Whether an error says that the server gave no answer in time. It is not asked again: it may be at work."""
        return False

    def unread(self, cursor: Any, error: Exception, sql: str, parameters: Sequence[Any] | None) -> Exception:
        """What is to be told of an error of the driver's that came when rows were taken: best of all which value it is
        about (``Unread``).

        Args:
            cursor: The driver's.
            error: The driver's.
            sql: What was asked.
            parameters: Its parameters; None if nobody knows them any more.
        """
        return error

    def refuse_doubtful(self, cursor: Any, sql: str) -> None:
        """Refuse what the server answered although it could not find it out.

        Args:
            cursor: The driver's, which asked.
            sql: What it asked.

        Raises:
            DatabaseError: The server warns of such an answer.
        """

    def is_rolled_back(self, cursor: Any) -> bool:
        """Whether a COMMIT, of which this is the cursor, rolled back what it should have committed."""
        return False

    def is_repeatable(self, sql: str) -> bool:
        """Whether a statement that may have been run may be run once more, over another connection: a question does no
        harm, nor does what a transaction begins with."""
        return is_reading(sql) or sql in (self.begin[0], self.snapshot[0])

    def may_write(self, database: Database, sql: str) -> bool:
        """Whether a question calls a function that somebody wrote, and that may write rows. It is asked of those that
        may have to be run twice."""
        return False

    def is_alive(self, connection: Any) -> bool:
        """Whether an idle connection can be used.

        A server that ends a connection says so: only if there is something to read is the server asked.
        """
        if self.is_lost(connection):
            return False
        try:
            number = self.descriptor(connection)
            waiting = select.poll()
            if number is not None:
                waiting.register(number, select.POLLIN)
            if not waiting.poll(0):
                return True
            cursor = connection.cursor()
            cursor.execute("SELECT 1")
            cursor.fetchall()
            cursor.close()
        except Exception:  # noqa: BLE001 - whatever it is, it cannot be used
            return False
        return True

    def descriptor(self, connection: Any) -> int | None:
        """The number of a connection's socket; None if the driver does not tell."""
        return int(connection.fileno())

    def reader(self, connection: Any) -> Reader:
        """What asks a thread's questions over a connection."""
        return CursorReader(connection)

    def stream_cursor(self, connection: Any) -> Any:
        """A cursor whose rows stay with the server until they are taken."""
        return connection.cursor()

    def abandon_stream(self, cursor: Any) -> None:
        """Close such a cursor whose connection is lost."""
        with suppress(Exception):
            cursor.close()

    def forbid_writing(self, connection: Any) -> None:
        """Make a new connection refuse every write."""
        raise DatabaseError(
            f"the database {self.safe_url} cannot be opened for reading alone: its backend knows no way",
            hint="Override forbid_writing() in the backend, or leave out read_only.",
        )

    def opening(self) -> Sequence[str]:
        """Statements that open a transaction, for a database that may be opened for reading alone."""
        return self.begin

    # SQLAlchemy

    def dialect_class(self) -> Any:
        """The class of SQLAlchemy's dialect."""
        from sqlalchemy.engine import make_url

        return make_url(self.sqlalchemy_url).get_dialect()

    def is_idle(self, connection: Any) -> bool:
        """Whether it is certain that nothing is under way on a connection: no transaction, and no rows to be read."""
        return False

    def compiler(self, connection: Any = None) -> Any:
        """SQLAlchemy's dialect for compiling statements, knowing what the server can do.

        Args:
            connection: Over which the server is asked, if nothing is under way on it; by default one of its own.
        """
        from sqlalchemy.engine import Engine, make_url
        from sqlalchemy.exc import DBAPIError
        from sqlalchemy.pool import NullPool, StaticPool

        dialect = self.dialect_class()(paramstyle=self.paramstyle, **self.dialect_options)
        dialect.dbapi = dialect.import_dbapi()  # which some ask for their version
        # nothing is written, so nothing is taken back either: SQLAlchemy logs it with a traceback where that fails
        options: dict[str, Any] = {"dialect": dialect, "reset_on_return": None}
        pool = NullPool(self.connect, **options) if connection is None else StaticPool(lambda: connection, **options)
        try:
            # create_engine() would ask the server the same things once more, for a dialect of its own
            with Engine(pool, dialect, make_url(self.sqlalchemy_url)).connect() as asked:
                dialect.initialize(asked)
        except DBAPIError as error:  # it may end as any other
            raise self._unreachable(error.orig if isinstance(error.orig, Exception) else error) from error
        except dialect.dbapi.Error as error:  # of a cursor that SQLAlchemy does not watch, as MariaDB's dialect takes
            raise self._unreachable(error) from error
        return dialect

    @classmethod
    def offline_compiler(cls) -> Any:
        """SQLAlchemy's dialect for compiling statements with no server at hand: to read them, or compare them."""
        from sqlalchemy.dialects import registry

        return registry.load(cls.driver.replace("+", "."))(paramstyle=cls.paramstyle)

    @classmethod
    def literal_compiler(cls) -> Any:
        """SQLAlchemy's dialect for statements with all values written out, never connected (DDL)."""
        from sqlalchemy.dialects import registry

        return registry.load(cls.driver.replace("+", "."))(paramstyle="named")  # in other styles % is doubled

    # words

    @classmethod
    def quoted(cls, name: str) -> str:
        """An identifier in quotes, as it stands in a statement: where values are marked with %s, its % is doubled."""
        found = cls.identifier(name)
        return found.replace("%", "%%") if cls.paramstyle == "format" else found

    @classmethod
    def identifier(cls, name: str) -> str:
        """An identifier in quotes, as the database reads it."""
        first, last = cls.quote_marks
        return first + name.replace(last, last * 2) + last

    def table_names(self, database: Database) -> list[str]:
        """The tables that there are; as SQLAlchemy finds them, where a backend knows no shorter way."""
        with database.inspector() as inspector:
            return list(inspector.get_table_names())

    def has_table(self, database: Database, name: str) -> bool:
        """Whether there is a table of this name; all are listed where a backend knows no shorter way."""
        return name in self.table_names(database)

    def next_keys(self, database: Database, table: str, column: str, count: int) -> Sequence[int]:
        """Keys for new rows that no other writer can take; empty if they cannot be known ahead.

        Called inside a transaction.
        """
        return ()

    def last_key(self, database: Database, table: str) -> int:
        """The greatest key that the counter of a table ever gave, of rows that are gone too; 0 if it cannot be told."""
        return 0

    def keys_were_given(self, database: Database, table: str, column: str) -> None:
        """Let the counter of a key go on behind the greatest one, after rows were inserted with keys of their own."""

    def move_counter_sql(self, table: str, column: str) -> str:
        """What lets the counter of a key go on behind the greatest one; empty where it does so by itself."""
        return ""

    @classmethod
    def lock_hint(cls, *, nowait: bool, skip_locked: bool) -> str:
        """What stands behind a table whose rows are locked, where ``FOR UPDATE`` at the end is unknown."""
        return ""

    def send_many(self, cursor: Any, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row of parameters, on the shortest way that the driver has."""
        cursor.executemany(sql, rows)

    def insert_all(self, database: Database, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows that have their keys; ``sql`` is the ``INSERT`` of one row."""
        database.run_many(sql, rows)

    def insert_returning(self, database: Database, sql: str, key: str, rows: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """Insert rows without keys where ``next_keys`` has none, or that may be there already.

        Args:
            database: Where to.
            sql: ``INSERT`` of one row, perhaps with the words of ``on_conflict``.
            key: The quoted column of the key.
            rows: The values of each row.

        Returns:
            The keys that they have, in their order; none where the database cannot tell.
        """
        if not self.returning:
            return [database.run(sql, row).lastrowid for row in rows]
        text = self.returning_key(sql, key)
        return [database.run(text, row).fetchone()[0] for row in rows]

    @classmethod
    def returning_key(cls, sql: str, key: str) -> str:
        """An ``INSERT`` of one row that gives its key, where ``returning`` is set.

        Args:
            sql: The ``INSERT``.
            key: The quoted column of the key.
        """
        return f"{sql} RETURNING {key}"

    def update_all(self, database: Database, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run an ``UPDATE`` of one row for each row of values, the key last; how many rows there were."""
        return database.run_many(sql, rows)

    def on_conflict(self, table: str, key: str, unique: Sequence[str], updates: Sequence[str], counter: str) -> str:
        """What an ``INSERT`` ends with, so that a row that is there is passed over or updated.

        Args:
            table: The quoted name of the table.
            key: The quoted column of the key.
            unique: Quoted columns by which a row is known to be there.
            updates: Quoted columns that take the new values; none passes over.
            counter: A quoted column that is raised by one when a row is updated; empty for none.
        """
        if not updates:
            return "ON CONFLICT DO NOTHING"
        pairs = [f"{column} = excluded.{column}" for column in updates]
        pairs += [f"{counter} = {table}.{counter} + 1"] if counter else []
        return f"ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {', '.join(pairs)}"

    def upsert(self, insert: str, target: Target, updates: Sequence[str], counter: str) -> str:
        """A statement that inserts one row, or passes over one that is there, or updates it.

        Args:
            insert: The ``INSERT`` of one row.
            target: Where it goes, and by which columns a row is known to be there.
            updates: Quoted columns that take the new values; none passes over.
            counter: A quoted column that is raised by one when a row is updated; empty for none.
        """
        unique = target.unique[0] if updates else ()
        return f"{insert} {self.on_conflict(target.table, target.key, unique, updates, counter)}"

    def token_keeper(self) -> TokenKeeper | None:
        """How it keeps tokens of its tables (``toolkit.database.tokens``); None if it does not."""
        return None

    def written_tables(self, database: Database, sql: str, parameters: Sequence[Any]) -> set[str] | None:
        """The tables that a statement writes, as the database itself explains it; too many rather than too few.

        Returns:
            Their names; None of a statement that cannot be explained.
        """
        return None

    def server(self, connection: Any) -> str:
        """What the server is, and of which version: the text of statements may depend on it."""
        return ""

    def version(self, connection: Any) -> Any:
        """A value that changes whenever anybody writes; None where it cannot be told."""
        return None

    def begin_snapshot(self, database: Database, name: str) -> None:
        """Open a transaction in which every read sees one instant: now, or that of another process's snapshot.

        Args:
            database: Whose connection.
            name: What ``export_snapshot`` gave another process; empty for now.
        """
        for statement in self.snapshot:
            database.run(statement)

    def export_snapshot(self, database: Database) -> str:
        """A name under which other processes enter this snapshot; empty where snapshots have none."""
        return ""

    @property
    def shares_snapshots(self) -> bool:
        """Whether processes can all see one snapshot."""
        return False

    # references

    def hold_references(self, database: Database) -> None:
        """Inside a transaction: check no reference until ``release_references``, or until the commit.

        For databases that cannot defer, and for tables that others made, whose references are checked at once.
        """

    def release_references(self, database: Database) -> None:
        """Check references again from now on."""

    def broken_references(self, database: Database, undo: Callable[[], None]) -> Broken | None:
        """Roll back a transaction that cannot be committed, and tell which of its rows refer to none.

        None where the database's own message says it.

        Args:
            database: Whose connection.
            undo: Rolls back.
        """
        undo()
        return None

    def broken_references_of(self, database: Database, sql: str, parameters: Sequence[Any]) -> Broken | None:
        """The same of a statement that was refused outside of a transaction."""
        return None

    def broken(self, error: Exception) -> Broken | None:
        """Which constraint a driver's error says was broken; None if it says nothing of the kind."""
        return Broken() if "IntegrityError" in {kind.__name__ for kind in type(error).__mro__} else None

    def told(self, error: Exception) -> str:
        """What a driver's error says, on one line."""
        return " ".join(str(error).split())

    def forbids(self, error: BaseException | None) -> bool:
        """Whether a driver's error says that whoever asked may not write, or not this."""
        return False

    def contention(self, error: Exception) -> str:
        """``deadlock`` or ``locked``, if a driver's error says that another transaction was in the way."""
        return ""

    def hint(self, told: str) -> str | None:
        """The next step for what this database says, if it has a message of its own for it."""
        return None
