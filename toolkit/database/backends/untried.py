"""Databases whose statements are compiled, and compared as text, but were never run by the toolkit's own tests."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from toolkit.database.backends.base import CONNECT_TIMEOUT_SECONDS, Backend
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
    snapshot = ("SET TRANSACTION READ ONLY",)
    default_row = "VALUES (DEFAULT)"
    partial_indexes = False
    indexed_text_length = 1000

    conditions_are_values = False
    sets_defaults = False
    identity = True

    def connect_options(self) -> dict[str, Any]:
        return {"tcp_connect_timeout": CONNECT_TIMEOUT_SECONDS}

    @classmethod
    def quoted(cls, name: str) -> str:
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
    begin = ("BEGIN TRANSACTION",)
    snapshot = ("SET TRANSACTION ISOLATION LEVEL SNAPSHOT", "BEGIN TRANSACTION")
    deferrable = False
    indexed_text_length = 850
    nulls_first = True
    places_nulls = False
    conditions_are_values = False

    def connect_options(self) -> dict[str, Any]:
        return {"timeout": CONNECT_TIMEOUT_SECONDS}

    @classmethod
    def offline_compiler(cls) -> Any:
        dialect = _sql_server_types(_loaded(cls.driver))(paramstyle=cls.paramstyle)
        dialect.server_version_info, dialect._supports_offset_fetch, dialect.deprecate_large_types = (16,), True, True
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
