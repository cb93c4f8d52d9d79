"""What every operation is: a step of a migration.

An operation never looks at the live models: it knows the state before it and the state after it, and its editor
turns the one into the other. Going back is the same with the two exchanged.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.migrations.fields import FieldState, describe_field
from toolkit.migrations.state import ProjectState
from toolkit.models import Field
from toolkit.models.declarations import DeclarationType

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


class Operation(metaclass=DeclarationType):
    """One step of a migration.

    Attributes:
        reversible: Whether it can be undone.
        opaque: Whether it does what nobody can tell from outside: SQL, Python.
        tells_connection: Whether it may set variables of the connection, which a run that goes on behind it sets again.
        touches_tables: Whether it does anything in a database; else it is about the models of the past alone.
        elidable: Whether it is left out when migrations are squashed.
    """

    reversible: ClassVar[bool] = True
    opaque: ClassVar[bool] = False
    tells_connection: ClassVar[bool] = False
    touches_tables: ClassVar[bool] = True
    elidable: bool = False

    def change(self, app: str, state: ProjectState) -> ProjectState:
        """The state after this step."""
        raise TypeError(f"{type(self).__name__} must define change()")

    def check(self, app: str, *, before: ProjectState, after: ProjectState) -> None:
        """Refuse what cannot be done, whatever rows there are; nothing is refused by default.

        Raises:
            MigrationError: It cannot be done.
        """

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        """Do it in the database."""
        raise TypeError(f"{type(self).__name__} must define apply()")

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        """Undo it in the database: from ``after`` back to ``before``."""
        raise TypeError(f"{type(self).__name__} must define revert()")

    def parts(self, app: str, *, before: ProjectState, after: ProjectState) -> list[Act]:
        """What it does in the database, one after the other: itself, unless it consists of others."""
        return [(self, before, after)]

    def describe(self) -> str:
        """What it does, as people read it: ``Add field kicker to Story``."""
        raise TypeError(f"{type(self).__name__} must define describe()")

    def models(self, app: str) -> Collection[str]:
        """The labels of the models whose tables it changes; none where nobody can tell."""
        return ()

    def concerns(self, app: str, place: Any, *, before: ProjectState, after: ProjectState) -> bool:
        """Whether it is done in a database: if the table of any of its models is there.

        Args:
            app: The label of its app.
            place: ``toolkit.migrations.places.Place``; None where nobody asks.
            before: The models before it.
            after: The models after it.
        """
        known = [
            state.models[label] for label in self.models(app) for state in (after, before) if label in state.models
        ]
        return place is None or not known or any(place.has(model) for model in known)

    @property
    def slug(self) -> str:
        """What it does, as part of a file's name."""
        return ""

    def arguments(self) -> list[tuple[str, Any]]:
        """The keyword arguments that make it again, for the migration's file; those at their default left out."""
        if not is_dataclass(self):
            raise TypeError(f"{type(self).__name__} must define arguments()")
        told = [(one.name, getattr(self, one.name), one.default) for one in fields(self)]
        return [(name, value) for name, value, default in told if default is NO_DEFAULT or not _same(value, default)]


def _same(value: Any, default: Any) -> bool:
    return value is default or bool(type(value) is type(default) and value == default)


Act = tuple[Operation, ProjectState, ProjectState]
"""An operation, with the models before and after it."""


class StateOperation(Operation):
    """A step that is about the models of the past alone, and does nothing in a database."""

    touches_tables = False

    def apply(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        """Nothing is to be done."""

    def revert(self, app: str, editor: Editor, *, before: ProjectState, after: ProjectState) -> None:
        """Nothing is to be done."""


FieldOrState = Field[Any] | FieldState
"""A field as a migration file writes it, or its description."""


def as_state(name: str, field: FieldOrState) -> FieldState:
    """The description of a field of this name."""
    return field if isinstance(field, FieldState) else describe_field(name, field)
