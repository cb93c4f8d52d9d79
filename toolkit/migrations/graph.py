"""All migrations of some apps, in order: what each depends on, and which of them stand for others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.errors import MigrationError, Problems, did_you_mean
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.state import ProjectState

Key = tuple[str, str]
"""(app, name) of a migration."""

FIRST, LATEST = "__first__", "__latest__"
"""Names in a dependency that stand for an app's first and last migration."""


@dataclass(frozen=True)
class LoadedMigration:
    """A migration that was read from its file.

    Args:
        app: The label of its app.
        name: The file's name, without ``.py``.
        path: The file.
        dependencies: (app, name) of the migrations before it.
        operations: What it does.
        replaces: The migrations that it stands for.
        run_before: The migrations that must come after it.
        atomic: Whether it is done in one transaction.
    """

    app: str
    name: str
    path: Path = field(compare=False)
    dependencies: tuple[Key, ...] = ()
    operations: tuple[Operation, ...] = field(default=(), compare=False)
    replaces: tuple[Key, ...] = ()
    run_before: tuple[Key, ...] = ()
    atomic: bool = True

    def __str__(self) -> str:
        return f"{self.app}.{self.name}"

    @property
    def key(self) -> Key:
        """(app, name)."""
        return (self.app, self.name)

    def change(self, state: ProjectState) -> ProjectState:
        """The state after this migration.

        Raises:
            MigrationError: An operation does not fit the state, with the file it is in.
        """
        return self._through(state, lambda operation, before, after: None)

    def checked(self, state: ProjectState) -> ProjectState:
        """The state after this migration, of which each operation can be done there.

        Raises:
            MigrationError: An operation cannot be done, whatever rows there are, or does not fit the state.
        """
        return self._through(
            state, lambda operation, before, after: operation.check(self.app, before=before, after=after)
        )

    def _through(
        self, state: ProjectState, look: Callable[[Operation, ProjectState, ProjectState], None]
    ) -> ProjectState:
        for operation in self.operations:
            try:
                after = operation.change(self.app, state)
                look(operation, state, after)
            except MigrationError as error:
                message = f"{operation.describe()}: {error.message}"
                raise MigrationError(message, path=self.path, hint=error.hint) from error
            state = after
        return state


class Graph:
    """All migrations of some apps, and what each depends on.

    Args:
        migrations: In any order.
        applied: What a database has applied; it decides whether a migration that replaces others is used. None
            uses it.

    Attributes:
        files: Every migration that there is a file of, by key.
        migrations: Those that are used, by key.
        order: Those that are used, each after those it depends on.

    Raises:
        Problems: A dependency that is not there, a circle, or a replacement that is half applied and has lost files.
    """

    def __init__(self, migrations: Iterable[LoadedMigration], *, applied: Iterable[Key] | None = None) -> None:
        self.files = {migration.key: migration for migration in sorted(migrations, key=lambda one: one.key)}
        self._recorded = None if applied is None else set(applied)
        self._arrange()

    def _arrange(self) -> None:
        self._instead: dict[Key, Key] = {}
        used = self._used()
        self.migrations = {key: self._linked(used[key], used) for key in used}
        self._add_run_before()
        problems = list(self._missing())
        if problems:
            raise Problems(problems, summary="the migrations do not fit together")
        self.order: list[LoadedMigration] = self._sorted()

    def __iter__(self) -> Iterator[LoadedMigration]:
        return iter(self.order)

    def written(self, key: Key) -> LoadedMigration:
        """A migration as its file has it: without what others say must come before it, and what stands for others."""
        return self.files[key]

    def for_database(self, applied: Iterable[Key]) -> Graph:
        """The same files, as a database that has applied some of them sees them.

        It is asked before and after each migration: unless some stand for others, all databases see one order.
        """
        found = copy(self)
        found._recorded = set(applied)
        if any(migration.replaces for migration in self.files.values()):
            found._arrange()
        return found

    # questions

    @property
    def applied(self) -> set[Key]:
        """What counts as applied: a replacement does once all that it replaces is."""
        return {key for key in self.migrations if self._is_applied(key)}

    def of_app(self, app: str) -> list[LoadedMigration]:
        """The migrations of an app, in order."""
        return [migration for migration in self.order if migration.app == app]

    def ends(self, app: str) -> list[LoadedMigration]:
        """The migrations of an app that no other of the app depends on: one, but after two were made side by side."""
        own = self.of_app(app)
        inner = {key for migration in own for key in migration.dependencies}
        return [migration for migration in own if migration.key not in inner]

    def head(self, app: str) -> LoadedMigration | None:
        """The last migration of an app."""
        return next(reversed(self.of_app(app)), None)

    @property
    def apps(self) -> list[str]:
        """The labels of the apps that have migrations, sorted."""
        return sorted({migration.app for migration in self.order})

    def state(self, start: ProjectState, *, upto: Iterable[Key] | None = None) -> ProjectState:
        """The state after all migrations, or after some of them.

        Args:
            start: The models of the apps that have no migrations.
            upto: The migrations to count; all when None.
        """
        wanted = None if upto is None else set(upto)
        state = start
        for migration in self.order:
            if wanted is None or migration.key in wanted:
                state = migration.change(state)
        return state

    def before(self, key: Key) -> set[Key]:
        """A migration and all that it depends on."""
        return _reach({key}, lambda one: self.migrations[one].dependencies)

    def after(self, key: Key) -> set[Key]:
        """A migration and all that depend on it."""
        users: dict[Key, list[Key]] = {}
        for migration in self.migrations.values():
            for dependency in migration.dependencies:
                users.setdefault(dependency, []).append(migration.key)
        return _reach({key}, lambda one: users.get(one, ()))

    def replaced(self, key: Key) -> set[Key]:
        """All that a migration stands for, however deep."""
        inner = self.files[key].replaces if key in self.files else ()
        return {*inner, *(deep for one in inner for deep in self.replaced(one))}

    def leaves(self, key: Key) -> list[Key]:
        """What a migration stands for in the end: those that stand for no others; itself, if it stands for none."""
        inner = self.files[key].replaces if key in self.files else ()
        return [leaf for one in inner for leaf in self.leaves(one)] or [key]

    # migrations that stand for others

    def _is_applied(self, key: Key) -> bool:
        recorded = self._recorded or set()
        inner = self.files[key].replaces if key in self.files else ()
        return key in recorded or (bool(inner) and all(self._is_applied(one) for one in inner))

    def _has_part_applied(self, key: Key) -> bool:
        recorded = self._recorded or set()
        return key in recorded or any(one in recorded for one in self.replaced(key))

    def _used(self) -> dict[Key, LoadedMigration]:
        """The migrations that count: a replacement, or what it replaces where only a part of that was applied."""
        unused: set[Key] = set()
        problems: list[MigrationError] = []
        for key, migration in sorted(self.files.items(), key=lambda item: len(item[1].replaces)):
            if not migration.replaces:
                continue
            if self._has_part_applied(key) and not self._is_applied(key):
                problems += self._lost(migration)
                unused.add(key)
                self._instead[key] = migration.replaces[-1]
            else:
                covered = {*migration.replaces, *self._covered_by(migration)}
                unused.update(covered)
                self._instead |= dict.fromkeys(covered, key)
        if problems:
            raise Problems(problems, summary="the migrations do not fit together")
        return {key: migration for key, migration in self.files.items() if key not in unused}

    def _covered_by(self, squash: LoadedMigration) -> Iterator[Key]:
        """Other migrations that stand for a part of what one stands for."""
        whole = set(self.leaves(squash.key))
        for key, other in self.files.items():
            if other.replaces and key != squash.key and set(self.leaves(key)) < whole:
                yield key

    def _lost(self, squash: LoadedMigration) -> Iterator[MigrationError]:
        others = [one for one in self.files.values() if one.key != squash.key]
        known = {*self.files, *(key for one in others for key in one.replaces)}
        lost = [key for key in squash.replaces if key not in known]
        if lost:
            done = [name for app, name in squash.replaces if self._is_applied((app, name))]
            yield MigrationError(
                f"{squash} stands for {len(squash.replaces)} migrations, of which this database has applied "
                f"{', '.join(done) or 'a part'}; the files of the others are gone: "
                f"{', '.join(name for _, name in lost)}",
                path=squash.path,
                hint="Restore the files from version control, apply them all, and remove them then.",
            )

    def _linked(self, migration: LoadedMigration, used: Mapping[Key, LoadedMigration]) -> LoadedMigration:
        """A migration whose dependencies name those that are used."""
        found: dict[Key, None] = {}
        for dependency in migration.dependencies:
            key = self._resolved(dependency, used)
            if key != migration.key:
                found[key] = None
        return replace(migration, dependencies=tuple(found))

    def _resolved(self, key: Key, used: Mapping[Key, LoadedMigration]) -> Key:
        if key[1] in (FIRST, LATEST):
            own = [one for one in used if one[0] == key[0]]
            return (own[0] if key[1] == FIRST else own[-1]) if own else key
        seen = {key}
        while key in self._instead and self._instead[key] not in seen:
            key = self._instead[key]
            seen.add(key)
        return key

    def _add_run_before(self) -> None:
        for migration in list(self.migrations.values()):
            for named in migration.run_before:
                key = self._resolved(named, self.migrations)
                later = self.migrations.get(key)
                if later is not None and migration.key not in later.dependencies:
                    self.migrations[key] = replace(later, dependencies=(*later.dependencies, migration.key))

    # order

    def _missing(self) -> Iterator[MigrationError]:
        for migration in self.migrations.values():
            for app, name in (*migration.dependencies, *migration.run_before):
                if (app, name) not in self.migrations and (app, name) not in self._instead:
                    names = [known for label, known in self.files if label == app]
                    yield MigrationError(
                        f"it depends on ({app!r}, {name!r}), which is not there",
                        path=migration.path,
                        hint=did_you_mean(name, names) or f"The app {app!r} has no migrations.",
                    )

    def _sorted(self) -> list[LoadedMigration]:
        order: list[LoadedMigration] = []
        done: set[Key] = set()
        for key in self.migrations:
            self._visit(key, order, done, [])
        return order

    def _visit(self, key: Key, order: list[LoadedMigration], done: set[Key], path: list[Key]) -> None:
        """Depth first, without recursion: histories are longer than Python's stack is deep."""
        stack: list[tuple[Key, Iterator[Key]]] = []

        def enter(one: Key) -> None:
            path.append(one)
            stack.append((one, iter(self.migrations[one].dependencies)))

        if key not in done:
            enter(key)
        while stack:
            current, dependencies = stack[-1]
            following = next((one for one in dependencies if one not in done), None)
            if following is None:
                stack.pop()
                path.pop()
                done.add(current)
                order.append(self.migrations[current])
            elif following in path:
                self._refuse_circle([*path[path.index(following) :], following])
            else:
                enter(following)

    def _refuse_circle(self, circle: Sequence[Key]) -> None:
        names = " -> ".join(f"{app}.{name}" for app, name in circle)
        problem = MigrationError(
            f"migrations depend on each other in a circle: {names}",
            path=self.migrations[circle[0]].path,
            hint="Remove one of the dependencies.",
        )
        raise Problems([problem], summary="the migrations do not fit together")


def bare_name(name: str) -> str:
    """A migration's name without its number."""
    digits, _, rest = name.partition("_")
    return rest if digits.isdigit() and rest else name


def _reach(start: set[Key], following: Any) -> set[Key]:
    found: set[Key] = set()
    waiting = list(start)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting.extend(following(key))
    return found
