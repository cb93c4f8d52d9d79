"""Relations as attributes: ``story.tags``, ``section.stories``, ``author.profile``."""

from __future__ import annotations

from collections.abc import Iterable
from types import new_class
from typing import Any, TypeVar

from toolkit.errors import ValidationError
from toolkit.models.batches import has_many, load_forward, load_many, note_forward, refuse_unplanned
from toolkit.models.queryset import QuerySet
from toolkit.models.relations import ForeignKey, ManyToManyField, Reverse
from toolkit.models.scopes import current_scope
from toolkit.trace import current

M = TypeVar("M", covariant=True)
R = TypeVar("R")


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

    def add(self, *partners: Any) -> None:
        """Make these partners, given as instances or keys. Those that are already stay."""
        self.relation.add(self.owner, partners)

    def remove(self, *partners: Any) -> None:
        """Let these go."""
        self.relation.remove(self.owner, partners)

    def set(self, partners: Iterable[Any]) -> None:
        """Have exactly these partners."""
        self.relation.replace(self.owner, list(partners))

    def clear(self) -> None:
        """Let all go."""
        self.relation.replace(self.owner, [])

    def create(self, **values: Any) -> M:
        """Make a row that is a partner from the start."""
        field = self.relation.declared
        if isinstance(field, ForeignKey):
            return super().create(**{field.name: self.owner, **values})
        with current_scope().database.atomic():
            created = super().create(**values)
            self.add(created)
            return created

    def bulk_create(self, rows: Iterable[R], *, batch_size: int = 5000) -> list[R]:
        """Insert many rows that are partners from the start."""
        made = list(rows)
        field = self.relation.declared
        if isinstance(field, ForeignKey):
            for row in made:
                setattr(row, field.name, self.owner)
            return super().bulk_create(made, batch_size=batch_size)
        with current_scope().database.atomic():
            super().bulk_create(made, batch_size=batch_size)
            self.add(*made)
            return made


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
        self.relation = self
        self._managers: dict[Any, Any] = {}

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.declared if self.forward else self
        if instance.pk is None:
            raise ValidationError(
                f"{owner.__name__}.{self.name}: the {owner.__name__} has no key yet", hint="Save it first."
            )
        root = self.target.objects
        kind = type(root)
        manager_class = self._managers.get(kind)
        if manager_class is None:
            manager_class = self._managers[kind] = _new_class(f"Related{kind.__name__}", (RelatedManager, kind))
        manager = manager_class.__new__(manager_class)
        manager.__dict__.update(root.__dict__)
        values = len(manager._values)
        manager._operations = (
            *manager._operations,
            ("filter", ("q", "AND", False, ((self.path, "value", values),))),
        )
        manager._values = (*manager._values, instance.pk)
        manager._cache = None
        manager._shared = False
        manager.owner, manager.relation = instance, self
        manager._plain = not root._operations  # a manager that narrows is asked, not read from what was loaded
        return manager

    def __set__(self, instance: Any, value: Any) -> None:
        raise ValidationError(
            f"{type(instance).__name__}.{self.name} cannot be assigned", hint=f"Use {self.name}.set([...])."
        )

    # writing

    def _keys(self, partners: Iterable[Any]) -> list[Any]:
        keys = []
        for partner in partners:
            if hasattr(partner, "_meta") and not isinstance(partner, self.target):
                raise ValidationError(f"{self.name} takes {self.target.__name__} objects, not {partner!r}")
            keys.append(getattr(partner, "pk", partner))
        if None in keys:
            raise ValidationError(f"{self.name}: an unsaved object cannot be added", hint="Save it first.")
        read = self.target._meta.pk.to_python
        return list(dict.fromkeys(read(key) for key in keys))

    def _sides(self) -> tuple[ForeignKey[Any], ForeignKey[Any]]:
        own, other = self.declared.link_fields()
        return (own, other) if self.forward else (other, own)

    def add(self, owner: Any, partners: Iterable[Any]) -> None:
        """See ``RelatedManager.add``."""
        keys = self._keys(partners)
        if isinstance(self.declared, ForeignKey):
            self.target.objects.unrestricted().filter(pk__in=keys).update(**{self.declared.name: owner})
            return
        own, other = self._sides()
        links = self.declared.through.objects.unrestricted()
        with current_scope().database.atomic():
            present = set(
                links.filter(**{own.name: owner.pk, f"{other.name}__in": keys}).values_list(other.attname, flat=True)
            )
            links.bulk_create(
                [
                    self.declared.through(**{own.attname: owner.pk, other.attname: key})
                    for key in keys
                    if key not in present
                ]
            )

    def remove(self, owner: Any, partners: Iterable[Any]) -> None:
        """See ``RelatedManager.remove``."""
        keys = self._keys(partners)
        if isinstance(self.declared, ForeignKey):
            if not self.declared.null:
                raise ValidationError(
                    f"{self.declared.model.__name__}.{self.declared.name} cannot be empty",
                    hint="Give the rows another owner, or delete them.",
                )
            rows = self.target.objects.unrestricted().filter(pk__in=keys, **{self.declared.name: owner.pk})
            rows.update(**{self.declared.name: None})
            return
        own, other = self._sides()
        links = self.declared.through.objects.unrestricted()
        links.filter(**{own.name: owner.pk, f"{other.name}__in": keys}).delete()

    def replace(self, owner: Any, partners: list[Any]) -> None:
        """See ``RelatedManager.set``."""
        keys = self._keys(partners)
        with current_scope().database.atomic():
            present = list(self.__get__(owner, type(owner)).unrestricted().order_by().values_list("pk", flat=True))
            gone = [key for key in present if key not in keys]
            if gone:
                self.remove(owner, gone)
            self.add(owner, [key for key in keys if key not in present])


class ForwardObject:
    """The descriptor of a foreign key: the object it refers to, loaded for all peers when first asked for."""

    def __init__(self, field: ForeignKey[Any]) -> None:
        self.field = field

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
        if value is not None and not isinstance(value, field.target):
            raise ValidationError(
                f"{field.model.__name__}.{field.name} takes a {field.target.__name__}, not {value!r}",
                hint=f"To set the key itself, assign to {field.attname}.",
            )
        instance.__dict__[field.name] = value
        instance.__dict__[field.attname] = None if value is None else value.pk


class RelatedObject:
    """The descriptor of the other side of a one-to-one field: one object, or an error that says there is none."""

    def __init__(self, name: str, relation: Reverse) -> None:
        self.name = name
        self.target = relation.model
        self.path: str = relation.field.name
        self.cache = f"_many_{name}"
        self.relation = self

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        if instance._row is not None and not has_many(instance, self):
            refuse_unplanned(current_scope(), instance, self.name)
        found = load_many(instance, self) if instance._row is not None else []
        if not found:
            raise self.target.DoesNotExist(f"{instance!r} has no {self.name}")
        return found[0]
