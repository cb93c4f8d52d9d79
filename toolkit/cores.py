"""How many processor cores this process may use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

_CGROUPS = "/sys/fs/cgroup"
_OWN = "/proc/self/cgroup"


def usable_cores(*, cgroups: str = _CGROUPS, own: str = _OWN) -> int:
    """The cores that the process may run on, and no more than its container is given time of.

    A container with two of a machine's 64 cores sees all of them: 64 processes would take turns on two.

    Sources: sched_getaffinity(2); Linux documentation, "Control Group v2", ``cpu.max``, and "CFS Bandwidth Control",
    ``cpu.cfs_quota_us``.

    Args:
        cgroups: Where control groups are mounted.
        own: The file that names the group of this process.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min([allowed, *(math.ceil(limit) for limit in _limits(cgroups, own))]))


def _limits(cgroups: str, own: str) -> Iterator[float]:
    """Cores' worth of time, of the process's group and those above it."""
    for group in _groups(cgroups, own):
        quota, _, period = _read(f"{group}/cpu.max").partition(" ")
        quota, period = quota or _read(f"{group}/cpu.cfs_quota_us"), period or _read(f"{group}/cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):  # "max", or -1, is no limit
            yield int(quota) / int(period)


def _groups(cgroups: str, own: str) -> Iterator[str]:
    """Folders: in a container its own group is often the one that is mounted, whatever it is called."""
    yield from (cgroups, f"{cgroups}/cpu")
    for line in _read(own).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if ".." in path or (controllers and "cpu" not in controllers.split(",")):
            continue
        folder = f"{cgroups}/cpu" if controllers else cgroups
        for name in path.strip("/").split("/"):
            folder = f"{folder}/{name}"
            yield folder


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 - every command begins with this, and pathlib takes longer
            return file.read().strip()
    except (OSError, ValueError):
        return ""
