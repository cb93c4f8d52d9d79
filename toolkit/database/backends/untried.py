"""Databases whose statements are compiled, and compared as text, but were never run by the toolkit's own tests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from toolkit.database.backends.base import CONNECT_TIMEOUT_SECONDS, Backend, Target
from toolkit.errors import DatabaseUnavailable


class Untried(Backend):
    """A database that is opened for those alone who say that they know: ``?untried=yes`` in its URL."""

    title: ClassVar[str] = ""

    def connect(self) -> Any:
        parts = urlsplit(self.url)
        if parse_qs(parts.query).get("untried") != ["yes"]:
            raise DatabaseUnavailable(
                f"the database {self.safe_url} was not opened: statements for {self.title} are compiled and compared "
                "as text, and none was ever run by the toolkit's tests",
                hint="Add ?untried=yes to the URL to try it, or use SQLite, PostgreSQL or MariaDB.",
            )
        self.sqlalchemy_url = self.sqlalchemy_url.replace("untried=yes", "").rstrip("?&")
        return super().connect()

    def prepare(self, connection: Any) -> None:
        connection.autocommit = True

    def merge(self, head: str, target: Target, updates: Sequence[str], counter: str) -> str:
        """A MERGE: what they have in place of ON CONFLICT.

        Args:
            head: ``MERGE INTO`` with the new row as ``source``.
            target: Where the row goes.
            updates: Quoted columns that take the new values; none passes over.
            counter: A quoted column that is raised by one; empty for none.
        """
        sets = [" AND ".join(f"target.{name} = source.{name}" for name in names) for names in target.unique]
        pairs = [f"target.{name} = source.{name}" for name in updates]
        pairs += [f"target.{counter} = target.{counter} + 1"] if counter else []
        parts = [f"{head} ON ({' OR '.join(f'({found})' for found in sets) or '1 = 0'})"]
        parts += [f"WHEN MATCHED THEN UPDATE SET {', '.join(pairs)}"] if pairs else []
        values = ", ".join(f"source.{name}" for name in target.columns)
        parts += [f"WHEN NOT MATCHED THEN INSERT ({', '.join(target.columns)}) VALUES ({values})"]  # noqa: S608 - names of the schema
        return " ".join(parts)


class Oracle(Untried):
    """Oracle Database 23, through python-oracledb. It takes an empty text for NULL, as no other database does.

    Values are bound in the order of their marks; a mark that comes twice is given twice.
    Source: python-oracledb, "Binding Duplicate Placeholders".
    """

    title = "Oracle"
    dialect = "oracle"
    driver = "oracle+oracledb"
    extra = "oracle"
    placeholder = ":v"
    paramstyle = "numeric"
    begin = ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED",)
    savepoint = ("SAVEPOINT {}", "ROLLBACK TO SAVEPOINT {}", "")
    snapshot = ("SET TRANSACTION READ ONLY",)
    default_row = "({key}) VALUES (DEFAULT)"
    partial_indexes = False
    indexed_text_length = 1000

    conditions_are_values = False
    sets_defaults = False
    stored_columns = False
    identity = True

    def connect_options(self) -> dict[str, Any]:
        return {"tcp_connect_timeout": CONNECT_TIMEOUT_SECONDS}

    def upsert(self, insert: str, target: Target, updates: Sequence[str], counter: str) -> str:
        values = ", ".join(f"{self.placeholder} AS {name}" for name in target.columns)
        head = f"MERGE INTO {target.table} target USING (SELECT {values} FROM dual) source"  # noqa: S608 - names of the schema
        return self.merge(head, target, updates, counter)

    @classmethod
    def identifier(cls, name: str) -> str:
        """As SQLAlchemy writes it: plain names stay without quotes, for in quotes they would not be upper case."""
        return str(_oracle_names().quote(name))

    @classmethod
    def offline_compiler(cls) -> Any:
        dialect = _oracle_types(_loaded(cls.driver))(paramstyle=cls.paramstyle)
        dialect.server_version_info, dialect.supports_native_boolean = (23,), True
        return dialect


class SQLServer(Untried):
    """SQL Server 2022, through pyodbc. Trailing spaces are of no account when it compares text."""

    title = "SQL Server"
    dialect = "mssql"
    driver = "mssql+pyodbc"
    extra = "mssql"
    placeholder = "?"
    paramstyle = "qmark"
    quote_marks = ("[", "]")
    returning = True
    begin = ("BEGIN TRANSACTION",)
    savepoint = ("SAVE TRANSACTION {}", "ROLLBACK TRANSACTION {}", "")
    snapshot = ("SET TRANSACTION ISOLATION LEVEL SNAPSHOT", "BEGIN TRANSACTION")
    deferrable = False
    indexed_text_length = 850
    nulls_first = True
    places_nulls = False
    conditions_are_values = False

    def connect_options(self) -> dict[str, Any]:
        return {"timeout": CONNECT_TIMEOUT_SECONDS}

    @classmethod
    def lock_hint(cls, *, nowait: bool, skip_locked: bool) -> str:
        words = ["UPDLOCK", "ROWLOCK", *(["NOWAIT"] if nowait else []), *(["READPAST"] if skip_locked else [])]
        return f"WITH ({', '.join(words)})"

    @classmethod
    def returning_key(cls, sql: str, key: str) -> str:
        head, word, rest = sql.partition(" VALUES ") if " DEFAULT VALUES" not in sql else (sql[:-15], sql[-15:], "")
        return f"{head} OUTPUT INSERTED.{key}{word}{rest}"

    def upsert(self, insert: str, target: Target, updates: Sequence[str], counter: str) -> str:
        """Without the lock, two who find nothing would both insert. Source: "MERGE (Transact-SQL)", HOLDLOCK."""
        marks = ", ".join([self.placeholder] * len(target.columns))
        source = f"(VALUES ({marks})) AS source ({', '.join(target.columns)})"
        head = f"MERGE INTO {target.table} WITH (HOLDLOCK) AS target USING {source}"
        return f"{self.merge(head, target, updates, counter)};"

    @classmethod
    def offline_compiler(cls) -> Any:
        dialect = _sql_server_types(_loaded(cls.driver))(paramstyle=cls.paramstyle)
        dialect.server_version_info, dialect._supports_offset_fetch, dialect.deprecate_large_types = (16,), True, True
        dialect.default_schema_name = "dbo"
        return dialect


@cache
def _oracle_names() -> Any:
    return Oracle.offline_compiler().identifier_preparer


def _loaded(driver: str) -> Any:
    from sqlalchemy.dialects import registry

    return registry.load(driver.replace("+", "."))


@cache
def _oracle_types(base: Any) -> Any:
    class Types(base.type_compiler_cls):  # type: ignore[misc]  # SQLAlchemy's
        """Instants with their microseconds, in UTC; there are no times of day."""

        def visit_datetime(self, type_: Any, **options: Any) -> str:
            return "TIMESTAMP(6) WITH TIME ZONE"

        def visit_time(self, type_: Any, **options: Any) -> str:
            return "TIMESTAMP(6)"

    return type("Dialect", (base,), {"type_compiler_cls": Types, "supports_statement_cache": False})


@cache
def _sql_server_types(base: Any) -> Any:
    from sqlalchemy.sql.compiler import SQLCompiler

    class Types(base.type_compiler_cls):  # type: ignore[misc]  # SQLAlchemy's
        """Text is exact and of all scripts; dates and times have their own types."""

        def visit_VARCHAR(self, type_: Any, **options: Any) -> str:
            return f"NVARCHAR({type_.length or 'max'}) COLLATE Latin1_General_100_BIN2"

        def visit_date(self, type_: Any, **options: Any) -> str:
            return "DATE"

        def visit_time(self, type_: Any, **options: Any) -> str:
            return "TIME"

    class Statements(base.statement_compiler):  # type: ignore[misc]  # SQLAlchemy's
        """A slice of a subquery keeps its order; SQLAlchemy drops it where the bound is a parameter."""

        def order_by_clause(self, select: Any, **options: Any) -> str:
            if select._limit_clause is None:
                return str(super().order_by_clause(select, **options))
            ordered: Any = SQLCompiler.order_by_clause  # not typed
            return str(ordered(self, select, **options))

    made = {"type_compiler_cls": Types, "statement_compiler": Statements, "supports_statement_cache": False}
    return type("Dialect", (base,), made)
