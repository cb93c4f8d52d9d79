"""Operations by which a model that has rows begins to inherit a table, or ceases to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.migrations.editors.inheriting import Lineage
from toolkit.migrations.editors.keys import find_followers
from toolkit.migrations.editors.pairing import KeyTable
from toolkit.migrations.fields import FieldState
from toolkit.migrations.operations.alterations import Alteration
from toolkit.migrations.operations.operation import FieldOrState, as_state
from toolkit.migrations.state import ProjectState

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


@dataclass(frozen=True, init=False)
class AddParent(Alteration):
    """Let a model inherit a table: its rows get rows there, and its key becomes the link to them.

    A row keeps its key where no row of the parent has it; else it gets another, and all that refers to it follows.
    On the way back the rows are deleted there.

    Args:
        model_name: The model.
        name: Its key, under the name of the link.
        field: The link: a one-to-one field.
        bases: The labels of the models that it inherits a table from.
        removes: The fields that the parent has from now on, with their values.
        fills: Field name to what the parent's rows get, or a function that makes one for each row, where the model
            has no field of that name. Without it they get the field's default.
        adopt: A row of the parent that has the key of a row is its parent, and no other is made. It gets the values
            of the row by the names that both have, and its many-to-many links in the place of its own, which are
            deleted. It stays on the way back.
    """

    model_name: str
    name: str
    field: FieldState
    bases: tuple[str, ...]
    removes: tuple[str, ...]
    given: tuple[tuple[str, Any], ...]
    adopt: bool

    def __init__(
        self,
        model_name: str,
        name: str,
        field: FieldOrState,
        *,
        bases: Sequence[str],
        removes: Sequence[str] = (),
        fills: Mapping[str, Any] | None = None,
        adopt: bool = False,
    ) -> None:
        object.__setattr__(self, "model_name", model_name)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "field", as_state(name, field))
        object.__setattr__(self, "bases", tuple(bases))
        object.__setattr__(self, "removes", tuple(removes))
        object.__setattr__(self, "given", tuple((fills or {}).items()))
        object.__setattr__(self, "adopt", adopt)

    def arguments(self) -> list[tuple[str, Any]]:
        told = {"removes": self.removes, "fills": dict(self.given), "adopt": self.adopt}
        return [
            *((name, getattr(self, name)) for name in ("model_name", "name", "field", "bases")),
            *((name, value) for name, value in told.items() if value),
        ]

    def fills(self) -> dict[str, Any]:
        return dict(self.given)

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name).with_field(self.field, instead_of=self.name)
        for name in self.removes:
            model = model.without_field(name)
        return state.with_model(replace(model, bases=self.bases))

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        _begin(self.label(app), editor, alone=before, together=after, fills=self.fills(), adopt=self.adopt)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        _cease(self.label(app), editor, together=after, alone=before, keep=self.adopt)

    def describe(self) -> str:
        return f"Let {self.model_name} inherit {str(self.field.to).partition('.')[2]}"

    @property
    def slug(self) -> str:
        return f"{self.model_name}_inherits_{str(self.field.to).partition('.')[2]}".lower()


@dataclass(frozen=True, init=False)
class RemoveParent(Alteration):
    """Let a model inherit a table no more: its rows stay what they are, and so do those of the parent.

    On the way back rows of the parent with the same keys are their parents again, unless the keys are gone by then;
    others are made.

    Args:
        model_name: The model.
        name: The link to the parent, under the name of the key.
        field: The key.
        bases: The labels of the models that it still inherits a table from.
        fields: (name, field) pairs: those of the parent that it has itself from now on, with their values.
        keep: False to delete the parent's rows.
        adopt: False where the key goes after it: on the way back nobody knows which rows of the parent were theirs, and
            all get new ones.
    """

    model_name: str
    name: str
    field: FieldState
    fields: tuple[FieldState, ...] = ()
    bases: tuple[str, ...] = ()
    keep: bool = True
    adopt: bool = True

    def __init__(
        self,
        model_name: str,
        name: str,
        field: FieldOrState,
        *,
        fields: Sequence[tuple[str, FieldOrState]] = (),
        bases: Sequence[str] = (),
        keep: bool = True,
        adopt: bool = True,
    ) -> None:
        object.__setattr__(self, "model_name", model_name)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "field", as_state(name, field))
        object.__setattr__(self, "fields", tuple(as_state(one, other) for one, other in fields))
        object.__setattr__(self, "bases", tuple(bases))
        object.__setattr__(self, "keep", keep)
        object.__setattr__(self, "adopt", adopt)

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.model_name).with_field(self.field, instead_of=self.name)
        for field in self.fields:
            model = model.with_field(field)
        return state.with_model(replace(model, bases=self.bases))

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        _cease(self.label(app), editor, together=before, alone=after, keep=self.keep)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        _begin(self.label(app), editor, alone=after, together=before, fills={}, adopt=self.keep and self.adopt)

    def describe(self) -> str:
        return f"Let {self.model_name} inherit no more"

    @property
    def slug(self) -> str:
        return f"{self.model_name}_alone".lower()


def _begin(
    label: str,
    editor: Editor,
    *,
    alone: ProjectState,
    together: ProjectState,
    fills: Mapping[str, Any],
    adopt: bool,
) -> None:
    """Give the rows of a model parents."""
    moved = _moved(label, alone, together)
    between = _with_fields(together, label, moved)
    before, meanwhile = alone.classes(), between.classes()
    lineage = Lineage(editor, before, child=label, parent=_parent_of(together, label))
    if not adopt and not editor.journal.is_resuming:
        lineage.check_values(fills)
    keys = KeyTable(editor, before[label], meanwhile[label])
    keys.write(lambda: lineage.pair(keys, adopt=adopt))
    lineage.make_rows(fills, adopt=adopt)
    lineage.move_hidden(up=True)
    editor.move_keys(find_followers(before, meanwhile, label))
    keys.drop()
    if moved:
        editor.alter(meanwhile[label], together.classes([label])[label], fills={})


def _cease(label: str, editor: Editor, *, together: ProjectState, alone: ProjectState, keep: bool) -> None:
    """Let the rows of a model be by themselves."""
    moved = _moved(label, alone, together)
    loose = [field.loosened() for field in moved if not field.is_generated]
    between = _with_fields(together, label, loose)
    apart = _with_fields(alone, label, loose)
    before, meanwhile, later = together.classes(), between.classes(), apart.classes()
    lineage = Lineage(editor, meanwhile, child=label, parent=_parent_of(together, label))
    if not keep and not editor.journal.is_resuming:
        lineage.check_free()
    if loose:
        editor.alter(before[label], meanwhile[label], fills={})
    keys = KeyTable(editor, meanwhile[label], later[label])
    keys.write(keys.fill)
    lineage.fetch_down(meanwhile[label])
    lineage.move_hidden(up=False)
    editor.move_keys(find_followers(meanwhile, later, label))
    if not keep:
        lineage.delete_rows()
    keys.drop()
    if moved:
        editor.alter(later[label], alone.classes([label])[label], fills={})


def _moved(label: str, alone: ProjectState, together: ProjectState) -> list[FieldState]:
    """The fields that a model has itself while it is alone."""
    inherited = set(together.models[label].field_names)
    return [field for field in alone.models[label].fields if field.name not in inherited]


def _with_fields(state: ProjectState, label: str, fields: Iterable[FieldState]) -> ProjectState:
    """A state in which a model has some fields more, or these in the place of its own."""
    model = state.models[label]
    for field in fields:
        model = model.with_field(field, instead_of=field.name if field.name in model.field_names else None)
    return state.with_model(model)


def _parent_of(state: ProjectState, label: str) -> str:
    return str(state.models[label].parent)
