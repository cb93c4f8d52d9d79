"""Migrations that were made side by side: which, what each does, and whether their order matters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolkit.errors import MigrationError, Problems
from toolkit.migrations.fields import FieldState
from toolkit.migrations.graph import Graph, Key, LoadedMigration
from toolkit.migrations.heads import HEAD, Head
from toolkit.migrations.state import ModelState, ProjectState, text_of

SHOWN_OPERATIONS = 4


@dataclass(frozen=True)
class Branch:
    """What one side made.

    Args:
        end: The last migration of this side.
        migrations: All that the other side has not, in order; those of other apps too, though made long before.
    """

    end: LoadedMigration
    migrations: tuple[LoadedMigration, ...]

    def __str__(self) -> str:
        own = [one for one in self.migrations if one.app == self.end.app]
        steps = [operation.describe() for one in own for operation in one.operations]
        shown = "; ".join(steps[:SHOWN_OPERATIONS]) or "does nothing"
        more = f"; and {len(steps) - SHOWN_OPERATIONS} more" if len(steps) > SHOWN_OPERATIONS else ""
        return f"{', '.join(one.name for one in own)} ({shown}{more})"


@dataclass(frozen=True)
class Conflict:
    """An app with more than one end.

    Args:
        app: Its label.
        branches: One for each end.
        common: The migrations of all apps that every side has.
        reason: Why the order matters; empty when it does not.
    """

    app: str
    branches: tuple[Branch, ...]
    common: frozenset[Key]
    reason: str

    def problem(self) -> MigrationError:
        """The conflict as a letter."""
        sides = " and ".join(str(branch) for branch in self.branches)
        count = {2: "two", 3: "three"}.get(len(self.branches), str(len(self.branches)))
        if self.reason:
            order = f"Their order matters: {self.reason}"
            hint = (
                f"Decide which is the last, say so (toolkit migrations rebase {self.branches[-1].end} --anyway), "
                "and read it: does it still do what it should?"
            )
        else:
            order = "Neither touches what the other does, so one can follow the other"
            hint = "Run: toolkit migrations rebase. (Or keep both as they are: toolkit migrations merge.)"
        return MigrationError(
            f"{self.app} has {count} ends, made side by side: {sides}. {order}",
            path=self.branches[-1].end.path,
            hint=hint,
        )


def find_conflicts(graph: Graph, start: ProjectState) -> list[Conflict]:
    """The apps whose migrations have more than one end.

    Args:
        graph: All migrations.
        start: The models of the apps that have no migrations.
    """
    found = []
    for app in graph.apps:
        ends = graph.ends(app)
        if len(ends) > 1:
            reached = [graph.before(end.key) for end in ends]
            common = frozenset(set.intersection(*reached))
            branches = tuple(
                Branch(end, tuple(one for one in graph.order if one.key in mine - _others(reached, number)))
                for number, (end, mine) in enumerate(zip(ends, reached, strict=True))
            )
            found.append(Conflict(app, branches, common, _reason(graph, start, branches, common)))
    return found


def check_ends(graph: Graph, start: ProjectState, heads: Mapping[str, Head | None]) -> list[MigrationError]:
    """What stands in the way of one history: apps with two ends, and ``HEAD`` files in which git left two.

    Args:
        graph: All migrations.
        start: The models of the apps that have no migrations.
        heads: What the ``HEAD`` file of each app says.
    """
    conflicts = find_conflicts(graph, start)
    split = {conflict.app for conflict in conflicts}
    found = [conflict.problem() for conflict in conflicts]
    for app, head in heads.items():
        if head is not None and head.is_conflict and app not in split:
            last = graph.head(app)
            found.append(
                MigrationError(
                    f"git left two names in {HEAD}: {head.ours or 'none'} and {head.theirs or 'none'}",
                    path=None if last is None else last.path.with_name(HEAD),
                    hint="Run: toolkit migrations rebase.",
                )
            )
    return found


def check_heads(graph: Graph, heads: Mapping[str, Head | None]) -> list[MigrationError]:
    """``HEAD`` files that name another migration than the last."""
    found = []
    for app, head in heads.items():
        last = graph.head(app)
        if head is not None and last is not None and not head.is_conflict and head.name != last.name:
            found.append(
                MigrationError(
                    f"{HEAD} says {head.name or 'nothing'}, and the last migration is {last.name}",
                    path=last.path.with_name(HEAD),
                    hint="Run: toolkit migrations rebase, which writes it.",
                )
            )
    return found


def _others(reached: Sequence[set[Key]], number: int) -> set[Key]:
    return {key for other, keys in enumerate(reached) if other != number for key in keys}


def _reason(graph: Graph, start: ProjectState, branches: Sequence[Branch], common: Iterable[Key]) -> str:
    """Why the order of branches matters; empty when it does not."""
    state = graph.state(start, upto=common)
    reasons = [
        _compared(state, first, second) for first in branches for second in branches if first.end.key < second.end.key
    ]
    own = [reason for branch in branches if (reason := _own_steps(branch))]
    return "; ".join([*filter(None, reasons), *own])


def _own_steps(branch: Branch) -> str:
    """The steps of a branch that nobody can look into."""
    app = branch.end.app
    steps = [
        f"{migration.name if migration.app == app else migration} has a step of its own ({operation.describe()})"
        for migration in branch.migrations
        for operation in migration.operations
        if operation.opaque
    ]
    return f"{'; '.join(steps)}, and nobody can tell" if steps else ""


def _compared(state: ProjectState, first: Branch, second: Branch) -> str:
    results = []
    for one, other in ((first, second), (second, first)):
        try:
            results.append(_after(_after(state, one), other))
        except (MigrationError, Problems) as error:
            return f"after {one.end.name}, {other.end.name} cannot be done: {error.message}"
    return "; ".join(_differing(results[0], results[1], first, second))


def _after(state: ProjectState, branch: Branch) -> ProjectState:
    for migration in branch.migrations:
        state = migration.checked(state)
    return state


def _differing(one: ProjectState, other: ProjectState, first: Branch, second: Branch) -> Iterator[str]:
    """What would look different, by which side comes last."""
    for label in sorted(one.models.keys() | other.models.keys()):
        after_second, after_first = one.models.get(label), other.models.get(label)
        if after_first is None or after_second is None:
            last = first if after_first is None else second
            yield f"{label} would be gone if {last.end.name} comes last, and be there if not"
        elif after_first.said() != after_second.said():
            yield from _differing_parts(after_first, after_second, first.end.name, second.end.name)


def _differing_parts(after_first: ModelState, after_second: ModelState, first: str, second: str) -> Iterator[str]:
    """The fields of a model that would differ; the model, if none does."""
    told = False
    for name in dict.fromkeys([*after_first.field_names, *after_second.field_names]):
        one, other = ([f for f in model.fields if f.name == name] for model in (after_first, after_second))
        if one != other:
            told = True
            yield (
                f"{after_first.label}.{name} would be {_spelled(one)} if {first} comes last, and {_spelled(other)} "
                f"if {second} does"
            )
    if not told:
        yield f"{after_first.label} would look different"


def _spelled(found: Sequence[FieldState]) -> str:
    """A field as its migration has it."""
    return text_of(found[0].build()) if found else "gone"
