"""Reading tables of PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from toolkit.migrations.editors.statements import create_statements, foreign_keys_of, table_of
from toolkit.migrations.tables.definitions import quote
from toolkit.migrations.tables.information import Column, TableInfo

SCRATCH_SCHEMA = "pg_temp"

_COLUMNS = """SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull,
NOT attnotnull OR atthasdef OR attidentity <> '' OR attgenerated <> '',
CASE WHEN attgenerated = '' THEN pg_get_expr(adbin, adrelid) END,
CASE WHEN attgenerated <> '' THEN pg_get_expr(adbin, adrelid) END,
col_description(attrelid, attnum)
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_CONSTRAINTS = """SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'f', 'c', 'x')"""
_INDEXES = """SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid
AND contype IN ('u', 'p', 'x'))"""


_ANYWHERE = re.compile(r" ON .*?(?= USING)| NULLS (?:FIRST|LAST)(?=[,)])")
"""What is no difference between indexes: the table, and the place of NULLs, which older tables have elsewhere."""


def has(database: Any, table: str) -> bool:
    """Whether there is a table of this name."""
    return database.fetch("SELECT to_regclass(%s)", (quote(table),))[0][0] is not None


def read(database: Any, table: str) -> TableInfo | None:
    """The table of this name, or None."""
    return _describe(database, table) if has(database, table) else None


def expected(database: Any, models: Sequence[Any]) -> dict[Any, TableInfo]:
    """What the tables of some models look like when they are made now: as temporary tables."""
    with _scratch_place(database):
        return {model: _expected(database, model) for model in models}


def _describe(database: Any, table: str) -> TableInfo:
    name = quote(table)
    columns = {
        column: Column(kind, null, optional, _plain(default), generated, comment)
        for column, kind, null, optional, default, generated, comment in database.fetch(_COLUMNS, (name,))
    }
    constraints = frozenset(text for (text,) in database.fetch(_CONSTRAINTS, (name,)))
    indexes = {index: _ANYWHERE.sub("", text) for index, text in database.fetch(_INDEXES, (name,))}
    comment = database.fetch("SELECT obj_description(%s::regclass, 'pg_class')", (name,))[0][0]
    return TableInfo(columns, constraints, indexes, comment)


def _plain(default: str | None) -> str | None:
    """A default, but for the sequence of a key, which keeps its name when the table gets another."""
    return None if default is not None and default.startswith("nextval(") else default


def _expected(database: Any, model: Any) -> TableInfo:
    for target in [model, *(key.target for key in model._meta.foreign_keys())]:
        if not _is_in_scratch(database, target):
            for statement in create_statements(database, target, foreign_keys=False):
                database.execute(statement)
    for key in foreign_keys_of(table_of(model, database), database):
        database.execute(key.sql)
    return _describe(database, model._meta.table)


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
