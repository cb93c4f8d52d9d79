"""What rows are ordered by: names, paths, relations with an order of their own, expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.errors import FieldError
from toolkit.models.context import Values, constants
from toolkit.models.expressions import Ordered
from toolkit.models.paths import Node, join_forward, resolve
from toolkit.models.relations import ForeignKey
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
        found = _by_keys(compiler, compiler.expression(item, node, values), down=said, nulls=nulls)
        return [each.turned() if down else each for each in found]
    name, down = item.lstrip("+-"), item.startswith("-") != down
    if node is compiler.root and name in compiler.annotations:
        return _by_keys(compiler, compiler.annotations[name], down=down)
    resolved = resolve(compiler, name, node)
    if resolved.many is not None and name in (compiler.selection.values or ()):
        return [Directed(compiler.value_column(name)[0], down)]
    column, field, rest = transformed(compiler, resolved.node, resolved.column, resolved.field, resolved.rest)
    if rest or resolved.many is not None:
        raise FieldError(
            f"{node.model.__name__} cannot be ordered by {name!r}",
            hint="Order by a field of the model, of a single related object, or by an annotation.",
        )
    related = _related(compiler, resolved, name)
    if related is None or not related.model._meta.ordering:
        return _by_keys(compiler, (column, field), down=down)
    return meta_ordering(compiler, related, down=down, seen=seen)


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
