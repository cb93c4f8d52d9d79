"""References to keys of several fields: the columns that hold the parts of such a key."""

from __future__ import annotations

from dataclasses import replace

from toolkit.migrations.describing import describe_model
from toolkit.migrations.fields import FieldState
from toolkit.migrations.state import ModelState, ProjectState


def spread(state: ProjectState, model: ModelState) -> ModelState:
    """A model whose references have a column for each part of the key that they refer to.

    A migration names these columns; one that was made while the key had one field does not.

    Args:
        state: The other models.
        model: The model, as it shall be.
    """
    state = state.with_model(model)
    if not any(_is_bare(state, field) for field in model.fields):
        return model
    made = describe_model(state.classes([model.label])[model.label])
    again = {field.name: field for field in made.fields}
    known = [again[field.name] if _is_bare(state, field) else field for field in model.fields]
    return replace(model, fields=(*known, *(field for name, field in again.items() if name not in model.field_names)))


def _is_bare(state: ProjectState, field: FieldState) -> bool:
    """Whether a field refers to a key of several fields and names no columns for them."""
    target = state.models.get(field.to or "")
    return target is not None and target.has_composite_key and "from_fields" not in dict(field.options)
