"""Rows between their files and the database: what tells them stays in memory, what they say waits on disk.

A load is all or nothing, so every row is read before the first is written. Held in memory, the texts of a large
publication would be most of it.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from toolkit.content.layout import Layout
from toolkit.content.rows import Row

CACHE_KIB = 4_096
"""Texts up to this size never see the disk."""


class Head(NamedTuple):
    """What tells a row, and whom it names.

    Args:
        position: Its place in the file, from 0.
        key: The driver's value of the key field.
        pk: The driver's values of the fields of the primary key, as far as the file gives them.
        names: The driver's values by ``Layout.spoken``.
        made: Those of them that the file did not give, by index; see ``Row``.
        references: The keys by ``Layout.references``; in the end, what is kept of the targets.
        links: The keys by ``Layout.many``; in the end, what is kept of the targets.
        mentions: See ``Row``.
        locales: Those with a translation.
        number: Its content's place in the spool.
    """

    position: int
    key: Any
    pk: tuple[Any, ...]
    names: tuple[Any, ...]
    made: tuple[int, ...]
    references: list[Any]
    links: list[tuple[Any, ...]]
    mentions: tuple[tuple[str, str, str], ...]
    locales: tuple[str, ...]
    number: int = 0


class Content(NamedTuple):
    """What a row says; see ``Row``."""

    values: list[Any]
    made: tuple[int, ...]
    translations: dict[str, list[Any]]


def split_row(layout: Layout, row: Row) -> tuple[Head, bytes]:
    """A row's head, and its content packed."""
    values = row.values
    places = [layout.fields.index(field) for field in layout.spoken]
    head = Head(
        row.position,
        row.key,
        tuple(values[at] for at in layout.key_parts.values()),
        tuple(values[at] for at in places),
        tuple(number for number, at in enumerate(places) if at in row.made),
        [key for _, key in row.references],
        list(row.links.values()),
        row.mentions,
        tuple(row.translations),
    )
    return head, pickle.dumps((values, row.made, row.translations), pickle.HIGHEST_PROTOCOL)


class Spool:
    """The contents of rows. Gone when it is closed."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # a file of SQLite's own, which has no name
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._db.execute("CREATE TABLE contents (number INTEGER PRIMARY KEY, content BLOB NOT NULL)")
        self._db.execute("BEGIN")
        self._count = 0

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def add(self, heads: Iterable[Head], contents: Iterable[bytes]) -> tuple[Head, ...]:
        """Keep what rows say; their heads then know where it is."""
        found = []
        for head, content in zip(heads, contents, strict=True):
            self._count += 1
            self._db.execute("INSERT INTO contents VALUES (?, ?)", (self._count, content))
            found.append(head._replace(number=self._count))
        return tuple(found)

    def read(self, heads: Sequence[Head]) -> list[Content]:
        """What rows say, in their order."""
        marks = ", ".join("?" * len(heads))
        sql = f"SELECT number, content FROM contents WHERE number IN ({marks})"  # noqa: S608 - placeholders
        packed = dict(self._db.execute(sql, [head.number for head in heads]))
        return [Content(*pickle.loads(packed[head.number])) for head in heads]  # noqa: S301 - written by us, into a file without a name
