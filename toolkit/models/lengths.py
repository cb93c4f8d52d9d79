"""Lengths of time that are multiplied, divided and averaged: to the microsecond, and the same on every database.

By whole and by decimal numbers the result is exact, and what lies between two microseconds is rounded as Python rounds
a ``timedelta``: to the nearer one, and from the middle to the even one. By a float the length is a float meanwhile, of
53 bits, as in Python; the microsecond is found in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DIVIDED_PLACES = 30
"""Decimal places of a quotient: so many that one which is not in the middle never seems to be. Two numbers of 64 bits
come no closer to it than 1e-20."""


def scaled(dialect: str, operator: str, length: Any, number: Any, kind: Any) -> Any:
    """SQL of a length of time, multiplied or divided by a number; NULL by zero.

    Args:
        dialect: The dialect.
        operator: ``*`` or ``/``.
        length: SQL of the length.
        number: SQL of the number.
        kind: The number's Python type.
    """
    import sqlalchemy as sa

    if dialect == "sqlite":
        told: Any = sa.literal_column(f"'{operator}{'.' if kind is not float and kind is not int else ''}'")
        return sa.func.toolkit_scaled_length(length, number, told, type_=sa.BigInteger())
    size = microseconds(dialect, length)
    if kind is float:
        factor: Any = sa.cast(number, sa.Double())
        factor = sa.func.nullif(factor, sa.literal_column("0")) if operator == "/" else factor
        found: Any = sa.func.round(sa.cast(size, sa.Double()).op(operator, precedence=8)(factor))  # to the even one
        return length_of(dialect, sa.cast(found, sa.BigInteger()) if dialect == "postgresql" else found)
    if operator == "/":
        return length_of(dialect, quotient_to_even(dialect, size, number))
    return length_of(dialect, to_even(dialect, size.op("*", precedence=8)(number)))


def mean(dialect: str, sum_of: Callable[[Any], Any], length: Any, count: Any) -> Any:
    """SQL of the mean of lengths of time, on servers.

    Args:
        dialect: The dialect.
        sum_of: Makes the sum of an expression.
        length: SQL of each length.
        count: SQL of how many there are.
    """
    return length_of(dialect, quotient_to_even(dialect, sum_of(microseconds(dialect, length)), count))


def quotient_to_even(dialect: str, number: Any, divisor: Any) -> Any:
    """SQL of a quotient as a whole number; NULL by zero."""
    import sqlalchemy as sa

    wide = sa.cast(number, sa.Numeric(65, DIVIDED_PLACES))
    divisor = sa.func.nullif(divisor, sa.literal_column("0"))
    if dialect == "postgresql":
        divisor = sa.cast(divisor, sa.Numeric())
    return to_even(dialect, wide.op("/", precedence=8)(divisor))


def to_even(dialect: str, number: Any) -> Any:
    """SQL of the whole number that is nearest to a decimal one; from the middle to the even one."""
    import sqlalchemy as sa

    middle: Any = sa.func.mod(sa.func.abs(number), sa.literal_column("2")) == sa.literal_column("0.5")
    cut = sa.func.trunc(number) if dialect == "postgresql" else sa.func.truncate(number, sa.literal_column("0"))
    return sa.case((middle, cut), else_=sa.func.round(number))


def microseconds(dialect: str, length: Any) -> Any:
    """SQL of a length of time as a number: in PostgreSQL's own type the seconds are a decimal one."""
    import sqlalchemy as sa

    if dialect != "postgresql":
        return sa.type_coerce(length, sa.BigInteger())
    return sa.type_coerce(sa.extract("epoch", length), sa.Numeric()).op("*", precedence=8)(sa.literal_column("1000000"))


def length_of(dialect: str, number: Any) -> Any:
    """SQL of a length of time from microseconds; on PostgreSQL an error beyond 64 bits of them.

    Its interval times a number is computed as a float, so days and what is less than one are made each by itself.
    """
    import sqlalchemy as sa

    if dialect != "postgresql":
        return sa.type_coerce(number, sa.BigInteger())  # MariaDB's cast would cut it at 64 bits
    whole: Any = sa.cast(number, sa.BigInteger())
    day: Any = sa.literal_column("86400000000")
    days = whole.op("/", precedence=8)(day).op("*", precedence=8)(sa.literal_column("interval '1 day'"))
    rest = whole.op("%", precedence=8)(day).op("*", precedence=8)(sa.literal_column("interval '1 microsecond'"))
    return sa.type_coerce(days.op("+", precedence=7)(rest).self_group(), sa.Interval())
