"""The operations that lead from one state of the models to another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from toolkit.errors import Problems
from toolkit.migrations.detecting.fields import add_fields, alter_fields, changes_target, remove_fields
from toolkit.migrations.detecting.items import add_items, alter_options, remove_items
from toolkit.migrations.detecting.keys import alter_keys
from toolkit.migrations.detecting.models import create_models, delete_models, leave_other_kinds
from toolkit.migrations.detecting.names import rename_fields, rename_indexes, rename_models
from toolkit.migrations.detecting.parents import change_parents
from toolkit.migrations.detecting.walk import AskValue, Change, Walk
from toolkit.migrations.renames import Ask, never
from toolkit.migrations.state import ProjectState


def detect_changes(
    before: ProjectState,
    after: ProjectState,
    *,
    ask: Ask = never,
    fills: Mapping[str, Any] | None = None,
    ask_value: AskValue | None = None,
    released: Collection[str] = (),
    complete: bool = True,
) -> list[Change]:
    """The operations between two states, in an order in which they can be done.

    Args:
        before: The models as the migrations know them.
        after: The models as they are.
        ask: Answers whether something was renamed.
        fills: ``app.Model.field`` to what existing rows get in a new column that has no default.
        ask_value: Asks what existing rows get, where nothing says so; it may answer None.
        released: Labels of models whose tables are somebody else's from now on, and stay.
        complete: Every row must get a value; False when the question is only what changed.

    Raises:
        Problems: Changes that nobody can make without being told more.
    """
    walk = Walk(before, after, ask=ask, fills=fills or {}, ask_value=ask_value, released=released, complete=complete)
    _go(walk)
    if walk.problems:
        raise Problems(walk.problems, summary="the migration cannot be made")
    return walk.changes


def _go(walk: Walk) -> None:
    """All steps: names first, then what is gone from tables that stay, then what is new, then tables that go."""
    rename_models(walk)
    leave_other_kinds(walk)
    rename_fields(walk)
    for model in walk.kept():
        rename_indexes(walk, model)
        remove_items(walk, model)
    alter_keys(walk)  # first: what is added may refer to them
    create_models(walk)
    change_parents(walk)
    for model in walk.kept():  # a model at a time: neighbouring steps on one table are done at once
        if changes_target(walk, model):
            continue
        for step in (add_fields, alter_fields, remove_fields, add_items, alter_options):
            step(walk, model)
    for change in walk.postponed:
        walk.note(*change)
    delete_models(walk)
