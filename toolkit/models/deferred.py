"""Fields that ``only()`` or ``defer()`` left out, loaded for all peers when one is asked for them.

What was loaded along is a peer's when somebody asks it, as long as this process has not written the table: see
``along``. Until then the peer has no value of the field, and does not save it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from toolkit.errors import FieldError
from toolkit.models.along import VALUE_PREFIX, Along, Tables
from toolkit.models.batches import note_row, peers_without, raw, raw_pk, refuse_unplanned
from toolkit.models.fetching import neighbours_of
from toolkit.models.fields.base import MISSING
from toolkit.models.loader import UNREADABLE, unreadable_in
from toolkit.models.routing import scope_from
from toolkit.models.sqltext import iter_chunks, key_of, key_text, quoted
from toolkit.trace import Scope, current


def load_deferred(instance: Any, field: Any) -> None:
    """Give an instance its value of a field that was left out, and count it to what was read of the row.

    The row's own value, not that of the locale: it is the instance's attribute, which may be saved.

    Raises:
        UnplannedQuery: Nobody planned to load it; see ``refuse_unplanned``.
        DoesNotExist: The row is gone.
    """
    early, value = instance.__dict__.pop(VALUE_PREFIX + field.attname, (None, None))
    if early is not None and current.get() is None:
        _take(instance, field, value, early.database.dialect)
        return
    scope = scope_from(instance).of(field.model)
    if early is not None and early.holds(scope):
        _take(instance, field, value, scope.database.dialect)
    else:
        if not field.is_heavy:
            refuse_unplanned(scope, instance, field.name)
        _load(scope, instance, field, early)
    if scope.trace is not None:
        note_row(scope.trace, instance)


def _load(scope: Scope, instance: Any, field: Any, early: Along | None) -> None:
    """Ask for the values of an instance and its neighbours; of as many as ``Along`` says if ``early`` does not hold."""
    meta = field.model._meta if field not in instance._meta.stand_ins else instance._meta
    place = VALUE_PREFIX + field.attname
    made = Along(scope, field.model, Tables(frozenset({meta.table})))
    if early is not None:
        others = made.others(scope, instance, place, early)
    else:
        others = peers_without(instance, field.attname, place, neighbours_of)
    keys = [raw(meta.pk, scope, getattr(peer, meta.pk.attname)) for peer in (instance, *others)]
    found = dict(_column_values(scope, meta, field, list(dict.fromkeys(keys))))
    if keys[0] not in found:
        raise instance.DoesNotExist(f"{meta.object_name} {instance.pk} is gone")
    _take(instance, field, found[keys[0]], scope.database.dialect)
    for peer, key in zip(others, keys[1:], strict=True):
        if key in found:
            peer.__dict__[place] = (made, found[key])


def load_lacking(rows: Iterable[Any]) -> None:
    """Load what rows that are about to be written anew, as copies under other keys, were loaded without.

    What the database gives by default is left to it where the row that one came from is not known.

    Raises:
        FieldError: It is not known, as after ``save()``, or it is gone.
    """
    waiting: dict[tuple[Any, Any], dict[Any, list[Any]]] = {}
    for row in rows:
        for field in row._meta.fields:
            if field.attname in row.__dict__ or field.is_generated or field.in_key:
                continue
            key = _key_it_came_from(row, field.model._meta)
            if key is not None:
                place = row.__dict__.get("_database")
                waiting.setdefault((field, place), {}).setdefault(key, []).append(row)
            elif field.db_default is MISSING:
                raise _not_known(row, field)
    for (field, _), owners in waiting.items():
        scope = scope_from(next(iter(owners.values()))[0]).of(field.model)
        for key, value in _column_values(scope, field.model._meta, field, list(owners)):
            for row in owners.pop(key):
                row.__dict__[field.attname] = _read(row, field, value, scope.database.dialect)
        for row in chain.from_iterable(owners.values()):
            raise _not_known(row, field)


def _key_it_came_from(row: Any, meta: Any) -> Any:
    """The driver's value of the key that a row had in one of its tables when it was read; None if that is not known."""
    if not row._row:
        return None
    names = row.__dict__.get("_mask") or [row._meta.mask_name(field) for field in row._meta.fields]
    known = dict(zip(names, row._row, strict=True))
    parts = [known.get(row._meta.mask_name(part)) for part in meta.key]
    return None if None in parts else parts[0] if len(parts) == 1 else tuple(parts)


def _not_known(row: Any, field: Any) -> FieldError:
    kind = row._meta.object_name
    return FieldError(
        f"{kind}.{field.name} was not loaded, and the row that it would be copied from is not known any more",
        hint=f"Read {kind.lower()}.{field.name} before the row is written or gets another key.",
    )


def _take(instance: Any, field: Any, value: Any, dialect: str) -> None:
    """Let an instance have what the database gave for a field.

    Raises:
        DatabaseError: It is no value that the field can have.
    """
    instance.__dict__[field.attname] = _read(instance, field, value, dialect)
    if instance._row:
        instance._row = instance._row + (value,)  # noqa: RUF005 - of its own class
        instance._mask = (*instance._mask, instance._meta.mask_name(field))


def _read(instance: Any, field: Any, value: Any, dialect: str) -> Any:
    """The Python value of a field of an instance.

    Raises:
        DatabaseError: It has none.
    """
    read = field.db_reader(dialect)
    try:
        return value if value is None or read is None else read(value)
    except UNREADABLE as error:
        key = raw_pk(instance) if instance._row else instance.pk
        raise unreadable_in(field, key if isinstance(key, tuple) else (key,), value, error) from error


def _column_values(scope: Scope, meta: Any, field: Any, keys: list[Any]) -> Iterable[tuple[Any, Any]]:
    dialect = scope.database.dialect
    width, key = len(meta.key), key_text(dialect, [part.column for part in meta.key])
    columns = ", ".join(quoted(dialect, each.column) for each in (*meta.key, field))
    for chunk, marks in iter_chunks(keys, dialect, width):
        sql = f"SELECT {columns} FROM {quoted(dialect, meta.table)} WHERE {key} IN ({marks})"  # noqa: S608 - of the schema
        for row in scope.database.ask(sql, chunk):
            yield key_of(row, width), row[-1]
