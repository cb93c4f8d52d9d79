"""Operations that make, drop and rename whole tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.errors import MigrationError
from toolkit.migrations.fields import FieldState
from toolkit.migrations.operations.mentions import mentioning, rename_mentions
from toolkit.migrations.operations.operation import FieldOrState, Operation, as_state
from toolkit.migrations.operations.untranslating import refuse_lost_translations
from toolkit.migrations.spreading import spread
from toolkit.migrations.state import ModelState, ProjectState
from toolkit.models import BaseConstraint, Index

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


@dataclass(frozen=True, init=False)
class CreateModel(Operation):
    """Make a table; for a proxy none.

    Args:
        name: The model's name.
        fields: (name, field) pairs.
        db_table: The table's name, if it is not ``app_name``.
        constraints: Its constraints.
        indexes: Its indexes.
        options: Of ``Meta``: ``ordering``, ``get_latest_by``, ``default_manager_name``, ``base_manager_name``,
            ``db_table_comment``, ``database``, ``proxy``.
        bases: The labels of the models that it inherits a table from, or whose table it shows.
        managers: (name, manager) pairs: those whose class says ``use_in_migrations``.
    """

    name: str
    fields: tuple[FieldState, ...]
    db_table: str = ""
    constraints: tuple[BaseConstraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    bases: tuple[str, ...] = ()
    managers: tuple[tuple[str, Any], ...] = ()

    def __init__(
        self,
        name: str,
        fields: Sequence[tuple[str, FieldOrState]],
        *,
        db_table: str = "",
        constraints: Sequence[BaseConstraint] = (),
        indexes: Sequence[Index] = (),
        options: Mapping[str, Any] | None = None,
        bases: Sequence[str] = (),
        managers: Sequence[tuple[str, Any]] = (),
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fields", tuple(as_state(field_name, field) for field_name, field in fields))
        object.__setattr__(self, "db_table", db_table)
        object.__setattr__(self, "constraints", tuple(constraints))
        object.__setattr__(self, "indexes", tuple(indexes))
        object.__setattr__(self, "options", tuple((options or {}).items()))
        object.__setattr__(self, "bases", tuple(bases))
        object.__setattr__(self, "managers", tuple((name, manager) for name, manager in managers))

    @classmethod
    def of(cls, model: ModelState) -> CreateModel:
        """What makes a model as it is."""
        return cls(
            model.name,
            [(field.name, field) for field in model.fields],
            db_table=model.db_table,
            constraints=model.constraints,
            indexes=model.indexes,
            options=dict(model.options),
            bases=model.bases,
            managers=model.managers,
        )

    def models(self, app: str) -> Collection[str]:
        return (f"{app}.{self.name}",)

    def change(self, app: str, state: ProjectState) -> ProjectState:
        made = ModelState(
            app,
            self.name,
            self.fields,
            self.db_table,
            self.constraints,
            self.indexes,
            self.options,
            self.bases,
            self.managers,
        )
        if made.label in state.models:
            raise MigrationError(f"{made.label} is created twice", hint="Remove one of the operations.")
        return state.with_model(spread(state, made))

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        if not after.get(app, self.name).is_proxy:
            label = f"{app}.{self.name}"
            editor.create(after.classes([label])[label])

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        if not after.get(app, self.name).is_proxy:
            label = f"{app}.{self.name}"
            editor.drop(after.classes([label])[label])

    def describe(self) -> str:
        return f"Create {'proxy' if dict(self.options).get('proxy') else 'model'} {self.name}"

    @property
    def slug(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class DeleteModel(Operation):
    """Drop a table and its rows.

    Args:
        name: The model.
        lossy: Of the translations of a model: drop them. Without it the migration stops if there are any.
    """

    name: str
    lossy: bool = False

    def models(self, app: str) -> Collection[str]:
        return (f"{app}.{self.name}",)

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
        if not before.get(app, self.name).is_proxy:
            label = f"{app}.{self.name}"
            if not self.lossy:
                refuse_lost_translations(editor, label, names=None, before=before)
            editor.drop(before.classes([label])[label])

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        if not before.get(app, self.name).is_proxy:
            label = f"{app}.{self.name}"
            editor.create(before.classes([label])[label])

    def describe(self) -> str:
        return f"Delete model {self.name}"

    @property
    def slug(self) -> str:
        return f"delete_{self.name.lower()}"


@dataclass(frozen=True)
class RenameModel(Operation):
    """Give a model another name; its table follows, and so do the foreign keys to it, and rows that name the model.

    Args:
        old_name: The name that it has.
        new_name: The name that it shall have.
    """

    old_name: str
    new_name: str

    def models(self, app: str) -> Collection[str]:
        return (f"{app}.{self.old_name}", f"{app}.{self.new_name}")

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return state.with_model_renamed(app, self.old_name, self.new_name)

    def concerns(self, app: str, place: Any, *, before: ProjectState, after: ProjectState) -> bool:
        return self._has_table(app, place, before, after) or any(mentioning(after, place))

    def _has_table(self, app: str, place: Any, before: ProjectState, after: ProjectState) -> bool:
        return super().concerns(app, place, before=before, after=after)

    def _rename(self, app: str, editor: Editor, old: ProjectState, new: ProjectState, back: bool) -> None:
        names = (self.new_name, self.old_name) if back else (self.old_name, self.new_name)
        first, second = (f"{app}.{name}" for name in names)
        if old.models[first].is_proxy:
            return
        _refuse_move(editor.place, old.models[first], new.models[second])
        rename_mentions(editor, first, second, state=old)
        if self._has_table(app, editor.place, old, new):
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


def _refuse_move(place: Any, old: ModelState, new: ModelState) -> None:
    """Refuse a name by which the site's router finds the table in another database.

    Raises:
        MigrationError: It does.
    """
    if place is None or place.has(old) is place.has(new):
        return
    raise MigrationError(
        f"the router's allow_migrate has the table of {old.label} {_here(place, old)}, and that of {new.label} "
        f"{_here(place, new)}, and a migration does not carry rows from one database to the other",
        hint="Let allow_migrate answer alike for both names; or make a new model, copy the rows with a command of "
        "yours, and delete the old one.",
    )


def _here(place: Any, model: ModelState) -> str:
    return f"in the database {place.alias!r}" if place.has(model) else "in another"


@dataclass(frozen=True)
class AlterModelTable(Operation):
    """Give a model's table another name; empty for ``app_name``.

    Args:
        name: The model.
        table: The table's name.
    """

    name: str
    table: str

    def models(self, app: str) -> Collection[str]:
        return (f"{app}.{self.name}",)

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
