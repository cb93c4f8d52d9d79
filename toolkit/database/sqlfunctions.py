"""SQL functions that SQLite lacks, written in Python: they give what the servers give.

All are deterministic, so that SQLite may use them in indexes and generated columns, and all give NULL for NULL.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import operator
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any, ClassVar

from toolkit.database.sqldates import DATES
from toolkit.database.sqlguards import TOO_LARGE, refuse
from toolkit.database.sqlmeans import MEANS

MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000


def register(connection: sqlite3.Connection) -> None:
    """Give a connection all of them."""
    for name, (count, function) in (FUNCTIONS | MEANS).items():
        connection.create_function(name, count, function, deterministic=True)
    for name, kind in WINDOWS.items():
        connection.create_window_function(name, 1, kind)
    for name, kind in LISTINGS.items():
        connection.create_aggregate(name, -1, kind)


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL if any argument is NULL, or where the function has no value."""

    def call(*arguments: Any) -> Any:
        if None in arguments:
            return None
        try:
            found = function(*arguments)
        except (ValueError, ZeroDivisionError, OverflowError):
            return None
        if isinstance(found, complex) or (isinstance(found, float) and not math.isfinite(found)):
            return None
        return found

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


_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)


def _round(number: float, places: int) -> float:
    """Half away from zero, of the shortest decimal digits that are the number."""
    found = Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), context=_EXACT)
    return int(found) if isinstance(number, int) else float(found)


def _right(text: str, count: int) -> str:
    return text[-count:] if count > 0 else ""


LONGEST = 100_000_000
"""Characters of a text that is made here: of more than a gigabyte SQLite says that it is too large once it is there."""


def _bounded(count: int) -> int:
    if count > LONGEST:
        refuse(f"a text too long: {count} characters; at most {LONGEST} are made here")
    return count


def _repeat(text: str, count: int) -> str:
    _bounded(len(text) * count)
    return text * count


def _pad(text: str, count: int, fill: str) -> str:
    """What is missing to so many characters."""
    missing = _bounded(max(0, count - len(text)))
    return (fill * (missing // len(fill) + 1))[:missing] if fill else ""


def _hash(name: str) -> Callable[[str], str]:
    def call(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    return call


def _character(number: int) -> str | None:
    return None if number < 1 or 0xD800 <= number < 0xE000 else chr(number)


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    name: (count, _strict(function))
    for name, count, function in (
        ("toolkit_mod", 2, math.fmod),
        ("toolkit_power", 2, _power),
        ("toolkit_instant_add", 2, _instant_add),
        ("toolkit_difference", 2, _difference),
        ("toolkit_time_add", 2, _time_add),
        ("toolkit_time_difference", 2, _time_difference),
        ("toolkit_round", 2, _round),
        ("toolkit_ceil", 1, lambda number: float(math.ceil(number))),
        ("toolkit_floor", 1, lambda number: float(math.floor(number))),
        ("toolkit_cot", 1, lambda number: 1 / math.tan(number)),
        ("toolkit_log", 2, lambda base, number: math.log(number) / math.log(base)),
        ("toolkit_ln", 1, math.log),
        ("toolkit_atan2", 2, math.atan2),
        *((f"toolkit_{name}", 1, getattr(math, name)) for name in ("sqrt", "exp", "sin", "cos", "tan", "asin")),
        *((f"toolkit_{name}", 1, getattr(math, name)) for name in ("acos", "atan", "degrees", "radians")),
        ("toolkit_lower", 1, str.lower),
        ("toolkit_upper", 1, str.upper),
        ("toolkit_reverse", 1, lambda text: text[::-1]),
        ("toolkit_repeat", 2, _repeat),
        ("toolkit_right", 2, _right),
        ("toolkit_lpad", 3, lambda text, count, fill: _pad(text, count, fill) + text[:count]),
        ("toolkit_rpad", 3, lambda text, count, fill: text[:count] + _pad(text, count, fill)),
        ("toolkit_chr", 1, _character),
        *((f"toolkit_{name}", 1, _hash(name)) for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")),
        *((name, count, function) for name, (count, function) in DATES.items()),
    )
}


class Window:
    """An aggregate of numbers that may look at a window, fed with a row at a time."""

    def __init__(self) -> None:
        self.numbers: deque[Any] = deque()

    def step(self, number: Any) -> None:
        """One more row."""
        if number is not None:
            self.numbers.append(number)

    def inverse(self, number: Any) -> None:
        """The first of the rows lies behind."""
        if number is not None:
            self.numbers.popleft()

    def value(self) -> Any:
        """The result so far."""
        raise NotImplementedError

    def finalize(self) -> Any:
        """The result."""
        return self.value()


class Variance(Window):
    """The variance; NULL of too few rows."""

    missing: ClassVar[int] = 0
    root: ClassVar[bool] = False

    def value(self) -> float | None:
        """The result so far."""
        if len(self.numbers) <= self.missing:
            return None
        try:
            found = self._squares() / (len(self.numbers) - self.missing)
        except OverflowError:  # which SQLite would tell of as a text that is too big
            refuse(TOO_LARGE)
        return math.sqrt(found) if self.root else float(found)

    def _squares(self) -> float | Fraction:
        """The squares of the distances from the mean, added up: of whole numbers exactly."""
        numbers, count = self.numbers, len(self.numbers)
        if all(number.__class__ is int for number in numbers):
            return Fraction(count * sum(number * number for number in numbers) - sum(numbers) ** 2, count)
        mean = math.fsum(numbers) / count
        return math.fsum((number - mean) ** 2 for number in numbers)


class SampleVariance(Variance):
    """That of the whole, of which the rows are a sample."""

    missing = 1


class Deviation(Variance):
    """The standard deviation."""

    root = True


class SampleDeviation(SampleVariance):
    """That of the whole, of which the rows are a sample."""

    root = True


class _Bits(Window):
    operate: ClassVar[Callable[[int, int], int]]

    def value(self) -> int | None:
        return functools.reduce(type(self).operate, self.numbers) if self.numbers else None


class BitAnd(_Bits):
    """The bits that all have."""

    operate = operator.and_


class BitOr(_Bits):
    """The bits that any has."""

    operate = operator.or_


class BitXor(_Bits):
    """The bits that an odd number of them has."""

    operate = operator.xor


class Listing:
    """Values in an order of their own; SQLite's ``group_concat`` has none before 3.44."""

    def __init__(self) -> None:
        self.rows: list[tuple[tuple[Any, ...], Any]] = []
        self.plan = ""

    def add(self, plan: str, value: Any, keys: Sequence[Any]) -> None:
        """One more value.

        Args:
            plan: ``d`` if each value counts once; then ``+`` or ``-`` for each key.
            value: The value.
            keys: What it is ordered by.
        """
        self.plan = plan
        self.rows.append((tuple(keys), value))

    def listed(self) -> list[Any]:
        """All values, in their order."""
        directions = self.plan.removeprefix("d")
        for place in reversed(range(len(directions))):
            self.rows.sort(key=lambda row: _rank(row[0][place]), reverse=directions[place] == "-")
        values = [value for _, value in self.rows]
        if not self.plan.startswith("d"):
            return values
        return [value for place, value in enumerate(values) if place == 0 or value != values[place - 1]]


def _rank(value: Any) -> tuple[int, Any]:
    """As SQLite orders: NULL, numbers, text by code point, bytes."""
    kinds = {type(None): 0, int: 1, float: 1, str: 2}
    return kinds.get(type(value), 3), 0 if value is None else value


class StringListing(Listing):
    """``toolkit_string_agg(plan, delimiter, text, keys...)``."""

    delimiter = ""

    def step(self, plan: str, delimiter: str, text: Any, *keys: Any) -> None:
        """One more row."""
        self.delimiter = delimiter
        if text is not None:
            self.add(plan, text, keys)

    def finalize(self) -> str | None:
        """The texts, joined; NULL of none."""
        return self.delimiter.join(self.listed()) if self.rows else None


class JSONListing(Listing):
    """``toolkit_json_agg(plan, is_json, value, keys...)``."""

    def step(self, plan: str, is_json: int, value: Any, *keys: Any) -> None:
        """One more row."""
        self.add(plan, value if is_json and value is not None else json.dumps(value, ensure_ascii=False), keys)

    def finalize(self) -> str | None:
        """A list as JSON; NULL of none."""
        return f"[{','.join(self.listed())}]" if self.rows else None


WINDOWS: dict[str, Any] = {
    "toolkit_var_pop": Variance,
    "toolkit_var_samp": SampleVariance,
    "toolkit_stddev_pop": Deviation,
    "toolkit_stddev_samp": SampleDeviation,
    "toolkit_bit_and": BitAnd,
    "toolkit_bit_or": BitOr,
    "toolkit_bit_xor": BitXor,
}
"""Aggregates that may look at a window."""

LISTINGS: dict[str, Any] = {"toolkit_string_agg": StringListing, "toolkit_json_agg": JSONListing}
"""Aggregates with an order."""
