"""The SELECT of a compiled question: its conditions, groups and tables, and the windows that look at its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.layers import is_layered, layered, places_of
from toolkit.models.limits import refuse_many_inside
from toolkit.models.nodes import Node
from toolkit.models.orderings import no_place, order_by

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler


def select(compiler: Compiler, columns: Sequence[Any], *, ordered: bool = True, where: Sequence[Any] = ()) -> Any:
    """A SELECT of these columns with everything but the slice.

    Args:
        compiler: The compiler of the question.
        columns: What to select.
        ordered: In the question's order.
        where: Further conditions on rows.
    """
    if is_layered(compiler, columns, ordered=ordered):
        return layered(compiler, columns, ordered=ordered, where=where)
    compiler.places = places_of(compiler, columns)
    order = order_by(compiler) if ordered else []
    statement = plain_select(compiler, columns, where=where)
    if compiler.selection.distinct and compiler.selection.values is not None:  # rows with their key are distinct anyway
        statement = statement.distinct()
    return statement.order_by(*order) if order else statement


def plain_select(
    compiler: Compiler, columns: Sequence[Any], *, where: Sequence[Any] = (), outside: Sequence[Any] = ()
) -> Any:
    """A SELECT of rows or groups, in no order, before any of them is left out for what is known of it last.

    Args:
        compiler: The compiler of the question.
        columns: What to select.
        where: Further conditions on rows.
        outside: The conditions on groups that a SELECT around this one takes up.
    """
    import sqlalchemy as sa

    conditions = [*compiler.where(), *where]
    groups = [compiler.places.get(id(column), column) for column in groups_of(compiler)]
    compiler.places = {}
    source = compiler.from_clause()
    refuse_many_inside(compiler.model, conditions)
    statement = sa.select(*columns).select_from(source).where(*conditions)
    if compiler.inner:
        statement = statement.correlate_except(source)  # other tables are those of the questions around
    if groups:
        statement = statement.group_by(*(no_place(compiler.dialect, column) for column in groups))
    having = [each for each in compiler.selection.having if all(each is not other for other in outside)]
    if having:
        statement = statement.having(*having)
    return statement


def groups_of(compiler: Compiler) -> list[Any]:
    """The columns to group by; refuses aggregates that would multiply each other."""
    chosen = compiler.selection
    if not chosen.grouped:
        return []
    compiler.crossed = set()
    groups = compiler.value_columns(chosen.groups)
    _refuse_multiplied(compiler, frozenset(compiler.crossed))
    return groups


Crossed = tuple[str, frozenset[Node], bool]
"""Of an aggregate: how it is called, the joins to many rows that it follows, and whether others do it no harm."""


def multiplied(crossings: Sequence[Crossed], grouping: frozenset[Node] = frozenset()) -> str | None:
    """An aggregate whose rows are multiplied by the joins of others; None if there is none.

    Args:
        crossings: Of all aggregates of one SELECT.
        grouping: The joins that make the groups.
    """
    every = frozenset().union(*(crossed for _, crossed, _ in crossings)) - grouping
    return next((name for name, crossed, unharmed in crossings if not unharmed and not every <= crossed), None)


def _refuse_multiplied(compiler: Compiler, grouping: frozenset[Node]) -> None:
    """Two joins to many rows each multiply the other's counts; in one SELECT both cannot be right."""
    name = multiplied(compiler.crossings, grouping)
    if name is not None:
        raise FieldError(
            f"{compiler.model.__name__}: {name} would be multiplied by the other aggregates' rows",
            hint="Give it distinct=True, or annotate() without values(), where each aggregate stands alone.",
        )
