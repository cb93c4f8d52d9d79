"""What changed in the models since the migrations that are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.errors import MigrationError
from toolkit.migrations.autodetector import detect_changes
from toolkit.migrations.describing import state_of
from toolkit.migrations.detecting.walk import AskValue, Change
from toolkit.migrations.graph import Graph
from toolkit.migrations.loader import App
from toolkit.migrations.renames import Answers, Ask
from toolkit.migrations.state import ProjectState


def unmigrated(apps: Iterable[App]) -> ProjectState:
    """The models of the apps that have no migrations: as they are, at every point of the history."""
    return state_of(model for app in apps if app.migrations_folder is None for model in app.models)


def changes_of(
    apps: list[App],
    graph: Graph,
    *,
    ask: Ask,
    fills: Mapping[str, Any] | None,
    ask_value: AskValue | None = None,
    complete: bool = True,
) -> tuple[ProjectState, list[Change]]:
    """The state that the migrations lead to, and what is missing from there to the models."""
    start = unmigrated(apps)
    before = graph.state(start)
    after = start.merged(state_of(model for app in apps if app.migrations_folder for model in app.models))
    changes = detect_changes(
        before,
        after,
        ask=ask,
        fills=fills,
        ask_value=ask_value,
        released=[model._meta.label for app in apps for model in app.models if not model._meta.managed],
        complete=complete,
    )
    if isinstance(ask, Answers):
        ask.check(before, after)
    return before, changes


def refused_changes(changes: Iterable[Change], state: ProjectState) -> list[MigrationError]:
    """The first change that cannot be made, whatever rows there are; those behind it may follow from it."""
    for app, operation in changes:
        after = operation.change(app, state)
        try:
            operation.check(app, before=state, after=after)
        except MigrationError as error:
            return [MigrationError(f"{operation.describe()}: {error.message}", hint=error.hint)]
        state = after
    return []
