"""From one state of the models to another: how far the way is told, and what each step may ask."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from toolkit.errors import MigrationError, ToolkitError
from toolkit.migrations.fields import FieldState, usable_default
from toolkit.migrations.operations.models import CreateModel
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.operations.untranslating import translated_by
from toolkit.migrations.renames import Ask
from toolkit.migrations.state import ModelState, ProjectState
from toolkit.models.fields import MISSING

AskValue = Callable[[str], Any]
"""Answers a question of the autodetector with a value, or None."""

Change = tuple[str, Operation]
"""(app label, operation)."""


class Walk:
    """The state as it is after the steps so far, the state that is wanted, and the steps.

    Args:
        before: The models as the migrations know them.
        after: The models as they are.
        ask: Answers whether something was renamed.
        fills: ``app.Model.field`` to what existing rows get in a new column that has no default.
        ask_value: Asks what existing rows get, where nothing says so; it may answer None.
        released: Labels of models whose tables are somebody else's from now on, and stay.
        complete: Every row must get a value; False when the question is only what changed.

    Attributes:
        changes: The steps so far.
        postponed: Steps that close a circle of new tables: for when all of them are there.
        problems: What nobody can do without being told more.
        moved: Label of a renamed model to its old name in small letters.
        renamed: (label of the model, old name) of a field to its new name.
    """

    def __init__(
        self,
        before: ProjectState,
        after: ProjectState,
        *,
        ask: Ask,
        fills: Mapping[str, Any],
        ask_value: AskValue | None,
        released: Collection[str],
        complete: bool,
    ) -> None:
        self.state, self.wanted = before, after
        self.ask, self.fills, self.complete = ask, dict(fills), complete
        self.ask_value = ask_value
        self.released = frozenset(released)
        self.changes: list[Change] = []
        self.postponed: list[Change] = []
        self.problems: list[ToolkitError] = []
        self.moved: dict[str, str] = {}
        self.renamed: dict[tuple[str, str], str] = {}

    def note(self, app: str, operation: Operation) -> None:
        """Do a step."""
        self.changes.append((app, operation))
        self.state = operation.change(app, self.state)

    def kept(self) -> list[ModelState]:
        """The models that were there and stay, as they shall be. Those made by this run are as they shall be."""
        created = {f"{app}.{one.name}" for app, one in self.changes if isinstance(one, CreateModel)}
        return [
            model for label, model in self.wanted.models.items() if label in self.state.models and label not in created
        ]

    def kept_by_key(self) -> list[ModelState]:
        """The same, each after those that its key is made of."""
        return sorted(self.kept(), key=lambda model: len(self.wanted.foundations(model.label)))

    def changes_parent(self, wanted: ModelState) -> bool:
        """Whether a model that is there begins to inherit a table, or ceases to."""
        current = self.state.models[wanted.label]
        if current.is_proxy is not wanted.is_proxy or current.key_target == wanted.key_target:
            return False  # a history may lack the bases of a model whose key was the link all along
        return current.parent != wanted.parent

    def awaits_key(self, field: FieldState) -> bool:
        """Whether a field refers to rows that are still to get other keys: a value is told as it is afterwards."""
        return field.to is not None and any(map(self._changes_key, self.wanted.foundations(field.to)))

    def rests_on_change(self, wanted: ModelState) -> bool:
        """Whether what the key of a model is made of is still to change, its own fields apart."""
        return any(map(self._changes_key, self.wanted.foundations(wanted.label) - {wanted.label}))

    def _changes_key(self, label: str) -> bool:
        wanted, current = self.wanted.models[label], self.state.models.get(label)
        if current is None:
            return False
        return current.key_names != wanted.key_names or self.changes_parent(wanted)

    def drops_along(self, model: ModelState, names: Collection[str]) -> bool:
        """Whether translations are dropped because the fields that they are of are, rather than stay untranslated.

        Args:
            model: Whose field or table is dropped.
            names: Which fields.
        """
        owner = translated_by(model, self.state)
        if owner is None:
            return False
        wanted = self.wanted.models.get(owner.label)
        staying = wanted.field_names if wanted is not None else ()
        return not any(self.renamed.get((owner.label, name), name) in staying for name in names)

    def fill(self, model: ModelState, field: FieldState, why: str) -> Any:
        """What the rows that are there get; MISSING when its default will do, or it is too early to tell."""
        return MISSING if self.awaits_key(field) else self.fill_later(model, field, why)

    def fill_later(self, model: ModelState, field: FieldState, why: str) -> Any:
        """The same for a step that is done once all keys are what they shall be."""
        path = f"{model.label}.{field.name}"
        needed = self.complete and not field.null and usable_default(field.build()) is MISSING
        if needed and path not in self.fills and self.ask_value is not None:
            answer = self.ask_value(f"{path} may not be null and has no default. What do the rows that are there get?")
            self.fills |= {} if answer is None else {path: answer}
        if path in self.fills:
            return self._given(path, field)
        if needed:
            self.problems.append(
                MigrationError(
                    f"{path} may not be null and has no default: {why} must get a value",
                    hint=f"Say which (toolkit migrations make --fill {path}=VALUE), give the field a default, "
                    "or let it be null.",
                )
            )
        return MISSING

    def _given(self, path: str, field: FieldState) -> Any:
        value = self.fills[path]
        if field.to is not None or callable(value):
            return value
        try:
            return field.build().to_python(value)
        except ToolkitError as error:
            self.problems.append(MigrationError(f"{path}: {error.message}", hint=error.hint))
            return MISSING
