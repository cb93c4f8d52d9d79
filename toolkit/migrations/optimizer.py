"""Fewer operations that do the same: what a new database need not go through one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolkit.migrations.fields import FieldState
from toolkit.migrations.filling import APART, fill_of_alterations, fill_of_both
from toolkit.migrations.operations.alterations import AddField, Alteration, AlterField, RemoveField, RenameField
from toolkit.migrations.operations.inheriting import AddParent, RemoveParent
from toolkit.migrations.operations.items import (
    AddConstraint,
    AddIndex,
    RemoveConstraint,
    RemoveIndex,
    RenameIndex,
    called,
)
from toolkit.migrations.operations.keys import AlterPrimaryKey
from toolkit.migrations.operations.models import AlterModelTable, CreateModel, DeleteModel, RenameModel
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.operations.options import (
    AlterModelBases,
    AlterModelManagers,
    AlterModelOptions,
    AlterModelTableComment,
)
from toolkit.migrations.state import ProjectState

NO_FIELD = FieldState("", "")

_OF_THE_WHOLE = (AlterModelTable, AlterModelTableComment, AlterModelOptions, AlterModelManagers, AlterModelBases)
"""Operations that say something about a model as a whole: of two of a kind the second is enough."""


_OF_SEVERAL = (AddParent, AlterPrimaryKey, RemoveParent)
"""Operations that change the tables of other models with that of their own."""


@dataclass(frozen=True)
class Relations:
    """What ever refers to what.

    Args:
        referrers: The labels of the models that refer to a model or inherit from it, by its label.
        bases: The labels of the models that a model inherits from, by its label.
    """

    referrers: dict[str, set[str]]
    bases: dict[str, set[str]]

    def note(self, owners: set[str], targets: set[str], bases: set[str]) -> None:
        """Remember that some models refer to others, and inherit from some."""
        for target in targets:
            self.referrers.setdefault(target, set()).update(owners)
        for owner in owners:
            self.bases.setdefault(owner, set()).update(bases)


def optimize(operations: Iterable[Operation], *, app: str, before: ProjectState) -> list[Operation]:
    """The operations with those put together that undo or complete each other.

    The result is checked: it leads to the same models from the same start, or the operations stay as they are.

    Args:
        operations: In order.
        app: The label of their app.
        before: The models before the first of them.
    """
    given = list(operations)
    found = list(given)
    relations = _relations(given, app, before)
    while (shorter := _pass(found, app, relations)) is not None:
        found = shorter
    return found if _lead_to_the_same(given, found, app, before) else given


def without_elidable(operations: Iterable[Operation]) -> list[Operation]:
    """The operations, but for those that a new database has no use for."""
    return [operation for operation in operations if not operation.elidable]


def _pass(operations: list[Operation], app: str, relations: Relations) -> list[Operation] | None:
    """Put two operations together, or None when no two can be."""
    for first, operation in enumerate(operations):
        for second in range(first + 1, len(operations)):
            other = operations[second]
            if isinstance(operation, _OF_SEVERAL):
                break  # it can be a part of what makes the model, and of nothing else
            between = operations[first + 1 : second]
            is_beside = all(
                _passes(one, other, app, relations) for one in between
            )  # else a name may be another model's by then
            made = _reduced(operation, other, app) if is_beside else None
            if made is not None:
                return [*operations[:first], *made, *between, *operations[second + 1 :]]
            if other.opaque:
                break
    return None


def _passes(between: Operation, other: Operation, app: str, relations: Relations) -> bool:
    """Whether an operation can be moved in front of another: neither knows the other's models."""
    if isinstance(other, RenameModel) and any(field.names_models for field in _fields(between)):
        return False  # what rows get there may be the name that changes
    for one, neighbour in ((between, other), (other, between)):
        if isinstance(one, _OF_SEVERAL):
            return not neighbour.opaque and not (_models(neighbour, app) & _concerned(one, app, relations))
    if isinstance(other, AlterModelOptions | AlterModelManagers):  # no other model knows of these
        return not between.opaque and f"{app}.{other.name}" not in _changed(between, app)
    if _are_apart(between, other):
        return True
    return not between.opaque and not (_models(between, app) & _models(other, app))


def _relations(operations: Iterable[Operation], app: str, before: ProjectState) -> Relations:
    """What refers to what while some operations are done, by labels; a model that is renamed is its other self, too."""
    found = Relations({}, {})
    for model in before.models.values():
        found.note({model.label}, set(model.targets()), set(model.bases))
    for operation in operations:
        named = _models(operation, app)
        owners = {f"{app}.{operation.name}"} if isinstance(operation, CreateModel) else _changed(operation, app)
        is_rename = isinstance(operation, RenameModel)
        found.note(owners, named, named if is_rename else set(getattr(operation, "bases", ())))
    return found


def _concerned(operation: Operation, app: str, relations: Relations) -> set[str]:
    """The labels of the models whose tables a change of a key or a parent reads or writes, and more rather than less.

    They are the model, its parents before and after, and all that refers to any of these, however far.
    """
    lineage = _reached(_models(operation, app), relations.bases)
    return _reached(lineage, relations.referrers)


def _reached(labels: set[str], ways: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    while labels:
        found |= labels
        labels = {far for label in labels for far in ways.get(label, ())} - found
    return found


def _are_apart(one: Operation, other: Operation) -> bool:
    """Whether two steps are on different columns of a model, of which neither is computed from others."""
    steps = [step for step in (one, other) if isinstance(step, AddField | AlterField | RemoveField)]
    if len(steps) < 2 or steps[0].model_name != steps[1].model_name or steps[0].name == steps[1].name:
        return False
    return not any("expression" in dict(getattr(step, "field", NO_FIELD).options) for step in steps)


def _changed(operation: Operation, app: str) -> set[str]:
    """The labels of the models that an operation changes."""
    named = {f"{app}.{operation.name}"} if isinstance(operation, _OF_THE_WHOLE) else set()
    return {*operation.models(app), *named}


def _models(operation: Operation, app: str) -> set[str]:
    """The labels of the models that an operation changes or refers to."""
    names: list[str] = []
    labels: list[str | None] = []
    if isinstance(operation, CreateModel):
        names, labels = [operation.name], [*operation.bases, *(field.to for field in operation.fields)]
    elif isinstance(operation, RenameModel):
        names = [operation.old_name, operation.new_name]
    elif isinstance(operation, AlterModelBases):
        names, labels = [operation.name], [*operation.bases]
    elif isinstance(operation, (DeleteModel, *_OF_THE_WHOLE)):
        names = [operation.name]
    elif isinstance(operation, Alteration):
        names = [operation.model_name]
        labels = [*(field.to for field in _fields(operation)), *getattr(operation, "bases", ())]
    return {f"{app}.{name}" for name in names} | {label for label in labels if label}


def _fields(operation: Operation) -> list[FieldState]:
    """The fields that an operation gives to a model that is there."""
    if not isinstance(operation, Alteration):
        return []
    given = [getattr(operation, "field", None), *getattr(operation, "fields", ())]
    return [field for field in given if field is not None]


def _reduced(first: Operation, second: Operation, app: str) -> list[Operation] | None:
    """What does the work of two operations that stand side by side; None if only both do."""
    if isinstance(first, CreateModel):
        return _into_creation(first, second, app)
    if isinstance(first, Alteration) and isinstance(second, Alteration) and first.model_name == second.model_name:
        return _into_alteration(first, second)
    if isinstance(first, RenameModel) and isinstance(second, RenameModel) and first.new_name == second.old_name:
        back = first.old_name == second.new_name
        return [] if back else [RenameModel(first.old_name, second.new_name)]
    if isinstance(first, _OF_THE_WHOLE) and type(first) is type(second) and first.name == second.name:
        return [second]
    if isinstance(second, DeleteModel) and isinstance(first, Alteration) and first.model_name == second.name:
        return [second] if not isinstance(first, RemoveField) else None
    return None


def _into_creation(first: CreateModel, second: Operation, app: str) -> list[Operation] | None:
    """A model that is made as it shall be later, or not at all."""
    name = getattr(second, "model_name", None) or getattr(second, "old_name", None) or getattr(second, "name", None)
    if name != first.name:
        return None
    if isinstance(second, DeleteModel):
        return []
    if not isinstance(second, (Alteration, RenameModel, *_OF_THE_WHOLE)):
        return None
    label = f"{app}.{first.name}"
    state = first.change(app, ProjectState())
    if isinstance(second, RenameModel):
        return [CreateModel.of(replace(state.models[label], name=second.new_name).pointing_to_itself(label))]
    return [CreateModel.of(second.change(app, state).models[label])]


def _into_alteration(first: Alteration, second: Alteration) -> list[Operation] | None:
    """Two steps on one field, constraint or index."""
    name = _field_of(first)
    if name is not None and isinstance(first, AddField) and name == _field_of(second):
        return _after_adding(first, second)
    if isinstance(first, AlterField) and name == _field_of(second):
        return _after_altering(first, second)
    if isinstance(first, RenameField) and isinstance(second, RenameField) and first.new_name == second.old_name:
        back = first.old_name == second.new_name
        return [] if back else [RenameField(first.model_name, first.old_name, second.new_name)]
    if isinstance(first, AddIndex) and isinstance(second, RemoveIndex | RenameIndex):
        return _after_index(first, second)
    if isinstance(first, AddConstraint) and isinstance(second, RemoveConstraint):
        return [] if first.constraint.name == second.name else None
    return None


def _after_adding(first: AddField, second: Alteration) -> list[Operation] | None:
    if isinstance(second, RemoveField):
        return []
    if isinstance(second, AlterField):
        fill = fill_of_both(first, second)
        return None if fill is APART else [AddField(first.model_name, first.name, second.field, fill=fill)]
    if isinstance(second, RenameField):
        return [
            AddField(first.model_name, second.new_name, replace(first.field, name=second.new_name), fill=first.fill)
        ]
    return None


def _after_altering(first: AlterField, second: Alteration) -> list[Operation] | None:
    if isinstance(second, AlterField) and first.is_of_key == second.is_of_key:
        lossy = first.lossy or second.lossy
        fill = fill_of_alterations(first, second)
        return (
            None
            if fill is APART
            else [AlterField(second.model_name, second.name, second.field, fill=fill, lossy=lossy)]
        )
    if isinstance(second, RemoveField) and not second.fills():  # which on the way back is a value of the altered kind
        return [second]
    return None


def _after_index(first: AddIndex, second: RemoveIndex | RenameIndex) -> list[Operation] | None:
    if isinstance(second, RenameIndex):
        same = first.index.name == second.old_name
        return [AddIndex(first.model_name, called(first.index, second.new_name))] if same else None
    return [] if first.index.name == second.name else None


def _field_of(step: Alteration) -> str | None:
    if isinstance(step, RenameField):
        return step.old_name
    return step.name if isinstance(step, AddField | AlterField | RemoveField) else None


def _lead_to_the_same(given: Sequence[Operation], found: Sequence[Operation], app: str, before: ProjectState) -> bool:
    states: list[Any] = []
    for operations in (given, found):
        state = before
        try:
            for operation in operations:
                state = operation.change(app, state)
        except Exception:  # noqa: BLE001 - whatever goes wrong, the operations stay as they are
            return False
        states.append({label: model.said() for label, model in state.models.items()})
    return bool(states[0] == states[1])
