"""The tables of a database, as SQLAlchemy's inspector sees them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from toolkit.errors import DatabaseError, did_you_mean

UNREAD = "NULL"
"""Stands for an expression that SQLAlchemy does not find: SQLite needs no ``GENERATED ALWAYS`` before ``AS``."""

OWN = "toolkit_"
"""What the toolkit's own tables begin with."""


@dataclass(frozen=True)
class Reference:
    """A foreign key.

    Args:
        columns: Its columns.
        table: The table that it refers to.
        targets: The columns there.
    """

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]


class Column(NamedTuple):
    """A column.

    Args:
        type: SQLAlchemy's type.
        null: Whether it may be NULL.
        counted: Whether the database counts it up.
        computed: The SQL that computes it from others of its row; empty if nothing does.
        kept: Whether what was computed is kept in the table.
        comment: What the database says of it.
    """

    type: Any
    null: bool
    counted: bool
    computed: str = ""
    kept: bool = True
    comment: str = ""


@dataclass
class Table:
    """One table or view.

    Args:
        name: Its name.
        columns: By name.
        key: Columns of the primary key.
        references: Foreign keys.
        uniques: (name, columns) of unique constraints and indexes; the key apart.
        view: Whether it is a view.
        comment: What the database says of it.
    """

    name: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    references: list[Reference] = field(default_factory=list)
    uniques: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    view: bool = False
    comment: str = ""

    def is_unique(self, column: str) -> bool:
        """Whether no two rows have the same value in a column."""
        return self.key == (column,) or any(columns == (column,) for _, columns in self.uniques)

    def reference_of(self, column: str) -> Reference | None:
        """The foreign key of this column alone."""
        return next((one for one in self.references if one.columns == (column,)), None)


def read_tables(database: Any, names: Iterable[str] = (), *, views: bool = False) -> list[Table]:
    """Tables of a database, sorted by name.

    Args:
        database: The database.
        names: Only these; all but the toolkit's own, if none is named.
        views: Views, too.

    Raises:
        DatabaseError: A table that was named is not there.
    """
    with database.inspector() as inspector:
        tables, seen = inspector.get_table_names(), _views(inspector)
        wanted = sorted(names)
        for name in wanted:
            if name not in (*tables, *seen):
                raise DatabaseError(f"there is no table {name!r}", hint=did_you_mean(name, [*tables, *seen]))
        if not wanted:
            parts = _parts(database)
            every = [*tables, *(seen if views else ())]
            wanted = sorted(name for name in every if not _is_own(name) and name not in parts)
        found = [_read(database, inspector, name, view=name not in tables) for name in wanted]
    by_name = {table.name: table for table in found}
    for table in found:
        table.references = [_respelt(table, one, by_name) for one in table.references]
    return found


def _respelt(table: Table, reference: Reference, tables: Mapping[str, Table]) -> Reference:
    """A foreign key in the words of the tables: SQLite finds ``Order (ID)`` where it is told of ``order (id)``."""
    name = _spelt(reference.table, tables)
    there = tables[name].columns if name in tables else ()
    return Reference(
        tuple(_spelt(column, table.columns) for column in reference.columns),
        name,
        tuple(_spelt(column, there) for column in reference.targets),
    )


def _spelt(name: str, known: Collection[str]) -> str:
    return name if name in known else next((other for other in known if other.lower() == name.lower()), name)


def _is_own(name: str) -> bool:
    """Whether a table is the toolkit's, or the database's for itself."""
    return name.startswith((OWN, "sqlite_", "spatial_ref_sys", "gpkg_"))


def view_names(database: Any) -> set[str]:
    """The views of a database, those that are kept (``MATERIALIZED``) too."""
    with database.inspector() as inspector:
        return set(_views(inspector))


def _views(inspector: Any) -> list[str]:
    materialized = getattr(inspector, "get_materialized_view_names", list)
    try:
        return [*inspector.get_view_names(), *materialized()]
    except NotImplementedError:  # a database that has no such views
        return list(inspector.get_view_names())


_PARTS = {
    "sqlite": "SELECT name FROM pragma_table_list WHERE type = 'shadow'",
    "postgresql": "SELECT relname FROM pg_class WHERE relispartition AND relnamespace = current_schema()::regnamespace",
}
"""Which tables are parts of others: those in which an FTS5 or R-tree table keeps its data, and partitions."""


def _parts(database: Any) -> set[str]:
    query = _PARTS.get(database.dialect)
    return {name for (name,) in database.fetch(query)} if query else set()


def _read(database: Any, inspector: Any, name: str, *, view: bool) -> Table:
    hidden, declared = _hidden(database, name), _declared_types(database, name)
    with warnings.catch_warnings():  # of types with arguments that mean nothing, such as INTEGER(1), and of spelling
        warnings.filterwarnings(
            "ignore", "Could not instantiate type|Did not recognize type|WARNING: SQL-parsed foreign key"
        )
        every, keys = inspector.get_columns(name), [] if view else inspector.get_foreign_keys(name)
    named = _told_names(database.dialect)
    each = zip(named(column["name"] for column in every), every, strict=True)
    columns = {
        told: _column({**column, "type": declared.get(told, column["type"])})
        for told, column in each
        if told not in hidden
    }
    comment = _comment(inspector, name)
    if view:
        return Table(name, columns, (), view=True, comment=comment)
    key = named(inspector.get_pk_constraint(name)["constrained_columns"])
    references = [
        Reference(named(one["constrained_columns"]), _referred(one), named(one["referred_columns"])) for one in keys
    ]
    uniques = [(title, named(names)) for title, names in _uniques(inspector, name, key)]
    return Table(name, columns, key, references, [one for one in uniques if not hidden & set(one[1])], comment=comment)


def _referred(key: Any) -> str:
    """The table that a foreign key refers to; one in another schema has its name before it, and no model here."""
    schema = key["referred_schema"]
    return f"{schema}.{key['referred_table']}" if schema else str(key["referred_table"])


def _told_names(dialect: str) -> Callable[[Iterable[str]], tuple[str, ...]]:
    """From names as SQLAlchemy tells them to what they are: MariaDB's come with two marks for one in them."""
    mark = "`" if dialect == "mysql" else ""
    return lambda names: tuple(name.replace(2 * mark, mark) if mark else name for name in names)


def _comment(inspector: Any, name: str) -> str:
    try:
        return str(inspector.get_table_comment(name)["text"] or "")
    except NotImplementedError:  # SQLite keeps none
        return ""


def _column(found: Any) -> Column:
    computed = found.get("computed") or {}
    sql = _without_parentheses(_until_closed(computed.get("sqltext", "")))
    return Column(
        found["type"],
        bool(found["nullable"]),
        _is_counted(found),
        sql or (UNREAD if computed else ""),
        bool(computed.get("persisted", True)),
        str(found.get("comment") or ""),
    )


def _until_closed(sql: str) -> str:
    """SQL up to the parenthesis that closes it: SQLAlchemy gives what follows it in a table of SQLite's, too."""
    depth, quoted = 0, ""
    for place, mark in enumerate(sql):
        if quoted:
            quoted = "" if mark == quoted else quoted
        elif mark in "'\"`":
            quoted = mark
        elif mark == ")" and depth == 0:
            return sql[:place].rstrip()
        else:
            depth += (mark == "(") - (mark == ")")
    return sql


def _without_parentheses(sql: str) -> str:
    """SQL without those around all of it."""
    while sql.startswith("(") and sql.endswith(")"):
        depth = 0
        for place, mark in enumerate(sql):
            depth += (mark == "(") - (mark == ")")
            if depth == 0 and place < len(sql) - 1:
                return sql
        sql = sql[1:-1]
    return sql


def _declared_types(database: Any, name: str) -> dict[str, Any]:
    """The types of columns of which the database says less than the text of the table.

    SQLite takes names that it does not know for numbers; MariaDB's JSON is a text with a condition.
    """
    import sqlalchemy as sa

    if database.dialect == "mysql":
        return _mariadb_types(database, name) | dict.fromkeys(_json_columns(database, name), sa.JSON())
    if database.dialect == "postgresql":
        return _postgresql_types(database, name)
    return _sqlite_types(database, name)


def _postgresql_types(database: Any, name: str) -> dict[str, Any]:
    """The columns of addresses in which are whole networks, which are no address."""
    import sqlalchemy as sa

    found = database.fetch(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name = %s AND udt_name = 'inet'",
        (name,),
    )
    table = database.backend.quoted(name)
    told = {}
    for (column,) in found:
        quoted = database.backend.quoted(column)
        networks = f"SELECT 1 FROM {table} WHERE {quoted} <> host({quoted})::inet LIMIT 1"  # noqa: S608 - quoted
        if database.fetch(networks):
            told[column] = _named("NETWORK", sa.Text)
    return told


def _sqlite_types(database: Any, name: str) -> dict[str, Any]:
    """What the names of types mean; where they mean nothing, and of yes and no, what is in the columns."""
    import sqlalchemy as sa

    found = database.fetch("SELECT name, lower(type) FROM pragma_table_xinfo(?)", (name,))
    told = {column: _sqlite_type(sa, kind) for column, kind in found}
    for column, kind in told.items():
        if isinstance(kind, sa.types.NullType | sa.Boolean):
            told[column] = _kept_type(database, name, column, kind)
    return {column: kind for column, kind in told.items() if kind is not None}


def _kept_type(database: Any, name: str, column: str, declared: Any) -> Any:
    """The type of what a column of SQLite's really has: Rails wrote ``'t'`` and ``'f'`` where it declared booleans."""
    import sqlalchemy as sa

    quoted = database.backend.quoted(column)
    others = "NOT IN (0, 1)" if isinstance(declared, sa.Boolean) else "IS NOT NULL"
    sql = f"SELECT DISTINCT typeof({quoted}) FROM {database.backend.quoted(name)} WHERE {quoted} {others}"  # noqa: S608 - quoted
    kept = {kind for (kind,) in database.fetch(sql)}
    if not kept:
        return declared
    if kept <= {"integer", "real"}:
        return sa.Float() if "real" in kept else sa.Integer()
    if kept == {"blob"}:
        return sa.LargeBinary()
    return _named("FLAGS", sa.Text) if isinstance(declared, sa.Boolean) else sa.Text() if kept == {"text"} else declared


def _named(name: str, kind: Any) -> Any:
    """A type that is told by a name of ours."""
    return type(name, (kind,), {})()


_SQLITE_NUMBERS = re.compile("(big|small|medium|tiny|long)?int(eger)?|unsigned|num(ber)?|dec|(small)?money|currency")


def _sqlite_type(sa: Any, declared: str) -> Any:
    """The type that a name means which SQLAlchemy does not know; None if it knows better.

    SQLite takes ``ENUM`` for a number, and ``POINT`` for a whole one. Source: sqlite.org/datatype3.html, 3.1.
    """
    from sqlalchemy.dialects.sqlite.base import ischema_names

    kinds = {"uuid": sa.Uuid(), "timestamp": sa.DateTime(), "datetime": sa.DateTime(), "string": sa.Text()}
    kinds |= {"jsonb": sa.JSON(), "bit": sa.Boolean(), "bool": sa.Boolean(), "boolean": sa.Boolean()}
    kinds |= {"serial": sa.Integer(), "bigserial": sa.BigInteger()}
    word = next(iter(re.findall("[a-z]+", declared)), "")
    is_known = word.upper() in ischema_names or _SQLITE_NUMBERS.fullmatch(word)
    if is_known or re.search("char|clob|text|blob|real|floa|doub", declared):
        return kinds.get(word)
    return kinds.get(word, sa.types.NullType())


def _mariadb_types(database: Any, name: str) -> dict[str, Any]:
    """The columns of types that MySQL has not, or SQLAlchemy does not know there."""
    import sqlalchemy as sa
    from sqlalchemy.dialects.mysql import TINYINT
    from sqlalchemy.dialects.mysql.mariadb import INET4, INET6

    shape = _named("GEOMETRY", sa.LargeBinary)
    kinds = {"uuid": sa.Uuid(), "inet4": INET4(), "inet6": INET6(), **dict.fromkeys(_SHAPES, shape)}
    found = database.fetch(
        "SELECT column_name, lower(data_type), lower(column_type) FROM information_schema.columns "
        "WHERE table_schema = database() AND table_name = %s",
        (name,),
    )
    told = {column: kinds[kind] for column, kind, _ in found if kind in kinds}
    flags = [column for column, _, whole in found if whole.startswith("tinyint(1)")]
    return told | {column: TINYINT() for column in flags if not _has_flags_alone(database, name, column)}


def _has_flags_alone(database: Any, name: str, column: str) -> bool:
    """Whether there is nothing but yes and no in a column; ``TINYINT(1)`` takes any small number."""
    table, quoted = map(database.backend.quoted, (name, column))
    return not database.fetch(f"SELECT 1 FROM {table} WHERE {quoted} NOT IN (0, 1) LIMIT 1")  # noqa: S608 - quoted


_SHAPES = (
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection"
)  # fmt: skip
"""MariaDB's types of geometries."""


def _json_columns(database: Any, name: str) -> list[str]:
    found = database.fetch(
        "SELECT check_clause FROM information_schema.check_constraints "
        "WHERE constraint_schema = database() AND table_name = %s",
        (name,),
    )
    told = (re.fullmatch(r"\s*json_valid\(`(.+)`\)\s*", str(clause)) for (clause,) in found)
    return [match[1].replace("``", "`") for match in told if match]


def _hidden(database: Any, name: str) -> set[str]:
    """The columns of a table that no ``SELECT *`` shows, such as those under an index over an expression."""
    if database.dialect != "mysql":
        return set()
    found = database.fetch(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = database() AND table_name = %s AND extra LIKE %s",
        (name, "%INVISIBLE%"),
    )
    return {column for (column,) in found}


def _is_counted(column: Any) -> bool:
    """Whether the database gives the numbers of a column."""
    counted = column.get("autoincrement") in (True, "auto")
    return counted or bool(column.get("identity")) or "nextval(" in str(column.get("default") or "")


def _uniques(inspector: Any, name: str, key: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Constraints, and indexes without a condition that say the same."""
    from sqlalchemy.exc import SAWarning

    seen = {key}
    with warnings.catch_warnings():  # of indexes over expressions, which say nothing of columns
        warnings.filterwarnings("ignore", "Skipped unsupported reflection", SAWarning)
        constraints, indexes = _read_uniques(inspector, name)
    for title, columns in [*constraints, *indexes]:
        if tuple(columns) not in seen:
            seen.add(tuple(columns))
            yield str(title or ""), tuple(columns)


def _read_uniques(inspector: Any, name: str) -> tuple[list[tuple[Any, list[str]]], list[tuple[Any, list[str]]]]:
    """Unique constraints, and unique indexes over columns.

    SQLite's constraints are read from the text of the table, and ``VARCHAR(5) UNIQUE`` is not understood: their indexes
    tell the rest.
    """
    found = inspector.get_indexes(name, include_auto_indexes=True)
    partial = {one["name"] for one in found if _is_partial(one)}
    constraints = [
        (one["name"], one["column_names"])
        for one in inspector.get_unique_constraints(name)
        if one.get("duplicates_index") not in partial
    ]
    indexes = [
        ("" if str(one["name"]).startswith("sqlite_") else one["name"], one["column_names"])
        for one in found
        if one["unique"] and None not in one["column_names"] and one["name"] not in partial
    ]
    return constraints, indexes


def _is_partial(index: Any) -> bool:
    """Whether it is of some rows alone, or (MariaDB) of the beginnings of texts."""
    return any(name.endswith(("_where", "_length")) for name in index.get("dialect_options", {}))
