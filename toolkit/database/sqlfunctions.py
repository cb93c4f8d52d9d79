"""SQL functions that SQLite lacks, written in Python: they give what the servers give.

All are deterministic, so that SQLite may use them in indexes and generated columns, and all give NULL for NULL.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000


def register(connection: sqlite3.Connection) -> None:
    """Give a connection all of them."""
    for name, (count, function) in FUNCTIONS.items():
        connection.create_function(name, count, function, deterministic=True)


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL if any argument is NULL, or where the function has no value."""

    def call(*arguments: Any) -> Any:
        if None in arguments:
            return None
        try:
            found = function(*arguments)
        except (ValueError, ZeroDivisionError):
            return None
        return found if not isinstance(found, complex) else None

    return call


def _power(base: float, exponent: float) -> Any:
    return float(base) ** float(exponent)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _instant_add(text: str, microseconds: int) -> str:
    return (_instant(text) + timedelta(microseconds=microseconds)).astimezone(UTC).isoformat(" ")


def _difference(left: str, right: str) -> int:
    return (_instant(left) - _instant(right)) // MICROSECOND


def _clock(text: str) -> int:
    found = time.fromisoformat(text)
    return ((found.hour * 60 + found.minute) * 60 + found.second) * 1_000_000 + found.microsecond


def _time_add(text: str, microseconds: int) -> str:
    turned = (_clock(text) + microseconds) % _DAY
    return (datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=turned)).time().isoformat()


def _time_difference(left: str, right: str) -> int:
    return _clock(left) - _clock(right)


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    name: (count, _strict(function))
    for name, count, function in (
        ("toolkit_mod", 2, math.fmod),
        ("toolkit_power", 2, _power),
        ("toolkit_instant_add", 2, _instant_add),
        ("toolkit_difference", 2, _difference),
        ("toolkit_time_add", 2, _time_add),
        ("toolkit_time_difference", 2, _time_difference),
    )
}
