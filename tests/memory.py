"""Where tests may write what goes with them: in memory, where there is room."""

from __future__ import annotations

import os
from pathlib import Path

MEMORY = Path("/dev/shm")


def in_memory(room: int) -> Path | None:
    """A folder in memory, of which programs can be run too; None where there is none with so much room.

    Args:
        room: Bytes that must be free. Containers have 64 MB unless asked for more.
    """
    if not os.access(MEMORY, os.W_OK):
        return None
    found = os.statvfs(MEMORY)
    return MEMORY if found.f_bavail * found.f_frsize >= room and not found.f_flag & os.ST_NOEXEC else None
