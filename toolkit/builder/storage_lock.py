"""One build of a place in a storage at a time, on all machines: a small object that says who works, and since when.

It is made only if it is not there. One that nobody renewed for ten minutes is that of a build which died. It is taken
over by whoever makes a second such object, named after what the first one said: of several who try, one succeeds, and
looks again before it writes its own. Whoever renews a lock reads it first, and stops if it is another's by then.

How sure that is depends on the storage. S3 (``If-None-Match``, since 2024), Google Cloud, Azure and folders refuse to
make an object twice: there one build at a time is certain, but for one case. A build that was silent for ten minutes,
and goes on in the very moment in which it is taken for dead, may write over its successor's lock; the successor waits
after it took over, reads, and gives way. Where a storage makes an object twice, as some that speak S3 do, two
builds that begin within the same moment are told apart by that look back as well, unless one of them takes longer than
``SETTLE_SECONDS`` to write.
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from toolkit.errors import BuildError
from toolkit.trace import digest

LOCK_SECONDS = 600
"""A lock that nobody renewed for so long is that of a build which died."""

SETTLE_SECONDS = 1.0
"""How long after a take-over the lock is looked at again."""


@dataclass(frozen=True)
class Holder:
    """What a lock says.

    Args:
        seen: When its build was last at work, ISO 8601.
        who: Machine, process and a token of the build.
    """

    seen: str
    who: str

    @property
    def is_alive(self) -> bool:
        """Whether it was renewed in time."""
        try:
            return datetime.now(UTC) - datetime.fromisoformat(self.seen) < timedelta(seconds=LOCK_SECONDS)
        except ValueError:
            return False

    def encode(self) -> bytes:
        """As it is kept."""
        return f"{self.seen} {self.who}".encode()


class StorageLock:
    """The lock of one build.

    Args:
        system: The file system, as fsspec has it.
        url: The place that is built to; the lock is beside it.
    """

    def __init__(self, system: Any, url: str) -> None:
        self.system = system
        self.url = url
        self.path = f"{url}.lock"
        self.who = f"{platform.node()}, process {os.getpid()}, build {secrets.token_hex(8)}"

    def take(self) -> None:
        """Take it.

        Raises:
            BuildError: Another build holds it.
        """
        self._take(self.path)

    def renew(self) -> None:
        """Say that the build is still at work.

        Raises:
            BuildError: Another build took the lock, because this one did not renew it in time.
        """
        holder = self._read(self.path)
        if holder is None or holder.who != self.who:
            by = f" by {holder.who}" if holder else ""
            raise BuildError(
                f"the lock of this build of {self.url} was taken{by}: it was silent for too long", hint="Build again."
            )
        self._write(self.path)

    def release(self) -> None:
        """Let go of it, if it is still ours."""
        holder = self._read(self.path)
        if holder is not None and holder.who == self.who:
            self._remove(self.path)

    def _take(self, path: str) -> None:
        holder = self._read(path)
        if holder is None:
            self._create(path)
        elif holder.is_alive:
            raise self._refused(holder)
        else:
            self._take_over(path, holder)

    def _create(self, path: str) -> None:
        self.system.invalidate_cache()
        try:
            self.system.pipe_file(path, self._said(), mode="create")
        except FileExistsError:
            raise self._refused(self._read(path)) from None
        self._look_back(path)

    def _take_over(self, path: str, old: Holder) -> None:
        marker = f"{path}.{digest(old.encode()).hex()}"
        self._take(marker)
        try:
            found = self._read(path)
            if found != old:
                raise self._refused(found)
            self._write(path)
            time.sleep(SETTLE_SECONDS)
            self._look_back(path)
        finally:
            self._remove(marker)

    def _look_back(self, path: str) -> None:
        """Give way to whoever wrote later."""
        found = self._read(path)
        if found is None or found.who != self.who:
            raise self._refused(found)

    def _refused(self, holder: Holder | None) -> BuildError:
        if holder is None:  # let go of in this very moment
            return BuildError(f"another build of {self.url} was just running", hint="Build again.")
        return BuildError(
            f"another build of {self.url} is running on {holder.who}, seen at {holder.seen}",
            hint=f"Wait for it. The lock of one that died ends by itself in {LOCK_SECONDS // 60} minutes.",
        )

    def _said(self) -> bytes:
        return Holder(datetime.now(UTC).isoformat(timespec="seconds"), self.who).encode()

    def _read(self, path: str) -> Holder | None:
        try:
            seen, _, who = self.system.cat_file(path).decode(errors="replace").partition(" ")
        except FileNotFoundError:
            return None
        return Holder(seen, who)

    def _write(self, path: str) -> None:
        self.system.pipe_file(path, self._said())

    def _remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self.system.rm_file(path)
