"""Relations of instances that were loaded together are loaded together: fifty stories, one query for authors.

Each page's trace gets its own part of such a batch, at the moment the page touches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from toolkit.errors import UnplannedQuery
from toolkit.models.compile import Query
from toolkit.models.scopes import current_scope, find_shape
from toolkit.models.shapes import Shape
from toolkit.models.sqltext import iter_chunks, quoted
from toolkit.trace import ABSENT, Scope, digest

BATCH_KEYS = 500
"""Keys in one statement, and owners whose many-valued relations are loaded at once."""


def note_row(trace: Any, instance: Any) -> None:
    """Record that a row was read."""
    row = instance._row
    if not row:
        return
    for table, mask, index, indexes in instance._meta.row_parts(instance.__dict__.get("_mask")):
        key = ("row", (table, mask, row[index]))
        if key not in trace.inputs:
            trace.inputs[key] = digest(row if indexes is None else [row[each] for each in indexes])


def refuse_unplanned(scope: Scope, instance: Any, name: str) -> None:
    """In strict mode, refuse to load a relation that nobody planned to load.

    Raises:
        UnplannedQuery: The scope is strict.
    """
    if scope.strict:
        kind = instance._meta.object_name
        raise UnplannedQuery(
            f"{kind}.{name} is not loaded, and this would ask the database for it",
            hint=f"Ask for it along with the rows: {kind}.objects.prefetch_related({name!r}).",
        )


def ask_keyed(
    scope: Scope,
    model: Any,
    operations: tuple[Any, ...],
    path: str,
    values: Sequence[Any],
    keys: Iterable[Any],
) -> tuple[Shape, dict[Any, list[Any]]]:
    """Rows of a model grouped by the key that ``path`` leads to, for many keys in few statements.

    Args:
        scope: The current scope.
        model: The model asked for.
        operations: What else the query says.
        path: A field or relation of the model.
        values: The values of the operations.
        keys: Driver's values of the keys.

    Returns:
        The shape, and the instances of each key, in order.
    """
    shape = find_shape(scope, Query(model, (*operations, ("keyed", path)), "instances"))
    statement = shape.statement
    groups: dict[Any, list[Any]] = {}
    wanted = list(keys)
    for start in range(0, len(wanted), BATCH_KEYS):
        chunk = wanted[start : start + BATCH_KEYS]
        size = 1 << (len(chunk) - 1).bit_length()
        chunk += [chunk[-1]] * (size - len(chunk))
        rows = scope.database.fetch(statement.text(size), statement.bind(values, scope, chunk))
        for row, instance in zip(rows, shape.load(rows), strict=True):
            groups.setdefault(row[-1], []).append(instance)
    return shape, groups


def note_keyed(scope: Scope, shape: Shape, values: Sequence[Any], key: Any, instances: Iterable[Any]) -> None:
    """Record one key's part of a keyed answer, and the rows in it."""
    trace = scope.trace
    if trace is None:
        return
    found = list(instances)
    parameters = (key, *shape.name_parameters(values, scope, ()))
    trace.shapes[shape.id] = shape
    if ("query", (shape.id, *parameters)) not in trace.inputs:
        trace.record("query", (shape.id, *parameters), digest([[_raw_pk(item)] for item in found]))
    for item in found:
        note_row(trace, item)


def _raw_pk(instance: Any) -> Any:
    meta = instance._meta
    mask = instance.__dict__.get("_mask")
    return instance._row[meta.pk_index if mask is None else mask.index(meta.pk.column)]


def peers_without(instance: Any, name: str) -> list[Any]:
    """The instances loaded with this one that lack an attribute; this one first."""
    peers = instance._peers
    if not peers or len(peers) == 1:
        return [instance]
    kind = type(instance)
    others = [p for p in peers if p is not instance and name not in p.__dict__ and type(p) is kind]
    return [instance, *others]


_NEVER: tuple[int, Any] = (-1, None)


def _stale_peers(instance: Any, cache: str, version: int) -> list[Any]:
    """The instances loaded with this one for which something was not loaded since the last write; this one first."""
    kind = type(instance)
    others = [
        peer
        for peer in instance._peers or ()
        if peer is not instance and type(peer) is kind and peer.__dict__.get(cache, _NEVER)[0] != version
    ]
    return [instance, *others]


def _raw(meta_field: Any, scope: Scope, value: Any) -> Any:
    writer = meta_field.db_writer(scope.database.dialect)
    return value if writer is None or value is None else writer(value)


# references to one object


def load_forward(instance: Any, key: Any) -> None:
    """Load the object a foreign key refers to, for this instance and its peers."""
    scope = current_scope()
    waiting = peers_without(instance, key.name)
    held = key.target_field
    wanted = {_raw(held, scope, getattr(peer, key.attname)) for peer in waiting} - {None}
    groups: dict[Any, list[Any]] = {}
    if wanted:
        operations, values = _base(key.target._meta)
        _, groups = ask_keyed(scope, key.target, operations, held.name, values, sorted(wanted))
    for peer in waiting:
        found = groups.get(_raw(held, scope, peer.__dict__.get(key.attname)))
        peer.__dict__[key.name] = found[0] if found else None


def _base(meta: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """(operations, values) of the manager that follows references to a model."""
    if not meta.base_manager_name:
        return (), ()
    root = meta.base_manager
    return root._operations, root._values


def note_forward(scope: Scope, instance: Any, key: Any, related: Any) -> None:
    """Record that a page followed a foreign key."""
    meta = key.target._meta
    held = key.target_field
    raw = _raw(held, scope, instance.__dict__.get(key.attname))
    if raw is None:
        return
    if meta.hides(scope.sight) or held is not meta.pk or meta.base_manager_name:
        operations, values = _base(meta)
        shape = find_shape(scope, Query(key.target, (*operations, ("keyed", held.name)), "instances"))
        note_keyed(scope, shape, values, raw, [related] if related is not None else [])
    elif related is None:
        scope.trace.record("row", (meta.table, None, raw), ABSENT)  # type: ignore[union-attr]  # the caller asked
    elif related._row:
        note_row(scope.trace, related)


# sets of objects


def find_relation(model: Any, name: str) -> Any:
    """The descriptor of a many-valued relation, or of the other side of a one-to-one field; None if there is none."""
    found = next((vars(kind)[name] for kind in model.__mro__ if name in vars(kind)), None)
    return found if hasattr(found, "relation") else None


def load_many(owner: Any, relation: Any) -> list[Any]:
    """The partners of an owner in a many-valued relation, as a read of the page at hand.

    Args:
        owner: An instance.
        relation: ``Related`` of the accessor: name, target model and the path back to the owner.
    """
    found = fetch_many(owner, relation)
    scope = current_scope()
    if scope.trace is not None:
        key = _raw(relation.anchor, scope, getattr(owner, relation.anchor.attname))
        note_keyed(scope, find_shape(scope, _query_of(relation)), (), key, found)
    return found


def _query_of(relation: Any) -> Query:
    """The question for a relation's partners; one object, so that its shape is found by identity."""
    query: Query | None = relation.__dict__.get("_query")
    if query is None:
        query = relation._query = Query(relation.target, (("keyed", relation.path),), "instances")
    return query


def fetch_many(owner: Any, relation: Any) -> list[Any]:
    """The partners of an owner, loaded for its peers too. Recorded by nobody: see ``load_many``.

    They are kept with the version of the database that they were loaded at: what this process writes, it sees.
    """
    cache = relation.cache
    found: tuple[int, list[Any]] | None = owner.__dict__.get(cache)
    scope = current_scope()
    version = scope.database.version
    if found is None or found[0] != version:
        anchor = relation.anchor
        waiting = _stale_peers(owner, cache, version)[:BATCH_KEYS]
        keys = [_raw(anchor, scope, getattr(peer, anchor.attname)) for peer in waiting]
        _, groups = ask_keyed(scope, relation.target, (), relation.path, (), keys)
        for peer, key in zip(waiting, keys, strict=True):
            peer.__dict__[cache] = (version, groups.get(key, []))
        found = owner.__dict__[cache]
    return found[1]


def has_many(owner: Any, relation: Any) -> bool:
    """Whether the partners of an owner are loaded already, and nothing was written since."""
    found = owner.__dict__.get(relation.cache)
    return found is not None and found[0] == current_scope().database.version


# fields that were left out


def load_column(instance: Any, field: Any) -> None:
    """Load a field that ``only()`` or ``defer()`` left out, for the peers too, and count it to what was read of them.

    The row's own value, not that of the locale: it is the instance's attribute, which may be saved.
    """
    scope = current_scope()
    meta = field.model._meta if field not in instance._meta.stand_ins else instance._meta
    name = instance._meta.mask_name(field)
    waiting: dict[Any, list[Any]] = {}
    for peer in peers_without(instance, field.attname):
        waiting.setdefault(_raw(meta.pk, scope, getattr(peer, meta.pk.attname)), []).append(peer)
    read = field.db_reader(scope.database.dialect)
    met = [peer for peers in waiting.values() for peer in peers if _was_read(scope, peer)]
    for key, value in _column_values(scope, meta, field, list(waiting)):
        for peer in waiting[key]:
            peer.__dict__[field.attname] = value if value is None or read is None else read(value)
            if peer._row:
                peer._row, peer._mask = (*peer._row, value), (*peer._mask, name)
    if field.attname not in instance.__dict__:
        raise instance.DoesNotExist(f"{meta.object_name} {instance.pk} is gone")
    if scope.trace is not None:
        for peer in met:
            note_row(scope.trace, peer)
        note_row(scope.trace, instance)


def _was_read(scope: Scope, instance: Any) -> bool:
    """Whether the page at hand has read this row: then its newly loaded field may be read unseen."""
    if scope.trace is None or not instance._row:
        return False
    *_, (table, mask, index, _) = instance._meta.row_parts(instance.__dict__.get("_mask"))
    return ("row", (table, mask, instance._row[index])) in scope.trace.inputs


def _column_values(scope: Scope, meta: Any, field: Any, keys: list[Any]) -> Iterable[tuple[Any, Any]]:
    dialect = scope.database.dialect
    key, column, table = (quoted(dialect, name) for name in (meta.pk.column, field.column, meta.table))
    for chunk, marks in iter_chunks(keys, dialect):
        yield from scope.database.fetch(f"SELECT {key}, {column} FROM {table} WHERE {key} IN ({marks})", chunk)  # noqa: S608 - of the schema


# translations


_LOCALE_IS = (("filter", ("q", "AND", False, (("locale", "value", 0),))),)


def translation_of(instance: Any, scope: Scope, model: Any = None) -> Any:
    """The translation of an instance to the scope's locale, or None; loaded for its peers too.

    Args:
        instance: The instance.
        scope: Gives the locale.
        model: The model whose fields are wanted, of those that the instance inherits from; its own if None.
    """
    meta = instance._meta if model is None else model._meta
    cache = f"_translation_{scope.locale}" if model is None else f"_translation_{scope.locale}_{meta.model_name}"
    if instance._row is None or meta.translation is None:
        return None
    version = scope.database.version
    if instance.__dict__.get(cache, _NEVER)[0] != version:
        waiting = _stale_peers(instance, cache, version)
        keys = [_raw(meta.pk, scope, getattr(peer, meta.pk.attname)) for peer in waiting]
        _, groups = ask_keyed(scope, meta.translation, _LOCALE_IS, "source", (scope.locale,), keys)
        for peer, key in zip(waiting, keys, strict=True):
            found = groups.get(key)
            peer.__dict__[cache] = (version, found[0] if found else None)
    translation = instance.__dict__[cache][1]
    if scope.trace is not None:
        query = Query(meta.translation, (*_LOCALE_IS, ("keyed", "source")), "instances")
        shape = find_shape(scope, query)
        key = _raw(meta.pk, scope, getattr(instance, meta.pk.attname))
        note_keyed(scope, shape, (scope.locale,), key, [translation] if translation is not None else [])
    return translation
