"""Relations as attributes: ``story.tags``, ``section.stories``, ``author.profile``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import new_class
from typing import Any, ClassVar, TypeVar

from toolkit.errors import DeclarationError, ValidationError, did_you_mean
from toolkit.models.batches import has_many, load_forward, load_many, note_forward, refuse_unplanned
from toolkit.models.queryset import ManagerDescriptor, QuerySet
from toolkit.models.relations import ForeignKey, ManyToManyField, Reverse
from toolkit.models.scopes import current_scope
from toolkit.trace import current

M = TypeVar("M", covariant=True)
R = TypeVar("R")


class Manager(QuerySet[M]):
    """Where the questions about a model start; subclass it and override ``get_queryset`` to narrow them.

    A manager is a queryset, so what it defines can be chained. Assign an object of it in the model's class::

        class Live(models.Manager["Story"]):
            def get_queryset(self):
                return super().get_queryset().filter(status="live")

        class Story(models.Model):
            objects = models.Manager["Story"]()
            live = Live()
    """

    _is_manager: ClassVar[bool] = True

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        """What stands in the model's class; the manager itself is made for each model that has it."""
        return ManagerDescriptor(cls, arguments, options)

    def __init__(self) -> None:
        """Override it to take arguments: ``by_status = ByStatus("live")``."""

    def get_queryset(self) -> Any:
        """Every row of the model, or of the relation, that the manager stands for."""
        clone = self._clone()
        clone._operations, clone._values = self._pristine_operations, self._pristine_values
        return clone

    @classmethod
    def from_queryset(cls, queryset: type[QuerySet[Any]], class_name: str | None = None) -> Any:
        """A manager class that has the questions of a QuerySet class too.

        Args:
            queryset: The QuerySet class.
            class_name: The name of the new class.
        """
        return type(class_name or f"{cls.__name__}From{queryset.__name__}", (cls, queryset), {})


def add_managers(model: Any) -> None:
    """Give a model the managers of its bases beside its own; ``objects`` if there are none.

    The first is the default one: those declared on the model, in their order, then those of its bases.
    """
    meta = model._meta
    meta.plain_manager = ManagerDescriptor(QuerySet, automatic=True)
    for kind in model.__mro__:
        for name, value in vars(kind).items():
            if isinstance(value, ManagerDescriptor) and not value.automatic:
                meta.managers.setdefault(name, value)
    if not meta.managers and not meta.abstract:
        model.objects = meta.managers["objects"] = ManagerDescriptor(QuerySet, automatic=True)
    for option in ("default_manager_name", "base_manager_name"):
        name = getattr(meta, option)
        if name is not None and name not in meta.managers:
            raise DeclarationError(
                f"{model.__name__}.Meta: {option} = {name!r} is no manager of the model",
                hint=did_you_mean(name, meta.managers),
            )


class RelatedManager(QuerySet[M]):
    """The partners of one row in a many-valued relation; a queryset that also adds and removes.

    Plain iteration loads the partners of all rows that were loaded together with the owner. A filter, an order or
    a slice asks for this owner's alone.
    """

    owner: Any
    relation: Related
    _plain: bool

    def _with(self, operation: Any, values: tuple[Any, ...] | None = None) -> Any:
        clone = super()._with(operation, values)
        clone._plain = False
        return clone

    def _replaced(self, operations: tuple[Any, ...], values: tuple[Any, ...]) -> Any:
        clone = super()._replaced(operations, values)
        clone._plain = False
        return clone

    def __reduce__(self) -> tuple[Any, ...]:
        self._fetch()
        state = {name: value for name, value in self.__dict__.items() if name not in ("owner", "relation")}
        return (_restored, (self.owner, self.relation.name, state))

    def _sliced(self, index: slice) -> Any:
        clone = super()._sliced(index)
        clone._plain = False
        return clone

    def _evaluate(self) -> list[Any]:
        if self._plain and self.owner._row is not None and not self._prefetch:
            if not has_many(self.owner, self.relation):
                refuse_unplanned(current_scope(), self.owner, self.relation.name)
            return load_many(self.owner, self.relation)
        return super()._evaluate()

    def count(self) -> int:
        """How many partners."""
        if self._plain and has_many(self.owner, self.relation):
            return len(self._evaluate())
        return super().count()

    def exists(self) -> bool:
        """Whether there is any partner."""
        if self._plain and has_many(self.owner, self.relation):
            return bool(self._evaluate())
        return super().exists()

    def get_queryset(self) -> Any:
        """Where the questions of a manager start, narrowed to this owner's partners."""
        found = super().get_queryset()
        kept = self._pristine_operations[0] in found._operations
        return found if kept or found is self else self.relation.narrow(found, self.owner)

    def add(self, *partners: Any, bulk: bool = True, through_defaults: Mapping[str, Any] | None = None) -> None:
        """Make these partners, given as instances or keys. Those that are already stay.

        Args:
            partners: Instances or keys.
            bulk: Of a foreign key: write all in one statement, rather than save each instance.
            through_defaults: Values for the other fields of the table between.
        """
        self.relation.add(self.owner, partners, bulk=bulk, through_defaults=through_defaults)

    def remove(self, *partners: Any) -> None:
        """Let these go."""
        self.relation.remove(self.owner, partners)

    def set(
        self, partners: Iterable[Any], *, clear: bool = False, through_defaults: Mapping[str, Any] | None = None
    ) -> None:
        """Have exactly these partners.

        Args:
            partners: Instances or keys.
            clear: Let all go first, rather than only those that are not named.
            through_defaults: Values for the other fields of the table between, for those that come.
        """
        self.relation.replace(self.owner, list(partners), clear=clear, through_defaults=through_defaults)

    def clear(self) -> None:
        """Let all go."""
        self.relation.replace(self.owner, [])

    def create(self, *, through_defaults: Mapping[str, Any] | None = None, **values: Any) -> M:
        """Make a row that is a partner from the start."""
        field = self.relation.declared
        if isinstance(field, ForeignKey):
            return super().create(**{field.name: self.owner, **values})
        with current_scope().database.atomic():
            created = super().create(**values)
            self.add(created, through_defaults=through_defaults)
            return created

    def bulk_create(self, rows: Iterable[R], **options: Any) -> list[R]:
        """Insert many rows that are partners from the start."""
        made = list(rows)
        field = self.relation.declared
        if isinstance(field, ForeignKey):
            for row in made:
                setattr(row, field.name, self.owner)
            return super().bulk_create(made, **options)
        with current_scope().database.atomic():
            super().bulk_create(made, **options)
            self.add(*made)
            return made


def _restored(owner: Any, name: str, state: dict[str, Any]) -> Any:
    """A related manager as it was pickled; its class is made anew."""
    manager = getattr(owner, name)
    manager.__dict__.update(state)
    return manager


def _new_class(name: str, bases: tuple[type, ...]) -> Any:
    return new_class(name, bases)


class Related:
    """The descriptor of a many-valued relation.

    Args:
        name: The attribute.
        relation: The many-to-many field, or the reverse of one or of a foreign key.
    """

    def __init__(self, name: str, relation: ManyToManyField[Any] | Reverse) -> None:
        self.name = name
        self.declared = relation.field if isinstance(relation, Reverse) else relation
        self.forward = not isinstance(relation, Reverse)
        self.target = self.declared.target if self.forward else self.declared.model
        self.path: str = self.declared.query_name if self.forward else self.declared.name
        self.cache = f"_many_{name}"
        self.asked = f"_asked_{name}"
        self.relation = self
        self.many = True
        self._managers: dict[Any, Any] = {}

    @cached_property
    def anchor(self) -> Any:
        """The owner's field that partners, or the rows between, refer to."""
        return self.declared.target_field if isinstance(self.declared, ForeignKey) else self._sides()[0].target_field

    @cached_property
    def _compared(self) -> Any:
        """The owner's field that a filter on ``path`` compares."""
        if isinstance(self.declared, ForeignKey):
            return self.declared.target_field
        return (self.declared.model if self.forward else self.declared.target)._meta.pk

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.declared if self.forward else self
        root = self.target._meta.default_manager
        kind = type(root)
        manager_class = self._managers.get(kind)
        if manager_class is None:
            manager_class = self._managers[kind] = _new_class(f"Related{kind.__name__}", (RelatedManager, kind))
        manager = object.__new__(manager_class)
        manager.__dict__.update(root.__dict__)
        manager.owner, manager.relation = instance, self
        manager._cache = None
        manager._shared = False
        value = getattr(instance, self._compared.attname)
        if value is None:
            raise ValidationError(
                f"{owner.__name__}.{self.name}: the {owner.__name__} has no key yet", hint="Save it first."
            )
        values = len(manager._values)
        manager._operations = (*manager._operations, self._is_partner(values))
        manager._values = (*manager._values, value)
        manager._pristine_operations, manager._pristine_values = (self._is_partner(0),), (value,)
        manager._plain = not root._operations  # a manager that narrows is asked, not read from what was loaded
        return manager

    def _is_partner(self, index: int) -> Any:
        return ("filter", ("q", "AND", False, ((self.path, "value", index),)))

    def narrow(self, rows: Any, owner: Any) -> Any:
        """A queryset of the target, narrowed to the partners of an owner."""
        value = getattr(owner, self._compared.attname)
        return rows._with(self._is_partner(len(rows._values)), (*rows._values, value))

    def __set__(self, instance: Any, value: Any) -> None:
        raise ValidationError(
            f"{type(instance).__name__}.{self.name} cannot be assigned", hint=f"Use {self.name}.set([...])."
        )

    # writing

    def _keys(self, partners: Iterable[Any], field: Any) -> list[Any]:
        """What refers to these partners, given as instances or keys; each once."""
        keys = []
        for partner in partners:
            if hasattr(partner, "_meta"):
                if not isinstance(partner, self.target._meta.concrete_model):
                    raise ValidationError(f"{self.name} takes {self.target.__name__} objects, not {partner!r}")
                keys.append(getattr(partner, field.attname))
            else:
                keys.append(partner)
        if None in keys:
            raise ValidationError(f"{self.name}: an unsaved object cannot be added", hint="Save it first.")
        return list(dict.fromkeys(field.to_python(key) for key in keys))

    def _sides(self) -> tuple[ForeignKey[Any], ForeignKey[Any]]:
        own, other = self.declared.link_fields()
        return (own, other) if self.forward else (other, own)

    def _other_keys(self, partners: Iterable[Any]) -> list[Any]:
        field = self.target._meta.pk if isinstance(self.declared, ForeignKey) else self._sides()[1].target_field
        return self._keys(partners, field)

    def _links(self) -> Any:
        return self.declared.through._meta.base_manager.unrestricted()

    def add(
        self,
        owner: Any,
        partners: Iterable[Any],
        *,
        bulk: bool = True,
        through_defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """See ``RelatedManager.add``."""
        owner.__dict__.pop(self.asked, None)
        if isinstance(self.declared, ForeignKey):
            self._add_by_key(owner, list(partners), bulk=bulk)
            return
        own, other = self._sides()
        mine, keys = getattr(owner, self.anchor.attname), self._other_keys(partners)
        with current_scope().database.atomic():
            self._link(own, other, mine, keys, through_defaults)
            if self.declared.symmetrical:
                for key in keys:
                    if key != mine:
                        self._link(own, other, key, [mine], through_defaults)

    def _add_by_key(self, owner: Any, partners: Sequence[Any], *, bulk: bool) -> None:
        """Make rows refer to the owner by their foreign key."""
        name = self.declared.name
        given = [partner for partner in partners if hasattr(partner, "_meta")]
        if not bulk:
            for partner in given:
                setattr(partner, name, owner)
                partner.save()
            partners = [partner for partner in partners if not hasattr(partner, "_meta")]
        keys = self._other_keys(partners)
        if keys:
            self.target._meta.base_manager.unrestricted().filter(pk__in=keys).update(**{name: owner})
        for partner in given:
            setattr(partner, name, owner)

    def _link(
        self, own: Any, other: Any, mine: Any, keys: Sequence[Any], defaults: Mapping[str, Any] | None = None
    ) -> None:
        """Add the rows between that are missing. One that another writer adds meanwhile stays as it is."""
        rows = self._links().filter(**{own.name: mine, f"{other.name}__in": keys})
        present = set(rows.values_list(other.attname, flat=True))
        extra = {name: value() if callable(value) else value for name, value in (defaults or {}).items()}
        through = self.declared.through
        made = [through(**{own.attname: mine, other.attname: key, **extra}) for key in keys if key not in present]
        if made:
            self._links().bulk_create(made)

    def remove(self, owner: Any, partners: Iterable[Any]) -> None:
        """See ``RelatedManager.remove``."""
        owner.__dict__.pop(self.asked, None)
        keys = self._other_keys(partners)
        mine = getattr(owner, self.anchor.attname)
        if isinstance(self.declared, ForeignKey):
            self._let_go(mine, keys)
            return
        own, other = self._sides()
        with current_scope().database.atomic():
            self._links().filter(**{own.name: mine, f"{other.name}__in": keys}).delete()
            if self.declared.symmetrical:
                self._links().filter(**{other.name: mine, f"{own.name}__in": keys}).delete()

    def _let_go(self, mine: Any, keys: Sequence[Any]) -> None:
        if not self.declared.null:
            raise ValidationError(
                f"{self.declared.model.__name__}.{self.declared.name} cannot be empty",
                hint="Give the rows another owner, or delete them.",
            )
        rows = self.target._meta.base_manager.unrestricted().filter(pk__in=keys, **{self.declared.name: mine})
        rows.update(**{self.declared.name: None})

    def _present(self, owner: Any) -> list[Any]:
        """What refers to the partners that there are, whoever may see them."""
        mine = getattr(owner, self.anchor.attname)
        if isinstance(self.declared, ForeignKey):
            rows = self.target._meta.base_manager.unrestricted().filter(**{self.declared.name: mine})
            return list(rows.order_by().values_list("pk", flat=True))
        own, other = self._sides()
        return list(self._links().filter(**{own.name: mine}).order_by().values_list(other.attname, flat=True))

    def replace(
        self,
        owner: Any,
        partners: list[Any],
        *,
        clear: bool = False,
        through_defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """See ``RelatedManager.set``."""
        keys = self._other_keys(partners)
        with current_scope().database.atomic():
            present = self._present(owner)
            gone = present if clear else [key for key in present if key not in keys]
            if gone:
                self.remove(owner, gone)
            self.add(owner, [key for key in keys if clear or key not in present], through_defaults=through_defaults)


class ForwardObject:
    """The descriptor of a foreign key: the object it refers to, loaded for all peers when first asked for."""

    def __init__(self, field: ForeignKey[Any]) -> None:
        self.field = field
        self.asked = f"_asked_{field.name}"

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.field
        field, values = self.field, instance.__dict__
        scope = current.get()
        if field.name not in values:
            if scope is not None and values.get(field.attname, self) is not None:
                refuse_unplanned(scope, instance, field.name)
            load_forward(instance, field)
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
        instance.__dict__.pop(self.asked, None)
        instance.__dict__[field.name] = value
        instance.__dict__[field.attname] = None if value is None else field.value_of(value)


class RelatedObject:
    """The descriptor of the other side of a one-to-one field: one object, or an error that says there is none."""

    def __init__(self, name: str, relation: Reverse) -> None:
        self.name = name
        self.target = relation.model
        self.path: str = relation.field.name
        self.cache = f"_many_{name}"
        self.asked = f"_asked_{name}"
        self.relation = self
        self.many = False
        self.declared = relation.field

    @cached_property
    def anchor(self) -> Any:
        """The owner's field that the other row refers to."""
        return self.declared.target_field

    @cached_property
    def _missing(self) -> type[Exception]:
        """An AttributeError too, as in Django: ``hasattr(place, "restaurant")`` tells whether there is one."""
        return type("RelatedObjectDoesNotExist", (self.target.DoesNotExist, AttributeError), {})

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        if instance._row is not None and not has_many(instance, self):
            refuse_unplanned(current_scope(), instance, self.name)
        found = load_many(instance, self) if instance._row is not None else []
        if not found:
            raise self._missing(f"{instance!r} has no {self.name}")
        return found[0]
