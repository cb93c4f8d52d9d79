"""The operation that makes other fields of a model its primary key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.migrations.editors.keys import find_followers
from toolkit.migrations.fields import FieldState
from toolkit.migrations.operations.alterations import Alteration
from toolkit.migrations.operations.operation import FieldOrState, as_state
from toolkit.migrations.spreading import spread
from toolkit.migrations.state import ModelState, ProjectState
from toolkit.models.fields import MISSING

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


@dataclass(frozen=True, init=False)
class AlterPrimaryKey(Alteration):
    """Make other fields the primary key; what refers to the rows follows.

    On the way back the rows get their old keys where the old key stayed as a field. Where it went, nobody knows the
    numbers any more: rows are numbered from 1, in the order of the new key.

    Args:
        model_name: The model.
        fields: (name, field) pairs: those of the new key, ``("pk", CompositePrimaryKey(...))`` too, and those of the
            old key that stay.
        removes: The fields of the old key that go.
        fill: A function that makes a key for each row, where the new key is a field that was not there.
    """

    model_name: str
    fields: tuple[FieldState, ...]
    removes: tuple[str, ...] = ()
    fill: Any = MISSING

    def __init__(
        self,
        model_name: str,
        fields: Sequence[tuple[str, FieldOrState]],
        *,
        removes: Sequence[str] = (),
        fill: Any = MISSING,
    ) -> None:
        object.__setattr__(self, "model_name", model_name)
        object.__setattr__(self, "fields", tuple(as_state(name, field) for name, field in fields))
        object.__setattr__(self, "removes", tuple(removes))
        object.__setattr__(self, "fill", fill)

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name)
        for name in self.removes:
            model = model.without_field(name)
        for field in self.fields:
            model = model.with_field(field, instead_of=field.name if field.name in model.field_names else None)
        after = state.with_model(model)
        for other in state.models.values():
            if any(field.to == model.label for field in other.fields):
                after = after.with_model(_spread_anew(state, after, other, model.label))
        return after

    def check(self, app: str, *, before: ProjectState, after: ProjectState) -> None:
        find_followers(before.classes(), after.classes(), self.label(app))

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        followers = find_followers(before.classes(), after.classes(), self.label(app))
        editor.change_key(followers, fill=self.fill)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        followers = find_followers(after.classes(), before.classes(), self.label(app))
        editor.change_key(followers)

    def describe(self) -> str:
        return f"Alter primary key of {self.model_name} to {', '.join(self._named())}"

    def _named(self) -> Sequence[str]:
        """The names of the fields of the new key."""
        keys = [dict(field.options) for field in self.fields if field.name == "pk"]
        if keys:
            return [str(name) for name in keys[0]["fields"]]
        return [field.name for field in self.fields if dict(field.options).get("primary_key")]

    @property
    def slug(self) -> str:
        return f"alter_{self.model_name}_key".lower()


def _spread_anew(before: ProjectState, after: ProjectState, model: ModelState, to: str) -> ModelState:
    """A model whose references have the columns of the key that they refer to as it is now."""
    old = before.classes([model.label])[model.label]._meta
    keys = [key for key in old.spread_keys if key.target._meta.label == to]
    parts = {
        name
        for key in keys
        for name, part in zip(key.names, key.target_field.parts, strict=True)
        if name == f"{key.name}_{part.attname}"
    }
    now = after.models[model.label]
    bare = replace(now, fields=tuple(_unspread(field, to) for field in now.fields if field.name not in parts))
    return spread(after, bare)


def _unspread(field: FieldState, to: str) -> FieldState:
    """A reference that names no fields of its own."""
    options = tuple(pair for pair in field.options if pair[0] != "from_fields")
    return replace(field, options=options) if field.to == to else field
