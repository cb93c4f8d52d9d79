"""From the structure of an expression to SQL: columns, values, arithmetic, functions, aggregates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from toolkit.errors import FieldError
from toolkit.models.conditions import Values, condition, partners
from toolkit.models.fields import DateField, DateTimeField, FloatField, IntegerField, UUIDField
from toolkit.models.lookups import LookupContext
from toolkit.models.paths import Node, Resolved, resolve
from toolkit.models.shapes import Bind

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler

Typed = tuple[Any, Any]
"""(SQLAlchemy expression, field that reads its values or None)."""


class _PlainDecimal:
    """Writes a decimal number without a field's bounds."""

    def db_writer(self, dialect: str) -> Any:
        return float if dialect == "sqlite" else None


_VALUES: dict[type, Any] = {
    datetime: DateTimeField[datetime](),
    date: DateField[date](),
    Decimal: _PlainDecimal(),
    UUID: UUIDField[UUID](),
}
"""Fields that write the values of these types."""

INTEGER: IntegerField[int] = IntegerField()
FLOAT: FloatField[float] = FloatField()


def expression(compiler: Compiler, structure: Any, node: Node, values: Values, *, grouped: bool = False) -> Typed:
    """SQL of a lifted expression, seen from a table.

    Args:
        compiler: The compiler.
        structure: What ``Expression.lift`` gave.
        node: The table that names start from.
        values: Where the values are.
        grouped: Aggregates are over the groups of this SELECT; otherwise each is a subquery per row.
    """
    kind = structure[0]
    return _BUILDERS[kind](compiler, structure, node, values, grouped)


def _field(compiler: Compiler, structure: Any, node: Node, values: Values, grouped: bool) -> Typed:
    name = structure[1]
    if node is compiler.root and name in compiler.annotations:
        return compiler.annotations[name]
    resolved = resolve(compiler, name, node, joined=grouped)
    if resolved.many is not None or resolved.rest:
        raise FieldError(f"{node.model.__name__}: the expression {name!r} is not a field of one row")
    return resolved.column, resolved.field


def _value(compiler: Compiler, structure: Any, node: Node, values: Values, grouped: bool) -> Typed:
    import sqlalchemy as sa

    found = values(structure[1])
    field = _VALUES.get(structure[2])
    if field is None:
        if issubclass(structure[2], timedelta) and compiler.dialect == "sqlite":
            raise FieldError("SQLite cannot add a timedelta to an instant", hint="Compute the instant in Python.")
        return compiler.binds.add(Bind(found.source, found.value)), None
    kind = sa.Numeric() if structure[2] is Decimal else field.sql_type()
    return compiler.binds.add(Bind(found.source, found.value, field.db_writer(compiler.dialect)), kind), None


def _now(compiler: Compiler, structure: Any, node: Node, values: Values, grouped: bool) -> Typed:
    raise FieldError(
        "Now() stands alone on the right side of a comparison, so that it is known when the answer changes",
        hint="Write filter(published__lte=Now()).",
    )


def _combined(compiler: Compiler, structure: Any, node: Node, values: Values, grouped: bool) -> Typed:
    _, operator, left, right = structure
    first, field = expression(compiler, left, node, values, grouped=grouped)
    second, other = expression(compiler, right, node, values, grouped=grouped)
    joined = {
        "+": lambda: first + second,
        "-": lambda: first - second,
        "*": lambda: first * second,
        "/": lambda: first / second,
    }[operator]()
    return joined, field or other


def _ordered(compiler: Compiler, structure: Any, node: Node, values: Values, grouped: bool) -> Typed:
    return expression(compiler, structure[2], node, values, grouped=grouped)


def _function(compiler: Compiler, structure: Any, node: Node, values: Values, grouped: bool) -> Typed:
    _, function, inner, start, count = structure
    arguments = [expression(compiler, item, node, values, grouped=grouped) for item in inner]
    column, field = arguments[0] if arguments else (None, None)
    used = iter(range(count))

    def bind(convert: Callable[[Any], Any] | None = None) -> Any:
        found = values(start + next(used))
        return compiler.binds.add(Bind(found.source, found.value, convert))

    def bind_each(convert: Callable[[Any], Any] | None = None) -> list[Any]:
        return [bind(convert) for _ in range(count)]

    context = LookupContext(
        column, field, compiler.dialect, node.table, node.model._meta.table, node.pk, bind, bind_each
    )
    built = function.build(context, *(argument for argument, _ in arguments))
    return built, _Computed(function.reader)


class _Computed:
    """Stands in for a field where a function gives the value."""

    is_relation = False
    null = True
    lookups: dict[str, Any] = {}

    def __init__(self, reader: Callable[[str], Any]) -> None:
        self.db_reader = reader

    def db_writer(self, dialect: str) -> None:
        return None

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Double()


def _aggregate(compiler: Compiler, structure: Any, node: Node, values: Values, grouped: bool) -> Typed:
    _, function, inner, distinct, filtered = structure
    if not grouped:
        return _per_row(compiler, structure, node, values)
    column, field = _aggregated(compiler, inner, node, values)
    if filtered is not None:
        import sqlalchemy as sa

        column = sa.case((condition(compiler, filtered, node, values), column))
    return _call(compiler, function, column, field, distinct=distinct)


def _aggregated(compiler: Compiler, inner: Any, node: Node, values: Values) -> Typed:
    if inner == ("f", "*"):
        return node.pk, INTEGER
    return expression(compiler, inner, node, values, grouped=True)


def _call(compiler: Compiler, function: str, column: Any, field: Any, *, distinct: bool) -> Typed:
    import sqlalchemy as sa

    call = getattr(sa.func, function)(column.distinct() if distinct else column)
    if function == "count":
        return call, INTEGER
    if function == "avg":
        return sa.cast(call, sa.Double()) if compiler.dialect != "sqlite" else call, FLOAT
    if function == "sum" and isinstance(field, IntegerField) and compiler.dialect != "sqlite":
        return sa.cast(call, sa.BigInteger()), field  # a server's sum of bigint is a decimal number
    return call, field


def _per_row(compiler: Compiler, structure: Any, node: Node, values: Values) -> Typed:
    """An aggregate over the partners of each row, as a subquery of its own: ``annotate(n=Count("stories"))``."""
    import sqlalchemy as sa

    _, function, inner, distinct, filtered = structure
    resolved = _partner_path(compiler, inner, node)
    below, link, clause = partners(compiler, resolved.many)
    name = "__".join(resolved.rest) or "pk"
    column, field = expression(below, ("f", name), below.root, values, grouped=True)
    if filtered is not None:
        below.selection.where.append(_inner_filter(below, filtered, resolved, inner[1], values))
    call, field = _call(below, function, column, field, distinct=distinct)
    where = below.where()
    chosen = sa.select(call).select_from(clause(below)).where(link == resolved.node.pk, *where)
    return chosen.correlate(resolved.node.table).scalar_subquery(), field


def _partner_path(compiler: Compiler, inner: Any, node: Node) -> Resolved:
    if inner[0] != "f":
        raise FieldError("an aggregate in annotate() takes the name of a relation, such as Count('stories')")
    resolved = resolve(compiler, inner[1], node)
    if resolved.many is None:
        raise FieldError(
            f"{node.model.__name__}: an aggregate of {inner[1]!r} in annotate() is over one row",
            hint="Name a many-valued relation, group with values() first, or use aggregate().",
        )
    return resolved


def _inner_filter(below: Compiler, structure: Any, resolved: Resolved, path: str, values: Values) -> Any:
    """The filter of an aggregate, whose names start at the outer model, seen from the partner."""
    prefix = path.removesuffix("__".join(("", *resolved.rest))) + "__"
    return condition(below, _rebased(structure, prefix), below.root, values)


def _rebased(structure: Any, prefix: str) -> Any:
    if structure[0] == "q":
        return (*structure[:3], tuple(_rebased(child, prefix) for child in structure[3]))
    if not structure[0].startswith(prefix):
        raise FieldError(
            f"the filter of an aggregate names {structure[0]!r}, which is not of the rows it counts",
            hint=f"Begin its names with {prefix!r}.",
        )
    return (structure[0].removeprefix(prefix), *structure[1:])


_BUILDERS: dict[str, Callable[[Any, Any, Any, Any, bool], Typed]] = {
    "f": _field,
    "value": _value,
    "now": _now,
    "op": _combined,
    "ordered": _ordered,
    "function": _function,
    "aggregate": _aggregate,
}
