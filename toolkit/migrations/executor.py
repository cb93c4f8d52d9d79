"""Applying migrations, forwards and backwards, each whole or not at all where the database can do that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from toolkit.database import DEFAULT
from toolkit.database.hints import MIGRATE
from toolkit.errors import IntegrityError, MigrationError, Problems, ToolkitError, did_you_mean
from toolkit.migrations.editors.base import Editor
from toolkit.migrations.editors.journal import (
    Progress,
    StepJournal,
    forget_progress,
    note_progress,
    prepare,
    read_all_progress,
    read_progress,
)
from toolkit.migrations.editors.sessions import can_take_back, editing, editor_of, note_before, was_taken
from toolkit.migrations.graph import Graph, Key, LoadedMigration, bare_name
from toolkit.migrations.history import TABLE, History, orphaned_last
from toolkit.migrations.operations.merging import merged
from toolkit.migrations.operations.operation import Act
from toolkit.migrations.places import Place
from toolkit.migrations.state import ProjectState, rekeyed_tables
from toolkit.models.search.keeping import drop_indexes

UNTOUCHED = "The database is as it was before this migration."
GOES_ON = "Mend the cause, and run the same command: it goes on there."

ZERO = "zero"
"""The target before an app's first migration."""


@dataclass(frozen=True)
class Step:
    """One migration of a plan.

    Args:
        migration: The migration.
        backwards: Whether it is undone.
        faked: Whether it is only noted, and nothing is done.
    """

    migration: LoadedMigration
    backwards: bool = False
    faked: bool = False

    def __str__(self) -> str:
        verb = "Reverse" if self.backwards else "Apply"
        return f"{verb} {self.migration}{' (only noted)' if self.faked else ''}"


class Executor:
    """Brings a database to a point of its history.

    Args:
        database: The database.
        graph: All migrations.
        start: The models of the apps that have no migrations.
        router: The site's router, which may say which models have their tables where.

    Attributes:
        recorded: What the database had applied when this was made; steps are planned by it.
    """

    def __init__(self, database: Any, graph: Graph, *, start: ProjectState, router: Any = None) -> None:
        self.database, self.start = database, start
        self.place = Place(getattr(database, "alias", DEFAULT), router)
        self.history = History(database)
        self.recorded = self.history.read()
        self.graph = graph.for_database(self.recorded)
        self._reached: tuple[set[Key], ProjectState] | None = None

    def plan(self, target: str | None = None) -> list[Step]:
        """What must be done.

        Args:
            target: Nothing for everything, ``"newsroom"`` for all of an app, ``"newsroom.0002"`` (or more of the
                name) for a point of its history, ``"newsroom.zero"`` for before its first.

        Raises:
            MigrationError: There is no such target, or the record and the files disagree.
        """
        applied = self.graph.applied
        self._check_consistent(applied)
        steps = self._steps(target, applied)
        self._check_interrupted(steps)
        return steps

    def _steps(self, target: str | None, applied: set[Key]) -> list[Step]:
        if target is None:
            return self._forwards([migration.key for migration in self.graph], applied)
        app, _, name = target.partition(".")
        own = self.graph.of_app(app)
        if not own:
            raise MigrationError(f"the app {app!r} has no migrations", hint=did_you_mean(app, self.graph.apps))
        if name == ZERO:
            return self._backwards([own[0].key], applied)
        wanted = find_named(own, name) if name else own[-1]
        if wanted.key not in applied:
            return self._forwards([wanted.key], applied)
        later = own[own.index(wanted) + 1 :]
        return self._backwards([migration.key for migration in later], applied)

    def run(self, steps: Iterable[Step], *, tell: Callable[[Step], object] = lambda step: None) -> list[Step]:
        """Do the steps, in order.

        Args:
            steps: From ``plan``.
            tell: Called with each step before it is done.

        Returns:
            The steps that were done; one that another process did meanwhile is left out.

        Raises:
            MigrationError: One of them cannot be done, or was done under another number.
            Problems: Several were.
        """
        steps = list(steps)
        self._check_renumbered(steps)
        if not self.history.is_there:
            with editing(self.database):
                self.history.prepare()
        done = []
        for step in steps:
            tell(step)
            if self._run(step):
                done.append(step)
        self._record_replacements()
        return done

    @property
    def past(self) -> set[Key]:
        """The migrations of which the database has all or a part."""
        return self.graph.applied | {(one.app, one.name) for one in self.interrupted()}

    def interrupted(self) -> list[Progress]:
        """The migrations that were begun and are neither done nor undone."""
        return read_all_progress(self.database, was_taken=partial(was_taken, self.database))

    def _check_interrupted(self, steps: Iterable[Step]) -> None:
        """Refuse to go anywhere else before a migration is whole that was begun."""
        planned = {(step.migration.key, step.backwards) for step in steps}
        for one in self.interrupted():
            if ((one.app, one.name), one.backwards) not in planned:
                back = f"{one.app} with the target before it" if one.backwards else one.app
                raise MigrationError(str(one), hint=f"Finish it first: toolkit migrations apply {back}.")

    def _check_renumbered(self, steps: Iterable[Step]) -> None:
        """Refuse to do again what was done under another number, after all of its app that have files."""
        done = {(app, bare_name(name)): name for app, name in orphaned_last(self.graph, self.recorded)}
        problems = []
        for step in steps:
            app, name = step.migration.key
            old = done.get((app, bare_name(name)))
            if old is not None and not step.backwards and not step.faked:
                problems.append(
                    MigrationError(
                        f"{app}.{name} is not applied, and {app}.{old} is, which has no file: did it get another "
                        "number?",
                        path=step.migration.path,
                        hint=f'If so, write replaces = [("{app}", "{old}")] into it. If it is another, forget the old '
                        "one: toolkit migrations apply --prune.",
                    )
                )
        if len(problems) > 1:
            raise Problems(problems, summary="migrations may have been done under other numbers; nothing was changed")
        if problems:
            raise problems[0]

    def _record_replacements(self) -> None:
        """Note the replacements all of whose parts were applied: the files of the parts may then be removed."""
        if not any(migration.replaces for migration in self.graph.files.values()):
            return
        recorded = self.history.read()
        graph = self.graph.for_database(recorded)
        done = [key for key in graph.applied if graph.files[key].replaces and key not in recorded]
        inner = [key for key in recorded if key in graph.files and key not in graph.migrations]
        smaller = [key for key in inner if graph.files[key].replaces]
        if done:
            with editing(self.database):
                self.history.record(done)
                self.history.forget(smaller)

    def _forwards(self, targets: Iterable[Key], applied: set[Key]) -> list[Step]:
        wanted = {key for target in targets for key in self.graph.before(target)} - applied
        return [Step(migration) for migration in self.graph if migration.key in wanted]

    def _backwards(self, targets: Iterable[Key], applied: set[Key]) -> list[Step]:
        begun = {(one.app, one.name) for one in self.interrupted()}
        wanted = {key for target in targets for key in self.graph.after(target)} & (applied | begun)
        return [Step(migration, backwards=True) for migration in reversed(self.graph.order) if migration.key in wanted]

    def _check_consistent(self, applied: set[Key]) -> None:
        for migration in self.graph:
            for dependency in migration.dependencies:
                # one that got another number was applied before what it follows now, and does not mind
                if migration.key in self.recorded and dependency not in applied:
                    raise MigrationError(
                        f"{migration} is applied, and {'.'.join(dependency)}, which it depends on, is not",
                        path=migration.path,
                        hint=f"Was the file's dependency changed, or the table {TABLE} edited? Restore either.",
                    )

    # one step

    def _run(self, step: Step) -> bool:
        if step.faked:
            with editing(self.database):
                prepare(self.database)
                with self.database.atomic():  # MariaDB has no other transaction here
                    forget_progress(self.database, step.migration.key)
                    return self._note(step)
        if not can_take_back(self.database):
            return self._run_noting(step)
        if not step.migration.atomic:
            return self._run_apart(step)
        with editing(self.database) as editor:
            graph = self._seen_now()
            if self._is_done(step, graph):
                return False
            for act in self._acts(step, graph, together=True):
                self._act(step, act, editor, lambda: UNTOUCHED)
            return self._note(step)

    def _run_noting(self, step: Step) -> bool:
        """Where nothing is taken back: each step is noted, and a run that was interrupted is continued."""
        with editing(self.database) as editor:
            graph = self._seen_now()
            if self._is_done(step, graph) and not self._is_half_done(step):
                return False
            acts = self._acts(step, graph, together=True)
            editor.journal = journal = StepJournal(
                self.database,
                step.migration.key,
                backwards=step.backwards,
                titles=[operation.describe() for operation, _, _ in acts],
                digest=partial(note_before, self.database),
                was_taken=partial(was_taken, self.database),
            )
            journal.open()
            telling = [number for number, act in enumerate(acts) if act[0].tells_connection]
            again = [number for number in telling if not journal.is_past(telling[-1])]
            for number, act in enumerate(acts):
                if journal.begin(number) or number in again:  # of what is done, only what this connection must be told
                    self._act(step, act, editor, journal.where)
            with self.database.atomic():
                self._note(step)
                journal.close()
        return True

    def _run_apart(self, step: Step) -> bool:
        """A migration that is not atomic: a transaction for each operation, none for those that run SQL or Python."""
        acts = self._acts(step, self._seen_now(), together=False)
        with editing(self.database):
            prepare(self.database)
            if self._is_done(step, self._seen_now()):
                return False
        for number, act in enumerate(acts):
            self._run_alone(step, number, act)
        with editing(self.database):
            self._note(step)
            forget_progress(self.database, step.migration.key)
        return True

    def _run_alone(self, step: Step, number: int, act: Act) -> None:
        operation = act[0]
        progress = Progress(*step.migration.key, step.backwards, number + 1, operation.describe(), 0)
        where = partial(_stands, number)
        if operation.opaque:
            if not self._is_past(step, number):
                self._act(step, act, editor_of(self.database), where)
                with editing(self.database):
                    note_progress(self.database, progress)
            return
        with editing(self.database) as editor:
            if not self._is_past(step, number):
                self._act(step, act, editor, where)
                note_progress(self.database, progress)

    def _is_past(self, step: Step, number: int) -> bool:
        found = read_progress(self.database, step.migration.key, was_taken=bool)
        return found is not None and found.backwards is step.backwards and found.operation > number

    def _is_half_done(self, step: Step) -> bool:
        return read_progress(self.database, step.migration.key, was_taken=bool) is not None

    def _seen_now(self) -> Graph:
        """The migrations as the database has them by now; another process may have applied some since the plan."""
        return self.graph.for_database(self.history.read())

    def _is_done(self, step: Step, graph: Graph) -> bool:
        """Whether another process did it meanwhile.

        Raises:
            MigrationError: Another process went the other way, and this one cannot go on.
        """
        key = step.migration.key
        if key not in graph.migrations:
            return not step.backwards
        applied = graph.applied
        if (key in applied) is not step.backwards:
            return True
        needed = graph.after(key) & applied - {key} if step.backwards else graph.before(key) - applied - {key}
        if needed:
            raise _overtaken(step, sorted(needed))
        return False

    def _note(self, step: Step) -> bool:
        keys = {step.migration.key, *self.graph.replaced(step.migration.key)}
        if step.backwards:
            self.history.forget(keys)
        else:
            self.history.record(keys)
        return True

    def _acts(self, step: Step, graph: Graph, *, together: bool) -> list[Act]:
        """What is done, in order: operations with the states before and after them.

        Args:
            step: The step.
            graph: The migrations, as the database has them before it.
            together: Changes of one table are done at once; else operations that consist of others are taken apart.
        """
        migration = step.migration
        done = graph.applied - {migration.key}
        state = self._state_after(done, graph)
        if step.backwards:
            _check_reversible(migration)
        acts: list[Act] = []
        for operation in merged(migration.operations) if together else migration.operations:
            try:
                after = operation.change(migration.app, state)
            except ToolkitError as error:
                raise _located(error, step, operation, UNTOUCHED) from error
            acts += (
                [(operation, state, after)] if together else operation.parts(migration.app, before=state, after=after)
            )
            state = after
        self._reached = ({*done, migration.key}, state)
        return acts[::-1] if step.backwards else acts

    def _state_after(self, done: set[Key], graph: Graph) -> ProjectState:
        """The state after some migrations; where the last step led there, nothing is gone through again."""
        if self._reached is not None and self._reached[0] == done:
            return self._reached[1]
        return graph.state(self.start, upto=done)

    def _act(self, step: Step, act: Act, editor: Editor, stands: Callable[[], str]) -> None:
        operation, before, after = act
        if not operation.concerns(step.migration.app, self.place, before=before, after=after):
            return
        editor.place = self.place
        self._drop_searches(editor, before, after)
        do = operation.revert if step.backwards else operation.apply
        try:
            do(step.migration.app, editor, before=before, after=after)
        except ToolkitError as error:
            raise _located(error, step, operation, stands()) from error

    def _drop_searches(self, editor: Editor, before: ProjectState, after: ProjectState) -> None:
        """Take away indexes of searches whose triggers would speak of a table or a key that is another then."""
        moved = rekeyed_tables(before, after)
        if moved:
            editor.settle()
            drop_indexes(self.database, lambda _, watched: bool(watched & moved))


def find_named(own: list[LoadedMigration], name: str) -> LoadedMigration:
    """The migration of an app that is called so, or begins so.

    Raises:
        MigrationError: None does, or several do.
    """
    found = [migration for migration in own if migration.name.startswith(name)]
    exact = [migration for migration in found if migration.name == name]
    if len(exact or found) != 1:
        what = f"{len(found)} migrations begin" if found else "no migration begins"
        raise MigrationError(
            f"{what} with {name!r} in {own[0].app}",
            hint=did_you_mean(name, [migration.name for migration in found or own]),
        )
    return (exact or found)[0]


def _check_reversible(migration: LoadedMigration) -> None:
    for operation in migration.operations:
        if not operation.reversible:
            raise MigrationError(
                f"{migration} cannot be reversed: {operation.describe()!r} has no way back",
                path=migration.path,
                hint="Give it reverse_sql or reverse_code.",
            )


def _stands(number: int) -> str:
    if not number:
        return UNTOUCHED
    return f"The migration is not atomic: its first {number} operations stand"


def _overtaken(step: Step, others: list[Key]) -> MigrationError:
    """Another process went the other way since the steps were planned."""
    names = ", ".join(".".join(key) for key in others)
    if step.backwards:
        told = f"{step.migration} was not reversed: it comes before {names}, applied meanwhile by another process"
    else:
        told = f"{step.migration} was not applied: it comes after {names}, reversed meanwhile by another process"
    hint = f"{UNTOUCHED} See where it stands (toolkit migrations show), and run the command again."
    return MigrationError(told, path=step.migration.path, hint=hint)


def _located(error: ToolkitError, step: Step, operation: Any, stands: str) -> ToolkitError:
    """The error with the migration's file, and what stands."""
    verb = "reversed" if step.backwards else "applied"
    detail = str(error) if hasattr(error, "problems") else error.message
    known = error.hint != MIGRATE and not isinstance(error, IntegrityError)  # whose hint says what stands, too
    hint = error.hint if known else None
    told = f"{step.migration} was not {verb}: {operation.describe()}: {detail}"
    if stands == UNTOUCHED:
        return MigrationError(told, path=step.migration.path, hint=_sentences(hint, UNTOUCHED))
    return MigrationError(
        f"{told.removesuffix('.')}. {stands}", path=step.migration.path, hint=_sentences(hint, GOES_ON)
    )


def _sentences(*sentences: str | None) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def named_migration(graph: Graph, target: str) -> LoadedMigration:
    """The migration of ``"newsroom.0002"``, or more of its name.

    Raises:
        MigrationError: There is none, or several begin so.
    """
    app, _, name = target.partition(".")
    own = graph.of_app(app)
    if not own:
        raise MigrationError(f"the app {app!r} has no migrations", hint=did_you_mean(app, graph.apps))
    return find_named(own, name)
