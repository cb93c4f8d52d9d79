"""The models of a site at one point of its history, as frozen values, and as model classes again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from toolkit.database import DEFAULT
from toolkit.errors import MigrationError, Problems, did_you_mean
from toolkit.migrations.fields import FieldState, describe_field
from toolkit.migrations.layout import render
from toolkit.migrations.values import write_value
from toolkit.models import AutoField, BaseConstraint, BigIntegerField, Index, ManyToManyField, Model
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import is_near

Constraint = BaseConstraint


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
    """

    app: str
    name: str
    fields: tuple[FieldState, ...]
    db_table: str = ""
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()

    @property
    def label(self) -> str:
        """``app.Name``."""
        return f"{self.app}.{self.name}"

    @property
    def table(self) -> str:
        """The table's name."""
        return self.db_table or f"{self.app}_{self.name.lower()}"

    def said(self) -> tuple[Any, ...]:
        """All that it says, the order of fields, constraints and indexes apart."""
        items = sorted(render(write_value(item, set())) for item in (*self.constraints, *self.indexes))
        return (self.table, sorted(self.fields, key=lambda field: field.name), items)

    def pointing_to_itself(self, old: str) -> ModelState:
        """With references to what it was called before turned to itself."""
        return _pointing_to(self, old, self.label)

    @property
    def field_names(self) -> list[str]:
        """The names of its fields, in order."""
        return [field.name for field in self.fields]

    def targets(self) -> Iterator[str]:
        """The labels of the models that it refers to."""
        return (field.to for field in self.fields if field.to is not None)

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

    def of_apps(self, apps: Iterable[str]) -> ProjectState:
        """Only the models of some apps."""
        wanted = set(apps)
        return ProjectState({label: model for label, model in self.models.items() if model.app in wanted})

    def merged(self, other: ProjectState) -> ProjectState:
        """With the models of another state as well."""
        return ProjectState({**self.models, **other.models})

    def closure(self, labels: Iterable[str]) -> list[ModelState]:
        """Some models and all that they refer to, in the order of the state."""
        wanted: set[str] = set()
        waiting = list(labels)
        while waiting:
            label = waiting.pop()
            if label not in wanted:
                wanted.add(label)
                app, _, name = label.partition(".")
                waiting.extend(self.get(app, name).targets())
        return [model for label, model in self.models.items() if label in wanted]

    def classes(self, labels: Iterable[str] | None = None) -> dict[str, Any]:
        """Model classes of this state, by label: those asked for and those they refer to; all when none are named.

        Raises:
            Problems: They do not fit together.
        """
        states = self.closure(self.models if labels is None else labels)
        made: dict[str, list[Any]] = {}
        links = _links(states)
        for model in states:
            made.setdefault(model.app, []).append(_make_class(model, links.get(model.label, {})))
        resolved, problems = resolve_models(made)
        if problems:
            raise Problems(problems, summary="the models of the migrations do not fit together")
        return {model._meta.label: model for model in resolved}


def state_of(models: Iterable[Any]) -> ProjectState:
    """The state of live models, the hidden ones that belong to them included."""
    return ProjectState({model._meta.label: describe_model(model) for model in with_hidden(models)})


def with_hidden(models: Iterable[Any]) -> list[Any]:
    """Models, and the hidden ones (tables between, translations) that resolving made for them."""
    found: dict[Any, None] = {}
    for model in models:
        meta = model._meta
        if meta.proxy or not meta.managed or meta.database != DEFAULT:
            continue
        betweens = [field.through for field in meta.local_many_to_many if field.through._meta.hidden]
        hidden = [*betweens, *([meta.translation] if meta.translation is not None else [])]
        found |= dict.fromkeys([model, *hidden])
    return list(found)


def describe_model(model: Any) -> ModelState:
    """The state of one resolved model."""
    meta = model._meta
    default_table = f"{meta.app_label}_{meta.object_name.lower()}"
    composite = [] if meta.composite_key is None else [meta.composite_key]
    fields = [(field.name, _migrated(field)) for field in [*composite, *meta.local_fields, *meta.spread_keys]]
    return ModelState(
        meta.app_label,
        meta.object_name,
        tuple(describe_field(name, field) for name, field in fields),
        db_table="" if meta.table == default_table else meta.table,
        constraints=tuple(meta.constraints),
        indexes=tuple(meta.indexes),
    )


def _migrated(field: Any) -> Any:
    """What migrations know of a field: a reference to a table that is not theirs is a column like any other."""
    if not field.is_relation or is_near(field):
        return field
    key = field.target_field
    twin = copy(key) if not isinstance(key, AutoField) else BigIntegerField[Any](null=field.null)
    twin.primary_key, twin.null, twin.unique, twin.db_index = False, field.null, field.unique, field.db_index
    twin.column, twin.model = field.column, field.model
    return twin


def _links(states: Iterable[ModelState]) -> dict[str, dict[str, ManyToManyField[Any]]]:
    """The many-to-many fields of models, by label and name, from the tables between that were made for them."""
    known = {state.label: state for state in states}
    found: dict[str, dict[str, ManyToManyField[Any]]] = {}
    for state in known.values():
        keys = [str(field.to) for field in state.fields if field.to]
        owner = known.get(keys[0]) if len(keys) == 2 else None
        if owner is None or owner.app != state.app or not state.name.startswith(f"{owner.name}_"):
            continue
        name = state.name.removeprefix(f"{owner.name}_")
        if name not in owner.field_names:
            link: ManyToManyField[Any] = ManyToManyField(keys[1], through=state.label, related_name="+")
            found.setdefault(owner.label, {})[name] = link
    return found


def _make_class(state: ModelState, links: Mapping[str, ManyToManyField[Any]]) -> Any:
    meta = {
        "app_label": state.app,
        "db_table": state.db_table,
        "constraints": list(state.constraints),
        "indexes": list(state.indexes),
    }
    namespace: dict[str, Any] = {"__module__": f"{state.app}.migrations", "__qualname__": state.name}
    namespace["Meta"] = type("Meta", (), meta)
    for field in state.fields:
        namespace[field.name] = field.build()
    namespace |= links
    kind: Any = type(Model)
    return kind(state.name, (Model,), namespace)


def _referring_to(model: ModelState, target: str, old: str, new: str) -> ModelState:
    if target not in model.targets():
        return model
    return replace(model, fields=tuple(field.referring_to(target, old, new) for field in model.fields))


def _pointing_to(model: ModelState, old: str, new: str) -> ModelState:
    if old not in model.targets():
        return model
    fields = tuple(field.pointing_to(new) if field.to == old else field for field in model.fields)
    return replace(model, fields=fields)
