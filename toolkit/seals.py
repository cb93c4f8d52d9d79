"""The seal of a build: proof, by a look at files and tokens alone, that the next build would find nothing to do.

A seal is made when a build ends, and says what decided about it: the stamps of all files in the folders that it was
made from, the tokens of the tables, the environment, and until when the clock changes nothing. While all of that is
as it was, the output is what a build would make, and neither the site nor the toolkit need be loaded to know. A seal
may always say too little: where it does not hold, the build looks for itself.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from toolkit.lazily import LazyModule
from toolkit.stamps import DIGEST_BYTES, Stamp, look, look_at, stamp_of
from toolkit.trace import digest, digest_bytes

if TYPE_CHECKING:
    from importlib import metadata
else:
    metadata = LazyModule("importlib.metadata")

FORMAT = 4
FOLDER = "seals"
"""Below the folder for derived files."""

PASSING = frozenset({"_", "COLUMNS", "LINES", "OLDPWD", "PWD", "SHLVL"})
"""Variables that say nothing of a site and change with every shell."""

Entries = Sequence[tuple[str, Stamp]]
"""Files of a folder, by name."""

Note = Callable[[str, int, Entries], None]

Seen = tuple[int, int, int]
"""Size, ctime in nanoseconds since the epoch, and inode of a file."""

_NAMES_ONLY = ("site-packages", "dist-packages")
_COMPILED = "__pycache__"
_UNIFORM = re.compile(r"[-_.]+")  # names of projects, after PEP 503


class Tree(msgspec.Struct, frozen=True):
    """Files that a build is made from.

    Args:
        root: A folder, or one file.
        without: Paths in it that do not count.
        shallow: Only what Python might import right there: the stamps of its modules, and the names of its folders.
    """

    root: str
    without: tuple[str, ...] = ()
    shallow: bool = False


class Seal(msgspec.Struct, frozen=True):
    """What decided about a build, and what a build would say that finds nothing to do.

    Args:
        format: Of this record.
        process: Stands for Python, the folder it runs in and its environment.
        sources: What the site is made from.
        sources_digest: Stands for the stamps of all files in them.
        output: The folder it was built to.
        files: The files that builds wrote there.
        files_digest: Stands for their stamps.
        manifest: The manifest's path and stamp.
        database: The path of the SQLite file.
        tokens: Stands for its tables and their tokens.
        folder: The site's folder.
        records: What asks the database for the content files that were loaded: path below the folder, pattern of the
            source, what stands for its declaration, size, mtime, ctime, inode, and whether these prove anything.
        summary: What asks it for one row that stands for all of these.
        since: When the build was made.
        until: When the clock may change something.
        told: The report of a build with nothing to do.
        counts: The same, in words.
    """

    format: int
    process: bytes
    sources: tuple[Tree, ...]
    sources_digest: bytes
    output: str
    files: tuple[str, ...]
    files_digest: bytes
    manifest: tuple[str, Stamp]
    database: str
    tokens: bytes
    folder: str
    records: str
    summary: str
    since: datetime
    until: datetime
    told: dict[str, Any]
    counts: str

    def holds(self, *, now: datetime | None = None) -> bool:
        """Whether a build would find nothing to do."""
        return self.may_hold(now=now) and self.files_hold()

    def may_hold(self, *, now: datetime | None = None) -> bool:
        """Whether everything but the files is as it was; told fast, whatever the size of the site."""
        path, stamp = self.manifest
        try:
            seen = look_at(path)
            return (
                self.since <= (now or datetime.now(UTC)) < self.until
                and self.process == process_digest()
                and seen is not None
                and seen.stamp == stamp
                and look_at(f"{path}-wal") is None  # left by a build that was killed
                and self.tokens == tokens_digest(self.database)
            )
        except (OSError, sqlite3.Error):
            return False

    def files_hold(self) -> bool:
        """Whether all files are as they were."""
        try:
            return self.sources_digest == survey(self.sources)[0] and self.files_digest == files_digest(
                self.output, self.files
            )
        except OSError:
            return False


# keeping


def seal_path(state_folder: Path, output: str) -> Path:
    """Where the seal of builds to an output is kept.

    Args:
        state_folder: The site's, for derived files.
        output: As it was asked for; empty for that of the settings.
    """
    return state_folder / FOLDER / digest_bytes(output.encode("utf-8", "surrogateescape")).hex()


def find_seal(path: Path) -> Seal | None:
    """The seal in a file; None if there is none, or it is damaged or of another version."""
    with suppress(OSError, msgspec.MsgspecError):
        found = path.read_bytes()
        body = found[DIGEST_BYTES:]
        if digest_bytes(body) == found[:DIGEST_BYTES]:
            seal = msgspec.msgpack.decode(body, type=Seal)
            return seal if seal.format == FORMAT else None
    return None


def keep_seal(path: Path, seal: Seal | None) -> None:
    """Keep a seal, or forget the one that there was. Where nothing can be written, the next build looks for itself."""
    with suppress(OSError):
        if seal is None:
            path.unlink(missing_ok=True)
            return
        body = msgspec.msgpack.encode(seal)
        unfinished = path.with_name(f".{path.name}-{os.getpid()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(digest_bytes(body) + body)
        os.replace(unfinished, path)  # noqa: PTH105 - pathlib's is the same call


# looking


class TooManyFiles(Exception):
    """To look at all of them would take longer than the build."""


def survey(trees: Iterable[Tree], *, most: int | None = None, note: Note | None = None) -> tuple[bytes, int]:
    """Digest of the names and stamps of all files, and when the youngest changed, in nanoseconds since the epoch.

    Args:
        trees: Where they are.
        most: Give up when there are more.
        note: Is told of each folder that holds plain files and folders only: its path, when files last came or went
            in it (nanoseconds since the epoch, looked at before it was read), and its files.

    Raises:
        OSError: A folder cannot be read.
        TooManyFiles: It gave up.
    """
    walk = _Walk(most, note)
    for tree in trees:
        walk.take_tree(tree)
    return walk.found.digest(), walk.youngest


def files_digest(root: str, names: Iterable[str]) -> bytes:
    """Stands for the stamps of files whose names are known.

    Args:
        root: Their folder.
        names: Below it.

    Raises:
        OSError: One is not there.
    """
    return seen_digest(see(f"{root}/{name}") for name in names)


def see(path: str) -> Seen:
    """What tells whether a file that a build wrote is as it was.

    Raises:
        OSError: It is not there.
    """
    status = look(path)
    return status.st_size, status.st_ctime_ns, status.st_ino


def seen_digest(files: Iterable[Seen]) -> bytes:
    """Stands for what was seen of some files."""
    found = hashlib.blake2b(digest_size=DIGEST_BYTES)
    take = found.update
    for seen in files:
        take(b"%d %d %d\n" % seen)
    return found.digest()


class _Walk:
    """Goes through folders; by plain strings, for there are tens of thousands of files.

    Args:
        most: So many files are the end of it.
        note: See ``survey``.
    """

    def __init__(self, most: int | None, note: Note | None) -> None:
        self.found = hashlib.blake2b(digest_size=DIGEST_BYTES)
        self.youngest = 0
        self._left = most
        self._note = note

    def take_tree(self, tree: Tree) -> None:
        """Take up all files of a tree."""
        self.found.update(os.fsencode(tree.root))
        if not os.path.lexists(tree.root):
            self.found.update(b"\0nothing\n")
        elif tree.shallow:
            self._take_importable(tree)
        elif os.path.isdir(tree.root):  # noqa: PTH112 - as strings throughout
            self._take_folder(tree.root, frozenset(tree.without), frozenset([os.path.realpath(tree.root)]))
        else:
            self._take_file(tree.root, os.stat(tree.root))  # noqa: PTH116 - as above

    def _take_importable(self, tree: Tree) -> None:
        with os.scandir(tree.root) as entries:
            items = sorted(entries, key=_name_of)
        for item in items:
            if item.path not in tree.without and item.is_dir():
                self.found.update(b"%b\0folder\n" % os.fsencode(item.path))
            elif item.name.endswith(".py") and item.is_file():
                self._take_file(item.path, item.stat())

    def _take_folder(self, place: str, without: frozenset[str], above: frozenset[str]) -> None:
        """Take up what is in a folder. Links are followed, but not in a circle."""
        modified = os.stat(place).st_mtime_ns if self._note is not None else 0  # noqa: PTH116 - as above
        with os.scandir(place) as entries:
            items = sorted(entries, key=_name_of)
        if self._left is not None:
            self._left -= len(items)
            if self._left < 0:
                raise TooManyFiles
        plain, files = True, []
        for item in items:
            path = item.path
            if path in without or item.name == _COMPILED:
                plain = plain and item.is_dir(follow_symlinks=False)
                continue
            if not item.is_dir():
                try:
                    status = look(path)  # the entry's own takes half as long again
                    self._take_file(path, status)
                    files.append((item.name, status))
                except FileNotFoundError:  # a link that leads nowhere
                    self.found.update(b"%b\0nothing\n" % os.fsencode(path))
                plain = plain and item.is_file(follow_symlinks=False)
                continue
            plain = plain and not item.is_symlink()
            self.found.update(b"%b\0folder\n" % os.fsencode(path))
            if not item.is_symlink():
                self._take_folder(path, without, above)
            elif (real := os.path.realpath(path)) not in above:
                self._take_folder(path, without, above | {real})
        if plain and self._note is not None:
            self._note(place, modified, [(name, stamp_of(status)) for name, status in files])

    def _take_file(self, path: str, status: os.stat_result) -> None:
        modified, changed = status.st_mtime_ns, status.st_ctime_ns
        self.found.update(b"%b\0%d %d %d %d\n" % (os.fsencode(path), status.st_size, modified, changed, status.st_ino))
        if changed > self.youngest or modified > self.youngest:
            self.youngest = max(changed, modified)


_name_of = attrgetter("name")


def process_digest() -> bytes:
    """Stands for Python, what is installed beside it, the current folder and the environment."""
    variables = sorted((name, value) for name, value in os.environ.items() if name not in PASSING)
    python = [sys.version, sys.executable, platform.machine(), sys.flags.optimize]
    return digest_bytes(repr([python, os.getcwd(), installed_names(), variables]).encode("utf-8", "surrogateescape"))  # noqa: PTH109 - a text is wanted


def installed_names() -> list[tuple[str, list[str]]]:
    """What is installed beside Python, by folder: the names carry versions."""
    return [
        (place, sorted(os.listdir(place)))  # noqa: PTH208 - names are all that is wanted
        for place in sorted(set(sys.path))
        if place.endswith(_NAMES_ONLY) and os.path.isdir(place)  # noqa: PTH112 - as written
    ]


@cache
def installed_version(name: str) -> str:
    """The version of a library; empty if it is not installed. Once in the life of a process.

    Names of folders tell it (PyPA, Recording installed projects). Reading the metadata of ten libraries, and importing
    what reads them, took 15 ms.

    Args:
        name: In lower case, with hyphens.
    """
    found = _installed_versions().get(name)
    if found is not None:
        return found
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


@cache
def _installed_versions() -> dict[str, str]:
    found: dict[str, str] = {}
    names = dict(installed_names())
    for folder in chain.from_iterable(names.get(place, ()) for place in sys.path):
        project, _, version = folder.removesuffix(".dist-info").partition("-")
        if version and folder.endswith(".dist-info"):
            found.setdefault(_UNIFORM.sub("-", project).lower(), version)
    return found


def ask(database: str, *questions: str) -> list[Any]:
    """The answers of a SQLite file, in one state of it, one after the other.

    Raises:
        sqlite3.Error: It cannot be read.
    """
    address = f"file:{quote(database)}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        return [row for question in questions for row in connection.execute(question).fetchall()]


def tokens_digest(database: str) -> bytes:
    """Stands for all tables of a SQLite file that have a token, and for its schema.

    Raises:
        sqlite3.Error: It cannot be read, or nothing in it has a token.
    """
    version, *tokens = ask(database, "PRAGMA schema_version", "SELECT name, token FROM toolkit_token ORDER BY name")
    return digest([list(version), [list(row) for row in tokens]])


def covers(trees: Sequence[Tree], path: str) -> bool:
    """Whether a seal of these trees sees a change of a path: of a file or folder there, or that there is none."""
    return any(
        not tree.shallow
        and _is_within(path, tree.root)
        and not any(_is_within(path, one) for one in tree.without)
        and f"{os.sep}{_COMPILED}{os.sep}" not in path
        for tree in trees
    )


def _is_within(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}{os.sep}")
