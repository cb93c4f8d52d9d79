"""Telling cheaply that a file did not change."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

_RACY_NANOSECONDS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What ``stat`` says of a file. Equal stamps mean equal content only when the stamp is settled.

    Attributes:
        size: Bytes.
        modified: mtime, nanoseconds.
        changed: ctime, nanoseconds: moves even when somebody sets mtime back.
        inode: Moves when another file is renamed over it.
        is_settled: The file was older than two seconds when it was looked at. What was read
            beside a younger stamp is read again: the file may have been written once more since, within the
            same tick of the file system's clock (git's "racy" rule).
    """

    size: int
    modified: int
    changed: int
    inode: int
    is_settled: bool = field(compare=False)


def take_stamp(path: Path) -> Stamp | None:
    """The stamp of a file, or None when there is none."""
    now = time.time_ns()
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    youngest = max(status.st_mtime_ns, status.st_ctime_ns)
    return Stamp(
        size=status.st_size,
        modified=status.st_mtime_ns,
        changed=status.st_ctime_ns,
        inode=status.st_ino,
        is_settled=youngest + _RACY_NANOSECONDS < now,
    )
