"""The forms a query can take: instances, rows of values, a count, whether there is one, totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from typing import Any

from toolkit.database.backends.reading import UnreadRows
from toolkit.errors import FieldError
from toolkit.models.compiler import Compiler
from toolkit.models.fields.several import as_one, columns_of
from toolkit.models.generated import made_by, make_function
from toolkit.models.layers import is_layered, layered, places_of
from toolkit.models.loader import UNREADABLE, Part, make_loader, unread, unreadable
from toolkit.models.locking import locked
from toolkit.models.nodes import Node
from toolkit.models.options import located
from toolkit.models.outputs import Typed
from toolkit.models.paths import join_forward, join_reverse, loaded_column
from toolkit.models.query import Query, Sight
from toolkit.models.relations import ForeignKey, Reverse
from toolkit.models.selecting import multiplied
from toolkit.models.selection import own_slots
from toolkit.models.shapes import KEYS, SLOT, Bind, Shape, Statement
from toolkit.models.splitting import iter_aggregates, names_beside_aggregates
from toolkit.models.sqltext import narrowed


def compile_query(database: Any, query: Query, sight: Sight) -> Shape:
    """The shape of a query on a database, for a viewer."""
    compiler = Compiler(database, query.model, sight)
    compiler.apply(query.operations)
    return _FORMS[query.form](compiler, query)


def _instances(compiler: Compiler, query: Query) -> Shape:
    if compiler.selection.values is not None:
        return _rows(compiler, query)
    columns: list[Any] = []
    root = _part(compiler, compiler.root, columns)
    extras = _extras(compiler, columns, root)
    for path in related_paths(compiler):
        _select_along(compiler, root, path.split("__"), columns)
    indexes = (*root.key_indexes, *(index for _, index, _ in extras))
    where, key = _keyed(compiler)
    width = len(columns) + len(key)
    named = [*indexes, *range(len(columns), width)]
    statement, identity_statement = _both(compiler, [*columns, *key], named, where, query)
    return _shape(
        compiler, query, "instances", statement, identity_statement, make_loader(root, width), indexes=indexes
    )


def _both(
    compiler: Compiler, columns: Sequence[Any], indexes: Sequence[int], where: Sequence[Any], query: Query
) -> tuple[Statement, Statement]:
    """The statement with its slice, and the same for the columns that name its rows, which are at these indexes.

    In a keyed query each key has its slice.
    """
    identity = [columns[index] for index in indexes]
    if compiler.selection.keyed is not None and (query.start is not None or query.stop is not None):
        whole, named = (_sliced_by_key(compiler, each, where, query) for each in (columns, identity))
        return compiler.statement(whole), compiler.statement(named)
    select = compiler.select(columns, where=where)
    whole = _sliced(compiler, locked(compiler, select), query)
    if is_layered(compiler) or places_of(compiler, columns):
        return whole, _sliced(compiler, compiler.select(identity, where=where), query)
    if compiler.selection.lock is None and (text := narrowed(whole.sql, len(columns), indexes)):
        return whole, replace(whole, sql=text)
    # tables, conditions and order are the same, and made once
    return whole, _sliced(compiler, select.with_only_columns(*identity), query)


def _sliced_by_key(compiler: Compiler, columns: Sequence[Any], where: Sequence[Any], query: Query) -> Any:
    import sqlalchemy as sa

    first, count = (
        None if index is None else compiler.binds.add(Bind(SLOT, index), sa.BigInteger())
        for index in (query.start, query.stop)
    )

    def between(number: Any) -> list[Any]:
        found = [] if first is None else [number > first]
        if count is not None:
            start = 0 if query.start is None else compiler.binds.add(Bind(SLOT, query.start), sa.BigInteger())
            found.append(number <= (count if query.start is None else count + start))
        return found

    return layered(compiler, columns, where=where, each=columns[-compiler.key_width :], between=between)


def _keyed(compiler: Compiler) -> tuple[list[Any], list[Any]]:
    """(conditions, extra columns) of a keyed query."""
    if compiler.selection.keyed is None:
        return [], []
    columns = compiler.key_columns()
    compiler.key_width = len(columns)
    key = as_one(columns)
    kind = columns[0].type if len(columns) == 1 else None
    return [key.in_(compiler.binds.add(Bind(KEYS), kind))], columns


def _part(compiler: Compiler, node: Node, columns: list[Any], *, path: str = "") -> Part:
    """Append the columns of one instance, and say where they are."""
    meta = node.model._meta
    wanted = wanted_fields(compiler, meta, path)
    start = len(columns)
    columns.extend(loaded_column(compiler, node, field) for field in wanted)
    masked = None if len(wanted) == len(meta.fields) else tuple(meta.mask_name(field) for field in wanted)
    return Part(
        model=node.model,
        columns=[(field.attname, compiler.reader(field), field.null) for field in wanted],
        start=start,
        key_indexes=tuple(start + wanted.index(field) for field in meta.key),
        masked=masked,
        place=compiler.place if compiler.place != meta.database else None,
    )


def wanted_fields(compiler: Compiler, meta: Any, path: str) -> list[Any]:
    """The fields that are loaded at once: what ``only()`` and ``defer()`` leave, but for heavy ones.

    Args:
        compiler: Its selection has the paths that were named.
        meta: The model's options.
        path: How the model is reached from the root, with a trailing ``__``; empty for the root.
    """
    chosen = compiler.selection
    only = _below(chosen.only or (), path)
    everything = chosen.only is None or bool(path and not only)  # only("title") says nothing of a section's fields
    deferred = {name.removeprefix(path) for name in chosen.defer if name.startswith(path)}
    needed = _below(related_paths(compiler), path)
    for key in (*meta.spread_keys, *meta.virtual.values()):  # its fields are wanted where it is
        for among in (only, needed, deferred):
            among |= set(key.names) if key.name in among else set()

    def is_wanted(field: Any) -> bool:
        named = not field.is_heavy if everything else field.name in only
        return field.in_key or field.name in needed or (named and field.name not in deferred)

    return [field for field in meta.fields if is_wanted(field)]


def _below(paths: Iterable[str], path: str) -> set[str]:
    """The next name in each path that begins with this one."""
    return {name.removeprefix(path).partition("__")[0] for name in paths if name.startswith(path)}


def _extras(compiler: Compiler, columns: list[Any], root: Part) -> Sequence[Any]:
    extras = []
    for alias in compiler.selection.annotated:
        column, field = compiler.annotations[alias]
        if len(columns_of(column)) > 1:
            raise FieldError(
                f"annotate({alias}=...): that is several columns, and an instance takes one",
                hint="Name one of its fields, or ask for it with values().",
            )
        extras.append((alias, len(columns), compiler.reader(field)))
        columns.append(column.label(f"a_{len(extras)}"))
    root.extras = extras
    return extras


RELATED_DEPTH = 5
"""How far ``select_related()`` without names goes, as in Django."""


def related_paths(compiler: Compiler) -> list[str]:
    """The paths of the objects that are selected along."""
    chosen = compiler.selection
    every = _always_there(compiler.model, RELATED_DEPTH) if chosen.related_all else ()
    return [*chosen.related, *every]


def _always_there(model: Any, depth: int) -> Iterator[str]:
    for key in model._meta.foreign_keys() if depth else ():
        if not key.null and not key.parent_link:
            yield key.name
            yield from (f"{key.name}__{path}" for path in _always_there(key.target, depth - 1))


def _select_along(compiler: Compiler, part: Part, path: Sequence[str], columns: list[Any]) -> None:
    """Take the columns of related objects into the same SELECT."""
    node, walked = compiler.root, ""
    for name in path:
        walked += f"{name}__"
        found = node.model._meta.get_field(name)
        single = isinstance(found, Reverse) and not found.many and found.accessor is not None
        if not single and not isinstance(found, ForeignKey):
            raise FieldError(
                f"select_related({name!r}): {node.model.__name__}.{name} is not a reference to one object",
                hint="Use prefetch_related for many-valued relations.",
            )
        node = join_reverse(compiler, node, name, found) if single else join_forward(compiler, node, found)
        attribute = f"_many_{found.accessor}" if single else found.name
        below = next((child for known, child in part.children if known == attribute), None)
        if below is None:
            below = _part(compiler, node, columns, path=walked)
            below.back = found.field.name if single else None
            part.children.append((attribute, below))
        part = below


def _rows(compiler: Compiler, query: Query) -> Shape:
    names = compiler.selection.values or []
    typed = [compiler.value_column(name) for name in names]
    columns = [each for column, _ in typed for each in columns_of(column)]
    select = compiler.select([column.label(f"v{n}") for n, column in enumerate(columns)])
    identity = statement = _sliced(compiler, select, query)
    if compiler.selection.lock is not None:
        statement = _sliced(compiler, locked(compiler, select), query)
    widths = [len(columns_of(column)) for column, _ in typed]
    load = row_loader([compiler.reader(field) for _, field in typed], widths, names, query.model._meta.label)
    return _shape(compiler, query, "rows", statement, identity, load, names=tuple(names))


def row_loader(
    readers: Sequence[Callable[[Any], Any] | None],
    widths: Sequence[int] = (),
    names: Sequence[str] = (),
    label: str = "",
) -> Callable[[Any], list[Any]]:
    """Rows as tuples of Python values.

    Args:
        readers: From the driver's value to Python's, for each value of a row.
        widths: How many columns each value has, if not one.
        names: What the values are called, for an error.
        label: The model's, for an error.
    """
    known: dict[str, Any] = {f"f{n}": reader for n, reader in enumerate(readers)}
    items, places, start = [], [], 0
    for n, (reader, width) in enumerate(zip(readers, widths or repeat(1))):  # noqa: B905 - one may be endless
        column = f"r[{start}]"
        value = column if width == 1 else f"r[{start}:{start + width}]"
        lacks = f"{column} is None" if width == 1 else f"None in {value}"
        items.append(f"{value}, " if reader is None else f"None if {lacks} else f{n}({value}), ")
        places.append((start, reader if width == 1 else None))
        start += width
    read: Callable[[Any], list[Any]] = list
    if any(readers):
        read = make_function(f"def load(rows): return [({''.join(items)}) for r in rows]", known)

    def load(rows: Any) -> list[Any]:
        if rows.__class__ is UnreadRows:
            raise _unread(rows, places, names, label, ValueError())
        try:
            return read(rows)
        except UNREADABLE as error:
            raise _unread(rows, places, names, label, error) from error

    return made_by(load, row_loader, readers, widths, names, label)


def _unread(
    rows: Any, places: Sequence[tuple[int, Any]], names: Sequence[str], label: str, error: Exception
) -> Exception:
    """The error for the value among those of rows that could not be read."""
    for name, (place, reader) in zip(names, places, strict=False):
        for row in rows:
            found = unread(row[place], reader)
            if found is not None:
                return unreadable(f"{label}: {name!r}", row[place], found)
    return error


def _count(compiler: Compiler, query: Query) -> Shape:
    import sqlalchemy as sa

    whole = query.start is None and query.stop is None
    chosen = compiler.selection
    if whole and chosen.values is None and not chosen.distinct and not is_layered(compiler):
        select = compiler.select([sa.func.count()], ordered=False)
    else:
        names = chosen.values or ["pk"]
        columns = [column.label(f"v{n}") for n, column in enumerate(compiler.value_columns(names))]
        inner = compiler.limited(compiler.select(columns, ordered=not whole), query.start, query.stop)
        select = sa.select(sa.func.count()).select_from(inner.subquery())
    statement = compiler.statement(select)
    return _shape(compiler, query, "count", statement, statement, _number)


def _number(rows: Any) -> Any:
    return rows[0][0]


def _exists(compiler: Compiler, query: Query) -> Shape:
    import sqlalchemy as sa

    select = compiler.select([sa.literal_column("1").label("found")], ordered=False)
    if query.start is None and query.stop is None:
        statement = compiler.statement(select.limit(sa.literal_column("1")))
    else:
        statement = _sliced(compiler, select, query)
    return _shape(compiler, query, "exists", statement, statement, bool)


def _aggregate(compiler: Compiler, query: Query) -> Shape:
    import sqlalchemy as sa

    for alias, structure in query.totals:
        _refuse_single(compiler, alias, structure, [name for name, _ in query.totals if name != alias])
    compiler = _settled(compiler, query)
    compiler.crossed, compiler.crossings = set(), []
    typed = [_total(compiler, structure) for _, structure in query.totals]
    if multiplied(compiler.crossings) is None and (len(typed) == 1 or not compiler.crossed):
        select = compiler.select([column for column, _ in typed], ordered=False)
    else:
        select = sa.select(*(_alone(compiler, query, structure)[0] for _, structure in query.totals))
    statement = compiler.statement(select)
    names = tuple(alias for alias, _ in query.totals)
    load = row_loader([compiler.reader(field) for _, field in typed], (), names, query.model._meta.label)
    return _shape(compiler, query, "aggregate", statement, statement, load, names=names)


def _settled(compiler: Compiler, query: Query) -> Compiler:
    """A compiler for totals over the answer, where that is more than the rows that meet some conditions."""
    chosen = compiler.selection
    sliced = query.start is not None or query.stop is not None
    if chosen.values is not None and (chosen.grouped or chosen.distinct or (sliced and _is_of_pairs(compiler))):
        return _of_answers(compiler, query)
    if sliced or compiler.windowed or is_layered(compiler):
        compiler.narrow(query.start, query.stop)
    return compiler


def _refuse_single(compiler: Compiler, alias: str, structure: Any, others: Sequence[str]) -> None:
    """Refuse a total that is of single rows.

    Args:
        compiler: Of the question.
        alias: The total's name.
        structure: The total.
        others: The names of the other totals.

    Raises:
        FieldError: It has no aggregate, or names beside one.
    """
    beside = next(names_beside_aggregates(structure), None)
    if beside in others:
        told = f"{compiler.model.__name__}: aggregate({alias}=...) speaks of {beside!r}, which is named behind it"
        raise FieldError(told, hint="Name it first.")
    first = beside.partition("__")[0] if beside is not None else "pk"
    if beside is not None and first not in compiler.annotations:
        compiler.model._meta.get_field(first, besides=[*compiler.annotations, *others])
        compiler.value_column(beside)
    if beside is not None or not any(iter_aggregates(structure)):
        told = f": {beside!r} is of single rows" if beside is not None else ""
        raise FieldError(
            f"{compiler.model.__name__}: aggregate({alias}=...) is no total{told}", hint="Such as Sum('weight')."
        )


def _is_of_pairs(compiler: Compiler) -> bool:
    """Whether the values of many-valued relations make several rows of one."""
    compiler.value_columns(compiler.selection.values or ())
    return any(node.many for node in compiler.root.descendants())


def _of_answers(compiler: Compiler, query: Query) -> Compiler:
    """A compiler of a question about the answers of another one: groups, distinct values, a slice of either."""
    typed = {name: compiler.value_column(name) for name in compiler.selection.values or ()}
    each = {name: columns_of(column) for name, (column, _) in typed.items()}
    columns = [column.label(f"v{n}") for n, column in enumerate(chain(*each.values()))]
    sliced = query.start is not None or query.stop is not None
    inner = compiler.limited(compiler.select(columns, ordered=sliced), query.start, query.stop)
    table = inner.subquery(f"t{next(compiler.binds.aliases)}")
    given = iter(table.c)
    outer = compiler.inside(compiler.model)
    outer.inner = False
    outer.root = Node(compiler.model, table, None, answers=True)
    outer.annotations = {name: (as_one([next(given) for _ in found]), typed[name][1]) for name, found in each.items()}
    outer.selection.unrestricted = True  # the question inside shows what the viewer may see
    return outer


def _total(compiler: Compiler, structure: Any) -> Typed:
    """(column, field) of a total."""
    return compiler.expression(structure, compiler.root, own_slots, grouped=True)


def _alone(compiler: Compiler, query: Query, structure: Any) -> Typed:
    """A total as a SELECT of its own, where another total's joins to many rows do not multiply its rows."""
    twin = _settled(compiler.twin(), query)
    twin.crossings = []
    column, field = _total(twin, structure)
    if multiplied(twin.crossings) is None:
        return twin.select([column], ordered=False).scalar_subquery(), field
    outer = compiler.inside(compiler.model)
    outer.apart = partial(_alone, compiler, query)
    return _total(outer, structure)


def _sliced(compiler: Compiler, select: Any, query: Query) -> Statement:
    return compiler.statement(compiler.limited(select, query.start, query.stop))


def _shape(
    compiler: Compiler,
    query: Query,
    form: str,
    statement: Statement,
    identity: Statement,
    load: Callable[[Any], Any],
    *,
    indexes: tuple[int, ...] = (),
    names: tuple[str, ...] = (),
) -> Shape:
    place = query.model._meta.database
    return Shape(
        model=query.model,
        form=form,
        statement=statement,
        identity=identity,
        identity_indexes=indexes,
        load=load,
        footprint=tuple(sorted((located(table, place), column) for table, column in compiler.binds.footprint)),
        clock=tuple(sorted((located(table, place), column, later) for table, column, later in compiler.binds.clock)),
        opaque=compiler.binds.opaque,
        place=place,
        locks=compiler.selection.lock is not None and form in ("instances", "rows"),
        keyed=compiler.selection.keyed is not None,
        names=names,
        searches=tuple(compiler.binds.searches),
    )


_FORMS: dict[str, Callable[[Compiler, Query], Shape]] = {
    "instances": _instances,
    "rows": _rows,
    "count": _count,
    "exists": _exists,
    "aggregate": _aggregate,
}
