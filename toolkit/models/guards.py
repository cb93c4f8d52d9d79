"""Values that a computation gives and no column can hold: they are refused on SQLite as servers refuse them.

The functions of SQLite that this calls are in ``toolkit.database.sqlguards``.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from toolkit.models.outputs import decimal_places, held_by, kind_of

FIRST, LAST = "TIMESTAMPTZ '0001-01-01 00:00:00+00'", "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"
"""The instants that Python and the other databases know; PostgreSQL knows others."""

_ALL_YEARS = "INTERVAL '3652059 days'"


def guarded(column: Any, *, name: str = "toolkit_whole") -> Any:
    """A whole number of SQLite's (by ``toolkit_length`` a length of time), which would be a float beyond 64 bits."""
    import sqlalchemy as sa

    return getattr(sa.func, name)(column, type_=sa.BigInteger())


def finite(column: Any) -> Any:
    """A float of SQLite's, which would be infinite beyond what a float can be, and NULL further on."""
    import sqlalchemy as sa

    return sa.func.toolkit_finite(column, type_=sa.Double())


def unguarded(column: Any) -> Any:
    """The same before it was guarded: what is computed with it is guarded as a whole, for a float remains one."""
    import sqlalchemy as sa

    if isinstance(column, sa.sql.functions.Function) and column.name in ("toolkit_whole", "toolkit_length"):
        return sa.type_coerce(next(iter(column.clauses)), column.type)
    return column


def within_years(found: Any, length: Any, *, kept: bool) -> Any:
    """An instant that PostgreSQL computed: NULL beyond the years 1 to 9999, as elsewhere; where it is kept, an error.

    Args:
        found: The instant.
        length: By how much it was moved.
        kept: A column is to have it.
    """
    import sqlalchemy as sa

    first: Any = sa.literal_column(FIRST)
    last: Any = sa.literal_column(LAST)
    if kept:  # no constant, which would be an error before a row is looked at
        beyond = found.op("+", precedence=7)(sa.literal_column("INTERVAL '300000 years'"))
        return sa.case((sa.not_(found.between(first, last)), beyond), else_=found)
    years: Any = sa.literal_column(_ALL_YEARS)
    return sa.case((sa.not_(length.between(-years, years)), sa.null()), (found.between(first, last), found))


def kept(dialect: str, field: Any, column: Any) -> Any:
    """A computed value as a column of SQLite may keep it; servers see to it themselves, and PostgreSQL keeps a sign
    of zero, which the others do not.

    Text is the value of a field of no known kind, too, if that has a ``max_length``: the name of a file.
    """
    import sqlalchemy as sa

    held = held_by(field)
    if dialect == "postgresql" and kind_of(held) is float:
        return column.op("+", precedence=7)(sa.literal_column("0"))  # -0 and 0 are 0. Source: IEEE 754, 6.3
    if dialect != "sqlite":
        return column
    kind, longest = kind_of(held), getattr(held, "max_length", None)
    if kind is int and held.high < 2**63 - 1:
        bounds: list[Any] = [held.low or -held.high, held.high]  # below 0 a CHECK says it
        return _refusing("toolkit_kept_whole", field, column, bounds, sa.BigInteger())
    if kind is Decimal and decimal_places(held) is not None:
        digits = [held.max_digits, held.decimal_places]
        return _refusing("toolkit_kept_decimal", field, column, digits, sa.Numeric())
    if kind in (str, None) and longest is not None:
        return _refusing("toolkit_kept_text", field, column, [longest], sa.String())
    return column


def _refusing(name: str, field: Any, column: Any, bounds: list[int], kind: Any) -> Any:
    import sqlalchemy as sa

    where: Any = sa.literal_column(f"'{label_of(field)}'")
    return getattr(sa.func, name)(column, *(sa.literal_column(str(bound)) for bound in bounds), where, type_=kind)


def label_of(field: Any) -> str:
    """What a field is called in an error; names of Python have no quotes."""
    return f"{field.model.__name__}.{field.name}"


def keeps_instants(field: Any) -> bool:
    """Whether a field's values are instants, or days, which are made of them."""
    return kind_of(held_by(field)) in (date, datetime)
