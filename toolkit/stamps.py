"""Telling by a stat that a file did not change, and digests of contents that are spared the reading thereby.

A file whose size, times and inode are the same as when it was read has the same content, with one exception: a
file changed so soon after it was looked at that the clock of the file system did not move ("racy", after git's
Documentation/technical/racy-git.txt). Whether a stamp is old enough is judged when it is taken and kept beside
it: later the same stamp would look old, and prove no more. A stamp that was young proves nothing, and the file is
read again.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from toolkit.trace import digest_bytes

DIGEST_BYTES = 16

RACY_NS = 2_000_000_000
"""Stamps younger than this when they were taken prove nothing (FAT keeps times of two seconds)."""

NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}
"""What the system says of a path at which there is no file."""

look = os.stat
"""``os.stat`` as it was when this was imported: what watches a site's code puts another in its place, which asks of
each call whose it is."""

_MOST_INODE = 0x7FFF_FFFF_FFFF_FFFF


class Stamp(NamedTuple):
    """What a stat says about a file's content. Equal stamps mean equal content only when the first was settled.

    Attributes:
        size: Bytes.
        modified: mtime, nanoseconds.
        changed: ctime, nanoseconds: moves even when somebody sets mtime back.
        inode: Moves when another file is renamed over it. Cut to 63 bits, what databases hold.
    """

    size: int
    modified: int
    changed: int
    inode: int


class Sighting(NamedTuple):
    """A stamp, and whether it was settled when it was taken."""

    stamp: Stamp
    settled: bool

    def proves(self, stamp: Stamp) -> bool:
        """Whether a file that has this stamp now has the content that it had then."""
        return self.settled and self.stamp == stamp


def stamp_of(status: os.stat_result) -> Stamp:
    """The part of a stat result that moves when the content does."""
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & _MOST_INODE)


def is_settled(stamp: Stamp, *, at_ns: int) -> bool:
    """Whether a stamp is old enough to be trusted later.

    Args:
        stamp: The file's.
        at_ns: A moment not after that at which it was taken, nanoseconds since the epoch. One after the bytes
            were read would not do: a slow reading would make a young stamp look old.
    """
    return max(stamp.modified, stamp.changed) + RACY_NS < at_ns


def sighting_of(status: os.stat_result, *, at_ns: int) -> Sighting:
    """The stamp in a stat result, judged at a moment as ``is_settled`` wants it."""
    stamp = stamp_of(status)
    return Sighting(stamp, is_settled(stamp, at_ns=at_ns))


def look_at(path: str | Path) -> Sighting | None:
    """The stamp of what is at a path now, or None where there is nothing. To be taken before the bytes.

    Raises:
        OSError: The system does not tell.
    """
    now = time.time_ns()
    try:
        return sighting_of(os.stat(path), at_ns=now)  # noqa: PTH116 - half the cost of Path.stat
    except (OSError, ValueError) as error:
        _raise_unless_absent(error)
        return None


def _raise_unless_absent(error: OSError | ValueError) -> None:
    """Let through only what says that there is no such file (ValueError: a name no file can have)."""
    if isinstance(error, OSError) and error.errno not in NOT_THERE:
        raise error


class FileDigests:
    """Remembers the digest of each file's content for as long as its stamp proves it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Sighting, bytes]] = {}

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
        if known is not None and known[0].proves(stamp_of(status)):
            return known[1]
        read = self.read(place)
        return None if read is None else read[1]

    def read(self, path: str | Path) -> tuple[bytes, bytes] | None:
        """A regular file's content and digest, or None where there is no such file.

        The stamp is taken before the bytes, from the same open file: a change in between shows as a new
        stamp.

        Raises:
            OSError: When it is there and cannot be read.
        """
        place = os.fspath(path)
        try:
            with open(place, "rb") as file:  # noqa: PTH123 - as above
                now = time.time_ns()
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    return None
                body = file.read()
        except (OSError, ValueError) as error:
            _raise_unless_absent(error)
            return None
        value = digest_bytes(body)
        self._known[place] = (sighting_of(status, at_ns=now), value)
        return body, value


class KeptDigests(FileDigests):
    """The same, kept in a file between processes: a build need not read every image to know that it is as it was.

    Args:
        place: The file. It may be deleted at any time; one that is damaged counts for nothing.
    """

    def __init__(self, place: Path) -> None:
        super().__init__()
        self.place = place
        self._kept = _read_kept(place)
        self._known = {path: (Sighting(stamp, settled=True), value) for path, (stamp, value) in self._kept.items()}

    def save(self) -> None:
        """Keep what is known of files that are still there. Where nothing can be written, they are read again."""
        known = {path: (seen.stamp, value) for path, (seen, value) in dict(self._known).items() if seen.settled}
        if known == self._kept:
            return
        self._kept = {path: found for path, found in sorted(known.items()) if os.path.lexists(path)}
        body = msgspec.msgpack.encode(self._kept)
        unfinished = self.place.with_name(f".{self.place.name}-{os.getpid()}")
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(digest_bytes(body) + body)
            os.replace(unfinished, self.place)  # noqa: PTH105 - pathlib's is the same call
        except OSError:
            with suppress(OSError):
                unfinished.unlink()


def _read_kept(place: Path) -> dict[str, tuple[Stamp, bytes]]:
    try:
        found = place.read_bytes()
        body = found[DIGEST_BYTES:]
        if digest_bytes(body) == found[:DIGEST_BYTES]:
            return msgspec.msgpack.decode(body, type=dict[str, tuple[Stamp, bytes]])
    except (OSError, msgspec.MsgspecError):
        pass
    return {}
