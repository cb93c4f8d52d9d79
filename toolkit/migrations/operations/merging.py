"""Steps that change one table, done at once: SQLite then copies the table once and not for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.migrations.operations.alterations import AddField, Alteration, AlterField, RemoveField
from toolkit.migrations.operations.items import AddConstraint, AddIndex, RemoveConstraint, RemoveIndex
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.state import ProjectState

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor

MERGED = (AddConstraint, AddField, AddIndex, AlterField, RemoveConstraint, RemoveField, RemoveIndex)
ON_FIELDS = (AddField, AlterField, RemoveField)


class Together(Alteration):
    """Several changes of one model.

    Args:
        steps: One after the other; no two of one field.
    """

    def __init__(self, steps: Sequence[Alteration]) -> None:
        self.steps = tuple(steps)
        self.model_name = steps[0].model_name

    def change(self, app: str, state: ProjectState) -> ProjectState:
        for step in self.steps:
            state = step.change(app, state)
        return state

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        if self._concern_others(app, before):
            for step, old, new in self._acts(app, before):
                step.apply(app, editor, before=old, after=new)
        else:
            super().apply(app, editor, before=before, after=after)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        if self._concern_others(app, before):
            for step, old, new in reversed(self._acts(app, before)):
                step.revert(app, editor, before=old, after=new)
        else:
            super().revert(app, editor, before=before, after=after)

    def _concern_others(self, app: str, before: ProjectState) -> bool:
        """Whether other tables hold values of a field that changes: they change with it, at its step."""
        changed = [step.name for step in self.steps if isinstance(step, AlterField)]
        return any(any(before.holders(self.label(app), name)) for name in changed)

    def _acts(self, app: str, before: ProjectState) -> list[tuple[Alteration, ProjectState, ProjectState]]:
        """The steps, with the models before and after each."""
        acts = []
        for step in self.steps:
            after = step.change(app, before)
            acts.append((step, before, after))
            before = after
        return acts

    def fills(self) -> dict[str, Any]:
        return {name: value for step in self.steps for name, value in step.fills().items()}

    def lossy_fields(self) -> set[str]:
        return {name for step in self.steps for name in step.lossy_fields()}

    def describe(self) -> str:
        return "; ".join(step.describe() for step in self.steps)


def merged(operations: Iterable[Operation]) -> list[Operation]:
    """The operations, with neighbours that change one table put together.

    A field that is removed and added again is two fields, so a second step on one field begins anew.
    """
    found: list[Operation] = []
    run: list[Alteration] = []
    for operation in operations:
        if run and not _continues(run, operation):
            found.append(_closed(run))
            run = []
        if isinstance(operation, MERGED):
            run.append(operation)
        else:
            found.append(operation)
    return [*found, _closed(run)] if run else found


def _continues(run: Sequence[Alteration], operation: Operation) -> bool:
    if not isinstance(operation, MERGED) or operation.model_name != run[0].model_name:
        return False
    if any(isinstance(step, AlterField) and step.is_of_key for step in (run[-1], operation)):
        return False  # other tables change with it
    touched = {step.name for step in run if isinstance(step, ON_FIELDS)}
    return not isinstance(operation, ON_FIELDS) or operation.name not in touched


def _closed(run: Sequence[Alteration]) -> Operation:
    return run[0] if len(run) == 1 else Together(run)
