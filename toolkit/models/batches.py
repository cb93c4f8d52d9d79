"""Relations of instances that were loaded together are loaded together: fifty stories, one query for authors.

Each page's trace gets its own part of such a batch, at the moment the page touches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from toolkit.models.compile import Query
from toolkit.models.scopes import current_scope, find_shape
from toolkit.models.shapes import Shape
from toolkit.trace import ABSENT, Scope, digest

BATCH_KEYS = 500
"""Keys in one statement, and owners whose many-valued relations are loaded at once."""


def note_row(trace: Any, instance: Any) -> None:
    """Record that a row was read."""
    row = instance._row
    if not row:
        return
    meta = instance._meta
    mask = instance.__dict__.get("_mask")
    index = meta.pk_index if mask is None else mask.index(meta.pk.column)
    key = ("row", (meta.table, mask, row[index]))
    if key not in trace.inputs:
        trace.inputs[key] = digest(row)


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


def _hides(scope: Scope, meta: Any) -> bool:
    only_public, only_editions, _ = scope.sight
    return (only_public and meta.public is not None) or (
        only_editions and meta.untranslated == "hide" and meta.translation is not None
    )


def _raw(meta_field: Any, scope: Scope, value: Any) -> Any:
    writer = meta_field.db_writer(scope.database.dialect)
    return value if writer is None or value is None else writer(value)


# references to one object


def load_forward(instance: Any, key: Any) -> None:
    """Load the object a foreign key refers to, for this instance and its peers."""
    scope = current_scope()
    waiting = peers_without(instance, key.name)
    pk = key.target._meta.pk
    wanted = {_raw(pk, scope, peer.__dict__.get(key.attname)) for peer in waiting} - {None}
    groups: dict[Any, list[Any]] = {}
    if wanted:
        _, groups = ask_keyed(scope, key.target, (), "pk", (), sorted(wanted))
    for peer in waiting:
        found = groups.get(_raw(pk, scope, peer.__dict__.get(key.attname)))
        peer.__dict__[key.name] = found[0] if found else None


def note_forward(scope: Scope, instance: Any, key: Any, related: Any) -> None:
    """Record that a page followed a foreign key."""
    meta = key.target._meta
    raw = _raw(meta.pk, scope, instance.__dict__.get(key.attname))
    if raw is None:
        return
    if _hides(scope, meta):
        shape = find_shape(scope, Query(key.target, (("keyed", "pk"),), "instances"))
        note_keyed(scope, shape, (), raw, [related] if related is not None else [])
    elif related is None:
        scope.trace.record("row", (meta.table, None, raw), ABSENT)  # type: ignore[union-attr]  # the caller asked
    elif related._row:
        note_row(scope.trace, related)


# sets of objects


def load_many(owner: Any, relation: Any) -> list[Any]:
    """The partners of an owner in a many-valued relation, as a read of the page at hand.

    Args:
        owner: An instance.
        relation: ``Related`` of the accessor: name, target model and the path back to the owner.
    """
    found = fetch_many(owner, relation)
    scope = current_scope()
    if scope.trace is not None:
        shape = find_shape(scope, Query(relation.target, (("keyed", relation.path),), "instances"))
        note_keyed(scope, shape, (), _raw(owner._meta.pk, scope, owner.pk), found)
    return found


def fetch_many(owner: Any, relation: Any) -> list[Any]:
    """The partners of an owner, loaded for its peers too. Recorded by nobody: see ``load_many``."""
    cache = f"_many_{relation.name}"
    found: list[Any] | None = owner.__dict__.get(cache)
    pk = owner._meta.pk
    if found is None:
        scope = current_scope()
        waiting = peers_without(owner, cache)[:BATCH_KEYS]
        keys = [_raw(pk, scope, peer.pk) for peer in waiting]
        _, groups = ask_keyed(scope, relation.target, (), relation.path, (), keys)
        for peer, key in zip(waiting, keys, strict=True):
            peer.__dict__[cache] = groups.get(key, [])
        found = owner.__dict__[cache]
    return found or []


# translations


_LOCALE_IS = (("filter", ("q", "AND", False, (("locale", "value", 0),))),)


def translation_of(instance: Any, scope: Scope) -> Any:
    """The translation of an instance to the scope's locale, or None; loaded for its peers too."""
    cache = f"_translation_{scope.locale}"
    meta = instance._meta
    if instance._row is None or meta.translation is None:
        return None
    if cache not in instance.__dict__:
        waiting = peers_without(instance, cache)
        keys = [_raw(meta.pk, scope, peer.pk) for peer in waiting]
        _, groups = ask_keyed(scope, meta.translation, _LOCALE_IS, "source", (scope.locale,), keys)
        for peer, key in zip(waiting, keys, strict=True):
            found = groups.get(key)
            peer.__dict__[cache] = found[0] if found else None
    translation = instance.__dict__[cache]
    if scope.trace is not None:
        query = Query(meta.translation, (*_LOCALE_IS, ("keyed", "source")), "instances")
        shape = find_shape(scope, query)
        key = _raw(meta.pk, scope, instance.pk)
        note_keyed(scope, shape, (scope.locale,), key, [translation] if translation is not None else [])
    return translation
