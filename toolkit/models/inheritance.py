"""What a model takes from the classes that it inherits from: ``Meta``, fields, and the link to a parent's table.

Source: Django, "Models", section "Model inheritance": abstract base classes, multi-table inheritance, proxy models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

from toolkit.errors import DeclarationError
from toolkit.models.fields import Field
from toolkit.models.on_delete import CASCADE
from toolkit.models.relations import OneToOneField

FROM_A_PARENT_WITH_A_TABLE = ("ordering", "get_latest_by")
"""What a model with a parent that has a table takes from its ``Meta``, as in Django; all else is the parent's own."""


def parents_of(model: Any) -> Iterator[Any]:
    """The model classes that a class names as its bases, in their order."""
    return (base for base in model.__bases__ if "_meta" in vars(base))


def concrete_parents(model: Any) -> list[Any]:
    """The nearest ancestors with a table of their own, proxies traced to the model whose table they share."""
    found: list[Any] = []
    for kind in model.__mro__[1:]:
        options = vars(kind).get("_meta")
        if options is None or options.abstract:
            continue
        concrete = options.concrete_model
        if not any(issubclass(nearer, concrete) for nearer in found):
            found.append(concrete)
    return found


def inherited_meta(model: Any) -> type | None:
    """The ``Meta`` of the nearest abstract parent, for a model that declares none."""
    concrete = concrete_parents(model)
    for kind in model.__mro__[1:]:
        options = vars(kind).get("_meta")
        beyond = any(issubclass(parent, kind) for parent in concrete)
        if options is not None and options.abstract and "Meta" in vars(kind) and not beyond:
            return type("Meta", (kind.Meta,), {})
    return None


def inherited_fields(model: Any, namespace: Mapping[str, Any]) -> dict[str, Field[Any]]:
    """Copies of the fields of abstract parents, the first parent's before the next one's.

    An attribute of the model, or of a plain class that stands before the parent, hides a field: ``name = None``
    removes it.
    """
    found: dict[str, Field[Any]] = {}
    hidden = set(namespace)
    for base in model.__bases__:
        options = vars(base).get("_meta")
        if options is None:
            if base.__module__ != "toolkit.models.model":
                hidden |= set(vars(base))
        elif options.abstract:
            for name, field in [*options.by_name.items(), *options.virtual.items()]:
                if name not in hidden and name not in found:
                    found[name] = _copied(field)
    return found


def _copied(field: Field[Any]) -> Field[Any]:
    """The same declaration for another model."""
    twin = copy(field)
    for name in ("parts", "in_key"):
        vars(twin).pop(name, None)
    twin.column, twin.model = twin.db_column or "", None
    return twin


def inherit_virtuals(model: Any, namespace: Mapping[str, Any]) -> None:
    """Give a model its own copies of what has no column in abstract parents, such as ``Similar("tags")``."""
    for base in parents_of(model):
        if not base._meta.abstract:
            continue
        for name in dir(base):
            value = base.__dict__.get(name) or next((vars(k)[name] for k in base.__mro__ if name in vars(k)), None)
            if hasattr(value, "contribute_virtual") and name not in namespace and name not in vars(model):
                setattr(model, name, copy(value))


def link_to_parents(model: Any, fields: dict[str, Field[Any]]) -> None:
    """Give a model that inherits from models with tables a one-to-one field to each: ``place_ptr``.

    Raises:
        DeclarationError: A field has the name of one of a parent's, or the link is declared, but not as one.
    """
    meta = model._meta
    for parent in concrete_parents(model):
        link = _declared_link(model, parent, fields)
        if link is None:
            name = f"{parent._meta.model_name}_ptr"
            link = fields[name] = OneToOneField(parent, on_delete=CASCADE, parent_link=True)
            link.order, link.auto_created = -1, True
        meta.parents[parent] = link
        for name, field in parent._meta.by_name.items():
            if name in fields or meta.by_name.get(name, field) is not field:
                raise DeclarationError(
                    f"{model.__name__}.{name} would hide the field that {model.__name__} inherits from "
                    f"{field.model.__name__}, which is in another table",
                    hint="Give it another name, or make the parent abstract.",
                )
            meta.by_name[name] = field
        meta.virtual |= parent._meta.virtual
        meta.generic_relations |= parent._meta.generic_relations
    if meta.parents and not any(field.primary_key for field in fields.values()):
        first = next(iter(meta.parents.values()))
        first.primary_key = True


def _declared_link(model: Any, parent: Any, fields: Mapping[str, Field[Any]]) -> OneToOneField[Any] | None:
    for name, field in fields.items():
        if isinstance(field, OneToOneField) and field.to in (parent, parent.__name__, parent._meta.label):
            if not field.parent_link:
                raise DeclarationError(
                    f"{model.__name__}.{name} refers to {parent.__name__}, from which {model.__name__} inherits",
                    hint="Add parent_link=True: it is the link between the two tables.",
                )
            return field
    return None


def inherit_options(model: Any) -> None:
    """Take from the parent with a table what ``Meta`` leaves open, and how to get from its fields to one's own."""
    meta = model._meta
    for parent, link in meta.parents.items():
        theirs = parent._meta
        for name in FROM_A_PARENT_WITH_A_TABLE:
            if name not in meta.given and not getattr(meta, name):
                setattr(meta, name, getattr(theirs, name))
        meta.stand_ins[theirs.pk] = link
        meta.stand_ins |= {field: link for field, other in theirs.stand_ins.items() if other is theirs.pk}


def become_proxy(model: Any, declared: Mapping[str, Any]) -> None:
    """Make a model share the table, the fields and the relations of the one that it inherits from.

    Raises:
        DeclarationError: It inherits from no model with a table, or from several, or declares fields.
    """
    parents = concrete_parents(model)
    if len(parents) != 1:
        found = ", ".join(parent.__name__ for parent in parents) or "none"
        raise DeclarationError(
            f"{model.__name__} is a proxy and must inherit from one model with a table ({found} found)",
            hint="Inherit from one, or remove proxy = True.",
        )
    if declared:
        raise DeclarationError(
            f"{model.__name__} is a proxy and cannot have fields: {', '.join(declared)}",
            hint=f"Declare them on {parents[0].__name__}, or remove proxy = True for a table of its own.",
        )
    model._meta.share(parents[0]._meta)
