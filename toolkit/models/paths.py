"""Following names through models: ``section__slug`` is a column of the table that ``section`` refers to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.fields.base import Field
from toolkit.models.relations import ForeignKey, ManyToManyField, Reverse

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler


@dataclass(eq=False)
class Node:
    """A table in the FROM clause.

    Args:
        model: The model whose table it is.
        table: SQLAlchemy's table or alias.
        on: The join's condition; None for the root.
        outer: Whether rows without a partner stay.
    """

    model: Any
    table: Any
    on: Any
    outer: bool = False
    children: dict[str, Node] = field(default_factory=dict)

    def descendants(self) -> Iterator[Node]:
        """All nodes below, parents first."""
        for child in self.children.values():
            yield child
            yield from child.descendants()

    @property
    def pk(self) -> Any:
        """The column of the primary key."""
        return self.table.c[self.model._meta.pk.column]


@dataclass(frozen=True)
class Resolved:
    """Where a name leads.

    Args:
        node: The table it ends at.
        column: SQLAlchemy's column or expression; None where the path stops before a many-valued relation.
        field: The field of that column.
        rest: What is left of the name: transforms and a lookup, or the path beyond ``many``.
        many: The many-valued relation at which the path stops, if it does.
    """

    node: Node
    column: Any
    field: Any
    rest: tuple[str, ...] = ()
    many: ManyToManyField[Any] | Reverse | None = None


def resolve(compiler: Compiler, name: str, node: Node, *, joined: bool = False) -> Resolved:
    """Follow a name from a table, joining single-valued relations on the way.

    Args:
        compiler: Keeps the joins and the footprint.
        name: Names joined by two underscores.
        node: Where to start.
        joined: Join many-valued relations too, as ``values()`` does, rather than stop before them.

    Raises:
        FieldError: A name leads nowhere.
    """
    parts = tuple(name.split("__"))
    for number, part in enumerate(parts):
        rest = parts[number + 1 :]
        meta = node.model._meta
        found = _find(meta, part, whole=name)
        if isinstance(found, ManyToManyField | Reverse) and getattr(found, "many", True):
            if not joined:
                return Resolved(node, None, None, rest, found)
            node = _join_many(compiler, node, part, found)
        elif isinstance(found, Reverse):
            node = _join_reverse(compiler, node, part, found)
        elif isinstance(found, ForeignKey) and part != found.attname and _goes_on(found, rest):
            node = join_forward(compiler, node, found)
            continue
        else:
            if isinstance(found, ForeignKey) and rest and rest[0] in ("pk", found.target._meta.pk.name):
                rest = rest[1:]
            return Resolved(node, column_of(compiler, node, found), found, rest)
        if not rest or not _is_path(node.model._meta, rest[0]):
            return Resolved(node, column_of(compiler, node, node.model._meta.pk), node.model._meta.pk, rest)
    raise FieldError(f"{node.model.__name__}: {name!r} names nothing")


def _find(meta: Any, part: str, *, whole: str) -> Any:
    try:
        return meta.get_field(part)
    except FieldError as error:
        where = f" (in {whole!r})" if whole != part else ""
        raise FieldError(f"{error.message}{where}", hint=error.hint) from None


def _is_path(meta: Any, part: str) -> bool:
    return part == "pk" or part in meta.by_name or part in meta.reverse


def _goes_on(found: ForeignKey[Any], rest: tuple[str, ...]) -> bool:
    """Whether the path really enters the other table: ``section__slug`` does, ``section__id`` need not."""
    if not rest:
        return False
    target = found.target._meta
    if rest[0] in ("pk", target.pk.name):
        return target.public is not None and len(rest) > 1 and _is_path(target, rest[1])
    return _is_path(target, rest[0]) or any(f.attname == rest[0] for f in target.fields)


def column_of(compiler: Compiler, node: Node, found: Field[Any]) -> Any:
    """The column of a field; in another locale, of its translation where there is one."""
    compiler.touch(node, found.column)
    column = node.table.c[found.column]
    if not found.translated or not compiler.sight[2]:
        return column
    import sqlalchemy as sa

    translated = join_translation(compiler, node).table.c[found.column]
    compiler.binds.footprint.add((node.model._meta.translation._meta.table, found.column))
    return sa.func.coalesce(sa.func.nullif(translated, ""), column)


def join_forward(compiler: Compiler, node: Node, key: ForeignKey[Any]) -> Node:
    """The table a foreign key refers to, joined with what the viewer may see of it."""
    compiler.touch(node, key.column)
    return _join(
        compiler,
        node,
        key.name,
        key.target,
        lambda child: node.table.c[key.column] == child.pk,
        outer=key.null or node.outer or compiler.hides(key.target),
    )


def join_translation(compiler: Compiler, node: Node) -> Node:
    """The translation row of a table in the current locale."""
    translation = node.model._meta.translation
    source = translation._meta.by_name["source"]

    def on(child: Node) -> Any:
        compiler.touch(child, source.column)
        compiler.touch(child, "locale")
        return (child.table.c[source.column] == node.pk) & (child.table.c["locale"] == compiler.locale_bind())

    return _join(compiler, node, "@translation", translation, on, outer=True)


def key_column(compiler: Compiler, name: str) -> Any:
    """The column that says whose partner each row is, for a keyed query; without entering the owner's table."""
    node = compiler.root
    found = _find(node.model._meta, name, whole=name)
    declared = found.field if isinstance(found, Reverse) else found
    if not isinstance(declared, ManyToManyField):
        return column_of(compiler, node, node.model._meta.pk if isinstance(found, Reverse) else found)
    own, other = link_sides(found)
    through = _join(
        compiler,
        node,
        f"{name}@key",
        declared.through,
        lambda child: child.table.c[own.column] == node.pk,
        outer=False,
    )
    compiler.touch(through, own.column)
    compiler.touch(through, other.column)
    return through.table.c[other.column]


def _join_reverse(compiler: Compiler, node: Node, name: str, relation: Reverse) -> Node:
    key = relation.field

    def on(child: Node) -> Any:
        compiler.touch(child, key.column)
        return child.table.c[key.column] == node.pk

    return _join(compiler, node, name, relation.model, on, outer=True)


def _join_many(compiler: Compiler, node: Node, name: str, relation: Any) -> Node:
    """A join that multiplies rows: one for each partner. Only ``values()`` asks for it."""
    declared = relation.field if isinstance(relation, Reverse) else relation
    if isinstance(declared, ForeignKey):
        found = _join_reverse(compiler, node, name, relation)
        compiler.crossed.add(found)
        return found
    own, other = link_sides(relation)
    through = _join(
        compiler,
        node,
        f"{name}@through",
        declared.through,
        lambda child: child.table.c[own.column] == node.pk,
        outer=True,
    )
    compiler.crossed.add(through)
    compiler.touch(through, own.column)
    compiler.touch(through, other.column)
    return _join(
        compiler,
        through,
        name,
        other.target,
        lambda child: through.table.c[other.column] == child.pk,
        outer=True,
    )


def link_sides(relation: Any) -> tuple[ForeignKey[Any], ForeignKey[Any]]:
    """The foreign keys of the table between: to where we stand, and to where we go."""
    if isinstance(relation, Reverse):
        own, other = relation.field.link_fields()
        return other, own
    own, other = relation.link_fields()
    return own, other


def _join(compiler: Compiler, node: Node, name: str, model: Any, on: Any, *, outer: bool) -> Node:
    if name in node.children:
        return node.children[name]
    alias = compiler.schema.table(model).alias(f"t{next(compiler.binds.aliases)}")
    child = Node(model, alias, None, outer)
    node.children[name] = child
    compiler.touch(child, model._meta.pk.column)
    condition = on(child)
    for seen in compiler.visible(child):
        condition = condition & seen
    child.on = condition
    return child
