"""Migration files: found and read."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Protocol

from toolkit.errors import MigrationError, Problems, ToolkitError
from toolkit.migrations.conflicts import check_ends
from toolkit.migrations.graph import Graph, Key, LoadedMigration
from toolkit.migrations.heads import read_head
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.state import ProjectState


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
        replaces: (app, name) of the migrations that it stands for, once it was squashed from them.
        run_before: (app, name) of migrations that must be applied after it, which cannot name it themselves.
        atomic: Whether it is done in one transaction, where the database has such.
    """

    dependencies: ClassVar[Sequence[Key]] = ()
    operations: ClassVar[Sequence[Operation]] = ()
    replaces: ClassVar[Sequence[Key]] = ()
    run_before: ClassVar[Sequence[Key]] = ()
    atomic: ClassVar[bool] = True


def load_graph(apps: Iterable[App], *, start: ProjectState | None = None) -> Graph:
    """Read the migrations of all apps, and see that they make one history.

    Args:
        apps: The apps.
        start: The models of the apps that have no migrations.

    Raises:
        Problems: Files that cannot be read, or that do not fit together.
    """
    apps = list(apps)
    graph = read_graph(apps)
    heads = {app.label: app.migrations_folder for app in apps if app.migrations_folder is not None}
    problems = check_ends(graph, start or ProjectState(), {label: read_head(folder) for label, folder in heads.items()})
    if problems:
        raise Problems(problems, summary="the migrations do not fit together")
    return graph


def read_graph(apps: Iterable[App]) -> Graph:
    """Read the migrations of all apps, those that were made side by side included.

    Raises:
        Problems: Files that cannot be read, or that name what is not there.
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
    except ToolkitError as error:
        raise MigrationError(error.message, path=path, line=_line_of(error, path), hint=error.hint) from error
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
    _check_lists(found, path)
    return LoadedMigration(
        app,
        path.stem,
        path,
        _keys(found.dependencies),
        tuple(found.operations),
        replaces=_keys(found.replaces),
        run_before=_keys(found.run_before),
        atomic=bool(found.atomic),
    )


def _check_lists(found: type[Migration], path: Path) -> None:
    """Refuse attributes that are no lists of what they should have.

    Raises:
        MigrationError: One is not.
    """
    for name in ("dependencies", "replaces", "run_before"):
        pairs: Any = getattr(found, name)
        if isinstance(pairs, list | tuple) and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
            continue
        raise MigrationError(
            f"{name} = {pairs!r} is no list of pairs", path=path, hint='Such as [("newsroom", "0001_initial")].'
        )
    steps: Any = found.operations
    if not isinstance(steps, list | tuple) or not all(isinstance(step, Operation) for step in steps):
        raise MigrationError(
            f"operations = {steps!r} is no list of operations",
            path=path,
            hint="Such as [migrations.RunSQL(...)], in brackets.",
        )


def _keys(pairs: Iterable[Any]) -> tuple[Key, ...]:
    return tuple((str(app), str(name)) for app, name in pairs)


def _line_of(error: Exception, path: Path) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None
