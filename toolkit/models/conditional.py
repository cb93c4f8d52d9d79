"""Expressions that choose: ``Case(When(weight__gt=3, then=Value("lead")), default=Value("brief"))``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.casts import read_as
from toolkit.models.comparisons import Structure
from toolkit.models.expressions import Expression, F, Q, as_expression
from toolkit.models.fields.several import refuse_several
from toolkit.models.outputs import Output, Typed, alike, common_of

if TYPE_CHECKING:
    from toolkit.models.context import Context
    from toolkit.models.fields.base import Field


class When(Expression):
    """One branch of a ``Case``.

    Args:
        condition: A ``Q``, or an expression that is true or false.
        then: The value: an expression, the name of a field, or a plain number or date. Text is a ``Value("text")``.
        lookups: The condition, as in ``filter()``.
    """

    def __init__(self, /, condition: Q | Expression | None = None, *, then: Any, **lookups: Any) -> None:
        given = [condition] if condition is not None else []
        self.condition = Q(*given, **lookups)
        if self.condition.is_empty():
            raise FieldError("When() needs a condition", hint="An empty Q() would be true of every row.")
        self.then = F(then) if isinstance(then, str) else as_expression(then)

    def __repr__(self) -> str:
        return f"When({self.condition!r}, then={self.then!r})"

    def lift(self, values: list[Any]) -> Structure:
        return (When, self.condition.lift(values), self.then.lift(values))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        raise FieldError("When() stands inside of Case()")


class Case(Expression):
    """The value of the first branch whose condition is true.

    Args:
        branches: What to choose from, in order.
        default: The value where no condition is true; NULL if not given.
        output_field: The field that reads the result, where the branches' own does not say enough.
    """

    def __init__(self, *branches: When, default: Any = None, output_field: Field[Any] | None = None) -> None:
        self.branches = branches
        self.default = F(default) if isinstance(default, str) else as_expression(default)
        self.output_field = output_field
        for branch in branches:
            if not isinstance(branch, When):
                raise FieldError(f"Case() takes When() objects, not {branch!r}")

    def __repr__(self) -> str:
        return f"Case({', '.join(map(repr, self.branches))}, default={self.default!r})"

    def lift(self, values: list[Any]) -> Structure:
        branches = tuple(branch.lift(values) for branch in self.branches)
        return (Case, branches, self.default.lift(values), Output.of(self.output_field))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        import sqlalchemy as sa

        _, branches, default, output = structure
        conditions = [context.condition(condition) for _, condition, _ in branches]
        if context.dialect == "mysql":
            _refuse_miscounted(conditions)
        computed = [context.expression(then) for then in (*(each[2] for each in branches), default)]
        refuse_several("Case()", [column for column, _ in computed])
        if output:
            computed = [read_as(context.dialect, value, output) for value in computed]
        columns, fields = [column for column, _ in computed], [field for _, field in computed]
        field = output.reading if output else common_of("Case()", fields)
        *results, otherwise = alike(field, columns, fields)
        if not branches:
            return otherwise, field
        return sa.case(*zip(conditions, results, strict=True), else_=otherwise), field


def _refuse_miscounted(conditions: Iterable[Any]) -> None:
    """Refuse a condition in which AND and OR stand inside of each other and one part looks at a window.

    MariaDB 10.11 takes ``CASE WHEN row_number() OVER (...) = 1 AND live OR ... THEN`` for false where it is true.

    Raises:
        FieldError: There is one.
    """
    from sqlalchemy.sql.elements import BooleanClauseList, Over
    from sqlalchemy.sql.visitors import iterate

    for condition in conditions:
        parts = list(iterate(condition))
        joined = sum(isinstance(part, BooleanClauseList) for part in parts)
        if joined > 1 and any(isinstance(part, Over) for part in parts):
            raise FieldError(
                "Case(): MariaDB takes a condition of & and | on a Window for false where it is true",
                hint="Give each part that is joined by | a When() of its own, or filter by the condition.",
            )
