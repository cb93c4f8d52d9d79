"""Models of the past as classes again: fields, relations, parents and managers, and none of their methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolkit.errors import Problems
from toolkit.models import ManyToManyField, Model, OneToOneField, QuerySet
from toolkit.models.naming import names_in
from toolkit.models.resolve import resolve_models

if TYPE_CHECKING:
    from toolkit.migrations.fields import FieldState
    from toolkit.migrations.state import ModelState

Links = Mapping[str, ManyToManyField[Any]]


def make_classes(states: Sequence[ModelState]) -> dict[str, Any]:
    """Model classes by label.

    Args:
        states: Some models, and all that they refer to.

    Raises:
        Problems: They do not fit together.
    """
    made = _Classes(states)
    by_app: dict[str, list[Any]] = {}
    for state in states:
        by_app.setdefault(state.app, []).append(made.of(state.label))
    resolved, problems = resolve_models(by_app)
    if problems:
        raise Problems(problems, summary="the models of the migrations do not fit together")
    return {model._meta.label: model for model in resolved}


class _Classes:
    """Makes classes, each after those that it inherits from."""

    def __init__(self, states: Sequence[ModelState]) -> None:
        self._states = {state.label: state for state in states}
        self._links = _links(states)
        self._made: dict[str, Any] = {}

    def of(self, label: str) -> Any:
        """The class of this label."""
        if label not in self._made:
            self._made[label] = self._make(self._states[label])
        return self._made[label]

    def _make(self, state: ModelState) -> Any:
        parents = [self.of(base) for base in state.bases]
        links = self._links.get(state.label, {})
        if not state.is_proxy and _hides_any([*state.field_names, *links], parents):
            parents = []  # a field is on its way from one to the other: until it is there, this is a model by itself
        namespace: dict[str, Any] = {"__module__": f"{state.app}.migrations", "__qualname__": state.name}
        ties = _ties(state) if parents else set()
        for field in state.fields:
            made: Any = field.build()
            namespace[field.name] = made
            if field.name in ties:
                made.parent_link, made.related_name = True, None
            elif isinstance(made, OneToOneField) and field.to in state.bases and parents:
                namespace[field.name] = _as_foreign_key(field)
        namespace |= links
        namespace |= dict(state.managers)
        if state.managers:
            namespace.setdefault("objects", QuerySet.as_manager())
        known = {*namespace, *(name for parent in parents for name in _known(parent))}
        namespace["Meta"] = type("Meta", (), _meta(state, known, inherits=bool(parents)))
        kind: Any = type(Model)
        return kind(state.name, tuple(parents) or (Model,), namespace)


def _ties(state: ModelState) -> set[str]:
    """The names of the fields that link a model to its parents; the key, where there are others to the same."""
    found: dict[str, str] = {}
    for field in sorted(state.fields, key=lambda one: not one.is_key):
        if field.to in state.bases and isinstance(field.build(), OneToOneField):
            found.setdefault(str(field.to), field.name)
    return set(found.values())


def _as_foreign_key(field: FieldState) -> Any:
    """A one-to-one field to a parent that is not the link, and is on its way to be another: its column is the same."""
    options = (*field.options, ("unique", True))
    return replace(field, kind="toolkit.models.ForeignKey", options=options).build()


def _meta(state: ModelState, known: Iterable[str], *, inherits: bool) -> dict[str, Any]:
    """``Meta`` of a class; without an order by fields that are gone, or not there yet."""
    names = {*known, "pk", "id"}
    options = dict(state.options)
    ordering = [item for item in options.pop("ordering", ()) if _is_known(item, names)]
    latest = options.pop("get_latest_by", None)
    if ordering:
        options["ordering"] = ordering
    if latest and all(_is_known(item, names) for item in ([latest] if isinstance(latest, str) else latest)):
        options["get_latest_by"] = latest
    if state.is_proxy and not inherits:
        del options["proxy"]
    return {
        "app_label": state.app,
        "db_table": state.db_table,
        "constraints": list(state.constraints),
        "indexes": list(state.indexes),
        **options,
    }


def _is_known(item: Any, names: set[str]) -> bool:
    if isinstance(item, str):
        first = item.lstrip("-").partition("__")[0]
        return first in names or f"{first.removesuffix('_id')}" in names
    return set(names_in(item)) <= names


def _known(model: Any) -> Iterable[str]:
    return (*model._meta.by_name, *model._meta.virtual)


def _hides_any(names: Iterable[str], parents: Sequence[Any]) -> bool:
    """Whether a field has the name of one of a parent's, or two parents have different fields of one name."""
    seen: dict[str, Any] = {}
    for parent in parents:
        for name, field in parent._meta.by_name.items():
            if seen.setdefault(name, field) is not field:
                return True
    return not seen.keys().isdisjoint(names)


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
