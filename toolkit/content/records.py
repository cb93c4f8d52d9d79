"""What was loaded from each file: kept in the database itself, so that a restored copy knows what it holds.

The table is the toolkit's own and no model's: it is made at the first load.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from toolkit.stamps import Stamp

TABLE = "toolkit_source"
BATCH = 500

_COLUMNS = (
    "path",
    "pattern",
    "model",
    "declared",
    "digest",
    "size",
    "modified",
    "changed",
    "inode",
    "settled",
    "row_count",
)
_CREATE = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    path {{path}} NOT NULL PRIMARY KEY,
    pattern VARCHAR(700) NOT NULL,
    model VARCHAR(200) NOT NULL,
    declared VARCHAR(32) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    size BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    inode BIGINT NOT NULL,
    settled INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    row_keys {{keys}} NOT NULL
)"""
STAMPS = f"SELECT path, pattern, declared, size, modified, changed, inode, settled FROM {TABLE}"  # noqa: S608 - constants
"""What ``toolkit.seals.Seal.records`` wants to know."""

SUMMARY = f"""
SELECT count(*), sum(size), sum(modified % 1000000007 * (1 + rowid % 1009)), sum(changed % 998244353),
    sum(inode % 1000000007 * (1 + size % 1009)), sum(settled), sum(row_count), sum(length(path)),
    min(declared), max(declared), min(pattern), max(pattern)
FROM {TABLE}
"""  # noqa: S608 - constants
"""And what ``summary`` does: another load notes another instant of some file."""

_TYPES = {"path": "VARCHAR(700)", "keys": "TEXT"}
_MYSQL_TYPES = {"path": "VARCHAR(700) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "keys": "LONGTEXT"}


class Record(NamedTuple):
    """One file as it was when it was loaded.

    Args:
        path: Below the site's folder.
        pattern: Of its source.
        model: Label of the source's model.
        declared: ``Layout.declared``.
        digest: Of its content, hexadecimal.
        size: With the next three, the file's stamp.
        settled: Whether the stamp alone proves that the file is the same.
        row_count: How many rows it gave; a translation gives none.
    """

    path: str
    pattern: str
    model: str
    declared: str
    digest: str
    size: int
    modified: int
    changed: int
    inode: int
    settled: int
    row_count: int

    @property
    def stamp(self) -> Stamp:
        """The file's stamp."""
        return Stamp(*self[5:9])


_make: Callable[[Any], Record] = partial(tuple.__new__, Record)
"""As ``Record._make``, three times as fast: an edit reads the records of all files."""


class RowKey(NamedTuple):
    """A row that a file gave: its key there, and its primary key in the database."""

    key: Any
    pk: Any


def read_records(database: Any) -> dict[str, Record]:
    """All records, by path; none when nothing was ever loaded."""
    if not has_table(database):
        return {}
    rows = database.fetch(f"SELECT {', '.join(_COLUMNS)} FROM {TABLE}")  # noqa: S608 - constants
    return {row[0]: record for row, record in zip(rows, map(_make, rows), strict=True)}


def read_narrow(database: Any, folders: Iterable[str], paths: Iterable[str]) -> dict[str, Record]:
    """The records of some paths, and of all files that are not below some folders.

    Args:
        database: SQLite.
        folders: Below the site's folder, ending in ``/``.
        paths: Below these folders.
    """
    asked = f"SELECT {', '.join(_COLUMNS)} FROM {TABLE} WHERE"  # noqa: S608 - constants
    rows, after = [], ""
    for folder in sorted(folders):
        rows += database.fetch(f"{asked} path >= ? AND path < ?", [after, folder])
        after = f"{folder[:-1]}0"  # "0" comes after "/"
    rows += database.fetch(f"{asked} path >= ?", [after])
    for path in paths:
        rows += database.fetch(f"{asked} path = ?", [path])
    return {row[0]: record for row, record in zip(rows, map(_make, rows), strict=True)}


def summarize(database: Any) -> tuple[Any, ...]:
    """SQLite's answer to ``SUMMARY``; empty when nothing was ever loaded."""
    return tuple(database.fetch(SUMMARY)[0]) if has_table(database) else ()


def data_version(database: Any) -> int | None:
    """A number that another process moves by writing anything; None where the database does not tell."""
    if database.dialect != "sqlite" or database.in_memory:
        return None
    return int(database.fetch("PRAGMA data_version")[0][0])


def sum_rows(records: Iterable[Record]) -> dict[tuple[str, str], int]:
    """(pattern, model's label) to the number of rows."""
    totals: dict[tuple[str, str], int] = {}
    for record in records:
        name = (record.pattern, record.model)
        totals[name] = totals.get(name, 0) + record.row_count
    return totals


def count_rows(database: Any) -> dict[tuple[str, str], int]:
    """The same, of all records."""
    sql = f"SELECT pattern, model, SUM(row_count) FROM {TABLE} GROUP BY pattern, model"  # noqa: S608 - constants
    return {(pattern, model): int(count) for pattern, model, count in database.fetch(sql)}


def has_table(database: Any, name: str = TABLE) -> bool:
    """Whether a table is there."""
    if database.dialect == "sqlite":
        return bool(database.fetch("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))
    here = "current_schema()" if database.dialect == "postgresql" else "database()"
    sql = f"SELECT 1 FROM information_schema.tables WHERE table_name = %s AND table_schema = {here}"  # noqa: S608 - constants
    return bool(database.fetch(sql, (name,)))


def read_keys(database: Any, paths: Sequence[str]) -> dict[str, list[RowKey]]:
    """The rows that these files gave."""
    found: dict[str, list[RowKey]] = {}
    mark = "?" if database.dialect == "sqlite" else "%s"
    for start in range(0, len(paths), BATCH):
        chunk = list(paths[start : start + BATCH])
        marks = ", ".join([mark] * len(chunk))
        sql = f"SELECT path, row_keys FROM {TABLE} WHERE path IN ({marks})"  # noqa: S608 - constants
        for path, text in database.fetch(sql, chunk):
            found[path] = [RowKey(key, pk) for key, pk in json.loads(text)]
    return found


def find_giver(database: Any, model: str, pk: Any) -> str | None:
    """The file that gave a row, if one did."""
    if not has_table(database):
        return None
    mark = "?" if database.dialect == "sqlite" else "%s"
    sql = f"SELECT path, row_keys FROM {TABLE} WHERE model = {mark}"  # noqa: S608 - constants
    for path, text in database.fetch(sql, (model,)):
        if any(given == pk for _, given in json.loads(text)):
            return str(path)
    return None


def ensure_table(database: Any) -> None:
    """Make the table if it is missing. Not inside a transaction: MySQL would commit it."""
    if not has_table(database):
        types = _MYSQL_TYPES if database.dialect == "mysql" else _TYPES
        database.execute(_CREATE.format(**types))


def replace_records(database: Any, gone: Iterable[str], records: Sequence[tuple[Record, Sequence[RowKey]]]) -> None:
    """Forget some files, and note others as they are now. Inside the caller's transaction."""
    mark = "?" if database.dialect == "sqlite" else "%s"
    paths = [(path,) for path in {*gone, *(record.path for record, _ in records)}]
    if paths:
        database.executemany(f"DELETE FROM {TABLE} WHERE path = {mark}", paths)  # noqa: S608 - constants
    columns = ", ".join((*_COLUMNS, "row_keys"))
    marks = ", ".join([mark] * (len(_COLUMNS) + 1))
    rows = [(*record, json.dumps([list(key) for key in keys])) for record, keys in records]
    if rows:
        database.executemany(f"INSERT INTO {TABLE} ({columns}) VALUES ({marks})", rows)  # noqa: S608 - constants


def refresh_stamps(database: Any, stamps: Sequence[Sequence[Any]]) -> None:
    """Note new stamps: rows of (size, modified, changed, inode, settled, path)."""
    if not stamps:
        return
    mark = "?" if database.dialect == "sqlite" else "%s"
    pairs = ", ".join(f"{name} = {mark}" for name in ("size", "modified", "changed", "inode", "settled"))
    with database.atomic():
        database.executemany(f"UPDATE {TABLE} SET {pairs} WHERE path = {mark}", stamps)  # noqa: S608 - constants
