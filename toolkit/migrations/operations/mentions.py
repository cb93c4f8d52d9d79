"""Names of models that rows hold, for references to a row of any model: they follow when a model is renamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toolkit.migrations.state import ModelState, ProjectState

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


def mentioning(state: ProjectState, place: Any) -> Iterator[tuple[ModelState, list[str]]]:
    """The models whose rows name models, with their fields that do.

    Args:
        state: All models.
        place: Says which of them have their tables in a database; None for all.
    """
    for model in state.models.values():
        names = [field.name for field in model.fields if field.names_models]
        if names and (place is None or place.has(model)):
            yield model, names


def rename_mentions(editor: Editor, old: str, new: str, *, state: ProjectState) -> None:
    """Let all rows that name a model name it by another label.

    Args:
        editor: Of the database.
        old: The label that they hold.
        new: The label that they shall hold.
        state: The models as their tables are now.
    """
    for model, names in mentioning(state, editor.place):
        made = state.classes([model.label])[model.label]
        for name in names:
            editor.replace_value(made, made._meta.by_name[name].column, old, new)
