"""Models that begin to inherit a table, or cease to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from toolkit.errors import MigrationError
from toolkit.migrations.detecting.fields import add_fields, alter_fields, remove_fields
from toolkit.migrations.detecting.keys import alter_key
from toolkit.migrations.detecting.walk import Walk
from toolkit.migrations.fields import FieldState, describe_field
from toolkit.migrations.operations.alterations import RenameField
from toolkit.migrations.operations.inheriting import AddParent, RemoveParent
from toolkit.migrations.operations.keys import AlterPrimaryKey
from toolkit.migrations.state import ModelState
from toolkit.models import AutoField
from toolkit.models.fields import MISSING


def change_parents(walk: Walk) -> None:
    """Let all leave first, the youngest before its parent; then let all join, and change keys that wait for it."""
    moving = [model for model in walk.kept() if walk.changes_parent(model)]
    moving.sort(key=lambda model: len(walk.state.ancestors(walk.state.models[model.label])), reverse=True)
    for wanted in moving:
        if walk.state.models[wanted.label].parent is not None:
            _add_early(walk, wanted, but=wanted)
            _leave_parent(walk, wanted)
    for wanted in walk.kept_by_key():
        if walk.changes_parent(wanted):
            _settle_early(walk, wanted)
            _join_parent(walk, wanted)
        else:
            alter_key(walk, wanted)


def _settle_early(walk: Walk, child: ModelState) -> None:
    """Make the ancestors of a model what they can be: rows are made there."""
    kept = {one.label for one in walk.kept()}
    for ancestor in walk.wanted.ancestors(child):
        model = _for_now(walk, ancestor, child)
        _add_early(walk, model, but=child)
        if model.label in kept:
            alter_fields(walk, model)
            remove_fields(walk, model)


def _for_now(walk: Walk, wanted: ModelState, child: ModelState) -> ModelState:
    """An ancestor as it shall be, but for references to rows whose keys are still to change: values are told later.

    They come after that, or may be NULL until then; where the child has values for them, these move.
    """
    theirs = walk.state.models[child.label].field_names
    ours = {field.name: field for field in walk.state.models[wanted.label].fields}
    fields = []
    for field in wanted.fields:
        now = ours.get(field.name)
        if field.is_key or not walk.awaits_key(field):
            fields.append(field)
        elif field.name in theirs:
            fields.append(field if now is not None and not now.null else field.loosened())
        elif now is not None:
            fields.append(now.loosened())
    return replace(wanted, fields=tuple(fields))


def _add_early(walk: Walk, model: ModelState, *, but: ModelState) -> None:
    """Make the columns that values shall move to: those of an ancestor, and of the translations of both."""
    kept = {one.label: one for one in walk.kept()}
    for label in (model.label, f"{model.label}Translation"):
        if label in kept and label != but.label:
            add_fields(walk, model if label == model.label else kept[label])


def _leave_parent(walk: Walk, wanted: ModelState) -> None:
    current = walk.state.models[wanted.label]
    inherited = _plain_fields(walk.state.ancestors(current))
    next_of_kin = _plain_fields(walk.wanted.ancestors(wanted))
    own = {field.name: field for field in wanted.fields}
    down = [
        own.get(name, field)
        for name, field in inherited.items()
        if name not in current.field_names and (name in own or name in next_of_kin)
    ]
    key = _key_alone(walk, current, wanted, taken=inherited)
    (link,) = current.key_names
    if link != key.name:
        walk.note(wanted.app, RenameField(wanted.name, link, key.name))
    bases = wanted.bases if wanted.parent is None else ()
    stays = key.name in wanted.field_names or wanted.parent is not None  # else another key takes its place
    fields = [(one.name, one) for one in down]
    walk.note(wanted.app, RemoveParent(wanted.name, key.name, key, fields=fields, bases=bases, adopt=stays))


def _key_alone(walk: Walk, current: ModelState, wanted: ModelState, *, taken: Collection[str]) -> FieldState:
    """The key of a model once it has no parent: its own, if that is a new one; else a number for the time being.

    A key that refers to rows of others than its parents is none yet: the numbers that it has say nothing there.
    """
    if wanted.parent is None and not wanted.has_composite_key:
        key = wanted.get_field(wanted.key_names[0])
        same = {None, *(one.label for one in walk.state.ancestors(current))}
        if key.to in same and key.name not in taken and key.name not in current.field_names:
            return key
    name = "id" if "id" not in (*taken, *current.field_names) else f"{wanted.name.lower()}_id_alone"
    return describe_field(name, AutoField[int]())


def _join_parent(walk: Walk, wanted: ModelState) -> None:
    (name,) = wanted.key_names
    ancestors = [walk.state.models[one.label] for one in walk.wanted.ancestors(wanted)]
    theirs = _plain_fields(ancestors)
    _free_key(walk, wanted, name, theirs)
    (key,) = walk.state.models[wanted.label].key_names
    if key != name:
        walk.note(wanted.app, RenameField(wanted.name, key, name))
    current = walk.state.models[wanted.label]
    fills = _fills_of(walk, wanted, ancestors, apart={name, *current.field_names})
    removes = [one for one in current.field_names if one in theirs]
    bases = [base for base in wanted.bases if base == wanted.parent]
    link = wanted.get_field(name)
    walk.note(wanted.app, AddParent(wanted.name, name, link, bases=bases, removes=removes, fills=fills))


def _fills_of(
    walk: Walk, child: ModelState, ancestors: Iterable[ModelState], *, apart: Collection[str]
) -> dict[str, Any]:
    """What the rows that a child gets in its ancestors' tables have there, where it has no such fields."""
    fills: dict[str, Any] = {}
    for model in ancestors:
        for field in model.fields:
            if field.is_key or field.is_generated or field.name in apart:
                continue
            wanted = walk.wanted.models[model.label].get_field(field.name)
            if walk.awaits_key(wanted):
                _refuse_to_drop(walk, child, model, wanted)
                continue
            value = walk.fill(model, wanted, f"the rows that {child.label} gets there")
            fills |= {} if value is MISSING else {field.name: value}
    return fills


def _refuse_to_drop(walk: Walk, child: ModelState, parent: ModelState, field: FieldState) -> None:
    """Refuse a value that nothing gives to rows: one that may be NULL is not told with the keys as they are later."""
    path = f"{parent.label}.{field.name}"
    if field.null and path in walk.fills:
        walk.problems.append(
            MigrationError(
                f"{path} refers to rows that get other keys in this migration, so the rows that {child.label} gets "
                f"there hold NULL in it, and not what --fill {path} says",
                hint="Make the migration without it, and set the values with RunPython in one after that.",
            )
        )


def _free_key(walk: Walk, wanted: ModelState, link: str, theirs: Collection[str]) -> None:
    """Let a number be the key, where the key is a field that stays one, or has several fields."""
    current = walk.state.models[wanted.label]
    keys = current.key_names
    if not current.has_composite_key and not {*wanted.field_names, *theirs} & set(keys):
        return
    kept = [] if current.has_composite_key else [current.get_field(keys[0]).without_key()]
    fields = [describe_field(link, AutoField[int]()), *kept]
    removes = ["pk"] if current.has_composite_key else []
    walk.note(wanted.app, AlterPrimaryKey(wanted.name, [(field.name, field) for field in fields], removes=removes))


def _plain_fields(models: Iterable[ModelState]) -> dict[str, FieldState]:
    """The fields of some models by name, their keys apart."""
    return {field.name: field for model in models for field in model.fields if not field.is_key}
