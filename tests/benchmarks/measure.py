"""Run a command and say what it took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run of a command took.

    Args:
        wall_seconds: From start to exit.
        cpu_seconds: User and system time of it and of all its children that it waited for.
        peak_bytes: Largest resident set of any one of these processes.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


class CommandFailed(Exception):
    """A measured command did not succeed, so its time says nothing."""


def measure(command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str]) -> Measurement:
    """Run a command to its end.

    Peak memory has a floor of this process's own size (about 20 MB): the kernel counts what a child was
    before it became its program.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environment: Added to this process's environment.

    Raises:
        CommandFailed: It exited with another status than 0; its output is in the message.
    """
    log_path = folder / "command.log"
    with log_path.open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = log_path.read_text(encoding="utf-8", errors="replace")[-4000:]
        raise CommandFailed(f"{command[0]} exited with {process.returncode} in {folder}:\n{tail}")
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes there, kilobytes on Linux
    return Measurement(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def keep_to_cores(cores: int) -> int:
    """Keep this process, and what it starts, to so many cores; return how many there are now."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    return len(os.sched_getaffinity(0))
