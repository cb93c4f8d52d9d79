"""Preparing a site: names are resolved, every declaration is checked, and what was declared is frozen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toolkit.errors import DeclarationError, Problems, ToolkitError
from toolkit.models.declarations import located
from toolkit.models.declared_values import check_values
from toolkit.models.resolve import models_in, resolve_models
from toolkit.models.routing import relation_problems
from toolkit.models.schema import Schema
from toolkit.site.checks import check_routes, check_storages
from toolkit.site.databases import living_in
from toolkit.site.receivers import connect_receivers
from toolkit.site.watching import loading, watch_files

if TYPE_CHECKING:
    from toolkit.apps import App
    from toolkit.site.site import Site


def prepare(site: Site) -> None:
    """Give a site the models and routes of its apps, and its databases their schemas.

    Raises:
        Problems: Everything that is wrong with the declarations.
    """
    problems = list(_label_problems(site))
    declared = {app.label: _import_app(site, app, problems) for app in site.apps}
    if problems:
        raise Problems(problems)
    site.models, found = resolve_models(declared)
    problems += found or check_values(site.models)
    problems += check_storages(site)
    site.routes = [route for app in site.apps for route in app.routes]
    problems += check_routes(site)
    problems += connect_receivers(site)
    if problems:
        raise Problems(problems)
    for app in site.apps:
        app.freeze()
    _prepare_databases(site)
    watch_files()
    for model in site.models:
        for field in model._meta.fields:
            if hasattr(field, "prepare_database"):
                field.prepare_database(site.databases[model._meta.database])


def _label_problems(site: Site) -> Iterator[ToolkitError]:
    labels = [app.label for app in site.apps]
    for label in sorted({label for label in labels if labels.count(label) > 1}):
        yield DeclarationError(f"two apps are labelled {label!r}", hint="Give one another label.")


def _import_app(site: Site, app: App, problems: list[ToolkitError]) -> list[Any]:
    """Import an app's modules; its models are given."""
    if str(site.folder) not in sys.path:
        sys.path.insert(0, str(site.folder))
    try:
        with loading(site.folder) as loaded:
            modules = app.import_modules()
        site.read_at_import.update(loaded.read())
    except ToolkitError as error:
        problems.append(error)
        return []
    models = []
    for module in modules:
        if module.__name__ == f"{app.package}.models":
            models = models_in(module)
    app.models = models
    return models


def _prepare_databases(site: Site) -> None:
    """Give each database the schema of the models that live in it."""
    problems = list(_place_problems(site))
    problems += relation_problems(site.models, site.router)
    problems += _search_problems(site)
    for database in site.databases.values():
        place = site.databases[database.place]
        living = living_in(place, site.models)
        schema = Schema(living, database.dialect, others=site.models, backend=database.spelling)
        problems += schema.problems()
        database.schema, database.receivers = schema, site.receivers
    if problems:
        raise Problems(problems)


def _place_problems(site: Site) -> Iterator[ToolkitError]:
    """Models in databases that are not there."""
    for model in site.models:
        if model._meta.database not in site.databases:
            error = DeclarationError(
                f"{model._meta.label}: Meta.database = {model._meta.database!r} is no database of this site",
                hint="Name it in toolkit.toml, under [databases].",
            )
            yield located(error, model._meta.declared_at)


def _search_problems(site: Site) -> Iterator[ToolkitError]:
    """Models with a search index that nobody could write."""
    for model in site.models:
        alias = model._meta.database
        if model._meta.search is not None and alias in site.databases and site.databases[alias].read_only:
            yield DeclarationError(
                f"{model._meta.label} is searched, and in the database {alias!r}, which is read only",
                hint="An index must be kept beside the rows: search another model, or let the database be written.",
            )
