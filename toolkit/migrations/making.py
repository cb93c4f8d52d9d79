"""Migration files: made for what changed, made again, and made shorter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.errors import MigrationError, Problems, did_you_mean
from toolkit.files import write_whole
from toolkit.migrations.arranging import Draft, arrange
from toolkit.migrations.changes import changes_of, refused_changes, unmigrated
from toolkit.migrations.describing import with_hidden
from toolkit.migrations.detecting.walk import AskValue
from toolkit.migrations.executor import Executor, named_migration
from toolkit.migrations.graph import Graph, Key, LoadedMigration
from toolkit.migrations.heads import write_head
from toolkit.migrations.loader import App, load_graph
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.operations.special import RunPython
from toolkit.migrations.optimizer import optimize
from toolkit.migrations.references import References
from toolkit.migrations.renames import Answers, Ask, never
from toolkit.migrations.state import ProjectState
from toolkit.migrations.writer import WrittenMigration, check_name, migration_text, write_file


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
        MigrationError: The name cannot be one.
    """
    if name is not None:
        check_name(name)
    apps = list(apps)
    start = unmigrated(apps)
    graph = load_graph(apps, start=start)
    answers = Answers(renames or {}, ask)
    _refuse_unknown(fills or {}, apps)
    before, changes = changes_of(apps, graph, ask=answers, fills=fills, ask_value=ask_value)
    _refuse_impossible(changes, before)
    folders = {app.label: app.migrations_folder for app in apps if app.migrations_folder is not None}
    drafts = arrange(changes, graph, references=References.of(graph, start), empty=empty)
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


def _refuse_impossible(changes: Any, before: ProjectState) -> None:
    """Refuse changes that no database takes.

    Raises:
        Problems: There are such.
    """
    refused = refused_changes(changes, before)
    if refused:
        raise Problems(refused, summary="the migration cannot be made")


def _refuse_unknown(fills: Mapping[str, Any], apps: Iterable[App]) -> None:
    """Refuse values for what is no field: the name is mistyped.

    Raises:
        MigrationError: There is such a name.
    """
    models = (model for app in apps for model in with_hidden(app.models))
    known = {f"{model._meta.label}.{field.name}" for model in models for field in model._meta.fields}
    for name in fills:
        if name not in known:
            raise MigrationError(f"told what fills {name!r}, which is no field", hint=did_you_mean(name, known))


def update(
    apps: Iterable[App],
    ask: Ask = never,
    *,
    fills: Mapping[str, Any] | None = None,
    renames: Mapping[str, str] | None = None,
    write: bool = True,
    databases: Iterable[Any] = (),
) -> WrittenMigration | None:
    """Put what changed in the models into the last migration of the app that changed, instead of a new one.

    Args:
        apps: All apps of a site.
        ask: Answers whether something was renamed.
        fills: As for ``make``.
        renames: As for ``make``.
        write: As for ``make``.
        databases: None of these may have the last migration already: the changes would never come there.

    Returns:
        The migration with its new text; None when nothing changed.

    Raises:
        Problems: As for ``make``.
        MigrationError: Several apps changed, or the last migration cannot be made again.
    """
    apps = list(apps)
    start = unmigrated(apps)
    graph = load_graph(apps, start=start)
    answers = Answers(renames or {}, ask)
    _refuse_unknown(fills or {}, apps)
    _, changes = changes_of(apps, graph, ask=answers, fills=fills)
    drafts = arrange(changes, graph, references=References.of(graph, start))
    if not drafts:
        return None
    head = _updatable_head(drafts, graph)
    for database in databases:
        if head.key in Executor(database, graph, start=start).past:
            raise MigrationError(
                f"{head} is applied in {database.safe_url}, and the changes would never come there",
                path=head.path,
                hint=f"Run make without --update; or undo it first: toolkit migrations apply {head.app} TARGET.",
            )
    known = graph.state(start, upto=graph.before(head.key) - {head.key})
    operations = optimize([*head.operations, *drafts[0].operations], app=head.app, before=known)
    _refuse_impossible([(head.app, one) for one in operations], known)
    kept = graph.written(head.key).dependencies
    dependencies = sorted({*kept, *drafts[0].dependencies} - {head.key})
    text = _again(head, operations, dependencies)
    if write:
        write_whole(head.path, text.encode())
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
    if head.replaces:
        raise MigrationError(
            f"{head} stands for others, and a database that has those would never get the changes",
            path=head.path,
            hint="Run make without --update.",
        )
    if any(isinstance(operation, RunPython) for operation in head.operations):
        raise MigrationError(
            f"{head} runs Python of its own, which would have to be copied", path=head.path, hint="Make a new one."
        )
    return head


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
    start = unmigrated(apps)
    graph = load_graph(apps, start=start)
    migration = named_migration(graph, target)
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
        write_whole(migration.path, text.encode())
    summary = tuple(operation.describe() for operation in operations)
    written = WrittenMigration(migration.app, migration.name, migration.path, text, summary)
    return written, len(migration.operations)
