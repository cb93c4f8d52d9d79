"""Following names through models: ``section__slug`` is a column of the table that ``section`` refers to."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError, did_you_mean, near_or_all
from toolkit.models.fields.base import Field
from toolkit.models.fields.several import as_one, columns_of, parts_of
from toolkit.models.lookup_names import refuse_behind_key
from toolkit.models.many_to_many import ManyToManyField
from toolkit.models.nodes import LinkedNode, Node
from toolkit.models.relations import ForeignKey, Referred, Reverse
from toolkit.models.shapes import CONSTANT, Bind
from toolkit.models.unmanaged import told_alike

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler


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


LONGEST_PATH = 16
"""Names in one path: the time that a database takes to plan nested conditions grows with each relation."""


def refuse_long_path(name: str) -> None:
    """Refuse a path of more names than anybody means.

    Raises:
        FieldError: It has more than ``LONGEST_PATH``.
    """
    if name.count("__") >= LONGEST_PATH:
        raise FieldError(
            f"{name[:60]!r}... has more than {LONGEST_PATH} names in one path", hint="Ask in several steps, with __in."
        )


def resolve(compiler: Compiler, name: str, node: Node, *, joined: bool | frozenset[Node] = False) -> Resolved:
    """Follow a name from a table, joining single-valued relations on the way.

    Args:
        compiler: Keeps the joins and the footprint.
        name: Names joined by two underscores.
        node: Where to start.
        joined: Join many-valued relations too, as ``values()`` does, rather than stop before them; or only those whose
            joins are among these.

    Raises:
        FieldError: A name leads nowhere.
    """
    refuse_long_path(name)
    if node.answers:
        hint = did_you_mean(name, compiler.annotations) or f"Add {name!r} to values()."
        raise FieldError(f"{node.model.__name__}: {name!r} is not among the values that are given", hint=hint)
    parts = tuple(name.split("__"))
    for number, part in enumerate(parts):
        rest = parts[number + 1 :]
        meta = node.model._meta
        found = _find(meta, part, whole=name, besides=compiler.annotations if node is compiler.root else ())
        if isinstance(found, ManyToManyField | Reverse) and getattr(found, "many", True):
            if not joined or (joined is not True and _many_join(node, part, found) not in joined):
                return Resolved(node, None, None, rest, found)
            node = _join_many(compiler, node, part, found)
        elif isinstance(found, Reverse):
            node = join_reverse(compiler, node, part, found)
        elif isinstance(found, ForeignKey) and part != found.attname and _goes_on(found, rest):
            node = join_forward(compiler, node, found)
            continue
        else:
            if isinstance(found, ForeignKey) and rest and _is_key(found, rest[0]):
                rest = rest[1:]
            home, column = placed(compiler, node, found)
            return Resolved(home, column, found.asked if found.is_generated else found, rest)
        if not rest or not is_path(node.model._meta, rest[0]):
            return Resolved(node, column_of(compiler, node, node.model._meta.pk), node.model._meta.pk, rest)
    raise FieldError(f"{node.model.__name__}: {name!r} names nothing")


def _find(meta: Any, part: str, *, whole: str, besides: Iterable[str] = ()) -> Any:
    try:
        return meta.get_field(part, besides=besides)
    except FieldError as error:
        where = f" (in {whole!r})" if whole != part else ""
        raise FieldError(f"{error.message}{where}", hint=error.hint) from None


def refuse_rest(model: Any, name: str, resolved: Resolved, rest: Sequence[str]) -> FieldError:
    """The error for a path that goes on where it cannot, with the nearest names of what it had come to."""
    at, found = resolved.node.model, resolved.field
    target = found.target if found is not None and found.is_relation else at if found is at._meta.pk else None
    if target is not None and found is not target._meta.pk and rest[0] in target._meta.names():
        return refuse_behind_key(f"{model.__name__}.{name}", "__".join(rest), found)
    if target is not None and "__" in name:
        hint = near_or_all(rest[0], target._meta.names())
        return FieldError(f"{target.__name__} has no field {rest[0]!r} (in {model.__name__}.{name})", hint=hint)
    hint = near_or_all(rest[0], found.known_transforms() if found is not None else ())
    return FieldError(f"{model.__name__}.{name}: {'__'.join(rest)!r} is not a field", hint=hint)


def is_path(meta: Any, part: str) -> bool:
    """Whether a path goes on by this name, or ends with it; transforms and lookups are none."""
    return part == "pk" or part in meta.by_name or part in meta.reverse or part in meta.virtual


def _is_key(key: ForeignKey[Any], name: str) -> bool:
    """Whether a name on the other side is that of the value which the foreign key holds."""
    held = key.target_field
    return name == held.name or (name == "pk" and held is key.target._meta.pk)


def _goes_on(found: ForeignKey[Any], rest: tuple[str, ...]) -> bool:
    """Whether the path really enters the other table: ``section__slug`` does, ``section__id`` need not."""
    if not rest:
        return False
    target, held = found.target._meta, found.target_field
    if held.is_relation and rest[0] == held.name:  # the key is a reference itself, and a path goes on along it
        return True
    if _is_key(found, rest[0]):
        guarded = any(each.public is not None for each in target.lineage)
        return guarded and len(rest) > 1 and is_path(target, rest[1])
    return is_path(target, rest[0]) or any(f.attname == rest[0] for f in target.fields)


def column_of(compiler: Compiler, node: Node, found: Field[Any]) -> Any:
    """The column of a field; in another locale, of its translation where there is one."""
    return placed(compiler, node, found)[1]


def placed(compiler: Compiler, node: Node, found: Field[Any]) -> tuple[Node, Any]:
    """The table that a field is in, and its column; in another locale, of its translation where there is one."""
    home, column = home_of(compiler, node, found)
    if not found.translated or not compiler.sight[2]:
        return home, column
    import sqlalchemy as sa

    translated = join_translation(compiler, home).table.c[found.column]
    compiler.binds.footprint.add((home.model._meta.translation._meta.table, found.column))
    return home, sa.func.coalesce(sa.func.nullif(translated, ""), column)


def own_column(compiler: Compiler, node: Node, found: Field[Any]) -> Any:
    """The column of a field as the row itself has it, whatever the locale."""
    return home_of(compiler, node, found)[1]


def loaded_column(compiler: Compiler, node: Node, found: Field[Any]) -> Any:
    """The column of a field that is loaded and decides nothing: of what it holds, each row is an input of its own."""
    if found.is_several or found.model._meta.concrete_model is not node.model._meta.concrete_model:
        return own_column(compiler, node, found)
    return node.table.c[found.column]


def home_of(compiler: Compiler, node: Node, found: Any) -> tuple[Node, Any]:
    """The table that a field's column is in, which is a parent's if the field is inherited, and the column."""
    here = node.model._meta
    if found.is_several:
        return node, as_one([own_column(compiler, node, part) for part in found.parts])
    held = node.held.get(here.stand_ins.get(found, found))
    if held is not None:
        return node, held
    if found.model._meta.concrete_model is here.concrete_model:
        return node, _entered_column(compiler, node, found)
    link = here.stand_ins.get(found)
    if link is not None:  # the parent's key is our own: no need to enter its table
        compiler.touch(node, link.column)
        return node, node.table.c[link.column]
    for parent, link in here.parents.items():
        if issubclass(parent, found.model):
            return home_of(compiler, ascend(compiler, node, parent, link), found)
    raise FieldError(f"{found!r} is no field of {here.object_name}")


def _entered_column(compiler: Compiler, node: Node, found: Field[Any]) -> Any:
    """The column of a field in the table itself, even where a link before it holds the same value."""
    compiler.touch(node, found.column)
    return told_alike(node.table.c[found.column], found, compiler.dialect)


def ascend(compiler: Compiler, node: Node, parent: Any, link: ForeignKey[Any]) -> Node:
    """The table of a parent, joined by the link to it. What the viewer may see of it, ``visible`` says at the child."""
    name = f"@{parent._meta.label}"
    if name not in node.children:
        alias = compiler.alias_of(parent)
        child = node.children[name] = Node(parent, alias, None, node.outer)
        compiler.touch(node, link.column)
        child.on = node.table.c[link.column] == own_column(compiler, child, link.target_field)
    return node.children[name]


def join_forward(compiler: Compiler, node: Node, key: ForeignKey[Any]) -> Node:
    """The table a foreign key refers to, joined with what the viewer may see of it."""
    home, column = home_of(compiler, node, key)
    return _join(
        compiler,
        home,
        key.name,
        key.target,
        lambda child: column == own_column(compiler, child, key.target_field),
        outer=key.null or node.outer or compiler.hides(key.target),
    )


def join_translation(compiler: Compiler, node: Node) -> Node:
    """The translation row of a table in the current locale."""
    translation = node.model._meta.translation
    source = translation._meta.by_name["source"]

    def on(child: Node) -> Any:
        compiler.touch(child, "locale")
        return (own_column(compiler, child, source) == node.pk) & (child.table.c["locale"] == compiler.locale_bind())

    return _join(compiler, node, "@translation", translation, on, outer=True)


def key_column(compiler: Compiler, name: str) -> Any:
    """The column that says whose partner each row is, for a keyed query; without entering the owner's table."""
    node = compiler.root
    found = _find(node.model._meta, name, whole=name)
    declared = found.field if isinstance(found, Reverse) else found
    if not isinstance(declared, ManyToManyField):
        return column_of(compiler, node, node.model._meta.pk if isinstance(found, Reverse) else found)
    own, other = link_sides(found)
    anchor = own_column(compiler, node, own.target_field)
    through = _join(
        compiler,
        node,
        f"{name}@key",
        declared.through,
        lambda child: own_column(compiler, child, own) == anchor,
        outer=False,
    )
    return own_column(compiler, through, other)


def join_reverse(compiler: Compiler, node: Node, name: str, relation: Reverse) -> Node:
    """The table that refers to this one, joined with what the viewer may see of it."""
    if isinstance(relation, Referred):
        return _join_referred(compiler, node, name, relation)
    anchor = anchor_of(compiler, node, relation)

    def on(child: Node) -> Any:
        column, condition = link_of(compiler, child, relation, node.model)
        return column == anchor if condition is None else (column == anchor) & condition

    return _join(compiler, node, name, relation.model, on, outer=True)


def _join_referred(compiler: Compiler, node: Node, name: str, relation: Referred) -> Node:
    """The table of one model that a generic reference may lead to."""
    held, refers = _generic_link(compiler, node, relation.field, relation.owner)

    def on(child: Node) -> Any:
        return refers & (_as_kept(compiler, child, relation.field) == held)

    return _join(compiler, node, name, relation.owner, on, outer=True)


def _join_many(compiler: Compiler, node: Node, name: str, relation: Any) -> Node:
    """A join that multiplies rows: one for each partner. Only ``values()`` asks for it."""
    declared = relation.field if isinstance(relation, Reverse) else relation
    if not isinstance(declared, ManyToManyField):
        found = join_reverse(compiler, node, name, relation)
        found.many = True
        compiler.crossed.add(found)
        return found
    own, other = link_sides(relation)
    anchor = own_column(compiler, node, own.target_field)
    through = _join(
        compiler,
        node,
        _name_between(node, name, relation),
        declared.through,
        lambda child: own_column(compiler, child, own) == anchor,
        outer=True,
    )
    if not through.many and compiler.hides(other.target):  # a partner who is not seen is no row with nothing in it
        through.on = through.on & own_column(compiler, through, other).in_(seen_keys(compiler, other))
    through.many = True
    compiler.crossed.add(through)
    if other.name in through.children:
        return through.children[other.name]
    there = own_column(compiler, through, other)
    if not is_told_by_key(compiler, other):
        return _join(
            compiler,
            through,
            other.name,
            other.target,
            lambda child: there == own_column(compiler, child, other.target_field),
            outer=True,
        )
    linked = linked_node(compiler, other, there, compiler.alias_of(other.target), outer=True)
    through.children[other.name] = linked
    return linked


def is_told_by_key(compiler: Compiler, key: ForeignKey[Any]) -> bool:
    """Whether the columns of a foreign key say which row it refers to, without a look at that row.

    A viewer who may miss some of the rows has to look at them, whatever is asked.
    """
    concrete = key.target._meta.concrete_model
    inherited = any(part.model._meta.concrete_model is not concrete for part in parts_of(key.target_field))
    return not inherited and not compiler.hides(key.target)


def linked_node(compiler: Compiler, key: ForeignKey[Any], there: Any, table: Any, *, outer: bool = False) -> LinkedNode:
    """The table that a link leads to, to be joined only if more is asked of it than its key.

    Args:
        compiler: The compiler of the question that the link is in.
        key: The foreign key that leads there.
        there: Its columns.
        table: The alias of the table.
        outer: Whether links without a row stay.
    """
    parts = parts_of(key.target_field)

    def entering(node: Node) -> None:
        compiler.touch_key(node)
        node.on = there == as_one([_entered_column(compiler, node, part) for part in parts])

    held = dict(zip(parts, columns_of(there), strict=True))
    return LinkedNode(key.target, table, outer=outer, held=held, entering=entering)


def _many_join(node: Node, name: str, relation: Any) -> Node | None:
    """The join that multiplies rows, if there is one of this name."""
    declared = relation.field if isinstance(relation, Reverse) else relation
    return node.children.get(_name_between(node, name, relation) if isinstance(declared, ManyToManyField) else name)


def _name_between(node: Node, name: str, relation: Any) -> str:
    """What the join of a table between is known by: it is one with that of its rows, where paths may name them."""
    between = rows_between(node.model, relation)
    return f"{name}@through" if between is None else between.name


def rows_between(model: Any, relation: Any) -> Reverse | None:
    """The relation to the rows of the table between, of a many-to-many relation: ``bylines``, where it is ``authors``.

    Args:
        model: Whose relation it is.
        relation: A many-valued relation; None is given if it has no table between, or one whose rows no path may name.
    """
    if refers_itself(relation):
        return None
    own = link_sides(relation)[0]
    named = (each for name, each in model._meta.reverse.items() if each.field is own and not name.startswith("_"))
    return next((each for each in named if each.many), None)


def seen_keys(compiler: Compiler, key: ForeignKey[Any]) -> Any:
    """A SELECT of what a foreign key may hold so that the viewer sees the row it refers to."""
    import sqlalchemy as sa

    inner = compiler.inside(key.target)
    column = own_column(inner, inner.root, key.target_field)
    where = inner.visible(inner.root)
    source = inner.from_clause()
    return sa.select(*columns_of(column)).select_from(source).where(*where).correlate_except(source)


def anchor_of(compiler: Compiler, node: Node, relation: Any) -> Any:
    """The column of where we stand that the rows of a many-valued relation, or those between, refer to."""
    if not refers_itself(relation):
        return own_column(compiler, node, link_sides(relation)[0].target_field)
    if isinstance(relation.field, ForeignKey):
        return own_column(compiler, node, relation.field.target_field)
    return _as_kept(compiler, node, relation.field)


def refers_itself(relation: Any) -> bool:
    """Whether partners refer to us themselves, without a table between."""
    return isinstance(relation, Reverse) and not isinstance(relation.field, ManyToManyField)


def _as_kept(compiler: Compiler, node: Node, key: Any) -> Any:
    """The primary key as a generic reference keeps it."""
    import sqlalchemy as sa

    own = node.model._meta.pk
    column = own_column(compiler, node, own)
    if not key.is_text or isinstance(own.sql_type(), sa.String):
        return column
    text = sa.cast(sa.type_coerce(column, sa.String()), sa.String(key.id_field.max_length or 64))
    if not isinstance(own.sql_type(), sa.Uuid) or compiler.dialect == "postgresql":
        return text
    plain = sa.func.replace(text, "-", "")  # some keep the digits alone; Python writes them in five groups
    groups: list[Any] = [
        sa.func.substr(plain, start, length) for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    ]
    dash = sa.literal_column("'-'", sa.String())
    return functools.reduce(lambda left, right: left + dash + right, groups)


def link_of(compiler: Compiler, node: Node, relation: Reverse, owner: Any) -> tuple[Any, Any]:
    """How rows of a table refer to another row themselves.

    Args:
        compiler: The compiler.
        node: Their table.
        relation: The relation.
        owner: The model they refer to.

    Returns:
        The column that refers, and a condition that it does refer to that model, or None.
    """
    key = relation.field
    if isinstance(key, ForeignKey):
        return own_column(compiler, node, key), None
    return _generic_link(compiler, node, key, owner)


def _generic_link(compiler: Compiler, node: Node, key: Any, owner: Any) -> tuple[Any, Any]:
    """The column with the key that a generic reference holds, and a condition that it is one of a model's."""
    name = compiler.binds.add(Bind(CONSTANT, owner._meta.concrete_model._meta.label), key.type_field.sql_type())
    return own_column(compiler, node, key.id_field), own_column(compiler, node, key.type_field) == name


def canonical(model: Any, name: str) -> str:
    """A path with each field under its own name: ``section_id`` is ``section``, ``pk`` is ``id``.

    Raises:
        FieldError: A name leads nowhere.
    """
    found, meta = [], model._meta
    for part in name.split("__"):
        field = _find(meta, part, whole=name)
        found.append(field.name)
        meta = (field.model if isinstance(field, Reverse) else getattr(field, "target", meta.model))._meta
    return "__".join(found)


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
    node.enter()
    alias = compiler.alias_of(model)
    child = Node(model, alias, None, outer)
    node.children[name] = child
    compiler.touch_key(child)
    condition = on(child)
    for seen in compiler.visible(child):
        condition = condition & seen
    child.on = condition
    return child
