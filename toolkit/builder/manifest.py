"""What the last build made, and of what: a SQLite file beside the output.

It may be deleted at any time; the next build is then a clean one. One that is damaged or foreign is set aside.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from toolkit.builder.changes import Changes
from toolkit.builder.reader import ManifestReader
from toolkit.builder.records import (
    FORMAT,
    DamagedManifest,
    FileRecord,
    Identity,
    InputRow,
    Key,
    PageRecord,
    Part,
    UnitRecord,
    decode,
    decode_key,
    decode_paths,
    tupled,
    unpack,
)
from toolkit.models.states import Bucket, BucketState, TableState
from toolkit.pages.plan import Planned

BUSY_SECONDS = 5.0
"""How long a build waits for whoever holds the manifest, such as a reader who looks into it."""

COUNTED = ("tables", "shapes", "topics", "inputs", "units", "pages", "files")
"""Tables whose rows are counted when they are written, and again when the manifest is opened."""


HELD = re.compile("locked|full|readonly")
"""What SQLite says of a database that is sound, and cannot be used now."""

DAMAGED = re.compile("malformed|not a database|UTF-8")
"""What SQLite says where it comes upon what no SQLite wrote."""


_TOPICLESS = """
WITH RECURSIVE used (topic) AS (
    SELECT min(topic) FROM inputs
    UNION ALL
    SELECT (SELECT min(topic) FROM inputs WHERE topic > used.topic) FROM used WHERE used.topic IS NOT NULL
)
SELECT topic FROM used WHERE topic IS NOT NULL AND topic NOT IN (SELECT id FROM topics)
"""
"""Steps from topic to topic by the index, instead of through all inputs."""

_decode_state = msgspec.msgpack.Decoder(tuple[tuple[str, ...], dict[Bucket, BucketState]]).decode
_decode_planned = msgspec.msgpack.Decoder(list[Planned]).decode

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE tables (name TEXT PRIMARY KEY, token TEXT, state BLOB) WITHOUT ROWID;
CREATE TABLE shapes (id TEXT PRIMARY KEY, record BLOB) WITHOUT ROWID;
CREATE TABLE topics (id INTEGER PRIMARY KEY, kind TEXT, name TEXT);
CREATE TABLE inputs (id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, bucket INTEGER, key BLOB, digest BLOB);
CREATE INDEX inputs_part ON inputs (topic, bucket);
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

_SELECT_FILES = "SELECT path, digest, size, changed_ns, owner FROM files"


class Manifest(ManifestReader):
    """The manifest of one output folder.

    Args:
        path: The SQLite file.
        reading: Only to be read, as it stands: a damaged one is told, and not set aside.
        sound: It is known to be as a build left it: whether it is damaged is not looked for.

    Attributes:
        is_sound: The same; not of one that was begun anew.
        notice: What to tell the user when an unusable manifest was set aside; else empty.
    """

    def __init__(self, path: Path, *, reading: bool = False, sound: bool = False) -> None:
        self.notice = ""
        self.existed = path.exists()
        self.is_sound = sound and self.existed
        self._reading = reading
        self._topic_numbers: dict[tuple[str, str], int] | None = None
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
            self.existed = self.is_sound = False
            self.notice = f"{self.path}: the manifest cannot be used ({error}); it was set aside as {aside.name}"
            return self._open_sound()

    def set_aside(self, why: str) -> None:
        """Begin anew, with a notice: reading showed that it cannot be used."""
        self.connection.close()
        aside = self._set_aside()
        self.forget_inputs()
        self.existed = self.is_sound = False
        self.notice = f"{self.path}: the manifest cannot be used ({why}); it was set aside as {aside.name}"
        self.connection = self._open_sound()

    def _open_sound(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            if not self.is_sound:
                _check_sound(connection)
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
        rows = self.connection.execute("SELECT name, token, state FROM tables")
        return {name: TableState(token, *decode(state, _decode_state)) for name, token, state in rows}

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
            rows = self.connection.execute(
                "SELECT id, key, digest FROM inputs WHERE topic IN (SELECT id FROM topics WHERE kind = ?)", (kind,)
            )
            self._inputs[kind] = {number: (kind, decode_key(key), value) for number, key, value in rows}

    def inputs_about(
        self, kind: str, topics: Iterable[str], buckets: Iterable[Bucket] | None = None
    ) -> dict[int, tuple[str, Key, bytes]]:
        """Inputs of a kind about some topics, by id.

        Args:
            kind: The kind.
            topics: See ``Part``.
            buckets: Only those in these buckets, or in none; by default all.
        """
        known = self._topics()
        wanted = [known[kind, topic] for topic in topics if (kind, topic) in known]
        sql = "SELECT id, key, digest FROM inputs WHERE topic = ?"
        asked: list[tuple[Any, ...]] = [(topic,) for topic in wanted]
        if buckets is not None:
            sql += " AND bucket IS ?"
            asked = [(topic, bucket) for topic in wanted for bucket in (*buckets, None)]
        rows = (row for values in asked for row in self.connection.execute(sql, values))
        return {number: (kind, decode_key(key), value) for number, key, value in rows}

    def input_rows(self, only: str | None = None) -> Iterator[InputRow]:
        """All inputs, as they are kept, or those of one kind only."""
        kinds = {number: kind for (kind, _), number in self._topics().items()}
        where = "" if only is None else " WHERE topic IN (SELECT id FROM topics WHERE kind = ?)"
        sql = f"SELECT id, topic, key, digest FROM inputs{where}"  # noqa: S608 - constants
        for number, topic, key, value in self.connection.execute(sql, () if only is None else (only,)):
            if not isinstance(key, bytes) or topic not in kinds or not isinstance(value, bytes):
                raise DamagedManifest(TypeError(f"the input {number} is none"))
            yield number, kinds[topic], key, value

    def part_rows(self, part: Part) -> Iterator[tuple[int, bytes, bytes]]:
        """Number, key and digest of the inputs in a part, as they are kept."""
        topic = self._topics().get(part[:2])
        if topic is not None:
            yield from self.connection.execute(
                "SELECT id, key, digest FROM inputs WHERE topic = ? AND bucket IS ?", (topic, part.bucket)
            )

    def input_numbers(self, kind: str | None = None) -> set[int]:
        """The numbers of all inputs, or of those of a kind."""
        where = "" if kind is None else " WHERE topic IN (SELECT id FROM topics WHERE kind = ?)"
        sql = f"SELECT id FROM inputs{where}"  # noqa: S608 - constants
        return {row[0] for row in self.connection.execute(sql, () if kind is None else (kind,))}

    @property
    def last_number(self) -> int:
        """The highest number of an input; 0 if there is none."""
        return int(self.connection.execute("SELECT coalesce(max(id), 0) FROM inputs").fetchone()[0])

    def _topics(self) -> dict[tuple[str, str], int]:
        if self._topic_numbers is None:
            rows = self.connection.execute("SELECT kind, name, id FROM topics").fetchall()
            sound = all(isinstance(kind, str) and isinstance(name, str) for kind, name, _ in rows)
            if not sound or self.connection.execute(_TOPICLESS).fetchone() is not None:
                raise DamagedManifest(TypeError("the topic of an input is none"))
            self._topic_numbers = {(kind, name): number for kind, name, number in rows}
        return self._topic_numbers

    def forget_inputs(self) -> None:
        """Let go of the inputs that ``inputs`` keeps in memory."""
        self._inputs.clear()
        self._topic_numbers = None

    def kinds(self) -> set[str]:
        """The kinds of input that any page has."""
        return {kind for kind, _ in self._topics()}

    def units(self) -> dict[tuple[str, str], UnitRecord]:
        """The plan then."""
        found = {}
        for route, locale, planned, value, inputs in self.connection.execute(
            "SELECT route, locale, planned, digest, inputs FROM units"
        ):
            found[(route, locale)] = UnitRecord(route, locale, _planned(planned), value, unpack(inputs))
        return found

    def unit_keys(self) -> set[tuple[str, str]]:
        """(route, locale) of the units of the plan then."""
        return set(self.connection.execute("SELECT route, locale FROM units"))

    def pages(self) -> dict[Identity, PageRecord]:
        """The pages then, by identity."""
        return {record.identity: record for record in self.iter_pages()}

    def check_files(self, files: Mapping[str, FileRecord]) -> None:
        """Refuse to tell two things of a page's file: it would be taken away, or another page's be believed.

        Raises:
            DamagedManifest: It does.
        """
        for path, value, extra in self.connection.execute("SELECT path, digest, attachments FROM pages"):
            record = files.get(path)
            more = decode(extra, decode_paths) if extra else ()
            if record is None or record.digest != value or not all(one in files for one in more):
                raise DamagedManifest(ValueError(f"{path!r} is not the file of its page"))

    def files(self) -> dict[str, FileRecord]:
        """The files that builds wrote, by path."""
        return {row[0]: FileRecord._make(row) for row in self.connection.execute(_SELECT_FILES)}

    def find_file(self, path: str) -> FileRecord | None:
        """A file that a build wrote, or None."""
        row = self.connection.execute(f"{_SELECT_FILES} WHERE path = ?", (path,)).fetchone()
        return FileRecord._make(row) if row is not None else None

    def files_owned(self, owners: Sequence[str]) -> list[FileRecord]:
        """The files of some owners."""
        marks = ", ".join("?" * len(owners))
        return [
            FileRecord._make(row)
            for row in self.connection.execute(f"{_SELECT_FILES} WHERE owner IN ({marks})", owners)
        ]

    def file_count(self) -> int:
        """How many files builds wrote."""
        return int(self.connection.execute("SELECT count(*) FROM files").fetchone()[0])

    def pending(self) -> set[str]:
        """Paths that an interrupted build may have written, or not."""
        return {row[0] for row in self.connection.execute("SELECT path FROM pending")}

    def page_count(self) -> int:
        """How many pages there were."""
        return int(self.connection.execute("SELECT count(*) FROM pages").fetchone()[0])

    # writing

    def forget(self) -> None:
        """Forget how everything was made, but not which files are ours: they are pruned all the same."""
        self.forget_inputs()
        with self.connection:
            self.connection.execute("BEGIN")
            for table in ("tables", "shapes", "topics", "inputs", "units", "pages"):
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
        self.forget_inputs()
        connection.execute("BEGIN IMMEDIATE")
        try:
            changes.write(connection, self._topics())
            _note_counts(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        self.forget_inputs()


def _check_sound(connection: sqlite3.Connection) -> None:
    """Make the tables of a manifest, or look whether those that are there can be used.

    Raises:
        ValueError: They cannot.
        sqlite3.Error: They cannot even be read.
    """
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    if not tables:
        # constants of our own; executescript takes no parameters
        connection.executescript(f"BEGIN; {_TABLES} INSERT INTO meta VALUES ('format', '{FORMAT}'); COMMIT;")  # noqa: S608 - constants
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


def _planned(data: bytes) -> list[Planned]:
    found: list[Planned] = decode(data, _decode_planned)
    if any(type(item.key) is list for item in found):
        return [item._replace(key=tupled(item.key)) for item in found]
    return found


def _counts(connection: sqlite3.Connection) -> str:
    counts = (connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COUNTED)  # noqa: S608 - constants
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
