"""Putting migrations that were made side by side into one line: one side behind the other, or both under a third."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import MigrationError, did_you_mean
from toolkit.files import write_whole
from toolkit.migrations.conflicts import Branch, Conflict, find_conflicts
from toolkit.migrations.graph import Graph, Key, LoadedMigration, bare_name
from toolkit.migrations.heads import is_rebasing, read_head, write_head
from toolkit.migrations.loader import App, read_graph
from toolkit.migrations.state import ProjectState
from toolkit.migrations.writer import WrittenMigration, migration_text, write_file


@dataclass(frozen=True)
class Moved:
    """A migration that got another number.

    Args:
        app: The label of its app.
        old: Its name before.
        new: Its name now.
        path: Its file now.
    """

    app: str
    old: str
    new: str
    path: Path

    def __str__(self) -> str:
        return f"{self.app}.{self.old} is now {self.new}"


def rebase(
    apps: Iterable[App],
    *,
    start: ProjectState,
    last: str | None = None,
    anyway: bool = False,
    applied: Iterable[Key] = (),
) -> list[Moved]:
    """Put one side of each conflict behind the other, with the numbers that follow, and write ``HEAD``.

    Which side comes last: the one that is named; else the one that git is putting onto the other; else the one that
    ``HEAD`` names. Where nothing says so and the order does not matter, it is the one whose name comes last.

    Args:
        apps: All apps of a site.
        start: The models of the apps that have no migrations.
        last: A migration of the side that comes last: ``"newsroom.0002_kicker"``.
        anyway: Even if the order matters.
        applied: What the database has applied: a migration of these keeps its old name in ``replaces``.

    Raises:
        MigrationError: The order matters, or nobody says which side comes last.
    """
    apps = list(apps)
    folders = {app.label: app.migrations_folder for app in apps if app.migrations_folder is not None}
    moved: list[Moved] = []
    while True:
        graph = read_graph(apps)
        conflict = next(iter(find_conflicts(graph, start)), None)
        if conflict is None:
            break
        if conflict.reason and not anyway:
            raise conflict.problem()
        folder = folders[conflict.app]
        branch = _last_branch(conflict, folder, last)
        moved += _move(graph, conflict, branch, applied=set(applied))
    for app, folder in folders.items():
        head = graph.head(app)
        if head is not None:
            write_head(folder, head.name)
    return moved


def merge(apps: Iterable[App], *, start: ProjectState, anyway: bool = False) -> list[WrittenMigration]:
    """For each conflict, make a migration that follows both sides and does nothing.

    Args:
        apps: All apps of a site.
        start: The models of the apps that have no migrations.
        anyway: Even if the order matters.

    Raises:
        MigrationError: The order matters.
    """
    apps = list(apps)
    graph = read_graph(apps)
    folders = {app.label: app.migrations_folder for app in apps if app.migrations_folder is not None}
    made = []
    for conflict in find_conflicts(graph, start):
        if conflict.reason and not anyway:
            raise conflict.problem()
        made.append(_merged(conflict, folders[conflict.app]))
    return made


def _merged(conflict: Conflict, folder: Path) -> WrittenMigration:
    ends = [branch.end for branch in conflict.branches]
    number = max(number_of(end.name) for end in ends) + 1
    rest = "_".join(bare_name(end.name) for end in ends)
    name = f"{number:04}_merge_{rest}"[:60].rstrip("_")
    text = migration_text([], dependencies=[end.key for end in ends])
    path = folder / f"{name}.py"
    write_file(path, text)
    write_head(folder, name)
    summary = (f"Merge {' and '.join(end.name for end in ends)}",)
    return WrittenMigration(conflict.app, name, path, text, summary)


def _last_branch(conflict: Conflict, folder: Path, last: str | None) -> Branch:
    if last is not None:
        app, _, name = last.partition(".")
        if app == conflict.app:
            return _branch_named(conflict, name)
    head = read_head(folder)
    if head is not None:
        wanted = (head.theirs if is_rebasing(folder) else head.ours) if head.is_conflict else head.name
        for branch in conflict.branches:
            if wanted and any(one.name == wanted for one in branch.migrations):
                return branch
    if conflict.reason:
        raise MigrationError(
            f"{conflict.app}: nothing says which side comes last: "
            f"{' or '.join(branch.end.name for branch in conflict.branches)}",
            hint=f"Say it: toolkit migrations rebase {conflict.branches[-1].end} --anyway.",
        )
    return max(conflict.branches, key=lambda branch: branch.end.name)


def _branch_named(conflict: Conflict, name: str) -> Branch:
    found = [branch for branch in conflict.branches if any(one.name.startswith(name) for one in branch.migrations)]
    if len(found) != 1:
        names = [one.name for branch in conflict.branches for one in branch.migrations]
        what = "no migration" if not found else "more than one migration"
        raise MigrationError(
            f"{what} of the sides that were made side by side begins with {name!r}",
            hint=did_you_mean(name, names) or f"They are: {', '.join(names)}.",
        )
    return found[0]


def _move(graph: Graph, conflict: Conflict, branch: Branch, *, applied: set[Key]) -> list[Moved]:
    """Renumber one side behind all others."""
    others = [other.end for other in conflict.branches if other is not branch]
    own = [one for one in branch.migrations if one.app == conflict.app]
    number = max(number_of(end.name) for end in others)
    names = {one.key: f"{number + step:04}_{bare_name(one.name)}" for step, one in enumerate(own, start=1)}
    first = own[0]
    for migration in graph.files.values():
        text = migration.path.read_text("utf-8")
        changed = _with_names(text, names)
        if migration.key == first.key:
            changed = _with_dependency(changed, first, conflict, others)
        if migration.key in names and migration.key in applied:
            changed = _with_replaces(changed, migration.key)
        if migration.key in names:
            _write_instead(migration.path.with_name(f"{names[migration.key]}.py"), changed, instead_of=migration.path)
        elif changed != text:
            _write_instead(migration.path, changed, instead_of=migration.path)
    return [
        Moved(app, name, new, graph.files[(app, name)].path.with_name(f"{new}.py"))
        for (app, name), new in names.items()
    ]


def _with_names(text: str, names: Mapping[Key, str]) -> str:
    """A file's text, with other names in what it depends on."""
    for (app, name), new in names.items():
        text = _pair(app, name).sub(lambda found, new=new: f"{found[1]}{new}{found[2]}", text)  # type: ignore[misc]  # mypy gives a default of a lambda no type
    return text


def _with_dependency(text: str, first: LoadedMigration, conflict: Conflict, others: Sequence[LoadedMigration]) -> str:
    """The first file of a side, which now follows the ends of the others instead of what all had in common."""
    before = [key for key in first.dependencies if key[0] == conflict.app and key in conflict.common]
    new = others[0].name if len(others) == 1 else max(others, key=lambda one: one.name).name
    if not before:
        raise MigrationError(
            f"{first} depends on nothing of its app, and cannot be put behind {new} by itself",
            path=first.path,
            hint="Write the dependency by hand.",
        )
    text = _with_names(text, {before[0]: new})
    for app, name in before[1:]:
        text = re.sub(rf"\s*{_pair(app, name).pattern},?", "", text)
    return text


def _with_replaces(text: str, key: Key) -> str:
    """Databases that applied it under its old name take it for applied; it may have had others before."""
    pair = f'("{key[0]}", "{key[1]}")'
    longer, found = re.subn(r"(?m)^(    replaces(?::[^=\n]*)? = [\[(])", rf"\1{pair}, ", text, count=1)
    if found:
        return longer
    return re.sub(r"(?m)^(class Migration\(.*\):\n)", rf"\1    replaces = [{pair}]\n", text, count=1)


def _pair(app: str, name: str) -> re.Pattern[str]:
    return re.compile(rf"""(\(\s*["']{re.escape(app)}["']\s*,\s*["']){re.escape(name)}(["']\s*,?\s*\))""")


def _write_instead(path: Path, text: str, *, instead_of: Path) -> None:
    write_whole(path, text.encode())
    if path != instead_of:
        instead_of.unlink()


def number_of(name: str) -> int:
    """The number that a migration's name stands for, or 0: of ``0001_squashed_0005_last`` it is 5."""
    found = re.match(r"\d+_squashed_(\d+)|(\d+)", name)
    return int(found[1] or found[2]) if found else 0
