"""Relations to one row as attributes: ``story.section``, ``story.section_id``, ``author.profile``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from toolkit.errors import ValidationError
from toolkit.models.along import PREFIX
from toolkit.models.batches import load_forward, note_forward, raw_reader, refuse_unplanned
from toolkit.models.partners import has_many, load_many
from toolkit.models.relations import ForeignKey, Reverse
from toolkit.models.routing import scope_from
from toolkit.models.scopes import current_scope
from toolkit.trace import current


class ForwardObject:
    """The descriptor of a foreign key: the object it refers to, loaded for all peers when first asked for."""

    def __init__(self, field: ForeignKey[Any]) -> None:
        self.field = field
        self.asked, self.along = f"_asked_{field.name}", PREFIX + field.name

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.field
        field, values = self.field, instance.__dict__
        scope, early = current.get(), None
        if field.name not in values and self.along in values:
            early, related = values.pop(self.along)
            same = scope is not None and early.eyes is scope.eyes and early.version == early.database.version
            if same or scope is None or early.holds(scope_from(instance)):
                values[field.name] = related
        if field.name not in values or (field.is_several and self._is_stale(instance)):
            held = field.held_by(instance) if field.is_several else values.get(field.attname, self)
            if scope is not None and held is not None:
                refuse_unplanned(scope, instance, field.name)
            load_forward(instance, field, early=early)
        related = values[field.name]
        if scope is not None and scope.trace is not None:
            note_forward(scope, instance, field, related)
        return related

    def __set__(self, instance: Any, value: Any) -> None:
        field = self.field
        if value is not None and not field.takes(value):
            raise ValidationError(
                f"{field.model.__name__}.{field.name} takes a {field.target.__name__}, not {value!r}",
                hint=f"To set the key itself, assign to {field.attname}.",
            )
        if field.parent_link and value is not None and value._row is not None:
            self._refuse_late(instance, value)
        instance.__dict__.pop(self.asked, None)
        instance.__dict__[field.name] = value
        field.hold(instance, None if value is None else field.value_of(value))

    def _refuse_late(self, instance: Any, parent: Any) -> None:
        """Refuse the row of a parent that comes when a new row has its values: they would be written over its own.

        Raises:
            ValidationError: It does; while a row is made, what is not given is the parent's.
        """
        field = self.field
        if instance._row is None and field.attname in instance.__dict__ and field.held_by(instance) is None:
            kind = field.model.__name__
            raise ValidationError(
                f"{kind}.{field.name}: the values of this new {kind} would be written over those of {parent!r}",
                hint=f"Give it when the {kind} is made, which takes what is not given from it: "
                f"{kind}({field.name}=...).",
            )

    def _is_stale(self, instance: Any) -> bool:
        """Whether the fields that hold the key were set since the object was: each is set by itself."""
        related = instance.__dict__[self.field.name]
        held = self.field.held_by(instance)
        stale = held is not None and (related is None or self.field.value_of(related) != held)
        if stale:
            del instance.__dict__[self.field.name]
        return stale


class RawKey:
    """The key behind a foreign key (``story.section_id``), for instances that did not load it."""

    def __init__(self, field: Any) -> None:
        self.field, self.along = field, PREFIX + field.name

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        values = instance.__dict__
        return values[self.field.attname] if self.field.attname in values else instance.load_deferred(self.field)

    def __set__(self, instance: Any, value: Any) -> None:
        if instance.__dict__.get(self.field.attname) != value:
            instance.__dict__.pop(self.field.name, None)
            instance.__dict__.pop(self.along, None)
        instance.__dict__[self.field.attname] = value


class RelatedObject:
    """The descriptor of the other side of a one-to-one field: one object, or an error that says there is none."""

    def __init__(self, name: str, relation: Reverse) -> None:
        self.name = name
        self.target = relation.model
        self.path = self.keyed = str(relation.field.name)
        self.cache = f"_many_{name}"
        self.asked = f"_asked_{name}"
        self.relation = self
        self.many = False
        self.declared = relation.field

    @cached_property
    def anchor(self) -> Any:
        """The owner's field that the other row refers to."""
        return self.declared.target_field

    def key_reader(self, scope: Any) -> Callable[[Any], Any]:
        """A function from an instance to the driver's value of what the other row refers to."""
        return raw_reader(self.anchor, scope)

    def narrowing(self, owner: Any, start: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """See ``Related.narrowing``."""
        return (), ()

    @cached_property
    def _missing(self) -> type[Exception]:
        """An AttributeError too, as in Django: ``hasattr(place, "restaurant")`` tells whether there is one."""
        return type("RelatedObjectDoesNotExist", (self.target.DoesNotExist, AttributeError), {})

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        found = [instance.__dict__[self.name]] if self.name in instance.__dict__ else self._loaded(instance)
        if not found or found[0] is None:
            raise self._missing(f"{instance!r} has no {self.name}")
        return found[0]

    def _loaded(self, instance: Any) -> list[Any]:
        if instance._row is None:
            return []
        if not has_many(instance, self):
            refuse_unplanned(current_scope(), instance, self.name)
        return load_many(instance, self)

    def __set__(self, instance: Any, value: Any) -> None:
        """Let the other object refer to this one, and, with None, the one that did no more; it is saved by itself."""
        if value is not None and not isinstance(value, self.target._meta.concrete_model):
            raise ValidationError(
                f"{type(instance).__name__}.{self.name} takes a {self.target.__name__}, not {value!r}"
            )
        other = getattr(instance, self.name, None) if value is None else value
        if other is not None:
            setattr(other, self.path, None if value is None else instance)
        instance.__dict__[self.name] = value
