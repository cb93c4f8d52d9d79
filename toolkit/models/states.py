"""The state of whole tables: which columns changed since a build.

A table that carries the token of then did not change. Another is read once, for a digest of each column over all
rows. So a query whose rows are chosen and ordered by columns that did not change need not be asked again, and neither
need rows of which only such columns were read, whatever else was edited.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from toolkit.database import DEFAULT, read_tokens
from toolkit.models.answers import at_place, at_table
from toolkit.models.fields import DateTimeField
from toolkit.models.options import located
from toolkit.models.sqltext import placeholder, quoted
from toolkit.trace import Scope

SCAN_ROWS = 500
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


@dataclass(frozen=True)
class TableState:
    """A table at one instant.

    Args:
        token: Its token, or an empty text.
        columns: Column to digest over all rows in the order of the key.
        scanned: Whether the table was read, because no token stood.
    """

    token: str
    columns: Mapping[str, bytes]
    scanned: bool = field(default=False, compare=False)

    def changed_since(self, before: TableState | None) -> set[str]:
        """Columns that may have changed; all of them if rows came or went."""
        if before is None:
            return set(self.columns)
        if self.token and self.token == before.token:
            return set()
        changed = {name for name, value in self.columns.items() if before.columns.get(name) != value}
        changed |= set(before.columns) - set(self.columns)
        return changed


def capture(scope: Scope, tables: Iterable[str], before: Mapping[str, TableState]) -> dict[str, TableState]:
    """Today's state of these tables; those whose token stands are not read.

    Args:
        scope: Gives the database.
        tables: Names of tables.
        before: States of an earlier build.
    """
    names = sorted(tables)
    tokens: dict[str, str] = {}
    for place, tables_there in _by_place(names).items():
        read = read_tokens(at_place(scope, place).database, tables_there)
        tokens |= {located(table, place): token for table, token in read.items()}
    states = {}
    for name in names:
        token = tokens.get(name, "")
        earlier = before.get(name)
        if earlier is not None and token and token == earlier.token:
            states[name] = TableState(token, earlier.columns)
        else:
            states[name] = _scan(scope, name, token)
    return states


def _by_place(names: Iterable[str]) -> dict[str, list[str]]:
    """Tables by the database that they are in."""
    found: dict[str, list[str]] = {}
    for name in names:
        place, _, table = name.rpartition(":")
        found.setdefault(place or DEFAULT, []).append(table)
    return found


def _scan(scope: Scope, table: str, token: str) -> TableState:
    """Read a table once."""
    scope, model = at_table(scope, table)
    meta = model._meta
    dialect = scope.database.dialect
    columns = ", ".join(quoted(dialect, name) for name in meta.columns)
    key = ", ".join(quoted(dialect, field.column) for field in meta.key)
    sql = f"SELECT {columns} FROM {quoted(dialect, meta.table)} ORDER BY {key}"  # noqa: S608 - names of the schema
    hashes = [hashlib.blake2b(digest_size=16) for _ in meta.columns]
    cursor = scope.database.execute(sql)
    while chunk := cursor.fetchmany(SCAN_ROWS):
        for column, values in zip(hashes, zip(*chunk, strict=True), strict=True):
            column.update(_encode(values))
    digests = {name: column.digest() for name, column in zip(meta.columns, hashes, strict=True)}
    return TableState(token, digests, scanned=True)


def crossed(scope: Scope, table: str, column: str, since: Any, later: int = 0) -> bool:
    """Whether any row's instant in this column lies between an earlier moment and the scope's.

    Args:
        scope: The scope.
        table: Which table.
        column: Which column.
        since: The earlier moment.
        later: The column is compared with a moment so many microseconds later.
    """
    scope, model = at_table(scope, table)
    if model is None:
        return True
    table = model._meta.table
    write = DateTimeField[Any]().db_writer(scope.database.dialect)
    first, last = sorted((since, scope.now()))
    if first == last:
        return False
    dialect = scope.database.dialect
    mark = placeholder(dialect)
    name = quoted(dialect, column)
    sql = f"SELECT 1 FROM {quoted(dialect, table)} WHERE {name} >= {mark} AND {name} <= {mark} LIMIT 1"  # noqa: S608
    moved = [moment + timedelta(microseconds=later) for moment in (first, last)]
    bounds = [write(moment) if write else moment for moment in moved]
    return bool(scope.database.fetch(sql, bounds))
