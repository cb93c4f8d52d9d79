"""Looking at files while the toolkit is imported: another process does it meanwhile, on another core.

A build needs some tenths of a second to import what builds, and about as long to look at tens of thousands of files of
which none or one changed. The seal of the last build tells beforehand which those are. Another process says whether
they are as they were; until then what builds is imported, in case that they are not. What it saw is taken then where
it proves that nothing changed; whoever finds anything else, or nothing, looks for himself.
"""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec

from toolkit.cores import usable_cores
from toolkit.errors import ToolkitError
from toolkit.folders import STATE_FOLDER, find_folder
from toolkit.seals import Entries, Seal, Seen, ask, find_seal, seal_path, see, seen_digest, survey
from toolkit.sources import TOOLKIT, python_sources
from toolkit.stamps import RACY_NS, Stamp, look, look_at

WORTH_IT = 1_000
"""With fewer files, a process costs more than it saves."""

MANY_ENTRIES = 200
"""Smaller folders are read faster than told of."""


_PLAIN = ("--json", "--verbose", "-v", "--traceback")
"""Options of a build that change nothing of where it looks."""

_HOLDS, _BROKEN = b"+", b"-"

Output = tuple[bool, tuple[Seen | None, ...]]

Folders = dict[str, tuple[int, tuple[tuple[str, Stamp], ...]]]


class Told(msgspec.Struct, array_like=True, frozen=True):
    """What became of the files that were loaded from a folder, all by one source.

    Args:
        pattern: The source's.
        declared: Stands for its declaration.
        count: How many files were loaded from it; all are there.
        changed: Those whose stamps do not prove them the same, with their stamps now.
        others: Further names there.
    """

    pattern: str
    declared: str
    count: int
    changed: tuple[tuple[str, Stamp], ...]
    others: tuple[str, ...]


class Sight(msgspec.Struct, array_like=True, frozen=True):
    """What the process saw.

    Args:
        stands: Whether all of the seal's files are as it has them.
        files: If not, what was seen of each; None of one that it could not look at.
        folders: Path to when files last came or went in the folder, and its files.
        told: Path to when files last came or went in the folder, and what became of those that were loaded: of folders
            of which nothing else need be known.
        loaded: Stands for all that the database told of what was loaded.
        toolkit: The toolkit's own source files, with digests, if the seal does not hold.
    """

    stands: bool
    files: tuple[Seen | None, ...] = ()
    folders: Folders = {}
    told: dict[str, tuple[int, Told]] = {}
    loaded: tuple[Any, ...] = ()
    toolkit: list[tuple[str, bytes]] = []


class Ahead:
    """Files as they were when the command began.

    Args:
        seal: Tells which.
        process: Looks at them; its id.
        said: A pipe in which it says first whether the files are as the seal has them, and then what it saw.
        began_ns: Before it began, nanoseconds since the epoch.
    """

    def __init__(self, seal: Seal, process: int, said: int, began_ns: int) -> None:
        self._seal, self._process, self._began_ns = seal, process, began_ns
        self._said = os.fdopen(said, "rb")
        self._verdict: bytes | None = None
        self._sight: Sight | None = None

    def holds(self, meanwhile: Iterable[object] = ()) -> bool:
        """Whether the files are as the seal has them.

        Args:
            meanwhile: Something to do until that is known, in steps.
        """
        for _ in meanwhile:
            if select.select([self._said], [], [], 0)[0]:
                break
        verdict = self._read_verdict()
        return verdict == _HOLDS or (verdict != _BROKEN and self._seal.files_hold())

    def close(self) -> None:
        """End the process, if nobody wants to know what it saw."""
        if not self._said.closed:
            self._said.close()
            with suppress(
                ChildProcessError, ProcessLookupError
            ):  # gone, where who began the command ignores the end of children
                if not os.waitpid(self._process, os.WNOHANG)[0]:
                    os.kill(self._process, signal.SIGKILL)
                    os.waitpid(self._process, 0)

    def knows(self, manifest: str) -> bool:
        """Whether a manifest is as the seal has it, which found it sound."""
        path, stamp = self._seal.manifest
        if manifest != path or any(os.path.lexists(f"{path}-{end}") for end in ("wal", "journal")):
            return False  # another, or one of which an interrupted build left a part beside it
        seen = look_at(path)
        return seen is not None and seen.stamp == stamp

    def stands(self, root: str) -> bool:
        """Whether the files that builds wrote below a folder are as the seal has them."""
        return root == self._seal.output and self._find().stands

    def files(self, root: str) -> Mapping[str, tuple[int, int]]:
        """Size and ctime of files, by their names below a folder; empty if it did not look there."""
        if root != self._seal.output:
            return {}
        seen = zip(self._seal.files, self._find().files, strict=False)
        return {name: each[:2] for name, each in seen if each is not None}

    def folder(self, path: str) -> tuple[int, Entries] | None:
        """When a folder was looked at, and its files; None if it was not, or files came or went since."""
        path = path.rstrip("/")
        found = self._find().folders.get(path)
        if found is None or _folder_time(path) != found[0]:
            return None
        return self._began_ns, found[1]

    def told(self, database: str, loaded: Sequence[Any]) -> dict[str, Told]:
        """What became of the files that were loaded from some folders, by path.

        Args:
            database: The SQLite file.
            loaded: Its answer today to what the seal asks as ``summary``.
        """
        sight = self._find()
        if database != self._seal.database or tuple(loaded) != sight.loaded:
            return {}
        return {path: told for path, (modified_ns, told) in sight.told.items() if _folder_time(path) == modified_ns}

    def toolkit_sources(self) -> list[tuple[str, bytes]]:
        """The toolkit's own source files, with digests; none if nobody read them."""
        return self._find().toolkit

    @property
    def began_ns(self) -> int:
        """Before anything was looked at, nanoseconds since the epoch."""
        return self._began_ns

    def _read_verdict(self) -> bytes:
        if self._verdict is None:
            self._verdict = self._said.read(1)  # nothing if the process came to harm
        return self._verdict

    def _find(self) -> Sight:
        if self._sight is None:
            self._sight = Sight(False)
            self._read_verdict()
            with closing(self), suppress(OSError, msgspec.MsgspecError):
                self._sight = msgspec.msgpack.decode(self._said.read(), type=Sight)
        return self._sight


class Begun(msgspec.Struct):
    """What was begun before the command was understood.

    Args:
        place: The file of the seal that it is about.
        seal: The seal; None if there is none that can be read.
        ahead: Looks at its files.
    """

    place: Path
    seal: Seal | None
    ahead: Ahead | None

    def close(self) -> None:
        """Nobody wants it."""
        if self.ahead is not None:
            self.ahead.close()


def begin(arguments: Sequence[str]) -> Begun | None:
    """Begin to look at the files of a build, as far as its arguments are plain; importing what reads them takes as long
    as looking at a thousand files. None of any other command.

    Args:
        arguments: Of the command.
    """
    folder = Path()
    command, *rest = arguments or [""]
    if command != "build":
        return None
    while rest:
        one = rest.pop(0)
        if one == "--site" and rest:
            folder = folder / rest.pop(0)
        elif not one.startswith("-"):
            folder = folder / one
        elif one not in _PLAIN:
            return None
    try:
        place = seal_path(find_folder(folder) / STATE_FOLDER, "")
    except (ToolkitError, OSError):
        return None
    seal = find_seal(place)
    return Begun(place, seal, look_ahead(seal) if seal is not None else None)


def look_ahead(
    seal: Seal, *, worth_it: int = WORTH_IT, many: int = MANY_ENTRIES, racy_ns: int = RACY_NS
) -> Ahead | None:
    """Begin to look at the files that a seal knows; None where that is not to be had, or not worth it.

    Args:
        seal: Of an earlier build; it need not hold.
        worth_it: With fewer files in the output, it is not.
        many: Folders with fewer files are left out.
        racy_ns: Folders that changed so short a time before prove nothing.
    """
    if len(seal.files) < worth_it or not hasattr(os, "fork") or usable_cores() < 2:
        return None
    began_ns = time.time_ns()
    said, say = os.pipe()
    try:
        process = os.fork()
    except OSError:
        os.close(said)
        os.close(say)
        return None
    if process:
        os.close(say)
        return Ahead(seal, process, said, began_ns)
    try:
        os.close(said)
        with os.fdopen(say, "wb") as pipe:
            _look(seal, _Folders(many, began_ns - racy_ns), pipe)
    finally:
        os._exit(0)  # and nothing of what the parent would do at its end


def _look(seal: Seal, folders: _Folders, pipe: IO[bytes]) -> None:
    """Say whether the files are as a seal has them, as soon as that is known, and then what was seen."""
    find_output = _begin_output(seal)
    same = _source_digest(seal, folders) == seal.sources_digest
    told: dict[str, tuple[int, Told]] = {}
    loaded: tuple[Any, ...] = ()
    toolkit: list[tuple[str, bytes]] = []
    if not same:
        pipe.write(_BROKEN)
        pipe.flush()
        told, loaded = _tell(seal, folders.found)
        toolkit = python_sources(TOOLKIT)
    stands, files = find_output()
    if same:
        pipe.write(_HOLDS if stands else _BROKEN)
        pipe.flush()
    rest = {path: found for path, found in folders.found.items() if path not in told}
    pipe.write(msgspec.msgpack.encode(Sight(stands, files, rest, told, loaded, toolkit)))


def _begin_output(seal: Seal) -> Callable[[], Output]:
    """Look at the output in one more process, for it takes as long as all the rest; what gives the answer."""
    answer, write = os.pipe()
    try:
        process = os.fork()
    except OSError:
        os.close(answer)
        os.close(write)
        return partial(_see_output, seal)
    if not process:
        try:
            os.close(answer)
            with os.fdopen(write, "wb") as pipe:
                pipe.write(msgspec.msgpack.encode(_see_output(seal)))
        finally:
            os._exit(0)
    os.close(write)
    return partial(_read_output, seal, process, answer)


def _read_output(seal: Seal, process: int, answer: int) -> Output:
    with os.fdopen(answer, "rb") as pipe:
        body = pipe.read()
    with suppress(ChildProcessError):
        os.waitpid(process, 0)
    try:
        found: Output = msgspec.msgpack.decode(body, type=Output)
        return found
    except msgspec.MsgspecError:  # it came to harm
        return _see_output(seal)


def _see_output(seal: Seal) -> Output:
    """Whether the files of the output are as a seal has them; if not, what was seen of each."""
    files = tuple(_see(f"{seal.output}/{name}") for name in seal.files)
    there = [seen for seen in files if seen is not None]
    stands = len(there) == len(files) and seen_digest(there) == seal.files_digest
    return stands, () if stands else files


def _tell(seal: Seal, folders: Folders) -> tuple[dict[str, tuple[int, Told]], tuple[Any, ...]]:
    """What became of the files that were loaded from folders, as far as there is one source of each; and what stands
    for all that was loaded."""
    loaded: dict[str, list[tuple[Any, ...]]] = {}
    deep: set[str] = set()
    try:
        *rows, summary = ask(seal.database, seal.records, seal.summary)
    except (sqlite3.Error, ValueError):
        return {}, ()
    for path, *rest in rows:
        place, _, name = path.rpartition("/")
        loaded.setdefault(f"{seal.folder}/{place}", []).append((name, *rest))
    for place in loaded:
        while len(place) > len(seal.folder):
            place = place.rpartition("/")[0]
            deep.add(place)
    found = {}
    for path in folders.keys() & loaded.keys() - deep:
        modified_ns, entries = folders[path]
        told = _compare(loaded[path], dict(entries))
        if told is not None:
            found[path] = modified_ns, told
    return found, tuple(summary)


def _compare(loaded: Sequence[tuple[Any, ...]], there: dict[str, Stamp]) -> Told | None:
    """What became of some files; None if they are of several sources, or one is gone, or may be a translation."""
    if len({row[1:3] for row in loaded}) > 1:
        return None
    changed = []
    for name, _, _, *stamp, settled in loaded:
        now = there.pop(name, None)
        if now is None or name.count(".") > 1:
            return None
        if settled != 1 or now != tuple(stamp):
            changed.append((name, now))
    _, pattern, declared, *_ = loaded[0]
    return Told(pattern, declared, len(loaded), tuple(changed), tuple(there))


def _source_digest(seal: Seal, folders: _Folders) -> bytes | None:
    try:
        return survey(seal.sources, note=folders.note)[0]
    except OSError:
        return None


class _Folders:
    """Keeps of what a survey sees that which proves something later.

    Args:
        many: Folders with fewer files are left out.
        before_ns: Folders that changed later are left out.
    """

    def __init__(self, many: int, before_ns: int) -> None:
        self.found: Folders = {}
        self._many, self._before_ns = many, before_ns

    def note(self, path: str, modified_ns: int, entries: Entries) -> None:
        """Be told of a folder; see ``survey``."""
        proves = modified_ns < self._before_ns
        if proves and len(entries) >= self._many and all(_is_text(name) for name, _ in entries):
            self.found[path] = modified_ns, tuple(entries)


def _see(path: str) -> Seen | None:
    try:
        return see(path)
    except OSError:
        return None


def _is_text(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= mark <= "\udfff" for mark in name)


def _folder_time(path: str) -> int | None:
    """When files last came or went in a folder; None if it is not there."""
    try:
        return look(path).st_mtime_ns
    except OSError:
        return None
