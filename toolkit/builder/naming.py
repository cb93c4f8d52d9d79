"""Finding the names that a build keeps for those who ask about it."""

from __future__ import annotations

import os
from typing import Any

from toolkit.builder.names import ModelName, Names, RouteName
from toolkit.database import DEFAULT
from toolkit.models.fields import CharField, IntegerField
from toolkit.models.options import located


def names_of(site: Any) -> Names:
    """The names of a prepared site."""
    return Names(
        base_url=site.settings.peek("base_url"),
        models=tuple(_model(model) for model in site.models),
        tables={
            located(table, database.place): model.__name__
            for database in site.databases.homes
            for table, model in sorted(database.schema.by_table.items())
        },
        routes={
            route.id: RouteName(
                route.kind, route.model.__name__ if route.model is not None else "", _where(site, route)
            )
            for route in site.routes
        },
    )


def _where(site: Any, route: Any) -> str:
    where: str = route.where
    return where.removeprefix(f"{site.folder}{os.sep}")


def _model(model: Any) -> ModelName:
    meta = model._meta
    plain = meta.database == DEFAULT and hasattr(meta.pk, "column") and isinstance(meta.pk, (CharField, IntegerField))
    slug = meta.by_name.get("slug")
    return ModelName(
        name=model.__name__,
        title=str(meta.verbose_name),
        table=located(meta.table, meta.database),
        key=meta.pk.column if plain else "",
        slug=slug.column if plain and slug is not None and slug.model is model and hasattr(slug, "column") else "",
        numbered=isinstance(meta.pk, IntegerField),
        hidden=meta.hidden,
    )
