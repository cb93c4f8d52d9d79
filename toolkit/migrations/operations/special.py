"""Steps of your own: SQL, and Python with the models as they were at that point."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.database import DEFAULT
from toolkit.errors import DeclarationError, MigrationError, did_you_mean
from toolkit.migrations.editors.scripts import split_script
from toolkit.migrations.operations.operation import Act, Operation
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
        sql: A statement, or several: in a list, or in one text with semicolons between them.
        reverse_sql: What undoes them; without it the migration cannot be undone. ``""`` when there is nothing to
            undo.
        state_operations: Operations that say what it means for the models, if it changes a table of theirs.
        elidable: It may be left out when migrations are squashed: a new database has no use for it.
        database: The alias of the database that it is for.
        hints: What the router's ``allow_migrate`` is told, if it shall decide.
    """

    opaque = True
    tells_connection = True
    noop: ClassVar[str] = ""
    """Nothing to do in this direction."""

    def __init__(
        self,
        sql: Sql,
        *,
        reverse_sql: Sql | None = None,
        state_operations: Sequence[Operation] = (),
        elidable: bool = False,
        database: str = DEFAULT,
        hints: Mapping[str, Any] | None = None,
    ) -> None:
        self.sql, self.reverse_sql = sql, reverse_sql
        self.state_operations = tuple(state_operations)
        self.elidable = elidable
        self.database, self.hints = database, dict(hints or {})

    def concerns(self, app: str, place: Any, *, before: ProjectState, after: ProjectState) -> bool:
        return place is None or place.runs(app, self.database, self.hints)

    @property
    def reversible(self) -> bool:  # type: ignore[override]  # a fact of the class for other operations
        return self.reverse_sql is not None

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return _changed(self.state_operations, app, state)

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        editor.run_sql(_each(self.sql, editor))

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        editor.run_sql(_each(self.reverse_sql or "", editor))

    def describe(self) -> str:
        first = next(iter(_statements(self.sql)), "")
        return f"Run SQL: {' '.join(first.split())[:60]}"

    def arguments(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = [("", self.sql)]
        found += [] if self.reverse_sql is None else [("reverse_sql", self.reverse_sql)]
        found += [("state_operations", list(self.state_operations))] if self.state_operations else []
        return [*found, *_said(self)]


class RunPython(Operation):
    """Run a function with the models as they are at this point of the history.

    Args:
        code: Called as ``code(models, database)``; ``models("newsroom.Story").objects`` are its rows. The classes
            have the fields that they had then, and none of your methods.
        reverse_code: What undoes it; without it the migration cannot be undone.
        elidable: It may be left out when migrations are squashed: a new database has no use for it.
        database: The alias of the database that it is for.
        hints: What the router's ``allow_migrate`` is told, if it shall decide.
    """

    opaque = True

    def __init__(
        self,
        code: Step,
        *,
        reverse_code: Step | None = None,
        elidable: bool = False,
        database: str = DEFAULT,
        hints: Mapping[str, Any] | None = None,
    ) -> None:
        for function in (code, reverse_code):
            _refuse_other_arguments(function)
        self.code, self.reverse_code, self.elidable = code, reverse_code, elidable
        self.database, self.hints = database, dict(hints or {})

    def concerns(self, app: str, place: Any, *, before: ProjectState, after: ProjectState) -> bool:
        return place is None or place.runs(app, self.database, self.hints)

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
        found += [] if self.reverse_code is None else [("reverse_code", self.reverse_code)]
        return [*found, *_said(self)]


class SeparateDatabaseAndState(Operation):
    """Do one thing in the database, and let another be what it means for the models.

    Args:
        database_operations: What is done in the database, one after the other.
        state_operations: What becomes of the models.
    """

    opaque = True

    def __init__(
        self, *, database_operations: Sequence[Operation] = (), state_operations: Sequence[Operation] = ()
    ) -> None:
        self.database_operations, self.state_operations = tuple(database_operations), tuple(state_operations)

    @property
    def tells_connection(self) -> bool:  # type: ignore[override]  # a fact of the class for other operations
        return bool(self.database_operations) and all(one.tells_connection for one in self.database_operations)

    @property
    def reversible(self) -> bool:  # type: ignore[override]  # a fact of the class for other operations
        return all(operation.reversible for operation in self.database_operations)

    def change(self, app: str, state: ProjectState) -> ProjectState:
        return _changed(self.state_operations, app, state)

    def parts(self, app: str, *, before: ProjectState, after: ProjectState) -> list[Act]:
        found: list[Act] = []
        for operation in self.database_operations:
            following = operation.change(app, before)
            found += operation.parts(app, before=before, after=following)
            before = following
        return found

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        for operation, old, new in self.parts(app, before=before, after=after):
            if operation.concerns(app, editor.place, before=old, after=new):
                operation.apply(app, editor, before=old, after=new)

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        for operation, old, new in reversed(self.parts(app, before=before, after=after)):
            if operation.concerns(app, editor.place, before=old, after=new):
                operation.revert(app, editor, before=old, after=new)

    def describe(self) -> str:
        done = "; ".join(operation.describe() for operation in self.database_operations) or "nothing"
        meant = "; ".join(operation.describe() for operation in self.state_operations) or "nothing"
        return f"Do {done} in the database, and {meant} in the models"

    @property
    def slug(self) -> str:
        return "_".join(operation.slug for operation in self.state_operations if operation.slug)

    def arguments(self) -> list[tuple[str, Any]]:
        parts = [
            ("database_operations", list(self.database_operations)),
            ("state_operations", list(self.state_operations)),
        ]
        return [(name, value) for name, value in parts if value]


class HistoricalModels(Mapping[str, Any]):
    """The model classes at one point of the history, by label: ``models("newsroom.Story")``."""

    def __init__(self, classes: Mapping[str, Any]) -> None:
        self._classes = classes

    def __getitem__(self, label: str) -> Any:
        try:
            return self._classes[label]
        except KeyError:
            hint = did_you_mean(label, self._classes)
            raise MigrationError(f"there is no model {label!r} at this point, in this database", hint=hint) from None

    def __call__(self, label: str) -> Any:
        """The class of this label.

        Raises:
            MigrationError: There was no such model then.
        """
        return self[label]

    def get_model(self, app_label: str, model_name: str) -> Any:
        """The class of an app's model, in Django's words.

        Raises:
            MigrationError: There was no such model then.
        """
        return self[f"{app_label}.{model_name}"]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


def _changed(operations: Sequence[Operation], app: str, state: ProjectState) -> ProjectState:
    for operation in operations:
        state = operation.change(app, state)
    return state


def _said(operation: RunSQL | RunPython) -> list[tuple[str, Any]]:
    """The options that both kinds have, those at their default left out."""
    told: list[tuple[str, Any]] = [("elidable", True)] if operation.elidable else []
    told += [("database", operation.database)] if operation.database != DEFAULT else []
    return [*told, ("hints", operation.hints)] if operation.hints else told


def _refuse_other_arguments(function: Step | None) -> None:
    """Refuse what cannot be called as ``function(models, database)``."""
    if function is None:
        return
    try:
        inspect.signature(function).bind(None, None)
    except (TypeError, ValueError):
        told = (
            f"RunPython: {getattr(function, '__name__', function)!r} cannot be called with the models and the database"
        )
        raise DeclarationError(told, hint="Write it as def name(models, database): ...") from None


def _run(code: Step, editor: Editor, state: ProjectState) -> None:
    here = [label for label, model in state.models.items() if editor.place is None or editor.place.has(model)]
    classes = state.classes()

    def run() -> None:
        own = {label: classes[label] for label in here}
        with _as_of(editor.database, own):
            code(HistoricalModels(own), editor.database)
        editor.settle()

    editor.write_rows(run)


@contextmanager
def _as_of(database: Any, classes: Mapping[str, Any]) -> Iterator[None]:
    """Let queries go to the tables of historical models; the live schema comes back afterwards."""
    live, shapes, lookups = getattr(database, "schema", None), database.shapes, database.lookups
    database.schema = Schema(classes.values(), database.dialect, backend=database.spelling)
    database.shapes, database.lookups = {}, {}
    try:
        with entered(Scope(None, database)):
            yield
    finally:
        database.schema, database.shapes, database.lookups = live, shapes, lookups
        database.memo.clear()


def _each(sql: Sql, editor: Editor) -> list[str]:
    return [one for text in _statements(sql) for one in split_script(text, editor.database.dialect)]


def _statements(sql: Sql) -> list[str]:
    found = [sql] if isinstance(sql, str) else list(sql)
    return [statement for statement in found if statement.strip()]
