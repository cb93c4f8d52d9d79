"""Questions in layers: rows are left out for what is known of them only when all of them are there.

A condition on what a window gives, the first row of each section (``distinct("section")``) and the first comments of
each story (a sliced ``Prefetch``) all speak of rows in their order. SQL knows that order after it has chosen the rows,
so they are chosen in a SELECT inside, and left out in one around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.orderings import Directed, directed, said_order, unlabelled

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler

Between = Callable[[Any], Sequence[Any]]
"""From the column with a row's number to conditions on it."""


def is_layered(compiler: Compiler, columns: Sequence[Any] = (), *, ordered: bool = False) -> bool:
    """Whether rows are left out late, or groups are looked at from outside (see ``_apart``).

    Args:
        compiler: The compiler of the question.
        columns: What is selected.
        ordered: In the question's order.
    """
    chosen = compiler.selection
    if chosen.qualify or chosen.distinct_on or _needs_groups_apart(compiler, columns, ordered=ordered):
        return True
    return ordered and any(_is_out_of_sight(compiler, one.column) for one in said_order(compiler))


def _needs_groups_apart(compiler: Compiler, columns: Sequence[Any], *, ordered: bool) -> bool:
    if not compiler.selection.grouped:
        return False
    if compiler.dialect == "sqlite":
        return any(_is_out_of_sight(compiler, group) for group in compiler.groups())
    return bool(compiler.windows) or _says_again(compiler, columns, ordered=ordered)


def _is_out_of_sight(compiler: Compiler, element: Any) -> bool:
    """Whether an expression speaks of the question around: SQLite does not see that in GROUP BY and ORDER BY."""
    around = compiler.around
    if compiler.dialect != "sqlite" or around is None or around not in compiler.binds.correlated:
        return False
    own = {id(node.table) for node in (compiler.root, *compiler.root.descendants())}
    tables = {id(table) for each in iterate(element) if (table := getattr(each, "table", None)) is not None}
    return not tables <= own


def _says_again(compiler: Compiler, columns: Sequence[Any], *, ordered: bool) -> bool:
    """Whether an expression that makes groups is said again where the database takes it for one of single rows.

    PostgreSQL does so wherever the expression has parameters and is not selected as it is, MariaDB in HAVING.
    """
    made = {id(each) for each in compiler.groups() if _is_made(each, compiler.dialect)}
    if not made or compiler.dialect != "postgresql":
        return any(_has(each, made) for each in compiler.selection.having) if made else False
    selected = {id(unlabelled(column)) for column in columns}
    order = [one.column for one in said_order(compiler)] if ordered else []
    said = [unlabelled(column) for column in columns if id(unlabelled(column)) not in made]
    said += [column for column in order if id(column) not in made & selected]
    return any(_has(each, made) for each in (*said, *compiler.selection.having))


def _is_made(group: Any, dialect: str) -> bool:
    """Whether what is grouped by is computed, on PostgreSQL of parameters."""
    import sqlalchemy as sa

    if dialect == "postgresql":
        return any(isinstance(each, sa.BindParameter) for each in iterate(group))
    return not isinstance(group, sa.ColumnClause)


def _has(element: Any, ids: set[int]) -> bool:
    """Whether one of these expressions is in another, or is it."""
    return any(id(each) in ids for each in iterate(element))


def iterate(element: Any) -> Iterator[Any]:
    """An expression and all that is in it."""
    from sqlalchemy.sql import visitors

    return visitors.iterate(element)


class _Layers:
    """SELECTs around each other.

    Each column is taken along under a name of its own, once.
    """

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler
        self.columns: list[Any] = []
        self.names: dict[int, str] = {}
        self.table: Any = None

    def take(self, column: Any) -> str:
        """The name of a column in the layers around."""
        element = unlabelled(column)
        found = self.names.get(id(element))
        if found is None:
            found = self.names[id(element)] = f"c{len(self.columns)}"
            self.columns.append(element.label(found))
        return found

    def take_condition(self, part: Any) -> Any:
        """Take a part of a condition along; the part."""
        self.take(part)
        return part

    def close(self, select: Any) -> None:
        """Put a SELECT inside: what follows is about its rows."""
        self.table = select.subquery(f"t{next(self.compiler.binds.aliases)}")

    def column(self, name: str) -> Any:
        """A column as the layer around sees it."""
        return self.table.c[name]

    def among(self, order: Sequence[tuple[str, Directed]]) -> list[Any]:
        """An order as the layer around sees it."""
        return [
            each
            for name, one in order
            for each in directed(self.compiler, one._replace(column=self.column(name)), of=one.column)
        ]


def layered(
    compiler: Compiler,
    columns: Sequence[Any],
    *,
    ordered: bool = True,
    where: Sequence[Any] = (),
    each: Sequence[Any] = (),
    between: Between | None = None,
) -> Any:
    """The SELECT of a question in layers.

    Args:
        compiler: The compiler of the question.
        columns: What to select.
        ordered: In the question's order.
        where: Further conditions on rows.
        each: The columns that say whose each row is, where each owner has a slice.
        between: That slice.
    """
    import sqlalchemy as sa

    chosen = compiler.selection
    layers = _Layers(compiler)
    names = [layers.take(column) for column in columns]
    firsts = [layers.take(column) for column in _firsts(compiler)]
    owners = [layers.take(column) for column in each]
    wanted = ordered or bool(firsts or owners)
    order = [(layers.take(one.column), one) for one in said_order(compiler)] if wanted else []
    met = _truth(compiler) if chosen.qualify else None
    if met is not None:
        _put(met, layers.take_condition)
    if _needs_groups_apart(compiler, columns, ordered=ordered):
        layers.close(_apart(compiler, layers.columns, where))
    else:
        layers.close(compiler.plain_select(layers.columns, where=where))
    conditions = []
    if met is not None:
        conditions = [_put(met, lambda part: layers.column(layers.take(part)) == sa.literal_column("1"))]
    if firsts:
        layers.close(_first_of_each(layers, firsts, order, conditions))
        conditions = [] if compiler.dialect == "postgresql" else [layers.table.c.n == sa.literal_column("1")]
    if between is not None:
        numbered = _numbered(layers, owners, order).where(*conditions)
        layers.close(numbered)
        conditions = list(between(layers.table.c.n))
    found = [_renamed(layers.column(name), column) for name, column in zip(names, columns, strict=True)]
    statement = sa.select(*found).where(*conditions)
    if chosen.distinct and chosen.values is not None:
        statement = statement.distinct()
    return statement.order_by(*layers.among(order)) if ordered else statement


def _apart(compiler: Compiler, columns: Sequence[Any], where: Sequence[Any]) -> Any:
    """What is said of groups in a SELECT of its own, around that of the groups.

    In one, MariaDB 10.11 ranks groups wrong, PostgreSQL takes an expression with parameters for another one, and
    SQLite does not see the question around.
    """
    import sqlalchemy as sa
    from sqlalchemy.sql.visitors import replacement_traverse

    made = {id(each) for each in compiler.groups() if _is_made(each, compiler.dialect)}
    having = [each for each in compiler.selection.having if _has(each, made)]
    if having:
        _refuse_correlated(compiler, "condition on groups that are computed")
    given = {id(each): each for each in (*compiler.groups(), *compiler.totals)}
    labelled = [each.label(f"g{n}") for n, each in enumerate(given.values())]
    compiler.places = places_of(compiler, labelled)
    inside = compiler.plain_select(labelled, where=where, outside=having)
    table = inside.subquery(f"t{next(compiler.binds.aliases)}")
    places = dict(zip(given, table.c, strict=True))

    def placed(element: Any, **_: Any) -> Any:
        return places.get(id(element))

    moved: list[Any] = [replacement_traverse(each, {}, placed) for each in columns]
    return sa.select(*moved).where(*(replacement_traverse(each, {}, placed) for each in having))


def _refuse_correlated(compiler: Compiler, told: str) -> None:
    """Refuse what MariaDB would need a derived table for, where that cannot see the question around.

    Raises:
        FieldError: The question speaks of the one around it.
    """
    if compiler.around in compiler.binds.correlated and compiler.dialect == "mysql":
        raise FieldError(
            f"{compiler.model.__name__}: MariaDB knows no {told} in a question that speaks of the one around it "
            "(OuterRef)",
            hint="Ask for the keys first, or compare with a count of the rows before it.",
        )


def _firsts(compiler: Compiler) -> list[Any]:
    """For ``distinct("section")``: the columns of which each value has one row; in a keyed question of each owner."""
    names = compiler.selection.distinct_on
    if not names:
        return []
    columns = compiler.value_columns(names)
    if compiler.selection.grouped or any(node.many for node in compiler.root.descendants()):
        raise FieldError(
            f"distinct({', '.join(map(repr, names))}) is of rows of {compiler.model.__name__}, not of groups or pairs",
            hint="Leave out the names, or the values of many-valued relations.",
        )
    return [*columns, *(compiler.key_columns() if compiler.selection.keyed is not None else ())]


def _truth(compiler: Compiler) -> Any:
    """Whether a row meets the conditions on windows: as a number, but on MariaDB, where the layer around joins them."""
    import sqlalchemy as sa

    _refuse_correlated(compiler, "condition on a Window")
    met = sa.and_(*compiler.selection.qualify)
    return met if compiler.dialect == "mysql" else sa.case((met, sa.literal_column("1")), else_=sa.literal_column("0"))


def _put(condition: Any, place: Callable[[Any], Any]) -> Any:
    """A condition whose parts are put in other places; what joins and negates them stays.

    MariaDB 10.11 finds nothing for ``CASE WHEN row_number() OVER (...) = 1 AND live OR ... THEN 1``: there each part is
    a column of its own.
    """
    import sqlalchemy as sa
    from sqlalchemy.sql import operators
    from sqlalchemy.sql.elements import BooleanClauseList, Grouping, UnaryExpression

    if isinstance(condition, Grouping):
        return _put(condition.element, place)
    if isinstance(condition, UnaryExpression) and condition.operator is operators.inv:
        return sa.not_(_put(condition.element, place))
    if not isinstance(condition, BooleanClauseList):
        return place(condition)
    join = sa.and_ if condition.operator is operators.and_ else sa.or_
    return join(*(_put(part, place) for part in condition.clauses))


def _first_of_each(
    layers: _Layers, firsts: Sequence[str], order: Sequence[tuple[str, Directed]], conditions: Sequence[Any]
) -> Any:
    """The first row of each value: PostgreSQL has a word for it, elsewhere rows are numbered."""
    import sqlalchemy as sa
    from sqlalchemy.dialects.postgresql import distinct_on

    if layers.compiler.dialect != "postgresql":
        return _numbered(layers, firsts, order).where(*conditions)
    columns = [layers.column(name) for name in firsts]
    ahead = [name for name, _ in order[: len(firsts)]]
    leading = [] if sorted(ahead) == sorted(firsts) else columns
    statement = sa.select(*layers.table.c).where(*conditions).ext(distinct_on(*columns))
    return statement.order_by(*leading, *layers.among(order))


def _numbered(layers: _Layers, owners: Sequence[str], order: Sequence[tuple[str, Directed]]) -> Any:
    """The rows with their number among those of the same owner."""
    import sqlalchemy as sa

    partition = [layers.column(name) for name in owners]
    number = sa.func.row_number().over(partition_by=partition, order_by=layers.among(order))
    return sa.select(*(column for column in layers.table.c if column.name != "n"), number.label("n"))


def _renamed(column: Any, original: Any) -> Any:
    """A column under the name that it had."""
    return column if original is unlabelled(original) else column.label(original.name)


def places_of(compiler: Compiler, columns: Sequence[Any]) -> dict[int, Any]:
    """Expressions among the columns, by their identity, as their place in the SELECT.

    PostgreSQL takes an expression in GROUP BY, and in the ORDER BY of distinct rows, for the one that is selected
    only if the parameters in both are the same; each of ours is bound where it stands. SQLite sees nothing of the
    question around there. A question of its own that is selected and ordered by is computed twice where it is written
    twice: by SQLite always, by PostgreSQL if it has parameters.
    """
    import sqlalchemy as sa

    elements = [(place, unlabelled(column)) for place, column in enumerate(columns, 1)]
    if not (compiler.selection.grouped or compiler.selection.distinct):
        taken = [(place, element) for place, element in elements if _asks(element)]
    elif compiler.dialect not in ("postgresql", "sqlite"):
        return {}
    elif compiler.dialect == "sqlite":
        taken = [(place, element) for place, element in elements if _is_out_of_sight(compiler, element)]
    else:
        taken = [(place, element) for place, element in elements if not isinstance(element, sa.Column)]
    return {id(element): sa.literal_column(str(place)) for place, element in taken}


def _asks(element: Any) -> bool:
    """Whether a question of its own is in an expression."""
    import sqlalchemy as sa

    return not isinstance(element, sa.ColumnClause) and any(isinstance(each, sa.Select) for each in iterate(element))
