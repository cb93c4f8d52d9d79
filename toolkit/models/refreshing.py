"""Loading a row again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolkit.models.along import PREFIX, VALUE_PREFIX
from toolkit.models.given import refuse_one
from toolkit.models.writing import own_fields


def refresh(instance: Any, names: Iterable[str] | None, rows: Any) -> None:
    """See ``Model.refresh_from_db``."""
    meta = instance._meta
    if rows is None:
        rows = meta.base_manager.unrestricted().using(instance.__dict__.get("_database", ""))
    if names is None:
        fresh = rows.get(pk=instance.pk)
        instance.__dict__.clear()
        instance.__dict__.update(fresh.__dict__)
        instance._row, instance._peers = fresh._row, None
        return
    relations = {relation.name for relation in meta.many_to_many} | set(meta.reverse)
    refuse_one("refresh_from_db", "fields", names)
    asked = list(names)
    fields = [field for name in asked if name not in relations for field in own_fields(meta, name)]
    for name in asked:
        for held in (name, f"_many_{name}", f"_generic_{name}", PREFIX + name):
            instance.__dict__.pop(held, None)
    if not fields:
        return
    fresh = rows.only(*(field.name for field in fields)).get(pk=instance.pk)
    for field in fields:
        instance.__dict__.pop(field.name, None)
        instance.__dict__.pop(PREFIX + field.name, None)
        instance.__dict__.pop(VALUE_PREFIX + field.attname, None)
        instance.__dict__[field.attname] = fresh.__dict__[field.attname]
    _take_up(instance, fresh)


def _take_up(instance: Any, fresh: Any) -> None:
    """Let what was read anew stand in the row that was read before."""
    if not instance._row:
        return
    meta = instance._meta
    every = tuple(meta.mask_name(field) for field in meta.fields)
    known = dict(zip(instance.__dict__.get("_mask") or every, instance._row, strict=True))
    known |= dict(zip(fresh.__dict__.get("_mask") or every, fresh._row, strict=True))
    instance._row = tuple(known.values())
    if tuple(known) != every:
        instance.__dict__["_mask"] = tuple(known)
    else:
        instance.__dict__.pop("_mask", None)
