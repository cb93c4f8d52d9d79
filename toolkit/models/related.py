"""Relations to many rows as attributes: ``section.stories``; see ``related_between`` for ``story.tags``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from types import new_class
from typing import Any, ClassVar, Self, TypeVar

from toolkit.errors import FieldError, ValidationError, did_you_mean
from toolkit.models.asynchronous import AwaitedPartners
from toolkit.models.batches import raw_reader, refuse_unplanned
from toolkit.models.comparisons import shown
from toolkit.models.contention import again_after_deadlock
from toolkit.models.given import refuse_nameless, refuse_one
from toolkit.models.miscalled import telling
from toolkit.models.partners import has_many, load_many
from toolkit.models.queryset import QuerySet
from toolkit.models.routing import scope_from
from toolkit.models.scopes import current_scope
from toolkit.trace import current

M = TypeVar("M", covariant=True)
R = TypeVar("R")

_new = object.__new__

Defaults = Mapping[str, Any] | None
"""Values for the other fields of a table between."""


def atomic_for(owner: Any) -> Any:
    """A block that is written whole or not at all, where an owner's rows are."""
    return current_scope().of(type(owner), writing=True).database.atomic()


class _Values:
    """The values of a manager: those of all, and its owner's. Made when a question is asked of the database."""

    def __get__(self, manager: Any, kind: Any) -> tuple[Any, ...]:
        found: tuple[Any, ...] = (*manager._common["_values"], manager._own)
        manager.__dict__["_values"] = found
        return found


@telling
class RelatedManager(AwaitedPartners, QuerySet[M]):
    """The partners of one row in a many-valued relation; a queryset that also adds and removes.

    Plain iteration loads the partners of all rows that were loaded together with the owner. A filter, an order or
    a slice of what is not loaded asks for this owner's alone.
    """

    owner: Any
    relation: Related
    _own: Any
    """What partners have that refer to the owner."""
    _plain: bool
    _untouched: bool
    """Whether nothing was said but whose partners they are."""
    _common: ClassVar[Mapping[str, Any]]
    """What the managers of all owners have at first, as attributes of the class: a list of fifty rows makes fifty."""

    _more: ClassVar[Mapping[str, Any]]
    """What a manager's own ``__init__`` set, which a class would take for methods where it is functions."""

    _values: Any = _Values()

    @property
    def _pristine_values(self) -> tuple[Any, ...]:  # type: ignore[override]  # the owner has it
        return (self._own,)

    @property
    def _attributes(self) -> dict[str, Any]:
        """See ``Question._attributes``."""
        return {**self._common, "_values": self._values, **super()._attributes}

    def all(self) -> Self:
        """See ``QuerySet.all``; of a manager that says no more than whose partners, as a list does of each row."""
        if not self._untouched:
            return super().all()
        clone: Self = _new(self.__class__)
        clone.owner, clone.relation, clone._own = self.owner, self.relation, self._own
        return clone

    def _clone(self) -> Self:
        clone = super()._clone()
        clone._untouched = False
        return clone

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
        left = ("owner", "relation", "_asked_by")
        state = {name: value for name, value in self.__dict__.items() if name not in left}
        return (_restored, (self.owner, self.relation.name, state))

    def _sliced(self, index: slice) -> Any:
        clone = super()._sliced(index)
        if self._plain and has_many(self.owner, self.relation):
            clone._cache, clone._asked_by = self._evaluate()[index], current.get()
        clone._plain = False
        return clone

    def _fetch(self) -> list[Any]:
        """The rows; at once if they were loaded with the owner's peers and nobody records that they are read: of fifty
        rows, the way that forty-nine of them go."""
        if self._plain and self._cache is None and not self._prefetch:
            scope, known = current.get(), self.owner.__dict__.get(self.relation.cache)
            if known is not None and scope is not None and scope.trace is None:
                made = known[0]
                if made.eyes is scope.eyes and made.version == made.database.version:
                    self._cache, self._asked_by = known[1], scope
                    return self._cache
        return super()._fetch()

    def _evaluate(self) -> list[Any]:
        if self._plain and self.owner._row is not None and not self._prefetch:
            scope, known = scope_from(self.owner), self.owner.__dict__.get(self.relation.cache)
            if known is None or not known[0].holds(scope):
                refuse_unplanned(scope, self.owner, self.relation.name)
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

    def last(self) -> M | None:
        """The last partner, or None."""
        if self._plain and has_many(self.owner, self.relation):
            found = self._evaluate()
            return found[-1] if found else None
        return super().last()

    def contains(self, item: Any) -> bool:
        """See ``QuerySet.contains``."""
        if self._plain and has_many(self.owner, self.relation):
            self._fetch()
        return super().contains(item)

    def get_queryset(self) -> Any:
        """Where the questions of a manager start, narrowed to this owner's partners."""
        found = super().get_queryset()
        kept = self._pristine_operations[0] in found._operations
        return found if kept or found is self else self.relation.narrow(found, self.owner)

    @property
    def through(self) -> Any:
        """The model of the table between, of a many-to-many relation."""
        return self.relation.declared.through

    def __call__(self, *, manager: str) -> Any:
        """The same partners, asked through another manager of their model: ``section.stories(manager="live")``.

        Args:
            manager: Its name.
        """
        return self.relation.by_manager(self.owner, manager)

    def add(self, *partners: Any, bulk: bool = True, through_defaults: Mapping[str, Any] | None = None) -> None:
        """Make these partners, given as instances or keys. Those that are already stay.

        Args:
            partners: Instances or keys.
            bulk: Of a foreign key: write all in one statement, rather than save each instance.
            through_defaults: Values for the other fields of the table between.

        Raises:
            DoesNotExist: Of a foreign key: a row is not there.
        """
        refuse_nameless("add", "through_defaults", through_defaults)
        self._write(lambda: self.relation.add(self.owner, partners, bulk=bulk, through_defaults=through_defaults))

    def _write(self, work: Callable[[], None]) -> None:
        """Change which partners there are; once more if the database gave it up in a deadlock."""
        self._refuse_without_key()
        again_after_deadlock(work, current_scope().of(type(self.owner), writing=True).database)

    def _refuse_without_key(self) -> None:
        """Refuse to write where the owner has none of what its partners refer to."""
        if self.relation._value_of(self.owner) is None:
            named = f"{type(self.owner).__name__}.{self.relation.name}"
            raise ValidationError(
                f"{named}: {self.owner!r} has no {self.relation.compared.name}, which they refer to",
                hint="Set it, and save.",
            )

    def remove(self, *partners: Any, bulk: bool = True) -> None:
        """Let these go. Rows of a foreign key must be this owner's; to be no partner of many to many is no error.

        Args:
            partners: Instances or keys.
            bulk: Of a foreign key: write all in one statement, rather than save each instance.

        Raises:
            DoesNotExist: A row refers to somebody else, or is not there.
        """
        self._write(lambda: self.relation.remove(self.owner, self.relation.keys_of(partners), bulk=bulk))

    def set(
        self,
        partners: Iterable[Any],
        *,
        bulk: bool = True,
        clear: bool = False,
        through_defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """Have exactly these partners.

        Args:
            partners: Instances or keys.
            bulk: Of a foreign key: write all in one statement, rather than save each instance.
            clear: Let all go first, rather than only those that are not named.
            through_defaults: Values for the other fields of the table between, for those that come.
        """
        refuse_one("set", "partners", partners)
        refuse_nameless("set", "through_defaults", through_defaults)
        given, replace = list(partners), self.relation.replace
        self._write(lambda: replace(self.owner, given, bulk=bulk, clear=clear, through_defaults=through_defaults))

    def clear(self, *, bulk: bool = True) -> None:
        """Let all go.

        Args:
            bulk: Of a foreign key: write all in one statement, rather than save each instance.
        """
        self._write(lambda: self.relation.clear(self.owner, bulk=bulk))

    def create(self, /, *, through_defaults: Mapping[str, Any] | None = None, **values: Any) -> M:
        """Make a row that is a partner from the start."""
        self._refuse_without_key()
        name = self.relation.name_of_owner
        if name is not None:
            self.relation.refuse_between(through_defaults)
            return super().create(**{name: self.owner, **values})
        with atomic_for(self.owner):
            created = super().create(**values)
            self.add(created, through_defaults=through_defaults)
            return created

    def _get_or_create(self, defaults: Mapping[str, Any] | None, lookups: Mapping[str, Any]) -> tuple[M, bool]:
        """The same of this owner's partners; a new one takes ``through_defaults`` too."""
        given = {name: value for name, value in lookups.items() if name == "through_defaults"}
        rest = {name: value for name, value in lookups.items() if name not in given}
        return super()._get_or_create({**(defaults or {}), **given}, rest)

    def bulk_create(self, rows: Iterable[R], **options: Any) -> list[R]:
        """Insert many rows that are partners from the start."""
        self._refuse_without_key()
        refuse_one("bulk_create", "rows", rows)
        made = list(rows)
        name = self.relation.name_of_owner
        if name is not None:
            for row in made:
                setattr(row, name, self.owner)
            return super().bulk_create(made, **options)
        with atomic_for(self.owner):
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
        declared: The field that makes the relation.
        target: The model of the partners.
        path: The name that leads from a partner back to the owner.
    """

    many = True

    def __init__(self, name: str, declared: Any, target: Any, path: str) -> None:
        self.name, self.declared, self.target, self.path = name, declared, target, path
        self.cache = f"_many_{name}"
        self.asked = f"_asked_{name}"
        self.relation = self

    @property
    def name_of_owner(self) -> str | None:
        """The attribute of partners that is their owner; None if a table between has that."""
        return None

    @property
    def anchor(self) -> Any:
        """The owner's field that partners, or the rows between, refer to."""
        raise TypeError(f"{type(self).__name__} must define anchor")

    @property
    def keyed(self) -> str:
        """The name by which partners are asked for, for many owners at once."""
        return self.path

    def key_reader(self, scope: Any) -> Callable[[Any], Any]:
        """A function from an owner to the driver's value of what its partners have under ``keyed``."""
        return raw_reader(self.anchor, scope)

    def narrowing(self, owner: Any, start: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Operations and values that a keyed question needs beside its keys; the values are numbered from a start."""
        return (), ()

    @property
    def compared(self) -> Any:
        """The owner's field that a filter on ``path`` compares with."""
        return self.anchor

    @cached_property
    def _value_of(self) -> Callable[[Any], Any]:
        """A function from an owner to what a filter on ``path`` compares with."""
        return attrgetter(self.compared.attname)

    @property
    def of_model(self) -> Any:
        """What the attribute is of the model, and not of an instance."""
        return self

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.of_model
        value = self._value_of(instance)
        if value is None and (instance._row is None or instance.pk is None):
            raise ValidationError(
                f"{owner.__name__}.{self.name}: the {owner.__name__} has no key yet", hint="Save it first."
            )
        return self._manager(self._kind, instance, value)

    def _manager(self, kind: Any, owner: Any, own: Any) -> Any:
        manager = _new(kind)
        manager.owner, manager.relation, manager._own = owner, self, own
        if kind._more:
            manager.__dict__.update(kind._more)
        return manager

    @cached_property
    def _kind(self) -> type[RelatedManager[Any]]:
        return self._make_kind(self.target._meta.default_manager)

    def by_manager(self, owner: Any, name: str) -> Any:
        """See ``RelatedManager.__call__``."""
        managers = self.target._meta.managers
        if name not in managers:
            hint = did_you_mean(name, managers)
            raise FieldError(f"{self.target.__name__} has no manager {name!r}", hint=hint)
        manager = self._manager(self._make_kind(getattr(self.target, name)), owner, self._value_of(owner))
        manager._plain = manager._untouched = False
        return manager

    def _make_kind(self, root: Any) -> type[RelatedManager[Any]]:
        """The class of the managers of all owners, which has what they have in common."""
        kind: Any = _new_class(f"Related{type(root).__name__}", (RelatedManager, type(root)))
        plain = vars(QuerySet(self.target))
        kind._more = more = {name: value for name, value in root.__dict__.items() if name not in plain}
        kind._common = common = {
            **root.__dict__,
            "_cache": None,
            "_shared": False,
            "_operations": (*root._operations, self._is_partner(len(root._values))),
            "_pristine_operations": (self._is_partner(0),),
            "_plain": not root._operations,  # a manager that narrows is asked, not read from what was loaded
            "_untouched": not more and type(root).all is QuerySet.all,
        }
        for name in common.keys() - more.keys() - {"_values"}:
            setattr(kind, name, common[name])
        return kind  # type: ignore[no-any-return]

    def _is_partner(self, index: int) -> Any:
        return ("filter", ("(q)", "AND", False, ((self.path, "value", index),)))

    def narrow(self, rows: Any, owner: Any) -> Any:
        """A queryset of the target, narrowed to the partners of an owner."""
        return rows._with(self._is_partner(len(rows._values)), (*rows._values, self._value_of(owner)))

    def __set__(self, instance: Any, value: Any) -> None:
        raise ValidationError(
            f"{type(instance).__name__}.{self.name} cannot be assigned", hint=f"Use {self.name}.set([...])."
        )

    # writing

    def _keys(self, partners: Iterable[Any], field: Any) -> list[Any]:
        """What refers to these partners, given as instances or keys; each once."""
        keys = []
        for partner in partners:
            if isinstance(partner, set | frozenset | QuerySet) or (isinstance(partner, list) and not field.is_several):
                hint = "Put * before it, which gives its items one by one; set() takes a list."
                raise ValidationError(f"{self.name} takes objects or keys, not {shown(partner)}", hint=hint)
            if hasattr(partner, "_meta"):
                if not isinstance(partner, self.target._meta.concrete_model):
                    raise ValidationError(f"{self.name} takes {self.target.__name__} objects, not {partner!r}")
                keys.append(getattr(partner, field.attname))
            else:
                keys.append(partner)
        if None in keys:
            raise ValidationError(f"{self.name}: an unsaved object cannot be added", hint="Save it first.")
        try:
            return list(dict.fromkeys(field.to_python(key) for key in keys))
        except ValidationError as error:
            raise ValidationError(f"{self.name}: {error.message}", hint=error.hint) from error

    def keys_of(self, partners: Iterable[Any]) -> list[Any]:
        """What refers to these partners."""
        return self._keys(partners, self.target._meta.pk)

    def refuse_between(self, through_defaults: Defaults) -> None:
        """Refuse values for the rows of a table between where there is none."""

    def add(self, owner: Any, partners: Iterable[Any], *, bulk: bool = True, through_defaults: Defaults = None) -> None:
        """See ``RelatedManager.add``."""
        raise TypeError(f"{type(self).__name__} must define add()")

    def remove(self, owner: Any, keys: Sequence[Any], *, bulk: bool = True) -> None:
        """See ``RelatedManager.remove``; takes what refers to the partners."""
        raise TypeError(f"{type(self).__name__} must define remove()")

    def present(self, owner: Any) -> list[Any]:
        """What refers to the partners that there are, whoever may see them."""
        rows = self.narrow(self.target._meta.base_manager.unrestricted(), owner)
        return list(rows.order_by().values_list("pk", flat=True))

    def clear(self, owner: Any, *, bulk: bool = True) -> None:
        """See ``RelatedManager.clear``."""
        self.replace(owner, [], bulk=bulk)

    def replace(
        self,
        owner: Any,
        partners: list[Any],
        *,
        bulk: bool = True,
        clear: bool = False,
        through_defaults: Defaults = None,
    ) -> None:
        """See ``RelatedManager.set``."""
        new = [one for one in partners if not bulk and hasattr(one, "_meta") and one.pk is None]
        known = [one for one in partners if one not in new]
        keys = self.keys_of(known)
        with atomic_for(owner):
            present, wanted = dict.fromkeys(self.present(owner)), frozenset(keys)
            gone = [key for key in present if key not in wanted]
            if clear and present:
                self.clear(owner, bulk=bulk)
            elif gone:
                self.remove(owner, gone, bulk=bulk)
            given = {} if bulk else {self.keys_of([one])[0]: one for one in known}
            come = [given.get(key, key) for key in keys if clear or key not in present]
            self.add(owner, [*come, *new], bulk=bulk, through_defaults=through_defaults)


class RelatedByKey(Related):
    """Rows that refer to their owner by a foreign key of their own."""

    def __init__(self, name: str, declared: Any) -> None:
        super().__init__(name, declared, declared.model, declared.name)

    @property
    def name_of_owner(self) -> str:
        return str(self.declared.name)

    @cached_property
    def anchor(self) -> Any:
        """The owner's field that partners refer to."""
        return self.declared.target_field

    def _assignments(self, owner: Any) -> dict[str, Any]:
        """What ``update()`` sets to make rows an owner's."""
        return {self.declared.name: owner}

    def add(self, owner: Any, partners: Iterable[Any], *, bulk: bool = True, through_defaults: Defaults = None) -> None:
        """See ``RelatedManager.add``."""
        self.refuse_between(through_defaults)
        owner.__dict__.pop(self.asked, None)
        partners = list(partners)
        given = [partner for partner in partners if hasattr(partner, "_meta")]
        with atomic_for(owner):
            if not bulk:
                for partner in given:
                    setattr(partner, self.declared.name, owner)
                    partner.save()
                partners = [partner for partner in partners if not hasattr(partner, "_meta")]
            keys = self.keys_of(partners)
            if keys:
                rows = self.target._meta.base_manager.unrestricted().filter(pk__in=keys)
                if rows.update(**self._assignments(owner)) < len(keys):
                    self._refuse_missing(owner, rows, keys)
        for partner in given:
            setattr(partner, self.declared.name, owner)

    def refuse_between(self, through_defaults: Defaults) -> None:
        """Refuse values for the rows of a table between, which there is not.

        Raises:
            FieldError: There are some.
        """
        if through_defaults:
            needless = f"{self.target.__name__}.{self.declared.name} needs none"
            raise FieldError(
                f"{self.name}: through_defaults is for a table between, and {needless}",
                hint=f"Set the fields of {self.target.__name__} itself.",
            )

    def _refuse_missing(self, owner: Any, rows: Any, keys: Sequence[Any]) -> None:
        """Refuse rows that are not there.

        Raises:
            DoesNotExist: Always.
        """
        there = set(rows.order_by().values_list("pk", flat=True))
        missing = next(key for key in keys if key not in there)
        raise self.target.DoesNotExist(
            f"{type(owner).__name__}.{self.name}.add(): there is no {self.target.__name__} {missing!r}, and nothing "
            "was changed",
            hint="Save it first.",
        )

    def remove(self, owner: Any, keys: Sequence[Any], *, bulk: bool = True) -> None:
        """See ``RelatedManager.remove``."""
        owner.__dict__.pop(self.asked, None)
        rows = self.narrow(self.target._meta.base_manager.unrestricted(), owner).filter(pk__in=keys)
        with atomic_for(owner):
            self._refuse_strangers(owner, rows, keys)
            self._let_go(rows, bulk=bulk)

    def _refuse_strangers(self, owner: Any, rows: Any, keys: Sequence[Any]) -> None:
        """Refuse to let go of rows that refer to somebody else.

        Raises:
            DoesNotExist: One of them does.
        """
        there = set(rows.order_by().values_list("pk", flat=True))
        strangers = [key for key in keys if key not in there]
        if strangers:
            target = self.target
            raise target.DoesNotExist(
                f"{type(owner).__name__}.{self.name}.remove(): {target.__name__} {strangers[0]!r} is none of "
                f"{owner}'s, and nothing was changed",
                hint="Filter them first, or remove them from their own.",
            )

    def _let_go(self, rows: Any, *, bulk: bool) -> None:
        if not self.declared.null:
            raise ValidationError(
                f"{self.declared.model.__name__}.{self.declared.name} cannot be empty",
                hint="Give the rows another owner, or delete them.",
            )
        if bulk:
            rows.update(**{self.declared.name: None})
            return
        for row in rows.order_by("pk"):
            setattr(row, self.declared.name, None)
            row.save(update_fields=[self.declared.name])
