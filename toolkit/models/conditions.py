"""From the structure of a condition to SQL, and what a viewer may see of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.models.context import Context, constants
from toolkit.models.crossings import (
    Crossing,
    by_one_way,
    crossing_of,
    crossings,
    grouped,
    is_leaf,
    seen_partners,
    start_of,
    without_partner,
)
from toolkit.models.fields import BooleanField, JSONField
from toolkit.models.fields.several import as_one, columns_of, is_not_null, is_null
from toolkit.models.json_lookups import exact_null
from toolkit.models.json_paths import same
from toolkit.models.lookup_names import find_lookup, refuse_lookup, refuse_text_of_rows
from toolkit.models.lookups import COMMON, OPERATORS, LookupContext, takes_expressions, value_of
from toolkit.models.mentioned import is_closed_somewhere
from toolkit.models.nodes import Node
from toolkit.models.paths import (
    Resolved,
    anchor_of,
    ascend,
    is_told_by_key,
    link_of,
    link_sides,
    linked_node,
    own_column,
    refers_itself,
    seen_keys,
)
from toolkit.models.relations import ForeignKey, Reverse
from toolkit.models.sides import side, sides
from toolkit.models.sqltext import certain
from toolkit.models.text_lookups import TEXT
from toolkit.models.transforms import transformed
from toolkit.models.unmanaged import bound_type
from toolkit.models.windows import refuse_windows

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler


@dataclass(frozen=True)
class Leaf:
    """One ``name=value`` of a condition."""

    name: str
    kind: str
    data: tuple[Any, ...]


def condition(context: Context, structure: Any, *, negated: bool = False) -> Any:
    """SQL of a lifted ``Q``, or of an expression that is true or false.

    Conditions of one AND that cross the same many-valued relation speak of the same partner row.
    """
    import sqlalchemy as sa

    if structure[0] != "(q)":
        return _truth(context, structure, negated=negated)
    _, connector, inverted, children = structure
    negated = negated != inverted
    if inverted or connector == "XOR":
        context = context.scope  # it has partners of its own
    parts = _flattened(children, connector)
    if connector == "AND":
        groups = grouped(context, parts)
        clauses = [_together(context, members, shared, negated=negated) for members, shared in groups]
    else:
        inside = negated and connector != "XOR"  # which takes NULL on either side for false
        clauses = [_part(context, part, negated=inside) for part in parts]
    joined = _join_clauses(clauses, connector)
    return sa.not_(joined) if inverted else joined


def one_of_two(left: Any, right: Any) -> Any:
    """Whether just one of two conditions is true; NULL counts as false."""
    import sqlalchemy as sa

    first, second = (sa.case((side, sa.literal_column("1")), else_=sa.literal_column("0")) for side in (left, right))
    return first != second


def _together(context: Context, parts: list[Any], shared: Crossing | None, *, negated: bool) -> Any:
    """Parts of an AND that are about the same partner, or a single one."""
    if shared is None:
        return _part(context, parts[0], negated=negated)
    return _across(context, shared, ("(q)", "AND", False, tuple(parts)), negated=negated)


def _part(context: Context, part: Any, *, negated: bool) -> Any:
    """A part of a condition by itself."""
    if not is_leaf(part):
        return condition(context, part, negated=negated)
    crossing = crossing_of(context, part)
    if crossing is not None:
        return _across(context, crossing, part, negated=negated)
    leaf = Leaf(part[0], part[1], part[2:])
    return _comparison(context, leaf, start_of(context.home(leaf.name), leaf.name, leaf.kind), negated=negated)


def _truth(context: Context, structure: Any, *, negated: bool) -> Any:
    """An expression as a condition of its own: ``filter(Exists(...))``."""

    clause, field = context.expression(structure)
    if not isinstance(field, BooleanField):
        raise FieldError(
            f"{structure[0].__name__}(...) is not a condition: it is not true or false",
            hint="Compare it: annotate() it under a name, and filter by the name.",
        )
    return certain(clause, context.compiler.dialect) if negated else clause


def _flattened(children: Any, connector: str) -> list[Any]:
    """Children with plain nested ANDs opened, so that their conditions stand side by side."""
    flat: list[Any] = []
    for child in children:
        if connector == "AND" and child[0] == "(q)" and child[1] == "AND" and not child[2]:
            flat += _flattened(child[3], "AND")
        else:
            flat.append(child)
    return flat


def _join_clauses(clauses: list[Any], connector: str) -> Any:
    import sqlalchemy as sa

    if not clauses:
        return sa.true()
    if connector == "XOR":
        return one_of_two(*clauses)
    return sa.or_(*in_bunches(sa.or_, clauses)) if connector == "OR" else sa.and_(*in_bunches(sa.and_, clauses))


BUNCH = 200
"""Conditions that stand side by side: SQLite takes each for one level more of a tree, which may have a thousand.

Source: sqlite.org/limits.html, "Maximum Depth Of An Expression Tree".
"""


def in_bunches(join: Callable[..., Any], clauses: list[Any]) -> list[Any]:
    """Conditions to be joined, those of a long list joined already, in brackets by the bunch."""
    import sqlalchemy as sa
    from sqlalchemy.sql.elements import Grouping

    while len(clauses) > BUNCH:
        bunches = [clauses[start : start + BUNCH] for start in range(0, len(clauses), BUNCH)]
        # SQLAlchemy makes one list of all, unless they look like something else
        clauses = [sa.type_coerce(Grouping(join(*bunch)), sa.Boolean()) for bunch in bunches]
    return clauses


def _across(context: Context, crossing: Crossing, part: Any, *, negated: bool) -> Any:
    """A condition on one partner row across a many-valued relation."""
    import sqlalchemy as sa

    if is_leaf(part) and part[1] == "isnull" and crossing.is_end:
        found = _has_partner(context, crossing, None)
        return sa.not_(found) if part[2] else found
    said, keys = by_one_way(context, ("(q)", "AND", False, (part,)))
    (part,) = said[3]
    crossing = crossings(context, part)[crossing.key]
    found = _has_partner(context, crossing, part, keys.get(crossing.key, ()))
    rest = without_partner(context, part, crossing)
    if rest is False:
        return found
    nobody = sa.not_(_has_partner(context, crossing, None))
    if rest is not True:
        nobody = sa.and_(nobody, condition(context, ("(q)", "AND", False, (rest,)), negated=negated))
    return sa.or_(found, nobody)


def _has_partner(context: Context, crossing: Crossing, part: Any, keys: Iterable[ForeignKey[Any]] = ()) -> Any:
    """Whether there is a partner, one that meets a condition if there is any; never NULL, so that it can be negated."""
    import sqlalchemy as sa

    resolved, compiler = crossing.resolved, crossing.home.compiler
    inner, link, clause = partners(compiler, resolved.many, resolved.node.model)
    inner.few = compiler.few
    if part is not None:
        refuse_windows(compiler, ("(q)", "AND", False, (part,)), "a condition on partners")
        place = replace(context.below(inner, crossing.name, resolved.rest), crossed=True)
        inner.selection.where += [condition(place, ("(q)", "AND", False, (part,))), *seen_partners(inner, keys)]
    where = inner.where()
    key = anchor_of(compiler, resolved.node, resolved.many)
    source = clause(inner)
    if compiler.few or (inner.looks_out and compiler.dialect != "mysql"):  # MariaDB makes the better of IN by itself
        found = _is_any(source, (*where, link == key))
    else:
        select = sa.select(*columns_of(link)).select_from(source).where(*where, is_not_null(link))
        found = key.in_(select.correlate_except(source))
    return sa.and_(is_not_null(key), found) if resolved.node.outer else found


def _is_any(source: Any, where: Iterable[Any]) -> Any:
    """Whether a subquery has a row. Each row of the question around looks for its own, by an index; IN would find all
    rows there are first, for each question anew; and where it speaks of the row around, for each row."""
    import sqlalchemy as sa

    rows: Any = sa.select(sa.literal_column("1")).select_from(source).where(*where)
    return sa.exists(rows.correlate_except(source))


def partners(compiler: Compiler, relation: Any, owner: Any) -> tuple[Compiler, Any, Callable[[Compiler], Any]]:
    """A subquery over the partners of a many-valued relation.

    Args:
        compiler: The compiler around.
        relation: The relation.
        owner: The model whose partners they are.

    Returns:
        Its compiler, the column that refers back to where we came from, and a function that gives its FROM clause:
        the table between alone, unless more is asked of the partners than their key.
    """
    import sqlalchemy as sa

    if refers_itself(relation):
        inner = compiler.inside(relation.model)
        link, refers = link_of(inner, inner.root, relation, owner)
        if refers is not None:
            inner.selection.where.append(refers)
        return inner, link, lambda found: found.from_clause()
    own, other = link_sides(relation)
    declared = relation.field if isinstance(relation, Reverse) else relation
    table = compiler.alias_of(other.target)
    through = Node(declared.through, compiler.alias_of(declared.through), sa.true())
    link, there = (own_column(compiler, through, key) for key in (own, other))
    linked = linked_node(compiler, other, there, table) if is_told_by_key(compiler, other) else None
    inner = compiler.inside(other.target, root=linked or Node(other.target, table, None))
    inner.selection.where += [*([is_not_null(there)] if other.null else ()), *inner.visible(through)]

    def clause(found: Compiler) -> Any:
        if not found.root.entered:
            return through.table
        on = there == own_column(found, found.root, other.target_field) if linked is None else linked.on
        return found.from_clause(found.root.table.join(through.table, on))

    return inner, link, clause


def _comparison(context: Context, leaf: Leaf, resolved: Resolved, *, negated: bool) -> Any:
    """SQL of one comparison on a column that is at hand."""
    import sqlalchemy as sa

    column, field, name = _transformed(context.compiler, leaf, resolved)
    if leaf.kind == "isnull":
        if name not in ("exact", "iexact", "isnull"):
            raise FieldError(f"{leaf.name}=None: None can be compared only for equality", hint="Use __isnull=True.")
        if name == "exact" and isinstance(field, JSONField) and field.path:
            clause = exact_null(column, context.dialect)
            return certain(clause, context.dialect) if negated else clause
        return is_null(column) if leaf.data[0] else is_not_null(column)
    clause = _lookup_clause(context, leaf, resolved, column, field, name)
    if negated and (
        leaf.kind in ("expression", "items", "subquery") or COMMON.get(name) is not find_lookup(field, name)
    ):
        return certain(clause, context.compiler.dialect)  # NULL may come from either side, or from the lookup
    if negated and (resolved.node.outer or getattr(field, "null", True)):
        return sa.and_(clause, is_not_null(column))
    return clause


def _transformed(compiler: Compiler, leaf: Leaf, resolved: Resolved) -> tuple[Any, Any, str]:
    """(column, field, lookup name) once transforms such as ``published__year`` are taken off the path."""
    column, field, left = transformed(
        compiler, resolved.node, resolved.column, resolved.field, resolved.rest, lookups=True
    )
    name, *rest = left or ("exact",)
    where = f"{compiler.model.__name__}.{leaf.name}"
    if rest or (name != "isnull" and find_lookup(field, name) is None):
        raise refuse_lookup(where, "__".join([name, *rest]), field)
    if left and field is resolved.field is not None:
        entered = resolved.node.model if resolved.node is not compiler.root else None
        refuse_text_of_rows(where, name, leaf.name.split("__")[:-1], field, entered)
    return column, field, name


def _lookup_clause(context: Context, leaf: Leaf, resolved: Resolved, column: Any, field: Any, name: str) -> Any:
    import sqlalchemy as sa

    compiler = context.compiler
    kind = field.compared_type() if field is not None and not field.is_relation else None
    if leaf.kind == "list" and leaf.data[1] == 0:
        return sa.false()
    if leaf.kind == "subquery":
        return column.in_(compiler.subquery(leaf.data[0], context, compared=(leaf.name, field)))
    if name in COMMON:
        kind = bound_type(field, compiler.dialect, kind)
    lookup = find_lookup(field, name)
    if lookup is None:
        raise refuse_lookup(leaf.name, name, field)
    table_name = resolved.node.model._meta.table

    def place(column: Any, bind: Any, bind_each: Any, right: Any = None) -> LookupContext:
        listed = leaf.kind == "listed"
        return LookupContext(
            column, field, compiler.dialect, resolved.node, table_name, bind, bind_each, listed, right=right
        )

    if leaf.kind in ("expression", "items"):
        return _against_expression(context, leaf, place, column, lookup, name)

    def bind(convert: Any = None, kind: Any = kind) -> Any:
        return context.bind(leaf.data[0], convert, kind)

    def bind_each(convert: Any = None, kind: Any = kind) -> list[Any]:
        return [context.bind(leaf.data[0] + number, convert, kind) for number in range(leaf.data[1])]

    return lookup(place(column, bind, bind_each))


def _against_expression(
    context: Context, leaf: Leaf, place: Callable[..., LookupContext], column: Any, lookup: Any, name: str
) -> Any:
    """``updated__gt=F("published")``, ``expires__lte=Now()``, ``weight__range=(F("position"), 5)``."""
    field = place(column, None, None).field
    if not takes_expressions(lookup) and name not in OPERATORS:
        raise FieldError(f"{leaf.name}: an expression cannot stand behind {name!r}", hint="Give it a value.")
    if leaf.kind == "items":
        write = value_of(field, context.dialect) if field is not None else None
        column, items = sides(context, leaf.name, leaf.data[0], (column, field), write)
        return lookup(place(column, None, lambda *_: items, items))
    if name in ("in", "range"):
        raise FieldError(f"{leaf.name}: {name!r} takes several values", hint="Give it a list or a tuple.")
    column, right = side(context, leaf.name, leaf.data[0], (column, field), as_text=name in TEXT)
    if isinstance(field, JSONField):
        if name != "exact":
            raise FieldError(f"{leaf.name}: JSON is compared with other JSON for equality alone", hint="Give a value.")
        return same(column, right, context.dialect)
    if name in OPERATORS:
        return OPERATORS[name](column, right)
    return lookup(place(column, lambda *_: right, None, right))


def visible(compiler: Compiler, node: Node) -> list[Any]:
    """Conditions on what the viewer may see of a table: public rows, and rows with an edition in the locale."""
    meta = node.model._meta
    if not compiler.hides(node.model):
        return []
    clauses = _visible_here(compiler, node)
    for parent, link in meta.parents.items():
        if not parent._meta.hides(compiler.sight):
            continue
        if node.on is None and node is compiler.root:
            clauses += visible(compiler, ascend(compiler, node, parent, link))
        else:  # a join's condition cannot look into a table that is joined after it
            clauses.append(_has_visible_parent(compiler, node, link))
    return clauses


def _visible_here(compiler: Compiler, node: Node) -> list[Any]:
    only_public, only_editions, _ = compiler.sight
    meta = node.model._meta
    clauses = []
    if only_public and meta.public is not None:
        clauses.append(_public(compiler, node))
    if only_editions and meta.untranslated == "hide" and meta.translation is not None:
        clauses.append(_has_edition(compiler, node))
    return clauses


def _has_visible_parent(compiler: Compiler, node: Node, link: Any) -> Any:
    return own_column(compiler, node, link).in_(seen_keys(compiler, link))


def _public(compiler: Compiler, node: Node) -> Any:
    """``Meta.public`` of a table; through a subquery where it looks beyond the table."""
    meta = node.model._meta
    found: list[Any] = []
    structure = meta.public.lift(found)
    localized = compiler.sight[2]  # what is public is decided by the row itself, not by its translations
    own = {field.name for field in meta.local_fields if not field.is_relation and not (localized and field.translated)}
    beyond = is_closed_somewhere(structure)  # what another question sees is not the viewer's affair
    if not beyond and all(name.partition("__")[0] in own for name in meta.public.names()):
        return condition(Context(compiler, node, constants(found), declared=True), structure)
    inner = compiler.inside(node.model, unrestricted=True)
    inner.few = compiler.few
    inner.selection.where.append(condition(Context(inner, inner.root, constants(found)), structure))
    source = inner.from_clause()
    return _is_any(source, (*inner.selection.where, inner.root.pk == node.pk))


def _has_edition(compiler: Compiler, node: Node) -> Any:
    translation = node.model._meta.translation
    source = translation._meta.by_name["source"]
    table = compiler.alias_of(translation)
    for column in (*source.columns, "locale"):
        compiler.binds.footprint.add((translation._meta.table, column))
    edition = as_one([table.c[name] for name in source.columns])
    return _is_any(table, (edition == node.pk, table.c["locale"] == compiler.locale_bind()))
