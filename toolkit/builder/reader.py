"""Reading a manifest as it stands, by URL and by input, without a look at all of it."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from toolkit.builder.names import Names
from toolkit.builder.records import (
    FORMAT,
    DamagedManifest,
    Identity,
    PageRecord,
    decode,
    decode_identity,
    decode_paths,
    decode_shape,
    encode,
    pack,
    tupled,
    unit_topic,
    unpack,
)
from toolkit.errors import BuildError

_FEW = 16
"""So many inputs are looked for as bytes, before any are read as numbers."""

_decode_references = msgspec.msgpack.Decoder(dict[str, tuple[str, ...]]).decode

_SELECT_PAGES = (
    "SELECT route, key, locale, number, url, path, digest, size, content_type, status, reason, attachments, inputs "
    "FROM pages"
)


def manifest_path(output: Path) -> Path:
    """Where the manifest of an output folder is: beside it, never within what is published."""
    return output.with_name(f"{output.name}.manifest.db")


class ManifestReader:
    """A manifest as it stands, to answer single questions.

    Args:
        path: The SQLite file.

    Raises:
        BuildError: It cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = self._open()

    def _open(self) -> sqlite3.Connection:
        """Open it, without looking at all of it, which on a large site takes longer than any answer.

        Raises:
            BuildError: It cannot be used.
        """
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute("PRAGMA query_only=1")
            found = connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
            if found is None or found[0] != FORMAT:
                raise ValueError("it is of another version of the toolkit")
        except (sqlite3.Error, ValueError) as error:
            connection.close()
            raise BuildError(f"the manifest {self.path} cannot be used: {error}", hint="Build again.") from error
        return connection

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def meta(self, name: str) -> Any:
        """A single value, or None."""
        found = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    @property
    def names(self) -> Names:
        """What the things of the last build are called."""
        try:
            return msgspec.msgpack.decode(self.meta("names"), type=Names)
        except (msgspec.MsgspecError, TypeError) as error:
            raise DamagedManifest(error) from error

    def references(self) -> dict[str, tuple[str, ...]]:
        """Each asset that pages read and that needs others, with all that it needed."""
        told = self.meta("references")
        return decode(told, _decode_references) if told else {}

    @property
    def moment(self) -> datetime | None:
        """The moment of the last build."""
        text = self.meta("moment")
        return datetime.fromisoformat(text) if text else None

    def shapes(self) -> dict[str, Mapping[str, Any]]:
        """Records of the query shapes, by id."""
        rows = self.connection.execute("SELECT id, record FROM shapes")
        return {name: decode_shape(record) for name, record in rows}

    def find_page(self, url: str) -> PageRecord | None:
        """The page at a URL path, or None."""
        return next(self._page_rows("WHERE url = ?", (url,)), None)

    def iter_pages(self) -> Iterator[PageRecord]:
        """The pages then, one by one."""
        return self._page_rows("")

    def unit_inputs(self) -> dict[tuple[str, str], array[int]]:
        """(route, locale) to the inputs of the unit."""
        rows = self.connection.execute("SELECT route, locale, inputs FROM units")
        return {(route, locale): unpack(inputs) for route, locale, inputs in rows}

    def subjects_from(self, numbers: Collection[int]) -> set[int]:
        """The inputs that are subjects which a function gives that read any of these inputs."""
        wanted = frozenset(numbers)
        units = [unit_topic(*unit) for unit, inputs in self.unit_inputs().items() if not wanted.isdisjoint(inputs)]
        sql = "SELECT i.id FROM inputs i JOIN topics t ON t.id = i.topic WHERE t.kind = 'subject' AND t.name = ?"
        return {number for unit in units for (number,) in self.connection.execute(sql, (unit,))}

    def pages_reading(self, numbers: Collection[int]) -> list[PageRecord]:
        """The pages then that had any of these inputs."""
        found = [id_ for id_, _ in self._having("id", numbers)]
        return [record for id_ in found for record in self._page_rows("WHERE id = ?", (id_,))]

    def still_used(self, numbers: Collection[int], others: Collection[Identity]) -> set[int]:
        """Those of these inputs that a unit had, or a page that is none of some others."""
        left = set(numbers)
        left.difference_update(*(self.unit_inputs().values() if left else ()))
        passed = {self._page_number(one) for one in others} if left else set()
        for number, inputs in self._having("id", left):
            if number not in passed:
                left.difference_update(inputs)
                if not left:
                    break
        return set(numbers) - left

    def _page_number(self, identity: Identity) -> int:
        route, key, locale, number = identity
        sql = "SELECT id FROM pages WHERE route = ? AND key = ? AND locale = ? AND number = ?"
        return int(self.connection.execute(sql, (route, encode(key), locale, number)).fetchone()[0])

    def kinds_of(self, numbers: Iterable[int]) -> set[str]:
        """The kinds of these inputs."""
        sql = "SELECT t.kind FROM inputs i JOIN topics t ON t.id = i.topic WHERE i.id = ?"
        return {kind for number in numbers for (kind,) in self.connection.execute(sql, (number,))}

    def urls_reading(self, numbers: Collection[int]) -> list[str]:
        """The URLs of pages with any of these inputs, in order."""
        return sorted(url for url, _ in self._having("url", numbers))

    def _having(self, column: str, numbers: Collection[int]) -> Iterator[tuple[Any, array[int]]]:
        """A column of the pages that have any of these inputs, and all inputs of each."""
        wanted = frozenset(numbers)
        if not wanted:
            return
        where, patterns = "", []
        if len(wanted) <= _FEW:
            # let SQLite look at the bytes; what it takes for an input across two is sorted out here
            patterns = [pack([number]) for number in wanted]
            where = f" WHERE {' OR '.join(['instr(inputs, ?)'] * len(patterns))}"
        rows = self.connection.execute(f"SELECT {column}, inputs FROM pages{where}", patterns)  # noqa: S608 - placeholders
        for value, data in rows:
            inputs = unpack(data)
            # what is a page's own has the highest numbers, and is found first from the end
            if not wanted.isdisjoint(inputs[::-1]):
                yield value, inputs

    def numbers_of(self, kind: str, *, end: Any = None) -> dict[int, bytes]:
        """The inputs of a kind by number, with their keys as they are kept.

        Args:
            kind: The kind.
            end: Only those whose key has this as its last part.
        """
        sql, told = "SELECT id, key FROM inputs WHERE topic IN (SELECT id FROM topics WHERE kind = ?)", (kind,)
        if end is None:
            return dict(self.connection.execute(sql, told).fetchall())
        last = encode(end)
        return dict(self.connection.execute(f"{sql} AND substr(key, -length(?)) = ?", (kind, last, last)).fetchall())

    def numbers_asking(self, shapes: Sequence[str]) -> frozenset[int]:
        """The inputs that are queries of one of these shapes."""
        marks = ", ".join("?" * len(shapes))
        topics = f"SELECT id FROM topics WHERE kind = 'query' AND name IN ({marks})"  # noqa: S608 - placeholders
        rows = self.connection.execute(f"SELECT id FROM inputs WHERE topic IN ({topics})", shapes)  # noqa: S608 - placeholders
        return frozenset(row[0] for row in rows)

    def _page_rows(self, where: str, parameters: Sequence[Any] = ()) -> Iterator[PageRecord]:
        one: dict[Any, Any] = {}  # texts that many pages have, each once
        same = one.setdefault
        for (
            route,
            key,
            locale,
            number,
            url,
            path,
            value,
            size,
            kind,
            status,
            reason,
            extra,
            inputs,
        ) in self.connection.execute(f"{_SELECT_PAGES} {where}", parameters):
            identity = (same(route, route), tupled(decode(key, decode_identity)), same(locale, locale), number)
            attachments = decode(extra, decode_paths) if extra else ()
            told = (value, size, same(kind, kind), status, same(reason, reason), attachments)
            yield PageRecord(identity, url, path, *told, unpack(inputs))
