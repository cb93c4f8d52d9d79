"""Looking at files while the toolkit is imported: another process does it meanwhile, on another core.

A build after an edit needs some tenths of a second to import what builds, and about as long to look at tens of
thousands of files of which one changed. The seal of an earlier build tells beforehand which those are. What was seen
is taken only where it proves that nothing changed; whoever finds anything else, or nothing, looks for himself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from toolkit.seals import Seal
from toolkit.stamps import RACY_NS, Stamp, look, stamp_of

WORTH_IT = 1_000
"""With fewer files, a process costs more than it saves."""

MANY_ENTRIES = 200
"""Smaller folders are read faster than told of."""

Entries = tuple[tuple[str, Stamp], ...]


class Sight(msgspec.Struct, array_like=True, frozen=True):
    """What the process saw.

    Args:
        began_ns: Before it looked, nanoseconds since the epoch.
        files: Size and ctime of each of the seal's files; None of one that it could not look at.
        folders: Path to when the folder changed, and its files.
    """

    began_ns: int
    files: tuple[tuple[int, int] | None, ...]
    folders: dict[str, tuple[int, Entries]]


class Ahead:
    """Files as they were when the command began.

    Args:
        seal: Tells which.
        process: Looks at them; its id.
        told: An open file in which it says what it saw.
        racy_ns: Folders that changed so short a time ago prove nothing.
    """

    def __init__(self, seal: Seal, process: int, told: int, racy_ns: int) -> None:
        self._seal = seal
        self._process = process
        self._told = told
        self._racy_ns = racy_ns
        self._sight: Sight | None = None

    def files(self, root: str) -> Mapping[str, tuple[int, int]]:
        """Size and ctime of files, by their names below a folder; empty if it did not look there."""
        if root != self._seal.output:
            return {}
        return {
            name: seen for name, seen in zip(self._seal.files, self._find().files, strict=False) if seen is not None
        }

    def folder(self, path: str) -> tuple[int, Sequence[tuple[str, Stamp]]] | None:
        """When a folder was looked at, and its files; None if it was not, or files came or went since."""
        found = self._find().folders.get(path.rstrip("/"))
        if found is None or _folder_time(path, self._racy_ns) != found[0]:
            return None
        return self._find().began_ns, found[1]

    def _find(self) -> Sight:
        if self._sight is None:
            self._sight = Sight(0, (), {})
            with suppress(OSError, msgspec.MsgspecError):
                os.waitpid(self._process, 0)
                with os.fdopen(self._told, "rb") as file:
                    file.seek(0)
                    self._sight = msgspec.msgpack.decode(file.read(), type=Sight)
        return self._sight


def look_ahead(
    seal: Seal, *, worth_it: int = WORTH_IT, many: int = MANY_ENTRIES, racy_ns: int = RACY_NS
) -> Ahead | None:
    """Begin to look at the files that a seal knows; None where that is not to be had, or not worth it.

    Args:
        seal: Of an earlier build; it need not hold.
        worth_it: With fewer files in the output, it is not.
        many: Folders with fewer files are left out.
        racy_ns: Folders that changed so short a time ago prove nothing.
    """
    if len(seal.files) < worth_it or not hasattr(os, "memfd_create") or (os.cpu_count() or 1) < 2:
        return None
    try:
        told = os.memfd_create("toolkit-ahead")
        process = os.fork()
    except OSError:
        return None
    if process == 0:
        try:
            body = msgspec.msgpack.encode(_look(seal, many, racy_ns))
            while body:
                body = body[os.write(told, body) :]
        finally:
            os._exit(0)  # and nothing of what the parent would do at its end
    return Ahead(seal, process, told, racy_ns)


def _look(seal: Seal, many: int, racy_ns: int) -> Sight:
    began_ns = time.time_ns()
    folders: dict[str, tuple[int, Entries]] = {}
    for tree in seal.sources:
        if not tree.shallow:
            for path in _folders_below(tree.root, frozenset(tree.without)):
                changed, entries = _folder_time(path, racy_ns), _entries_of(path)
                if changed is not None and entries is not None and len(entries) >= many:
                    folders[path] = changed, entries
    return Sight(began_ns, tuple(_size_and_time(f"{seal.output}/{name}") for name in seal.files), folders)


def _size_and_time(path: str) -> tuple[int, int] | None:
    try:
        status = look(path)
    except OSError:
        return None
    return status.st_size, status.st_ctime_ns


def _folders_below(path: str, without: frozenset[str]) -> Iterator[str]:
    """A folder and those in it; links are not followed."""
    yield path
    try:
        with os.scandir(path) as entries:
            below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for each in below:
        if each not in without:
            yield from _folders_below(each, without)


def _entries_of(path: str) -> Entries | None:
    """The files in a folder; None of one that has more than plain files and folders, for who asks to deal with."""
    found = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False) and _is_text(entry.name):
                    found.append((entry.name, stamp_of(entry.stat())))
                elif not entry.is_dir(follow_symlinks=False):
                    return None
    except OSError:
        return None
    return tuple(found)


def _is_text(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= mark <= "\udfff" for mark in name)


def _folder_time(path: str, racy_ns: int) -> int | None:
    """When files last came or went in a folder; None if it is not there, or that is too recent to prove anything."""
    try:
        status = look(path)
    except OSError:
        return None
    return status.st_mtime_ns if status.st_mtime_ns + racy_ns < time.time_ns() else None
