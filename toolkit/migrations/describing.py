"""Live models, described as migrations know them."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

from toolkit.database import DEFAULT
from toolkit.migrations.fields import describe_field
from toolkit.migrations.state import ModelState, ProjectState
from toolkit.migrations.values import is_writable
from toolkit.models import AutoField, BigIntegerField, Manager
from toolkit.models.inheritance import concrete_parents
from toolkit.models.schema import is_near


def state_of(models: Iterable[Any]) -> ProjectState:
    """The state of live models, the hidden ones that belong to them and proxies included."""
    models = list(models)
    proxies = [model for model in models if model._meta.proxy and model._meta.concrete_model._meta.managed]
    return ProjectState({model._meta.label: describe_model(model) for model in [*with_hidden(models), *proxies]})


def with_hidden(models: Iterable[Any]) -> list[Any]:
    """The models with a table that is ours, and the hidden ones (tables between, translations) made for them."""
    found: dict[Any, None] = {}
    for model in models:
        meta = model._meta
        if meta.proxy or not meta.managed:
            continue
        betweens = [field.through for field in meta.local_many_to_many if field.through._meta.hidden]
        hidden = [*betweens, *([meta.translation] if meta.translation is not None else [])]
        found |= dict.fromkeys([model, *hidden])
    return list(found)


def describe_model(model: Any) -> ModelState:
    """The state of one resolved model."""
    meta = model._meta
    if meta.proxy:
        return ModelState(
            meta.app_label,
            meta.object_name,
            (),
            options=_options(meta),
            bases=tuple(parent._meta.label for parent in concrete_parents(model)),
            managers=_managers(meta),
        )
    default_table = f"{meta.app_label}_{meta.object_name.lower()}"
    composite = [] if meta.composite_key is None else [meta.composite_key]
    fields = [(field.name, _migrated(field)) for field in [*composite, *meta.local_fields, *meta.spread_keys]]
    return ModelState(
        meta.app_label,
        meta.object_name,
        tuple(describe_field(name, field) for name, field in fields),
        db_table="" if meta.table == default_table else meta.table,
        constraints=tuple(meta.constraints),
        indexes=tuple(meta.indexes),
        options=_options(meta),
        bases=tuple(parent._meta.label for parent, link in meta.parents.items() if is_near(link)),
        managers=_managers(meta),
    )


def _options(meta: Any) -> tuple[tuple[str, Any], ...]:
    """What of ``Meta`` the models of the past know beside their table, in one order."""
    migrated = {name for name, _ in _managers(meta)}
    ordering = [item for item in meta.ordering if isinstance(item, str) or is_writable(item)]
    found = {
        "proxy": meta.proxy,
        "database": meta.database if meta.database != DEFAULT else None,
        "db_table_comment": None if meta.proxy else meta.db_table_comment,
        "ordering": ordering,
        "get_latest_by": meta.get_latest_by,
        "default_manager_name": meta.default_manager_name if meta.default_manager_name in migrated else None,
        "base_manager_name": meta.base_manager_name if meta.base_manager_name in migrated else None,
    }
    return tuple((name, value) for name, value in found.items() if value)


def _managers(meta: Any) -> tuple[tuple[str, Any], ...]:
    """The managers that models of the past have: those that say so, and the default one as a plain manager."""
    if not any(_is_kept(manager) for manager in meta.managers.values()):
        return ()
    default = meta.default_manager_name or next(iter(meta.managers))
    return tuple(
        (name, manager if _is_kept(manager) else Manager())
        for name, manager in meta.managers.items()
        if _is_kept(manager) or name == default
    )


def _is_kept(manager: Any) -> bool:
    return bool(getattr(manager.queryset, "use_in_migrations", False))


def _migrated(field: Any) -> Any:
    """What migrations know of a field: a reference to a table that is not theirs is a column like any other."""
    if not field.is_relation or is_near(field):
        return field
    key = field.target_field
    twin = copy(key) if not isinstance(key, AutoField) else BigIntegerField[Any](null=field.null)
    twin.primary_key, twin.null, twin.unique, twin.db_index = False, field.null, field.unique, field.db_index
    twin.column, twin.model = field.column, field.model
    return twin
