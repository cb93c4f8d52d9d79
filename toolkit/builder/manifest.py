"""What the last build made, and of what: a SQLite file beside the output.

It may be deleted at any time; the next build is then a clean one. One that is damaged or foreign is set aside.
"""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.builder.reader import ManifestReader
from toolkit.builder.records import (
    FORMAT,
    DamagedManifest,
    FileRecord,
    Identity,
    InputRow,
    Key,
    PageRecord,
    decode,
    decode_columns,
    decode_key,
    decode_planned,
    encode,
    pack,
    tupled,
    unpack,
)
from toolkit.models.states import TableState
from toolkit.pages.plan import Planned

BUSY_SECONDS = 5.0
"""How long a build waits for whoever holds the manifest, such as a reader who looks into it."""

COUNTED = ("tables", "shapes", "inputs", "units", "pages", "files")
"""Tables whose rows are counted when they are written, and again when the manifest is opened."""


HELD = re.compile("locked|full|readonly")
"""What SQLite says of a database that is sound, and cannot be used now."""

DAMAGED = re.compile("malformed|not a database|UTF-8")
"""What SQLite says where it comes upon what no SQLite wrote."""


_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE tables (name TEXT PRIMARY KEY, token TEXT, columns BLOB) WITHOUT ROWID;
CREATE TABLE shapes (id TEXT PRIMARY KEY, record BLOB) WITHOUT ROWID;
CREATE TABLE inputs (id INTEGER PRIMARY KEY, kind TEXT, key BLOB, digest BLOB);
CREATE INDEX inputs_kind ON inputs (kind);
CREATE TABLE units (route TEXT, locale TEXT, planned BLOB, digest BLOB, inputs BLOB, PRIMARY KEY (route, locale));
CREATE TABLE pages (
    id INTEGER PRIMARY KEY, route TEXT, key BLOB, locale TEXT, number INTEGER, url TEXT, path TEXT,
    digest BLOB, size INTEGER, content_type TEXT, status INTEGER, reason TEXT, attachments BLOB, inputs BLOB
);
CREATE UNIQUE INDEX pages_identity ON pages (route, key, locale, number);
CREATE INDEX pages_url ON pages (url);
CREATE TABLE files (path TEXT PRIMARY KEY, digest BLOB, size INTEGER, changed_ns INTEGER, owner TEXT) WITHOUT ROWID;
CREATE TABLE pending (path TEXT PRIMARY KEY) WITHOUT ROWID;
"""


@dataclass(slots=True)
class UnitRecord:
    """One route in one locale, as it was planned."""

    route: str
    locale: str
    planned: list[Planned]
    digest: bytes
    inputs: array[int]


class Manifest(ManifestReader):
    """The manifest of one output folder.

    Args:
        path: The SQLite file.
        reading: Only to be read, as it stands: a damaged one is told, and not set aside.

    Attributes:
        notice: What to tell the user when an unusable manifest was set aside; else empty.
    """

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        self.notice = ""
        self.existed = path.exists()
        self._reading = reading
        self._inputs: dict[str, dict[int, tuple[str, Key, bytes]]] = {}
        super().__init__(path)

    def _open(self) -> sqlite3.Connection:
        if self._reading:
            return super()._open()
        try:
            return self._open_sound()
        except (sqlite3.Error, ValueError) as error:
            if HELD.search(str(error)):  # by somebody, or by the disk: there is nothing wrong with it
                raise
            aside = self._set_aside()
            self.existed = False
            self.notice = f"{self.path}: the manifest cannot be used ({error}); it was set aside as {aside.name}"
            return self._open_sound()

    def set_aside(self, why: str) -> None:
        """Begin anew, with a notice: reading showed that it cannot be used."""
        self.connection.close()
        aside = self._set_aside()
        self._inputs.clear()
        self.existed = False
        self.notice = f"{self.path}: the manifest cannot be used ({why}); it was set aside as {aside.name}"
        self.connection = self._open_sound()

    def _open_sound(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
            if not tables:
                # constants of our own; executescript takes no parameters
                connection.executescript(f"BEGIN; {_TABLES} INSERT INTO meta VALUES ('format', '{FORMAT}'); COMMIT;")  # noqa: S608
            elif "meta" not in tables:
                raise ValueError("it is some other database")
            found = connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
            if found is None or found[0] != FORMAT:
                raise ValueError("it is of another version of the toolkit")
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise ValueError("it is damaged")
            if tables and _schema(connection) != _own_schema():
                raise ValueError("its tables are not those of a manifest")
            told = connection.execute("SELECT value FROM meta WHERE name = 'counts'").fetchone()
            if told is not None and told[0] != _counts(connection):
                raise ValueError("rows of it are missing")
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_aside(self) -> Path:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.bad-{number}")).exists():
            number += 1
        for suffix in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                self.path.with_name(self.path.name + suffix).unlink()
        self.path.rename(aside)
        return aside

    # reading

    def tables(self) -> dict[str, TableState]:
        """The state of each table then."""
        rows = self.connection.execute("SELECT name, token, columns FROM tables")
        return {name: TableState(token, decode(columns, decode_columns)) for name, token, columns in rows}

    def inputs(self, *, kinds: Iterable[str] | None = None) -> dict[int, tuple[str, Key, bytes]]:
        """Inputs by id, of some kinds or all. Each kind is read once; writing forgets them."""
        wanted = self.kinds() if kinds is None else set(kinds)
        self._read_kinds(sorted(wanted - self._inputs.keys()))
        found: dict[int, tuple[str, Key, bytes]] = {}
        for kind in sorted(wanted):
            found.update(self._inputs[kind])
        return found

    def _read_kinds(self, kinds: Sequence[str]) -> None:
        for kind in kinds:
            rows = self.connection.execute("SELECT id, key, digest FROM inputs WHERE kind = ?", (kind,))
            self._inputs[kind] = {number: (kind, decode_key(key), value) for number, key, value in rows}

    def input_rows(self) -> Iterator[InputRow]:
        """All inputs, as they are kept."""
        for number, kind, key, value in self.connection.execute("SELECT id, kind, key, digest FROM inputs"):
            if not isinstance(key, bytes) or not isinstance(kind, str) or not isinstance(value, bytes):
                raise DamagedManifest(TypeError(f"the input {number} is none"))
            yield number, kind, key, value

    def forget_inputs(self) -> None:
        """Let go of the inputs that ``inputs`` keeps in memory."""
        self._inputs.clear()

    def kinds(self) -> set[str]:
        """The kinds of input that any page has."""
        return {row[0] for row in self.connection.execute("SELECT DISTINCT kind FROM inputs")}

    def units(self) -> dict[tuple[str, str], UnitRecord]:
        """The plan then."""
        found = {}
        for route, locale, planned, value, inputs in self.connection.execute(
            "SELECT route, locale, planned, digest, inputs FROM units"
        ):
            items = [Planned(tupled(key), url, pages) for key, url, pages in decode(planned, decode_planned)]
            found[(route, locale)] = UnitRecord(route, locale, items, value, unpack(inputs))
        return found

    def pages(self) -> dict[Identity, PageRecord]:
        """The pages then, by identity."""
        return {record.identity: record for record in self._page_rows("")}

    def files(self) -> dict[str, FileRecord]:
        """The files that builds wrote, by path."""
        rows = self.connection.execute("SELECT path, digest, size, changed_ns, owner FROM files")
        same: Any = {}.setdefault
        return {row[0]: FileRecord(row[0], row[1], row[2], row[3], same(row[4], row[4])) for row in rows}

    def pending(self) -> set[str]:
        """Paths that an interrupted build may have written, or not."""
        return {row[0] for row in self.connection.execute("SELECT path FROM pending")}

    def page_count(self) -> int:
        """How many pages there were."""
        return int(self.connection.execute("SELECT count(*) FROM pages").fetchone()[0])

    # writing

    def forget(self) -> None:
        """Forget how everything was made, but not which files are ours: they are pruned all the same."""
        self._inputs.clear()
        with self.connection:
            self.connection.execute("BEGIN")
            for table in ("tables", "shapes", "inputs", "units", "pages"):
                self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - constants
            _note_counts(self.connection)

    def announce(self, paths: Iterable[str]) -> None:
        """Note the paths about to be written or removed, before touching any of them."""
        with self.connection:
            self.connection.execute("BEGIN")
            self.connection.executemany("INSERT OR IGNORE INTO pending VALUES (?)", ((path,) for path in paths))

    def replace(self, changes: Changes) -> None:
        """Write what changed, in one transaction."""
        connection = self.connection
        self._inputs.clear()
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._write(connection, changes)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _write(self, connection: sqlite3.Connection, changes: Changes) -> None:
        many = connection.executemany
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('moment', ?)", (changes.moment.isoformat(),))
        many("INSERT OR REPLACE INTO meta VALUES (?, ?)", changes.meta.items())
        connection.execute("DELETE FROM tables")
        many(
            "INSERT INTO tables VALUES (?, ?, ?)",
            ((name, state.token, encode(dict(state.columns))) for name, state in changes.tables.items()),
        )
        many(
            "INSERT OR REPLACE INTO shapes VALUES (?, ?)",
            ((name, encode(record)) for name, record in changes.shapes.items()),
        )
        many("DELETE FROM shapes WHERE id = ?", ((name,) for name in changes.dropped_shapes))
        many("DELETE FROM inputs WHERE id = ?", ((number,) for number in changes.dropped_inputs))
        many("INSERT OR REPLACE INTO inputs VALUES (?, ?, ?, ?)", changes.inputs)
        many("DELETE FROM units WHERE route = ? AND locale = ?", changes.dropped_units)
        many("INSERT OR REPLACE INTO units VALUES (?, ?, ?, ?, ?)", map(_unit_row, changes.units))
        many(
            "DELETE FROM pages WHERE route = ? AND key = ? AND locale = ? AND number = ?",
            ((route, encode(key), locale, number) for route, key, locale, number in changes.dropped_pages),
        )
        many(
            "INSERT OR REPLACE INTO pages (route, key, locale, number, url, path, digest, size, content_type, status, "
            "reason, attachments, inputs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            map(_page_row, changes.pages),
        )
        many("DELETE FROM files WHERE path = ?", ((path,) for path in changes.dropped_files))
        many(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
            ((f.path, f.digest, f.size, f.changed_ns, f.owner) for f in changes.files),
        )
        connection.execute("DELETE FROM pending")
        _note_counts(connection)


def _counts(connection: sqlite3.Connection) -> str:
    counts = (connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COUNTED)  # noqa: S608
    return " ".join(map(str, counts))


def _note_counts(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('counts', ?)", (_counts(connection),))


def _schema(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    return set(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


@cache
def _own_schema() -> set[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_TABLES)
        return _schema(connection)


@dataclass
class Changes:
    """What one build changes in the manifest."""

    moment: datetime
    meta: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, TableState] = field(default_factory=dict)
    shapes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    dropped_shapes: list[str] = field(default_factory=list)
    inputs: Iterable[InputRow] = ()
    dropped_inputs: list[int] = field(default_factory=list)
    units: list[UnitRecord] = field(default_factory=list)
    dropped_units: list[tuple[str, str]] = field(default_factory=list)
    pages: Iterable[PageRecord] = ()
    dropped_pages: list[Identity] = field(default_factory=list)
    files: list[FileRecord] = field(default_factory=list)
    dropped_files: list[str] = field(default_factory=list)


def _unit_row(unit: UnitRecord) -> tuple[Any, ...]:
    planned = encode([[item.key, item.url, item.pages] for item in unit.planned])
    return (unit.route, unit.locale, planned, unit.digest, pack(unit.inputs))


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
