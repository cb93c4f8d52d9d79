"""Operations that change one table: its columns, constraints and indexes."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.errors import MigrationError, did_you_mean
from toolkit.migrations.fields import FieldState
from toolkit.migrations.operations.models import FieldOrState, Operation, as_state
from toolkit.migrations.state import Constraint, ModelState, ProjectState
from toolkit.models import Index
from toolkit.models.fields import MISSING

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


class Alteration(Operation):
    """A step that changes one model and keeps its name."""

    model_name: str

    def _label(self, app: str) -> str:
        return f"{app}.{self.model_name}"

    def _alter(self, app: str, editor: Editor, before: ProjectState, after: ProjectState) -> None:
        label = self._label(app)
        editor.alter(
            before.classes([label])[label], after.classes([label])[label], fills=self.fills(), lossy=self.lossy_fields()
        )

    def fills(self) -> dict[str, Any]:
        """Field name to what rows get that have no value."""
        return {}

    def lossy_fields(self) -> set[str]:
        """The names of fields whose values may lose something on the way."""
        return set()

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        self._alter(app, editor, before, after)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        self._alter(app, editor, after, before)


@dataclass(frozen=True, init=False)
class _FieldOperation(Alteration):
    model_name: str
    name: str
    field: FieldState
    fill: Any

    def __init__(self, model_name: str, name: str, field: FieldOrState, *, fill: Any = MISSING) -> None:
        object.__setattr__(self, "model_name", model_name)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "field", as_state(name, field))
        object.__setattr__(self, "fill", fill)

    def fills(self) -> dict[str, Any]:
        return {} if self.fill is MISSING else {self.name: self.fill}

    def arguments(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [("model_name", self.model_name), ("name", self.name), ("field", self.field)]
        return found if self.fill is MISSING else [*found, ("fill", self.fill)]


class AddField(_FieldOperation):
    """Add a column.

    Args:
        model_name: The model.
        name: The field's name.
        field: The field.
        fill: What the rows that are there get, or a function that makes one for each row. Without it they get the
            field's default.
    """

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        if self.name in model.field_names:
            raise MigrationError(f"{model.label} already has a field {self.name!r}", hint="Remove the operation.")
        return state.with_model(model.with_field(self.field))

    def describe(self) -> str:
        return f"Add field {self.name} to {self.model_name}"

    @property
    def slug(self) -> str:
        return f"{self.model_name}_{self.name}".lower()


@dataclass(frozen=True, init=False)
class AlterField(_FieldOperation):
    """Change a column.

    Args:
        model_name: The model.
        name: The field's name.
        field: The field as it shall be.
        fill: What rows get that hold NULL, when it is not allowed any more.
        lossy: Values may lose something on the way, such as the hour of a moment that becomes a date. Without it
            the migration stops at the first of them.
    """

    lossy: bool

    def __init__(
        self, model_name: str, name: str, field: FieldOrState, *, fill: Any = MISSING, lossy: bool = False
    ) -> None:
        super().__init__(model_name, name, field, fill=fill)
        object.__setattr__(self, "lossy", lossy)

    def lossy_fields(self) -> set[str]:
        return {self.name} if self.lossy else set()

    def arguments(self) -> list[tuple[str, Any]]:
        return [*super().arguments(), ("lossy", True)] if self.lossy else super().arguments()

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        return state.with_model(model.with_field(self.field, instead_of=self.name))

    def describe(self) -> str:
        return f"Alter field {self.name} of {self.model_name}"

    @property
    def slug(self) -> str:
        return f"alter_{self.model_name}_{self.name}".lower()


@dataclass(frozen=True)
class RemoveField(Alteration):
    """Remove a column and its values.

    Args:
        model_name: The model.
        name: The field's name.
        fill: On the way back, what the rows get. Without it they get the field's default.
    """

    model_name: str
    name: str
    fill: Any = MISSING

    def fills(self) -> dict[str, Any]:
        return {} if self.fill is MISSING else {self.name: self.fill}

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return state.with_model(state.get(app, self.model_name).without_field(self.name))

    def describe(self) -> str:
        return f"Remove field {self.name} from {self.model_name}"

    @property
    def slug(self) -> str:
        return f"remove_{self.model_name}_{self.name}".lower()

    def arguments(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [("model_name", self.model_name), ("name", self.name)]
        return found if self.fill is MISSING else [*found, ("fill", self.fill)]


@dataclass(frozen=True)
class RenameField(Alteration):
    """Give a field another name; its column follows, and so do constraints and indexes.

    Args:
        model_name: The model.
        old_name: The name that it has.
        new_name: The name that it shall have.
    """

    model_name: str
    old_name: str
    new_name: str

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return state.with_field_renamed(app, self.model_name, self.old_name, self.new_name)

    def _alter(self, app: str, editor: Editor, before: ProjectState, after: ProjectState) -> None:
        label = self._label(app)
        editor.rename(before.classes([label])[label], after.classes([label])[label])

    def describe(self) -> str:
        return f"Rename field {self.old_name} of {self.model_name} to {self.new_name}"

    @property
    def slug(self) -> str:
        return f"rename_{self.model_name}_{self.old_name}_{self.new_name}".lower()

    def arguments(self) -> list[tuple[str, Any]]:
        return [("model_name", self.model_name), ("old_name", self.old_name), ("new_name", self.new_name)]


@dataclass(frozen=True)
class AddConstraint(Alteration):
    """Add a constraint that every row must meet.

    Args:
        model_name: The model.
        constraint: The constraint.
    """

    model_name: str
    constraint: Constraint

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        return state.with_model(replace(model, constraints=(*model.constraints, self.constraint)))

    def describe(self) -> str:
        return f"Add constraint {self.constraint.name} to {self.model_name}"

    @property
    def slug(self) -> str:
        return self.constraint.name.lower()

    def arguments(self) -> list[tuple[str, Any]]:
        return [("model_name", self.model_name), ("constraint", self.constraint)]


@dataclass(frozen=True)
class RemoveConstraint(Alteration):
    """Remove a constraint.

    Args:
        model_name: The model.
        name: The name of the constraint.
    """

    model_name: str
    name: str

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        return state.with_model(replace(model, constraints=_without(model, "constraint", self.name)))

    def describe(self) -> str:
        return f"Remove constraint {self.name} from {self.model_name}"

    @property
    def slug(self) -> str:
        return f"remove_{self.name}".lower()

    def arguments(self) -> list[tuple[str, Any]]:
        return [("model_name", self.model_name), ("name", self.name)]


@dataclass(frozen=True)
class AddIndex(Alteration):
    """Add an index.

    Args:
        model_name: The model.
        index: The index.
    """

    model_name: str
    index: Index

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        return state.with_model(replace(model, indexes=(*model.indexes, self.index)))

    def describe(self) -> str:
        return f"Add index {self.index.name} to {self.model_name}"

    @property
    def slug(self) -> str:
        return self.index.name.lower()

    def arguments(self) -> list[tuple[str, Any]]:
        return [("model_name", self.model_name), ("index", self.index)]


@dataclass(frozen=True)
class RenameIndex(Alteration):
    """Give an index another name.

    Args:
        model_name: The model.
        old_name: The name that it has.
        new_name: The name that it shall have.
    """

    model_name: str
    old_name: str
    new_name: str

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        _without(model, "index", self.old_name)
        indexes = tuple(called(one, self.new_name) if one.name == self.old_name else one for one in model.indexes)
        return state.with_model(replace(model, indexes=indexes))

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = self._label(app)
        editor.rename_index(after.classes([label])[label], self.old_name, self.new_name)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = self._label(app)
        editor.rename_index(before.classes([label])[label], self.new_name, self.old_name)

    def describe(self) -> str:
        return f"Rename index {self.old_name} of {self.model_name} to {self.new_name}"

    @property
    def slug(self) -> str:
        return f"rename_{self.old_name}_{self.new_name}".lower()

    def arguments(self) -> list[tuple[str, Any]]:
        return [("model_name", self.model_name), ("old_name", self.old_name), ("new_name", self.new_name)]


@dataclass(frozen=True)
class RemoveIndex(Alteration):
    """Remove an index.

    Args:
        model_name: The model.
        name: The name of the index.
    """

    model_name: str
    name: str

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        return state.with_model(replace(model, indexes=_without(model, "index", self.name)))

    def describe(self) -> str:
        return f"Remove index {self.name} from {self.model_name}"

    @property
    def slug(self) -> str:
        return f"remove_{self.name}".lower()

    def arguments(self) -> list[tuple[str, Any]]:
        return [("model_name", self.model_name), ("name", self.name)]


def called(index: Index, name: str) -> Index:
    """The same index under another name."""
    renamed = copy(index)
    renamed.name = name
    return renamed


def _without(model: ModelState, kind: str, name: str) -> Any:
    items: tuple[Any, ...] = model.constraints if kind == "constraint" else model.indexes
    if all(item.name != name for item in items):
        raise MigrationError(
            f"{model.label} has no {kind} {name!r} at this point",
            hint=did_you_mean(name, [item.name for item in items]),
        )
    return tuple(item for item in items if item.name != name)
