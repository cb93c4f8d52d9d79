"""From the structure of an aggregate to SQL: over the groups of a SELECT, or over the partners of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.conditions import partners
from toolkit.models.context import Context
from toolkit.models.expressions import F
from toolkit.models.fields import FloatField, IntegerField
from toolkit.models.fields.several import columns_of
from toolkit.models.functions.comparison import Coalesce
from toolkit.models.functions.math import check_numbers
from toolkit.models.outputs import Typed
from toolkit.models.paths import anchor_of

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler

INTEGER: IntegerField[int] = IntegerField()
FLOAT: FloatField[float] = FloatField()


def aggregate(context: Context, structure: Any) -> Typed:
    """SQL of a lifted aggregate, and the field that reads it."""
    found = _over_groups(context, structure) if context.grouped else _per_row(context, structure)
    default = structure[4]
    return found if default is None else context.call(Coalesce, [found, context.expression(default)])


def _over_groups(context: Context, structure: Any) -> Typed:
    kind, inner, distinct, filtered, _, sample = structure
    column, field = _aggregated(context, inner)
    if filtered is not None:
        import sqlalchemy as sa

        column = sa.case((context.condition(filtered), column))
    return _call(context.compiler, kind.function, column, field, distinct=distinct, sample=sample)


def _aggregated(context: Context, inner: Any) -> Typed:
    if inner == (F, "*"):
        return context.node.keys[0], INTEGER
    return context.expression(inner)


def _call(compiler: Compiler, function: str, column: Any, field: Any, *, distinct: bool, sample: bool) -> Typed:
    import sqlalchemy as sa

    first, *more = columns_of(column)
    if more and (distinct or function != "count"):
        raise FieldError(
            f"{function}() of {getattr(field, 'name', 'pk')!r}, which is several columns, is not possible",
            hint="Name one of its fields, or count without distinct.",
        )
    if function in ("stddev", "variance"):
        return _spread(compiler.dialect, function, first, field, sample=sample)
    call = getattr(sa.func, function)(column.distinct() if distinct else first)
    if function == "count":
        return call, INTEGER
    if function == "avg":
        return sa.cast(call, sa.Double()) if compiler.dialect != "sqlite" else call, FLOAT
    if function == "sum" and isinstance(field, IntegerField) and compiler.dialect != "sqlite":
        return sa.cast(call, sa.BigInteger()), field  # a server's sum of bigint is a decimal number
    return call, field


def _spread(dialect: str, function: str, column: Any, field: Any, *, sample: bool) -> Typed:
    """How far numbers lie apart, computed in floating point."""
    import sqlalchemy as sa

    check_numbers("StdDev" if function == "stddev" else "Variance", [field])
    short = "var" if function == "variance" else function
    name = f"{'toolkit_' if dialect == 'sqlite' else ''}{short}_{'samp' if sample else 'pop'}"
    return getattr(sa.func, name)(sa.cast(column, sa.Double()), type_=sa.Double()), FLOAT


def _per_row(context: Context, structure: Any) -> Typed:
    """An aggregate over the partners of each row, as a subquery of its own: ``annotate(n=Count("stories"))``."""
    import sqlalchemy as sa

    kind, inner, distinct, filtered, _, sample = structure
    if inner[0] is not F:
        raise FieldError("an aggregate in annotate() takes the name of a relation, such as Count('stories')")
    resolved = context.resolve(inner[1])
    if resolved.many is None:
        raise FieldError(
            f"{context.node.model.__name__}: an aggregate of {inner[1]!r} in annotate() is over one row",
            hint="Name a many-valued relation, group with values() first, or use aggregate().",
        )
    below, link, clause = partners(context.compiler, resolved.many, resolved.node.model)
    place = context.below(below, inner[1], resolved.rest, grouped=True)
    column, field = place.expression(inner)
    if filtered is not None:
        below.selection.where.append(place.condition(filtered))
    call, field = _call(below, kind.function, column, field, distinct=distinct, sample=sample)
    where = below.where()
    source = clause(below)
    anchor = anchor_of(context.compiler, resolved.node, resolved.many)
    chosen = sa.select(call).select_from(source).where(link == anchor, *where)
    return chosen.correlate_except(source).scalar_subquery(), field
