"""From a lifted query to SQL text, through SQLAlchemy Core, which knows the dialects.

Joins are made for single-valued relations only, so they never multiply rows. A condition across a many-valued
relation is a subquery; an aggregate over one is a subquery of its own. So filters give no duplicates, and two
aggregates side by side count right, where a join would multiply them.

Whatever table is entered, root or join or subquery, brings the condition of what the viewer may see along.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from toolkit.database import DEFAULT, spelling
from toolkit.errors import DatabaseError, FieldError, did_you_mean
from toolkit.models.aggregates import Aggregate, Max, Min
from toolkit.models.combining import combined_table
from toolkit.models.conditions import condition, one_of_two, visible
from toolkit.models.context import Context, Values
from toolkit.models.fields import DateTimeField
from toolkit.models.fields.several import columns_of
from toolkit.models.locking import Lock
from toolkit.models.orderings import Directed, meta_ordering, ordering, same
from toolkit.models.outputs import Typed
from toolkit.models.paths import Node, canonical, key_column, resolve
from toolkit.models.search.compiling import apply_search
from toolkit.models.shapes import CONSTANT, KEYS, KEYS_MARK, LOCALE, MOMENT, SLOT, Bind, Statement
from toolkit.models.sqlaggregates import aggregate
from toolkit.models.sqltext import placeholder
from toolkit.models.transforms import transformed

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
    home: str = ""
    clock: set[tuple[str, str]] = field(default_factory=set)
    searches: set[Any] = field(default_factory=set)

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
    order: list[tuple[Any, Directed]] = field(default_factory=list)
    ordered: bool = False
    reverse: bool = False
    values: list[str] | None = None
    grouped: bool = False
    groups: list[str] = field(default_factory=list)
    aggregates: set[str] = field(default_factory=set)
    annotated: list[str] = field(default_factory=list)
    distinct: bool = False
    distinct_on: tuple[str, ...] = ()
    only: set[str] | None = None
    defer: set[str] = field(default_factory=set)
    related: list[str] = field(default_factory=list)
    related_all: bool = False
    combined: bool = False
    unrestricted: bool = False
    keyed: str | None = None
    none: bool = False
    rank: Any = None
    lock: Lock | None = None


class Compiler:
    """Compiles one query.

    Args:
        database: The database; gives the dialect and the schema.
        model: The model asked for.
        sight: What the viewer sees; see ``Scope.sight``.
        binds: Shared with the outer query, for a subquery.
        around: For a subquery: the place in the question around that ``OuterRef`` speaks of.
    """

    def __init__(
        self,
        database: Any,
        model: Any,
        sight: Sight,
        *,
        binds: Binds | None = None,
        around: Context | None = None,
    ) -> None:
        self.database = database
        self.schema = database.schema
        self.dialect: str = database.dialect
        self.model = model
        self.sight = sight
        self.inner = binds is not None
        self.binds = binds or Binds(self.dialect)
        self.around = around
        self.annotations: dict[str, Typed] = {}
        self.places: dict[int, Any] = {}
        self.crossed: set[Node] = set()
        self.crossings: list[tuple[str, frozenset[Node], bool]] = []
        self.selection = Selection()
        self.place: str = getattr(database, "place", DEFAULT)
        self.binds.home = self.binds.home or model._meta.database
        self.operations: Sequence[Any] = ()
        self.key_width = 1
        self.values: Values = own_slots
        table = self.schema.table(model)
        self.root = Node(model, table if binds is None else table.alias(f"t{next(self.binds.aliases)}"), None)
        self.touch_key(self.root)

    def touch(self, node: Node, column: str) -> None:
        """Note that the answer depends on this column.

        Raises:
            FieldError: The table is in another database.
        """
        home = node.model._meta.database
        if home != self.place and self.binds.home == self.place:
            raise FieldError(
                f"{node.model.__name__} is in the database {home!r}: a question to {self.place!r} cannot join it",
                hint="Ask for its keys first, and give them as a list: author__in=[...].",
            )
        self.binds.footprint.add((node.model._meta.table, column))

    def touch_key(self, node: Node) -> None:
        """Note that the answer depends on which rows of a table there are."""
        for field_ in node.model._meta.key:
            self.touch(node, field_.column)

    def inside(self, model: Any, *, unrestricted: bool = False) -> Compiler:
        """A compiler for a subquery over a model; ``unrestricted`` sees all rows, with their own values."""
        sight = (False, False, False) if unrestricted else self.sight
        return Compiler(self.database, model, sight, binds=self.binds, around=self.around)

    def twin(self, *, without: str = "") -> Compiler:
        """A compiler of the same question, or of all but a kind of operation, for another SELECT in the statement."""
        twin = self.inside(self.model)
        twin.apply([operation for operation in self.operations if operation[0] != without], self.values)
        return twin

    def nested(self, lifted: Any, values: Values, around: Context | None = None) -> tuple[Compiler, Values]:
        """A compiler for a lifted queryset inside this question, and where its values are.

        Args:
            lifted: What ``QuerySet.lift_question`` gave.
            values: Where the values of this question are.
            around: The place that ``OuterRef`` in it speaks of; by default that of this question.
        """
        model, operations, offset, *_ = lifted
        inner = self.inside(model)
        inner.around = around or self.around

        def shifted(index: int) -> Bind:
            return values(index + offset)

        inner.apply(operations, shifted)
        return inner, shifted

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
        inner, shifted = self.nested(lifted, context.values)
        names = inner.selection.values or ["pk"]
        if len(names) != 1:
            raise FieldError(
                f"a queryset inside a condition gives one value, not {', '.join(map(repr, names))}",
                hint="Name one field in values().",
            )
        columns = [column.label(f"v{n}") for n, column in enumerate(inner.value_columns(names))]
        return inner.part(columns, lifted, shifted, wrapped=self.dialect == "mysql")  # which takes no LIMIT in IN

    def part(self, columns: Sequence[Any], lifted: Any, values: Values, *, wrapped: bool) -> Any:
        """A SELECT of these columns as part of another statement, with the slice of the lifted queryset.

        Args:
            columns: What to select.
            lifted: The queryset.
            values: Where its values are.
            wrapped: Put a slice into a derived table of its own.
        """
        import sqlalchemy as sa

        *_, start, stop = lifted
        if start is None and stop is None:
            return self.select(columns, ordered=False)
        inner = self.limited(self.select(columns), start, stop, values)
        return sa.select(*inner.subquery(f"t{next(self.binds.aliases)}").c) if wrapped else inner

    def limited(
        self,
        select: Any,
        start: int | None,
        stop: int | None,
        values: Values = own_slots,
        *,
        at_most: int | None = None,
    ) -> Any:
        """A SELECT with LIMIT and OFFSET.

        Args:
            select: The SELECT.
            start: The index of the OFFSET's value.
            stop: The index of the LIMIT's value.
            values: Where the values are.
            at_most: So many rows and no more, whatever the LIMIT.
        """
        import sqlalchemy as sa

        if stop is not None:
            found = values(stop)
            fewer = partial(min, at_most) if at_most is not None else found.convert
            select = select.limit(self.binds.add(Bind(found.source, found.value, fewer), sa.Integer()))
        elif at_most is not None:
            select = select.limit(sa.literal_column(str(at_most)))
        if start is not None:
            select = select.offset(self.binds.add(values(start), sa.Integer()))
        return select

    # operations

    def apply(self, operations: Sequence[Any], values: Values = own_slots) -> None:
        """Take up the operations of a query, in their order."""
        self.operations, self.values = operations, values
        self.selection.unrestricted = any(operation[0] == "unrestricted" for operation in operations)
        for operation in operations:
            getattr(self, f"_apply_{operation[0]}")(operation, values)

    def _apply_filter(self, operation: Any, values: Values) -> None:
        chosen = self.selection
        aggregated = chosen.grouped and any(_names(operation[1], alias) for alias in chosen.aggregates)
        (chosen.having if aggregated else chosen.where).append(
            condition(Context(self, self.root, values), operation[1])
        )

    def _apply_either(self, operation: Any, values: Values) -> None:
        self.selection.where.append(self._either(operation, values))

    def _either(self, operation: Any, values: Values) -> Any:
        """The condition of two querysets joined by ``&``, ``|`` or ``^``."""
        import sqlalchemy as sa

        _, connector, ((one, first), (two, second)) = operation
        left = self._side(one, lambda index: values(index + first))
        right = self._side(two, lambda index: values(index + second))
        if connector == "AND":
            return sa.and_(left, right)
        if connector == "OR":
            return sa.or_(left, right)
        return one_of_two(left, right)

    def _side(self, operations: Sequence[Any], values: Values) -> Any:
        """What one queryset says of rows, with its own annotations."""
        import sqlalchemy as sa

        kept, self.annotations = self.annotations, {}
        clauses = [sa.true()]
        for operation in operations:
            if operation[0] in ("annotate", "alias"):
                for alias, structure in operation[1]:
                    self.annotations[alias] = self.expression(structure, self.root, values)
            elif operation[0] == "either":
                clauses.append(self._either(operation, values))
            else:
                clauses.append(condition(Context(self, self.root, values), operation[1]))
        self.annotations = kept
        return sa.and_(*clauses)

    def _apply_shifted(self, operation: Any, values: Values) -> None:
        _, offset, inner = operation
        getattr(self, f"_apply_{inner[0]}")(inner, lambda index: values(index + offset))

    def _apply_combined(self, operation: Any, values: Values) -> None:
        table, extras, gives_values = combined_table(self, operation, values)
        chosen = self.selection
        chosen.combined = chosen.unrestricted = True  # each part shows what the viewer may see
        self.root = Node(self.model, table, None)
        self.annotations = {extra.name: (extra.column, extra.field) for extra in extras}
        chosen.annotated = list(self.annotations)
        chosen.values = list(self.annotations) if gives_values else None

    def _apply_annotate(self, operation: Any, values: Values) -> None:
        chosen = self.selection
        for alias, structure in operation[1]:
            self._define(alias, structure, values)
            for given in (chosen.annotated, *([chosen.values] if chosen.values is not None else ())):
                if alias not in given:
                    given.append(alias)

    def _apply_alias(self, operation: Any, values: Values) -> None:
        for alias, structure in operation[1]:
            self._define(alias, structure, values)
            if alias in self.selection.annotated:
                self.selection.annotated.remove(alias)

    def _define(self, alias: str, structure: Any, values: Values) -> None:
        """Compute an annotation; after ``values()``, an aggregate makes groups."""
        chosen = self.selection
        if alias in self.model._meta.by_name:
            raise FieldError(f"the annotation {alias!r} would hide the field {self.model.__name__}.{alias}")
        hidden = (vars(kind).get(alias) for kind in self.model.__mro__)
        if chosen.values is None and any(hasattr(each, "__get__") for each in hidden):
            raise FieldError(f"the annotation {alias!r} would hide {self.model.__name__}.{alias}")
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

    def _apply_order(self, operation: Any, values: Values) -> None:
        self.selection.ordered = True
        self.selection.order = [(item, directed) for item in operation[1] for directed in self.ordering(item, values)]

    def _apply_reverse(self, operation: Any, values: Values) -> None:
        self.selection.reverse = not self.selection.reverse

    def _apply_values(self, operation: Any, values: Values) -> None:
        chosen = self.selection
        every = [*(field_.attname for field_ in self.model._meta.fields), *chosen.annotated]
        if chosen.combined and chosen.values is not None:
            every = chosen.values
            for name in operation[1]:
                if name not in every:
                    raise FieldError(f"values({name!r}): the parts do not give it", hint=did_you_mean(name, every))
        chosen.values = list(operation[1]) or every

    def _apply_distinct(self, operation: Any, values: Values) -> None:
        self.selection.distinct = not operation[1]
        self.selection.distinct_on = operation[1]

    def _apply_only(self, operation: Any, values: Values) -> None:
        chosen = self.selection
        named = {canonical(self.model, name) for name in operation[1]}
        chosen.only, chosen.defer = named - chosen.defer or None, set()

    def _apply_defer(self, operation: Any, values: Values) -> None:
        chosen = self.selection
        if operation[1] == (None,):
            chosen.only, chosen.defer = None, set()
            return
        named = {canonical(self.model, name) for name in operation[1]}
        if chosen.only is None:
            chosen.defer |= named
        elif chosen.only - named:
            chosen.only -= named
        else:
            chosen.defer = named - chosen.only
            chosen.only = None

    def _apply_related(self, operation: Any, values: Values) -> None:
        chosen = self.selection
        if operation[1] == (None,):
            chosen.related, chosen.related_all = [], False
        elif operation[1]:
            chosen.related += [name for name in operation[1] if name not in chosen.related]
        else:
            chosen.related_all = True

    def _apply_unrestricted(self, operation: Any, values: Values) -> None:
        """Taken up before all others: conditions made on the way ask for it."""

    def _apply_keyed(self, operation: Any, values: Values) -> None:
        self.selection.keyed = operation[1]

    def _apply_search(self, operation: Any, values: Values) -> None:
        apply_search(self, operation, values)

    def _apply_lock(self, operation: Any, values: Values) -> None:
        self.selection.lock = operation[1]

    def narrow(self, start: int | None, stop: int | None) -> None:
        """Make a slice a condition, for what is asked about its rows."""
        operation = ("sliced", start, stop)
        self.operations = (*self.operations, operation)
        self._apply_sliced(operation, self.values)

    def _apply_sliced(self, operation: Any, values: Values) -> None:
        twin = self.twin(without="sliced")
        chosen = twin.part([twin.root.pk], operation, values, wrapped=self.dialect == "mysql")
        self.selection.where.append(self.root.pk.in_(chosen))

    def _apply_none(self, operation: Any, values: Values) -> None:
        self.selection.none = True

    # pieces

    def ordering(self, item: Any, values: Values = own_slots) -> list[Directed]:
        """One member of ORDER BY, from a name or a lifted expression."""
        return ordering(self, item, self.root, values)

    def order_by(self) -> list[Any]:
        """The whole ORDER BY, made total, so that two databases and two runs agree."""
        chosen = self.selection
        said = self._explicit_order() if chosen.ordered else self._default_order()
        order = [one._replace(column=each) for one in said for each in columns_of(one.column)]
        taken = {id(each.column) for each in order}
        order += [Directed(column, down=False) for column in self._tie_breakers() if id(column) not in taken]
        return [each for one in order for each in self._directed(one.turned() if chosen.reverse else one)]

    def _explicit_order(self) -> list[Directed]:
        """What ``order_by()`` said; refused where it says nothing about the rows that come out."""
        among = self._outcome()
        for item, directed in self.selection.order if among is not None else ():
            if isinstance(item, str) and not _is_among(directed.column, among or ()):
                rows = "groups" if self.selection.grouped else "distinct values"
                raise FieldError(
                    f"{self.model.__name__}: {rows} cannot be ordered by {item!r}, which is not among them",
                    hint=f"Add {item.lstrip('+-')!r} to values(), or order by what is there.",
                )
        return [directed for _, directed in self.selection.order]

    def _default_order(self) -> list[Directed]:
        """``Meta.ordering``, as far as it says anything about the rows that come out."""
        if self.selection.grouped or self.selection.combined:
            return []
        if self.selection.rank is not None and self._outcome() is None:
            return [Directed(self.selection.rank, down=True)]
        order = meta_ordering(self, self.root)
        among = self._outcome()
        return order if among is None else [one for one in order if _is_among(one.column, among)]

    def _outcome(self) -> list[Any] | None:
        """The columns that tell the rows of the answer apart, where these are no longer rows of the table."""
        chosen = self.selection
        if chosen.grouped:
            return [*self._groups(), *(column for column, _ in self.annotations.values())]
        if chosen.values is not None and (chosen.distinct or chosen.combined):
            return self.value_columns(chosen.values)
        return None

    def _tie_breakers(self) -> list[Any]:
        """Columns that tell any two rows of the answer apart."""
        chosen = self.selection
        if chosen.grouped:
            return self._groups()
        if chosen.values is not None and (chosen.distinct or chosen.combined):
            return self.value_columns(chosen.values)
        if chosen.combined:
            return [*self.root.keys, *(self.annotations[alias][0] for alias in chosen.annotated)]
        return [*self.root.keys, *(key for node in self.root.descendants() if node.many for key in node.keys)]

    def _directed(self, one: Directed) -> list[Any]:
        """NULLs first when ascending and last when descending, as SQLite has them, unless said otherwise."""
        column, down, nulls = one
        column = self.places.get(id(column), column)
        ordered, first = column.desc() if down else column, not down if not nulls else nulls == "first"
        database = spelling(self.dialect)
        if (database.nulls_first and first != down) or self._is_never_null(column):
            return [ordered]
        if not database.places_nulls:
            return [column.is_(None).desc() if first else column.is_(None), ordered]
        ordered = ordered if down or database.nulls_first else column.asc()
        return [ordered.nulls_first() if first else ordered.nulls_last()]

    def _is_never_null(self, column: Any) -> bool:
        """Whether NULLs need no word: PostgreSQL's indexes serve no order that says where they go."""
        own = getattr(column, "table", None) is self.root.table and not self.selection.combined
        return own and getattr(column, "nullable", True) is False

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

        self.places = self._places(columns)
        order = self.order_by() if ordered else []
        conditions = [*self.where(), *where, *self._first_of_each()]
        groups = [self.places.get(id(column), column) for column in self._groups()]
        self.places = {}
        source = self.from_clause()
        statement = sa.select(*columns).select_from(source).where(*conditions)
        if self.inner:
            statement = statement.correlate_except(source)  # other tables are those of the questions around
        if groups:
            statement = statement.group_by(*groups)
        if self.selection.having:
            statement = statement.having(*self.selection.having)
        if self.selection.distinct and self.selection.values is not None:  # rows with their key are distinct anyway
            statement = statement.distinct()
        return statement.order_by(*order) if order else statement

    def _places(self, columns: Sequence[Any]) -> dict[int, Any]:
        """Expressions among the columns, by their identity, as their place in the SELECT.

        PostgreSQL takes an expression in GROUP BY, and in the ORDER BY of distinct rows, for the one that is selected
        only if the parameters in both are the same; each of ours is bound where it stands.
        """
        import sqlalchemy as sa

        merged = self.selection.grouped or self.selection.distinct
        if self.dialect != "postgresql" or not merged:
            return {}
        elements = [getattr(column, "element", column) for column in columns]
        return {
            id(element): sa.literal_column(str(place))
            for place, element in enumerate(elements, 1)
            if not isinstance(element, sa.Column)
        }

    def _first_of_each(self) -> list[Any]:
        """For ``distinct("section")``: the condition that a row is the first with its values."""
        import sqlalchemy as sa

        names = self.selection.distinct_on
        if not names:
            return []
        if self.selection.grouped or any(node.many for node in self.root.descendants()):
            raise FieldError(
                f"distinct({', '.join(map(repr, names))}) is of rows of {self.model.__name__}, not of groups or pairs",
                hint="Leave out the names, or the values of many-valued relations.",
            )
        twin = self.twin(without="distinct")
        columns = twin.value_columns(names)
        number = sa.func.row_number().over(partition_by=columns, order_by=twin.order_by())
        keys = [key.label(f"k{index}") for index, key in enumerate(twin.root.keys)]
        derived = twin.select([*keys, number.label("n")], ordered=False)
        numbered = derived.subquery(f"t{next(self.binds.aliases)}")
        chosen = sa.select(*list(numbered.c)[:-1]).where(numbered.c.n == sa.literal_column("1"))
        return [self.root.pk.in_(chosen)]

    def _groups(self) -> list[Any]:
        """The columns to group by; refuses aggregates that would multiply each other."""
        chosen = self.selection
        if not chosen.grouped:
            return []
        self.crossed = set()
        groups = self.value_columns(chosen.groups)
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

    def value_columns(self, names: Iterable[str]) -> list[Any]:
        """The columns of names of ``values()``; of a composite key, several."""
        return [column for name in names for column in columns_of(self.value_column(name)[0])]

    def value_column(self, name: str) -> Typed:
        """(column, field) of one name of ``values()``."""
        if name in self.annotations:
            return self.annotations[name]
        resolved = resolve(self, name, self.root, joined=True)
        column, field_, rest = transformed(self, resolved.node, resolved.column, resolved.field, resolved.rest)
        if rest:
            raise FieldError(
                f"{self.model.__name__}.{name}: {'__'.join(rest)!r} is not a field",
                hint=did_you_mean(rest[0], self.model._meta.names()),
            )
        return column, field_

    def key_columns(self) -> list[Any]:
        """For a keyed query: whose each row is, as seen through ``keyed``'s path."""
        return columns_of(key_column(self, str(self.selection.keyed)))

    def statement(self, select: Any) -> Statement:
        """SQL text and parameter plan of a finished SELECT."""
        compiled = _compiled(select, self.database.sqlalchemy_dialect)
        text = str(compiled)
        for parameter in compiled.post_compile_params:
            text = text.replace(f"(__[POSTCOMPILE_{parameter.key}])", f"({KEYS_MARK})")
        plan = [
            self.binds.plan.get(name) or Bind(CONSTANT, compiled.params[name]) for name in compiled.positiontup or ()
        ]
        return Statement(text, plan, placeholder(self.dialect), self.key_width)

    def reader(self, field_: Any) -> Callable[[Any], Any] | None:
        """From the driver's value to Python's, for a column of this field."""
        found: Callable[[Any], Any] | None = field_.db_reader(self.dialect) if field_ is not None else None
        return found


def _compiled(select: Any, dialect: Any) -> Any:
    from sqlalchemy.exc import CompileError

    try:
        return select.compile(dialect=dialect)
    except CompileError as error:
        raise DatabaseError(f"the database cannot be asked this: {error}", hint="Ask it in another way.") from error


def _is_among(column: Any, others: Iterable[Any]) -> bool:
    """Whether a column, or each of several, is one of the others."""
    among = list(others)
    return all(any(same(each, other) for other in among) for each in columns_of(column))


def _names(structure: Any, alias: str) -> bool:
    """Whether a condition speaks of an annotation."""
    if structure[0] == "(q)":
        return any(_names(child, alias) for child in structure[3])
    return structure[0] == alias or str(structure[0]).startswith(f"{alias}__")
