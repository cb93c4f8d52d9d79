"""Aggregates, as values: ``Count("stories")``, ``Sum("words", filter=Q(status="live"))``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import FieldError
from toolkit.models.expressions import Expression, F, Q, Structure, Value, as_expression
from toolkit.models.outputs import Typed

if TYPE_CHECKING:
    from toolkit.models.context import Context


class Aggregate(Expression):
    """One value out of many rows.

    Args:
        name: The field, or the relation, to aggregate; ``"*"`` counts rows.
        distinct: Count each value once.
        filter: Only rows that meet this condition.
        default: A plain value instead of None where there are no rows.

    Attributes:
        sample: The rows are a sample of all that there are, for ``StdDev`` and ``Variance``.
    """

    function: ClassVar[str] = ""
    sample: bool = False

    def __init__(
        self, name: str | Expression, *, distinct: bool = False, filter: Q | None = None, default: Any = None
    ) -> None:
        self.name, self.distinct, self.filter = name, distinct, filter
        self.default = as_expression(default) if default is not None else None
        if self.default is not None and (self.function == "count" or not isinstance(self.default, Value)):
            raise FieldError(
                f"{type(self).__name__}(default={default!r}): the default is a plain value instead of None",
                hint="Count() of no rows is 0. Say Coalesce(Subquery(...), F(...)) for the value of a field.",
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def default_alias(self) -> str:
        """The name that an unnamed aggregate gets, as in Django: ``stories__count``."""
        return f"{self.name}__{self.function}"

    def lift(self, values: list[Any]) -> Structure:
        inner = self.name.lift(values) if isinstance(self.name, Expression) else (F, self.name)
        condition = self.filter.lift(values) if self.filter is not None else None
        default = self.default.lift(values) if self.default is not None else None
        return (type(self), inner, self.distinct, condition, default, self.sample)

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        return context.aggregate(structure)


class Count(Aggregate):
    """How many."""

    function = "count"


class Min(Aggregate):
    """The smallest."""

    function = "min"


class Max(Aggregate):
    """The largest."""

    function = "max"


class Sum(Aggregate):
    """All added up; None of no rows."""

    function = "sum"


class Avg(Aggregate):
    """The arithmetic mean; None of no rows."""

    function = "avg"


class _Spread(Aggregate):
    def __init__(
        self,
        name: str | Expression,
        *,
        sample: bool = False,
        filter: Q | None = None,
        default: Any = None,
    ) -> None:
        super().__init__(name, filter=filter, default=default)
        self.sample = sample


class StdDev(_Spread):
    """The standard deviation: of all rows, or with ``sample=True`` of a sample (None if that is of one row)."""

    function = "stddev"


class Variance(_Spread):
    """The variance: of all rows, or with ``sample=True`` of a sample (None if that is of one row)."""

    function = "variance"
