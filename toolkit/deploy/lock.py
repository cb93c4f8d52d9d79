"""One deploy of a target at a time: a lock kept at the target, which expires unless its holder renews it.

The lock is a small file that is made only if it is not there. One that has expired is taken over by whoever makes a
second such file, named after the holder of the first: of two who try, one succeeds. The holder looks at the lock
whenever it renews it, and stops if it is another's by then.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from toolkit.deploy.targets.base import STATE, Target
from toolkit.errors import DeployError, TargetLocked

LOCK = f"{STATE}/lock"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Args:
        id: One deploy.
        who: User and machine, for people.
        process: The machine's boot, the space of process numbers and the process; empty where this cannot be told.
        until: When it expires, ISO 8601.
        marker: The file by which it was taken over, if it was; who takes it over in turn clears it away.
    """

    id: str
    who: str
    process: str
    until: str
    marker: str = ""

    @property
    def has_expired(self) -> bool:
        """Whether nobody renewed it in time, or its process is gone from this machine."""
        if datetime.fromisoformat(self.until) < datetime.now(UTC):
            return True
        here, _, pid = _this_process().rpartition(":")
        there, _, other = self.process.rpartition(":")
        return bool(here) and here == there and other != pid and not Path(f"/proc/{other}").exists()


class TargetLock:
    """Held while the block runs.

    Args:
        target: The place.
        seconds: How long it holds without being renewed.

    Raises:
        TargetLocked: Another deploy holds it.
    """

    def __init__(self, target: Target, *, seconds: int) -> None:
        self.target = target
        self.seconds = seconds
        self.id = secrets.token_hex(8)
        self._lost = ""
        self._ended = threading.Event()
        self._renewer: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self.target.needs_lock:
            self._acquire(LOCK)
            self._renewer = threading.Thread(target=self._renew_until_ended, name="deploy-lock", daemon=True)
            self._renewer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._renewer is None:
            return
        self._ended.set()
        self._renewer.join()
        with suppress(OSError):
            holder = self._holder(LOCK)
            if holder is not None and holder.id == self.id:
                self.target.remove(LOCK)

    def check(self) -> None:
        """Stop where the lock was lost.

        Raises:
            TargetLocked: Another deploy took it, because this one did not renew it in time.
        """
        if self._lost:
            raise TargetLocked(self._lost, hint="Deploy again when the other one is done.")

    def _acquire(self, path: str) -> None:
        if self.target.create(path, self._body()):
            return
        holder = self._holder(path)
        if holder is None:  # let go of in this very moment
            if not self.target.create(path, self._body()):
                raise TargetLocked(f"another deploy to {self.target.name} has begun", hint="Wait for it.")
            return
        if not holder.has_expired:
            raise TargetLocked(
                f"another deploy to {self.target.name} is under way, by {holder.who}; its lock holds until "
                f"{holder.until}",
                hint="Wait for it. If it was ended from outside, its lock expires by itself.",
            )
        self._take_over(path, holder)

    def _take_over(self, path: str, old: Holder) -> None:
        marker = f"{path}.{old.id}"
        self._acquire(marker)
        try:
            found = self._holder(path)
            if found is None or found.id != old.id:
                raise TargetLocked(f"another deploy to {self.target.name} has begun", hint="Wait for it.")
            if old.marker:
                self.target.remove(old.marker)
            self.target.put(path, self._body(marker), {})
        finally:
            self.target.remove(marker)

    def _holder(self, path: str) -> Holder | None:
        body = self.target.read(path)
        if body is None:
            return None
        try:
            return Holder(**json.loads(body))
        except (ValueError, TypeError) as error:
            raise DeployError(
                f"the lock {path} at {self.target.name} cannot be read", hint="Remove it by hand if no deploy runs."
            ) from error

    def _body(self, marker: str = "") -> bytes:
        until = datetime.now(UTC) + timedelta(seconds=self.seconds)
        who = f"{_user()} on {socket.gethostname()}"
        holder = Holder(self.id, who, _this_process(), until.isoformat(timespec="milliseconds"), marker)
        return json.dumps(asdict(holder)).encode()

    def _renew_until_ended(self) -> None:
        failing_since = datetime.now(UTC)
        while not self._ended.wait(self.seconds / 3):
            try:
                holder = self._holder(LOCK)
                if holder is None or holder.id != self.id:
                    self._lost = f"the lock of this deploy to {self.target.name} was taken by another"
                    return
                self.target.put(LOCK, self._body(), {})
                failing_since = datetime.now(UTC)
            except (OSError, DeployError) as error:
                if (datetime.now(UTC) - failing_since).total_seconds() > self.seconds * 2 / 3:
                    self._lost = f"the lock of this deploy to {self.target.name} could not be renewed: {error}"
                    return


def break_lock(target: Target) -> bool:
    """Remove the lock of a deploy that is known to be over. Whether there was one."""
    there = target.read(LOCK) is not None
    target.remove(LOCK)
    return there


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a number without a name, as in some containers
        return "somebody"


def _this_process() -> str:
    """Stands for this process among all of the world's, where Linux tells."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').readlink()}:{os.getpid()}"
    except OSError:
        return ""
