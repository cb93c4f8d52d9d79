"""What one build changes in a manifest, and how that is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from toolkit.builder.records import (
    FileRecord,
    Identity,
    InputRow,
    PageRecord,
    UnitRecord,
    encode,
    pack,
    part_of,
)
from toolkit.models.states import TableState


class Changes(msgspec.Struct):
    """What one build changes in the manifest."""

    moment: datetime
    meta: dict[str, Any] = msgspec.field(default_factory=dict)
    tables: dict[str, TableState] = msgspec.field(default_factory=dict)
    dropped_tables: list[str] = msgspec.field(default_factory=list)
    shapes: dict[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    inputs: Iterable[InputRow] = ()
    dropped_inputs: Collection[int] = ()
    units: list[UnitRecord] = msgspec.field(default_factory=list)
    dropped_units: list[tuple[str, str]] = msgspec.field(default_factory=list)
    pages: Iterable[PageRecord] = ()
    dropped_pages: list[Identity] = msgspec.field(default_factory=list)
    files: list[FileRecord] = msgspec.field(default_factory=list)
    dropped_files: list[str] = msgspec.field(default_factory=list)

    def write(self, connection: sqlite3.Connection, topics: Mapping[tuple[str, str], int]) -> None:
        """Write them, within a transaction.

        Args:
            connection: Of the manifest.
            topics: The numbers of the topics that it has, by kind and name.
        """
        many = connection.executemany
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('moment', ?)", (self.moment.isoformat(),))
        many("INSERT OR REPLACE INTO meta VALUES (?, ?)", self.meta.items())
        many("DELETE FROM tables WHERE name = ?", ((name,) for name in self.dropped_tables))
        many(
            "INSERT OR REPLACE INTO tables VALUES (?, ?, ?)",
            ((name, state.token, encode((state.columns, dict(state.buckets)))) for name, state in self.tables.items()),
        )
        many(
            "INSERT OR REPLACE INTO shapes VALUES (?, ?)",
            ((name, encode(record)) for name, record in self.shapes.items()),
        )
        many("DELETE FROM inputs WHERE id = ?", ((number,) for number in self.dropped_inputs))
        self._write_inputs(connection, topics)
        if self.dropped_inputs:  # else every shape is still asked
            connection.execute("DELETE FROM topics WHERE id NOT IN (SELECT DISTINCT topic FROM inputs)")
            connection.execute("DELETE FROM shapes WHERE id NOT IN (SELECT name FROM topics WHERE kind = 'query')")
        many("DELETE FROM units WHERE route = ? AND locale = ?", self.dropped_units)
        many("INSERT OR REPLACE INTO units VALUES (?, ?, ?, ?, ?)", map(_unit_row, self.units))
        many(
            "DELETE FROM pages WHERE route = ? AND key = ? AND locale = ? AND number = ?",
            ((route, encode(key), locale, number) for route, key, locale, number in self.dropped_pages),
        )
        many(
            "INSERT OR REPLACE INTO pages (route, key, locale, number, url, path, digest, size, content_type, status, "
            "reason, attachments, inputs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            map(_page_row, self.pages),
        )
        many("DELETE FROM files WHERE path = ?", ((path,) for path in self.dropped_files))
        many(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
            ((f.path, f.digest, f.size, f.changed_ns, f.owner) for f in self.files),
        )
        connection.execute("DELETE FROM pending")

    def _write_inputs(self, connection: sqlite3.Connection, topics: Mapping[tuple[str, str], int]) -> None:
        known = dict(topics)
        start = 1 + max(known.values(), default=0)
        connection.executemany(
            "INSERT OR REPLACE INTO inputs VALUES (?, ?, ?, ?, ?)", _numbered(self.inputs, known, start)
        )
        new = [(number, *name) for name, number in known.items() if number >= start]
        connection.executemany("INSERT INTO topics VALUES (?, ?, ?)", new)


def _numbered(rows: Iterable[InputRow], topics: dict[tuple[str, str], int], start: int) -> Iterator[tuple[Any, ...]]:
    """The inputs as they are kept; topics that are new get their numbers."""
    for number, kind, key, value in rows:
        part = part_of(kind, key)
        topic = topics.setdefault(part[:2], start + len(topics))
        yield number, topic, part.bucket, key, value


def _unit_row(unit: UnitRecord) -> tuple[Any, ...]:
    return (unit.route, unit.locale, encode(unit.planned), unit.digest, pack(unit.inputs))


def _page_row(page: PageRecord) -> tuple[Any, ...]:
    route, key, locale, number = page.identity
    extra = encode(list(page.attachments)) if page.attachments else None
    return (
        route,
        encode(key),
        locale,
        number,
        page.url,
        page.path,
        page.digest,
        page.size,
        page.content_type,
        page.status,
        page.reason,
        extra,
        pack(page.inputs),
    )
