"""Finding a source's files, with their stamps."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

from toolkit.stamps import Stamp, stamp_of


@dataclass(frozen=True)
class Listing:
    """The files of one source at one instant.

    Args:
        stamps: Path below the site's folder, with ``/``, to the file's stamp; in order of path.
        now: When the folders were read, nanoseconds.
    """

    stamps: dict[str, Stamp]
    now: int


def list_files(folder: Path, pattern: str) -> Listing:
    """The files below a folder that match a source's pattern."""
    now = time.time_ns()
    *folders, name = pattern.split("/")
    found: list[tuple[str, Stamp]] = []
    accept = _matcher(name)
    for place in _folders(str(folder), "", folders):
        found += _files_in(str(folder), place, accept)
    return Listing(dict(sorted(found)), now)


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


def _files_in(root: str, place: str, accept: re.Pattern[str]) -> Iterable[tuple[str, Stamp]]:
    found = []
    try:
        with os.scandir(f"{root}/{place}") as entries:
            for entry in entries:
                if accept.match(entry.name) and entry.is_file():
                    found.append((place + entry.name, stamp_of(entry.stat())))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return found
