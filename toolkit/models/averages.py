"""Means, and how far numbers lie apart, so that no digit is lost on any database.

- A mean is a sum by a count, of as many digits as it takes: MariaDB's own stops four decimal places behind those of the
  numbers, and SQLite's sum goes no further than 64 bits.
- Squares of distances are those of whole and of decimal numbers until the result becomes a float: as floats, numbers
  that lie close together are all one.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from toolkit.models.aggregating import FLOAT, MOST, Place, in_units, mysql_finite, refuse_other, sum_of, summed_kind
from toolkit.models.arithmetic import divided
from toolkit.models.guards import finite
from toolkit.models.lengths import mean
from toolkit.models.outputs import AnyDecimal, Typed, decimal_places, kind_of, like

WIDE = {"mysql": (65, 30), "postgresql": (65, 30)}
"""Dialects in which a sum is taken with so many digits, and so many of them behind the point, before it is divided.
Oracle and SQL Server have 38 digits in all: there the database's own mean is taken."""


def avg_of(place: Place, column: Any) -> Typed:
    """A sum by a count."""
    field = place.field
    kind, places = summed_kind("Avg", field), decimal_places(field)
    own = kind is timedelta or kind is not kind_of(field)  # a mean of money is money, of its field's places
    read_by: Any = like(field) if own else AnyDecimal() if kind is Decimal else FLOAT
    if place.dialect in WIDE:
        return _wide_mean(place, column, kind), read_by
    if place.dialect == "sqlite" and (kind in (int, timedelta) or (kind is Decimal and places is not None)):
        how = "length" if kind is timedelta else str(places) if kind is Decimal else "float"
        return _sqlite_mean(place, column if kind is not Decimal else in_units(column, places), how, read_by), read_by
    return _own_mean(place, column, kind), read_by


def _wide_mean(place: Place, column: Any, kind: Any) -> Any:
    import sqlalchemy as sa

    def total(expression: Any) -> Any:
        return place.call(sa.func.sum(place.each(expression)))

    count = place.call(sa.func.count(place.each(column)))
    if kind is timedelta:
        return mean(place.dialect, total, column, count)
    if kind is float:  # PostgreSQL's own squares the distances too, beyond what a float is
        return divided(place.dialect, sum_of(place, column)[0], count, float)[0]
    found = divided(place.dialect, sa.cast(total(column), sa.Numeric(*WIDE[place.dialect])), count, Decimal)[0]
    return found if kind is Decimal else sa.cast(found, sa.Double())


def _own_mean(place: Place, column: Any, kind: Any) -> Any:
    import sqlalchemy as sa

    if kind is Decimal:
        count = place.call(sa.func.count(place.each(column)))
        return divided(place.dialect, sum_of(place, column)[0], count, Decimal)[0]
    if place.dialect == "mssql":  # its mean of whole numbers is a whole number
        column = sa.cast(column, sa.Double())
    found = place.call(sa.func.avg(place.each(column)))
    if kind is timedelta:
        return sa.cast(sa.func.round(found), sa.BigInteger())
    return finite(found) if place.dialect == "sqlite" else sa.cast(found, sa.Double())


def _sqlite_mean(place: Place, column: Any, how: str, read_by: Any) -> Any:
    """The mean of whole numbers. Their sum may be of more than 64 bits, so it is made in two parts."""
    import sqlalchemy as sa

    told: Any = sa.literal_column(f"'{how}'")
    null: Any = sa.null()
    if place.distinct:
        listed = place.call(sa.func.json_group_array(column.distinct()))
        return sa.func.toolkit_mean(told, listed, null, null, type_=read_by.sql_type())
    bits: Any = sa.literal_column("32")
    low: Any = sa.literal_column("4294967295")
    parts = [column.op(">>", precedence=6)(bits), column.op("&", precedence=6)(low)]
    sums = [place.call(sa.func.sum(part)) for part in parts]
    count = place.call(sa.func.count(column))
    return sa.func.toolkit_mean(told, *sums, count, type_=read_by.sql_type())


def spread_of(place: Place, column: Any, name: str, function: str) -> Typed:
    """How far numbers lie apart: of whole and of decimal numbers exactly, until the result becomes a float."""
    import sqlalchemy as sa

    refuse_other(name, place.field, (int, float, Decimal), "numbers")
    kind, places = kind_of(place.field), decimal_places(place.field)
    is_exact = kind in (int, Decimal) and places is not None
    called = f"{function}_{'samp' if place.options[0] else 'pop'}"
    if place.dialect == "mysql" and is_exact:
        return _mysql_spread(place, column, root=function == "stddev"), FLOAT
    if place.dialect == "sqlite" and kind is Decimal and is_exact:
        step: Any = sa.literal_column(f"1e{places if function == 'stddev' else 2 * (places or 0)}")
        found = place.call(getattr(sa.func, f"toolkit_{called}")(in_units(column, places), type_=sa.Double()))
        return sa.type_coerce(found.op("/", precedence=8)(step), sa.Double()), FLOAT
    number = column if is_exact else sa.cast(column, sa.Double())
    if place.dialect == "sqlite":
        return place.call(getattr(sa.func, f"toolkit_{called}")(number, type_=sa.Double())), FLOAT
    called = f"var_{'samp' if place.options[0] else 'pop'}"  # a root of PostgreSQL's decimal numbers has few digits
    found = sa.cast(place.call(getattr(sa.func, called)(number, type_=sa.Numeric())), sa.Double())
    if place.dialect == "mysql":
        inside: Any = found.between(sa.literal_column("0"), sa.literal_column(f"{MOST}e308"))
        found = mysql_finite(place, column, found, sa.not_(inside))
    return sa.type_coerce(sa.func.sqrt(found) if function == "stddev" else found, sa.Double()), FLOAT


def _mysql_spread(place: Place, column: Any, *, root: bool) -> Any:
    """MariaDB's own takes all numbers for floats: the squares of what lies close together are lost in them."""
    import sqlalchemy as sa

    number: Any = sa.cast(column, sa.Numeric(35, decimal_places(place.field) or 0))
    squares, total = (place.call(sa.func.sum(each)) for each in (number.op("*", precedence=8)(number), number))
    count: Any = place.call(sa.func.count(column))
    apart: Any = count.op("*", precedence=8)(squares).op("-", precedence=7)(total.op("*", precedence=8)(total))
    others = count.op("-", precedence=7)(sa.literal_column("1")) if place.options[0] else count
    pairs: Any = sa.func.nullif(sa.cast(count, sa.Double()).op("*", precedence=8)(others), sa.literal_column("0"))
    found = sa.cast(apart, sa.Double()).op("/", precedence=8)(pairs)
    return sa.type_coerce(sa.func.sqrt(found) if root else found, sa.Double())
