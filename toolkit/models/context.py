"""Where an expression or a condition stands: the table its names start from, and where its values are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.fields.dates import DateTimeField
from toolkit.models.fields.several import refuse_several
from toolkit.models.lookup_names import is_lookup_name
from toolkit.models.nodes import Node
from toolkit.models.outputs import Output, Typed, boolean, typed
from toolkit.models.paths import Resolved, refuse_long_path, refuse_rest, resolve
from toolkit.models.relations import Reverse
from toolkit.models.shapes import CONSTANT, Bind
from toolkit.models.sqltext import as_value
from toolkit.models.transforms import function_context, transformed

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler
    from toolkit.models.windows import Over

Values = Callable[[int], Bind]
"""From a value's index in a lifted structure to where the statement gets it."""


_INSTANT: DateTimeField[Any] = DateTimeField()


def constants(values: list[Any]) -> Values:
    """Values that belong to the shape, such as those of ``Meta.public``."""
    return lambda index: Bind(CONSTANT, values[index])


@dataclass(frozen=True, eq=False)
class Context:
    """A place in a statement, for ``Expression.compile``.

    Inside of a subquery over the partners of a row, names that begin with ``prefix`` are of the partner; others are
    of the row outside.

    Args:
        compiler: The compiler of the SELECT.
        node: The table that names start from.
        values: Where the values are.
        grouped: Aggregates are over the groups of this SELECT; otherwise each is a subquery per row.
        prefix: What names of this table begin with.
        outer: The place around, for the other names.
        declared: The condition is the model's own: no annotation of the question's stands for a name in it.
        crossed: A condition led here, across a many-valued relation; what is negated starts outside again.
        joins: Among groups: the many-valued joins that names may follow, others being conditions of their own; None for
            all.
    """

    compiler: Compiler
    node: Node
    values: Values
    grouped: bool = False
    prefix: str = ""
    outer: Context | None = None
    declared: bool = False
    crossed: bool = False
    joins: frozenset[Node] | None = None

    @property
    def scope(self) -> Context:
        """The place that the conditions at hand started from."""
        place = self
        while place.crossed and place.outer is not None:
            place.compiler.looks_out = True
            place = place.outer
        return place

    @property
    def dialect(self) -> str:
        """``"sqlite"``, ``"postgresql"`` or ``"mysql"``."""
        return self.compiler.dialect

    def expression(self, structure: Any) -> Typed:
        """SQL of an expression inside of this one."""
        if structure[0] == "(q)":
            return as_value(self.condition(structure), self.dialect), boolean()
        found: Typed = structure[0].compile(self, structure)
        return found

    def condition(self, structure: Any, *, negated: bool = False) -> Any:
        """SQL of a lifted condition."""
        return self.compiler.condition(self, structure, negated=negated)

    @property
    def joined(self) -> bool | frozenset[Node]:
        """Which many-valued relations a name follows by a join."""
        return self.joins if self.grouped and self.joins is not None else self.grouped

    def home(self, name: str) -> Context:
        """The place whose table a name starts from."""
        place = self
        while place.prefix and place.outer is not None and not f"{name}__".startswith(place.prefix):
            place.compiler.looks_out = True
            place = place.outer
        return place

    def own(self, name: str) -> str:
        """A name without the prefix; that of the key, where a path ends at the relation: ``tags``, ``tags__in``."""
        own = name[len(self.prefix) :]
        first = own.partition("__")[0]
        if self.prefix and (not own or (is_lookup_name(first) and first not in self.node.model._meta.by_name)):
            return f"pk__{own}" if own else "pk"
        return own

    def below(self, compiler: Compiler, path: str, rest: Sequence[str], *, grouped: bool = False) -> Context:
        """The place inside of a subquery over partners.

        Args:
            compiler: The subquery's.
            path: A name that leads to the partners and beyond.
            rest: What of it lies beyond.
            grouped: Aggregates are those of the subquery.
        """
        beyond = "__".join(rest)
        prefix = f"{path.removesuffix(beyond).removesuffix('__')}__"
        return Context(compiler, compiler.root, self.values, grouped, prefix, self)

    def resolve(self, name: str) -> Resolved:
        """Where a name leads from here: to an annotation, to a column, or to a many-valued relation on the way."""
        refuse_long_path(name)
        own = self.own(name)
        return self.annotation(own, loosely=True) or resolve(self.compiler, own, self.node, joined=self.joined)

    def column(self, name: str) -> Typed:
        """The column that a name leads to, with the transforms that stand behind it."""
        place = self.home(name)
        if place is not self:
            return place.column(name)
        own = self.own(name)
        found = self.annotation(own) or resolve(self.compiler, own, self.node, joined=self.joined)
        model = self.node.model.__name__
        if found.many is not None:
            far = (found.many.model if isinstance(found.many, Reverse) else found.many.target).__name__
            raise FieldError(
                f"{model}: the expression {name!r} is not a field of one row",
                hint=f"Aggregate the rows it leads to, such as Max() of it, or ask {far} itself: {far}.objects.",
            )
        column, field, rest = transformed(self.compiler, found.node, found.column, found.field, found.rest)
        if rest:
            raise refuse_rest(self.node.model, name, replace(found, field=field), rest)
        return column, field

    def annotation(self, name: str, *, loosely: bool = False) -> Resolved | None:
        """An annotation of this name, or of its beginning if a transform of it follows (or ``loosely`` anything)."""
        if self.declared or self.node is not self.compiler.root:
            return None
        annotations = self.compiler.annotations
        alias = max((each for each in annotations if f"{name}__".startswith(f"{each}__")), key=len, default=None)
        if alias is None:
            return None
        column, field = annotations[alias]
        rest = tuple(name[len(alias) :].split("__")[1:])
        known = loosely or not rest or (field is not None and field.find_transform(rest[0]) is not None)
        return Resolved(self.node, column, field, rest) if known else None

    def bind(self, index: int, convert: Callable[[Any], Any] | None = None, kind: Any = None) -> Any:
        """The bound parameter for the value of this index.

        Args:
            index: As in the structure.
            convert: From the value to the driver's.
            kind: SQLAlchemy's type, where the database should be told.
        """
        found = self.values(index)
        return self.compiler.binds.add(Bind(found.source, found.value, convert), kind)

    def moment(self, later: int = 0) -> Any:
        """The moment, or one so many microseconds later, where it may change the answer at any time."""
        self.compiler.binds.opaque = True
        return typed(self.dialect, self.compiler.binds.moment(later or None), _INSTANT)

    def call(
        self,
        function: Any,
        arguments: Sequence[Typed],
        options: tuple[Any, ...] = (),
        indexes: Sequence[int] = (),
        output: Output | None = None,
    ) -> Typed:
        """SQL of a function.

        Args:
            function: A class of functions.
            arguments: What it is called with.
            options: The function's options.
            indexes: Where its own values are.
            output: The field that was given to read the result, if any was.
        """
        refuse_several(f"{function.__name__}()", (column for column, _ in arguments))
        used = iter(indexes)

        def bind(convert: Callable[[Any], Any] | None = None, kind: Any = None) -> Any:
            return self.bind(next(used), convert, kind)

        def bind_each(convert: Callable[[Any], Any] | None = None) -> list[Any]:
            return [self.bind(index, convert) for index in used]

        context = function_context(self.compiler, self.node, arguments, options, bind, bind_each)
        built = function.build(context, *(argument for argument, _ in arguments))
        return (built, function.result(context, built)) if output is None else function.read_as(context, built, output)

    def aggregate(self, structure: Any, over: Over | None = None) -> Typed:
        """SQL of an aggregate, perhaps over a window."""
        return self.compiler.aggregate(self, structure, over)
