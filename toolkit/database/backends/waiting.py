"""How long is waited for a server that says nothing: one that is gone with its machine, or the way to it, and one that
is stopped.

Of the first the kernel learns when nothing it sends is acknowledged; of the second nobody does, for its kernel
answers: that takes a bound on how long answers take (``read_timeout_seconds``).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Generator
from typing import Any

KEEPALIVE_IDLE_SECONDS = 60
KEEPALIVE_INTERVAL_SECONDS = 15
KEEPALIVE_COUNT = 4
UNACKNOWLEDGED_SECONDS = 120
"""A machine that is gone is noticed within two minutes: Linux by itself takes two hours where nothing is sent, and a
quarter of an hour where something is. Source: tcp(7)."""

LIBPQ_OPTIONS = {
    "keepalives_idle": KEEPALIVE_IDLE_SECONDS,
    "keepalives_interval": KEEPALIVE_INTERVAL_SECONDS,
    "keepalives_count": KEEPALIVE_COUNT,
    "tcp_user_timeout": UNACKNOWLEDGED_SECONDS * 1000,
}
"""Source: PostgreSQL, "Parameter Key Words"."""

_SOCKET_OPTIONS = {
    "TCP_KEEPIDLE": KEEPALIVE_IDLE_SECONDS,
    "TCP_KEEPINTVL": KEEPALIVE_INTERVAL_SECONDS,
    "TCP_KEEPCNT": KEEPALIVE_COUNT,
    "TCP_USER_TIMEOUT": UNACKNOWLEDGED_SECONDS * 1000,
}
"""Not every system has each of them."""


def keep_alive(connected: socket.socket) -> None:
    """Let the kernel notice that the other end of a connection is gone."""
    if connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SOCKET_OPTIONS.items():
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def bounded(wait: Callable[..., Any], seconds: float, overdue: Callable[[], Exception]) -> Callable[..., Any]:
    """psycopg's ``Connection.wait``, for a server that has to say something within so many seconds.

    Args:
        wait: It.
        seconds: How long nothing may come.
        overdue: Ends the connection, which nobody can use any more, and gives what to raise.
    """

    def bounded_wait(steps: Generator[int, int, Any], *arguments: Any, **options: Any) -> Any:
        return wait(_steps_within(steps, seconds, overdue), *arguments, **options)

    return bounded_wait


def _steps_within(
    steps: Generator[int, int, Any], seconds: float, overdue: Callable[[], Exception]
) -> Generator[int, int, Any]:
    """The steps of an exchange; psycopg asks for the next when the server is ready, and from time to time."""
    try:
        wanted = next(steps)
        last = time.monotonic()
        while True:
            ready = yield wanted
            if ready:
                last = time.monotonic()
            elif time.monotonic() - last > seconds:
                raise overdue()
            wanted = steps.send(ready)
    except StopIteration as end:
        return end.value
