"""Content digests of files, with a stat to spare the reading.

A file whose size, times and inode are the same as when it was read has the same content, with one exception:
a file changed so soon after the reading that the clock of the file system did not move ("racy", after git's
Documentation/technical/racy-git.txt). A stamp that young is not trusted, and the file is read again.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path
from typing import NamedTuple

from toolkit.trace import digest_bytes

RACY_NS = 2_000_000_000
"""Stamps younger than this when they were taken prove nothing (FAT keeps times of two seconds)."""


NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}


class Stamp(NamedTuple):
    """What a stat says about a file's content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


class Known(NamedTuple):
    """A digest, and the stamp it was computed under."""

    stamp: Stamp
    digest: bytes
    settled: bool


def stamp_of(status: os.stat_result) -> Stamp:
    """The part of a stat result that moves when the content does."""
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def is_settled(stamp: Stamp, *, at_ns: int) -> bool:
    """Whether a stamp taken at this time (nanoseconds since the epoch) is old enough to be trusted later."""
    return max(stamp.mtime_ns, stamp.ctime_ns) + RACY_NS < at_ns


def _raise_unless_absent(error: OSError | ValueError) -> None:
    """Let through only what says that there is no such file (ValueError: a name no file can have)."""
    if isinstance(error, OSError) and error.errno not in NOT_THERE:
        raise error


class FileDigests:
    """Remembers the digest of each file's content for as long as its stamp proves it."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def find(self, path: str | Path) -> bytes | None:
        """The digest of a regular file's content today, or None where there is no such file.

        Raises:
            OSError: When it is there and cannot be read.
        """
        place = os.fspath(path)
        try:
            status = os.stat(place)  # noqa: PTH116 - half the cost of Path.stat, on the path of every page
        except (OSError, ValueError) as error:
            _raise_unless_absent(error)
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        known = self._known.get(place)
        if known is not None and known.settled and known.stamp == stamp_of(status):
            return known.digest
        read = self.read(place)
        return None if read is None else read[1]

    def read(self, path: str | Path) -> tuple[bytes, bytes] | None:
        """A regular file's content and digest, or None where there is no such file.

        The stamp is taken before the bytes, from the same open file: a change in between shows as a new
        stamp.
        """
        place = os.fspath(path)
        try:
            with open(place, "rb") as file:  # noqa: PTH123 - as above
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    return None
                body = file.read()
        except (OSError, ValueError) as error:
            _raise_unless_absent(error)
            return None
        stamp = stamp_of(status)
        value = digest_bytes(body)
        self._known[place] = Known(stamp, value, is_settled(stamp, at_ns=time.time_ns()))
        return body, value
