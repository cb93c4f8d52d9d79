"""Applying migrations, forwards and backwards, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from toolkit.errors import MigrationError, ToolkitError, did_you_mean
from toolkit.migrations.editors.servers import Editor
from toolkit.migrations.editors.sessions import editing
from toolkit.migrations.history import TABLE, History, Key
from toolkit.migrations.loader import Graph, LoadedMigration
from toolkit.migrations.operations.merging import merged
from toolkit.migrations.state import ProjectState

UNTOUCHED = "The database is as it was before this migration."

ZERO = "zero"
"""The target before an app's first migration."""


@dataclass(frozen=True)
class Step:
    """One migration of a plan.

    Args:
        migration: The migration.
        backwards: Whether it is undone.
    """

    migration: LoadedMigration
    backwards: bool = False

    def __str__(self) -> str:
        verb = "Reverse" if self.backwards else "Apply"
        return f"{verb} {self.migration.app}.{self.migration.name}"


class Executor:
    """Brings a database to a point of its history.

    Args:
        database: The database.
        graph: All migrations.
        start: The models of the apps that have no migrations.
    """

    def __init__(self, database: Any, graph: Graph, *, start: ProjectState) -> None:
        self.database, self.graph, self.start = database, graph, start
        self.history = History(database)

    def plan(self, target: str | None = None) -> list[Step]:
        """What must be done.

        Args:
            target: Nothing for everything, ``"newsroom"`` for all of an app, ``"newsroom.0002"`` (or more of the
                name) for a point of its history, ``"newsroom.zero"`` for before its first.

        Raises:
            MigrationError: There is no such target, or the record and the files disagree.
        """
        applied = set(self.history.read())
        self._check_consistent(applied)
        if target is None:
            return self._forwards([migration.key for migration in self.graph], applied)
        app, _, name = target.partition(".")
        own = self.graph.of_app(app)
        if not own:
            apps = {migration.app for migration in self.graph}
            raise MigrationError(f"the app {app!r} has no migrations", hint=did_you_mean(app, apps))
        if name == ZERO:
            return self._backwards([own[0].key], applied)
        wanted = self._named(own, name) if name else own[-1]
        if wanted.key not in applied:
            return self._forwards([wanted.key], applied)
        later = own[own.index(wanted) + 1 :]
        return self._backwards([migration.key for migration in later], applied)

    def run(self, steps: Iterable[Step], *, tell: Callable[[Step], object] = lambda step: None) -> list[Step]:
        """Do the steps, in order; each is written whole or not at all.

        Args:
            steps: From ``plan``.
            tell: Called with each step before it is done.

        Returns:
            The steps that were done; one that another process did meanwhile is left out.
        """
        with editing(self.database):
            self.history.prepare()
        done = []
        for step in steps:
            tell(step)
            if self._run(step):
                done.append(step)
        return done

    def _forwards(self, targets: Iterable[Key], applied: set[Key]) -> list[Step]:
        wanted = {key for target in targets for key in self.graph.before(target)} - applied
        return [Step(migration) for migration in self.graph if migration.key in wanted]

    def _backwards(self, targets: Iterable[Key], applied: set[Key]) -> list[Step]:
        wanted = {key for target in targets for key in self.graph.after(target)} & applied
        return [Step(migration, backwards=True) for migration in reversed(self.graph.order) if migration.key in wanted]

    def _named(self, own: list[LoadedMigration], name: str) -> LoadedMigration:
        found = [migration for migration in own if migration.name.startswith(name)]
        exact = [migration for migration in found if migration.name == name]
        if len(exact or found) != 1:
            what = f"{len(found)} migrations begin" if found else "no migration begins"
            raise MigrationError(
                f"{what} with {name!r} in {own[0].app}",
                hint=did_you_mean(name, [migration.name for migration in found or own]),
            )
        return (exact or found)[0]

    def _check_consistent(self, applied: set[Key]) -> None:
        for migration in self.graph:
            for dependency in migration.dependencies:
                if migration.key in applied and dependency not in applied:
                    raise MigrationError(
                        f"{migration.app}.{migration.name} is applied, and {'.'.join(dependency)}, which it depends "
                        "on, is not",
                        path=migration.path,
                        hint=f"Was the file's dependency changed, or the table {TABLE} edited? Restore either.",
                    )

    def _run(self, step: Step) -> bool:
        with editing(self.database) as editor:
            applied = self.history.read()
            if (step.migration.key in applied) is not step.backwards:
                return False
            before = self.graph.state(self.start, upto=set(applied) - {step.migration.key})
            self._do(step, before, editor)
            if step.backwards:
                self.history.forget(step.migration.key)
            else:
                self.history.record(step.migration.key)
        return True

    def _do(self, step: Step, state: ProjectState, editor: Editor) -> None:
        migration = step.migration
        states, operations = [state], merged(migration.operations)
        for operation in operations:
            states.append(operation.change(migration.app, states[-1]))
        pairs = list(zip(operations, states, states[1:], strict=False))
        if step.backwards:
            self._check_reversible(migration)
            pairs.reverse()
        for operation, before, after in pairs:
            act = operation.revert if step.backwards else operation.apply
            try:
                act(migration.app, editor, before=before, after=after)
            except ToolkitError as error:
                raise _located(error, step, operation) from error

    def _check_reversible(self, migration: LoadedMigration) -> None:
        for operation in migration.operations:
            if not operation.reversible:
                raise MigrationError(
                    f"{migration.app}.{migration.name} cannot be reversed: {operation.describe()!r} has no way back",
                    path=migration.path,
                    hint="Give it reverse_sql or reverse_code.",
                )


def _located(error: ToolkitError, step: Step, operation: Any) -> ToolkitError:
    """The error with the migration's file, and what was left untouched."""
    verb = "reversed" if step.backwards else "applied"
    name = f"{step.migration.app}.{step.migration.name}"
    detail = str(error) if hasattr(error, "problems") else error.message
    return MigrationError(
        f"{name} was not {verb}: {operation.describe()}: {detail}",
        path=step.migration.path,
        hint=(error.hint if isinstance(error, MigrationError) else None) or UNTOUCHED,
    )
