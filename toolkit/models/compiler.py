"""From a lifted query to SQL text, through SQLAlchemy Core, which knows the dialects.

Joins are made for single-valued relations only, so they never multiply rows. A condition across a many-valued
relation is a subquery; an aggregate over one is a subquery of its own. So filters give no duplicates, and two
aggregates side by side count right, where a join would multiply them.

Whatever table is entered, root or join or subquery, brings the condition of what the viewer may see along.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.errors import FieldError, did_you_mean
from toolkit.models.conditions import condition, visible
from toolkit.models.context import Context, Values, constants
from toolkit.models.expressions import Aggregate, Max, Min, Ordered
from toolkit.models.fields import DateTimeField
from toolkit.models.outputs import Typed
from toolkit.models.paths import Node, key_column, resolve
from toolkit.models.shapes import CONSTANT, KEYS, KEYS_MARK, LOCALE, MOMENT, SLOT, Bind, Statement
from toolkit.models.sqlaggregates import aggregate

Sight = tuple[bool, bool, bool]
_MOMENT: DateTimeField[Any] = DateTimeField()


def own_slots(index: int) -> Bind:
    """The query's own values."""
    return Bind(SLOT, index)


@dataclass
class Binds:
    """What one statement, subqueries included, is bound to and depends on."""

    dialect: str
    plan: dict[str, Bind] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    aliases: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    footprint: set[tuple[str, str]] = field(default_factory=set)
    clock: set[tuple[str, str]] = field(default_factory=set)

    def add(self, bind: Bind, kind: Any = None) -> Any:
        """A bound parameter of SQLAlchemy for this source."""
        import sqlalchemy as sa

        name = f"p{next(self.numbers)}"
        self.plan[name] = bind
        if bind.source == KEYS:
            return sa.bindparam(name, expanding=True, type_=kind)
        return sa.bindparam(name, type_=kind) if kind is not None else sa.bindparam(name)

    def moment(self) -> Any:
        """The moment of the scope."""
        return self.add(Bind(MOMENT, None, _MOMENT.db_writer(self.dialect)), _MOMENT.sql_type())


@dataclass
class Selection:
    """What the operations of a query amount to, gathered in their order."""

    where: list[Any] = field(default_factory=list)
    having: list[Any] = field(default_factory=list)
    order: list[Any] = field(default_factory=list)
    ordered: bool = False
    reverse: bool = False
    values: list[str] | None = None
    grouped: bool = False
    groups: list[str] = field(default_factory=list)
    aggregates: set[str] = field(default_factory=set)
    distinct: bool = False
    only: set[str] | None = None
    defer: set[str] = field(default_factory=set)
    related: list[str] = field(default_factory=list)
    unrestricted: bool = False
    keyed: str | None = None
    none: bool = False


class Compiler:
    """Compiles one query.

    Args:
        database: The database; gives the dialect and the schema.
        model: The model asked for.
        sight: What the viewer sees; see ``Scope.sight``.
        binds: Shared with the outer query, for a subquery.
    """

    def __init__(self, database: Any, model: Any, sight: Sight, *, binds: Binds | None = None) -> None:
        self.database = database
        self.schema = database.schema
        self.dialect: str = database.dialect
        self.model = model
        self.sight = sight
        self.binds = binds or Binds(self.dialect)
        self.annotations: dict[str, Typed] = {}
        self.crossed: set[Node] = set()
        self.crossings: list[tuple[str, frozenset[Node], bool]] = []
        self.selection = Selection()
        table = self.schema.table(model)
        self.root = Node(model, table if binds is None else table.alias(f"t{next(self.binds.aliases)}"), None)
        self.touch(self.root, model._meta.pk.column)

    def touch(self, node: Node, column: str) -> None:
        """Note that the answer depends on this column."""
        self.binds.footprint.add((node.model._meta.table, column))

    def inside(self, model: Any, *, unrestricted: bool = False) -> Compiler:
        """A compiler for a subquery over a model; ``unrestricted`` sees all rows, with their own values."""
        sight = (False, False, False) if unrestricted else self.sight
        return Compiler(self.database, model, sight, binds=self.binds)

    def twin(self, operations: Sequence[Any]) -> Compiler:
        """A compiler of the same question, for another SELECT in the same statement."""
        twin = self.inside(self.model)
        twin.apply(operations)
        return twin

    def hides(self, model: Any) -> bool:
        """Whether the viewer may miss rows of a model."""
        return bool(model._meta.hides(self.sight))

    def visible(self, node: Node) -> list[Any]:
        """Conditions on what the viewer may see of a table."""
        return visible(self, node)

    def locale_bind(self) -> Any:
        """The locale of the scope, as a bound parameter."""
        return self.binds.add(Bind(LOCALE))

    def expression(self, structure: Any, node: Node, values: Values, *, grouped: bool = False) -> Typed:
        """SQL of a lifted expression."""
        return Context(self, node, values, grouped).expression(structure)

    def condition(self, context: Context, structure: Any, *, negated: bool = False) -> Any:
        """SQL of a lifted condition."""
        return condition(context, structure, negated=negated)

    def aggregate(self, context: Context, structure: Any) -> Typed:
        """SQL of a lifted aggregate."""
        return aggregate(context, structure)

    def subquery(self, lifted: Any, context: Context) -> Any:
        """A SELECT of one column from a lifted queryset, for ``__in``."""
        import sqlalchemy as sa

        model, operations, offset, stop, name = lifted
        inner = self.inside(model)
        inner.apply(operations, lambda index: context.values(index + offset))
        select = inner.select([inner.value_column(name)[0]], ordered=stop is not None)
        if stop is None:
            return select
        sliced = select.limit(stop)
        return sa.select(sliced.subquery().c[0]) if self.dialect == "mysql" else sliced  # which takes no LIMIT after IN

    # operations

    def apply(self, operations: Sequence[Any], values: Values = own_slots) -> None:
        """Take up the operations of a query, in their order."""
        self.selection.unrestricted = any(operation[0] == "unrestricted" for operation in operations)
        for operation in operations:
            getattr(self, f"_apply_{operation[0]}")(operation, values)

    def _apply_filter(self, operation: Any, values: Values) -> None:
        chosen = self.selection
        aggregated = chosen.grouped and any(_names(operation[1], alias) for alias in chosen.aggregates)
        (chosen.having if aggregated else chosen.where).append(
            condition(Context(self, self.root, values), operation[1])
        )

    def _apply_annotate(self, operation: Any, values: Values) -> None:
        chosen = self.selection
        for alias, structure in operation[1]:
            if alias in self.model._meta.by_name:
                raise FieldError(f"the annotation {alias!r} would hide the field {self.model.__name__}.{alias}")
            grouped = chosen.values is not None
            self.crossed = set()
            self.annotations[alias] = self.expression(structure, self.root, values, grouped=grouped)
            if isinstance(structure[0], type) and issubclass(structure[0], Aggregate) and grouped:
                if not chosen.grouped:
                    chosen.groups = list(chosen.values or ())
                chosen.grouped = True
                chosen.aggregates.add(alias)
                self.crossings.append((alias, frozenset(self.crossed), structure[0] in (Min, Max) or structure[2]))
            elif chosen.grouped:
                chosen.groups.append(alias)
            if chosen.values is not None:
                chosen.values.append(alias)

    def _apply_order(self, operation: Any, values: Values) -> None:
        self.selection.ordered = True
        self.selection.order = [self.ordering(item, values) for item in operation[1]]

    def _apply_reverse(self, operation: Any, values: Values) -> None:
        self.selection.reverse = not self.selection.reverse

    def _apply_values(self, operation: Any, values: Values) -> None:
        every = [field_.attname for field_ in self.model._meta.fields]
        self.selection.values = list(operation[1]) or [*every, *self.annotations]

    def _apply_distinct(self, operation: Any, values: Values) -> None:
        self.selection.distinct = True

    def _apply_only(self, operation: Any, values: Values) -> None:
        self.selection.only = {self.model._meta.get_field(name).name for name in operation[1]}

    def _apply_defer(self, operation: Any, values: Values) -> None:
        self.selection.defer |= {self.model._meta.get_field(name).name for name in operation[1]}

    def _apply_related(self, operation: Any, values: Values) -> None:
        self.selection.related += [name for name in operation[1] if name not in self.selection.related]

    def _apply_unrestricted(self, operation: Any, values: Values) -> None:
        """Taken up before all others: conditions made on the way ask for it."""

    def _apply_keyed(self, operation: Any, values: Values) -> None:
        self.selection.keyed = operation[1]

    def _apply_none(self, operation: Any, values: Values) -> None:
        self.selection.none = True

    # pieces

    def ordering(self, item: Any, values: Values = own_slots) -> tuple[Any, bool]:
        """(expression, descending) of one member of ORDER BY, from a name or a lifted expression."""
        if not isinstance(item, str):
            column = self.expression(item, self.root, values)[0]
            return column, item[0] is Ordered and item[1]
        name = item.lstrip("+-")
        if name in self.annotations:
            return self.annotations[name][0], item.startswith("-")
        resolved = resolve(self, name, self.root)
        if resolved.rest or resolved.many is not None:
            raise FieldError(
                f"{self.model.__name__} cannot be ordered by {name!r}",
                hint="Order by a field of the model, of a single related object, or by an annotation.",
            )
        return resolved.column, item.startswith("-")

    def _own_ordering(self, item: Any) -> tuple[Any, bool]:
        """One member of ``Meta.ordering``, whose values belong to the shape."""
        if isinstance(item, str):
            return self.ordering(item)
        found: list[Any] = []
        return self.ordering(item.lift(found), constants(found))

    def order_by(self) -> list[Any]:
        """The whole ORDER BY, made total, so that two databases and two runs agree."""
        chosen = self.selection
        order = list(chosen.order)
        if not chosen.ordered and not chosen.grouped:
            order = [self._own_ordering(item) for item in self.model._meta.ordering]
        taken = {id(column) for column, _ in order}
        order += [(column, False) for column in self._tie_breakers() if id(column) not in taken]
        return [self._directed(column, descending != chosen.reverse) for column, descending in order]

    def _tie_breakers(self) -> list[Any]:
        """Columns that tell any two rows of the answer apart."""
        chosen = self.selection
        if chosen.grouped:
            return self._groups()
        if chosen.distinct and chosen.values is not None:
            return [self.value_column(name)[0] for name in chosen.values]
        return [self.root.pk]

    def _directed(self, column: Any, descending: bool) -> Any:
        """NULLs first when ascending and last when descending, as SQLite has them, on every database."""
        if self.dialect == "postgresql":
            return column.desc().nulls_last() if descending else column.asc().nulls_first()
        return column.desc() if descending else column

    def where(self) -> list[Any]:
        """All conditions, with what the viewer may see."""
        import sqlalchemy as sa

        conditions = list(self.selection.where)
        if not self.selection.unrestricted:
            conditions += self.visible(self.root)
        return [*conditions, sa.false()] if self.selection.none else conditions

    def from_clause(self) -> Any:
        """The root table with all joins."""
        clause = self.root.table
        for node in self.root.descendants():
            clause = clause.outerjoin(node.table, node.on) if node.outer else clause.join(node.table, node.on)
        return clause

    def select(self, columns: Sequence[Any], *, ordered: bool = True, where: Sequence[Any] = ()) -> Any:
        """A SELECT of these columns with everything but the slice."""
        import sqlalchemy as sa

        conditions = [*self.where(), *where]
        order = self.order_by() if ordered else []
        groups = self._groups()
        statement = sa.select(*columns).select_from(self.from_clause()).where(*conditions)
        if groups:
            statement = statement.group_by(*groups)
        if self.selection.having:
            statement = statement.having(*self.selection.having)
        if self.selection.distinct and self.selection.values is not None:  # rows with their key are distinct anyway
            statement = statement.distinct()
        return statement.order_by(*order) if order else statement

    def _groups(self) -> list[Any]:
        """The columns to group by; refuses aggregates that would multiply each other."""
        chosen = self.selection
        if not chosen.grouped:
            return []
        self.crossed = set()
        groups = [self.value_column(name)[0] for name in chosen.groups]
        self._refuse_multiplied(frozenset(self.crossed))
        return groups

    def _refuse_multiplied(self, grouping: frozenset[Node]) -> None:
        """Two joins to many rows each multiply the other's counts; in one SELECT both cannot be right."""
        every = frozenset().union(*(crossed for _, crossed, _ in self.crossings)) - grouping
        for alias, crossed, unharmed in self.crossings:
            if not unharmed and not every <= crossed:
                raise FieldError(
                    f"{self.model.__name__}: {alias!r} would be multiplied by the other aggregates' rows",
                    hint="Give it distinct=True, or annotate() without values(), where each aggregate stands alone.",
                )

    def value_column(self, name: str) -> Typed:
        """(column, field) of one name of ``values()``."""
        if name in self.annotations:
            return self.annotations[name]
        resolved = resolve(self, name, self.root, joined=True)
        if resolved.rest:
            raise FieldError(
                f"{self.model.__name__}.{name}: {'__'.join(resolved.rest)!r} is not a field",
                hint=did_you_mean(resolved.rest[0], self.model._meta.names()),
            )
        return resolved.column, resolved.field

    def key_column(self) -> Any:
        """For a keyed query: whose each row is, as seen through ``keyed``'s path."""
        return key_column(self, str(self.selection.keyed))

    def statement(self, select: Any) -> Statement:
        """SQL text and parameter plan of a finished SELECT."""
        compiled = select.compile(dialect=self.database.sqlalchemy_dialect)
        text = str(compiled)
        for parameter in compiled.post_compile_params:
            text = text.replace(f"(__[POSTCOMPILE_{parameter.key}])", f"({KEYS_MARK})")
        plan = [
            self.binds.plan.get(name) or Bind(CONSTANT, compiled.params[name]) for name in compiled.positiontup or ()
        ]
        return Statement(text, plan, "?" if self.dialect == "sqlite" else "%s")

    def reader(self, field_: Any) -> Callable[[Any], Any] | None:
        """From the driver's value to Python's, for a column of this field."""
        found: Callable[[Any], Any] | None = field_.db_reader(self.dialect) if field_ is not None else None
        return found


def _names(structure: Any, alias: str) -> bool:
    """Whether a condition speaks of an annotation."""
    if structure[0] == "q":
        return any(_names(child, alias) for child in structure[3])
    return structure[0] == alias or str(structure[0]).startswith(f"{alias}__")
