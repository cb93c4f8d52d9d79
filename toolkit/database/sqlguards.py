"""Functions through which SQLite refuses what servers refuse: numbers, text and instants that a column cannot hold.

SQLite tells of an error in a function that there was one, and no more; what it was is kept for the thread that asked.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from math import isinf
from typing import Any, NoReturn

TOO_LARGE = "a number out of range: it is larger than a float can be"

_EXACT = Context(prec=400)
_failure = threading.local()


def register(connection: sqlite3.Connection) -> None:
    """Give a connection all of them."""
    for name, (count, function) in GUARDS.items():
        connection.create_function(name, count, function, deterministic=True)


def take_failure() -> str:
    """What a guard refused last in this thread; empty if none did since this was asked."""
    told: str = getattr(_failure, "told", "")
    _failure.told = ""
    return told


class Refused(Exception):
    """A function refuses: no ValueError, which says that it has no value."""


def refuse(told: str) -> NoReturn:
    """End the statement with an error that says this."""
    _failure.told = told
    raise Refused(told)


def _whole(number: Any) -> Any:
    """A whole number, of which SQLite makes a float beyond 64 bits."""
    if number.__class__ is float:
        refuse(f"a whole number out of range: about {number:.5g}, and there are 64 bits")
    return number


def _finite(number: Any) -> Any:
    """A number that a float can be: SQLite goes on with infinity."""
    if number.__class__ is float and isinf(number):
        refuse(TOO_LARGE)
    return number


def _length(number: Any) -> Any:
    """A length of time in microseconds, of which SQLite makes a float beyond 64 bits."""
    if number.__class__ is float:
        refuse("a length of time out of range: it has more than 64 bits of microseconds")
    return number


def _microseconds(number: Any) -> Any:
    """A length of time that was computed as a float, without a fraction of a microsecond."""
    if number is not None and not -(2.0**63) < number < 2.0**63:
        refuse("a length of time out of range: it has more than 64 bits of microseconds")
    return None if number is None else int(number)


def _kept_whole(number: Any, low: int, high: int, name: str) -> Any:
    """A whole number for a column that is smaller than SQLite's are."""
    if number.__class__ in (int, float) and not low <= number <= high:
        refuse(f"a whole number out of range for {name}: {number} ({low} to {high})")
    return number


def _kept_text(text: Any, longest: int, name: str) -> Any:
    """Text for a column of so many characters."""
    if text.__class__ is str and len(text) > longest:
        refuse(f"a value too long for {name}: it has {len(text)} characters; at most {longest} are allowed")
    return text


def _kept_decimal(number: Any, digits: int, places: int, name: str) -> Any:
    """A decimal number for a column of so many digits, so many of them behind the point."""
    if number is not None and abs(number) >= 10 ** (digits - places):
        refuse(f"a number out of range for {name}: {number} (max_digits={digits}, decimal_places={places})")
    return number


def _kept_instant(text: str | None, microseconds: int | None, name: str) -> str | None:
    """An instant so much later, for a column: there is none beyond the years 1 to 9999."""
    if text is None or microseconds is None:
        return None
    found = datetime.fromisoformat(text)
    try:
        later = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)) + timedelta(
            microseconds=microseconds
        )
    except OverflowError:
        refuse(f"an instant out of range for {name}: there are the years 1 to 9999")
    return later.astimezone(UTC).isoformat(" ")


def _decimal(scaled: int | None, places: int | None) -> float | None:
    """A decimal number from its digits, if a float holds all of them."""
    if scaled is None or places is None:
        return None
    number = Decimal(scaled).scaleb(-places, _EXACT)
    if Decimal(repr(float(number))) != number:
        refuse(f"a sum of decimal numbers has more digits than SQLite keeps exactly: {number}")
    return float(number)


GUARDS: dict[str, tuple[int, Callable[..., Any]]] = {
    "toolkit_whole": (1, _whole),
    "toolkit_finite": (1, _finite),
    "toolkit_length": (1, _length),
    "toolkit_microseconds": (1, _microseconds),
    "toolkit_kept_whole": (4, _kept_whole),
    "toolkit_kept_text": (3, _kept_text),
    "toolkit_kept_decimal": (4, _kept_decimal),
    "toolkit_kept_instant": (3, _kept_instant),
    "toolkit_decimal": (2, _decimal),
}
