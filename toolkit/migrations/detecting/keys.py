"""Primary keys: another kind of value in them, or other fields."""

from __future__ import annotations

from toolkit.migrations.detecting.walk import Walk
from toolkit.migrations.fields import FieldState
from toolkit.migrations.operations.alterations import AddField, AlterField
from toolkit.migrations.operations.keys import AlterPrimaryKey
from toolkit.migrations.state import ModelState
from toolkit.models.fields import MISSING


def alter_keys(walk: Walk) -> None:
    """Keys that say something else now, or are other fields; not yet those that parents come or go with."""
    for wanted in walk.kept_by_key():
        if not walk.changes_parent(wanted) and not walk.rests_on_change(wanted):
            alter_key(walk, wanted)


def alter_key(walk: Walk, wanted: ModelState) -> None:
    """The key of one model, once all that it is made of is what it shall be."""
    current = walk.state.models[wanted.label]
    if wanted.is_proxy or current.key_names == wanted.key_names:
        for name in wanted.key_names:
            if current.get_field(name) != wanted.get_field(name) and not wanted.has_composite_key:
                _keep_key(walk, wanted, wanted.get_field(name))
    else:
        _exchange_key(walk, wanted)


def _keep_key(walk: Walk, wanted: ModelState, field: FieldState) -> None:
    """A key stays the key: it may become one of another kind, and what refers to it follows."""
    fill = walk.fills.get(f"{wanted.label}.{field.name}", MISSING)
    walk.note(wanted.app, AlterField(wanted.name, field.name, field, fill=fill if callable(fill) else MISSING))


def _exchange_key(walk: Walk, wanted: ModelState) -> None:
    """Other fields become the key."""
    for name in wanted.key_names:
        _prepare_key(walk, wanted, wanted.get_field(name))
    current = walk.state.models[wanted.label]
    names = dict.fromkeys((*current.key_names, *wanted.key_names, "pk"))
    told = [wanted.get_field(name) for name in names if name in wanted.field_names]
    changed = [
        field for field in told if field.name not in current.field_names or current.get_field(field.name) != field
    ]
    gone = [name for name in names if name in current.field_names and name not in wanted.field_names]
    fill = walk.fills.get(f"{wanted.label}.{wanted.key_names[0]}", MISSING)
    walk.note(
        wanted.app,
        AlterPrimaryKey(
            wanted.name,
            [(field.name, field) for field in changed],
            removes=gone,
            fill=fill if callable(fill) else MISSING,
        ),
    )


def _prepare_key(walk: Walk, wanted: ModelState, field: FieldState) -> None:
    """A field of the key to be gets a value in each row before, but for one that numbers or makes its own."""
    current = walk.state.models[wanted.label]
    if field.name in current.field_names:
        before = current.get_field(field.name)
        ready = before.becoming(field)
        if before != ready and field.name not in current.key_names:
            fill = walk.fill(wanted, ready, "rows that hold NULL") if before.null else MISSING
            walk.note(wanted.app, AlterField(wanted.name, field.name, ready, fill=fill))
    elif not field.makes_keys:
        ready = field.without_key()
        fill = walk.fill(wanted, ready, "a new column")
        walk.note(wanted.app, AddField(wanted.name, field.name, ready, fill=fill))
