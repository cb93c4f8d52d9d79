"""Operations: the steps of a migration. Each says what becomes of the state, and what to do in the database.

An operation never looks at the live models: it knows the state before it and the state after it, and its editor
turns the one into the other. Going back is the same with the two exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import MigrationError
from toolkit.migrations.fields import FieldState, describe_field
from toolkit.migrations.state import Constraint, ModelState, ProjectState
from toolkit.models import Field, Index

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


class Operation:
    """One step of a migration.

    Attributes:
        reversible: Whether it can be undone.
        opaque: Whether it does what nobody can tell from outside: SQL, Python.
        elidable: Whether it is left out when migrations are squashed.
    """

    reversible: ClassVar[bool] = True
    opaque: ClassVar[bool] = False
    elidable: bool = False

    def change(self, app: str, state: ProjectState) -> ProjectState:
        """The state after this step."""
        raise TypeError(f"{type(self).__name__} must define change()")

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        """Do it in the database."""
        raise TypeError(f"{type(self).__name__} must define apply()")

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        """Undo it in the database: from ``after`` back to ``before``."""
        raise TypeError(f"{type(self).__name__} must define revert()")

    def describe(self) -> str:
        """What it does, as people read it: ``Add field kicker to Story``."""
        raise TypeError(f"{type(self).__name__} must define describe()")

    @property
    def slug(self) -> str:
        """What it does, as part of a file's name."""
        return ""

    def arguments(self) -> list[tuple[str, Any]]:
        """The keyword arguments that make it again, for the migration's file."""
        raise TypeError(f"{type(self).__name__} must define arguments()")


FieldOrState = Field[Any] | FieldState
"""A field as a migration file writes it, or its description."""


def as_state(name: str, field: FieldOrState) -> FieldState:
    """The description of a field of this name."""
    return field if isinstance(field, FieldState) else describe_field(name, field)


@dataclass(frozen=True, init=False)
class CreateModel(Operation):
    """Make a table.

    Args:
        name: The model's name.
        fields: (name, field) pairs.
        db_table: The table's name, if it is not ``app_name``.
        constraints: Its constraints.
        indexes: Its indexes.
    """

    name: str
    fields: tuple[FieldState, ...]
    db_table: str
    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]

    def __init__(
        self,
        name: str,
        fields: Sequence[tuple[str, FieldOrState]],
        *,
        db_table: str = "",
        constraints: Sequence[Constraint] = (),
        indexes: Sequence[Index] = (),
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fields", tuple(as_state(field_name, field) for field_name, field in fields))
        object.__setattr__(self, "db_table", db_table)
        object.__setattr__(self, "constraints", tuple(constraints))
        object.__setattr__(self, "indexes", tuple(indexes))

    def change(self, app: str, state: ProjectState) -> ProjectState:
        made = ModelState(app, self.name, self.fields, self.db_table, self.constraints, self.indexes)
        if made.label in state.models:
            raise MigrationError(f"{made.label} is created twice", hint="Remove one of the operations.")
        return state.with_model(made)

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = f"{app}.{self.name}"
        editor.create(after.classes([label])[label])

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = f"{app}.{self.name}"
        editor.drop(after.classes([label])[label])

    def describe(self) -> str:
        return f"Create model {self.name}"

    @property
    def slug(self) -> str:
        return self.name.lower()

    def arguments(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [("name", self.name), ("fields", self.fields)]
        optional = [("db_table", self.db_table), ("constraints", self.constraints), ("indexes", self.indexes)]
        return found + [(name, value) for name, value in optional if value]


@dataclass(frozen=True)
class DeleteModel(Operation):
    """Drop a table and its rows.

    Args:
        name: The model.
    """

    name: str

    def change(self, app: str, state: ProjectState) -> ProjectState:
        label = state.get(app, self.name).label
        users = [model.label for model in state.models.values() if label in model.targets() and model.label != label]
        if users:
            raise MigrationError(
                f"{label} cannot be deleted: {', '.join(users)} refers to it",
                hint="Remove the foreign keys in an operation before this one.",
            )
        return state.without_model(label)

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = f"{app}.{self.name}"
        editor.drop(before.classes([label])[label])

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = f"{app}.{self.name}"
        editor.create(before.classes([label])[label])

    def describe(self) -> str:
        return f"Delete model {self.name}"

    @property
    def slug(self) -> str:
        return f"delete_{self.name.lower()}"

    def arguments(self) -> list[tuple[str, Any]]:
        return [("name", self.name)]


@dataclass(frozen=True)
class RenameModel(Operation):
    """Give a model another name; its table follows, and so do the foreign keys to it.

    Args:
        old_name: The name that it has.
        new_name: The name that it shall have.
    """

    old_name: str
    new_name: str

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return state.with_model_renamed(app, self.old_name, self.new_name)

    def _rename(self, app: str, editor: Editor, old: ProjectState, new: ProjectState, back: bool) -> None:
        names = (self.new_name, self.old_name) if back else (self.old_name, self.new_name)
        first, second = (f"{app}.{name}" for name in names)
        editor.rename(old.classes([first])[first], new.classes([second])[second])

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        self._rename(app, editor, before, after, back=False)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        self._rename(app, editor, after, before, back=True)

    def describe(self) -> str:
        return f"Rename model {self.old_name} to {self.new_name}"

    @property
    def slug(self) -> str:
        return f"rename_{self.old_name.lower()}_{self.new_name.lower()}"

    def arguments(self) -> list[tuple[str, Any]]:
        return [("old_name", self.old_name), ("new_name", self.new_name)]


@dataclass(frozen=True)
class AlterModelTable(Operation):
    """Give a model's table another name; empty for ``app_name``.

    Args:
        name: The model.
        table: The table's name.
    """

    name: str
    table: str

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return state.with_model(replace(state.get(app, self.name), db_table=self.table))

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = f"{app}.{self.name}"
        editor.rename(before.classes([label])[label], after.classes([label])[label])

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        self.apply(app, editor, before=after, after=before)

    def describe(self) -> str:
        return f"Rename table of {self.name} to {self.table or 'its default name'}"

    @property
    def slug(self) -> str:
        return f"alter_{self.name.lower()}_table"

    def arguments(self) -> list[tuple[str, Any]]:
        return [("name", self.name), ("table", self.table)]
