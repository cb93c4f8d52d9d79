"""Tables for a build: made when the database is new, compared with the models when it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolkit import migrations
from toolkit.errors import DatabaseError, Problems
from toolkit.models.routing import ask_router
from toolkit.site.databases import living_in
from toolkit.trace import digest, digest_bytes

TABLE = "toolkit_state"


def bring_up(site: Any) -> None:
    """Make the tables of a new database; refuse a database whose tables are not the models'.

    A database that was found right is not looked at again until its schema or the code changes.

    Raises:
        Problems: Models, migrations and tables disagree.
    """
    stamp = _stamp(site)
    if stamp and stamp == _read(site.database):
        return
    migrated = [app for app in site.apps if app.migrations_folder is not None]
    if migrated:
        _migrate(site)
    others = {app.label for app in site.apps} - {app.label for app in migrated}
    migrations.create_tables(site.database, [m for m in _managed(site) if m._meta.app_label in others])
    _make_elsewhere(site)
    _remember(site)


def _managed(site: Any) -> list[Any]:
    """The models whose tables are the site's own, in the main database."""
    return [model for model in living_in(site.database, site.models) if model._meta.managed]


def _make_elsewhere(site: Any) -> None:
    """The tables of further databases, which have no migrations: made where they are missing, compared where not."""
    for database in site.databases.homes:
        if database is site.database or database.read_only:
            continue
        models = [model for model in living_in(database, site.models) if model._meta.managed]
        wanted = [model for model in models if _may_be_made(site, database, model)]
        migrations.create_tables(database, wanted)


def _may_be_made(site: Any, database: Any, model: Any) -> bool:
    meta = model._meta
    answer = ask_router(site.router, "allow_migrate", database.alias, meta.app_label, meta.model_name)
    return answer is not False


def _migrate(site: Any) -> None:
    """Apply all migrations to a new database, where nothing can be lost; elsewhere say what is missing."""
    if _is_new(site):
        migrations.apply(site.database, site.apps)
        return
    problems = migrations.check(site.database, site.apps, tables_only=True)
    if problems:
        raise Problems(list(problems), summary="the database does not fit the models")


def _is_new(site: Any) -> bool:
    tables = {model._meta.table for model in _managed(site)}
    return not tables & set(site.database.table_names())


def _stamp(site: Any) -> str:
    """Stands for the code, the migrations and the schema; empty where the database cannot tell its schema's version."""
    database = site.database
    if database.dialect != "sqlite":
        return ""
    version = database.fetch("PRAGMA schema_version")[0][0]
    files = [_migration_files(app.migrations_folder) for app in site.apps]
    return digest([site.code_digest, files, version]).hex()


def _migration_files(folder: Path | None) -> list[list[Any]]:
    if folder is None:
        return []
    return [[path.name, digest_bytes(path.read_bytes())] for path in sorted(folder.glob("*.py"))]


def _read(database: Any) -> str:
    found = database.fetch("SELECT 1 FROM sqlite_master WHERE name = ?", (TABLE,))
    rows = database.fetch(f"SELECT value FROM {TABLE} WHERE name = 'schema'") if found else []  # noqa: S608 - a constant
    return str(rows[0][0]) if rows else ""


def _remember(site: Any) -> None:
    database = site.database
    if database.dialect != "sqlite":
        return
    try:
        with database.atomic():
            database.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
            database.execute(f"INSERT OR REPLACE INTO {TABLE} VALUES ('schema', ?)", (_stamp(site),))  # noqa: S608
    except DatabaseError as error:  # a database that may only be read is looked at each time
        if "readonly" not in str(error):
            raise
