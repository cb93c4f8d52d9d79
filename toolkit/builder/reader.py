"""Reading a manifest as it stands, by URL and by input, without a look at all of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from toolkit.builder.names import Names
from toolkit.builder.records import (
    FORMAT,
    DamagedManifest,
    PageRecord,
    decode,
    decode_identity,
    decode_paths,
    decode_shape,
    encode,
    pack,
    tupled,
    unpack,
)
from toolkit.errors import BuildError

_FEW = 16
"""Inputs that SQLite looks for by itself."""

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

    def urls_reading(self, numbers: Collection[int]) -> list[str]:
        """The URLs of pages with any of these inputs, in order."""
        wanted = frozenset(numbers)
        where, patterns = "", []
        if (
            len(wanted) <= _FEW
        ):  # let SQLite look at the bytes; what it takes for an input across two is sorted out here
            patterns = [pack([number]) for number in wanted]
            where = f" WHERE {' OR '.join(['instr(inputs, ?)'] * len(patterns)) or '0'}"
        rows = self.connection.execute(f"SELECT url, inputs FROM pages{where}", patterns)  # noqa: S608
        # what is a page's own has the highest numbers, and is found first from the end
        return sorted(url for url, inputs in rows if not wanted.isdisjoint(unpack(inputs)[::-1]))

    def numbers_of(self, kind: str, *, end: Any = None) -> dict[int, bytes]:
        """The inputs of a kind by number, with their keys as they are kept.

        Args:
            kind: The kind.
            end: Only those whose key has this as its last part.
        """
        sql, told = "SELECT id, key FROM inputs WHERE kind = ?", (kind,)
        if end is None:
            return dict(self.connection.execute(sql, told).fetchall())
        last = encode(end)
        return dict(self.connection.execute(f"{sql} AND substr(key, -length(?)) = ?", (kind, last, last)).fetchall())

    def numbers_asking(self, shapes: Sequence[str]) -> frozenset[int]:
        """The inputs that are queries of one of these shapes: their keys begin with it."""
        parts = [encode(shape) for shape in shapes]
        look = " OR ".join(["instr(substr(key, 1, length(?) + 3), ?)"] * len(parts)) or "0"
        sql = f"SELECT id FROM inputs WHERE kind = 'query' AND ({look})"  # noqa: S608 - placeholders
        return frozenset(row[0] for row in self.connection.execute(sql, [part for part in parts for _ in range(2)]))

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
