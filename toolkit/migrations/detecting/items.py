"""Constraints, indexes and options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolkit.migrations.detecting.walk import Walk
from toolkit.migrations.operations.items import AddConstraint, AddIndex, RemoveConstraint, RemoveIndex
from toolkit.migrations.operations.options import (
    COMMENT,
    STATE_OPTIONS,
    AlterModelBases,
    AlterModelManagers,
    AlterModelOptions,
    AlterModelTableComment,
)
from toolkit.migrations.state import ModelState, text_of


def alter_options(walk: Walk, wanted: ModelState) -> None:
    """What ``Meta`` says of a model, besides its constraints and indexes."""
    current = walk.state.models[wanted.label]
    if current.bases != wanted.bases:
        walk.note(wanted.app, AlterModelBases(wanted.name, wanted.bases))
    if current.option(COMMENT) != wanted.option(COMMENT):
        walk.note(wanted.app, AlterModelTableComment(wanted.name, wanted.option(COMMENT)))
    before, after = ({name: one.option(name) for name in STATE_OPTIONS} for one in (current, wanted))
    if text_of(before) != text_of(after):
        walk.note(wanted.app, AlterModelOptions(wanted.name, {k: v for k, v in after.items() if v}))
    if text_of(current.managers) != text_of(wanted.managers):
        walk.note(wanted.app, AlterModelManagers(wanted.name, wanted.managers))


def remove_items(walk: Walk, wanted: ModelState) -> None:
    """Constraints and indexes that are gone, or say something else now."""
    current = walk.state.models[wanted.label]
    for constraint in only_in_first(current.constraints, wanted.constraints):
        walk.note(wanted.app, RemoveConstraint(wanted.name, constraint.name))
    for index in only_in_first(current.indexes, wanted.indexes):
        walk.note(wanted.app, RemoveIndex(wanted.name, index.name))


def add_items(walk: Walk, wanted: ModelState) -> None:
    """Constraints and indexes that are new, or say something else now."""
    current = walk.state.models[wanted.label]
    for index in only_in_first(wanted.indexes, current.indexes):
        walk.note(wanted.app, AddIndex(wanted.name, index))
    for constraint in only_in_first(wanted.constraints, current.constraints):
        walk.note(wanted.app, AddConstraint(wanted.name, constraint))


def only_in_first(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """The constraints or indexes of one collection that are not in the other, by what they say."""
    said = {text_of(item) for item in second}
    return [item for item in first if text_of(item) not in said]
