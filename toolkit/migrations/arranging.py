"""Operations put into migrations: one for each app where that is possible, with the dependencies between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from toolkit.migrations.detecting.walk import Change
from toolkit.migrations.graph import Graph, Key
from toolkit.migrations.operations.alterations import AddField, AlterField
from toolkit.migrations.operations.inheriting import AddParent
from toolkit.migrations.operations.models import CreateModel
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.operations.options import AlterModelBases
from toolkit.migrations.rebasing import number_of
from toolkit.migrations.references import References
from toolkit.migrations.writer import migration_name


@dataclass(eq=False)
class Draft:
    """A migration that is being put together.

    Args:
        app: The label of its app.
        after: The drafts that must be applied before.
        behind: The migrations in files that must be applied before.
        operations: What it does.
        name: Its name, once all is known.
    """

    app: str
    after: list[Draft] = field(default_factory=list)
    behind: set[Key] = field(default_factory=set)
    operations: list[Operation] = field(default_factory=list)
    name: str = ""

    @property
    def dependencies(self) -> list[Key]:
        """(app, name) of what must be applied before, sorted."""
        return sorted({*self.behind, *((draft.app, draft.name) for draft in self.after)})

    def follows(self, other: Draft) -> bool:
        """Whether it depends on another, however far."""
        return any(one is other or one.follows(other) for one in self.after)


def arrange(
    changes: Iterable[Change], graph: Graph, *, references: References, empty: Iterable[str] = ()
) -> list[Draft]:
    """Drafts for the changes, named and in an order in which they can be applied.

    Args:
        changes: What is to be done.
        graph: The migrations that there are.
        references: Those that there were up to now; they follow the changes.
        empty: Labels of apps that get a draft even if nothing changed.

    Two apps whose models refer to each other need more than one migration: wherever a dependency would close a
    circle, another migration is begun.
    """
    drafts: list[Draft] = []
    latest: dict[str, Draft] = {}
    for app, operation in changes:
        draft = latest.get(app) or _begin(app, drafts, latest, graph)
        for other in _apps_needed(app, operation, references):
            needed = latest.get(other)
            if needed is not None and needed.follows(draft):
                draft = _begin(app, drafts, latest, graph)
            _depend(draft, other, needed, graph)
        draft.operations.append(operation)
        references.follow(app, operation)
    for app in empty:
        if app not in latest:
            _begin(app, drafts, latest, graph)
    _name(drafts, graph)
    return drafts


def _begin(app: str, drafts: list[Draft], latest: dict[str, Draft], graph: Graph) -> Draft:
    draft = Draft(app)
    _depend(draft, app, latest.get(app), graph)
    latest[app] = draft
    drafts.append(draft)
    return draft


def _depend(draft: Draft, app: str, needed: Draft | None, graph: Graph) -> None:
    head = graph.head(app)
    if needed is not None:
        if needed not in draft.after:
            draft.after.append(needed)
    elif head is not None:
        draft.behind.add(head.key)


def _apps_needed(app: str, operation: Operation, references: References) -> list[str]:
    """The other apps whose migrations must come first: those of what it refers to, and of what it takes a name from."""
    labels: list[str] = []
    if isinstance(operation, CreateModel):
        labels = [*operation.bases, *(item.to for item in operation.fields if item.to)]
    elif isinstance(operation, AlterModelBases):
        labels = list(operation.bases)
    elif isinstance(operation, AddField | AddParent | AlterField) and operation.field.to:
        labels = [operation.field.to]
    needed = {label.partition(".")[0] for label in labels} | references.apps_before(app, operation)
    return sorted(needed - {app})


def _name(drafts: Sequence[Draft], graph: Graph) -> None:
    numbers: dict[str, int] = {}
    for draft in drafts:
        head = graph.head(draft.app)
        first = draft.app not in numbers and head is None
        number = numbers.get(draft.app, number_of(head.name) if head else 0) + 1
        numbers[draft.app] = number
        draft.name = migration_name(number, draft.operations, initial=first)
