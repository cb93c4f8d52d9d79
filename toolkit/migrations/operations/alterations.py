"""Operations that change one table: its columns. Those of its constraints and indexes are in ``items``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from toolkit.errors import MigrationError
from toolkit.migrations.editors.keys import check_key, find_followers, key_changes
from toolkit.migrations.fields import FieldState
from toolkit.migrations.operations.operation import FieldOrState, Operation, as_state
from toolkit.migrations.operations.untranslating import refuse_lost_translations
from toolkit.migrations.spreading import spread
from toolkit.migrations.state import ProjectState
from toolkit.models.fields import MISSING

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


class Alteration(Operation):
    """A step that changes one model and keeps its name."""

    model_name: str

    def label(self, app: str) -> str:
        """``app.Name`` of its model."""
        return f"{app}.{self.model_name}"

    def models(self, app: str) -> Collection[str]:
        return (self.label(app),)

    def _alter(self, app: str, editor: Editor, before: ProjectState, after: ProjectState) -> None:
        label = self.label(app)
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
    fill: Any = MISSING

    def __init__(self, model_name: str, name: str, field: FieldOrState, *, fill: Any = MISSING) -> None:
        object.__setattr__(self, "model_name", model_name)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "field", as_state(name, field))
        object.__setattr__(self, "fill", fill)

    def fills(self) -> dict[str, Any]:
        return {} if self.fill is MISSING else {self.name: self.fill}


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
        return state.with_model(spread(state, model.with_field(self.field)))

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
        fill: What rows get that hold NULL, when it is not allowed any more; of a primary key that becomes one of
            another kind, a function that makes the new ones, which is not asked on the way back.
        lossy: Values may lose something on the way, such as the hour of a moment that becomes a date. Without it
            the migration stops at the first of them.
    """

    lossy: bool = False

    def __init__(
        self, model_name: str, name: str, field: FieldOrState, *, fill: Any = MISSING, lossy: bool = False
    ) -> None:
        super().__init__(model_name, name, field, fill=fill)
        object.__setattr__(self, "lossy", lossy)

    def lossy_fields(self) -> set[str]:
        return {self.name} if self.lossy else set()

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        return state.with_model(spread(state, model.with_field(self.field, instead_of=self.name)))

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        step = replace(self, fill=MISSING) if self.is_of_key else self
        step._alter(app, editor, after, before)

    def check(self, app: str, *, before: ProjectState, after: ProjectState) -> None:
        label = self.label(app)
        if not self.is_of_key and self.name not in before.models[label].key_names:
            return
        old, new = (state.classes([label])[label] for state in (before, after))
        if self.is_of_key and key_changes(old, new):
            find_followers(before.classes(), after.classes(), label)
        else:
            check_key(old, new)

    @property
    def is_of_key(self) -> bool:
        """Whether it changes a primary key, which other tables may have to follow."""
        return bool(dict(self.field.options).get("primary_key")) or self.field.kind.endswith("AutoField")

    def _alter(self, app: str, editor: Editor, before: ProjectState, after: ProjectState) -> None:
        label = self.label(app)
        if self.is_of_key and key_changes(before.classes([label])[label], after.classes([label])[label]):
            followers = find_followers(before.classes(), after.classes(), label)
            editor.change_key(followers, fill=self.fill)
        elif self._is_held(before, after, label):
            self._alter_with_holders(label, editor, before, after)
        else:
            super()._alter(app, editor, before, after)

    def _is_held(self, before: ProjectState, after: ProjectState, label: str) -> bool:
        """Whether other columns hold values of the field, by ``to_field``, and must be of another kind from now on."""
        if not any(before.holders(label, self.name)):
            return False
        old, new = (state.classes([label])[label]._meta.by_name[self.name] for state in (before, after))
        return str(old.sql_type()) != str(new.sql_type())

    def _alter_with_holders(self, label: str, editor: Editor, before: ProjectState, after: ProjectState) -> None:
        """Let go of what refers to the field, change it and the columns that hold it, and take hold again."""
        steps = [before, before.let_go(label, self.name), after.let_go(label, self.name), after]
        touched = list(dict.fromkeys((label, *(model.label for model in before.holders(label, self.name)))))
        for old, new in pairwise(steps):
            was, shall_be = old.classes(touched), new.classes(touched)
            for each in touched:
                fills = self.fills() if each == label else {}
                lossy = {
                    field.name for field in new.models[each].fields if self.lossy and self._is_of(field, each, label)
                }
                editor.alter(was[each], shall_be[each], fills=fills, lossy=lossy)

    def _is_of(self, field: FieldState, owner: str, label: str) -> bool:
        """Whether a field is the one that changes, or holds its values."""
        return field.holds(label, self.name) or (owner, field.name) == (label, self.name)

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
        lossy: Of a field's translations: drop them. Without it the migration stops if there are any.
    """

    model_name: str
    name: str
    fill: Any = MISSING
    lossy: bool = False

    def fills(self) -> dict[str, Any]:
        return {} if self.fill is MISSING else {self.name: self.fill}

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return state.with_model(state.get(app, self.model_name).without_field(self.name))

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        if not self.lossy:
            refuse_lost_translations(editor, self.label(app), names={self.name}, before=before)
        super().apply(app, editor, before=before, after=after)

    def describe(self) -> str:
        return f"Remove field {self.name} from {self.model_name}"

    @property
    def slug(self) -> str:
        return f"remove_{self.model_name}_{self.name}".lower()


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
        label = self.label(app)
        editor.rename(before.classes([label])[label], after.classes([label])[label])

    def describe(self) -> str:
        return f"Rename field {self.old_name} of {self.model_name} to {self.new_name}"

    @property
    def slug(self) -> str:
        return f"rename_{self.model_name}_{self.old_name}_{self.new_name}".lower()
