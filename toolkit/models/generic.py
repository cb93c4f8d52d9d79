"""References to a row of any model: ``GenericForeignKey``, and ``GenericRelation`` for the other side.

The model is kept by its name, ``"news.Story"``, in a column of the row that refers. So there is no table of content
types whose numbers differ from one database to the next, and a dump says what it means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from toolkit.errors import DeclarationError, ToolkitError, ValidationError, did_you_mean
from toolkit.i18n import gettext_lazy
from toolkit.models.along import PREFIX, Along
from toolkit.models.batches import Groups, ask_keyed, base_start, note_reference, peers_without, raw, refuse_unplanned
from toolkit.models.fetching import mode_of, spread
from toolkit.models.fields import CharField, Several, TextField
from toolkit.models.naming import filled
from toolkit.models.related import RelatedByKey, RelatedManager
from toolkit.models.relations import Referred, Reverse
from toolkit.models.scopes import current_scope
from toolkit.models.writing import unsaved
from toolkit.trace import current
from toolkit.validators.base import meant, refusal

T = TypeVar("T")
V = TypeVar("V")

NAME_LENGTH = 100
_NO_MODEL = gettext_lazy("%(shown)s is no model of this site")


def name_of(model: Any) -> str:
    """The name under which rows of a model are referred to; a proxy's are those of its table."""
    return str(model._meta.concrete_model._meta.label)


class ModelNameField(CharField[Any]):
    """The name of a model, such as ``"news.Story"``; takes a model class too."""

    def __init__(self, *, max_length: int = NAME_LENGTH, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)

    def to_python(self, value: Any) -> Any:
        if hasattr(value, "_meta"):
            return name_of(value)
        return super().to_python(value)

    def fitted(self, value: Any) -> Any:
        value = self.to_python(value)
        super().validate(value)  # which models there are is not known yet
        return value

    def validate(self, value: Any) -> None:
        """Refuse a name that is no model of the site."""
        super().validate(value)
        known = current_scope().database.schema.by_label
        if value not in known:
            raise refusal(_NO_MODEL, value, hint=meant(value, known))


class GenericForeignKey(Several):
    """A reference to one row of any model, kept in two fields: the model's name, and the row's key.

    It has no column of its own. Set it, read it, filter by instances, and load it with ``prefetch_related``: one
    statement for each model that is referred to. What it refers to may be saved after it was set, and before its row.

    Args:
        content_type_field: The name of the ``ModelNameField``.
        object_id_field: The name of the field with the key: a text, or of the kind of the keys referred to.
    """

    many_to_one = True

    def __init__(self, content_type_field: str = "content_type", object_id_field: str = "object_id") -> None:
        super().__init__((content_type_field, object_id_field), null=True)

    @property
    def type_field(self) -> Any:
        """The field with the model's name."""
        return self.parts[0]

    @property
    def id_field(self) -> Any:
        """The field with the row's key."""
        return self.parts[1]

    @property
    def is_text(self) -> bool:
        """Whether keys are kept as text, whatever they are in their own table."""
        return isinstance(self.id_field, CharField | TextField)

    def key_for(self, key: Any) -> Any:
        """A key as the field keeps it."""
        return self.id_field.to_python(str(key) if self.is_text else key)

    def split(self, value: Any) -> tuple[Any, ...]:
        name, key = self._referring(value)
        if key is None:
            raise ValidationError(f"{value!r} is not saved and has no key", code="invalid", hint="Save it first.")
        return name, key

    def _referring(self, value: Any) -> tuple[Any, Any]:
        """What the two fields say of an object; None for the key of one that is not saved yet."""
        if not hasattr(value, "_meta"):
            raise ValidationError(f"{value!r} is no row of a model", code="invalid", hint="Give an instance.")
        if value._meta.composite_key is not None:
            raise ValidationError(f"{value!r} has a composite key, which does not fit into one field", code="invalid")
        return name_of(value), None if value.pk is None else self.key_for(value.pk)

    def settle(self, instance: Any) -> None:
        known = self._known(instance)
        if known is None or known[1] is None or known[0][1] is not None:
            return
        if known[1].pk is None:
            raise unsaved(instance._meta, self.name, known[1])
        self.__set__(instance, known[1])

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        found = self._known(instance)
        scope, early = current.get(), None
        if found is None and self._along in instance.__dict__:
            early, found = instance.__dict__.pop(self._along)
            if found[0] == self._held(instance) and (scope is None or early.holds(scope)):
                instance.__dict__[self._cache] = found
            else:
                found = None
        if found is None:
            name, key = self._held(instance)
            if name is None or key is None:
                return None
            if scope is not None:
                refuse_unplanned(scope, instance, self.name)
            self._load_with_peers(scope, instance, early)
            found = self._known(instance)
        _, related = found or (None, None)
        if scope is not None and scope.trace is not None:
            self._note(scope, instance, related)
        return related

    def __set__(self, instance: Any, value: Any) -> None:
        name, key = (None, None) if value is None else self._referring(value)
        setattr(instance, self.type_field.attname, name)
        setattr(instance, self.id_field.attname, key)
        instance.__dict__[self._cache] = ((name, key), value)

    @property
    def _cache(self) -> str:
        return f"_generic_{self.name}"

    @property
    def _along(self) -> str:
        return PREFIX + self._cache

    def _held(self, instance: Any) -> tuple[Any, Any]:
        """The name and the key, as the fields have them once they are saved: a model may stand for its name."""
        name, key = getattr(instance, self.type_field.attname), getattr(instance, self.id_field.attname)
        if name is not None and name.__class__ is not str:
            name = self.type_field.to_python(name)
        if key is not None and key.__class__ is not self.id_field.native:
            key = self.id_field.to_python(key)
        return name, key

    def _is_fit(self, instance: Any) -> bool:
        """Whether the fields can have what an instance holds in them."""
        try:
            self._held(instance)
        except ValidationError:
            return False
        return True

    def _known(self, instance: Any) -> tuple[Any, Any] | None:
        """What was loaded, if the two fields still say the same."""
        found: tuple[Any, Any] | None = instance.__dict__.get(self._cache)
        return found if found is not None and found[0] == self._held(instance) else None

    def _load_with_peers(self, scope: Any, instance: Any, early: Along | None) -> None:
        """Load the object of an instance, and of its peers what is theirs until it is written."""
        made = Along(scope or current_scope(), type(instance))
        if early is not None:
            others = made.others(scope, instance, self._along, early)
        else:
            others = peers_without(instance, self._cache, self._along)
        others = [peer for peer in others if self._is_fit(peer)]
        self.load([instance, *others], made)
        for peer in others:
            peer.__dict__[self._along] = (made, peer.__dict__.pop(self._cache))

    def load(self, instances: Sequence[Any], along: Along | None = None) -> list[Any]:
        """Load the objects that instances refer to, one statement a model, and give them.

        Args:
            instances: They have the reference.
            along: Notes what was asked.
        """
        scope = current_scope()
        waiting: dict[str, list[Any]] = {}
        for each in instances:
            if self._known(each) is None:
                waiting.setdefault(self._held(each)[0] or "", []).append(each)
        for name, group in sorted(waiting.items()):
            model = scope.database.schema.by_label.get(name)
            found = {} if model is None else self._fetch(scope, model, group, along)
            for each in group:
                related = found.get(self._raw(scope, model, each))
                each.__dict__[self._cache] = (self._held(each), related[0] if related else None)
        every = (each.__dict__[self._cache][1] for each in instances)
        return [related for related in every if related is not None]

    def _fetch(self, scope: Any, model: Any, group: Sequence[Any], along: Along | None) -> Groups:
        keys = {self._raw(scope, model, each) for each in group} - {None}
        if not keys:
            return {}
        operations, values = base_start(model._meta)
        shape, found = ask_keyed(scope, model, operations, "pk", values, sorted(keys))
        if along is not None:
            along.asked.append(shape)
        spread(mode_of(group[0]), (each for one in found.values() for each in one))
        return found

    def _raw(self, scope: Any, model: Any, instance: Any) -> Any:
        """The driver's value of the key of the row referred to; None if it can be none of that model."""
        key = self._held(instance)[1]
        if key is None or model is None or model._meta.composite_key is not None:
            return None
        try:
            return raw(model._meta.pk, scope, model._meta.pk.to_python(key))
        except ToolkitError:
            return None

    def _note(self, scope: Any, instance: Any, related: Any) -> None:
        """Record that a page followed the reference."""
        model = scope.database.schema.by_label.get(self._held(instance)[0])
        key = self._raw(scope, model, instance)
        if key is not None:
            note_reference(scope, model, model._meta.pk, key, related)


class GenericRelation(Generic[T]):
    """The rows of another model that refer to this one by their ``GenericForeignKey``; they go with it.

    Args:
        to: The other model, or its name.
        content_type_field: The name of its ``ModelNameField``.
        object_id_field: The name of its field with the key.
        related_query_name: What this model is called in questions of the other, as in ``story__title``; ``%(class)s``
            stands for the model's name, where several inherit the relation.
    """

    @overload
    def __init__(
        self: GenericRelation[V],
        to: type[V],
        content_type_field: str = ...,
        object_id_field: str = ...,
        *,
        related_query_name: str | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: GenericRelation[Any],
        to: str,
        content_type_field: str = ...,
        object_id_field: str = ...,
        *,
        related_query_name: str | None = ...,
    ) -> None: ...
    def __init__(
        self,
        to: Any,
        content_type_field: str = "content_type",
        object_id_field: str = "object_id",
        *,
        related_query_name: str | None = None,
    ) -> None:
        self.to, self.names, self.related_query_name = (
            to,
            (content_type_field, object_id_field),
            related_query_name or "",
        )
        self.name = ""
        self.model: Any = None

    def contribute_virtual(self, model: Any, name: str) -> None:
        """Take a place on a model class.

        Raises:
            DeclarationError: It is a proxy.
        """
        if model._meta.proxy:
            raise DeclarationError(
                f"{model.__name__} is a proxy and cannot have relations of its own: {name}",
                hint=f"Declare it on {model._meta.concrete_model.__name__}.",
            )
        self.model, self.name = model, name
        model._meta.generic_relations[name] = self

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> RelatedManager[T]: ...
        def __get__(self, instance: Any, owner: type[Any]) -> Any: ...

    def resolve(self, names: Mapping[str, Any]) -> list[ToolkitError]:
        """Find the other side, and put the relation in place; the problems with it."""
        meta = self.model._meta
        where, target = f"{meta.label}.{self.name}", self.to
        if isinstance(target, str):
            full = target if "." in target else f"{meta.app_label}.{target}"
            target = names.get(full)
            if target is None:
                message = f"{where} refers to {self.to!r}, which is no model of this site"
                return [DeclarationError(message, hint=did_you_mean(full, names))]
        keys: Iterable[Any] = target._meta.virtual.values()
        key = next((each for each in keys if isinstance(each, GenericForeignKey) and each.names == self.names), None)
        if key is None:
            message = f"{where}: {target.__name__} has no GenericForeignKey over {' and '.join(self.names)}"
            return [DeclarationError(message, hint="Declare one, or name the fields of the one there is.")]
        meta.reverse[self.name] = GenericReverse(self.name, self.name, key, target)
        setattr(self.model, self.name, GenericRelated(self.name, key, target))
        return self._name_other_side(target._meta, key)

    def _name_other_side(self, other: Any, key: GenericForeignKey) -> list[ToolkitError]:
        """Let questions of the other model lead here; the problem with the name."""
        meta = self.model._meta
        name = filled(self.related_query_name, meta, f"{meta.label}.{self.name}")
        taken = other.reverse.get(name)
        if name in (*other.by_name, *other.virtual) or (taken is not None and taken.model is not self.model):
            message = f"{meta.label}.{self.name}: {other.object_name} already has something else under {name!r}"
            return [DeclarationError(message, hint="Give it a related_query_name of its own.")]
        if name:
            other.reverse[name] = Referred(name, None, key, self.model)
        return []


class GenericReverse(Reverse, frozen=True, eq=False):
    """A generic reference seen from a model that is referred to.

    Args:
        target: The model whose rows are meant: that of the reference, or one that inherits it.
    """

    target: Any

    @property
    def model(self) -> Any:
        return self.target


class GenericRelated(RelatedByKey):
    """The descriptor of a ``GenericRelation``.

    Args:
        name: Its name.
        declared: The generic reference.
        target: The model whose rows are meant.
    """

    def __init__(self, name: str, declared: Any, target: Any) -> None:
        super().__init__(name, declared)
        self.target = target

    @cached_property
    def _value_of(self) -> Callable[[Any], Any]:
        return lambda owner: None if owner.pk is None else owner

    def key_reader(self, scope: Any) -> Callable[[Any], Any]:
        key = self.declared
        return lambda owner: raw(key.id_field, scope, key.key_for(owner.pk))

    @property
    def keyed(self) -> str:
        return str(self.declared.names[1])

    def narrowing(self, owner: Any, start: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        kind = self.declared.names[0]
        return (("filter", ("(q)", "AND", False, ((kind, "value", start),))),), (name_of(owner),)

    def _assignments(self, owner: Any) -> dict[str, Any]:
        return dict(zip(self.declared.names, self.declared.split(owner), strict=True))

    def _let_go(self, rows: Any, *, bulk: bool) -> None:
        """Rows that refer to nothing are of no use: they are deleted, as in Django."""
        rows.all().delete()  # which tells of each row
