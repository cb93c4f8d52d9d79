"""Foreign keys to models whose primary key has several fields: one reference, a column for each of them.

``ForeignKey(Order)`` to a key of tenant and number makes the fields ``order_tenant_id`` and ``order_number``; with
``from_fields`` it takes fields that are there. The foreign key itself has no column then. It is filtered by, joined
and loaded like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

from toolkit.errors import DeclarationError, FieldError, ToolkitError, did_you_mean
from toolkit.models.fields import MISSING, AutoField
from toolkit.models.fields.several import LOOKUPS, by_parts
from toolkit.models.related_objects import RawKey

CACHED = ("columns", "key", "_local")


def spread_keys(models: Iterable[Any]) -> list[ToolkitError]:
    """Give each foreign key to a composite key its fields; the problems met.

    Args:
        models: Those with a table, their targets resolved.
    """
    problems: list[ToolkitError] = []
    every = list(models)
    changed = False
    for model in every:
        for key in [key for key in model._meta.local_foreign_keys() if not key.is_several]:
            if key.target_field.is_several:
                try:
                    _spread(model, key)
                except (DeclarationError, FieldError) as error:
                    problems.append(error)
                changed = True
    for model in every if changed else ():
        _settle(model._meta)
    return problems


def _spread(model: Any, key: Any) -> None:
    meta, where = model._meta, f"{model._meta.label}.{key.name}"
    wanted = key.target_field.parts
    if key.in_key or key.primary_key:
        raise DeclarationError(
            f"{where} refers to a composite key, and cannot be a key or a part of one itself",
            hint="Declare its fields, name them in from_fields, and make the key of those.",
        )
    if key.from_fields and len(key.from_fields) != len(wanted):
        told = ", ".join(part.name for part in wanted)
        raise DeclarationError(f"{where}: from_fields has not one name for each of {told}")
    names = []
    at = meta.local_fields.index(key)
    for number, part in enumerate(wanted):
        name = key.from_fields[number] if key.from_fields else f"{key.name}_{part.attname}"
        held = _field_of(meta, name)
        if held is None:
            if key.from_fields:
                raise DeclarationError(
                    f"{where}: from_fields: there is no field {name!r}", hint=did_you_mean(name, meta.by_name)
                )
            held = _add_part(model, key, part, name, at + 1 + number)
        names.append(held.name)
    meta.local_fields.remove(key)
    meta.spread_keys.append(key)
    _give_back(model, key.attname)
    key.become_several(names, LOOKUPS)
    if key.attname in meta.by_name:
        raise DeclarationError(
            f"{model._meta.label}.{key.attname} is the name of what {key.name} holds, a key of several values",
            hint="Give the field another name.",
        )
    setattr(model, key.attname, HeldKey(key))


def _field_of(meta: Any, name: str) -> Any:
    """The field of this name, or the foreign key that holds what has this name; None if there is none."""
    keys = (key for key in meta.local_foreign_keys() if key.attname == name and not key.target_field.is_several)
    return meta.by_name.get(name) or next(keys, None)


def _give_back(model: Any, attribute: str) -> None:
    """Take an attribute from a foreign key that has no column: where a field has this name, it is that field's."""
    if isinstance(vars(model).get(attribute), RawKey):
        if attribute in model._meta.by_name:
            setattr(model, attribute, model._meta.by_name[attribute])
        else:
            delattr(model, attribute)


def _add_part(model: Any, key: Any, part: Any, name: str, at: int) -> Any:
    """A field like one of the other model's key, put among those of the model."""
    while part.is_relation:
        part = part.target_field
    twin = part.as_number() if isinstance(part, AutoField) else copy(part)
    twin.null, twin.blank, twin.default, twin.db_default = key.null, key.blank, MISSING, MISSING
    twin.unique, twin.primary_key, twin.in_key, twin.db_index = False, False, False, False
    twin.column, twin.db_column, twin.verbose_name, twin.auto_created = "", None, None, True
    twin.contribute(model, name)
    setattr(model, name, twin)
    meta = model._meta
    meta.by_name[name] = twin
    meta.local_fields.insert(at, twin)
    return twin


def _settle(meta: Any) -> None:
    """Let everything that was worked out from the fields follow them; lists stay, for proxies share them."""
    parents = [field for parent in meta.parents for field in parent._meta.fields]
    meta.fields[:] = dict.fromkeys([*(field for field in parents if not field.is_several), *meta.local_fields])
    for name in CACHED:
        vars(meta).pop(name, None)
    meta._row_parts.clear()
    meta.key_indexes = tuple(meta.fields.index(field) for field in meta.key)
    meta.pk_index = meta.key_indexes[0]
    named = {key.name: key.names for key in meta.spread_keys}
    for items in (meta.constraints, meta.indexes):
        items[:] = [by_parts(item, named) for item in items]


class HeldKey:
    """What a foreign key of several columns holds, as a tuple: ``line.order_key``."""

    def __init__(self, key: Any) -> None:
        self.key = key

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return self if instance is None else self.key.held_by(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        self.key.hold(instance, None if value is None else self.key.split(value))
