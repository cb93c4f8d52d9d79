"""Where aggregates are computed: over the groups of a SELECT, over the partners of each row, or over a window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.lazily import LazyModule
from toolkit.models.aggregating import Place
from toolkit.models.conditions import partners
from toolkit.models.context import Context
from toolkit.models.crossings import Crossing, by_one_way, seen_partners
from toolkit.models.expressions import F
from toolkit.models.fields import IntegerField
from toolkit.models.fields.several import columns_of, is_not_null, together
from toolkit.models.nodes import Node
from toolkit.models.orderings import Directed, row_keys
from toolkit.models.outputs import Typed
from toolkit.models.paths import Resolved, anchor_of
from toolkit.models.splitting import iter_aggregates
from toolkit.models.structures import is_among_names, iter_names
from toolkit.models.windows import Over, refuse_windows

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler
    from toolkit.models.functions import comparison
else:
    comparison = LazyModule("toolkit.models.functions.comparison")

INTEGER: IntegerField[int] = IntegerField()


def aggregate(context: Context, structure: Any, over: Over | None = None) -> Typed:
    """SQL of a lifted aggregate, and the field that reads it.

    Args:
        context: Where it stands.
        structure: What ``Aggregate.lift`` gave.
        over: The window that it looks at, if it does.
    """
    kind, inner, _, condition, default, order, *_ = structure
    if over is None and context.grouped and context.compiler.apart is not None:
        return context.compiler.apart(structure)
    if over is None:
        refuse_windows(context.compiler, (inner, condition, *order), f"{kind.__name__}()")
        _refuse_nested(context, kind, inner)
        found = _over_groups(context, structure) if context.grouped else _per_row(context, structure)
    else:
        found = _over_window(context, structure, over)
    found = found if default is None else context.call(comparison.Coalesce, [found, context.expression(default)])
    if over is None and context.grouped:
        context.compiler.totals.append(found[0])
    return found


def _refuse_nested(context: Context, kind: Any, inner: Any) -> None:
    """Refuse an aggregate of an aggregate over the same rows.

    Raises:
        FieldError: It is one.
    """
    model = context.compiler.model
    at_root = context.grouped and context.node is context.compiler.root
    known = context.compiler.selection.aggregates if at_root else ()
    if any(iter_aggregates(inner)) or any(is_among_names(name, known, model) for name in iter_names(inner)):
        raise FieldError(
            f"{context.node.model.__name__}: {kind.__name__}() of what is an aggregate itself",
            hint="Aggregate the groups: values(...).annotate(n=Count(...)).aggregate(Max('n')).",
        )


def _over_groups(context: Context, structure: Any) -> Typed:
    return _built(context, structure, lambda function: function)


def _over_window(context: Context, structure: Any, over: Over) -> Typed:
    kind, _, distinct, *_ = structure
    if distinct or kind.is_ordered:
        raise FieldError(
            f"{kind.__name__}({'distinct=True' if distinct else ''}) cannot look at a window: databases have no such "
            "thing",
            hint="Use a Subquery, or group in a question of its own.",
        )
    return _built(context, structure, over)


def _built(context: Context, structure: Any, call: Callable[[Any], Any]) -> Typed:
    """The SQL that the aggregate's class makes."""
    import sqlalchemy as sa

    kind, inner, distinct, condition, _, order, options, start = structure
    compiler = context.compiler
    before, compiler.crossed = compiler.crossed, set()
    column, field = _aggregated(context, inner)
    column = _one_column(compiler.dialect, column, field, kind, distinct=distinct)
    inside = replace(context, joins=frozenset(compiler.crossed))  # what is filtered by does not multiply
    _refuse_crossed(context, kind, inner, compiler.crossed, unharmed=distinct or kind.function in ("min", "max"))
    directed = [each for item in order for each in _directed(inside, item)]
    if context.grouped:
        unharmed = distinct or kind.function in ("min", "max")
        compiler.crossings.append((compiler.naming or f"{kind.__name__}()", frozenset(compiler.crossed), unharmed))
    compiler.crossed |= before
    met = inside.condition(condition) if condition is not None else None
    if met is not None and not kind.takes_null:
        column = sa.case((met, column))
    if kind.is_ordered:
        directed = _whole_order(compiler, column, directed, distinct=distinct)
    place = Place(
        compiler.dialect,
        field,
        distinct,
        options,
        call,
        lambda number: context.bind(start + number),
        [(one.column, one.down) for one in directed],
        [part for one in directed for part in compiler.directed(one)],
        met if kind.takes_null else None,
    )
    built = kind.build(place, column)
    if not isinstance(built, tuple):
        raise FieldError(
            f"{kind.__name__}.build() gives {type(built).__name__}, not a pair",
            hint="Give SQLAlchemy's expression and the field that reads it: return place.call(...), place.field.",
        )
    return built


def _whole_order(compiler: Compiler, column: Any, said: Sequence[Directed], *, distinct: bool) -> list[Directed]:
    """An aggregate's order, in which no two rows are equal; of distinct values, that of the values."""
    if distinct:
        return [Directed(column, down=bool(said and said[-1].down))]
    return [*said, *(Directed(key, down=False) for key in row_keys(compiler))]


def _directed(context: Context, item: Any) -> list[Directed]:
    """A member of an aggregate's order; NULL comes first, and last where it is turned round, unless said otherwise."""
    _, down, nulls, inner = item
    column, field = context.expression(inner)
    keys = [column] if field is None else field.sort_keys(column, context.dialect)
    found = [Directed(each, down) for key in keys for each in columns_of(key)]
    return [Directed(found[0].column.is_(None), down=nulls == "first"), *found] if nulls else found


def _aggregated(context: Context, inner: Any) -> Typed:
    import sqlalchemy as sa

    if inner == _EVERY_ROW:
        return sa.literal_column("1"), INTEGER
    return context.expression(inner)


def _one_column(dialect: str, column: Any, field: Any, kind: Any, *, distinct: bool) -> Any:
    """What is aggregated, where it is several columns: they can be counted, if each has a value.

    Raises:
        FieldError: Something else is made of them than a number.
    """
    import sqlalchemy as sa

    columns = columns_of(column)
    if len(columns) == 1:
        return columns[0]
    if kind.function != "count":
        raise FieldError(
            f"{kind.__name__}() of {getattr(field, 'name', 'pk')!r}, which is several columns, is not possible",
            hint="Name one of its fields; Count() takes them together.",
        )
    each = together(dialect, columns) if distinct else columns[0]
    return sa.case((is_not_null(column), each))


def _refuse_crossed(context: Context, kind: Any, inner: Any, crossed: Iterable[Node], *, unharmed: bool) -> None:
    """Refuse an aggregate whose rows are multiplied by a relation that it does not follow to its end.

    Raises:
        FieldError: It follows two relations to many, side by side.
    """
    if not unharmed and not _on_one_path(context.compiler.root, set(crossed)):
        raise FieldError(
            f"{context.node.model.__name__}: {kind.__name__}() of {', '.join(map(repr, iter_names(inner)))} follows "
            "two relations to many, and each would multiply the other's rows",
            hint="Aggregate each in an annotation of its own, and compute with those.",
        )


def _on_one_path(node: Node, crossed: set[Node]) -> bool:
    """Whether all these tables lie on one way down from a table."""
    below = [
        child for child in node.children.values() if child in crossed or not crossed.isdisjoint(child.descendants())
    ]
    return not below or (len(below) == 1 and _on_one_path(below[0], crossed))


def _per_row(context: Context, structure: Any) -> Typed:
    """An aggregate over the partners of each row, as a subquery of its own: ``annotate(n=Count("stories"))``."""
    import sqlalchemy as sa

    if structure[1] == _EVERY_ROW:
        raise _of_one_row(context, "'*'")
    structure, keys = by_one_way(context, structure)
    kind, inner, _, filtered, default, *rest = structure
    name, resolved = _crossing(context, kind, inner)
    below, link, clause = partners(context.compiler, resolved.many, resolved.node.model)
    place = context.below(below, name, resolved.rest, grouped=True)
    call, field = _built(place, (kind, inner, structure[2], None, default, *rest), lambda function: function)
    below.selection.where += seen_partners(below, keys.get(Crossing(name, context, resolved).key, ()))
    if filtered is not None:
        met = replace(place, joins=frozenset(below.crossed))
        below.selection.where.append(met.condition(filtered))
    where = below.where()
    source = clause(below)
    anchor = anchor_of(context.compiler, resolved.node, resolved.many)
    chosen = sa.select(call).select_from(source).where(link == anchor, *where)
    return chosen.correlate_except(source).scalar_subquery(), field


_EVERY_ROW = (F, "*")


def _of_one_row(context: Context, told: str) -> FieldError:
    return FieldError(
        f"{context.node.model.__name__}: an aggregate of {told} in annotate() is over one row",
        hint="Name a many-valued relation, group with values() first, or use aggregate().",
    )


def _crossing(context: Context, kind: Any, inner: Any) -> tuple[str, Resolved]:
    """The many-valued relation that an aggregate in ``annotate()`` is over, and a name that leads there.

    Raises:
        FieldError: There is none, or more than one.
    """
    found: dict[Any, tuple[str, Resolved]] = {}
    names = list(dict.fromkeys(iter_names(inner)))
    for name in names:
        resolved = context.resolve(name)
        if resolved.many is not None:
            found.setdefault((id(resolved.node), id(resolved.many)), (name, resolved))
    model, told = context.node.model.__name__, ", ".join(map(repr, names))
    if not found:
        for name in names:
            context.column(name)  # a mistyped one is told first
        raise _of_one_row(context, told or "a constant")
    if len(found) > 1:
        raise FieldError(
            f"{model}: {kind.__name__}() of {told} follows two relations to many, and each would multiply the other's "
            "rows",
            hint="Aggregate each in an annotation of its own, and compute with those.",
        )
    return next(iter(found.values()))
