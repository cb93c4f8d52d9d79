"""Finding a source's files, with their stamps."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import translate
from pathlib import Path

import msgspec

from toolkit.ahead import Ahead, Told
from toolkit.content.source import Source
from toolkit.errors import ContentError
from toolkit.stamps import Stamp, stamp_of


class Listing(msgspec.Struct, frozen=True):
    """The files of one source at one instant.

    Args:
        stamps: Path below the site's folder, with ``/``, to the file's stamp; in order of path.
        now: When the folders were read, nanoseconds.
        others: How many more there are, of which it is known that they are as they were loaded.
    """

    stamps: dict[str, Stamp]
    now: int
    others: int = 0

    @property
    def count(self) -> int:
        """How many files the source has."""
        return len(self.stamps) + self.others


def list_files(folder: Path, pattern: str, ahead: Ahead | None = None) -> Listing:
    """The files below a folder that match a source's pattern.

    Args:
        folder: The site's.
        pattern: The source's.
        ahead: What was seen of the files since the command began.

    Raises:
        ContentError: A folder or a file cannot be read, or has a name that is no text.
    """
    now = time.time_ns()
    *folders, name = pattern.split("/")
    found: dict[str, Stamp] = {}
    accept = _matcher(name).match
    for place in _folders(str(folder), "", folders):
        seen = ahead.folder(f"{folder}/{place}") if ahead is not None else None
        if seen is None:
            found.update(_files_in(str(folder), place, accept))
        else:
            now = min(now, seen[0])
            found.update((place + name, stamp) for name, stamp in seen[1] if accept(name))
    return Listing({path: found[path] for path in sorted(found)}, now)


def list_told(folder: Path, source: Source, declared: str, ahead: Ahead, told: Mapping[str, Told]) -> Listing | None:
    """The files of a source that may have changed, where it is told what became of all; None if it is not.

    Args:
        folder: The site's.
        source: The source.
        declared: Stands for its declaration.
        ahead: Who looked.
        told: What it tells of folders, by path.
    """
    place, _, name = source.pattern.rpartition("/")
    found = told.get(f"{folder}/{place}")
    if found is None or source.is_literal or source.create or not source.is_single or place != str(source.folder):
        return None
    accept = _matcher(name).match
    if (found.pattern, found.declared) != (source.pattern, declared) or any(map(accept, found.others)):
        return None
    changed = {f"{place}/{name}": Stamp(*stamp) for name, stamp in sorted(found.changed)}
    return Listing(changed, ahead.began_ns, found.count - len(changed))


def _matcher(segment: str) -> re.Pattern[str]:
    """One name of a pattern as an expression; ``*`` does not match a leading dot."""
    guard = "" if segment.startswith(".") else r"(?!\.)"
    return re.compile(guard + translate(segment))


def _folders(root: str, place: str, segments: list[str]) -> Iterator[str]:
    """The folders that match, each relative to the root and ending in ``/`` unless it is the root."""
    if not segments:
        yield place
        return
    segment, rest = segments[0], segments[1:]
    if segment == "**":
        yield from _folders(root, place, rest)
        for name in _subfolders(root, place, re.compile(r"(?!\.)"), links=False):
            yield from _folders(root, f"{place}{name}/", segments)
    elif any(mark in segment for mark in "*?["):
        for name in _subfolders(root, place, _matcher(segment), links=True):
            yield from _folders(root, f"{place}{name}/", rest)
    else:
        yield from _folders(root, f"{place}{segment}/", rest)


def _subfolders(root: str, place: str, accept: re.Pattern[str], *, links: bool) -> list[str]:
    """Names of folders in a folder. ``**`` does not follow links, which may lead back."""
    try:
        with os.scandir(f"{root}/{place}") as entries:
            return [entry.name for entry in entries if accept.match(entry.name) and entry.is_dir(follow_symlinks=links)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _unreadable(place, error) from error


def _files_in(root: str, place: str, accept: Callable[[str], object]) -> Iterable[tuple[str, Stamp]]:
    found = []
    try:
        with os.scandir(f"{root}/{place}") as entries:
            for entry in entries:
                stamp = _stamp(place, entry) if accept(entry.name) else None
                if stamp is not None:
                    found.append((place + entry.name, stamp))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise _unreadable(place, error) from error
    return found


def _stamp(place: str, entry: os.DirEntry[str]) -> Stamp | None:
    """The stamp of a file; None of what is none.

    Raises:
        ContentError: It is a link that leads nowhere or round in a circle, or its name is no text.
    """
    try:
        if not entry.is_file():
            if entry.is_symlink() and not Path(entry.path).exists():
                told = f"it is a link to {Path(entry.path).readlink()}, which is not there"
                raise ContentError(told, path=place + entry.name, hint="Mend the link, or remove it.")
            return None
        entry.name.encode()
        return stamp_of(entry.stat())
    except OSError as error:
        raise _unreadable(place + entry.name, error) from error
    except UnicodeEncodeError as error:
        shown = os.fsencode(place + entry.name).decode(errors="replace")
        raise ContentError("the name of the file is not UTF-8", path=shown, hint="Rename it.") from error


def _unreadable(place: str, error: OSError) -> ContentError:
    return ContentError(f"it cannot be read: {error.strerror}", path=place, hint="Mend its rights, or remove it.")
