"""One migration in the place of many: a new database takes the short way, an old one goes on where it is."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.errors import MigrationError
from toolkit.migrations.executor import find_named
from toolkit.migrations.graph import Graph, LoadedMigration
from toolkit.migrations.heads import write_head
from toolkit.migrations.loader import App, load_graph
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.operations.special import RunPython
from toolkit.migrations.optimizer import optimize, without_elidable
from toolkit.migrations.rebasing import number_of
from toolkit.migrations.state import ProjectState
from toolkit.migrations.writer import WrittenMigration, check_name, migration_text, write_file


@dataclass(frozen=True)
class Squashed:
    """A migration that stands for others.

    Args:
        written: The migration.
        replaced: The names of those it stands for.
        before: How many operations they have.
        after: How many it has.
        notes: What somebody should look at.
    """

    written: WrittenMigration
    replaced: tuple[str, ...]
    before: int
    after: int
    notes: tuple[str, ...] = field(default=())


def squash(
    apps: Iterable[App],
    app: str,
    first: str | None,
    last: str,
    *,
    start: ProjectState,
    name: str | None = None,
    shorten: bool = True,
) -> Squashed:
    """Put migrations of an app into one that stands for them.

    Args:
        apps: All apps of a site.
        app: The label of the app.
        first: The first migration, or the beginning of its name; None for the app's first.
        last: The last one.
        start: The models of the apps that have no migrations.
        name: A name instead of one that tells which ones are in it.
        shorten: Put operations together that undo or complete each other.

    Raises:
        MigrationError: They are not one line of the app's history, others stand between them, a function of theirs
            cannot be copied, or the name cannot be one.
    """
    if name is not None:
        check_name(name)
    apps = list(apps)
    graph = load_graph(apps, start=start)
    chosen = _chosen(graph, app, first, last)
    _refuse_between(graph, chosen)
    before = [operation for one in chosen for operation in one.operations]
    operations = without_elidable(before)
    if shorten:
        known = graph.state(start, upto=graph.before(chosen[0].key) - {chosen[0].key})
        operations = optimize(operations, app=app, before=known)
    inside = {one.key for one in chosen}
    leaves = {key for one in chosen for key in graph.replaced(one.key)}
    replaced = [leaf for one in chosen for leaf in graph.leaves(one.key)]
    dependencies = sorted({key for one in chosen for key in graph.written(one.key).dependencies} - inside - leaves)
    short = name or f"squashed_{chosen[-1].name}"
    full = f"{chosen[0].name.partition('_')[0]}_{short}" if number_of(chosen[0].name) else short
    path = chosen[0].path.with_name(f"{full}.py")
    copied = CopiedCode(chosen)
    text = migration_text(
        operations,
        dependencies=dependencies,
        replaces=replaced,
        run_before=sorted({key for one in chosen for key in one.run_before} - inside),
        atomic=all(one.atomic for one in chosen),
        code=copied.take(operations),
        names=copied.names,
    )
    written = WrittenMigration(app, full, path, text, tuple(one.describe() for one in operations))
    write_file(path, text)
    if graph.head(app) is chosen[-1]:
        write_head(path.parent, full)
    notes = tuple(_notes(operations, len(before) - len(without_elidable(before)), apart=_apart(chosen)))
    return Squashed(written, tuple(name for _, name in replaced), len(before), len(operations), notes)


def _chosen(graph: Graph, app: str, first: str | None, last: str) -> list[LoadedMigration]:
    own = graph.of_app(app)
    if not own:
        raise MigrationError(
            f"the app {app!r} has no migrations", hint=f"Apps with migrations: {', '.join(graph.apps)}."
        )
    begin = own[0] if first is None else find_named(own, first)
    end = find_named(own, last)
    places = own.index(begin), own.index(end)
    if places[0] >= places[1]:
        raise MigrationError(
            f"{begin.name} is not before {end.name}", hint="Name the first and the last of at least two migrations."
        )
    return own[places[0] : places[1] + 1]


def _refuse_between(graph: Graph, chosen: Sequence[LoadedMigration]) -> None:
    """Refuse to make one of migrations that others stand between: those would come before it, and after it.

    Raises:
        MigrationError: There are such.
    """
    inside, behind = {one.key for one in chosen}, graph.after(chosen[0].key)
    free = [one for one in chosen if not (graph.before(one.key) & behind) - inside]
    if len(free) == len(chosen):
        return
    between = sorted((graph.before(chosen[-1].key) & behind) - inside)
    stopped = chosen[len(free)]
    raise MigrationError(
        f"{chosen[0]} to {chosen[-1].name} cannot become one: {', '.join('.'.join(key) for key in between)} must be "
        f"applied after the one and before the other ({stopped.name})",
        path=stopped.path,
        hint=f"Squash up to {free[-1].name}, or begin with {stopped.name}."
        if len(free) > 1
        else f"Begin with {stopped.name}.",
    )


def _apart(chosen: Iterable[LoadedMigration]) -> list[str]:
    return [one.name for one in chosen if not one.atomic]


def _notes(operations: Sequence[Operation], left_out: int, *, apart: Sequence[str]) -> Iterator[str]:
    if apart:
        yield f"it is not atomic, since {', '.join(apart)} {'is' if len(apart) == 1 else 'are'} not"
    if left_out:
        yield f"{left_out} elidable operations are left out"
    kept = [operation.describe() for operation in operations if operation.opaque]
    if kept:
        yield (
            f"steps of your own are kept and run on a new database too: {'; '.join(kept)}. "
            "Remove those that only old rows needed, or give them elidable=True"
        )


class CopiedCode:
    """The functions that squashed migrations run, copied from their files with all that they need.

    Args:
        migrations: Whose functions may be asked for.

    Attributes:
        names: A function to the name that it has in the new file.
    """

    def __init__(self, migrations: Sequence[LoadedMigration]) -> None:
        self._trees = {str(one.path): ast.parse(one.path.read_text("utf-8")) for one in migrations}
        self.names: dict[object, str] = {}
        self._taken: dict[str, str] = {}
        self._order: list[str] = []

    def take(self, operations: Sequence[Operation]) -> list[str]:
        """The source of all functions of some operations, in an order in which they can stand.

        Raises:
            MigrationError: Two files have different things of one name.
        """
        for operation in operations:
            if isinstance(operation, RunPython):
                for code in (operation.code, operation.reverse_code):
                    path = getattr(getattr(code, "__code__", None), "co_filename", "")
                    if path in self._trees and code is not None:
                        self._take(Path(path), code.__name__)
                        self.names[code] = code.__name__
        return self._order

    def _take(self, path: Path, name: str) -> None:
        statement = self._find(path, name)
        if statement is None:
            return
        source = ast.unparse(statement)
        key = source if isinstance(statement, ast.Import | ast.ImportFrom) else name
        if key in self._taken:
            if self._taken[key] != source:
                raise MigrationError(
                    f"two of the migrations have different things called {name!r}",
                    path=path,
                    line=statement.lineno,
                    hint="Rename one of them, and squash again.",
                )
            return
        self._taken[key] = source
        for inner in _names_in(statement):
            if inner != name:
                self._take(path, inner)
        self._order.append(source)

    def _find(self, path: Path, name: str) -> ast.stmt | None:
        """The statement at the top of a file that makes a name."""
        return next((one for one in self._trees[str(path)].body if name in _made_by(one)), None)


def _made_by(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return set() if statement.name == "Migration" else {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    if isinstance(statement, ast.Assign):
        return {one.id for target in statement.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return {statement.target.id}
    return set()


def _names_in(statement: ast.stmt) -> list[str]:
    return sorted(
        {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    )
