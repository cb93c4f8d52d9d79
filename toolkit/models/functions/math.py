"""Functions of numbers. Where one has no value, such as the square root of -1, it gives NULL on every database."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import FieldError
from toolkit.models.arithmetic import combine
from toolkit.models.calls import Function, Transform
from toolkit.models.casts import rounded
from toolkit.models.comparisons import Structure
from toolkit.models.fields import FloatField, JSONField
from toolkit.models.outputs import Typed, decimal_places, decimals, kind_of, like

if TYPE_CHECKING:
    from toolkit.models.context import Context
    from toolkit.models.fields.base import Field


def check_numbers(name: str, fields: Any) -> None:
    """Refuse arguments that are no numbers.

    Raises:
        FieldError: One is not.
    """
    for field in fields:
        kind, json = kind_of(field), isinstance(field, JSONField)
        if json or (kind is not None and kind not in (int, float, Decimal)):
            raise FieldError(
                f"{name}() takes numbers, not {'JSON' if json or kind is None else kind.__name__}",
                hint="Say Cast(..., FloatField()) around text.",
            )


class _Whole(Transform):
    """A function of a number that gives one of the same kind, without decimal places."""

    @classmethod
    def output(cls, context: Any) -> Any:
        field = context.fields[0]
        check_numbers(cls.__name__, context.fields)
        return decimals(0) if kind_of(field) is Decimal else like(field)


class Abs(_Whole):
    """A number without its sign."""

    lookup_name = "abs"

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.abs(*arguments)

    @classmethod
    def output(cls, context: Any) -> Any:
        check_numbers(cls.__name__, context.fields)
        return like(context.fields[0])


def _step(context: Any, number: Any, name: str) -> Any:
    import sqlalchemy as sa

    if kind_of(context.fields[0]) is int:
        return number
    return getattr(sa.func, f"toolkit_{name}" if context.dialect == "sqlite" else name)(number)


class Ceil(_Whole):
    """The smallest whole number that is not smaller."""

    lookup_name = "ceil"

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        return _step(context, arguments[0], "ceil")


class Floor(_Whole):
    """The largest whole number that is not larger."""

    lookup_name = "floor"

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        return _step(context, arguments[0], "floor")


class Sign(_Whole):
    """-1, 0 or 1: whether a number is negative, zero or positive."""

    lookup_name = "sign"

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        (number,) = arguments
        zero, one, minus = _number("0"), _number("1"), _number("-1")
        return sa.case((number > zero, one), (number < zero, minus), (number == zero, zero))


class Round(Transform):
    """A number rounded half away from zero, as 2.5 to 3 and -2.5 to -3.

    Args:
        expression: The number.
        precision: How many decimal places stay; below 0 it rounds to tens, hundreds and so on.
    """

    lookup_name = "round"

    def __init__(self, expression: Any, precision: int = 0, *, output_field: Field[Any] | None = None) -> None:
        if not isinstance(precision, int) or isinstance(precision, bool) or abs(precision) > 30:
            raise FieldError(
                f"Round(..., precision={precision!r}): the precision is a whole number from -30 to 30",
                hint="It is part of the question, and cannot be an expression.",
            )
        super().__init__(expression, options=(precision,), output_field=output_field)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        check_numbers(cls.__name__, context.fields)
        kind, places = kind_of(context.fields[0]), cls._places(context)
        if kind is int and places >= 0:
            return arguments[0]
        return rounded(context.dialect, arguments[0], kind, places)

    @classmethod
    def output(cls, context: Any) -> Any:
        field = context.fields[0]
        if kind_of(field) is not Decimal:
            return like(field)
        had = decimal_places(field)
        asked = max(0, cls._places(context))
        return decimals(asked if had is None else min(had, asked))

    @staticmethod
    def _places(context: Any) -> int:
        return context.options[0] if context.options else 0


class _Operator(Function):
    """A function that has an operator of arithmetic."""

    operator: ClassVar[str]

    def __init__(self, expression1: Any, expression2: Any, *, output_field: Field[Any] | None = None) -> None:
        super().__init__(expression1, expression2, output_field=output_field)

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        left, right = (context.expression(item) for item in structure[1])
        found, field = combine(context, cls.operator, left, right)
        return found, structure[5].field if structure[5] else field


class Mod(_Operator):
    """The rest of a division, with the sign of the dividend; NULL by zero."""

    operator = "%"


class Power(_Operator):
    """The first number to the power of the second, as a float."""

    operator = "**"


class Pi(Function):
    """The number π."""

    output_field = FloatField()

    def __init__(self) -> None:
        super().__init__()

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return context.constant(math.pi, sa.Double())


class _Real(Transform):
    """A function of real numbers, in floating point."""

    output_field: ClassVar[Any] = FloatField(null=True)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        check_numbers(cls.__name__, context.fields)
        name = cls.__name__.lower()
        if context.dialect == "sqlite":
            return getattr(sa.func, f"toolkit_{name}")(*arguments, type_=sa.Double())
        numbers: list[Any] = [sa.cast(argument, sa.Double()) for argument in arguments]
        found = cls.on_server(*numbers)
        known = cls.known(*numbers)
        return found if known is None else sa.case((known, found))

    @classmethod
    def on_server(cls, *numbers: Any) -> Any:
        """SQL on a server, which has the function."""
        import sqlalchemy as sa

        return getattr(sa.func, cls.__name__.lower())(*numbers, type_=sa.Double())

    @classmethod
    def known(cls, *numbers: Any) -> Any:
        """The condition that there is a value; None for always. Servers would raise."""
        return None


def _number(text: str) -> Any:
    import sqlalchemy as sa

    return sa.literal_column(text)


class Sqrt(_Real):
    """The square root; NULL of a negative number."""

    lookup_name = "sqrt"

    @classmethod
    def known(cls, *numbers: Any) -> Any:
        return numbers[0] >= _number("0")


class Exp(_Real):
    """The power of e; NULL beyond what a float can be."""

    lookup_name = "exp"

    @classmethod
    def known(cls, *numbers: Any) -> Any:
        return numbers[0] <= _number("709.78")

    @classmethod
    def on_server(cls, *numbers: Any) -> Any:
        import sqlalchemy as sa

        tiny = numbers[0] < _number("-700")  # PostgreSQL raises where the result is 0
        return sa.case((tiny, sa.cast(_number("0"), sa.Double())), else_=super().on_server(*numbers))


class Ln(_Real):
    """The natural logarithm; NULL of 0 and less."""

    lookup_name = "ln"

    @classmethod
    def known(cls, *numbers: Any) -> Any:
        return numbers[0] > _number("0")


class Log(_Real):
    """The logarithm of the second number to the base of the first; NULL where there is none."""

    def __init__(self, expression1: Any, expression2: Any, *, output_field: Field[Any] | None = None) -> None:
        super().__init__(expression1, expression2, output_field=output_field)

    @classmethod
    def known(cls, *numbers: Any) -> Any:
        base, number = numbers
        return (base > _number("0")) & (base != _number("1")) & (number > _number("0"))

    @classmethod
    def on_server(cls, *numbers: Any) -> Any:
        import sqlalchemy as sa

        logarithms: list[Any] = [sa.func.ln(number, type_=sa.Double()) for number in numbers]
        return logarithms[1].op("/", precedence=8)(logarithms[0])


class Sin(_Real):
    """The sine of an angle in radians."""

    lookup_name = "sin"


class Cos(_Real):
    """The cosine of an angle in radians."""

    lookup_name = "cos"


class Tan(_Real):
    """The tangent of an angle in radians."""

    lookup_name = "tan"


class Cot(_Real):
    """The cotangent of an angle in radians; NULL of 0."""

    lookup_name = "cot"

    @classmethod
    def known(cls, *numbers: Any) -> Any:
        return numbers[0] != _number("0")


def _between_ones(number: Any) -> Any:
    return number.between(_number("-1"), _number("1"))


class ASin(_Real):
    """The angle, in radians, of a sine; NULL unless it is from -1 to 1."""

    lookup_name = "asin"

    @classmethod
    def known(cls, *numbers: Any) -> Any:
        return _between_ones(numbers[0])


class ACos(_Real):
    """The angle, in radians, of a cosine; NULL unless it is from -1 to 1."""

    lookup_name = "acos"

    @classmethod
    def known(cls, *numbers: Any) -> Any:
        return _between_ones(numbers[0])


class ATan(_Real):
    """The angle, in radians, of a tangent."""

    lookup_name = "atan"


class ATan2(_Real):
    """The angle, in radians, of the point (second, first) seen from (0, 0)."""

    def __init__(self, expression1: Any, expression2: Any, *, output_field: Field[Any] | None = None) -> None:
        super().__init__(expression1, expression2, output_field=output_field)


class Degrees(_Real):
    """Degrees of an angle in radians; NULL beyond what a float can be."""

    lookup_name = "degrees"

    @classmethod
    def known(cls, *numbers: Any) -> Any:
        return numbers[0].between(_number("-3e306"), _number("3e306"))


class Radians(_Real):
    """Radians of an angle in degrees."""

    lookup_name = "radians"
