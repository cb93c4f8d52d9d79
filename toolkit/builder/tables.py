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
    if any(app.migrations_folder is not None for app in site.apps):
        for database in migrations.migrated_databases(site.databases.homes, site.apps, site.router):
            _migrate(site, database)
    _make_others(site)
    _remember(site)


def _make_others(site: Any) -> None:
    """The tables of apps without migrations, in each database: made where they are missing, compared where not."""
    others = {app.label for app in site.apps if app.migrations_folder is None}
    for database in site.databases.homes:
        if not database.read_only:
            migrations.create_tables(database, [m for m in _managed(site, database) if m._meta.app_label in others])


def _managed(site: Any, database: Any) -> list[Any]:
    """The models whose tables are the site's own, in a database."""
    return [
        model
        for model in living_in(database, site.models)
        if model._meta.managed and _may_be_made(site, database, model)
    ]


def _may_be_made(site: Any, database: Any, model: Any) -> bool:
    meta = model._meta
    answer = ask_router(site.router, "allow_migrate", database.alias, meta.app_label, meta.model_name)
    return answer is not False


def _migrate(site: Any, database: Any) -> None:
    """Apply all migrations to a new database, where nothing can be lost; elsewhere say what is missing."""
    if _is_new(site, database):
        migrations.apply(database, site.apps, router=site.router)
        return
    problems = migrations.check(database, site.apps, tables_only=True, router=site.router)
    if problems:
        told = "the database does" if database is site.database else f"the database {database.alias!r} does"
        raise Problems(list(problems), summary=f"{told} not fit the models")


def _is_new(site: Any, database: Any) -> bool:
    tables = {model._meta.table for model in _managed(site, database)}
    return not tables & set(database.table_names())


def _stamp(site: Any) -> str:
    """Stands for the code, the migrations and the schemas; empty where a database cannot tell its schema's version."""
    homes = site.databases.homes
    if any(database.dialect != "sqlite" for database in homes):
        return ""
    versions = [database.fetch("PRAGMA schema_version")[0][0] for database in homes]
    files = [_migration_files(app.migrations_folder) for app in site.apps]
    return digest([site.code_digest, files, versions]).hex()


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
            database.execute(f"INSERT OR REPLACE INTO {TABLE} VALUES ('schema', ?)", (_stamp(site),))  # noqa: S608 - a constant
    except DatabaseError as error:  # a database that may only be read is looked at each time
        if "readonly" not in str(error):
            raise
