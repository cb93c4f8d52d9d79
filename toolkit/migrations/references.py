"""Who ever referred to what: migrations that take a name away come after all that spoke of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from toolkit.migrations.graph import Graph
from toolkit.migrations.operations.alterations import RemoveField, RenameField
from toolkit.migrations.operations.keys import AlterPrimaryKey
from toolkit.migrations.operations.models import DeleteModel, RenameModel
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.state import ModelState, ProjectState

ANY = "*"
"""In place of a field: whichever the key of the other model is, or all that is inherited from it."""

EVERY_MODEL = "*"
"""In place of a model: rows name one, whichever it is."""


@dataclass(frozen=True)
class Reference:
    """That models of one app refer to a model of another, or did so once.

    Args:
        app: The app that refers.
        to: The label of the other model, as it is called now; ``EVERY_MODEL`` where rows hold names of models.
        field: The field that it is referred to by, as that is called now.
        inherits: Whether the model is a parent.
    """

    app: str
    to: str
    field: str = ANY
    inherits: bool = False


@dataclass
class References:
    """All references from app to app that there were so far.

    A new database takes all migrations, in an order that their dependencies leave open. One that takes a name from a
    model, or its key, must come after those of other apps that know the model by that name.

    Attributes:
        state: The models now.
    """

    state: ProjectState
    _known: set[Reference] = field(default_factory=set)

    @classmethod
    def of(cls, graph: Graph, start: ProjectState) -> References:
        """Those of the migrations that there are.

        Args:
            graph: The migrations.
            start: The models of apps without migrations.
        """
        found = cls(start)
        for migration in graph:
            for operation in migration.operations:
                found.follow(migration.app, operation)
        return found

    def follow(self, app: str, operation: Operation) -> None:
        """Go one step on."""
        self.state = operation.change(app, self.state)
        if isinstance(operation, RenameModel):
            self._rename(f"{app}.{operation.old_name}", f"{app}.{operation.new_name}")
        elif isinstance(operation, RenameField):
            self._rename_field(operation.label(app), operation.old_name, operation.new_name)
        for label in operation.models(app):
            if label in self.state.models:
                self._known |= set(_references(self.state.models[label]))

    def _rename(self, old: str, new: str) -> None:
        self._known = {replace(one, to=new) if one.to == old else one for one in self._known}

    def _rename_field(self, label: str, old: str, new: str) -> None:
        self._known = {replace(one, field=new) if (one.to, one.field) == (label, old) else one for one in self._known}

    def apps_before(self, app: str, operation: Operation) -> set[str]:
        """The apps that an operation takes something from: a name that they speak of, or the key that they hold."""
        if isinstance(operation, RenameModel):
            found = self._to(f"{app}.{operation.old_name}", EVERY_MODEL)
        elif isinstance(operation, DeleteModel):
            found = self._to(f"{app}.{operation.name}")
        elif isinstance(operation, AlterPrimaryKey):
            found = self._to(operation.label(app))
        elif isinstance(operation, RenameField | RemoveField):
            name = operation.old_name if isinstance(operation, RenameField) else operation.name
            found = self._by(operation.label(app), name)
        else:
            return set()
        return {one.app for one in found}

    def _to(self, *labels: str) -> Iterator[Reference]:
        return (one for one in self._known if one.to in labels)

    def _by(self, label: str, name: str) -> Iterator[Reference]:
        """References by a field: by its name, as a part of the key whose names others repeat, or inherited."""
        model = self.state.models[label]
        in_key = model.has_composite_key and name in model.key_names
        return (one for one in self._to(label) if in_key or one.inherits or one.field == name)


def _references(model: ModelState) -> Iterator[Reference]:
    """The references of a model to those of other apps."""
    for label in model.bases:
        yield Reference(model.app, label, inherits=True)
    for key in model.fields:
        if key.to is not None:
            yield Reference(model.app, key.to, dict(key.options).get("to_field") or ANY)
        elif key.names_models:
            yield Reference(model.app, EVERY_MODEL)
