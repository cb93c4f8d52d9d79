"""Locks that a fork waits for: the copy of a process has no other thread that could let go of them.

Source: Python, ``os.register_at_fork``; POSIX, "pthread_atfork", rationale.
"""

from __future__ import annotations

import os
import threading
from typing import Any
from weakref import WeakSet

_LOCKS: WeakSet[Any] = WeakSet()
_noting = threading.Lock()
_held: list[Any] = []
"""What the thread that forks holds; one forks at a time."""


def lock_for_forks() -> Any:
    """A reentrant lock that nobody but the thread that forks holds when the process is copied."""
    lock = threading.RLock()
    with _noting:
        _LOCKS.add(lock)
    return lock


def _hold() -> None:
    _noting.acquire()
    _held[:] = _LOCKS
    for lock in _held:
        lock.acquire()


def _let_go() -> None:
    for lock in _held:
        lock.release()
    _held.clear()
    _noting.release()


if hasattr(os, "register_at_fork"):  # where there are forks at all
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_let_go)
