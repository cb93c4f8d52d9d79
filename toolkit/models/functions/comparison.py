"""Functions that choose among values, and that turn values of one kind into another."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.calls import Function
from toolkit.models.comparisons import Structure
from toolkit.models.fields import JSONField
from toolkit.models.fields.base import Field
from toolkit.models.fields.numbers import DecimalField
from toolkit.models.functions.math import rounded
from toolkit.models.json_paths import numbers_at, text_at
from toolkit.models.outputs import (
    AnyDecimal,
    Typed,
    alike,
    common,
    common_of,
    decimal_places,
    kind_of,
    like,
    named_kind,
)

if TYPE_CHECKING:
    from toolkit.models.context import Context


class _Several(Function):
    """A function of at least two values of one kind."""

    def __init__(self, *expressions: Any, output_field: Field[Any] | None = None) -> None:
        if len(expressions) < 2:
            raise FieldError(f"{type(self).__name__}() takes at least two expressions")
        super().__init__(*expressions, output_field=output_field)

    @classmethod
    def output(cls, context: Any) -> Any:
        return common_of(f"{cls.__name__}()", context.fields)


def _alike(context: Any, arguments: Sequence[Any]) -> list[Any]:
    return alike(common(context.fields), arguments, context.fields)


class Coalesce(_Several):
    """The first of several values that is not NULL."""

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.coalesce(*_alike(context, arguments))


class NullIf(_Several):
    """The first value, or NULL if it equals the second."""

    def __init__(self, expression1: Any, expression2: Any, *, output_field: Field[Any] | None = None) -> None:
        super().__init__(expression1, expression2, output_field=output_field)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.nullif(*arguments)

    @classmethod
    def output(cls, context: Any) -> Any:
        super().output(context)
        return like(context.fields[0])


def _extreme(context: Any, values: Sequence[Any], on_sqlite: str, elsewhere: str) -> Any:
    """PostgreSQL's passes over NULL; the others give NULL if any argument is."""
    import sqlalchemy as sa

    arguments = _alike(context, values)
    if context.dialect == "postgresql":
        arguments = _of_known_type(context, arguments)
    if all(kind_of(field) is str for field in context.fields) and context.dialect == "postgresql":
        arguments = [sa.collate(argument, "C") for argument in arguments]  # as the other databases order
    found = getattr(sa.func, on_sqlite if context.dialect == "sqlite" else elsewhere)(*arguments)
    if context.dialect != "postgresql":
        return found
    return sa.case((sa.and_(*(argument.is_not(None) for argument in arguments)), found))


def _of_known_type(context: Any, arguments: Sequence[Any]) -> list[Any]:
    """Values such as None, of which PostgreSQL is told the type: alone beside ``IS NOT NULL`` they have none."""
    import sqlalchemy as sa

    field = common(context.fields)
    kind = sa.Text() if field is None else field.sql_type()
    return [
        sa.cast(argument, kind) if own is None and isinstance(argument, sa.BindParameter) else argument
        for argument, own in zip(arguments, context.fields, strict=True)
    ]


class Greatest(_Several):
    """The largest of several values; NULL if any of them is NULL."""

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        return _extreme(context, arguments, "max", "greatest")


class Least(_Several):
    """The smallest of several values; NULL if any of them is NULL."""

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        return _extreme(context, arguments, "min", "least")


_COLLATION = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


class Collate(Function):
    """A text in another collation, which decides what it equals and what it comes before.

    Args:
        expression: The text.
        collation: Its name in this database: ``"NOCASE"`` on SQLite, ``"de-x-icu"`` on PostgreSQL,
            ``"utf8mb4_unicode_520_ci"`` on MariaDB. Names of others are errors there.
    """

    def __init__(self, expression: Any, collation: str) -> None:
        if not isinstance(collation, str) or not _COLLATION.fullmatch(collation):
            raise FieldError(f"Collate(): {collation!r:.200} is no name of a collation", hint='Such as "NOCASE".')
        super().__init__(expression, options=(collation,))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        if kind_of(context.fields[0]) not in (str, None):
            raise FieldError("Collate() takes text", hint="Say Cast(..., TextField()).")
        return sa.collate(arguments[0], context.options[0])


class Cast(Function):
    """A value as one of another kind, with one meaning on every database.

    Fractions are cut where whole numbers are wanted, as Python's ``int`` does, and rounded to a decimal field's places,
    half away from zero. Text that is no number becomes NULL, text that is longer than ``max_length`` is cut. Of JSON
    numbers become numbers and text becomes text; what is of another kind becomes NULL.

    Args:
        expression: What to convert.
        output_field: The field of the result. Kinds that databases would convert differently are refused.
    """

    def __init__(self, expression: Any, output_field: Field[Any]) -> None:
        if not isinstance(output_field, Field):
            raise FieldError(f"Cast(): {output_field!r} is no field", hint="Such as models.IntegerField().")
        if isinstance(output_field, DecimalField) and not output_field.max_digits:
            hint = "Such as max_digits=8, decimal_places=2."
            raise FieldError("Cast(): the DecimalField does not say how many digits it has", hint=hint)
        super().__init__(expression, output_field=output_field)

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        inner, output = structure[1][0], structure[5]
        value, source = context.expression(inner)
        return cast(context.dialect, value, source, output.field), output.field


def cast(dialect: str, value: Any, source: Any, target: Any) -> Any:
    """SQL of a value of one field as a value of another.

    Raises:
        FieldError: Databases would give different results, or there is none.
    """
    kinds = kind_of(source), kind_of(target)
    build = (
        _from_json if isinstance(source, JSONField) and kinds[1] in (int, float, Decimal, str) else _CASTS.get(kinds)
    )
    if build is None:
        names = [named_kind(field) for field in (source, target)]
        raise FieldError(
            f"Cast() from {names[0]} to {names[1]} does not mean the same on every database",
            hint="Convert in Python, or by way of another kind, such as a DecimalField on the way from float to text.",
        )
    return build(dialect, value, source, target)


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
    if kind_of(source) is Decimal and places is None:
        raise FieldError(
            "Cast() of a decimal number with any number of places to text",
            hint="Cast it to a DecimalField first, which says how many.",
        )
    if kind_of(source) is Decimal and dialect == "sqlite":
        written = sa.func.printf(sa.literal_column(f"'%.{places}f'"), value)
        value = sa.case((value.is_not(None), written))
    elif kind_of(source) is Decimal:
        value = sa.cast(value, sa.Numeric(65 if dialect == "mysql" else 100, places))
    if kind_of(source) is not str:
        value = sa.cast(value, sa.CHAR() if dialect == "mysql" else sa.Text())
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
    return _if_matching(
        dialect, value, NUMBER, lambda text: rounded(dialect, sa.cast(text, kind), Decimal, target.decimal_places)
    )


def _to_int(dialect: str, value: Any, source: Any, target: Any) -> Any:
    """Cut towards zero; NULL beyond 64 bits."""
    import sqlalchemy as sa

    if kind_of(source) is int:
        return value
    if kind_of(source) is bool:
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

    return sa.type_coerce(rounded(dialect, value, kind_of(source), target.decimal_places), sa.Numeric())


def _to_bool(dialect: str, value: Any, source: Any, target: Any) -> Any:
    import sqlalchemy as sa

    return value if kind_of(source) is bool else value != sa.literal_column("0")


def _date_to_instant(dialect: str, value: Any, source: Any, target: Any) -> Any:
    """Midnight, in UTC."""
    import sqlalchemy as sa
    from sqlalchemy.dialects.mysql import DATETIME

    if dialect == "sqlite":
        return sa.func.toolkit_instant_add(value, sa.literal_column("0"), type_=target.sql_type())
    return sa.cast(value, DATETIME(fsp=6) if dialect == "mysql" else target.sql_type())


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
