"""Where models, migrations and tables disagree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolkit.database import DEFAULT
from toolkit.errors import MigrationError, Problems, ToolkitError
from toolkit.migrations.changes import changes_of, refused_changes, unmigrated
from toolkit.migrations.conflicts import check_heads
from toolkit.migrations.detecting.walk import Change
from toolkit.migrations.executor import Executor
from toolkit.migrations.graph import Graph, Key, LoadedMigration
from toolkit.migrations.heads import read_head
from toolkit.migrations.history import orphaned
from toolkit.migrations.loader import App, load_graph, read_graph
from toolkit.migrations.operations.models import DeleteModel, RenameModel
from toolkit.migrations.renames import never
from toolkit.migrations.state import ModelState, ProjectState
from toolkit.migrations.tables.comparing import differences, missing_tables


def check_files(apps: Iterable[App]) -> list[MigrationError]:
    """``HEAD`` files that do not name the last migration."""
    apps = list(apps)
    heads = {app.label: read_head(app.migrations_folder) for app in apps if app.migrations_folder is not None}
    return check_heads(read_graph(apps), heads)


def check(database: Any, apps: Iterable[App], *, tables_only: bool = False, router: Any = None) -> list[MigrationError]:
    """Where models, migrations and tables disagree; nothing is written.

    Args:
        database: The database; None to look at models and migrations only.
        apps: All apps of a site.
        tables_only: Pass over what only models of the past would know otherwise, such as another ``Meta.ordering``.
        router: The site's router.
    """
    apps = list(apps)
    try:
        graph = load_graph(apps, start=unmigrated(apps))
        before, changes = changes_of(apps, graph, ask=never, fills=None, complete=False)
        executor = None if database is None else Executor(database, graph, start=unmigrated(apps), router=router)
    except Problems as problems:
        return [_as_migration_error(problem) for problem in problems.problems]
    except MigrationError as error:
        return [error]
    past = executor.past if executor is not None else set()
    impossible = _impossible(graph if executor is None else executor.graph, unmigrated(apps), past)
    found = refused_changes(changes, before)
    if not impossible:  # else nobody knows what the migrations lead to
        found += _unmade(change for change in changes if change[1].touches_tables or not tables_only)
    if executor is not None:
        found += _unapplied(executor)
    found += impossible
    if executor is None or found:
        return found
    models = [model for app in apps for model in executor.place.living(app.models)]
    migrated = [
        model for app in apps if app.migrations_folder is not None for model in executor.place.living(app.models)
    ]
    gone = [
        MigrationError(
            f"the table {model._meta.table} of {model._meta.label} is not there",
            hint="Was it dropped by hand? Restore it from a backup.",
        )
        for model in missing_tables(database, migrated)
    ]
    return gone + differences(database, models)


def _impossible(graph: Graph, start: ProjectState, past: set[Key]) -> list[MigrationError]:
    """The first migration that is to be applied and cannot be, whatever rows there are."""
    state = graph.state(start, upto=past)
    for migration in graph:
        if migration.key in past:
            continue
        try:
            state = migration.checked(state)
        except MigrationError as error:
            return [error]
        lost = next(state.lost_targets(), None)
        if lost is not None:
            return [_lost(graph, migration, *lost, past=past)]
    return []


def _lost(
    graph: Graph, migration: LoadedMigration, model: ModelState, target: str, *, past: set[Key]
) -> MigrationError:
    """A reference to a model that is not there, perhaps since a migration of another app comes before."""
    apart = {*graph.before(migration.key), *graph.after(migration.key)}
    told, hint = f"{model.label} would refer to {target}, and there is no such model at this point", None
    for one in graph:
        for operation in one.operations if one.key not in apart else ():
            if isinstance(operation, RenameModel | DeleteModel) and target in operation.models(one.app):
                told = f"{told}: {one} comes before ({operation.describe()})"
                hint = f"Let that come after: add {migration.key} to the dependencies of {one}."
                if one.key in past:
                    hint = f"Mend the reference, and add {one.key} to the dependencies."
    return MigrationError(told, path=migration.path, hint=hint)


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


def _unapplied(executor: Executor) -> list[MigrationError]:
    """Migrations that are begun, not applied, or applied without a file."""
    graph = executor.graph
    alias = executor.place.alias
    where = "" if alias == DEFAULT else f" in the database {alias!r}"
    halves = executor.interrupted()
    begun = {(one.app, one.name) for one in halves}
    found = [MigrationError(str(one), hint="Run: toolkit migrations apply.") for one in halves]
    found += [
        MigrationError(f"{migration} is not applied{where}", path=migration.path, hint="Run: toolkit migrations apply.")
        for migration in graph
        if migration.key not in graph.applied | begun
    ]
    return found + [
        MigrationError(
            f"{app}.{name} was applied{where}, and its file is gone",
            hint="Restore it from version control, or forget it: toolkit migrations apply --prune.",
        )
        for app, name in orphaned(graph, executor.recorded)
    ]


def _as_migration_error(problem: ToolkitError) -> MigrationError:
    if isinstance(problem, MigrationError):
        return problem
    return MigrationError(problem.message, path=problem.path, line=problem.line, hint=problem.hint)
