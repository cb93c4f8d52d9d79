"""Models that come and go, each after those that it refers to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from toolkit.errors import MigrationError
from toolkit.migrations.detecting.items import only_in_first
from toolkit.migrations.detecting.walk import Walk
from toolkit.migrations.operations.alterations import AddField, AlterField, RemoveField
from toolkit.migrations.operations.items import AddConstraint, AddIndex, RemoveConstraint, RemoveIndex
from toolkit.migrations.operations.models import CreateModel, DeleteModel
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.operations.special import SeparateDatabaseAndState
from toolkit.migrations.operations.untranslating import texts_of
from toolkit.migrations.state import ModelState
from toolkit.models.fields import MISSING


def leave_other_kinds(walk: Walk) -> None:
    """A model that becomes a proxy, or ceases to be one, is another model."""
    for model in walk.kept():
        current = walk.state.models[model.label]
        if current.is_proxy is not model.is_proxy:
            walk.note(model.app, _leaving(walk, current, DeleteModel(model.name)))
        elif current.database != model.database:
            walk.problems.append(
                MigrationError(
                    f"{model.label} moves from the database {current.database!r} to {model.database!r}, and a "
                    "migration does not carry rows from one to the other",
                    hint="Make a new model there, copy the rows with a command of yours, and delete the old one.",
                )
            )


def create_models(walk: Walk) -> None:
    """Models that are new, each after those that it refers to."""
    waiting = [model for label, model in walk.wanted.models.items() if label not in walk.state.models]
    for model, circular in _in_order(waiting):
        untold, opened = _awaiting(walk, model)
        _create(walk, model, circular=circular, untold=untold, opened=opened)


def _awaiting(walk: Walk, model: ModelState) -> tuple[set[str], set[str]]:
    """The foreign keys of a new parent to rows that get their keys with it, and for which its rows need a value.

    Returns:
        Those of which no child brings values: they come later. Those of which some do: they may be NULL until then.
    """
    children = [one for one in walk.kept() if walk.changes_parent(one) and model in walk.wanted.ancestors(one)]
    theirs = [walk.state.models[one.label].field_names for one in children]
    untold: set[str] = set()
    opened: set[str] = set()
    for field in model.fields:
        bring = [field.name in names for names in theirs]
        if all(bring) or not walk.awaits_key(field):
            continue
        if not field.null:
            (opened if any(bring) else untold).add(field.name)
        elif not any(bring) and f"{model.label}.{field.name}" in walk.fills:
            untold.add(field.name)
    return untold, opened


def _create(walk: Walk, model: ModelState, *, circular: set[str], untold: set[str], opened: set[str]) -> None:
    """Make a model; foreign keys that would close a circle, or that rows need values for, come or close at the end."""
    later = circular | untold
    opened = opened - later
    constraints = [item for item in model.constraints if not _mentions(item, later)]
    indexes = [item for item in model.indexes if not _mentions(item, later)]
    kept = [field for field in model.fields if field.name not in later]
    made = replace(
        model,
        fields=tuple(field.loosened() if field.name in opened else field for field in kept),
        constraints=tuple(constraints),
        indexes=tuple(indexes),
    )
    walk.note(model.app, CreateModel.of(made))
    for field in model.fields:
        if field.name in later:
            fill = walk.fill_later(model, field, "a new column") if field.name in untold else MISSING
            walk.postponed.append((model.app, AddField(model.name, field.name, field, fill=fill)))
        elif field.name in opened:
            fill = walk.fill_later(model, field, "rows that hold NULL")
            walk.postponed.append((model.app, AlterField(model.name, field.name, field, fill=fill)))
    for constraint in only_in_first(model.constraints, constraints):
        walk.postponed.append((model.app, AddConstraint(model.name, constraint)))
    for index in only_in_first(model.indexes, indexes):
        walk.postponed.append((model.app, AddIndex(model.name, index)))


def delete_models(walk: Walk) -> None:
    """Models that are gone, each before those that it refers to."""
    waiting = [model for label, model in walk.state.models.items() if label not in walk.wanted.models]
    order = list(_in_order(waiting))
    for model, later in order:
        for item in [one for one in (*model.constraints, *model.indexes) if _mentions(one, later)]:
            kind = RemoveConstraint if item in model.constraints else RemoveIndex
            walk.note(model.app, _leaving(walk, model, kind(model.name, item.name)))
        for name in sorted(later):
            walk.note(model.app, _leaving(walk, model, RemoveField(model.name, name)))
    for model, _ in reversed(order):
        lossy = walk.drops_along(model, texts_of(model))
        walk.note(model.app, _leaving(walk, model, DeleteModel(model.name, lossy=lossy)))


def _leaving(walk: Walk, model: ModelState, operation: Operation) -> Operation:
    """What is done to the table of a model that goes: nothing, if somebody else keeps it."""
    if model.label not in walk.released:
        return operation
    return SeparateDatabaseAndState(state_operations=[operation])


def _in_order(models: Iterable[ModelState]) -> Iterator[tuple[ModelState, set[str]]]:
    """Models after those that they refer to, each with the foreign keys that must come later."""
    waiting = {model.label: model for model in models}
    while waiting:
        ready = [one for one in waiting.values() if not waiting.keys() & set(one.bases)]
        bases = {base for one in waiting.values() for base in one.bases}
        model = min(ready, key=lambda one: (len(_open_keys(one, waiting)), one.label not in bases))
        yield model, _open_keys(model, waiting)
        del waiting[model.label]


def _open_keys(model: ModelState, waiting: Mapping[str, ModelState]) -> set[str]:
    """The foreign keys of a model to others that wait."""
    return {field.name for field in model.fields if field.to in waiting and field.to != model.label}


def _mentions(item: Any, names: set[str]) -> bool:
    fields = {name.lstrip("-").partition("__")[0] for name in getattr(item, "fields", ())}
    if item.condition is not None:
        fields |= {name.partition("__")[0] for name in item.condition.names()}
    return bool(fields & names)
