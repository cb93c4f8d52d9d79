"""Relations of instances that were loaded together are loaded together: fifty stories, one query for authors.

Each page's trace gets its own part of such a batch, at the moment the page touches it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from toolkit.errors import UnplannedQuery, ValidationError
from toolkit.lazily import LazyModule
from toolkit.models.along import PREFIX, VALUE_PREFIX, Along, as_loaded
from toolkit.models.fetching import FETCH_RAISE, NEIGHBOURS, mode_of, neighbours_of, peers_of, spread
from toolkit.models.options import located
from toolkit.models.query import Query
from toolkit.models.routing import scope_from
from toolkit.models.scopes import find_shape
from toolkit.models.shapes import Shape
from toolkit.models.sqltext import flat
from toolkit.trace import ABSENT, Scope, digest

if TYPE_CHECKING:
    from toolkit import callers
else:
    callers = LazyModule("toolkit.callers")


BATCH_KEYS = NEIGHBOURS
"""Keys in one statement."""


def note_row(trace: Any, instance: Any) -> None:
    """Record that a row was read."""
    row = instance._row
    if not row:
        return
    for table, mask, index, indexes in instance._meta.row_parts(instance.__dict__.get("_mask")):
        pk = row[index] if index.__class__ is int else tuple(row[each] for each in index)
        key = ("row", (table, mask, pk))
        if key not in trace.own:
            trace.own[key] = digest(row if indexes is None else [row[each] for each in indexes])


def refuse_unplanned(scope: Scope, instance: Any, name: str) -> None:
    """Refuse to load what nobody planned to load, in strict mode and where the rows were asked for so.

    Raises:
        UnplannedQuery: The scope is strict, or the instance's fetch mode is ``FETCH_RAISE``.
    """
    if scope.strict or instance._peers is FETCH_RAISE:
        kind, field = instance._meta.object_name, instance._meta.by_name.get(name)
        is_column = field is not None and not field.is_relation
        loaded = f"defer(None), or only(..., {name!r})" if is_column else f"prefetch_related({name!r})"
        raise UnplannedQuery(
            f"{kind}.{name} is not loaded, and {callers.find_template_line() or 'this'} would ask the database for it",
            hint=f"Ask for it along with the rows: {kind}.objects.{loaded}.",
        )


Groups = dict[Any, list[Any]]
"""The key of an owner to what belongs to it."""


def ask_keyed(
    scope: Scope,
    model: Any,
    operations: tuple[Any, ...],
    path: str,
    values: Sequence[Any],
    keys: Iterable[Any],
) -> tuple[Shape, Groups]:
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
    return shape, ask_shape(scope, shape, values, keys)[0]


def ask_shape(scope: Scope, shape: Shape, values: Sequence[Any], keys: Iterable[Any]) -> tuple[Groups, Groups]:
    """Instances by key, and by key what names them in a trace."""
    statement, indexes, several = shape.statement, shape.identity_indexes, shape.names_more
    groups: Groups = {}
    named: Groups = {}
    wanted, width = list(keys), statement.width
    scope = scope.of(shape.model)
    for start in range(0, len(wanted), BATCH_KEYS):
        sql, given = statement.for_keys(wanted[start : start + BATCH_KEYS])
        rows = shape.ask(scope.database, sql, statement.bind(values, scope, given))
        owners = [row[-1] for row in rows] if width == 1 else [tuple(row[-width:]) for row in rows]
        for key, instance in zip(owners, shape.load(rows), strict=True):
            if key in groups:
                groups[key].append(instance)
            else:
                groups[key] = [instance]
        if several:
            for key, row in zip(owners, rows, strict=True):
                named.setdefault(key, []).append([row[index] for index in indexes])
    return groups, named


def note_keyed(
    scope: Scope, shape: Shape, values: Sequence[Any], key: Any, instances: Iterable[Any], named: Any = None
) -> None:
    """Record one key's part of a keyed answer, and the rows in it.

    Args:
        scope: With its trace.
        shape: The keyed question.
        values: Its values.
        key: The key.
        instances: The rows of the answer.
        named: What names them, if that is more than their keys.
    """
    trace = scope.trace
    if trace is None:
        return
    found = list(instances)
    parameters = (key, *shape.name_parameters(values, scope, ()))
    trace.shapes[shape.id] = shape
    if ("query", (shape.id, *parameters)) not in trace.own:
        answer = [flat([raw_pk(item)], len(item._meta.key)) for item in found] if named is None else named
        trace.record("query", (shape.id, *parameters), digest(answer))
    for item in found:
        note_row(trace, item)


def raw_pk(instance: Any) -> Any:
    """The primary key of a loaded row, as the driver gave it."""
    return instance._meta.key_in(instance._row, instance.__dict__.get("_mask"))


def peers_without(instance: Any, name: str, place: str, peers: Callable[[Any], Iterable[Any]] = peers_of) -> list[Any]:
    """The others loaded with an instance that lack an attribute, and for whom nothing was loaded along.

    Args:
        instance: The instance.
        name: The attribute.
        place: Where it is kept when it was loaded along.
        peers: Which of them.
    """
    kind = type(instance)
    return [
        peer
        for peer in peers(instance)
        if name not in (values := peer.__dict__) and place not in values and peer is not instance and type(peer) is kind
    ]


_NEVER: tuple[Any, Any] = (-1, None)


def stale_peers(instance: Any, cache: str, standing: Any) -> list[Any]:
    """The neighbours of an instance for which something was not loaded as it stands now; it comes first."""
    kind = type(instance)
    others = [
        peer
        for peer in neighbours_of(instance)
        if peer is not instance and type(peer) is kind and peer.__dict__.get(cache, _NEVER)[0] != standing
    ]
    return [instance, *others]


def raw(meta_field: Any, scope: Scope, value: Any) -> Any:
    """The driver's value of a field's."""
    writer = meta_field.db_writer(scope.of(meta_field.model).database.dialect)
    return value if writer is None or value is None else writer(value)


def raw_reader(meta_field: Any, scope: Scope) -> Callable[[Any], Any]:
    """A function from an instance to the driver's value of a field of it."""
    return written_reader(meta_field.attname, meta_field.db_writer(scope.of(meta_field.model).database.dialect))


def written_reader(attribute: str, write: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    """A function from an instance to what the driver takes for an attribute of it."""
    get = attrgetter(attribute)
    if write is None:
        return get

    def read(instance: Any) -> Any:
        value = get(instance)
        return None if value is None else write(value)

    return read


# references to one object


def load_forward(instance: Any, key: Any, *, early: Along | None = None, waiting: Sequence[Any] | None = None) -> None:
    """Load the object a foreign key refers to, for this instance and its peers.

    Args:
        instance: It lacks the object.
        key: The foreign key.
        early: What it was loaded with before, and no longer holds.
        waiting: Load it for these instead of the peers, as if each had been asked for it.
    """
    scope = scope_from(instance)
    name, place, made = key.name, PREFIX + key.name, Along(scope, key.target)
    asked: Sequence[Any] = [instance] if waiting is None else waiting
    if waiting is not None:
        others = []
    elif early is not None:
        others = made.others(scope, instance, place, early)
    else:
        others = peers_without(instance, name, place)
    held = key.target_field
    try:
        keys = _as_kept(held, _keys_held(key, [*asked, *others]))
    except ValidationError:  # that of a peer is told to who asks the peer
        others = [peer for peer in others if _is_fit(key, peer)]
        keys = _as_kept(held, _keys_held(key, [*asked, *others]))
    write = held.db_writer(scope.of(key.target).database.dialect)
    if write is not None:
        keys = [None if value is None else write(value) for value in keys]
    wanted = set(keys) - {None}
    groups: Groups = {}
    if wanted:
        operations, values = base_start(key.target._meta)
        shape, groups = ask_keyed(scope, key.target, operations, held.name, values, sorted(wanted))
        made.asked.append(shape)
        spread(mode_of(instance), (found for one in groups.values() for found in one))
    for peer, value in zip(asked, keys, strict=False):
        found = groups.get(value)
        peer.__dict__[name] = found[0] if found else None
    if others:
        along, none = {value: (made, found[0]) for value, found in groups.items()}, (made, None)
        for peer, value in zip(others, keys[len(asked) :], strict=True):
            peer.__dict__[place] = along.get(value, none)


def _keys_held(key: Any, instances: Sequence[Any]) -> list[Any]:
    """What instances hold under a foreign key; one that was left out is loaded by its attribute."""
    attname = key.attname
    if key.is_several:
        return [key.held_by(each) if attname in each.__dict__ else getattr(each, attname) for each in instances]
    try:
        return [each.__dict__[attname] for each in instances]
    except KeyError:
        return [getattr(each, attname) for each in instances]


def _as_kept(held: Any, keys: list[Any]) -> list[Any]:
    """Keys as their field has them, where one was set as something else: ``story.section_id = "7"``."""
    kept = held
    while kept.is_relation:
        kept = kept.target_field
    kinds = {getattr(kept, "native", None), type(None)}
    if None in kinds or {*map(type, keys)} <= kinds:
        return keys
    return [key if key.__class__ in kinds else kept.to_python(key) for key in keys]


def _is_fit(key: Any, instance: Any) -> bool:
    """Whether what an instance holds under a foreign key can be a key."""
    try:
        _as_kept(key.target_field, _keys_held(key, [instance]))
    except ValidationError:
        return False
    return True


def base_start(meta: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """(operations, values) of the manager that follows references to a model."""
    if not meta.base_manager_name:
        return (), ()
    root = meta.base_manager
    return root._operations, root._values


def note_forward(scope: Scope, instance: Any, key: Any, related: Any) -> None:
    """Record that a page followed a foreign key."""
    asked = instance.__dict__.get(f"_asked_{key.name}")
    if asked is not None:
        asked.note(scope, instance)
        return
    held = key.target_field
    if related is not None and related._row and _is_noted_as_row(scope, key.target._meta, held):
        note_row(scope.trace, related)  # whatever the key is as the driver has it
        return
    value = raw(held, scope, _as_kept(held, [key.held_by(instance)])[0])
    if value is not None:
        note_reference(scope, key.target, held, value, related)


def note_reference(scope: Scope, model: Any, held: Any, value: Any, related: Any) -> None:
    """Record that a page followed a reference to a row.

    Args:
        scope: With its trace.
        model: The model referred to.
        held: The field of it whose value refers.
        value: That value, as the driver has it.
        related: The row, or None.
    """
    meta = model._meta
    if not _is_noted_as_row(scope, meta, held):
        operations, values = base_start(meta)
        shape = find_shape(scope, Query(model, (*operations, ("keyed", held.name)), "instances"))
        note_keyed(scope, shape, values, value, [related] if related is not None else [])
    elif related is None:
        scope.trace.record("row", (located(meta.table, meta.database), None, value), ABSENT)  # type: ignore[union-attr]  # the caller asked
    elif related._row:
        note_row(scope.trace, related)


def _is_noted_as_row(scope: Scope, meta: Any, held: Any) -> bool:
    """Whether a reference says no more than which row it leads to: by the primary key, to what nobody narrows."""
    return held is meta.pk and not meta.base_manager_name and not meta.hides(scope.sight)


# sets of objects


def without_questions(instance: Any) -> dict[str, Any]:
    """What an instance holds, for pickling: what was prefetched under other names as plain attributes."""
    values = instance.__dict__
    left = ("_asked_", "_kept_", "_narrowed", PREFIX, VALUE_PREFIX)
    plain = as_loaded(values) | {name: value for name, value in values.items() if not name.startswith(left)}
    for name in (name for name in values if name.startswith("_asked_")):
        asked, attribute = values[name], name.removeprefix("_asked_")
        kept = plain.pop(asked.cache, None)
        if kept is not None and not hasattr(type(instance), attribute):
            plain[attribute] = asked.value(kept[1])
    return plain


# translations


_LOCALE_IS = (("filter", ("(q)", "AND", False, (("locale", "value", 0),))),)


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
    standing = scope.standing
    if instance.__dict__.get(cache, _NEVER)[0] != standing:
        waiting = stale_peers(instance, cache, standing)
        keys = [raw(meta.pk, scope, getattr(peer, meta.pk.attname)) for peer in waiting]
        _, groups = ask_keyed(scope, meta.translation, _LOCALE_IS, "source", (scope.locale,), keys)
        for peer, key in zip(waiting, keys, strict=True):
            found = groups.get(key)
            peer.__dict__[cache] = (standing, found[0] if found else None)
    translation = instance.__dict__[cache][1]
    if scope.trace is not None:
        query = Query(meta.translation, (*_LOCALE_IS, ("keyed", "source")), "instances")
        shape = find_shape(scope, query)
        key = raw(meta.pk, scope, getattr(instance, meta.pk.attname))
        note_keyed(scope, shape, (scope.locale,), key, [translation] if translation is not None else [])
    return translation
