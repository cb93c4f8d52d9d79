"""What SQLite computes with too few digits, in Python: means of whole numbers, and lengths of time times a number."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

from toolkit.database.sqlguards import refuse

_DIGITS = Context(prec=15, rounding=ROUND_HALF_EVEN)
_LOW_BITS = 32


def _scaled_length(length: int | None, number: Any, how: str) -> int | None:
    """A length of time in microseconds times a number, or divided by it; NULL by zero.

    Args:
        length: The length.
        number: A whole number, a float, or a float that stands for a decimal number.
        how: ``*`` or ``/``; with a point behind it if the number is a decimal one.
    """
    if length is None or number is None or (number == 0 and how[0] == "/"):
        return None
    if number.__class__ is float and not how.endswith("."):
        return _within_64_bits(float(length) * number if how == "*" else float(length) / number)
    factor = Fraction(repr(number)) if number.__class__ is float else Fraction(number)
    return _within_64_bits(length * factor if how[0] == "*" else length / factor)


def _within_64_bits(number: Fraction | float) -> int:
    """A length of time, to the microsecond: Python rounds to the even one."""
    if not -(2**63) <= number < 2**63:
        refuse("a length of time out of range: it has more than 64 bits of microseconds")
    return round(number)


def _mean(how: str, high: Any, low: int | None, count: int | None) -> Any:
    """The mean of whole numbers.

    Args:
        how: ``float``, ``length``, or how many of their digits are behind the point.
        high: The sum of the numbers without their lower 32 bits; or all numbers, as a list in JSON.
        low: The sum of these bits.
        count: How many numbers there are.
    """
    if high is None:
        return None
    if low is None or count is None:
        listed = [number for number in json.loads(high) if number is not None]
        total, count = sum(listed), len(listed)
    else:
        total = (high << _LOW_BITS) + low
    if not count:
        return None
    if how == "float":
        return total / count
    if how == "length":
        return round(Fraction(total, count))
    return float(_DIGITS.divide(Decimal(total), count).scaleb(-int(how)))


MEANS: dict[str, tuple[int, Callable[..., Any]]] = {
    "toolkit_scaled_length": (3, _scaled_length),
    "toolkit_mean": (4, _mean),
}
"""Name to (number of arguments, function), for ``create_function``."""
