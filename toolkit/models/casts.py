"""Values of one kind as values of another, with one meaning on every database: what ``Cast()`` makes of them, and what
becomes of an expression that is given an ``output_field`` of another kind.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from toolkit.errors import FieldError
from toolkit.models.fields.json import JSONField
from toolkit.models.functions.casing import exactly_compared
from toolkit.models.functions.clocks import midnight
from toolkit.models.json_paths import numbers_at, text_at
from toolkit.models.outputs import KINDS, AnyDecimal, Output, Typed, decimal_places, kept_kind, kind_of, named_kind


def read_as(dialect: str, value: Typed, output: Output) -> Typed:
    """A value and the field that was given to read it: one of another kind becomes one of that.

    Otherwise a decimal number that is said to be a float would be compared and calculated with as what it was, and each
    database gives something else then.

    Args:
        dialect: The dialect.
        value: SQL of the value, and the field of what it is; None where only the database knows.
        output: The field that was given.

    Raises:
        FieldError: A value of the one kind cannot be one of the other.
    """
    column, source = value
    if _is_rounded(source, output.field):
        return cast(dialect, column, source, output.field), output.reading
    kinds = kept_kind(source), kind_of(output.field)
    known = KINDS.issuperset(kinds) or (isinstance(source, JSONField) and kinds[1] in _OF_JSON)
    if not known or kinds[0] is kinds[1]:
        return column, output.reading
    return cast(dialect, column, source, output.field, "a conversion by output_field"), output.reading


def _is_rounded(source: Any, target: Any) -> bool:
    """Whether decimal numbers of one field have more places than another keeps."""
    given, kept = decimal_places(source), decimal_places(target)
    return kept_kind(source) is kind_of(target) is Decimal and kept is not None and (given is None or given > kept)


def cast(dialect: str, value: Any, source: Any, target: Any, where: str = "Cast()") -> Any:
    """SQL of a value of one field as a value of another.

    Args:
        dialect: The dialect.
        value: SQL of the value.
        source: Its field.
        target: The field of the result.
        where: What asks for it.

    Raises:
        FieldError: Databases would give different results, or there is none.
    """
    kinds = kept_kind(source), kind_of(target)
    build = _from_json if isinstance(source, JSONField) and kinds[1] in _OF_JSON else _CASTS.get(kinds)
    if build is None:
        names = [named_kind(field) for field in (source, target)]
        raise FieldError(
            f"{where} from {names[0]} to {names[1]} does not mean the same on every database",
            hint="Convert in Python, or by way of another kind, such as a DecimalField on the way from float to text.",
        )
    return build(dialect, value, source, target)


_OF_JSON = (int, float, Decimal, str)
"""What may be made of JSON."""


def _from_json(dialect: str, value: Any, source: Any, target: Any) -> Any:
    """The text of JSON that is text, the number of JSON that is a number, and NULL of all else."""
    import sqlalchemy as sa

    if kind_of(target) is str:
        return _as_text(dialect, text_at(value, dialect), target, target)
    build, number = _CASTS[Decimal, kind_of(target)], AnyDecimal()
    return sa.case(*((met, build(dialect, found, number, target)) for met, found in numbers_at(value, dialect)))


def _as_text(dialect: str, value: Any, source: Any, target: Any) -> Any:
    import sqlalchemy as sa

    places = decimal_places(source)
    if kept_kind(source) is Decimal and places is None:
        raise FieldError(
            "Cast() of a decimal number with any number of places to text",
            hint="Cast it to a DecimalField first, which says how many.",
        )
    if kept_kind(source) is Decimal and dialect == "sqlite":
        written = sa.func.printf(sa.literal_column(f"'%.{places}f'"), value)
        value = sa.case((value.is_not(None), written))
    elif kept_kind(source) is Decimal:
        value = sa.cast(value, sa.Numeric(65 if dialect == "mysql" else 100, places))
    if kept_kind(source) is not str:
        value = exactly_compared(sa.cast(value, sa.CHAR())) if dialect == "mysql" else sa.cast(value, sa.Text())
    length = getattr(target, "max_length", None)
    if length is not None:
        value = sa.func.substr(value, sa.literal_column("1"), sa.literal_column(str(int(length))))
    return sa.type_coerce(value, sa.String())


NUMBER = r"^[ ]*[+-]?([0-9]{1,15}([.][0-9]{0,15})?|[.][0-9]{1,15})[ ]*$"
WHOLE = r"^[ ]*[+-]?[0-9]{1,18}[ ]*$"


def _if_matching(dialect: str, value: Any, pattern: str, build: Callable[[Any], Any]) -> Any:
    """NULL unless a text has the form of a number: databases would raise, or give 0."""
    import sqlalchemy as sa

    ending = {"sqlite": r"\Z", "mysql": "$(?![[:space:]])"}.get(dialect, "$")  # theirs may stand before a line's end
    literal: Any = sa.literal_column(f"'{pattern.replace('$', ending)}'")
    if dialect == "sqlite":
        return sa.case((sa.func.toolkit_matches(value, literal), build(value)))
    operator = "~" if dialect == "postgresql" else "REGEXP"
    return sa.case((value.op(operator, is_comparison=True)(literal), build(sa.func.trim(value))))


def _text_to_int(dialect: str, value: Any, source: Any, target: Any) -> Any:
    import sqlalchemy as sa

    return _if_matching(dialect, value, WHOLE, lambda text: sa.cast(text, sa.BigInteger()))


def _text_to_float(dialect: str, value: Any, source: Any, target: Any) -> Any:
    import sqlalchemy as sa

    return _if_matching(dialect, value, NUMBER, lambda text: sa.cast(text, sa.Double()))


def _text_to_decimal(dialect: str, value: Any, source: Any, target: Any) -> Any:
    import sqlalchemy as sa

    kind: Any = {"sqlite": sa.Double(), "mysql": sa.Numeric(65, 30)}.get(dialect, sa.Numeric())
    return _if_matching(dialect, value, NUMBER, lambda text: _in_places(dialect, sa.cast(text, kind), Decimal, target))


def _to_int(dialect: str, value: Any, source: Any, target: Any) -> Any:
    """Cut towards zero; NULL beyond 64 bits."""
    import sqlalchemy as sa

    if kept_kind(source) is int:
        return value
    if kept_kind(source) is bool:
        return sa.cast(value, sa.Integer())
    if dialect == "sqlite":
        cut = value
    elif dialect == "mysql":
        cut = sa.func.truncate(value, sa.literal_column("0"))
    else:
        cut = sa.func.trunc(value)
    fits = sa.func.abs(value) < sa.literal_column("9e18")
    return sa.case((fits, sa.cast(cut, sa.BigInteger())))


def _to_float(dialect: str, value: Any, source: Any, target: Any) -> Any:
    import sqlalchemy as sa

    return sa.cast(value, sa.Double())


def _to_decimal(dialect: str, value: Any, source: Any, target: Any) -> Any:
    import sqlalchemy as sa

    return sa.type_coerce(_in_places(dialect, value, kept_kind(source), target), sa.Numeric())


def _in_places(dialect: str, value: Any, kind: Any, target: Any) -> Any:
    """A number with the decimal places of a field, or with those that it has where the field leaves them open.

    It is a decimal number for the database, too: PostgreSQL divides whole numbers without a fraction, and rounds floats
    to none.
    """
    import sqlalchemy as sa

    places = decimal_places(target)
    if places is not None and kind is not int:
        value = rounded(dialect, value, kind, places)
    if dialect == "sqlite" or kind is Decimal:
        return value
    return sa.cast(value, sa.Numeric(65, 30 if places is None else places) if dialect == "mysql" else sa.Numeric())


def _to_bool(dialect: str, value: Any, source: Any, target: Any) -> Any:
    import sqlalchemy as sa

    return value if kept_kind(source) is bool else value != sa.literal_column("0")


def _date_to_instant(dialect: str, value: Any, source: Any, target: Any) -> Any:
    return midnight(dialect, value)


def _instant_to_date(dialect: str, value: Any, source: Any, target: Any) -> Any:
    """The day, in UTC."""
    import sqlalchemy as sa

    if dialect == "sqlite":
        return sa.func.date(value, type_=target.sql_type())
    if dialect == "postgresql":
        value = sa.func.timezone(sa.literal_column("'UTC'"), value)
    return sa.cast(value, sa.Date())


def _same(dialect: str, value: Any, source: Any, target: Any) -> Any:
    return value


_CASTS: dict[tuple[Any, Any], Callable[..., Any]] = {
    **{(kind, str): _as_text for kind in (str, int, Decimal, date)},
    (str, int): _text_to_int,
    (str, float): _text_to_float,
    (str, Decimal): _text_to_decimal,
    **{(kind, int): _to_int for kind in (int, bool, float, Decimal)},
    **{(kind, float): _to_float for kind in (int, float, Decimal)},
    **{(kind, Decimal): _to_decimal for kind in (int, float, Decimal)},
    **{(kind, bool): _to_bool for kind in (bool, int)},
    (date, datetime): _date_to_instant,
    (datetime, date): _instant_to_date,
    (date, date): _same,
    (datetime, datetime): _same,
}


def rounded(dialect: str, value: Any, kind: Any, places: int) -> Any:
    """A number rounded half away from zero, as its shortest decimal digits have it; on MariaDB's floats below 1e15."""
    import sqlalchemy as sa

    digits: Any = sa.literal_column(str(int(places)))
    if dialect == "sqlite":
        return sa.func.toolkit_round(value, digits)
    if kind is int:
        found = sa.func.round(sa.cast(value, sa.Numeric(65 if dialect == "mysql" else 100, 0)), digits)
        return sa.cast(found, sa.BigInteger())
    if kind is Decimal:
        return sa.func.round(value, digits)
    if dialect == "postgresql":
        found = sa.func.round(sa.cast(sa.cast(value, sa.Text()), sa.Numeric()), digits)
        return sa.cast(found, sa.Double())
    exact: Any = sa.cast(sa.func.round(sa.cast(value, sa.Numeric(65, 30)), digits), sa.Double())
    return sa.case((sa.func.abs(value) < sa.literal_column("1e15"), exact), else_=sa.func.round(value, digits))
