"""Functions that look at the rows of a window: numbers, ranks, neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import FieldError
from toolkit.models.expressions import Expression, Value
from toolkit.models.fields import FloatField, IntegerField
from toolkit.models.lookups import value_of
from toolkit.models.outputs import Typed, like, typed
from toolkit.models.windows import Over, WindowFunction

if TYPE_CHECKING:
    from toolkit.models.context import Context

Values = Sequence[Callable[..., Any] | None]


def _whole(name: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**31:
        raise FieldError(f"{name}({value!r}): that is no whole number from {least} on")
    return value


class _Plain(WindowFunction):
    """A function of the place alone."""

    function: ClassVar[str] = ""
    by_row: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()

    @classmethod
    def build_over(cls, context: Context, over: Over, argument: Typed, values: Values) -> Typed:
        import sqlalchemy as sa

        return over(getattr(sa.func, cls.function)(), by_row=cls.by_row, framed=False), IntegerField[Any]()


class RowNumber(_Plain):
    """The row's number, from 1 on."""

    function = "row_number"
    by_row = True


class Rank(_Plain):
    """The row's rank: equal rows have the same, and the next one's is as if they had not."""

    function = "rank"


class DenseRank(_Plain):
    """The row's rank without gaps: how many different values come before it, and one."""

    function = "dense_rank"


class _Share(_Plain):
    @classmethod
    def build_over(cls, context: Context, over: Over, argument: Typed, values: Values) -> Typed:
        return super().build_over(context, over, argument, values)[0], FloatField[Any]()


class PercentRank(_Share):
    """The rank as a share, from 0 for the first to 1: ``(rank - 1) / (rows - 1)``."""

    function = "percent_rank"


class CumeDist(_Share):
    """The share of the rows that come before this one or are its equals."""

    function = "cume_dist"


class Ntile(WindowFunction):
    """The number of the row's part, where the rows are dealt out into so many parts of one size.

    Args:
        num_buckets: How many parts.
    """

    def __init__(self, num_buckets: int = 1) -> None:
        super().__init__(None, _whole("Ntile", num_buckets, 1))

    @classmethod
    def build_over(cls, context: Context, over: Over, argument: Typed, values: Values) -> Typed:
        import sqlalchemy as sa

        count = [value(None, sa.Integer()) for value in values if value is not None]
        return over(sa.func.ntile(*count), by_row=True, framed=False), IntegerField[Any]()


class _Neighbour(WindowFunction):
    function: ClassVar[str] = ""

    def __init__(self, expression: str | Expression, offset: int = 1, default: Any = None) -> None:
        plain = default.value if isinstance(default, Value) else default
        if isinstance(plain, Expression):
            raise FieldError(
                f"{type(self).__name__}(default={default!r}): the default is a plain value",
                hint="Say Coalesce(Window(...), F(...)) for the value of a field.",
            )
        super().__init__(expression, _whole(type(self).__name__, offset, 0), plain)

    @classmethod
    def build_over(cls, context: Context, over: Over, argument: Typed, values: Values) -> Typed:
        import sqlalchemy as sa

        column, field = argument
        offset, default = values

        def found(what: Any) -> Any:
            steps = offset(None, sa.Integer()) if offset is not None else sa.literal_column("1")
            return over(getattr(sa.func, cls.function)(what, steps, type_=what.type), by_row=True, framed=False)

        if default is None:
            return found(column), like(field)
        convert = value_of(field, context.dialect) if field is not None else None
        given = typed(context.dialect, default(convert, field.sql_type() if field is not None else None), field)
        nobody = found(sa.literal_column("1", sa.Integer())).is_(None)  # MariaDB knows no default of its own
        return sa.case((nobody, given), else_=found(column)), like(field)


class Lag(_Neighbour):
    """What the row before has, or the one so many before.

    Args:
        expression: A field or an expression.
        offset: How many rows before.
        default: A plain value instead of None where there is no such row.
    """

    function = "lag"


class Lead(_Neighbour):
    """What the row behind has, or the one so many behind.

    Args:
        expression: A field or an expression.
        offset: How many rows behind.
        default: A plain value instead of None where there is no such row.
    """

    function = "lead"


class _OfFrame(WindowFunction):
    function: ClassVar[str] = ""

    @classmethod
    def build_over(cls, context: Context, over: Over, argument: Typed, values: Values) -> Typed:
        import sqlalchemy as sa

        column, field = argument
        given = [value(None, sa.Integer()) for value in values if value is not None]
        found = getattr(sa.func, cls.function)(column, *given, type_=column.type)
        return over(found, by_row=True), like(field)


class FirstValue(_OfFrame):
    """What the first row of the frame has.

    Args:
        expression: A field or an expression.
    """

    function = "first_value"

    def __init__(self, expression: str | Expression) -> None:
        super().__init__(expression)


class LastValue(_OfFrame):
    """What the last row of the frame has; without a frame that is this row.

    Args:
        expression: A field or an expression.
    """

    function = "last_value"

    def __init__(self, expression: str | Expression) -> None:
        super().__init__(expression)


class NthValue(_OfFrame):
    """What the row of this number in the frame has; None if it is not there, or not yet.

    Args:
        expression: A field or an expression.
        nth: Its number, from 1 on.
    """

    function = "nth_value"

    def __init__(self, expression: str | Expression, nth: int = 1) -> None:
        super().__init__(expression, _whole("NthValue", nth, 1))
