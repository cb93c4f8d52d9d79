"""Who names whom: the partners that files named, and the rows that were made for them.

Both are kept in the database, beside ``toolkit_source``: only so does an edit of one file know whether another still
names a tag, and how that one spells it. The tables are made when a source first wants them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from toolkit.content.records import RowKey, has_table
from toolkit.content.tables import BATCH, mark_of

MENTIONS, CREATED = "toolkit_mention", "toolkit_created"
Named = tuple[str, str]
"""A model's label, and the key of one of its rows."""

_CREATE = (
    f"""CREATE TABLE IF NOT EXISTS {MENTIONS} (
    path {{path}} NOT NULL,
    place INTEGER NOT NULL,
    relation VARCHAR(200) NOT NULL,
    model {{label}} NOT NULL,
    row_key {{key}} NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (path, place)
)""",
    f"""CREATE TABLE IF NOT EXISTS {CREATED} (
    model {{label}} NOT NULL,
    row_key {{key}} NOT NULL,
    pk VARCHAR(700) NOT NULL,
    PRIMARY KEY (model, row_key)
)""",
)
_INDEX = f"CREATE INDEX {MENTIONS}_by_row ON {MENTIONS} (model, row_key, path)"
_EXACT = {"sqlite": "", "postgresql": ' COLLATE "C"', "mysql": " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"}
"""Paths compare as Python compares them, and keys by every letter."""


class Mention(NamedTuple):
    """A file names a partner.

    Args:
        path: The file.
        place: Its place among all that the file names, from 0.
        relation: The field that names it.
        model: Label of the partner's model.
        key: The driver's value of the partner's key.
        name: The partner as the file calls it.
    """

    path: str
    place: int
    relation: str
    model: str
    key: str
    name: str


def ensure_mention_tables(database: Any) -> None:
    """Make the tables if they are missing. Not inside a transaction: MySQL would commit it."""
    if has_table(database, CREATED):
        return
    exact = _EXACT[database.dialect]
    # MySQL's keys take 3,072 bytes, four for a character
    types = {"path": f"VARCHAR(300){exact}" if database.dialect == "mysql" else f"VARCHAR(700){exact}"}
    types |= {"label": f"VARCHAR(100){exact}", "key": f"VARCHAR(300){exact}"}
    for statement in _CREATE:
        database.execute(statement.format(**types))
    database.execute(_INDEX)


def read_named(database: Any, paths: Sequence[str]) -> set[Named]:
    """Whom these files named."""
    found: set[Named] = set()
    for start in range(0, len(paths), BATCH):
        chunk = list(paths[start : start + BATCH])
        marks = ", ".join([mark_of(database)] * len(chunk))
        sql = f"SELECT DISTINCT model, row_key FROM {MENTIONS} WHERE path IN ({marks})"  # noqa: S608 - constants
        found.update((row[0], row[1]) for row in database.fetch(sql, chunk))
    return found


def replace_mentions(database: Any, paths: Iterable[str], mentions: Iterable[Mention]) -> None:
    """Note whom some files name now. Inside the caller's transaction."""
    mark = mark_of(database)
    gone = [(path,) for path in paths]
    if gone:
        database.executemany(f"DELETE FROM {MENTIONS} WHERE path = {mark}", gone)  # noqa: S608 - constants
    rows = list(mentions)
    if rows:
        columns, marks = ", ".join(_COLUMNS), ", ".join([mark] * len(_COLUMNS))
        database.executemany(f"INSERT INTO {MENTIONS} ({columns}) VALUES ({marks})", rows)  # noqa: S608 - constants


_COLUMNS = ("path", "place", "relation", "model", "row_key", "name")


def first_mentions(database: Any, named: Iterable[Named]) -> dict[Named, Mention]:
    """For each row that some file names, the first mention: by path, then by place in the file."""
    firsts = {
        (model, key): path
        for model, keys in by_model(named).items()
        for key, path in _fetch(database, f"row_key, MIN(path) FROM {MENTIONS}", model, keys, "GROUP BY row_key")
    }
    found: dict[Named, Mention] = {}
    for mention in sorted(_mentions_in(database, sorted(set(firsts.values())))):
        if firsts.get((mention.model, mention.key)) == mention.path:
            found.setdefault((mention.model, mention.key), mention)
    return found


def _mentions_in(database: Any, paths: Sequence[str]) -> Iterator[Mention]:
    """Everything that these files name."""
    for start in range(0, len(paths), BATCH):
        chunk = list(paths[start : start + BATCH])
        marks = ", ".join([mark_of(database)] * len(chunk))
        sql = f"SELECT {', '.join(_COLUMNS)} FROM {MENTIONS} WHERE path IN ({marks})"  # noqa: S608 - constants
        yield from map(Mention._make, database.fetch(sql, chunk))


def read_created(database: Any, named: Iterable[Named]) -> dict[Named, RowKey]:
    """Those of these rows that were made because files named them."""
    return {
        (model, key): RowKey(key, json.loads(pk))
        for model, keys in by_model(named).items()
        for key, pk in _fetch(database, f"row_key, pk FROM {CREATED}", model, keys, "")
    }


def replace_created(database: Any, gone: Iterable[Named], created: Mapping[Named, Any]) -> None:
    """Note which rows were made, by their primary keys. Inside the caller's transaction."""
    mark = mark_of(database)
    names = list(gone)
    if names:
        database.executemany(f"DELETE FROM {CREATED} WHERE model = {mark} AND row_key = {mark}", names)  # noqa: S608 - a constant
    rows = [(*named, json.dumps(pk)) for named, pk in created.items()]
    if rows:
        marks = ", ".join([mark] * 3)
        database.executemany(f"INSERT INTO {CREATED} (model, row_key, pk) VALUES ({marks})", rows)  # noqa: S608 - a constant


def count_created(database: Any) -> dict[str, int]:
    """A model's label to the number of its rows that were made."""
    if not has_table(database, CREATED):
        return {}
    return dict(database.fetch(f"SELECT model, COUNT(*) FROM {CREATED} GROUP BY model"))  # noqa: S608 - constants


def by_model(named: Iterable[Named]) -> dict[str, list[str]]:
    """Label to keys, both in order."""
    found: dict[str, list[str]] = {}
    for model, key in sorted(named):
        found.setdefault(model, []).append(key)
    return found


def _fetch(database: Any, what: str, model: str, keys: Sequence[str], end: str) -> list[Any]:
    """Rows of one model's keys."""
    mark, found = mark_of(database), []
    for start in range(0, len(keys), BATCH):
        chunk = keys[start : start + BATCH]
        marks = ", ".join([mark] * len(chunk))
        sql = f"SELECT {what} WHERE model = {mark} AND row_key IN ({marks}) {end}"
        found += database.fetch(sql, (model, *chunk))
    return found
