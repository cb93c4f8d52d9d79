"""From a lifted query to SQL text, through SQLAlchemy Core, which knows the dialects.

Joins are made for single-valued relations only, so they never multiply rows. A condition across a many-valued
relation is a subquery; an aggregate over one is a subquery of its own. So filters give no duplicates, and two
aggregates side by side count right, where a join would multiply them.

Whatever table is entered, root or join or subquery, brings the condition of what the viewer may see along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from toolkit.database import DEFAULT
from toolkit.errors import FieldError
from toolkit.models.combining import ORDERS
from toolkit.models.conditions import condition, in_bunches, visible
from toolkit.models.context import Context, Values
from toolkit.models.fields import JSONField
from toolkit.models.fields.several import columns_of, parts_of
from toolkit.models.limits import refuse_many_joined, refuse_nested
from toolkit.models.nodes import Node
from toolkit.models.operations import take, take_beforehand
from toolkit.models.orderings import Directed, annotated, directed, identity_columns, order_by, ordering
from toolkit.models.outputs import Typed
from toolkit.models.paths import key_column, refuse_rest, resolve
from toolkit.models.query import Sight
from toolkit.models.selecting import Crossed, groups_of, plain_select, select
from toolkit.models.selection import Binds, Selection, own_slots
from toolkit.models.shapes import CONSTANT, KEYS_MARK, LOCALE, Bind, Statement
from toolkit.models.sides import refuse_unlike
from toolkit.models.sqlaggregates import aggregate
from toolkit.models.sqltext import compiled
from toolkit.models.subqueries import unnamed_value
from toolkit.models.transforms import transformed
from toolkit.models.windows import Over


class Compiler:
    """Compiles one query.

    Args:
        database: The database; gives the dialect and the schema.
        model: The model asked for.
        sight: What the viewer sees; see ``Scope.sight``.
        binds: Shared with the outer query, for a subquery.
        around: For a subquery: the place in the question around that ``OuterRef`` speaks of.
        depth: In how many questions this one is.
        root: Where names start from, if not a table of the model of its own.

    Attributes:
        annotations: What was computed, by name: SQL, and the field that reads it.
        windowed: Those that depend on a window.
        windows: The orders of windows, numbered.
        totals: SQL of all aggregates over groups.
        naming: The annotation that is being computed, in quotes.
        crossings: What each aggregate over groups joins.
        apart: What computes an aggregate in a SELECT of its own, where several would multiply each other's rows.
        few: Whether it is about rows whose keys are given, or about partners of such rows.
        looks_out: Whether a condition in it speaks of the row around, whose partners these are.
    """

    def __init__(
        self,
        database: Any,
        model: Any,
        sight: Sight,
        *,
        binds: Binds | None = None,
        around: Context | None = None,
        depth: int = 0,
        root: Node | None = None,
    ) -> None:
        refuse_nested(model, depth, database.schema.spelling)
        self.depth = depth
        self.database = database
        self.schema = database.schema
        self.dialect: str = database.dialect
        self.model = model
        self.sight = sight
        self.inner = binds is not None
        self.binds = binds or Binds(self.dialect)
        self.around = around
        self.annotations: dict[str, Typed] = {}
        self.windowed: set[str] = set()
        self.windows: dict[Any, int] = {}
        self.totals: list[Any] = []
        self.is_twin = False
        self.places: dict[int, Any] = {}
        self.transformed: dict[tuple[Node, str], Typed] = {}
        self.crossed: set[Node] = set()
        self.naming = ""
        self.crossings: list[Crossed] = []
        self.apart: Callable[[Any], Typed] | None = None
        self.few = False
        self.looks_out = False
        self.selection = Selection()
        self.place: str = getattr(database, "place", DEFAULT)
        self.binds.home = self.binds.home or model._meta.database
        self.operations: Sequence[Any] = ()
        self.key_width = 1
        self.values: Values = own_slots
        self.root = root or Node(model, self.schema.table(model) if binds is None else self.alias_of(model), None)
        if self.root.entered:
            self.touch_key(self.root)

    def alias_of(self, model: Any) -> Any:
        """The table of a model by the next name that is free in the statement."""
        return self.schema.alias(model, f"t{next(self.binds.aliases)}")

    def touch(self, node: Node, column: str) -> None:
        """Note that the answer depends on this column.

        Raises:
            FieldError: The table is in another database.
        """
        home = node.model._meta.database
        if home != self.place and self.binds.home == self.place:
            raise FieldError(
                f"{node.model.__name__} is in the database {home!r}, and the question is asked of {self.place!r}: "
                "none can join the two",
                hint="Ask for its keys first, and give them as a list: author__in=[...].",
            )
        self.binds.footprint.add((node.model._meta.table, column))

    def touch_key(self, node: Node) -> None:
        """Note that the answer depends on which rows of a table there are."""
        for field_ in node.model._meta.key:
            self.touch(node, field_.column)

    def inside(self, model: Any, *, unrestricted: bool = False, root: Node | None = None) -> Compiler:
        """A compiler for a subquery over a model, perhaps from a table at hand; ``unrestricted`` sees all rows, with
        their own values."""
        sight = (False, False, False) if unrestricted else self.sight
        return Compiler(
            self.database, model, sight, binds=self.binds, around=self.around, depth=self.depth + 1, root=root
        )

    def twin(self) -> Compiler:
        """A compiler of the same question, as far as it was taken up, for another SELECT in the statement."""
        twin = self.inside(self.model)
        twin.is_twin = True
        twin.selection.unrestricted = self.selection.unrestricted
        twin.apply(self.operations, self.values)
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

    def aggregate(self, context: Context, structure: Any, over: Over | None = None) -> Typed:
        """SQL of a lifted aggregate, perhaps over a window."""
        return aggregate(context, structure, over)

    def subquery(self, lifted: Any, context: Context, *, compared: tuple[str, Any]) -> Any:
        """A SELECT of one column from a lifted queryset, for ``__in``.

        Args:
            lifted: The queryset.
            context: Where it stands.
            compared: The name of what is searched in it, and its field.

        Raises:
            FieldError: It gives more or fewer values than are searched, or values of another kind.
        """
        inner, shifted = self.nested(lifted, context.values, context)
        names = inner.selection.values or [unnamed_value(inner.model, compared[1])]
        typed = [
            (each, part)
            for column, field in map(inner.value_column, names)
            for each, part in zip(columns_of(column), parts_of(field), strict=True)
        ]
        refuse_unlike(*compared, names, [field for _, field in typed])
        if self.dialect == "mysql" and isinstance(compared[1], JSONField):
            raise FieldError(
                f"{compared[0]}: MariaDB takes a number and its text for the same, in JSON from a queryset",
                hint="Give the values as a list.",
            )
        if self.dialect == "mysql" and lifted[3:] != (None, None) and context in self.binds.correlated:
            raise FieldError(
                f"{compared[0]}: MariaDB knows no slice of a question that speaks of the one around it (OuterRef)",
                hint="Compare with a Subquery of one value, or leave out the slice.",
            )
        columns = [column.label(f"v{n}") for n, (column, _) in enumerate(typed)]
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
            select = select.limit(self.binds.add(Bind(found.source, found.value, fewer), sa.BigInteger()))
        elif at_most is not None:
            select = select.limit(sa.literal_column(str(at_most)))
        if start is not None:
            select = select.offset(self.binds.add(values(start), sa.BigInteger()))
        return select

    # operations

    def apply(self, operations: Sequence[Any], values: Values = own_slots) -> None:
        """Take up the operations of a query, in their order."""
        self.values = values
        take_beforehand(self, operations)
        for number, operation in enumerate(operations):
            self.operations = operations[:number]
            take(self, operation, values)
        self.operations = operations
        among_rows = self.windowed and not self.selection.grouped and not self.is_twin
        if among_rows and any(map(self._leads_to_many, self.selection.values or ())):
            self.narrow(None, None)  # values of partners make several rows of one: windows looked before

    def _leads_to_many(self, name: str) -> bool:
        return name not in self.annotations and resolve(self, name, self.root).many is not None

    def narrow(self, start: int | None, stop: int | None) -> None:
        """Let what was said so far, a slice included, stand still, for what is asked about its rows.

        What windows gave are columns of a table from now on.
        """
        import sqlalchemy as sa

        twin = self.twin()
        missing = self.windowed - twin.annotations.keys()
        if missing:
            raise FieldError(
                f"{self.model.__name__}: {sorted(missing)[0]!r} is of single rows, and others are of groups",
                hint="Say annotate() with the Window before values().",
            )
        keys = [key.label(f"k{n}") for n, key in enumerate(twin.root.keys)]
        windows = [(alias, *twin.annotations[alias]) for alias in sorted(self.windowed)]
        given = [column.label(f"w{n}") for n, (_, column, _) in enumerate(windows)]
        chosen = twin.limited(
            twin.select([*keys, *given], ordered=start is not None or stop is not None), start, stop, self.values
        )
        table = chosen.subquery(f"t{next(self.binds.aliases)}")
        same = [own == table.c[key.name] for own, key in zip(self.root.keys, keys, strict=True)]
        self.root.children["@narrowed"] = Node(self.model, table, sa.and_(*same))
        self.annotations |= {alias: (table.c[f"w{n}"], field_) for n, (alias, _, field_) in enumerate(windows)}
        self.windowed.clear()
        self.windows.clear()
        self.selection.where, self.selection.qualify, self.selection.distinct_on = [], [], ()
        for operation in self.operations:
            if operation[0] in ORDERS or (operation[0] == "shifted" and operation[2][0] == "order"):
                take(self, operation, self.values)

    # pieces

    def ordering(self, item: Any, values: Values = own_slots) -> list[Directed]:
        """One member of ORDER BY, from a name or a lifted expression."""
        return ordering(self, item, self.root, values)

    def directed(self, one: Directed) -> list[Any]:
        """A member of ORDER BY with the place of NULL."""
        return directed(self, one)

    def order_by(self) -> list[Any]:
        """The whole ORDER BY, made total, so that two databases and two runs agree."""
        return order_by(self)

    def identity_columns(self) -> list[Any]:
        """Columns that tell any two rows of the answer apart."""
        return identity_columns(self)

    def groups(self) -> list[Any]:
        """The columns to group by; refuses aggregates that would multiply each other."""
        return groups_of(self)

    def where(self) -> list[Any]:
        """All conditions on rows, with what the viewer may see."""
        import sqlalchemy as sa

        conditions = list(self.selection.where)
        if not self.selection.unrestricted:
            conditions += self.visible(self.root)
        return [*conditions, sa.false()] if self.selection.none else in_bunches(sa.and_, conditions)

    def from_clause(self, start: Any = None) -> Any:
        """The root table with all joins, perhaps behind another that it is joined to."""
        clause = self.root.table if start is None else start
        joined = list(self.root.descendants())
        refuse_many_joined(self.model, len(joined) + 1, self.schema.spelling)
        for node in joined:
            clause = clause.outerjoin(node.table, node.on) if node.outer else clause.join(node.table, node.on)
        return clause

    def select(self, columns: Sequence[Any], *, ordered: bool = True, where: Sequence[Any] = ()) -> Any:
        """A SELECT of these columns with everything but the slice."""
        return select(self, columns, ordered=ordered, where=where)

    def plain_select(self, columns: Sequence[Any], *, where: Sequence[Any] = (), outside: Sequence[Any] = ()) -> Any:
        """The same in no order, and before rows are left out for what is known of them last."""
        return plain_select(self, columns, where=where, outside=outside)

    def value_columns(self, names: Iterable[str]) -> list[Any]:
        """The columns of names of ``values()``; of a composite key, several."""
        return [column for name in names for column in columns_of(self.value_column(name)[0])]

    def value_column(self, name: str) -> Typed:
        """(column, field) of one name of ``values()``."""
        if name in self.annotations:
            return self.annotations[name]
        of_annotation = annotated(self, name)
        if of_annotation is not None:
            return of_annotation
        resolved = resolve(self, name, self.root, joined=True)
        found = self.transformed.get((resolved.node, name))
        if found is None:
            column, field_, rest = transformed(self, resolved.node, resolved.column, resolved.field, resolved.rest)
            if rest:
                raise refuse_rest(self.model, name, resolved, rest)
            found = self.transformed[resolved.node, name] = column, field_
        return found

    def key_columns(self) -> list[Any]:
        """For a keyed query: whose each row is, as seen through ``keyed``'s path."""
        return columns_of(key_column(self, str(self.selection.keyed)))

    def statement(self, select: Any) -> Statement:
        """SQL text and parameter plan of a finished SELECT."""
        made = compiled(select, self.database.sqlalchemy_dialect)
        text, spelt = str(made), self.schema.spelling
        lists: dict[str, Sequence[Any]] = {}  # that a lookup of the site's own compares with: column.in_([1, 2])
        for key in (made.bind_names[parameter] for parameter in made.post_compile_params):
            marks = KEYS_MARK
            if key not in self.binds.plan:
                lists[key] = _not_empty(made.params[key])
                marks = ", ".join([spelt.placeholder] * len(lists[key]))
            text = text.replace(f"(__[POSTCOMPILE_{key}])", f"({marks})")
        plan: list[Bind] = []
        for name in made.positiontup or ():
            known = self.binds.plan.get(name)
            plan += [known] if known else [Bind(CONSTANT, each) for each in lists.get(name) or [made.params[name]]]
        return Statement(text, plan, spelt.placeholder, self.key_width, spelt.whole_numbers)

    def reader(self, field_: Any) -> Callable[[Any], Any] | None:
        """From the driver's value to Python's, for a column of this field."""
        found: Callable[[Any], Any] | None = field_.db_reader(self.dialect) if field_ is not None else None
        return found


def _not_empty(values: Sequence[Any]) -> Sequence[Any]:
    if not values:
        raise FieldError("a lookup of your own compares with an empty list", hint="Give sa.false() for one.")
    return values
