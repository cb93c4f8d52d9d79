"""Which database a step of a migration is done in: each model's own, unless the site's router says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.database import DEFAULT
from toolkit.migrations.describing import with_hidden
from toolkit.migrations.loader import App
from toolkit.migrations.state import ModelState
from toolkit.models.routing import ask_router


class Place:
    """A database, as migrations see it.

    Args:
        alias: The database's.
        router: The site's router; see ``toolkit.models.Router``.
    """

    def __init__(self, alias: str = DEFAULT, router: Any = None) -> None:
        self.alias, self.router = alias, router

    def has(self, model: ModelState) -> bool:
        """Whether the table of a model is made here."""
        answer = ask_router(self.router, "allow_migrate", self.alias, model.app, model.name.lower())
        return model.database == self.alias if answer is None else bool(answer)

    def runs(self, app: str, database: str, hints: Mapping[str, Any]) -> bool:
        """Whether somebody's SQL or Python is run here.

        Args:
            app: The label of the migration's app.
            database: The alias that it is for.
            hints: What its author tells the router.
        """
        answer = ask_router(self.router, "allow_migrate", self.alias, app, None, **hints)
        return database == self.alias if answer is None else bool(answer)

    def living(self, models: Iterable[Any]) -> list[Any]:
        """The live models, hidden ones included, whose tables are here."""
        return [model for model in with_hidden(models) if self._has_live(model)]

    def _has_live(self, model: Any) -> bool:
        meta = model._meta
        answer = ask_router(self.router, "allow_migrate", self.alias, meta.app_label, meta.model_name)
        return meta.database == self.alias if answer is None else bool(answer)


def migrated_databases(databases: Iterable[Any], apps: Iterable[App], router: Any = None) -> list[Any]:
    """The databases that migrations are applied to: the main one, and those with tables of migrated apps.

    Args:
        databases: All of a site; copies and those that may only be read are left out.
        apps: All apps of the site.
        router: The site's router.
    """
    models = [model for app in apps if app.migrations_folder is not None for model in app.models]
    return [
        database
        for database in databases
        if database.alias == DEFAULT
        or (not (database.read_only or database.replica_of) and Place(database.alias, router).living(models))
    ]
