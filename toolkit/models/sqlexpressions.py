"""From the structure of an expression to SQL: what an expression is told of the place where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError, did_you_mean
from toolkit.models.conditions import Values, condition, partners
from toolkit.models.expressions import F
from toolkit.models.fields import FloatField, IntegerField
from toolkit.models.outputs import Typed
from toolkit.models.paths import Node, Resolved, resolve
from toolkit.models.shapes import Bind
from toolkit.models.transforms import function_context, transformed

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler

INTEGER: IntegerField[int] = IntegerField()
FLOAT: FloatField[float] = FloatField()


@dataclass(frozen=True)
class Context:
    """Where an expression stands, for ``Expression.compile``.

    Args:
        compiler: The compiler of the SELECT.
        node: The table that names start from.
        values: Where the values are.
        grouped: Aggregates are over the groups of this SELECT; otherwise each is a subquery per row.
    """

    compiler: Compiler
    node: Node
    values: Values
    grouped: bool = False

    @property
    def dialect(self) -> str:
        """``"sqlite"``, ``"postgresql"`` or ``"mysql"``."""
        return self.compiler.dialect

    def expression(self, structure: Any) -> Typed:
        """SQL of an expression inside of this one."""
        if structure[0] == "q":
            return self.condition(structure), _boolean()
        found: Typed = structure[0].compile(self, structure)
        return found

    def condition(self, structure: Any) -> Any:
        """SQL of a condition."""
        return condition(self.compiler, structure, self.node, self.values)

    def column(self, name: str) -> Typed:
        """The column that a name leads to, with the transforms that stand behind it."""
        found = self._annotation(name) or resolve(self.compiler, name, self.node, joined=self.grouped)
        if found.many is not None:
            raise FieldError(f"{self.node.model.__name__}: the expression {name!r} is not a field of one row")
        column, field, rest = transformed(self.compiler, found.node, found.column, found.field, found.rest)
        if rest:
            hint = did_you_mean(rest[0], field.known_transforms() if field is not None else ())
            where = f"{self.node.model.__name__}: the expression {name!r}"
            raise FieldError(f"{where} is not a field of one row: there is no {rest[0]!r}", hint=hint)
        return column, field

    def _annotation(self, name: str) -> Resolved | None:
        if self.node is not self.compiler.root:
            return None
        alias, *rest = [name] if name in self.compiler.annotations else name.split("__")
        column, field = self.compiler.annotations.get(alias, (None, None))
        if column is None or (rest and (field is None or field.find_transform(rest[0]) is None)):
            return None
        return Resolved(self.node, column, field, tuple(rest))

    def bind(self, index: int, convert: Callable[[Any], Any] | None = None, kind: Any = None) -> Any:
        """The bound parameter for the value of this index.

        Args:
            index: As in the structure.
            convert: From the value to the driver's.
            kind: SQLAlchemy's type, where the database should be told.
        """
        found = self.values(index)
        return self.compiler.binds.add(Bind(found.source, found.value, convert), kind)

    def call(
        self,
        function: Any,
        arguments: Sequence[Typed],
        options: tuple[Any, ...] = (),
        indexes: Sequence[int] = (),
        output: Any = None,
    ) -> Typed:
        """SQL of a function.

        Args:
            function: A class of functions.
            arguments: What it is called with.
            options: The function's options.
            indexes: Where its own values are.
            output: The field that reads the result, if the function's own does not.
        """
        used = iter(indexes)

        def bind(convert: Callable[[Any], Any] | None = None, kind: Any = None) -> Any:
            return self.bind(next(used), convert, kind)

        def bind_each(convert: Callable[[Any], Any] | None = None) -> list[Any]:
            return [self.bind(index, convert) for index in used]

        context = function_context(self.compiler, self.node, arguments, options, bind, bind_each)
        built = function.build(context, *(argument for argument, _ in arguments))
        return built, output if output is not None else function.output(context)

    def aggregate(self, structure: Any) -> Typed:
        """SQL of an aggregate."""
        return _aggregate(self, structure)


def _boolean() -> Any:
    from toolkit.models.fields import BooleanField

    return BooleanField[bool | None](null=True)


def expression(compiler: Compiler, structure: Any, node: Node, values: Values, *, grouped: bool = False) -> Typed:
    """SQL of a lifted expression, seen from a table. See ``Context`` for the arguments."""
    return Context(compiler, node, values, grouped).expression(structure)


def _aggregate(context: Context, structure: Any) -> Typed:
    kind, inner, distinct, filtered = structure
    if not context.grouped:
        return _per_row(context.compiler, structure, context.node, context.values)
    column, field = _aggregated(context, inner)
    if filtered is not None:
        import sqlalchemy as sa

        column = sa.case((context.condition(filtered), column))
    return _call(context.compiler, kind.function, column, field, distinct=distinct)


def _aggregated(context: Context, inner: Any) -> Typed:
    if inner == (F, "*"):
        return context.node.pk, INTEGER
    return context.expression(inner)


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

    kind, inner, distinct, filtered = structure
    resolved = _partner_path(compiler, inner, node)
    below, link, clause = partners(compiler, resolved.many)
    name = "__".join(resolved.rest) or "pk"
    column, field = expression(below, (F, name), below.root, values, grouped=True)
    if filtered is not None:
        below.selection.where.append(_inner_filter(below, filtered, resolved, inner[1], values))
    call, field = _call(below, kind.function, column, field, distinct=distinct)
    where = below.where()
    chosen = sa.select(call).select_from(clause(below)).where(link == resolved.node.pk, *where)
    return chosen.correlate(resolved.node.table).scalar_subquery(), field


def _partner_path(compiler: Compiler, inner: Any, node: Node) -> Resolved:
    if inner[0] is not F:
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
