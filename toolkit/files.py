"""Writing files so that a reader sees the old content or the new, never half of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place beside a file, to write to: what is there when the block ends well takes the file's place.

    The file keeps its rights. Of a block that fails nothing is left.

    Args:
        path: The file. Its folder is made, where it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.urandom(6).hex()}.{path.name}")  # the ending may tell how it is to be written
    try:
        yield beside
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def write_whole(path: Path, body: bytes) -> None:
    """Write a file beside its place, and rename it."""
    with replacing(path) as beside:
        beside.write_bytes(body)


def write_if_changed(path: Path, body: bytes) -> bool:
    """Write a file, and leave it alone when it already holds these bytes.

    Returns:
        Whether something was written.
    """
    if path.is_file() and path.read_bytes() == body:
        return False
    write_whole(path, body)
    return True
