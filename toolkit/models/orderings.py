"""What rows are ordered by: names, paths, relations with an order of their own, expressions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.errors import FieldError
from toolkit.models.context import Context, Values, constants
from toolkit.models.expressions import Ordered
from toolkit.models.fields import JSONField
from toolkit.models.fields.several import columns_of
from toolkit.models.nodes import Node
from toolkit.models.outputs import Typed
from toolkit.models.paths import join_forward, refuse_rest, resolve
from toolkit.models.relations import ForeignKey
from toolkit.models.sqltext import as_value
from toolkit.models.transforms import transformed

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler


class Directed(NamedTuple):
    """A member of ORDER BY.

    Args:
        column: SQLAlchemy expression.
        down: Descending.
        nulls: ``"first"`` or ``"last"``; otherwise NULL is less than everything.
    """

    column: Any
    down: bool
    nulls: str = ""

    def turned(self) -> Directed:
        """The opposite order."""
        return Directed(self.column, not self.down, {"first": "last", "last": "first"}.get(self.nulls, ""))


def ordering(
    compiler: Compiler, item: Any, node: Node, values: Values, *, down: bool = False, seen: Sequence[Any] = ()
) -> list[Directed]:
    """One member of an ordering, seen from a table.

    A relation to one object means the ordering of that object's model, as in Django.

    Args:
        compiler: The compiler.
        item: A name, with ``-`` for descending, or a lifted expression.
        node: The table that names start from.
        values: Where the values are.
        down: Turn the direction round.
        seen: The models whose ordering led here.
    """
    if not isinstance(item, str):
        said, nulls = item[1:3] if item[0] is Ordered else (False, "")
        grouped = node is compiler.root and compiler.selection.grouped
        found = _by_keys(compiler, compiler.expression(item, node, values, grouped=grouped), down=said, nulls=nulls)
        return [each.turned() if down else each for each in found]
    name, down = item.removeprefix("-"), item.startswith("-") != down
    if node is compiler.root and name in compiler.annotations:
        return _by_keys(compiler, compiler.annotations[name], down=down)
    transformed_annotation = annotated(compiler, name) if node is compiler.root else None
    if transformed_annotation is not None:
        return _by_keys(compiler, transformed_annotation, down=down)
    resolved = resolve(compiler, name, node)
    if resolved.many is not None and name in (compiler.selection.values or ()):
        return [Directed(compiler.value_column(name)[0], down)]
    column, field, rest = transformed(compiler, resolved.node, resolved.column, resolved.field, resolved.rest)
    if resolved.many is not None:
        raise FieldError(
            f"{node.model.__name__} cannot be ordered by {name!r}",
            hint="Order by a field of the model, of a single related object, or by an annotation.",
        )
    if rest:
        raise refuse_rest(node.model, name, resolved, rest)
    related = _related(compiler, resolved, name)
    if related is None or not related.model._meta.ordering:
        return _by_keys(compiler, (column, field), down=down)
    return meta_ordering(compiler, related, down=down, seen=seen)


def annotated(compiler: Compiler, name: str) -> Typed | None:
    """(column, field) of a name that leads from an annotation by transforms; None if it does not begin with one."""
    known = compiler.transformed.get((compiler.root, name))
    found = Context(compiler, compiler.root, compiler.values).annotation(name) if known is None else None
    if found is not None:
        column, field, rest = transformed(compiler, found.node, found.column, found.field, found.rest)
        if not rest:
            known = compiler.transformed[compiler.root, name] = column, field
    return known


def _by_keys(compiler: Compiler, typed: Any, *, down: bool, nulls: str = "") -> list[Directed]:
    """A column, or what a kind of field is ordered by instead."""
    column, field = typed
    keys = [column] if field is None else field.sort_keys(column, compiler.dialect)
    return [Directed(key, down, nulls) for key in keys]


def _related(compiler: Compiler, resolved: Any, name: str) -> Node | None:
    """The table of the one object that a path ends at, if it ends at a relation."""
    last = name.rpartition("__")[2]
    found = resolved.field
    if isinstance(found, ForeignKey) and last == found.name and found.target._meta.ordering:
        return join_forward(compiler, resolved.node, found)
    at_object = found.primary_key and not isinstance(found, ForeignKey) and last not in ("pk", found.name)
    return resolved.node if at_object and resolved.node is not compiler.root else None


def meta_ordering(compiler: Compiler, node: Node, *, down: bool = False, seen: Sequence[Any] = ()) -> list[Directed]:
    """``Meta.ordering`` of a table's model.

    Raises:
        FieldError: It leads back to itself.
    """
    if node.model in seen:
        raise FieldError(
            f"{node.model.__name__}.Meta.ordering leads back to itself",
            hint="Order by a field of the related object instead, such as 'parent__id'.",
        )
    found: list[Directed] = []
    for item in node.model._meta.ordering:
        given: list[Any] = []
        lifted = item if isinstance(item, str) else item.lift(given)
        found += ordering(compiler, lifted, node, constants(given), down=down, seen=(*seen, node.model))
    return found


def same(column: Any, other: Any) -> bool:
    """Whether two expressions are the same in SQL."""
    return column is other or bool(column.compare(other))


def no_place(dialect: str, column: Any) -> Any:
    """A column to order or group by. A value alone would be the place of one: PyMySQL writes it into the statement."""
    import sqlalchemy as sa

    return sa.func.coalesce(column) if dialect == "mysql" and isinstance(column, sa.BindParameter) else column


def unlabelled(column: Any) -> Any:
    """An expression without the name that it is selected under."""
    import sqlalchemy as sa

    return column.element if isinstance(column, sa.Label) else column


# the order of a whole question


def order_by(compiler: Compiler) -> list[Any]:
    """The whole ORDER BY, made total, so that two databases and two runs agree."""
    return [each for one in said_order(compiler) for each in directed(compiler, one)]


def said_order(compiler: Compiler) -> list[Directed]:
    """The members of a question's order, those that break ties last."""
    chosen = compiler.selection
    said = _explicit_order(compiler) if chosen.ordered else _default_order(compiler)
    order = [one._replace(column=each) for one in said for each in columns_of(one.column)]
    taken = {id(each.column) for each in order}
    order += [Directed(column, down=False) for column in identity_columns(compiler) if id(column) not in taken]
    return [one.turned() for one in order] if chosen.reverse else order


def _explicit_order(compiler: Compiler) -> list[Directed]:
    """What ``order_by()`` said; refused where it says nothing about the rows that come out."""
    among = _outcome(compiler)
    for item, one in compiler.selection.order if among is not None else ():
        if isinstance(item, str) and not _is_among(one.column, among or ()):
            rows = "groups" if compiler.selection.grouped else "distinct values"
            raise FieldError(
                f"{compiler.model.__name__}: {rows} cannot be ordered by {item!r}, which is not among them",
                hint=_order_of_groups(compiler, item),
            )
    return [one for _, one in compiler.selection.order]


def _order_of_groups(compiler: Compiler, item: str) -> str:
    """How to say an order of groups, or of distinct values, that they have."""
    name = item.removeprefix("-")
    if name in (compiler.selection.values or ()) and isinstance(compiler.value_column(name)[1], JSONField):
        return "JSON has an order by kind, which groups do not; order by a number, or sort in Python."
    if name in (compiler.selection.values or ()):
        return f"{name!r} is ordered as its model is; order by {item + '_id'!r} for its key, or by what is there."
    return f"Add {name!r} to values(), or order by what is there."


def _default_order(compiler: Compiler) -> list[Directed]:
    """``Meta.ordering``, as far as it says anything about the rows that come out."""
    chosen = compiler.selection
    if chosen.grouped or chosen.combined:
        return []
    among = _outcome(compiler)
    if chosen.rank is not None and among is None:
        return [Directed(chosen.rank, down=True)]
    order = meta_ordering(compiler, compiler.root)
    return order if among is None else [one for one in order if _is_among(one.column, among)]


def _outcome(compiler: Compiler) -> list[Any] | None:
    """The columns that tell the rows of the answer apart, where these are no longer rows of the table."""
    chosen = compiler.selection
    if chosen.grouped and not chosen.distinct:
        named = (*chosen.aggregates, *compiler.windowed)
        return [*compiler.groups(), *(compiler.annotations[alias][0] for alias in named)]
    if chosen.values is not None and (chosen.distinct or chosen.combined):
        return compiler.value_columns(chosen.values)
    return None


def identity_columns(compiler: Compiler) -> list[Any]:
    """Columns that tell any two rows of the answer apart."""
    chosen = compiler.selection
    if chosen.grouped and not chosen.distinct:
        return _group_keys(compiler)
    if chosen.values is not None and (chosen.distinct or chosen.combined):
        return compiler.value_columns(chosen.values)
    if chosen.combined:
        return [*compiler.root.keys, *(compiler.annotations[alias][0] for alias in chosen.annotated)]
    return row_keys(compiler)


def _group_keys(compiler: Compiler) -> list[Any]:
    """What tells groups apart. JSON, which databases order in ways of their own, has an order that all share."""
    compiler.groups()
    found = []
    for name in compiler.selection.groups:
        column, field = compiler.value_column(name)
        found += field.group_keys(column, compiler.dialect) if isinstance(field, JSONField) else columns_of(column)
    return found


def row_keys(compiler: Compiler) -> list[Any]:
    """Columns that tell any two rows apart before they are grouped."""
    return [*compiler.root.keys, *(key for node in compiler.root.descendants() if node.many for key in node.keys)]


def directed(compiler: Compiler, one: Directed, *, of: Any = None) -> list[Any]:
    """NULLs first when ascending and last when descending, as SQLite has them, unless said otherwise.

    Args:
        compiler: The compiler.
        one: A member of the order.
        of: The column that it stands for, where that is in a layer inside.
    """
    column, down, nulls = one
    never_null = _is_never_null(compiler, column if of is None else of)
    place = no_place(compiler.dialect, compiler.places.get(id(column), column))
    ordered, first = place.desc() if down else place, not down if not nulls else nulls == "first"
    database = compiler.schema.spelling
    if (database.nulls_first and first != down) or never_null:
        return [ordered]
    if not database.places_nulls:
        missing = as_value(no_place(compiler.dialect, column).is_(None), compiler.dialect)
        return [missing.desc() if first else missing, ordered]
    ordered = ordered if down or database.nulls_first else place.asc()
    return [ordered.nulls_first() if first else ordered.nulls_last()]


def _is_never_null(compiler: Compiler, column: Any) -> bool:
    """Whether NULLs need no word: PostgreSQL's indexes serve no order that says where they go."""
    own = getattr(column, "table", None) is compiler.root.table and not compiler.selection.combined
    return own and getattr(column, "nullable", True) is False


def _is_among(column: Any, others: Iterable[Any]) -> bool:
    """Whether a column, or each of several, is one of the others."""
    among = list(others)
    return all(any(same(each, other) for other in among) for each in columns_of(column))
