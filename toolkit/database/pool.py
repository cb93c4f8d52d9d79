"""The open connections of one process to one database: which thread holds which, and how many there may be."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from toolkit.errors import DatabaseError, DatabaseUnavailable

SWEEP_SECONDS = 0.5
"""How often somebody who waits looks for threads that ended without giving their connection back."""


class Bounds(NamedTuple):
    """How many connections there may be, for how long, and how long one waits. Set in the URL:
    ``?pool_size=10&max_age_seconds=600``.

    Args:
        pool_size: Connections that one process may have open; None for one a thread.
        pool_timeout_seconds: How long a thread waits for one.
        max_age_seconds: How long one is used; None for as long as it lives.
        read_timeout_seconds: How long a server may say nothing while it is asked; None for as long as it likes.
    """

    pool_size: int | None = None
    pool_timeout_seconds: float = 30
    max_age_seconds: float | None = None
    read_timeout_seconds: float | None = None


def take_bounds(url: str, default: Bounds) -> tuple[Bounds, str]:
    """The bounds that a URL's query sets, and the URL without them, for the driver.

    Raises:
        DatabaseError: A bound is no number, or makes no sense.
    """
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    found = {name: _number(name, text) for name, text in pairs if name in Bounds._fields}
    if not found:
        return default, url
    query = urlencode([pair for pair in pairs if pair[0] not in found])
    head = url.partition("?")[0]
    return default._replace(**found), f"{head}?{query}" if query else head


def _number(name: str, text: str) -> Any:
    kind: type[int] | type[float] = int if name == "pool_size" else float
    try:
        number = kind(text)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise DatabaseError(
            f"{name}={text} in the database's URL is no {'whole ' if kind is int else ''}number above 0",
            hint=f"Write it like {name}=10.",
        )
    return number


class Held(msgspec.Struct, eq=False):
    """An open connection."""

    connection: Any
    opened: float
    thread: threading.Thread | None


class Pool:
    """Connections of one process.

    Args:
        connect: Opens one.
        is_alive: Whether one can still be used.
        bounds: How many, and for how long.
        title: The database's, for messages.

    Attributes:
        pid: The process. A fork has nothing here to use: its connections are the parent's.
    """

    def __init__(self, connect: Callable[[], Any], is_alive: Callable[[Any], bool], bounds: Bounds, title: str) -> None:
        self.pid = os.getpid()
        self._connect, self._is_alive, self._bounds, self._title = connect, is_alive, bounds, title
        self._changed = threading.Condition()
        self._idle: list[Held] = []
        self._held: dict[int, Held] = {}
        self._opening = 0

    def __len__(self) -> int:
        """The connections that are open."""
        return len(self._idle) + len(self._held)

    def take(self) -> Any:
        """A connection for this thread: one that was given back, or a new one if there may be more.

        Raises:
            DatabaseUnavailable: None became free in time, or a new one cannot be opened.
        """
        found = self._wait()
        if found is not None:
            return found.connection
        try:
            connection = self._connect()
        except BaseException:
            with self._changed:
                self._opening -= 1
                self._changed.notify()
            raise
        with self._changed:
            self._opening -= 1
            self._held[id(connection)] = Held(connection, time.monotonic(), threading.current_thread())
        return connection

    def _wait(self) -> Held | None:
        """One that was given back; None for leave to open another."""
        patience = self._bounds.pool_timeout_seconds
        deadline = time.monotonic() + patience
        with self._changed:
            while True:
                self._sweep()
                while self._idle:
                    held = self._idle.pop()
                    if not self._is_old(held) and self._is_alive(held.connection):
                        held.thread = threading.current_thread()
                        self._held[id(held.connection)] = held
                        return held
                    _end(held)
                size = self._bounds.pool_size
                if size is None or len(self._held) + self._opening < size:
                    self._opening += 1
                    return None
                if time.monotonic() >= deadline:
                    raise DatabaseUnavailable(
                        f"all {size} connections to {self._title} have been in use for {patience:g} seconds",
                        hint="Raise pool_size in the database's URL, or let threads give theirs back: "
                        "database.release().",
                    )
                self._changed.wait(min(SWEEP_SECONDS, max(0, deadline - time.monotonic())))

    def _sweep(self) -> None:
        """End the connections of threads that are gone: one may be in the middle of something."""
        gone = [held for held in self._held.values() if held.thread is not None and not held.thread.is_alive()]
        for held in gone:
            del self._held[id(held.connection)]
            _end(held)

    def _is_old(self, held: Held) -> bool:
        age = self._bounds.max_age_seconds
        return age is not None and time.monotonic() - held.opened > age

    def give_back(self, connection: Any) -> None:
        """Let another thread have a connection, which is in no transaction."""
        with self._changed:
            held = self._held.pop(id(connection), None)
            if held is None:
                return
            held.thread = None
            if self._is_old(held):
                _end(held)
            else:
                self._idle.append(held)
            self._changed.notify()

    def discard(self, connection: Any) -> None:
        """Close a connection of this thread."""
        with self._changed:
            held = self._held.pop(id(connection), None)
            self._changed.notify()
        _end(held or Held(connection, 0, None))

    def is_old(self, connection: Any) -> bool:
        """Whether a connection of this thread has been open for longer than it may."""
        held = self._held.get(id(connection))
        return held is not None and self._is_old(held)

    def close_all(self) -> None:
        """Close every connection, those of other threads too."""
        with self._changed:
            every = [*self._idle, *self._held.values()]
            self._idle, self._held = [], {}
            self._changed.notify_all()
        for held in every:
            _end(held)


def _end(held: Held) -> None:
    with suppress(Exception):  # it may be of a server that is gone
        held.connection.close()
