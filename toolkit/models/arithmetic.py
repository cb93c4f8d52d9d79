"""Arithmetic that means the same on every database.

Division is true division, as Python's; by zero it gives NULL. Decimal numbers stay exact on SQLite too, which keeps
them as binary floating point: results are rounded to the decimal places that they have. Lengths of time may be added
to dates, instants and times of day, and their differences are lengths of time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.functions import clocks
from toolkit.models.guards import finite, guarded, unguarded, within_years
from toolkit.models.lengths import scaled
from toolkit.models.outputs import AnyDecimal, Typed, decimal_places, decimals, field_for, kind_of

if TYPE_CHECKING:
    from toolkit.models.context import Context

WORDS = {"&": "bitand", "|": "bitor", "#": "bitxor", "<<": "bitleftshift", ">>": "bitrightshift"}
_NUMBERS = (int, float, Decimal)
_TIMES = (datetime, date, time, timedelta)
_KNOWN = frozenset({"sqlite", "postgresql", "mysql"})
"""Dialects for which calculating with times is written down."""


def combine(context: Context, operator: str, left: Typed, right: Typed) -> Typed:
    """SQL of two expressions and an operator, and the field that reads the result.

    Raises:
        FieldError: The operator has no meaning for values of these kinds.
    """
    kinds = kind_of(left[1]), kind_of(right[1])
    if any(kind in _TIMES for kind in kinds):
        return _temporal(context, operator, left, right)
    for kind in kinds:
        if kind is not None and kind not in _NUMBERS:
            raise _meaningless(operator, kinds)
    if operator in WORDS:
        return _bits(context.dialect, operator, left, right)
    build: Callable[..., Typed] = _NUMERIC[operator]
    kind = _number(*kinds)
    if kind is int and operator in _GROWING and _is_guarded(context):
        left, right = (unguarded(left[0]), left[1]), (unguarded(right[0]), right[1])
        column, field = build(context.dialect, left, right, kind)
        return guarded(column), field
    column, field = build(context.dialect, left, right, kind)
    if kind is float and operator in _GROWING and _is_guarded(context):
        column = finite(column)
    return column, field


_GROWING = ("+", "-", "*")


def _is_guarded(context: Context) -> bool:
    """Whether a result that the database does not refuse itself is to be refused."""
    return context.dialect == "sqlite" and context.compiler.binds.guards


def _meaningless(operator: str, kinds: tuple[Any, Any]) -> FieldError:
    names = [kind.__name__ if kind is not None else "unknown" for kind in kinds]
    hint = "Join texts with Concat()." if operator == "+" and "str" in names else "Say Cast(...) first."
    return FieldError(f"{names[0]} {WORDS.get(operator, operator)} {names[1]} has no meaning", hint=hint)


def _number(left: Any, right: Any) -> type:
    """What kind of number comes of two."""
    if float in (left, right):
        return float
    return Decimal if Decimal in (left, right) else int


def _plain(operate: Callable[[Any, Any], Any], places: Callable[[int, int], int]) -> Any:
    """``+``, ``-`` and ``*``, which all databases have alike; decimal places are found from those of the operands."""

    def build(dialect: str, left: Typed, right: Typed, kind: type) -> Typed:
        import sqlalchemy as sa

        found = operate(left[0], right[0])
        if kind is not Decimal:
            return sa.type_coerce(found, _field(kind).sql_type()), _field(kind)
        first, second = decimal_places(left[1]), decimal_places(right[1])
        field = AnyDecimal() if first is None or second is None else decimals(places(first, second))
        return exact(dialect, found, field), field

    return build


def exact(dialect: str, expression: Any, field: Any) -> Any:
    """A decimal result with its decimal places and no others, on SQLite; elsewhere it has them already."""
    import sqlalchemy as sa

    places = decimal_places(field)
    if dialect == "sqlite" and places is not None:
        expression = sa.func.round(expression, sa.literal_column(str(places)))
    return sa.type_coerce(expression, sa.Numeric())


def _field(kind: type) -> Any:
    """A field for computed values of this kind, which is one of ours."""
    found: Any = field_for(kind)
    found.null = True
    return found


def divided(dialect: str, left: Any, right: Any, kind: type) -> Typed:
    """True division, NULL by zero.

    Args:
        dialect: The dialect.
        left: SQL of the dividend.
        right: SQL of the divisor.
        kind: Of which kind the operands are.
    """
    import sqlalchemy as sa

    divisor = sa.func.nullif(right, sa.literal_column("0"))
    if kind is Decimal:
        # MariaDB gives four decimal places more than the dividend has, and no more
        wide = sa.cast(left, sa.Numeric(65, 30)) if dialect == "mysql" else left
        wide = sa.cast(left, sa.Double()) if dialect == "sqlite" else wide
        return sa.type_coerce(wide, sa.Numeric()).op("/", precedence=8)(divisor), AnyDecimal()
    return sa.type_coerce(sa.cast(left, sa.Double()).op("/", precedence=8)(divisor), sa.Double()), _field(float)


def _division(dialect: str, left: Typed, right: Typed, kind: type) -> Typed:
    return divided(dialect, left[0], right[0], kind)


def _modulo(dialect: str, left: Typed, right: Typed, kind: type) -> Typed:
    """The rest of a division, with the sign of the dividend, as SQL and C have it."""
    import sqlalchemy as sa

    divisor = sa.func.nullif(right[0], sa.literal_column("0"))
    if kind is int:
        return sa.type_coerce(left[0].op("%", precedence=8)(divisor), sa.BigInteger()), _field(int)
    if dialect == "sqlite":
        found = sa.func.toolkit_mod(left[0], divisor)
    elif dialect == "postgresql":
        found = sa.func.mod(sa.cast(left[0], sa.Numeric()), sa.cast(divisor, sa.Numeric()))
    else:
        found = (
            left[0].op("%", precedence=8)(divisor).op("+", precedence=7)(sa.literal_column("0"))
        )  # -0.00 is no 0 there
    if kind is float:
        return sa.cast(found, sa.Double()), _field(float)
    first, second = decimal_places(left[1]), decimal_places(right[1])
    field = AnyDecimal() if first is None or second is None else decimals(max(first, second))
    return exact(dialect, found, field), field


def _power(dialect: str, left: Typed, right: Typed, kind: type) -> Typed:
    """A power, as a float; NULL where there is none: of a negative number to a fraction, of 0 to less than 0.

    NULL also beyond what a float can be.
    """
    import sqlalchemy as sa

    if dialect == "sqlite":
        return sa.func.toolkit_power(left[0], right[0], type_=sa.Double()), _field(float)
    base: Any = sa.cast(left[0], sa.Double())
    exponent: Any = sa.cast(right[0], sa.Double())
    zero: Any = sa.literal_column("0")
    known = sa.or_(base > zero, sa.and_(base < zero, exponent == sa.func.floor(exponent)))
    known = sa.or_(known, sa.and_(base == zero, exponent >= zero))
    size: Any = sa.func.ln(sa.func.nullif(sa.func.abs(base), zero))
    size = sa.func.coalesce(exponent.op("*", precedence=8)(size), zero)
    known = sa.and_(known, size <= sa.literal_column("709.78"))  # servers raise beyond, PostgreSQL also where 0 is left
    tiny: Any = (size < sa.literal_column("-700"), sa.cast(zero, sa.Double()))
    return sa.case((sa.not_(known), sa.null()), tiny, else_=sa.func.power(base, exponent, type_=sa.Double())), _field(
        float
    )


_NUMERIC: dict[str, Any] = {
    "+": _plain(lambda a, b: a + b, max),
    "-": _plain(lambda a, b: a - b, max),
    "*": _plain(lambda a, b: a * b, lambda a, b: a + b),
    "/": _division,
    "%": _modulo,
    "**": _power,
}


def _bits(dialect: str, operator: str, left: Typed, right: Typed) -> Typed:
    """Bits of whole numbers of 64 bits with a sign."""
    import sqlalchemy as sa

    if _number(kind_of(left[1]), kind_of(right[1])) is not int:
        raise _meaningless(operator, (kind_of(left[1]), kind_of(right[1])))
    a, b = left[0], right[0]
    if dialect == "sqlite" and operator == "#":
        found = (a.op("|", precedence=6)(b)).op("-", precedence=7)(a.op("&", precedence=6)(b))
    elif dialect == "postgresql" and operator in ("<<", ">>"):
        found = a.op(operator, precedence=6)(sa.cast(b, sa.Integer()))
    elif dialect == "mysql":
        found = _mysql_bits(operator, a, b)
    else:
        found = a.op(operator, precedence=6)(b)
    if operator in ("<<", ">>"):
        found = _within_a_number(operator, a, b, found)
    return sa.type_coerce(found, sa.BigInteger()), _field(int)


def _within_a_number(operator: str, a: Any, b: Any, shifted: Any) -> Any:
    """A shift by 0 to 63 bits. By more, all bits are gone but for the sign; by less than none there is no value.

    Otherwise PostgreSQL shifts by the rest of a division by 64, SQLite the other way round, and MariaDB gives 0.
    """
    import sqlalchemy as sa

    none: Any = sa.literal_column("0")
    gone = none if operator == "<<" else sa.case((a < none, sa.literal_column("-1")), else_=none)
    most: Any = sa.literal_column("63")
    return sa.case((b.between(none, most), shifted), (b > most, gone))


def _mysql_bits(operator: str, a: Any, b: Any) -> Any:
    """MySQL's bits have no sign: a shift to the right of a negative number is that of its complement."""
    import sqlalchemy as sa

    if operator == ">>":
        inverse = sa.type_coerce(sa.func.if_(a < sa.literal_column("0"), _inverted(a), a), sa.BigInteger())
        shifted = inverse.op(">>", precedence=6)(b)
        return sa.cast(sa.func.if_(a < sa.literal_column("0"), _inverted(shifted), shifted), sa.BigInteger())
    return sa.cast(a.op("^" if operator == "#" else operator, precedence=6)(b), sa.BigInteger())


def _inverted(number: Any) -> Any:
    from sqlalchemy.sql.expression import UnaryExpression
    from sqlalchemy.sql.operators import custom_op

    return UnaryExpression(number.self_group(), operator=custom_op("~"), type_=number.type)


def _temporal(context: Context, operator: str, left: Typed, right: Typed) -> Typed:
    dialect = context.dialect
    if dialect not in _KNOWN:
        raise FieldError(f"times cannot be calculated with on {dialect} yet", hint="Do it in Python.")
    kinds = kind_of(left[1]), kind_of(right[1])
    if operator == "*" and kinds[1] is timedelta and kinds[0] in _NUMBERS:
        return _scaled(context, operator, right[0], left)
    if operator in ("*", "/") and kinds[0] is timedelta and kinds[1] in _NUMBERS:
        return _scaled(context, operator, left[0], right)
    if operator == "+" and kinds[0] is timedelta and kinds[1] is not timedelta:
        return _temporal(context, operator, right, left)
    if operator in ("+", "-") and kinds[1] is timedelta and kinds[0] in _TIMES:
        return _moved(context, operator, left, right[0])
    both_days = set(kinds) <= {date, datetime}
    if operator == "-" and (both_days or kinds == (time, time)):
        return _difference(dialect, left, right)
    raise _meaningless(operator, kinds)


def _scaled(context: Context, operator: str, length: Any, number: Typed) -> Typed:
    field, kind = _field(timedelta), kind_of(number[1])
    return scaled(context.dialect, operator, unguarded(length), unguarded(number[0]), kind), field


def _moved(context: Context, operator: str, moment: Typed, length: Any) -> Typed:
    """A date, instant, time of day or length of time, so much later or earlier. A date becomes an instant.

    There is no instant beyond the years 1 to 9999: NULL, or an error where it is to be kept.
    """
    import sqlalchemy as sa

    dialect, kept_in = context.dialect, context.compiler.binds.kept_in
    kind = kind_of(moment[1])
    field = _field(datetime if kind is date else kind)  # type: ignore[arg-type]  # a kind of time
    kind_sql = field.sql_type()
    if kind is timedelta or (dialect == "postgresql" and kind is time):
        found = sa.type_coerce(unguarded(moment[0]).op(operator, precedence=7)(unguarded(length)), kind_sql)
        lengthened = kind is timedelta and _is_guarded(context)
        return guarded(found, name="toolkit_length") if lengthened else found, field
    if dialect == "postgresql":
        start = clocks.midnight(dialect, moment[0]) if kind is date else moment[0]
        found = clocks.moved(dialect, operator, start, length)
        return sa.type_coerce(within_years(found, length, kept=bool(kept_in)), kind_sql), field
    signed = length if operator == "+" else -sa.type_coerce(length, sa.BigInteger())
    if dialect == "sqlite" and kept_in and kind is not time:
        return sa.func.toolkit_kept_instant(moment[0], signed, sa.literal_column(f"'{kept_in}'"), type_=kind_sql), field
    if dialect == "sqlite":
        add = sa.func.toolkit_time_add if kind is time else sa.func.toolkit_instant_add
        return add(moment[0], signed, type_=kind_sql), field
    if kind is time:
        return _mysql_time(moment[0], signed, kind_sql), field
    start = sa.cast(moment[0], _mysql_instant())
    return sa.func.timestampadd(sa.literal_column("MICROSECOND"), signed, start, type_=kind_sql), field


def _mysql_instant() -> Any:
    from sqlalchemy.dialects.mysql import DATETIME

    return DATETIME(fsp=6)


def _mysql_time(moment: Any, microseconds: Any, kind: Any) -> Any:
    """A time of day, moved around the clock."""
    import sqlalchemy as sa

    day: Any = sa.literal_column("86400000000")
    start = _mysql_clock(moment)
    turned = sa.func.mod(sa.func.mod(start.op("+", precedence=7)(microseconds), day).op("+", precedence=7)(day), day)
    whole = sa.cast(turned, sa.BigInteger())  # what was divided is a float, and loses a microsecond
    return sa.func.sec_to_time(whole.op("*", precedence=8)(sa.literal_column("0.000001")), type_=kind)


def _mysql_clock(moment: Any) -> Any:
    """Microseconds since midnight."""
    import sqlalchemy as sa

    seconds = sa.func.time_to_sec(moment).op("*", precedence=8)(sa.literal_column("1000000"))
    return sa.cast(seconds, sa.BigInteger())


def _difference(dialect: str, left: Typed, right: Typed) -> Typed:
    import sqlalchemy as sa

    field = _field(timedelta)
    kind = field.sql_type()
    clock = kind_of(left[1]) is time
    if dialect == "sqlite":
        subtract = sa.func.toolkit_time_difference if clock else sa.func.toolkit_difference
        return subtract(left[0], right[0], type_=kind), field
    if dialect == "mysql" and clock:
        sides = [_mysql_clock(side[0]) for side in (left, right)]
        return sa.type_coerce(sides[0] - sides[1], kind), field
    if dialect == "mysql":
        unit: Any = sa.literal_column("MICROSECOND")
        sides = [sa.cast(side[0], _mysql_instant()) for side in (right, left)]
        return sa.func.timestampdiff(unit, *sides, type_=kind), field
    instant = _field(datetime).sql_type()
    sides = [clocks.midnight(dialect, side[0]) if kind_of(side[1]) is date else side[0] for side in (left, right)]
    sides = sides if clock else [sa.type_coerce(side, instant) for side in sides]
    return sa.type_coerce(sides[0].op("-", precedence=7)(sides[1]), kind), field
