"""Operations on what ``Meta`` and the class statement of a model say, apart from its columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.migrations.operations.operation import Operation, StateOperation
from toolkit.migrations.state import ProjectState

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor

COMMENT = "db_table_comment"


@dataclass(frozen=True)
class AlterModelTableComment(Operation):
    """Give a table another comment.

    Args:
        name: The model.
        comment: The comment; None for none.
    """

    name: str
    comment: str | None

    def models(self, app: str) -> Collection[str]:
        return (f"{app}.{self.name}",)

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.name)
        options = {**dict(model.options), COMMENT: self.comment}
        return state.with_model(model.with_options(options if self.comment else _without(options, COMMENT)))

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        label = f"{app}.{self.name}"
        editor.comment(after.classes([label])[label])

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        self.apply(app, editor, before=after, after=before)

    def describe(self) -> str:
        return f"Alter comment of {self.name}"

    @property
    def slug(self) -> str:
        return f"alter_{self.name.lower()}_comment"


@dataclass(frozen=True, init=False)
class AlterModelOptions(StateOperation):
    """Change what the models of the past know of ``Meta``; nothing happens in a database.

    Args:
        name: The model.
        options: All of ``ordering``, ``get_latest_by``, ``default_manager_name`` and ``base_manager_name`` that there
            shall be.
    """

    name: str
    options: tuple[tuple[str, Any], ...]

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "options", tuple(options.items()))

    def change(self, app: str, state: ProjectState) -> ProjectState:
        model = state.get(app, self.name)
        kept = {name: value for name, value in model.options if name not in STATE_OPTIONS}
        return state.with_model(model.with_options(kept | dict(self.options)))

    def describe(self) -> str:
        return f"Alter options of {self.name}"

    @property
    def slug(self) -> str:
        return f"alter_{self.name.lower()}_options"


@dataclass(frozen=True, init=False)
class AlterModelManagers(StateOperation):
    """Give the models of the past other managers; nothing happens in a database.

    Args:
        name: The model.
        managers: (name, manager) pairs.
    """

    name: str
    managers: tuple[tuple[str, Any], ...]

    def __init__(self, name: str, managers: Sequence[tuple[str, Any]]) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "managers", tuple((name, manager) for name, manager in managers))

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return state.with_model(replace(state.get(app, self.name), managers=self.managers))

    def describe(self) -> str:
        return f"Alter managers of {self.name}"

    @property
    def slug(self) -> str:
        return f"alter_{self.name.lower()}_managers"


@dataclass(frozen=True, init=False)
class AlterModelBases(StateOperation):
    """Let a model inherit from others, or from none; its columns stay as they are.

    Args:
        name: The model.
        bases: The labels of the models that it inherits a table from.
    """

    name: str
    bases: tuple[str, ...]

    def __init__(self, name: str, bases: Sequence[str]) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "bases", tuple(bases))

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return state.with_model(replace(state.get(app, self.name), bases=self.bases))

    def describe(self) -> str:
        return f"Alter bases of {self.name}"

    @property
    def slug(self) -> str:
        return f"alter_{self.name.lower()}_bases"


STATE_OPTIONS = ("ordering", "get_latest_by", "default_manager_name", "base_manager_name")
"""Options of ``Meta`` that no table depends on, and that rows and questions of the past do."""


def _without(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key != name}
