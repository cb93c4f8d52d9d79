"""Steps of your own: SQL, and Python with the models as they were at that point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from toolkit.errors import MigrationError, did_you_mean
from toolkit.migrations.operations.models import Operation
from toolkit.migrations.state import ProjectState
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor

Sql = str | Sequence[str]
Step = Callable[["HistoricalModels", Any], object]


class RunSQL(Operation):
    """Run SQL of your own.

    Args:
        sql: A statement, or several.
        reverse_sql: What undoes them; without it the migration cannot be undone. ``""`` when there is nothing to
            undo.
        state_operations: Operations that say what it means for the models, if it changes a table of theirs.
    """

    def __init__(self, sql: Sql, *, reverse_sql: Sql | None = None, state_operations: Sequence[Operation] = ()) -> None:
        self.sql, self.reverse_sql = sql, reverse_sql
        self.state_operations = tuple(state_operations)

    @property
    def reversible(self) -> bool:  # type: ignore[override]  # a fact of the class for other operations
        return self.reverse_sql is not None

    def change(self, app: str, state: ProjectState) -> ProjectState:
        for operation in self.state_operations:
            state = operation.change(app, state)
        return state

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        editor.run_sql(_statements(self.sql))

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        editor.run_sql(_statements(self.reverse_sql or ""))

    def describe(self) -> str:
        first = next(iter(_statements(self.sql)), "")
        return f"Run SQL: {' '.join(first.split())[:60]}"

    def arguments(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [("", self.sql)]
        return found if self.reverse_sql is None else [*found, ("reverse_sql", self.reverse_sql)]


class RunPython(Operation):
    """Run a function with the models as they are at this point of the history.

    Args:
        code: Called as ``code(models, database)``; ``models["newsroom.Story"].objects`` are its rows. The classes
            have the fields that they had then, and none of your methods.
        reverse_code: What undoes it; without it the migration cannot be undone.
    """

    def __init__(self, code: Step, *, reverse_code: Step | None = None) -> None:
        self.code, self.reverse_code = code, reverse_code

    @staticmethod
    def noop(models: HistoricalModels, database: Any) -> None:
        """Nothing to do in this direction."""

    @property
    def reversible(self) -> bool:  # type: ignore[override]  # a fact of the class for other operations
        return self.reverse_code is not None

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return state

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        _run(self.code, editor, before)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        if self.reverse_code is not None:
            _run(self.reverse_code, editor, before)

    def describe(self) -> str:
        return f"Run Python: {getattr(self.code, '__name__', 'a function')}"

    def arguments(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [("", self.code)]
        return found if self.reverse_code is None else [*found, ("reverse_code", self.reverse_code)]


class HistoricalModels(Mapping[str, Any]):
    """The model classes at one point of the history, by label: ``models["newsroom.Story"]``."""

    def __init__(self, classes: Mapping[str, Any]) -> None:
        self._classes = classes

    def __getitem__(self, label: str) -> Any:
        try:
            return self._classes[label]
        except KeyError:
            hint = did_you_mean(label, self._classes)
            raise MigrationError(f"there is no model {label!r} at this point", hint=hint) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


def _run(code: Step, editor: Editor, state: ProjectState) -> None:
    classes = state.classes()
    with _as_of(editor.database, classes):
        code(HistoricalModels(classes), editor.database)
    editor.settle()


@contextmanager
def _as_of(database: Any, classes: Mapping[str, Any]) -> Iterator[None]:
    """Let queries go to the tables of historical models; the live schema comes back afterwards."""
    live, shapes = getattr(database, "schema", None), database.shapes
    database.schema, database.shapes = Schema(classes.values(), database.dialect), {}
    try:
        with entered(Scope(None, database)):
            yield
    finally:
        database.schema, database.shapes = live, shapes
        database.memo.clear()


def _statements(sql: Sql) -> list[str]:
    found = [sql] if isinstance(sql, str) else list(sql)
    return [statement for statement in found if statement.strip()]
