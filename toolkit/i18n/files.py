"""Writing files so that a reader sees the old content or the new, never half of one."""

from __future__ import annotations

import os
from pathlib import Path


def write_if_changed(path: Path, body: bytes) -> bool:
    """Write beside the place and rename over it; leave the file alone when it already holds these bytes.

    Returns:
        Whether something was written.
    """
    if path.is_file() and path.read_bytes() == body:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        with beside.open("xb") as stream:
            stream.write(body)
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return True
