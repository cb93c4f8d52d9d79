"""Operations that change a table's constraints and indexes."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import MigrationError, did_you_mean
from toolkit.migrations.operations.alterations import Alteration
from toolkit.migrations.state import ModelState, ProjectState
from toolkit.models import BaseConstraint, Index

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


class _Addition(Alteration):
    """A constraint or an index more.

    Attributes:
        kind: ``constraint`` or ``index``, and the operation's attribute that has it.
        kept: Where the model's state keeps all of them.
    """

    kind: ClassVar[str]
    kept: ClassVar[str]

    @property
    def item(self) -> Any:
        """What is added."""
        return getattr(self, self.kind)

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        items: dict[str, Any] = {self.kept: (*getattr(model, self.kept), self.item)}
        return state.with_model(replace(model, **items))

    def describe(self) -> str:
        return f"Add {self.kind} {self.item.name} to {self.model_name}"

    @property
    def slug(self) -> str:
        return str(self.item.name).lower()


class _Removal(Alteration):
    """A constraint or an index less."""

    name: str
    kind: ClassVar[str]
    kept: ClassVar[str]

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        items: dict[str, Any] = {self.kept: _without(model, self.kept, self.kind, self.name)}
        return state.with_model(replace(model, **items))

    def describe(self) -> str:
        return f"Remove {self.kind} {self.name} from {self.model_name}"

    @property
    def slug(self) -> str:
        return f"remove_{self.name}".lower()


@dataclass(frozen=True)
class AddConstraint(_Addition):
    """Add a constraint that every row must meet.

    Args:
        model_name: The model.
        constraint: The constraint.
    """

    model_name: str
    constraint: BaseConstraint
    kind, kept = "constraint", "constraints"


@dataclass(frozen=True)
class RemoveConstraint(_Removal):
    """Remove a constraint.

    Args:
        model_name: The model.
        name: The name of the constraint.
    """

    model_name: str
    name: str
    kind, kept = "constraint", "constraints"


@dataclass(frozen=True)
class AddIndex(_Addition):
    """Add an index.

    Args:
        model_name: The model.
        index: The index.
    """

    model_name: str
    index: Index
    kind, kept = "index", "indexes"


@dataclass(frozen=True)
class RemoveIndex(_Removal):
    """Remove an index.

    Args:
        model_name: The model.
        name: The name of the index.
    """

    model_name: str
    name: str
    kind, kept = "index", "indexes"


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
        _without(model, "indexes", "index", self.old_name)
        indexes = tuple(called(one, self.new_name) if one.name == self.old_name else one for one in model.indexes)
        return state.with_model(replace(model, indexes=indexes))

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = self.label(app)
        editor.rename_index(after.classes([label])[label], self.old_name, self.new_name)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = self.label(app)
        editor.rename_index(before.classes([label])[label], self.new_name, self.old_name)

    def describe(self) -> str:
        return f"Rename index {self.old_name} of {self.model_name} to {self.new_name}"

    @property
    def slug(self) -> str:
        return f"rename_{self.old_name}_{self.new_name}".lower()


def called(index: Index, name: str) -> Index:
    """The same index under another name."""
    renamed = copy(index)
    renamed.name = name
    return renamed


def _without(model: ModelState, kept: str, kind: str, name: str) -> tuple[Any, ...]:
    items: tuple[Any, ...] = getattr(model, kept)
    if all(item.name != name for item in items):
        raise MigrationError(
            f"{model.label} has no {kind} {name!r} at this point",
            hint=did_you_mean(name, [item.name for item in items]),
        )
    return tuple(item for item in items if item.name != name)
