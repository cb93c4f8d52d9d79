"""Migration files: found, read, and put in order."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Protocol

from toolkit.errors import MigrationError, Problems, ToolkitError, did_you_mean
from toolkit.migrations.operations.models import Operation
from toolkit.migrations.state import ProjectState

Key = tuple[str, str]


class App(Protocol):
    """What migrations must know of an app."""

    @property
    def label(self) -> str:
        """Its name."""

    @property
    def models(self) -> Iterable[Any]:
        """Its resolved models."""

    @property
    def migrations_folder(self) -> Path | None:
        """Where its migrations are; None when its tables are made straight from the models."""


class Migration:
    """A step of an app's history; a migration file has one subclass of this name.

    Attributes:
        dependencies: (app, name) of the migrations that must be applied before.
        operations: What it does, in order.
    """

    dependencies: ClassVar[Sequence[Key]] = ()
    operations: ClassVar[Sequence[Operation]] = ()


@dataclass(frozen=True)
class LoadedMigration:
    """A migration that was read from its file.

    Args:
        app: The label of its app.
        name: The file's name, without ``.py``.
        path: The file.
        dependencies: (app, name) of the migrations before it.
        operations: What it does.
    """

    app: str
    name: str
    path: Path = field(compare=False)
    dependencies: tuple[Key, ...] = ()
    operations: tuple[Operation, ...] = field(default=(), compare=False)

    @property
    def key(self) -> Key:
        """(app, name)."""
        return (self.app, self.name)

    def change(self, state: ProjectState) -> ProjectState:
        """The state after this migration.

        Raises:
            MigrationError: An operation does not fit the state, with the file it is in.
        """
        for operation in self.operations:
            try:
                state = operation.change(self.app, state)
            except MigrationError as error:
                message = f"{operation.describe()}: {error.message}"
                raise MigrationError(message, path=self.path, hint=error.hint) from error
        return state


class Graph:
    """All migrations of some apps, and what each depends on.

    Args:
        migrations: In any order.

    Raises:
        Problems: A dependency that is not there, a circle, or an app with two ends.
    """

    def __init__(self, migrations: Iterable[LoadedMigration]) -> None:
        self.migrations = {migration.key: migration for migration in sorted(migrations, key=lambda one: one.key)}
        problems = [*self._missing()] or [*self._conflicts()]
        if problems:
            raise Problems(problems, summary="the migrations do not fit together")
        self.order: list[LoadedMigration] = self._sorted()

    def __iter__(self) -> Iterator[LoadedMigration]:
        return iter(self.order)

    def of_app(self, app: str) -> list[LoadedMigration]:
        """The migrations of an app, in order."""
        return [migration for migration in self.order if migration.app == app]

    def head(self, app: str) -> LoadedMigration | None:
        """The last migration of an app."""
        return next(reversed(self.of_app(app)), None)

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
        return self._reach({key}, lambda one: self.migrations[one].dependencies)

    def after(self, key: Key) -> set[Key]:
        """A migration and all that depend on it."""
        users: dict[Key, list[Key]] = {}
        for migration in self.migrations.values():
            for dependency in migration.dependencies:
                users.setdefault(dependency, []).append(migration.key)
        return self._reach({key}, lambda one: users.get(one, ()))

    def _reach(self, start: set[Key], following: Any) -> set[Key]:
        found: set[Key] = set()
        waiting = list(start)
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting.extend(following(key))
        return found

    def _missing(self) -> Iterator[MigrationError]:
        for migration in self.migrations.values():
            for app, name in migration.dependencies:
                if (app, name) not in self.migrations:
                    names = [known for label, known in self.migrations if label == app]
                    yield MigrationError(
                        f"it depends on ({app!r}, {name!r}), which is not there",
                        path=migration.path,
                        hint=did_you_mean(name, names) or f"The app {app!r} has no migrations.",
                    )

    def _conflicts(self) -> Iterator[MigrationError]:
        inner = {
            key for migration in self.migrations.values() for key in migration.dependencies if key[0] == migration.app
        }
        ends: dict[str, list[LoadedMigration]] = {}
        for key, migration in self.migrations.items():
            if key not in inner:
                ends.setdefault(migration.app, []).append(migration)
        for app, found in ends.items():
            if len(found) > 1:
                names = " and ".join(one.name for one in found)
                yield MigrationError(
                    f"{app} has two ends, {names}: they were made side by side",
                    path=found[-1].path,
                    hint=f"Let one follow the other: in {found[-1].name}, depend on ({app!r}, {found[0].name!r}) "
                    "and give it the next number, or make it again.",
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


def load_graph(apps: Iterable[App]) -> Graph:
    """Read the migrations of all apps.

    Raises:
        Problems: Files that cannot be read, or that do not fit together.
    """
    problems: list[ToolkitError] = []
    found: list[LoadedMigration] = []
    for app in apps:
        for path in migration_files(app.migrations_folder):
            try:
                found.append(load_file(app.label, path))
            except MigrationError as error:
                problems.append(error)
    if problems:
        raise Problems(problems, summary="migrations cannot be read")
    return Graph(found)


def migration_files(folder: Path | None) -> list[Path]:
    """The migration files in a folder, by name; names that begin with ``_`` or ``.`` are something else."""
    if folder is None or not folder.is_dir():
        return []
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".")))


def load_file(app: str, path: Path) -> LoadedMigration:
    """Read one migration.

    It is run as a module of its own and is not left in ``sys.modules``: two sites may have migrations of one name.

    Raises:
        MigrationError: It cannot be run, or has no ``class Migration``.
    """
    module = ModuleType(f"{app}.migrations.{path.stem}")
    module.__file__ = str(path)
    try:
        exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(module))  # noqa: S102 - the site's own code
    except Exception as error:
        raise MigrationError(
            f"the migration cannot be run: {type(error).__name__}: {error}",
            path=path,
            line=_line_of(error, path),
            hint="Mend the file, or restore it from version control.",
        ) from error
    found = getattr(module, "Migration", None)
    if not (isinstance(found, type) and issubclass(found, Migration)) or found is Migration:
        raise MigrationError(
            "the file has no class Migration", path=path, hint="Write: class Migration(migrations.Migration): ..."
        )
    dependencies = tuple((str(label), str(name)) for label, name in found.dependencies)
    return LoadedMigration(app, path.stem, path, dependencies, tuple(found.operations))


def _line_of(error: Exception, path: Path) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None
