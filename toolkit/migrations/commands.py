"""What the command and a site ask of migrations: make, apply, show, check, and tables without migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from toolkit.errors import MigrationError, Problems, ToolkitError
from toolkit.migrations.arranging import arrange
from toolkit.migrations.autodetector import Change, detect_changes
from toolkit.migrations.editors.sessions import editing
from toolkit.migrations.executor import Executor, Step
from toolkit.migrations.graph import Graph, Key
from toolkit.migrations.history import History
from toolkit.migrations.loader import App, load_graph
from toolkit.migrations.renames import Ask, never
from toolkit.migrations.state import ProjectState, state_of, with_hidden
from toolkit.migrations.tables.comparing import differences, missing_tables
from toolkit.migrations.writer import WrittenMigration, migration_text, write_file


@dataclass(frozen=True)
class MigrationStatus:
    """A migration, and whether it was applied.

    Args:
        app: The label of its app.
        name: Its name.
        applied_at: When it was applied, in UTC; None if it was not.
        missing: It was applied, and its file is gone.
    """

    app: str
    name: str
    applied_at: datetime | None
    missing: bool = False


def make(
    apps: Iterable[App],
    ask: Ask = never,
    *,
    fills: Mapping[str, Any] | None = None,
    name: str | None = None,
    write: bool = True,
) -> list[WrittenMigration]:
    """Make migrations for what changed in the models since the last ones.

    Args:
        apps: All apps of a site. Those without a migrations folder get none.
        ask: Answers whether something was renamed; by default everything is new.
        fills: ``app.Model.field`` to what existing rows get in a new column that has no default.
        name: A name instead of one that tells what is done, without its number.
        write: False to make the texts and write nothing.

    Raises:
        Problems: The migrations that are there do not fit together, or a change needs to be told more.
    """
    apps = list(apps)
    graph = load_graph(apps, start=_unmigrated(apps))
    before, changes = _changes(apps, graph, ask=ask, fills=fills)
    folders = {app.label: app.migrations_folder for app in apps if app.migrations_folder is not None}
    drafts = arrange(changes, graph, before=before)
    for draft in drafts if name else []:
        draft.name = f"{draft.name.partition('_')[0]}_{name}"
    made = []
    for draft in drafts:
        folder = folders[draft.app]
        text = migration_text(draft.operations, dependencies=draft.dependencies)
        summary = tuple(operation.describe() for operation in draft.operations)
        made.append(WrittenMigration(draft.app, draft.name, folder / f"{draft.name}.py", text, summary))
    for migration in made if write else []:
        write_file(migration.path, migration.text)
    return made


def apply(
    database: Any,
    apps: Iterable[App],
    target: str | None = None,
    *,
    tell: Callable[[Step], object] = lambda step: None,
) -> list[Step]:
    """Bring a database to a point of its history: by default, to its end.

    Each migration is written whole or not at all, and a process killed at any instant leaves whole ones.

    Args:
        database: The database.
        apps: All apps of a site.
        target: ``"newsroom"``, ``"newsroom.0002"`` (or more of the name), ``"newsroom.zero"``; None for everything.
        tell: Called with each step before it is done.

    Returns:
        What was done, in order.

    Raises:
        MigrationError: A migration could not be applied; the database is as it was before that one.
        Problems: The migrations do not fit together.
    """
    executor = _executor(database, apps)
    return executor.run(executor.plan(target), tell=tell)


def plan(database: Any, apps: Iterable[App], target: str | None = None) -> list[Step]:
    """What ``apply`` would do."""
    return _executor(database, apps).plan(target)


def show(database: Any, apps: Iterable[App]) -> list[MigrationStatus]:
    """All migrations in the order of their application, and whether they were applied."""
    graph = load_graph(list(apps))
    applied = History(database).read()
    found = [
        MigrationStatus(migration.app, migration.name, applied[migration.key].applied_at)
        if migration.key in applied
        else MigrationStatus(migration.app, migration.name, None)
        for migration in graph
    ]
    gone = [one for key, one in applied.items() if key not in graph.migrations]
    return found + [MigrationStatus(one.app, one.name, one.applied_at, missing=True) for one in gone]


def check(database: Any, apps: Iterable[App]) -> list[MigrationError]:
    """Where models, migrations and tables disagree; nothing is written.

    Args:
        database: The database; None to look at models and migrations only.
        apps: All apps of a site.
    """
    apps = list(apps)
    try:
        graph = load_graph(apps, start=_unmigrated(apps))
        _, changes = _changes(apps, graph, ask=never, fills=None, complete=False)
        executor = None if database is None else Executor(database, graph, start=_unmigrated(apps))
    except Problems as problems:
        return [_as_migration_error(problem) for problem in problems.problems]
    except MigrationError as error:
        return [error]
    found = _unmade(changes)
    if executor is None:
        return found
    found += _unapplied(database, executor)
    if found:
        return found
    models = [model for app in apps for model in with_hidden(app.models)]
    migrated = [model for app in apps if app.migrations_folder is not None for model in with_hidden(app.models)]
    gone = [
        MigrationError(
            f"the table {model._meta.table} of {model._meta.label} is not there",
            hint="Was it dropped by hand? Restore it from a backup.",
        )
        for model in missing_tables(database, migrated)
    ]
    return gone + differences(database, models)


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
    models = list(schema)
    problems = differences(database, models)
    if problems:
        raise Problems(problems, summary="tables differ from their models; nothing was changed")
    if not missing_tables(database, models):
        return []
    with editing(database) as editor:
        missing = missing_tables(database, models)  # asked again: another process may have been here
        editor.create_all(missing)
    return [model._meta.table for model in missing]


def _executor(database: Any, apps: Iterable[App]) -> Executor:
    apps = list(apps)
    start = _unmigrated(apps)
    return Executor(database, load_graph(apps, start=start), start=start)


def _unmigrated(apps: Iterable[App]) -> ProjectState:
    """The models of the apps that have no migrations: as they are, at every point of the history."""
    return state_of(model for app in apps if app.migrations_folder is None for model in app.models)


def _changes(
    apps: list[App],
    graph: Graph,
    *,
    ask: Ask,
    fills: Mapping[str, Any] | None,
    complete: bool = True,
) -> tuple[ProjectState, list[Change]]:
    """The state that the migrations lead to, and what is missing from there to the models."""
    start = _unmigrated(apps)
    before = graph.state(start)
    after = start.merged(state_of(model for app in apps if app.migrations_folder for model in app.models))
    return before, detect_changes(before, after, ask=ask, fills=fills, complete=complete)


def _unmade(changes: Iterable[Change]) -> list[MigrationError]:
    by_app: dict[str, list[str]] = {}
    for app, operation in changes:
        by_app.setdefault(app, []).append(operation.describe())
    return [
        MigrationError(
            f"{app}: the models changed and no migration says so: {', '.join(steps)}",
            hint="Run: toolkit migrations make.",
        )
        for app, steps in by_app.items()
    ]


def _unapplied(database: Any, executor: Executor) -> list[MigrationError]:
    """Migrations that are begun, not applied, or applied without a file."""
    graph, recorded = executor.graph, History(database).read()
    halves = executor.interrupted()
    begun = {(one.app, one.name) for one in halves}
    found = [MigrationError(str(one), hint="Run: toolkit migrations apply.") for one in halves]
    found += [
        MigrationError(f"{migration} is not applied", path=migration.path, hint="Run: toolkit migrations apply.")
        for migration in graph
        if migration.key not in graph.applied | begun
    ]
    return found + [
        MigrationError(
            f"{app}.{name} was applied, and its file is gone",
            hint="Restore it from version control, or forget it: toolkit migrations apply --prune.",
        )
        for app, name in orphaned(graph, recorded)
    ]


def orphaned(graph: Graph, recorded: Iterable[Key]) -> list[Key]:
    """What a database has applied and no file knows; what a squashed migration stands for is known."""
    known = {*graph.files, *(key for one in graph.files for key in graph.replaced(one))}
    return [key for key in recorded if key not in known]


def _as_migration_error(problem: ToolkitError) -> MigrationError:
    if isinstance(problem, MigrationError):
        return problem
    return MigrationError(problem.message, path=problem.path, line=problem.line, hint=problem.hint)
