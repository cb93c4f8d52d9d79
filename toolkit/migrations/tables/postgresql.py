"""Reading tables of PostgreSQL."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from toolkit.migrations.editors.statements import create_statements, foreign_keys_of, table_of
from toolkit.migrations.tables.definitions import quote
from toolkit.migrations.tables.information import Column, TableInfo

SCRATCH_SCHEMA = "pg_temp"

_COLUMNS = """SELECT attrelid::bigint, attname, format_type(atttypid, atttypmod), NOT attnotnull,
NOT attnotnull OR atthasdef OR attidentity <> '' OR attgenerated <> '',
CASE WHEN attgenerated = '' THEN pg_get_expr(adbin, adrelid) END,
CASE WHEN attgenerated <> '' THEN pg_get_expr(adbin, adrelid) END,
col_description(attrelid, attnum)
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = ANY(%s::bigint[]::oid[]) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum"""
_CONSTRAINTS = """SELECT conrelid::bigint, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = ANY(%s::bigint[]::oid[]) AND contype IN ('p', 'u', 'f', 'c', 'x')"""
_INDEXES = """SELECT indrelid::bigint, relname, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = ANY(%s::bigint[]::oid[]) AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid
AND contype IN ('u', 'p', 'x'))"""
_COMMENTS = """SELECT objoid::bigint, description FROM pg_description
WHERE objoid = ANY(%s::bigint[]::oid[]) AND objsubid = 0 AND classoid = 'pg_class'::regclass"""


_ANYWHERE = re.compile(r" ON .*?(?= USING)| NULLS (?:FIRST|LAST)(?=[,)])")
"""What is no difference between indexes: the table, and the place of NULLs, which older tables have elsewhere."""


def present(database: Any, tables: Iterable[str]) -> set[str]:
    """Those of some tables that are there."""
    return set(_numbers(database, tables))


def read(database: Any, tables: Iterable[str]) -> dict[str, TableInfo]:
    """What those of some tables are like that are there: in a few questions, however many they are."""
    numbers = _numbers(database, tables)
    return _describe(database, numbers) if numbers else {}


def expected(database: Any, models: Sequence[Any]) -> dict[Any, TableInfo]:
    """What the tables of some models look like when they are made now: as temporary tables."""
    with _scratch_place(database):
        for model in models:
            _make(database, model)
        found = read(database, [model._meta.table for model in models])
    return {model: found[model._meta.table] for model in models}


def _numbers(database: Any, tables: Iterable[str]) -> dict[str, int]:
    """The numbers of those of some tables that are there."""
    names = {quote(table): table for table in tables}
    sql = "SELECT name, to_regclass(name)::oid::bigint FROM unnest(%s::text[]) AS name"
    return {names[name]: number for name, number in database.fetch(sql, (list(names),)) if number is not None}


def _describe(database: Any, numbers: Mapping[str, int]) -> dict[str, TableInfo]:
    given = (list(numbers.values()),)
    columns: dict[int, dict[str, Column]] = defaultdict(dict)
    for number, name, kind, null, optional, default, generated, comment in database.fetch(_COLUMNS, given):
        columns[number][name] = Column(kind, null, optional, _plain(default), generated, comment)
    constraints: dict[int, set[str]] = defaultdict(set)
    for number, text in database.fetch(_CONSTRAINTS, given):
        constraints[number].add(text)
    indexes: dict[int, dict[str, str]] = defaultdict(dict)
    for number, name, text in database.fetch(_INDEXES, given):
        indexes[number][name] = _ANYWHERE.sub("", text)
    comments = dict(database.fetch(_COMMENTS, given))
    return {
        table: TableInfo(columns[number], frozenset(constraints[number]), indexes[number], comments.get(number))
        for table, number in numbers.items()
    }


def _plain(default: str | None) -> str | None:
    """A default, but for the sequence of a key, which keeps its name when the table gets another."""
    return None if default is not None and default.startswith("nextval(") else default


def _make(database: Any, model: Any) -> None:
    for target in [model, *(key.target for key in model._meta.foreign_keys())]:
        if not _is_in_scratch(database, target):
            for statement in create_statements(database, target, foreign_keys=False):
                database.execute(statement)
    for key in foreign_keys_of(table_of(model, database), database):
        database.execute(key.sql)


def _is_in_scratch(database: Any, model: Any) -> bool:
    name = f"{SCRATCH_SCHEMA}.{quote(model._meta.table)}"
    return database.fetch("SELECT to_regclass(%s)", (name,))[0][0] is not None


@contextmanager
def _scratch_place(database: Any) -> Iterator[None]:
    """Temporary tables first in the path, which every role may make, and which go away by rolling back."""
    database.execute("SAVEPOINT toolkit_scratch" if database.transaction is not None else "BEGIN")
    try:
        path = database.fetch("SELECT current_setting('search_path')")[0][0]
        database.execute(f"SET LOCAL search_path TO {SCRATCH_SCHEMA}, {path}")
        yield
    finally:
        inside = database.transaction is not None
        database.execute("ROLLBACK TO SAVEPOINT toolkit_scratch" if inside else "ROLLBACK")
