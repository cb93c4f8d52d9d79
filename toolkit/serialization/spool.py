"""Rows on their way into tables, on disk: a load of any size takes the same memory."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.serialization.records import Place

CHUNK = 1_000
"""Rows in memory at a time."""

REFUSED = "refused"

CACHE_KIB = 8_192

_TABLES = """
CREATE TABLE rows (number INTEGER PRIMARY KEY, model INTEGER NOT NULL, open INTEGER NOT NULL, row BLOB NOT NULL);
CREATE INDEX rows_of ON rows (model, number);
CREATE TABLE seen (model INTEGER, pk TEXT, record INTEGER NOT NULL, PRIMARY KEY (model, pk)) WITHOUT ROWID;
CREATE TABLE naturals (model INTEGER, told TEXT, pk BLOB NOT NULL, PRIMARY KEY (model, told)) WITHOUT ROWID;
CREATE TABLE missing (number INTEGER PRIMARY KEY, model INTEGER NOT NULL, key TEXT NOT NULL, reference BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Shared:
    """A natural key that several rows have.

    Args:
        one: The primary key of one of them.
        other: That of another.
    """

    one: Any
    other: Any


@dataclass(slots=True, eq=False)
class Row:
    """A record on its way into its table.

    Args:
        place: Where it stands in the file.
        named: The names of the fields that the record has.
        translations: Locale to attribute to value.
        values: Attribute to value, for the table's own columns.
        waiting: Names of foreign keys given as natural keys, and those.
        many: Names of many-to-many fields, and what was given for them.
        pk: The primary key; None until it is known.
        state: What became of it: ``added``, ``changed``, ``unchanged``, ``skipped``, or ``REFUSED`` if something is
            wrong with it.
        number: Its place in the spool.
    """

    place: Place
    named: frozenset[str]
    translations: dict[str, dict[str, Any]]
    values: dict[str, Any] = field(default_factory=dict)
    waiting: dict[str, Any] = field(default_factory=dict)
    many: dict[str, Any] = field(default_factory=dict)
    pk: Any = None
    state: str = "unchanged"
    number: int = 0

    @property
    def is_open(self) -> bool:
        """Whether its key, or that of a row that it refers to, is not known yet."""
        return self.pk is None or bool(self.waiting)


class Spool:
    """Rows of all models, in the order of the file, and what tells them. Gone when it is closed.

    Args:
        models: All models.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        self._numbers = {model: number for number, model in enumerate(models)}
        self.models: set[Any] = set()
        self._db = sqlite3.connect("", isolation_level=None)  # a file of SQLite's own, which has no name
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    # rows

    def add(self, model: Any, row: Row) -> None:
        """Keep a row."""
        self.models.add(model)
        self._db.execute(
            "INSERT INTO rows (model, open, row) VALUES (?, ?, ?)", (self._numbers[model], row.is_open, _packed(row))
        )

    def chunks(self, model: Any, *, only_open: bool = False) -> Iterator[list[Row]]:
        """The rows of a model, some at a time."""
        last = 0
        sql = "SELECT number, row FROM rows WHERE model = ? AND number > ? AND open >= ? ORDER BY number LIMIT ?"
        while found := self._db.execute(sql, (self._numbers[model], last, only_open, CHUNK)).fetchall():
            last = found[-1][0]
            yield [_unpacked(number, packed) for number, packed in found]

    def keep(self, rows: Iterable[Row]) -> None:
        """Keep rows as they are now."""
        self._db.executemany(
            "UPDATE rows SET open = ?, row = ? WHERE number = ?",
            [(row.is_open, _packed(row), row.number) for row in rows],
        )

    def drop(self, rows: Iterable[Row]) -> None:
        """Forget rows that are done."""
        self._db.executemany("DELETE FROM rows WHERE number = ?", [(row.number,) for row in rows])

    def count_open(self) -> int:
        """How many rows wait for a key."""
        return int(self._db.execute("SELECT count(*) FROM rows WHERE open").fetchone()[0])

    # what tells rows

    def note_key(self, model: Any, pk: str, record: int) -> int | None:
        """Note that a record has a key. Returns the record that has it already, if one does."""
        place = (self._numbers[model], pk)
        done = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (*place, record))
        if done.rowcount:
            return None
        found = self._db.execute("SELECT record FROM seen WHERE model = ? AND pk = ?", place).fetchone()
        return int(found[0])

    def has_key(self, model: Any, pk: str) -> bool:
        """Whether a record has a key."""
        sql = "SELECT 1 FROM seen WHERE model = ? AND pk = ?"
        return self._db.execute(sql, (self._numbers[model], pk)).fetchone() is not None

    def note_natural(self, model: Any, told: str, pk: Any) -> None:
        """Note that a row has a natural key."""
        place = (self._numbers[model], told)
        done = self._db.execute("INSERT OR IGNORE INTO naturals VALUES (?, ?, ?)", (*place, pickle.dumps(pk)))
        if not done.rowcount and (before := self.find_natural(model, told)) != pk:
            both = pickle.dumps(before if isinstance(before, Shared) else Shared(before, pk))
            self._db.execute("UPDATE naturals SET pk = ? WHERE model = ? AND told = ?", (both, *place))

    def find_natural(self, model: Any, told: str) -> Any:
        """The primary key of the row that has a natural key; None for no row, ``Shared`` for several."""
        sql = "SELECT pk FROM naturals WHERE model = ? AND told = ?"
        found = self._db.execute(sql, (self._numbers[model], told)).fetchone()
        return None if found is None else pickle.loads(found[0])  # noqa: S301 - written by us, into a file without a name

    # references to rows that were not there when they were looked for

    def note_missing(self, model: Any, key: str, place: Place, value: Any) -> None:
        """Note that a row refers to one that is not there yet."""
        row = (self._numbers[model], key, pickle.dumps((place, value)))
        self._db.execute("INSERT INTO missing (model, key, reference) VALUES (?, ?, ?)", row)

    def missing(self, model: Any, key: str) -> Iterator[list[tuple[Place, Any]]]:
        """What was noted of a foreign key, some at a time."""
        last = 0
        sql = "SELECT number, reference FROM missing WHERE model = ? AND key = ? AND number > ? ORDER BY number LIMIT ?"
        while found := self._db.execute(sql, (self._numbers[model], key, last, CHUNK)).fetchall():
            last = found[-1][0]
            yield [pickle.loads(packed) for _, packed in found]  # noqa: S301 - written by us


def _packed(row: Row) -> bytes:
    parts = (row.place, row.named, row.translations, row.values, row.waiting, row.many, row.pk, row.state)
    return pickle.dumps(parts, pickle.HIGHEST_PROTOCOL)


def _unpacked(number: int, packed: bytes) -> Row:
    place, named, translations, values, waiting, many, pk, state = pickle.loads(packed)  # noqa: S301 - written by us
    return Row(place, named, translations, values, waiting, many, pk, state, number)
