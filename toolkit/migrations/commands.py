"""What the command and a site ask of migrations: make, apply, show, check, and tables without migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from toolkit.database import DEFAULT
from toolkit.errors import MigrationError, Problems, ToolkitError, did_you_mean
from toolkit.migrations.arranging import Draft, arrange
from toolkit.migrations.autodetector import AskValue, Change, detect_changes
from toolkit.migrations.collecting import sql_of
from toolkit.migrations.conflicts import check_heads
from toolkit.migrations.describing import state_of
from toolkit.migrations.editors.sessions import editing
from toolkit.migrations.executor import Executor, Step, find_named
from toolkit.migrations.graph import Graph, Key, LoadedMigration
from toolkit.migrations.heads import read_head, write_head
from toolkit.migrations.history import Applied, History
from toolkit.migrations.loader import App, load_graph, read_graph
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.operations.special import RunPython
from toolkit.migrations.optimizer import optimize
from toolkit.migrations.places import Place
from toolkit.migrations.rebasing import Moved
from toolkit.migrations.rebasing import merge as merged_ends
from toolkit.migrations.rebasing import rebase as rebased
from toolkit.migrations.renames import Answers, Ask, never
from toolkit.migrations.squashing import Squashed
from toolkit.migrations.squashing import squash as squashed
from toolkit.migrations.state import ProjectState
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


def make(
    apps: Iterable[App],
    ask: Ask = never,
    *,
    fills: Mapping[str, Any] | None = None,
    ask_value: AskValue | None = None,
    name: str | None = None,
    write: bool = True,
    empty: Iterable[str] = (),
    renames: Mapping[str, str] | None = None,
) -> list[WrittenMigration]:
    """Make migrations for what changed in the models since the last ones.

    Args:
        apps: All apps of a site. Those without a migrations folder get none.
        ask: Answers whether something was renamed; by default everything is new.
        fills: ``app.Model.field`` to what existing rows get in a new column that has no default.
        ask_value: Asks what existing rows get, where nothing says so.
        name: A name instead of one that tells what is done, without its number.
        write: False to make the texts and write nothing.
        empty: Labels of apps that get a migration to write steps of one's own into, whatever changed.
        renames: What was renamed, told beforehand: ``app.Model.field`` to its new name, ``app.Model`` to its new
            name. What is named here is not asked about.

    Raises:
        Problems: The migrations that are there do not fit together, or a change needs to be told more.
    """
    apps = list(apps)
    graph = load_graph(apps, start=_unmigrated(apps))
    answers = Answers(renames or {}, ask)
    before, changes = _changes(apps, graph, ask=answers, fills=fills, ask_value=ask_value)
    answers.check()
    refused = _refused(changes, before)
    if refused:
        raise Problems(refused, summary="the migration cannot be made")
    folders = {app.label: app.migrations_folder for app in apps if app.migrations_folder is not None}
    drafts = arrange(changes, graph, before=before, empty=empty)
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
        write_head(migration.path.parent, migration.name)
    return made


def update(apps: Iterable[App], ask: Ask = never, *, fills: Mapping[str, Any] | None = None) -> WrittenMigration | None:
    """Put what changed in the models into the last migration of the app that changed, instead of a new one.

    Args:
        apps: All apps of a site.
        ask: Answers whether something was renamed.
        fills: As for ``make``.

    Returns:
        The migration with its new text; None when nothing changed.

    Raises:
        MigrationError: Several apps changed, or the last migration cannot be made again.
    """
    apps = list(apps)
    start = _unmigrated(apps)
    graph = load_graph(apps, start=start)
    before, changes = _changes(apps, graph, ask=ask, fills=fills)
    drafts = arrange(changes, graph, before=before)
    if not drafts:
        return None
    head = _updatable_head(drafts, graph)
    known = graph.state(start, upto=graph.before(head.key) - {head.key})
    operations = optimize([*head.operations, *drafts[0].operations], app=head.app, before=known)
    kept = graph.written(head.key).dependencies
    dependencies = sorted({*kept, *drafts[0].dependencies} - {head.key})
    text = _again(head, operations, dependencies)
    head.path.write_text(text, "utf-8")
    summary = tuple(operation.describe() for operation in operations)
    return WrittenMigration(head.app, head.name, head.path, text, summary)


def _again(migration: LoadedMigration, operations: Iterable[Operation], dependencies: Iterable[Key]) -> str:
    """The text of a migration that was written before, with other operations; all else that it says is kept."""
    return migration_text(
        operations,
        dependencies=dependencies,
        replaces=migration.replaces,
        run_before=migration.run_before,
        atomic=migration.atomic,
    )


def _updatable_head(drafts: list[Draft], graph: Graph) -> LoadedMigration:
    """The migration that the drafts can become a part of.

    Raises:
        MigrationError: There is none.
    """
    head = graph.head(drafts[0].app)
    if len(drafts) > 1:
        raise MigrationError(
            f"{len(drafts)} migrations are needed, and only one can be updated", hint="Run make without --update."
        )
    if head is None:
        raise MigrationError(f"{drafts[0].app} has no migration to update", hint="Run make without --update.")
    if len(graph.after(head.key)) > 1:
        raise MigrationError(f"other migrations depend on {head}", path=head.path, hint="Run make without --update.")
    if any(isinstance(operation, RunPython) for operation in head.operations):
        raise MigrationError(
            f"{head} runs Python of its own, which would have to be copied", path=head.path, hint="Make a new one."
        )
    return head


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
        fake_initial: Only note an app's first migration where all tables that it makes are there.
        router: The site's router. Each model's table is made in the model's own database, unless ``allow_migrate``
            says otherwise.

    Returns:
        What was done, in order.

    Raises:
        MigrationError: A migration could not be applied; the database is as it was before that one.
        Problems: The migrations do not fit together.
    """
    executor = _executor(database, apps, router)
    steps = [replace(step, faked=fake or (fake_initial and executor.is_there(step))) for step in executor.plan(target)]
    return executor.run(steps, tell=tell)


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
    gone = [key for key in orphaned(executor.graph, executor.history.read()) if app in (None, key[0])]
    if gone:
        with editing(database):
            executor.history.forget(gone)
    return [".".join(key) for key in gone]


def show(database: Any, apps: Iterable[App]) -> list[MigrationStatus]:
    """All migrations in the order of their application, and whether they were applied."""
    executor = _executor(database, apps)
    recorded = executor.history.read()
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
    start = _unmigrated(apps)
    graph = load_graph(apps, start=start)
    migration = _named(graph, target)
    before = graph.state(start, upto=graph.before(migration.key) - {migration.key})
    place = Place(database.alias, router)
    return sql_of(database, migration, before=before, backwards=backwards, place=place)


def optimized(apps: Iterable[App], target: str, *, write: bool = True) -> tuple[WrittenMigration, int] | None:
    """Write a migration again with fewer operations that do the same.

    Args:
        apps: All apps of a site.
        target: ``"newsroom.0002"``.
        write: False to change nothing.

    Returns:
        The migration, and how many operations it had; None when it can do with no fewer.

    Raises:
        MigrationError: It runs Python of its own, which would have to be copied.
    """
    apps = list(apps)
    start = _unmigrated(apps)
    graph = load_graph(apps, start=start)
    migration = _named(graph, target)
    before = graph.state(start, upto=graph.before(migration.key) - {migration.key})
    operations = optimize(migration.operations, app=migration.app, before=before)
    if len(operations) == len(migration.operations):
        return None
    if any(isinstance(operation, RunPython) for operation in operations):
        raise MigrationError(
            f"{migration} runs Python of its own, and its file cannot be written again",
            path=migration.path,
            hint="Put the operations together by hand.",
        )
    text = _again(migration, operations, graph.written(migration.key).dependencies)
    if write:
        migration.path.write_text(text, "utf-8")
    summary = tuple(operation.describe() for operation in operations)
    written = WrittenMigration(migration.app, migration.name, migration.path, text, summary)
    return written, len(migration.operations)


def squash(
    apps: Iterable[App], app: str, first: str | None, last: str, *, name: str | None = None, shorten: bool = True
) -> Squashed:
    """Put migrations of an app into one that stands for them; see ``toolkit.migrations.squashing``."""
    apps = list(apps)
    return squashed(apps, app, first, last, start=_unmigrated(apps), name=name, shorten=shorten)


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
    return rebased(apps, start=_unmigrated(apps), last=last, anyway=anyway, applied=applied)


def merge(apps: Iterable[App], *, anyway: bool = False) -> list[WrittenMigration]:
    """Make a migration that follows those made side by side; see ``toolkit.migrations.rebasing``."""
    apps = list(apps)
    return merged_ends(apps, start=_unmigrated(apps), anyway=anyway)


def check_files(apps: Iterable[App]) -> list[MigrationError]:
    """``HEAD`` files that do not name the last migration."""
    apps = list(apps)
    heads = {app.label: read_head(app.migrations_folder) for app in apps if app.migrations_folder is not None}
    return check_heads(read_graph(apps), heads)


def _named(graph: Graph, target: str) -> LoadedMigration:
    app, _, name = target.partition(".")
    own = graph.of_app(app)
    if not own:
        raise MigrationError(f"the app {app!r} has no migrations", hint=did_you_mean(app, graph.apps))
    return find_named(own, name)


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
        graph = load_graph(apps, start=_unmigrated(apps))
        before, changes = _changes(apps, graph, ask=never, fills=None, complete=False)
        executor = None if database is None else Executor(database, graph, start=_unmigrated(apps), router=router)
    except Problems as problems:
        return [_as_migration_error(problem) for problem in problems.problems]
    except MigrationError as error:
        return [error]
    found = _refused(changes, before)
    found += _unmade(change for change in changes if change[1].touches_tables or not tables_only)
    if executor is None:
        return found
    unapplied = _unapplied(database, executor)
    found += [*unapplied, *(_impossible(executor) if unapplied else [])]
    if found:
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


def _executor(database: Any, apps: Iterable[App], router: Any = None) -> Executor:
    apps = list(apps)
    start = _unmigrated(apps)
    return Executor(database, load_graph(apps, start=start), start=start, router=router)


def _unmigrated(apps: Iterable[App]) -> ProjectState:
    """The models of the apps that have no migrations: as they are, at every point of the history."""
    return state_of(model for app in apps if app.migrations_folder is None for model in app.models)


def _changes(
    apps: list[App],
    graph: Graph,
    *,
    ask: Ask,
    fills: Mapping[str, Any] | None,
    ask_value: AskValue | None = None,
    complete: bool = True,
) -> tuple[ProjectState, list[Change]]:
    """The state that the migrations lead to, and what is missing from there to the models."""
    start = _unmigrated(apps)
    before = graph.state(start)
    after = start.merged(state_of(model for app in apps if app.migrations_folder for model in app.models))
    changes = detect_changes(
        before,
        after,
        ask=ask,
        fills=fills,
        ask_value=ask_value,
        released=[model._meta.label for app in apps for model in app.models if not model._meta.managed],
        complete=complete,
    )
    return before, changes


def _refused(changes: Iterable[Change], state: ProjectState) -> list[MigrationError]:
    """The first change that cannot be made, whatever rows there are; those behind it may follow from it."""
    for app, operation in changes:
        after = operation.change(app, state)
        try:
            operation.check(app, before=state, after=after)
        except MigrationError as error:
            return [MigrationError(f"{operation.describe()}: {error.message}", hint=error.hint)]
        state = after
    return []


def _impossible(executor: Executor) -> list[MigrationError]:
    """The first migration that is to be applied and cannot be, whatever rows there are."""
    graph = executor.graph
    past = graph.applied | {(one.app, one.name) for one in executor.interrupted()}
    state = graph.state(executor.start, upto=past)
    try:
        for migration in graph:
            if migration.key not in past:
                state = migration.checked(state)
    except MigrationError as error:
        return [error]
    return []


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
