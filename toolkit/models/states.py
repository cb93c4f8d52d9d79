"""The state of whole tables: which columns changed since a build.

A table that carries the token of then did not change. Another is read, all of it or the buckets of rows that have
another token now, for digests of each column over each bucket. So a query whose rows are chosen and ordered by columns
that did not change need not be asked again, and neither need rows of other buckets, or of which only such columns were
read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import groupby, islice
from typing import Any, NamedTuple

import msgspec

from toolkit.database import DEFAULT, read_buckets, read_tokens
from toolkit.models.answers import at_place, at_table
from toolkit.models.fields import DateTimeField
from toolkit.models.options import located
from toolkit.models.sqltext import placeholder, quoted
from toolkit.trace import BUCKET_BITS, Scope, bucket_of

SCAN_ROWS = 500
DIGEST_BYTES = 16

Bucket = int | None
"""See ``bucket_of``."""

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class BucketState(NamedTuple):
    """Rows with neighbouring keys at one instant.

    Args:
        digests: Of the table's columns, one after the other, over these rows in the order of the key.
        rows: How many there are.
        token: Their token, or an empty text.
    """

    digests: bytes
    rows: int
    token: str = ""


@dataclass(frozen=True)
class TableState:
    """A table at one instant.

    Args:
        token: Its token, or an empty text.
        columns: Its columns.
        buckets: The rows.
        scanned: Whether all of the table was read, because no token stood.
    """

    token: str
    columns: tuple[str, ...] = ()
    buckets: Mapping[Bucket, BucketState] = field(default_factory=dict)
    scanned: bool = field(default=False, compare=False)

    def changed_since(self, before: TableState | None) -> set[str]:
        """Columns that may have changed; all of them if a bucket of rows came or went."""
        if before is None:
            return set(self.columns)
        if self.token and self.token == before.token:
            return set()
        changed = set(self.columns).symmetric_difference(before.columns)
        for bucket in self._moved(before):
            now, then = self._digests(bucket), before._digests(bucket)
            changed |= {name for name in now.keys() | then.keys() if now.get(name) != then.get(name)}
        return changed

    def buckets_since(self, before: TableState | None) -> set[Bucket] | None:
        """Buckets whose rows may be others; None for all of them."""
        if before is None or self.columns != before.columns:
            return None
        if self.token and self.token == before.token:
            return set()
        moved = self._moved(before)
        return None if None in moved else moved

    def _moved(self, before: TableState) -> set[Bucket]:
        now, then = self.buckets, before.buckets
        both = {bucket for bucket in now.keys() & then.keys() if now[bucket].digests != then[bucket].digests}
        return both | (now.keys() ^ then.keys())

    def _digests(self, bucket: Bucket) -> dict[str, bytes]:
        """Column to digest; empty if there are no such rows."""
        found = self.buckets.get(bucket)
        return dict(zip(self.columns, _slices(found.digests), strict=True)) if found is not None else {}


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
            states[name] = replace(earlier, scanned=False)
        else:
            states[name] = _Table(scope, name).capture(token, earlier)
    return states


def _by_place(names: Iterable[str]) -> dict[str, list[str]]:
    """Tables by the database that they are in."""
    found: dict[str, list[str]] = {}
    for name in names:
        place, _, table = name.rpartition(":")
        found.setdefault(place or DEFAULT, []).append(table)
    return found


class _Table:
    """A table whose token does not stand.

    Args:
        scope: Gives the database.
        table: Which table.
    """

    def __init__(self, scope: Scope, table: str) -> None:
        here, model = at_table(scope, table)
        meta = model._meta
        self._database = here.database
        self._name = meta.table
        self.columns: tuple[str, ...] = tuple(meta.columns)
        self._key = [field.column for field in meta.key]

    def capture(self, token: str, before: TableState | None) -> TableState:
        """Its state: read whole, or where rows were written since then."""
        kept = read_buckets(self._database, self._name)
        tokens: Mapping[int, str] = kept.tokens if kept is not None and [kept.column] == self._key else {}
        if before is not None and before.columns == self.columns and None not in before.buckets:
            found = self._capture_written(token, before, tokens)
            if found is not None:
                return found
        known: dict[Bucket, str] = dict(tokens.items())
        buckets = {bucket: one._replace(token=known.get(bucket, "")) for bucket, one in self._read().items()}
        return TableState(token, self.columns, buckets, scanned=True)

    def _capture_written(self, token: str, before: TableState, tokens: Mapping[int, str]) -> TableState | None:
        """Today's state, from then's and the buckets that have another token; None if they do not tell everything."""
        buckets: dict[Bucket, BucketState] = {
            bucket: before.buckets[bucket]
            for bucket, drawn in tokens.items()
            if drawn and bucket in before.buckets and before.buckets[bucket].token == drawn
        }
        written = sorted(tokens.keys() - buckets.keys())
        if len(written) > len(buckets):
            return None
        for bucket in written:
            read = self._read(bucket)
            if read:
                buckets[bucket] = read[bucket]._replace(token=tokens[bucket])
        # what REPLACE deletes on SQLite leaves the bucket its token, and is missed here
        return TableState(token, self.columns, buckets) if self._count() == _rows_in(buckets) else None

    def _read(self, bucket: int | None = None) -> dict[Bucket, BucketState]:
        """Read the rows, or those of one bucket."""
        quote = partial(quoted, self._database.dialect)
        columns, key = (", ".join(map(quote, names)) for names in (self.columns, self._key))
        where = ""
        bounds: tuple[int, ...] = ()
        if bucket is not None:
            mark = placeholder(self._database.dialect)
            where, bounds = f"WHERE {key} >= {mark} AND {key} <= {mark}", _bounds_of(bucket)
        sql = f"SELECT {columns} FROM {quote(self._name)} {where} ORDER BY {key}"  # noqa: S608 - names of the schema
        own = self.columns.index(self._key[0]) if len(self._key) == 1 else None
        rows = _rows_of(self._database, sql, bounds)
        found: dict[Bucket, BucketState] = {}
        for one, group in groupby(rows, lambda row: None if own is None else bucket_of(row[own])):
            state = _digest_columns(group, len(self.columns))
            known = found.get(one)  # where keys of several kinds are mixed, a bucket may come twice
            found[one] = state if known is None else _joined(known, state)
        return found

    def _count(self) -> int:
        sql = f"SELECT count(*) FROM {quoted(self._database.dialect, self._name)}"  # noqa: S608 - a name of the schema
        return int(self._database.fetch(sql)[0][0])


def _bounds_of(bucket: int) -> tuple[int, int]:
    """The first and the last key."""
    first = bucket << BUCKET_BITS
    return first, first + (1 << BUCKET_BITS) - 1


def _rows_in(buckets: Mapping[Bucket, BucketState]) -> int:
    return sum(state.rows for state in buckets.values())


def _rows_of(database: Any, sql: str, bounds: Sequence[Any]) -> Iterator[Any]:
    cursor = database.execute(sql, bounds)
    while chunk := database.taken(cursor.fetchmany, sql, SCAN_ROWS, parameters=bounds):
        yield from chunk


def _digest_columns(rows: Iterable[Sequence[Any]], width: int) -> BucketState:
    """The digest of each column over some rows, and how many they are."""
    hashes = [hashlib.blake2b(digest_size=DIGEST_BYTES) for _ in range(width)]
    waiting, count = iter(rows), 0
    while chunk := list(islice(waiting, SCAN_ROWS)):
        count += len(chunk)
        for column, values in zip(hashes, zip(*chunk, strict=True), strict=True):
            column.update(_encode(values))
    return BucketState(b"".join(column.digest() for column in hashes), count)


def _joined(one: BucketState, other: BucketState) -> BucketState:
    rows = [_slices(one.digests), _slices(other.digests)]
    return BucketState(_digest_columns(rows, len(rows[0])).digests, one.rows + other.rows)


def _slices(digests: bytes) -> list[bytes]:
    return [digests[start : start + DIGEST_BYTES] for start in range(0, len(digests), DIGEST_BYTES)]


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
    sql = f"SELECT 1 FROM {quoted(dialect, table)} WHERE {name} >= {mark} AND {name} <= {mark} LIMIT 1"  # noqa: S608 - quoted
    moved = [moment + timedelta(microseconds=later) for moment in (first, last)]
    bounds = [write(moment) if write else moment for moment in moved]
    return bool(scope.database.fetch(sql, bounds))
