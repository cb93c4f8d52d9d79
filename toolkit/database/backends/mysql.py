"""MariaDB, and MySQL as far as it is alike, through PyMySQL or mysqlclient.

Text means the same as on the other databases: columns have a collation that tells case, accents and trailing spaces
apart and orders by code point. Instants are kept in UTC to the microsecond.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from toolkit.database.backends.base import CONNECT_TIMEOUT_SECONDS, Backend, Broken
from toolkit.database.backends.explaining import explained
from toolkit.database.backends.mysql_dialect import COLLATIONS, with_types
from toolkit.database.backends.reading import CursorReader, called_in
from toolkit.database.backends.values import in_utc, microseconds
from toolkit.database.backends.waiting import keep_alive
from toolkit.database.changes import mentioned
from toolkit.database.tokens.mysql import MySQLTokens
from toolkit.errors import DatabaseError, DatabaseUnavailable

if TYPE_CHECKING:
    from toolkit.database.backends.reading import Reader
    from toolkit.database.connections import Database
    from toolkit.database.tokens import TokenKeeper

MODES = (
    "STRICT_ALL_TABLES",  # a value that does not fit is an error, not cut
    "NO_ZERO_DATE",
    "NO_ZERO_IN_DATE",
    "NO_AUTO_VALUE_ON_ZERO",  # a key of 0 is a key
    "NO_ENGINE_SUBSTITUTION",
    "ERROR_FOR_DIVISION_BY_ZERO",
)
MARIADB_MODES = ("SIMULTANEOUS_ASSIGNMENT",)
"""``UPDATE`` reads the values that a row had before, as in other databases. MySQL has no such mode."""


THIS_MACHINE = (None, "localhost", "127.0.0.1", "::1")
"""Hosts that nobody between can overhear."""

OLDEST = {True: (10, 11), False: (8, 0)}
"""By whether the server is MariaDB: the first long-term versions with collations of Unicode 14 and 9."""

JOINED_BYTES = 2**30
"""What ``GROUP_CONCAT`` may give, at most: a server cuts it at a megabyte otherwise, and says nothing."""

PLANNED_TOGETHER = 4
"""Tables whose every order is weighed before one of them is chosen (``optimizer_search_depth``).

By default all are: ten conditions on tags, which make twenty tables, were planned for more than half an hour.
"""

STATEMENT_CHARACTERS = 1_000_000
"""Values in one statement: well below the 16 MB that a server takes by default (``max_allowed_packet``)."""

TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"


class MySQL(Backend):
    """MariaDB 10.11 or newer. MySQL 8 or newer speaks nearly the same; the manual says what does not work there."""

    dialect = "mysql"
    driver = "mysql+pymysql"
    extra = "mysql"
    quote_marks = ("`", "`")
    snapshot = (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    )
    default_row = "() VALUES ()"
    deferrable = False
    conflict_targets = False
    deadlock_ends_transaction = True
    partial_indexes = False
    expression_indexes = False
    hidden_columns = True
    indexed_text_length = 768  # an index takes 3072 bytes, a character up to 4
    nulls_first: ClassVar[bool] = True
    places_nulls: ClassVar[bool] = False
    sets_defaults: ClassVar[bool] = False
    joined_tables: ClassVar[int | None] = 61  # MariaDB, "Joins": so many tables in one
    too_large: ClassVar[str] = r"^\((1473|1116|1117|1119|1436|1153), |Thread stack overrun"

    writers: ClassVar[Mapping[type, Callable[[Any], Any]]] = {
        UUID: lambda value: value.hex,
        timedelta: microseconds,
        datetime: lambda value: in_utc(value).replace(tzinfo=None),
    }

    def connect_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "charset": "utf8mb4"}
        seconds = self.bounds.read_timeout_seconds
        if self._greeting_may_hang():
            options["read_timeout"] = self._connect_timeout_seconds()
        elif seconds is not None and not self._url_bounds_answers():
            options["read_timeout"] = math.ceil(seconds)  # whole seconds are mysqlclient's
        return {**options, "ssl_disabled": True} if self._needs_no_tls() else options

    def _greeting_may_hang(self) -> bool:
        """Whether the driver would wait without end for a server that takes a connection and says nothing, as one that
        is stopped does. PyMySQL's ``connect_timeout`` is for the way to the server alone; a URL may say how long
        answers take at most."""
        return urlsplit(self.sqlalchemy_url).scheme == self.driver and not self._url_bounds_answers()

    def _url_bounds_answers(self) -> bool:
        """Whether the URL says it in the driver's word."""
        return "read_timeout" in self._url_options()

    def _connect_timeout_seconds(self) -> float:
        return float(self._url_options().get("connect_timeout", CONNECT_TIMEOUT_SECONDS))

    def _url_options(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.sqlalchemy_url).query))

    def _needs_no_tls(self) -> bool:
        """Whether the server is on this machine, and the URL says nothing of TLS.

        PyMySQL gets ready for TLS before it asks whether the server has it: 20 ms of each connection's 21.
        """
        parts = urlsplit(self.sqlalchemy_url)
        return parts.scheme == self.driver and parts.hostname in THIS_MACHINE and "ssl" not in parts.query

    def prepare(self, connection: Any) -> None:
        """Source for the level: PostgreSQL's default. A row that another writer committed is seen at once."""
        mariadb = is_mariadb(connection)
        self._refuse_old(connection, mariadb)
        connection.autocommit(True)
        collation = COLLATIONS[mariadb]
        modes = (*MODES, *MARIADB_MODES) if mariadb else MODES
        cursor = connection.cursor()
        cursor.execute(f"SET NAMES utf8mb4 COLLATE {collation}")
        cursor.execute(f"SET SESSION sql_mode = '{','.join(modes)}', time_zone = '+00:00'")
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cursor.execute(
            f"SET SESSION group_concat_max_len = {JOINED_BYTES}, optimizer_search_depth = {PLANNED_TOGETHER}"
        )
        cursor.close()
        if self._greeting_may_hang():
            # without a bound, a question may take as long as it does; PyMySQL has no other way
            connection._read_timeout = self.bounds.read_timeout_seconds
        if (connected := getattr(connection, "_sock", None)) is not None:
            keep_alive(connected)

    def _refuse_old(self, connection: Any, mariadb: bool) -> None:
        found = re.findall(r"\d+\.\d+\.\d+", _greeting(connection).replace("5.5.5-", ""))
        version = tuple(int(part) for part in (found[0] if found else "0").split("."))
        if version < OLDEST[mariadb]:
            kind, oldest = "MariaDB" if mariadb else "MySQL", ".".join(map(str, OLDEST[mariadb]))
            raise DatabaseUnavailable(
                f"the database {self.safe_url} is {kind} {'.'.join(map(str, version))}, which is older than {oldest}",
                hint="Its collations cannot compare text as other databases do. Use a newer server.",
            )

    def server(self, connection: Any) -> str:
        return _greeting(connection)

    def is_lost(self, connection: Any) -> bool:
        return not connection.open

    def reader(self, connection: Any) -> Reader:
        return DoubtingReader(self, connection)

    def refuse_doubtful(self, cursor: Any, sql: str) -> None:
        """PCRE gives up a pattern that takes too many steps for a text, and the server takes it for one that does not
        fit, with a warning.

        Source: MariaDB, "PCRE", ER_REGEXP_ERROR.
        """
        if "REGEXP" not in sql or not getattr(cursor, "warning_count", True):
            return
        warnings = cursor.connection.cursor()
        warnings.execute("SHOW WARNINGS")
        told = [message for _, number, message in warnings.fetchall() if number == 1139]
        warnings.close()
        if told:
            raise DatabaseError(
                f"a regular expression is refused: {told[0]} (in: {' '.join(sql.split())[:200]})",
                hint="Write it with fewer * + and {}, or as several.",
            )

    def is_overdue(self, error: Exception) -> bool:
        """Source: PyMySQL, ``Connection._read_bytes``: CR_SERVER_LOST, with what the socket said."""
        number, *told = error.args or (None,)
        return number == 2013 and "timed out" in str(told)

    def may_write(self, database: Database, sql: str) -> bool:
        """Source: MariaDB, "CREATE FUNCTION": CONTAINS SQL, the default, says nothing."""
        names = called_in(sql)
        if not names:
            return False
        found = "SELECT 1 FROM information_schema.routines WHERE sql_data_access NOT IN ('NO SQL', 'READS SQL DATA')"
        return bool(database.ask(f"{found} AND routine_name IN ({', '.join(['%s'] * len(names))}) LIMIT 1", names))

    def descriptor(self, connection: Any) -> int | None:
        """PyMySQL has no other way to its socket, and mysqlclient none at all."""
        found = getattr(connection, "_sock", None)
        return int(found.fileno()) if found is not None else None

    def dialect_class(self) -> Any:
        return with_types(super().dialect_class())

    @classmethod
    def literal_compiler(cls) -> Any:
        from sqlalchemy.dialects import registry

        dialect = with_types(registry.load(cls.driver.replace("+", ".")))(paramstyle="named", is_mariadb=True)
        dialect._support_float_cast = True  # set by connecting otherwise; without it, 1 / 3 of a column is 0.3333
        return dialect

    def forbid_writing(self, connection: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.close()

    def table_names(self, database: Database) -> list[str]:
        return [name for (name,) in database.fetch(TABLES)]

    def has_table(self, database: Database, name: str) -> bool:
        """Names are compared without case by the server, and are others by case on most."""
        return any(found == name for (found,) in database.fetch(f"{TABLES} AND table_name = %s", (name,)))

    def last_key(self, database: Database, table: str) -> int:
        """MySQL may remember it for a day, and then knows too little.

        Source: MariaDB, "Information Schema TABLES Table", AUTO_INCREMENT.
        """
        found = database.fetch(
            "SELECT auto_increment FROM information_schema.tables WHERE table_schema = database() AND table_name = %s",
            (table,),
        )
        return int(found[0][0] or 1) - 1 if found else 0

    def insert_returning(self, database: Database, sql: str, key: str, rows: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """Rows of one statement have keys that follow each other, whatever other writers do.

        Source: MySQL manual, "AUTO_INCREMENT Handling in InnoDB", simple inserts; ``lastrowid`` is the first key. Where
        some of the rows may be there, MariaDB returns the keys; MySQL cannot tell them.
        """
        head, _, rest = sql.rpartition(" VALUES ")
        one, word, conflict = rest.partition(" ON DUPLICATE ")
        step = 0 if word else database.fetch("SELECT @@auto_increment_increment")[0][0]
        returning = f" RETURNING {key}" if word and is_mariadb(database.connection) else ""
        keys: list[Any] = []
        for chunk in _statement_chunks(rows):
            text = f"{head} VALUES {', '.join([one] * len(chunk))}{word}{conflict}{returning}"
            cursor = database.run(text, [value for row in chunk for value in row])
            if returning:
                keys += [number for (number,) in cursor.fetchall()]
            elif step:
                keys += range(cursor.lastrowid, cursor.lastrowid + step * len(chunk), step)
        return keys

    def on_conflict(self, table: str, key: str, unique: Sequence[str], updates: Sequence[str], counter: str) -> str:
        """``INSERT IGNORE`` would pass over values that do not fit, too; setting the key to itself passes over
        nothing but rows that are there."""
        pairs = [f"{column} = VALUES({column})" for column in updates]
        pairs += [f"{counter} = {counter} + 1"] if counter and updates else []
        return f"ON DUPLICATE KEY UPDATE {', '.join(pairs) or f'{key} = {key}'}"

    def token_keeper(self) -> TokenKeeper:
        return MySQLTokens()

    def written_tables(self, database: Database, sql: str, parameters: Sequence[Any]) -> set[str] | None:
        """MariaDB names every table of a statement, those that are only read too, and those behind views; but a table
        that has another name in the statement by that."""
        if re.match(r"[\s(]*select\b", sql, re.IGNORECASE):
            return set()
        nodes = explained(database, f"EXPLAIN FORMAT=JSON {sql}", parameters)
        if nodes is None:
            return None
        return mentioned(database.schema.table_names, sql) | {
            str(node["table_name"]) for node in nodes if "table_name" in node
        }

    def hold_references(self, database: Database) -> None:
        database.run("SET SESSION foreign_key_checks = 0")

    def release_references(self, database: Database) -> None:
        database.run("SET SESSION foreign_key_checks = 1")

    def stream_cursor(self, connection: Any) -> Any:
        """A cursor of the driver's that does not take all rows at once. The connection is busy until it has them."""
        driver = type(connection).__module__.partition(".")[0]
        return connection.cursor(import_module(f"{driver}.cursors").SSCursor)

    def abandon_stream(self, cursor: Any) -> None:
        """PyMySQL would read the rows that remain, when the cursor is closed and when its result is collected."""
        result = getattr(cursor, "_result", None)
        if result is not None:
            result.unbuffered_active = False
        super().abandon_stream(cursor)

    def contention(self, error: Exception) -> str:
        """Source: MariaDB, "MariaDB Error Codes": ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD;
        MySQL's ER_LOCK_NOWAIT."""
        number = error.args[0] if error.args else None
        found = {1213: "deadlock", 1020: "deadlock", 1205: "locked", 3572: "locked"}
        return found.get(number, "") if isinstance(number, int) else ""

    def broken(self, error: Exception) -> Broken | None:
        """Source: MariaDB, "MariaDB Error Codes". A broken CHECK is no IntegrityError of the driver's."""
        number = error.args[0] if error.args else None
        if number not in _BROKEN:
            return super().broken(error)
        kind, pattern = _BROKEN[number]
        found = re.search(pattern, str(error.args[1]))
        name = found[1] if found else ""
        return Broken(kind, name, f"{_TOLD[kind]} constraint failed{': ' if name else ''}{name}")

    def hint(self, told: str) -> str | None:
        return next((hint for pattern, hint in _HINTS if re.search(pattern, told)), None)


class DoubtingReader(CursorReader):
    """Refuses answers that the server itself doubts.

    Args:
        backend: Knows them.
        connection: The driver's.
    """

    def __init__(self, backend: MySQL, connection: Any) -> None:
        super().__init__(connection)
        self._backend = backend

    def ask(self, cursor: Any, sql: str, parameters: Sequence[Any]) -> Any:
        rows = super().ask(cursor, sql, parameters)
        self._backend.refuse_doubtful(cursor, sql)
        return rows


_BROKEN: dict[int, tuple[str, str]] = {
    1062: ("unique", r"for key '(?:.*\.)?(.*)'$"),
    1048: ("not_null", "Column '(.*?)'"),
    1364: ("not_null", "Field '(.*?)'"),
    1451: ("foreign_key", "CONSTRAINT `(.*?)`"),
    1452: ("foreign_key", "CONSTRAINT `(.*?)`"),
    3819: ("check", "constraint '(.*?)'"),  # MySQL's number
    4025: ("check", r"CONSTRAINT `(?:[^`]*`\.`)?([^`]*)`"),
}
_TOLD = {"unique": "UNIQUE", "not_null": "NOT NULL", "foreign_key": "FOREIGN KEY", "check": "CHECK"}

_HINTS = (
    (r"Regex error|regular expression", "A regular expression must be one of PCRE, which MariaDB uses."),
    (r"SQL syntax.* in [^;]*;\s*\S", "If these are several statements: one is run at a time."),
    (r"BINLOG_FORMAT = STATEMENT", "Set binlog_format = MIXED, or ROW, in the server's settings."),
    (r"max_allowed_packet|packet bigger", "Raise max_allowed_packet in the server's settings."),
)


def is_mariadb(connection: Any) -> bool:
    """Whether the server is MariaDB and not MySQL, by the greeting that it sent."""
    return "mariadb" in _greeting(connection).lower()


def _greeting(connection: Any) -> str:
    """What the server said of itself; some versions of MariaDB begin with 5.5.5- to please old clients."""
    return str(connection.get_server_info())


def _statement_chunks(rows: Sequence[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """Lists of rows whose values fit into one statement."""
    chunk: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        weight = sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
        if chunk and size + weight > STATEMENT_CHARACTERS:
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += weight
    if chunk:
        yield chunk
