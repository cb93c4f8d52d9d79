"""Fields that come, change and go; keys are another matter."""

from __future__ import annotations

from toolkit.errors import MigrationError
from toolkit.migrations.detecting.walk import Walk
from toolkit.migrations.fields import FieldState
from toolkit.migrations.operations.alterations import AddField, AlterField, RemoveField
from toolkit.migrations.renames import is_between_of
from toolkit.migrations.state import ModelState
from toolkit.models.fields import MISSING


def add_fields(walk: Walk, wanted: ModelState) -> None:
    """Fields that are new, each with what the rows that are there get."""
    for field in wanted.fields:
        if field.name not in walk.state.models[wanted.label].field_names:
            refused = _refuse_second_parent(walk, wanted, field)
            fill = MISSING if refused else walk.fill(wanted, field, "a new column")
            walk.note(wanted.app, AddField(wanted.name, field.name, field, fill=fill))


def _refuse_second_parent(walk: Walk, wanted: ModelState, field: FieldState) -> bool:
    """Say what to do where rows would need one row each in the table of another parent than the first."""
    path = f"{wanted.label}.{field.name}"
    if field.to not in wanted.bases or field.to == wanted.parent or not walk.complete or path in walk.fills:
        return False
    target = str(field.to)
    walk.problems.append(
        MigrationError(
            f"{wanted.label} begins to inherit {target} beside {wanted.parent}, and a migration gives rows that "
            "are there a row of one parent by itself, not of a second",
            hint=f"While {wanted.name} inherits {wanted.parent} alone, add {field.name} = OneToOneField("
            f"{target!r}, null=True, on_delete=CASCADE, related_name='+'), give each row one of its own with "
            f"RunPython, and inherit both in the migration after that. If there are no rows, say --fill {path}=0.",
        )
    )
    return True


def alter_fields(walk: Walk, wanted: ModelState) -> None:
    """Fields that say something else now."""
    for field in wanted.fields:
        current = walk.state.models[wanted.label].get_field(field.name)
        if current == field:
            continue
        if field.is_key or current.is_key:
            continue
        is_link = field.to in wanted.bases and current.to == field.to  # one value for all would be none
        closing = current.null and not field.null and not is_link
        fill = walk.fill(wanted, field, "rows that hold NULL") if closing else MISSING
        walk.note(wanted.app, AlterField(wanted.name, field.name, field, fill=fill))


def remove_fields(walk: Walk, wanted: ModelState) -> None:
    """Fields that are gone."""
    current = walk.state.models[wanted.label]
    for field in current.fields:
        if field.name not in wanted.field_names and not field.is_key:
            lossy = walk.drops_along(current, [field.name])
            walk.note(wanted.app, RemoveField(wanted.name, field.name, lossy=lossy))


def changes_target(walk: Walk, wanted: ModelState) -> bool:
    """Whether a table between shall lead elsewhere: what its rows say is nothing about rows of another table."""
    current = walk.state.models[wanted.label]
    owner = next((one for one in walk.wanted.models.values() if is_between_of(wanted, one)), None)
    gone, come = (
        [field for field in one.fields if field.to and field.name not in other.field_names]
        for one, other in ((current, wanted), (wanted, current))
    )
    told = not walk.complete or any(f"{wanted.label}.{field.name}" in walk.fills for field in come)
    if owner is None or len(gone) != 1 or len(come) != 1 or told:
        return False
    name = f"{owner.label}.{wanted.name.removeprefix(f'{owner.name}_')}"
    walk.problems.append(
        MigrationError(
            f"{name}: a many-to-many field changes its target from {gone[0].to} to {come[0].to}, and nobody can "
            "tell to which of those rows its links shall lead",
            hint="Give the new field another name: the links of the old one then go with it. To keep some, add the "
            "new field, copy them with RunPython, and remove the old one in a migration after that.",
        )
    )
    return True
