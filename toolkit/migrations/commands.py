"""What the command and a site ask of a database's history: apply, show, put in order; and tables without migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from toolkit.errors import Problems
from toolkit.migrations.changes import unmigrated
from toolkit.migrations.collecting import sql_of
from toolkit.migrations.editors.sessions import editing
from toolkit.migrations.executor import Executor, Step, named_migration
from toolkit.migrations.graph import Graph, Key
from toolkit.migrations.history import Applied, History, orphaned
from toolkit.migrations.initial import noted_where_there
from toolkit.migrations.loader import App, load_graph
from toolkit.migrations.places import Place
from toolkit.migrations.rebasing import Moved
from toolkit.migrations.rebasing import merge as merged_ends
from toolkit.migrations.rebasing import rebase as rebased
from toolkit.migrations.squashing import Squashed
from toolkit.migrations.squashing import squash as squashed
from toolkit.migrations.tables.comparing import differences, missing_tables
from toolkit.migrations.writer import WrittenMigration
from toolkit.models.search.indexing import DECLARATIONS
from toolkit.models.search.keeping import drop_indexes


@dataclass(frozen=True)
class MigrationStatus:
    """A migration, and whether it was applied.

    Args:
        app: The label of its app.
        name: Its name.
        applied_at: When it was applied, in UTC; None if it was not.
        missing: It was applied, and its file is gone.
        after: What must be applied before it.
        replaces: How many migrations it stands for.
        interrupted: How far it got, if it is half applied or half reversed.
    """

    app: str
    name: str
    applied_at: datetime | None
    missing: bool = False
    after: tuple[str, ...] = ()
    replaces: int = 0
    interrupted: str = ""


def apply(
    database: Any,
    apps: Iterable[App],
    target: str | None = None,
    *,
    tell: Callable[[Step], object] = lambda step: None,
    fake: bool = False,
    fake_initial: bool = False,
    router: Any = None,
) -> list[Step]:
    """Bring a database to a point of its history: by default, to its end.

    Each migration is written whole or not at all, and a process killed at any instant leaves whole ones. MariaDB
    and MySQL cannot take back a change of a table: there an interrupted migration is continued by the next ``apply``.

    Args:
        database: The database.
        apps: All apps of a site.
        target: ``"newsroom"``, ``"newsroom.0002"`` (or more of the name), ``"newsroom.zero"``; None for everything.
        tell: Called with each step before it is done.
        fake: Only note the migrations as applied, or as not applied: the tables are right already.
        fake_initial: Only note an app's first migration where all tables that it makes are there, with their columns.
        router: The site's router. Each model's table is made in the model's own database, unless ``allow_migrate``
            says otherwise.

    Returns:
        What was done, in order.

    Raises:
        MigrationError: A migration could not be applied; the database is as it was before that one.
        Problems: The migrations do not fit together; or with ``fake_initial`` some tables or columns are there, and
            others not.
    """
    executor = _executor(database, apps, router)
    steps = executor.plan(target)
    if fake:
        steps = [replace(step, faked=True) for step in steps]
    elif fake_initial:
        steps = noted_where_there(executor, steps)
    done = executor.run(steps, tell=tell)
    _drop_leftovers(database)
    return done


def _drop_leftovers(database: Any) -> None:
    """Take away the indexes of searches that no model has any more."""
    if database.schema is None or not database.has_table(DECLARATIONS):
        return
    searched = {search.model._meta.table for search in database.schema.searches}
    there = {table for (table,) in database.fetch(f"SELECT name FROM {DECLARATIONS}")}  # noqa: S608 - a constant
    if there - searched:
        with editing(database):
            drop_indexes(database, lambda table, _: table not in searched)


def plan(database: Any, apps: Iterable[App], target: str | None = None, *, router: Any = None) -> list[Step]:
    """What ``apply`` would do."""
    return _executor(database, apps, router).plan(target)


def prune(database: Any, apps: Iterable[App], app: str | None = None) -> list[str]:
    """Forget migrations that are noted as applied and have no file any more.

    Args:
        database: The database.
        apps: All apps of a site.
        app: Only those of this app.

    Returns:
        Their names.
    """
    executor = _executor(database, apps)
    gone = [key for key in orphaned(executor.graph, executor.recorded) if app in (None, key[0])]
    if gone:
        with editing(database):
            executor.history.forget(gone)
    return [".".join(key) for key in gone]


def show(database: Any, apps: Iterable[App]) -> list[MigrationStatus]:
    """All migrations in the order of their application, and whether they were applied."""
    executor = _executor(database, apps)
    recorded = executor.recorded
    halves = {(one.app, one.name): str(one) for one in executor.interrupted()}
    found = [
        MigrationStatus(
            one.app,
            one.name,
            _applied_at(one.key, executor.graph, recorded),
            after=tuple(".".join(key) for key in one.dependencies),
            replaces=len(executor.graph.replaced(one.key)),
            interrupted=halves.get(one.key, ""),
        )
        for one in executor.graph
    ]
    gone = [recorded[key] for key in orphaned(executor.graph, recorded)]
    return found + [MigrationStatus(one.app, one.name, one.applied_at, missing=True) for one in gone]


def _applied_at(key: Key, graph: Graph, recorded: Mapping[Key, Applied]) -> datetime | None:
    """When a migration was applied; one that stands for others, when the last of them was."""
    if key in recorded:
        return recorded[key].applied_at
    if key not in graph.applied:
        return None
    return max((recorded[one].applied_at for one in graph.replaced(key) if one in recorded), default=None)


def sql(database: Any, apps: Iterable[App], target: str, *, backwards: bool = False, router: Any = None) -> list[str]:
    """The statements of one migration, for reading: nothing is run.

    Args:
        database: Whose SQL it shall be.
        apps: All apps of a site.
        target: ``"newsroom.0002"``.
        backwards: What undoes it.
        router: The site's router.
    """
    apps = list(apps)
    start = unmigrated(apps)
    graph = load_graph(apps, start=start)
    migration = named_migration(graph, target)
    earlier = takewhile(lambda one: one.key != migration.key, graph)
    before = graph.state(start, upto=[one.key for one in earlier])
    place = Place(database.alias, router)
    return sql_of(database, migration, before=before, backwards=backwards, place=place)


def squash(
    apps: Iterable[App], app: str, first: str | None, last: str, *, name: str | None = None, shorten: bool = True
) -> Squashed:
    """Put migrations of an app into one that stands for them; see ``toolkit.migrations.squashing``."""
    apps = list(apps)
    return squashed(apps, app, first, last, start=unmigrated(apps), name=name, shorten=shorten)


def rebase(apps: Iterable[App], *, database: Any = None, last: str | None = None, anyway: bool = False) -> list[Moved]:
    """Put migrations that were made side by side one behind the other; see ``toolkit.migrations.rebasing``.

    Args:
        apps: All apps of a site.
        database: Where some may be applied already; None to leave that out of account.
        last: A migration of the side that comes last.
        anyway: Even if the order matters.
    """
    apps = list(apps)
    applied = {} if database is None else History(database).read()
    return rebased(apps, start=unmigrated(apps), last=last, anyway=anyway, applied=applied)


def merge(apps: Iterable[App], *, anyway: bool = False) -> list[WrittenMigration]:
    """Make a migration that follows those made side by side; see ``toolkit.migrations.rebasing``."""
    apps = list(apps)
    return merged_ends(apps, start=unmigrated(apps), anyway=anyway)


def create_tables(database: Any, schema: Iterable[Any]) -> list[str]:
    """Make the tables of models whose apps have no migrations, straight from the models.

    Args:
        database: The database.
        schema: The models, or the site's ``Schema``.

    Returns:
        The tables that were made.

    Raises:
        Problems: A table that is there differs from its model. Nothing was made then.
    """
    models = [model for model in schema if not model._meta.proxy]
    problems = differences(database, models)
    if problems:
        raise Problems(problems, summary="tables differ from their models; nothing was changed")
    if not missing_tables(database, models):
        return []
    with editing(database) as editor:
        missing = missing_tables(database, models)  # asked again: another process may have been here
        editor.create_all(missing)
    return [model._meta.table for model in missing]


def _executor(database: Any, apps: Iterable[App], router: Any = None) -> Executor:
    apps = list(apps)
    start = unmigrated(apps)
    return Executor(database, load_graph(apps, start=start), start=start, router=router)
