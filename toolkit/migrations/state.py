"""The models of a site at one point of its history, as frozen values."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from toolkit.database import DEFAULT
from toolkit.errors import MigrationError, did_you_mean
from toolkit.migrations.classes import make_classes
from toolkit.migrations.fields import FieldState
from toolkit.migrations.layout import render
from toolkit.migrations.values import write_value
from toolkit.models import BaseConstraint, Index
from toolkit.models.naming import field_renamer, renamed


@dataclass(frozen=True)
class ModelState:
    """One model at one point of the history.

    Args:
        app: The label of its app.
        name: Its class name.
        fields: Fields that have a column.
        db_table: The table's name, if it is not ``app_name``.
        constraints: From ``Meta.constraints``.
        indexes: From ``Meta.indexes``.
        options: Further options of ``Meta``, those at their default left out.
        bases: The labels of the models that it inherits a table from; of a proxy the one whose table it shows.
        managers: (name, manager) of those that models of the past have too.
    """

    app: str
    name: str
    fields: tuple[FieldState, ...]
    db_table: str = ""
    constraints: tuple[BaseConstraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    bases: tuple[str, ...] = ()
    managers: tuple[tuple[str, Any], ...] = ()

    @property
    def label(self) -> str:
        """``app.Name``."""
        return f"{self.app}.{self.name}"

    @property
    def table(self) -> str:
        """The table's name."""
        return self.db_table or f"{self.app}_{self.name.lower()}"

    @property
    def is_proxy(self) -> bool:
        """Whether it has no table of its own."""
        return bool(self.option("proxy", False))

    @property
    def database(self) -> str:
        """The alias of the database that its table is in."""
        return str(self.option("database", DEFAULT))

    def option(self, name: str, default: Any = None) -> Any:
        """A further option of its ``Meta``."""
        return dict(self.options).get(name, default)

    def with_options(self, options: Mapping[str, Any]) -> ModelState:
        """With other further options."""
        return replace(self, options=tuple(options.items()))

    def said(self) -> tuple[Any, ...]:
        """All that it says, the order of fields, constraints and indexes apart."""
        items = sorted(text_of(item) for item in (*self.constraints, *self.indexes))
        beside = [sorted((name, text_of(value)) for name, value in self.options), text_of(self.managers), self.bases]
        return (self.table, sorted(self.fields, key=lambda field: field.name), items, beside)

    def pointing_to_itself(self, old: str) -> ModelState:
        """With references to what it was called before turned to itself."""
        return _pointing_to(self, old, self.label)

    @property
    def field_names(self) -> list[str]:
        """The names of its fields, in order."""
        return [field.name for field in self.fields]

    @property
    def has_composite_key(self) -> bool:
        """Whether its primary key has several fields."""
        return "pk" in self.field_names

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the fields of its primary key, in order; none of a proxy."""
        if self.has_composite_key:
            return tuple(dict(self.get_field("pk").options)["fields"])
        return tuple(field.name for field in self.fields if field.is_key)

    @property
    def key_target(self) -> str | None:
        """The label of the model whose key its own is, of one whose key is a reference."""
        names = () if self.has_composite_key else self.key_names
        return self.get_field(names[0]).to if names else None

    @property
    def parent(self) -> str | None:
        """The label of the model that its key links it to, of one that inherits a table."""
        return self.key_target if self.key_target in self.bases else None

    def targets(self) -> Iterator[str]:
        """The labels of the models that it refers to, or inherits from."""
        yield from self.bases
        yield from (field.to for field in self.fields if field.to is not None)

    def get_field(self, name: str) -> FieldState:
        """The field of this name.

        Raises:
            MigrationError: There is none.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise MigrationError(
            f"{self.label} has no field {name!r} at this point", hint=did_you_mean(name, self.field_names)
        )

    def as_held(self, names: Container[str | None]) -> ModelState:
        """With what references to it hold, and nothing else: its key, and fields of these names."""
        keys = {*self.key_names, *(field.name for field in self.fields if field.is_key or field.to in self.bases)}
        fields = tuple(field for field in self.fields if field.name in keys or field.name in names)
        if any(field.is_generated for field in fields):
            return self
        options = tuple(pair for pair in self.options if pair[0] in ("proxy", "database"))
        return replace(self, fields=fields, constraints=(), indexes=(), managers=(), options=options)

    def with_field(self, field: FieldState, *, instead_of: str | None = None) -> ModelState:
        """With one more field, or with one in another's place."""
        if instead_of is None:
            return replace(self, fields=(*self.fields, field))
        self.get_field(instead_of)
        return replace(self, fields=tuple(field if old.name == instead_of else old for old in self.fields))

    def without_field(self, name: str) -> ModelState:
        """With one field less."""
        self.get_field(name)
        return replace(self, fields=tuple(field for field in self.fields if field.name != name))

    def with_field_renamed(self, old: str, new: str) -> ModelState:
        """With a field under another name, in constraints, indexes and their conditions too."""
        renamed = self.with_field(replace(self.get_field(old), name=new), instead_of=old)
        return replace(
            renamed,
            fields=tuple(field.naming(old, new) for field in renamed.fields),
            constraints=tuple(item.with_field_renamed(old, new) for item in self.constraints),
            indexes=tuple(item.with_field_renamed(old, new) for item in self.indexes),
            options=tuple((name, _naming(name, value, old, new)) for name, value in self.options),
        )


class ProjectState:
    """All models at one point of the history. Never changed: each change makes another.

    Args:
        models: Label to model.
    """

    def __init__(self, models: Mapping[str, ModelState] | None = None) -> None:
        self.models: dict[str, ModelState] = dict(models or {})

    def get(self, app: str, name: str) -> ModelState:
        """The model of this name.

        Raises:
            MigrationError: There is none at this point.
        """
        found = self.models.get(f"{app}.{name}")
        if found is None:
            raise MigrationError(
                f"there is no model {app}.{name} at this point", hint=did_you_mean(f"{app}.{name}", self.models)
            )
        return found

    def with_model(self, model: ModelState) -> ProjectState:
        """With a model added, or in the place of the one of its name."""
        return ProjectState({**self.models, model.label: model})

    def without_model(self, label: str) -> ProjectState:
        """With one model less."""
        return ProjectState({name: model for name, model in self.models.items() if name != label})

    def with_field_renamed(self, app: str, name: str, old: str, new: str) -> ProjectState:
        """With a field of a model under another name, and the keys of others that refer to it by that following."""
        model = self.get(app, name).with_field_renamed(old, new)
        found = self.with_model(model)
        models = {label: _referring_to(one, model.label, old, new) for label, one in found.models.items()}
        return ProjectState(models)

    def with_model_renamed(self, app: str, old: str, new: str) -> ProjectState:
        """With a model under another name, and all foreign keys following it."""
        before = self.get(app, old)
        after = replace(before, name=new)
        models = {after.label if label == before.label else label: model for label, model in self.models.items()}
        models[after.label] = after
        return ProjectState({label: _pointing_to(model, before.label, after.label) for label, model in models.items()})

    def merged(self, other: ProjectState) -> ProjectState:
        """With the models of another state as well."""
        return ProjectState({**self.models, **other.models})

    def with_held(self, labels: Iterable[str]) -> list[ModelState]:
        """Some models with their parents, and of those that they refer to what references hold; as the state has them.

        What is far away costs nothing then, however much refers to each other.
        """
        whole = {model.label for model in self._reached(labels, lambda model: model.bases)}
        held = {dict(field.options).get("to_field") for model in self.models.values() for field in model.fields}

        def seen(model: ModelState) -> ModelState:
            return model if model.label in whole else model.as_held(held)

        return [seen(model) for model in self._reached(whole, lambda model: seen(model).targets())]

    def _reached(self, labels: Iterable[str], ways: Callable[[ModelState], Iterable[str]]) -> list[ModelState]:
        """Some models and those that ways lead to, however far, in the order of the state."""
        found: set[str] = set()
        waiting = list(labels)
        while waiting:
            label = waiting.pop()
            if label not in found:
                found.add(label)
                app, _, name = label.partition(".")
                waiting.extend(ways(self.get(app, name)))
        return [model for label, model in self.models.items() if label in found]

    def ancestors(self, model: ModelState) -> list[ModelState]:
        """The models whose tables one inherits, the nearest first."""
        found: list[ModelState] = []
        for base in model.bases if not model.is_proxy else ():
            if base in self.models:
                found += [self.models[base], *self.ancestors(self.models[base])]
        return found

    def foundations(self, label: str) -> set[str]:
        """A model and what its key is made of: the models that this refers to or that it inherits, however far."""
        found: set[str] = set()
        waiting = [label]
        while waiting:
            model = self.models.get(waiting.pop())
            if model is not None and model.label not in found:
                found.add(model.label)
                keys = (model.get_field(name).to for name in model.key_names)
                waiting += [*model.bases, *(to for to in keys if to is not None)]
        return found

    def lost_targets(self) -> Iterator[tuple[ModelState, str]]:
        """The models that refer to a model which is not there, and the label of that."""
        return ((one, to) for one in self.models.values() for to in one.targets() if to not in self.models)

    def holders(self, label: str, name: str) -> Iterator[ModelState]:
        """The models with a foreign key that holds values of this field, which is not the primary key."""
        return (model for model in self.models.values() if any(field.holds(label, name) for field in model.fields))

    def let_go(self, label: str, name: str) -> ProjectState:
        """With foreign keys that hold values of this field and that no database checks."""
        found = self
        for model in self.holders(label, name):
            fields = tuple(field.unchecked() if field.holds(label, name) else field for field in model.fields)
            found = found.with_model(replace(model, fields=fields))
        return found

    def classes(self, labels: Iterable[str] | None = None) -> dict[str, Any]:
        """Model classes of this state, by label: those asked for, and what they refer to; all when none are named.

        Raises:
            Problems: They do not fit together.
        """
        return make_classes(self.with_held(self.models if labels is None else labels))


def text_of(item: Any) -> str:
    """A constraint, an index, a manager or an option as its source; conditions have no equality of their own."""
    return render(write_value(item, set()))


def _naming(option: str, value: Any, old: str, new: str) -> Any:
    """An option of ``Meta`` once a field has another name."""
    if option not in ("ordering", "get_latest_by"):
        return value
    change = field_renamer(old, new)
    if isinstance(value, str):
        return change(value)
    return [change(item) if isinstance(item, str) else renamed(item, change) for item in value]


def _referring_to(model: ModelState, target: str, old: str, new: str) -> ModelState:
    if target not in model.targets():
        return model
    return replace(model, fields=tuple(field.referring_to(target, old, new) for field in model.fields))


def _pointing_to(model: ModelState, old: str, new: str) -> ModelState:
    if old not in model.targets():
        return model
    fields = tuple(field.pointing_to(new) if field.to == old else field for field in model.fields)
    return replace(model, fields=fields, bases=tuple(new if base == old else base for base in model.bases))


def rekeyed_tables(before: ProjectState, after: ProjectState) -> set[str]:
    """Tables that have another key or another name in one of two states, or are in one of them alone.

    A key that refers to one of those is another, too.
    """
    if before.models == after.models:
        return set()
    moved = {label for label in before.models | after.models if _keyed(before, label) != _keyed(after, label)}
    every = [model for state in (before, after) for model in state.models.values()]
    found = 0
    while moved and found != len(moved):
        found = len(moved)
        moved |= {model.label for model in every if any(one.to in moved for one in model.fields if one.is_key)}
    return {model.table for model in every if model.label in moved}


def _keyed(state: ProjectState, label: str) -> tuple[Any, ...]:
    model = state.models.get(label)
    return () if model is None else (model.table, *(field for field in model.fields if field.is_key))
