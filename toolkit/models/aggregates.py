"""Aggregates, as values: ``Count("stories")``, ``Sum("words", filter=Q(status="live"))``.

How each is computed is in ``aggregating``; where, over groups or over the partners of a row, in ``sqlaggregates``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import FieldError
from toolkit.models.aggregating import (
    Place,
    bits_of,
    extreme_of,
    json_of,
    sum_of,
    text_of,
    truth_of,
)
from toolkit.models.averages import avg_of, spread_of
from toolkit.models.comparisons import Structure
from toolkit.models.expressions import Expression, ExpressionWrapper, F, Ordered, Q, Value, as_expression, no_condition
from toolkit.models.fields import Field, IntegerField
from toolkit.models.outputs import Output, Typed

if TYPE_CHECKING:
    from toolkit.models.context import Context
    from toolkit.models.windows import Over

INTEGER: IntegerField[int] = IntegerField()


class Aggregate(Expression):
    """One value out of many rows.

    A subclass names a ``function`` of the database, or says in ``build`` how its SQL is made.

    Args:
        name: The field, the relation or the expression to aggregate; ``"*"`` counts rows.
        distinct: Take each value once.
        filter: Only rows that meet this condition.
        default: A plain value instead of None where there are no rows.
        output_field: The field that reads the result, instead of the aggregate's own.

    Attributes:
        function: The database's function.
        read_by: That field, if one was given.
        is_ordered: Whether the result has an order; then it cannot look at a ``Window``.
        takes_null: Whether NULL is a value like others.
    """

    function: ClassVar[str] = ""
    is_ordered: ClassVar[bool] = False
    takes_null: ClassVar[bool] = False
    options: tuple[Any, ...] = ()
    order_by: tuple[Any, ...] = ()
    values: tuple[Any, ...] = ()

    def __init__(
        self,
        name: str | Expression | Q,
        *,
        distinct: bool = False,
        filter: Q | None = None,
        default: Any = None,
        output_field: Field[Any] | None = None,
    ) -> None:
        if not isinstance(name, str | Expression | Q):
            raise FieldError(f"{type(self).__name__}({name!r}): that is no name of a field and no expression")
        if filter is not None and not isinstance(filter, Q | Expression):
            raise no_condition(filter)
        self.name, self.distinct, self.filter, self.read_by = name, distinct, filter, output_field
        self.default = as_expression(default) if default is not None else None
        if self.default is not None and (isinstance(self, Count) or not isinstance(self.default, Value)):
            raise FieldError(
                f"{type(self).__name__}(default={default!r}): the default is a plain value instead of None",
                hint="Count() of no rows is 0. Say Coalesce(Subquery(...), F(...)) for the value of a field.",
            )
        if name == "*" and (distinct or not isinstance(self, Count)):
            raise FieldError(f"{type(self).__name__}('*'): only Count('*') counts rows", hint="Name a field.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def default_alias(self) -> str:
        """The name that an unnamed aggregate gets, as in Django: ``stories__count``."""
        if not isinstance(self.name, str):
            raise AttributeError(f"{self!r} needs a name")
        return f"{self.name}__{type(self).__name__.lower()}"

    def lift(self, values: list[Any]) -> Structure:
        bare = self.lift_bare(values)
        return bare if self.read_by is None else (ExpressionWrapper, bare, Output.of(self.read_by))

    def lift_bare(self, values: list[Any]) -> Structure:
        """The structure without the field that was given to read it: what stands in a ``Window``."""
        inner = (F, self.name) if isinstance(self.name, str) else self.name.lift(values)
        condition = self.filter.lift(values) if self.filter is not None else None
        default = self.default.lift(values) if self.default is not None else None
        order = tuple(item.lift(values) for item in self.order_by)
        start = len(values)
        values.extend(self.values)
        return (type(self), inner, self.distinct, condition, default, order, self.options, start)

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        return context.aggregate(structure)

    @classmethod
    def compile_over(cls, context: Context, structure: Structure, over: Over) -> Typed:
        """SQL of the aggregate over a window, and the field that reads it."""
        return context.aggregate(structure, over)

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        """SQLAlchemy's expression, and the field that reads it.

        Args:
            place: Where the aggregate stands; each function of the database goes through ``place.call``.
            column: What is aggregated.
        """
        import sqlalchemy as sa

        return place.call(getattr(sa.func, cls.function)(place.each(column))), place.field


class Count(Aggregate):
    """How many."""

    function = "count"

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        return super().build(place, column)[0], INTEGER


class Min(Aggregate):
    """The smallest."""

    function = "min"

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        return extreme_of(place, column, cls.__name__, cls.function)


class Max(Min):
    """The largest."""

    function = "max"


class AnyValue(Min):
    """One of the values that are there: the smallest, so that two builds agree."""


class Sum(Aggregate):
    """All added up; None of no rows."""

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        return sum_of(place, column)


class Avg(Aggregate):
    """The arithmetic mean: of whole numbers a float; None of no rows."""

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        return avg_of(place, column)


class _Spread(Aggregate):
    def __init__(
        self,
        name: str | Expression,
        *,
        sample: bool = False,
        filter: Q | None = None,
        default: Any = None,
        output_field: Field[Any] | None = None,
    ) -> None:
        super().__init__(name, filter=filter, default=default, output_field=output_field)
        self.options = (sample,)

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        return spread_of(place, column, cls.__name__, cls.function)


class StdDev(_Spread):
    """The standard deviation: of all rows, or with ``sample=True`` of a sample (None if that is of one row)."""

    function = "stddev"


class Variance(_Spread):
    """The variance: of all rows, or with ``sample=True`` of a sample (None if that is of one row)."""

    function = "var"


class BoolAnd(Aggregate):
    """Whether all are true, of a field or a condition; None of no rows."""

    function = "min"

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        return truth_of(place, column, cls.__name__, cls.function)


class BoolOr(BoolAnd):
    """Whether any is true, of a field or a condition; None of no rows."""

    function = "max"


class BitAnd(Aggregate):
    """The bits that all whole numbers have; None of no rows."""

    function = "bit_and"

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        return bits_of(place, column, cls.__name__, cls.function)


class BitOr(BitAnd):
    """The bits that any of the whole numbers has; None of no rows."""

    function = "bit_or"


class BitXor(BitAnd):
    """The bits that an odd number of the whole numbers has; None of no rows."""

    function = "bit_xor"


class _InOrder(Aggregate):
    """An aggregate whose result is in an order. The primary key decides between equals."""

    is_ordered = True

    def __init__(
        self,
        name: str | Expression,
        *,
        distinct: bool = False,
        filter: Q | None = None,
        default: Any = None,
        order_by: Any = None,
    ) -> None:
        super().__init__(name, distinct=distinct, filter=filter, default=default)
        listed = order_by if isinstance(order_by, list | tuple) else [] if order_by is None else [order_by]
        self.order_by = tuple(_ordered(type(self).__name__, item) for item in listed)
        value = F(name) if isinstance(name, str) else name
        if distinct and any(item.inner != value for item in self.order_by):
            raise FieldError(
                f"{type(self).__name__}(distinct=True): each value comes once, and can only be ordered by itself",
                hint="Leave out order_by, or turn it round with a minus.",
            )


def _ordered(name: str, item: Any) -> Ordered:
    if isinstance(item, Ordered):
        return item
    if isinstance(item, str):
        return Ordered(F(item.removeprefix("-")), descending=item.startswith("-"))
    if not isinstance(item, Expression):
        raise FieldError(f"{name}(order_by={item!r}): that is no name of a field and no expression")
    return Ordered(item, descending=False)


class StringAgg(_InOrder):
    """Texts joined into one; None of no rows: ``StringAgg("tags__name", ", ", order_by="tags__name")``.

    Args:
        name: The field or the expression.
        delimiter: What stands between them.
        distinct: Take each text once, in the order of the texts.
        filter: Only rows that meet this condition.
        default: A plain value instead of None where there are no rows.
        order_by: In which order, by default that of the primary keys: one name or expression, or several.
    """

    def __init__(
        self,
        name: str | Expression,
        delimiter: str | Value,
        *,
        distinct: bool = False,
        filter: Q | None = None,
        default: Any = None,
        order_by: Any = None,
    ) -> None:
        super().__init__(name, distinct=distinct, filter=filter, default=default, order_by=order_by)
        text = delimiter.value if isinstance(delimiter, Value) else delimiter
        if not isinstance(text, str) or "\x00" in text:
            raise FieldError(f"StringAgg(delimiter={delimiter!r}): that is no text", hint='Such as ", ".')
        self.values = (text,)

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        return text_of(place, column)


class JSONArrayAgg(_InOrder):
    """All values as a list, NULLs as None: text, numbers, truth, or JSON; None of no rows.

    Args:
        name: The field or the expression.
        distinct: Take each value once, in the order of the values.
        filter: Only rows that meet this condition.
        default: A list instead of None where there are no rows.
        order_by: In which order, by default that of the primary keys: one name or expression, or several.
    """

    takes_null = True

    def __init__(
        self,
        name: str | Expression,
        *,
        distinct: bool = False,
        filter: Q | None = None,
        default: Any = None,
        order_by: Any = None,
    ) -> None:
        super().__init__(name, distinct=distinct, filter=filter, order_by=order_by)
        if default is not None and (not isinstance(default, Value) and default != []):
            raise FieldError(f"JSONArrayAgg(default={default!r}): the default is the empty list", hint="default=[].")
        self.options = (default is not None,)

    @classmethod
    def build(cls, place: Place, column: Any) -> Typed:
        return json_of(place, column)


_OF_NOTHING: Mapping[type, Any] = {Count: 0, Sum: None, Avg: None, Min: None, Max: None}


def of_nothing(totals: Mapping[str, Any]) -> dict[str, Any] | None:
    """Totals of no rows; None where the database has to say some of them."""
    if all(type(each) in _OF_NOTHING and each.default is each.read_by is None for each in totals.values()):
        return {name: _OF_NOTHING[type(each)] for name, each in totals.items()}
    return None
