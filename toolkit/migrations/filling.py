"""What rows get when two steps on one field become one."""

from __future__ import annotations

from typing import Any, Final

from toolkit.migrations.fields import FieldState, usable_default
from toolkit.migrations.operations.alterations import AddField, AlterField
from toolkit.models.fields import MISSING

APART: Final = object()
"""The rows end with what one step alone cannot give them."""

_OF_NO_VALUE = frozenset({"null", "unique", "db_index", "db_column", "db_comment", "max_length"})
"""Options that a value does not depend on; a length that shrinks is looked at by itself."""


def fill_of_both(first: AddField, second: AlterField) -> Any:
    """What a field is to be filled with that is added as it shall be later.

    Args:
        first: Adds it.
        second: Makes it what it shall be.

    Returns:
        The fill of the one step, ``MISSING`` when it needs none, or ``APART``: a value of the first kind that the
        database converts to one of the second is none that can be written down.
    """
    if second.is_of_key or "db_default" in {**dict(first.field.options), **dict(second.field.options)}:
        return APART
    if second.field.is_generated:
        return MISSING
    if first.field.is_generated:
        return APART
    given = usable_default(first.field.build()) if first.fill is MISSING else first.fill
    default = usable_default(second.field.build())
    if given is MISSING or (given is None and not second.field.null):
        return second.fill
    if given is None:
        return MISSING if default is None else None
    if not _takes_values_of(second.field, first.field):
        return APART
    return MISSING if first.fill is MISSING and default == given else given


def fill_of_alterations(first: AlterField, second: AlterField) -> Any:
    """What rows that hold NULL get in a field that is altered as it shall be later.

    Args:
        first: Alters it.
        second: Makes it what it shall be.

    Returns:
        As ``fill_of_both``. ``APART`` also where the first gives rows a value and the second lets them hold NULL again.
    """
    if second.is_of_key:  # makes keys, and fills nothing
        same = first.field.kind == second.field.kind
        return APART if first.fills() and not same else second.fill if second.fills() else first.fill
    given = usable_default(first.field.build()) if first.fill is MISSING else first.fill
    if first.field.null or first.field.is_generated or given is MISSING:
        return second.fill
    default = usable_default(second.field.build())
    if second.field.null or not _takes_values_of(second.field, first.field):
        return APART if first.fills() or second.field.null or default != given else MISSING
    return MISSING if first.fill is MISSING and default == given else given


def _takes_values_of(field: FieldState, other: FieldState) -> bool:
    """Whether every value of the other field is one of this, and means the same."""
    of_value = [tuple(pair for pair in each.options if pair[0] not in _OF_NO_VALUE) for each in (field, other)]
    lengths = [dict(each.options).get("max_length") for each in (field, other)]
    shrinks = lengths[0] is not None and (lengths[1] is None or lengths[0] < lengths[1])
    return field.kind == other.kind and of_value[0] == of_value[1] and not shrinks
