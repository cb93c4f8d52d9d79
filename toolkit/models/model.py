"""The model class: a table's rows as Python objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import getattr_static
from typing import TYPE_CHECKING, Any, ClassVar, Self

from toolkit.errors import (
    NON_FIELD_ERRORS,
    FieldError,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    ValidationError,
    near_or_all,
)
from toolkit.lazily import LazyModule
from toolkit.models.asynchronous import AwaitedRow
from toolkit.models.batches import without_questions
from toolkit.models.declaring import ModelBase
from toolkit.models.deferred import load_deferred
from toolkit.models.fields import Field
from toolkit.models.options import Options
from toolkit.models.queryset import QuerySet
from toolkit.models.routing import scope_using
from toolkit.models.rowstates import RowState
from toolkit.models.scopes import current_scope
from toolkit.models.translations import shown_locale, translate
from toolkit.trace import Scope

if TYPE_CHECKING:
    from toolkit.models import checking, deleting, elsewhere, refreshing, saving
    from toolkit.models.checking import Errors
    from toolkit.models.plans import DeletionPlan
else:
    checking = LazyModule("toolkit.models.checking")
    deleting = LazyModule("toolkit.models.deleting")
    elsewhere = LazyModule("toolkit.models.elsewhere")
    refreshing = LazyModule("toolkit.models.refreshing")
    saving = LazyModule("toolkit.models.saving")


class Model(AwaitedRow, metaclass=ModelBase):
    """A row of a table.

    Subclass it and declare fields; ``class Meta`` says what concerns the whole table (see ``Options``).

    Args:
        values: Values by field name; a foreign key takes an instance, or a key as ``section_id``.

    Raises:
        FieldError: A name is no field of the model.
    """

    _meta: ClassVar[Options]
    objects: ClassVar[QuerySet[Self]]
    DoesNotExist: ClassVar[type[ObjectDoesNotExist]]
    MultipleObjectsReturned: ClassVar[type[MultipleObjectsReturned]]

    # in slots, for a row of many columns costs a larger dict with each key more
    __slots__ = ("__dict__", "__weakref__", "_peers", "_row")
    _row: Any
    """The row as it was read; empty once it was written, None before it is in the database."""
    _peers: Any
    """The instances that were loaded with this one."""
    if TYPE_CHECKING:
        id: int

    def __init__(self, /, **values: Any) -> None:
        self._row = self._peers = None
        meta, state, taken = self._meta, self.__dict__, 0
        for name, attname, is_plain, constant, make in meta.initial:
            if name in values:
                taken += 1
                if is_plain:
                    state[attname] = values[name]
                else:
                    setattr(self, name, values[name])
            elif name is not attname and attname in values:
                taken += 1
                state[attname] = values[attname]
            else:
                state[attname] = constant if make is None else make()
        for parent, link in meta.parents.items():
            if values.get(link.name) is not None:
                self._take_from_parent(parent._meta, values[link.name], values)
        if taken < len(values):
            self._take_names_of_no_column(values)
        for field in meta.storing:
            field.after_init(self)

    def _take_from_parent(self, meta: Options, row: Any, given: Mapping[str, Any]) -> None:
        """Take what is not given from the parent's row, which is there: defaults would be written over it."""
        for field in meta.fields:
            if field.name not in given and field.attname not in given:
                if field.attname not in row.__dict__:
                    getattr(row, field.attname)  # was not loaded yet
                self.__dict__[field.attname] = row.__dict__[field.attname]

    def _take_names_of_no_column(self, values: dict[str, Any]) -> None:
        """Set what is no field with a column: ``pk``, generic references, keys of several columns."""
        meta = self._meta
        if "pk" in values:
            same = (*meta.key, *(field for field, link in meta.stand_ins.items() if link is meta.pk))
            if any(each.name in values or each.attname in values for each in same):
                raise _not_taken(meta, "pk")
        for name, attname, *_ in meta.initial:
            values.pop(name if name in values else attname, None)
        if "pk" in values:
            self.pk = values.pop("pk")
        for name in meta.virtual.keys() & values.keys():
            setattr(self, name, values.pop(name))
        for key in meta.spread_keys:
            for name in (key.name, key.attname):
                if name in values:
                    setattr(self, name, values.pop(name))
        for name, value in values.items():
            known = getattr_static(type(self), name, None)
            if not isinstance(known, property) or known.fset is None:
                raise _not_taken(meta, name)
            setattr(self, name, value)

    @property
    def pk(self) -> Any:
        """The value of the primary key; None before the row is saved."""
        return self.__dict__.get(self._meta.pk.attname)

    @pk.setter
    def pk(self, value: Any) -> None:
        setattr(self, self._meta.pk.attname, value)
        for field, link in self._meta.stand_ins.items():
            if link is self._meta.pk:
                self.__dict__[field.attname] = value

    @property
    def _state(self) -> RowState:
        """Whether there is a row of it (``_state.adding``), and in which database (``_state.db``)."""
        return RowState(self)

    def __str__(self) -> str:
        return f"{self._meta.object_name} {self.pk}"

    def __repr__(self) -> str:
        return f"<{self._meta.object_name}: {self}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        if self is other:
            return True
        same = self._meta.concrete_model is other._meta.concrete_model  # a proxy's row is the row itself
        return same and self.pk is not None and self.pk == other.pk

    def __hash__(self) -> int:
        if self.pk is None:
            raise TypeError(f"an unsaved {self._meta.object_name} has no key and cannot be hashed")
        return hash((self._meta.concrete_model, self.pk))

    def __reduce__(self) -> tuple[Any, ...]:
        # without the peers: each instance would take all that were loaded with it along
        return (blank_instance, (type(self),), (without_questions(self), {"_row": self._row}))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What a ``Prefetch`` keeps under a name of its own (``to_attr``), as a read of the page at hand."""
            asked = self.__dict__.get(f"_asked_{name}")
            if hasattr(type(self), name):  # what it is of, raised an AttributeError
                object.__getattribute__(self, name)
            if asked is None:
                complaint = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(elsewhere.of_instance(complaint, name, self))
            return asked.value(asked.note(current_scope(), self))

    def __fragment_key__(self) -> tuple[Any, ...]:
        """What stands for this row in the key of a template's fragment: its values as they are, changed or not.

        Objects that it refers to are left out, for their keys are among the values. What a ``Prefetch`` narrowed down
        is not known by its value: such an instance stands for itself.
        """
        found: list[Any] = []
        for name, value in self.__dict__.items():
            if name[0] == "_":
                if name in ("_mask", "_database", "_narrowed") or name.startswith("_asked_"):
                    found += (name, value)
            elif not isinstance(value, Model):
                found += (name, value if value.__hash__ is not None else repr(value))
        return tuple(found)

    def natural_key(self) -> tuple[Any, ...]:
        """The values of ``Meta.natural_key``, which tell the row to people and in data files; empty if it has none."""
        return tuple(getattr(self, name) for name in self._meta.natural_key)

    # validation

    def clean(self) -> None:
        """Refuse a row whose fields do not fit together. Override it; raise ``ValidationError``."""

    def clean_fields(self, exclude: Iterable[str] | None = None) -> None:
        """Check each field's value, and put the cleaned values in place.

        Raises:
            ValidationError: Its ``errors`` has the errors of each field.
        """
        errors: Errors = {}
        skipped = checking.excluded("clean_fields", exclude)
        given = {*self._meta.stand_ins, *self._meta.parents.values(), self._meta.pk}  # by the database, or by saving
        for field in self._meta.fields:
            if field.name in skipped or (field in given and self.__dict__.get(field.attname) is None):
                continue
            if self._row is not None and field.attname not in self.__dict__:
                continue  # not loaded, so as the database has it
            value = self.__dict__.get(field.attname)
            if value is None and field.blank and not field.null and field.empty is None:
                continue  # clean() gives it one, or saving does, such as the moment of ``auto_now``
            try:
                self.__dict__[field.attname] = field.clean(value)
            except ValidationError as error:
                errors[field.name] = error.error_list
        if errors:
            raise checking.row_error(type(self), errors)

    def validate_unique(self, exclude: Iterable[str] | None = None) -> None:
        """Refuse a row that agrees with another in a field that is unique, or unique for a date.

        Args:
            exclude: Names of fields that are not looked at.

        Raises:
            ValidationError: Its ``errors`` has the errors of each field.
        """
        skipped = checking.excluded("validate_unique", exclude)
        if errors := checking.find_errors(checking.unique_errors, self._writing_scope(), self, skipped):
            raise checking.row_error(type(self), errors)

    def validate_constraints(self, exclude: Iterable[str] | None = None) -> None:
        """Refuse a row that would break a constraint of ``Meta.constraints``, with the words that the constraint has,
        or that refers to a row that is not there.

        Args:
            exclude: Names of fields; constraints that speak of one of them are not looked at.

        Raises:
            ValidationError: Its ``errors`` has the errors of each field.
        """
        errors: Errors = {}
        skipped = checking.excluded("validate_constraints", exclude)
        for look in (checking.reference_errors, checking.constraint_errors):
            for name, found in checking.find_errors(look, self._writing_scope(), self, skipped).items():
                errors.setdefault(name, []).extend(found)
        if errors:
            raise checking.row_error(type(self), errors)

    def full_clean(
        self, exclude: Iterable[str] | None = None, *, validate_unique: bool = True, validate_constraints: bool = True
    ) -> None:
        """Check everything that can be known before the row is written, and tell all that is wrong at once.

        The fields come first, then ``clean()``, then what must be unique, then the constraints. A field that was
        refused is not looked at again.

        Args:
            exclude: Names of fields that are not looked at.
            validate_unique: Look for rows that have the same.
            validate_constraints: Look at ``Meta.constraints``, and for the rows that it refers to.

        Raises:
            ValidationError: Its ``errors`` has the errors of each field; those of no one field under ``"__all__"``.
        """
        errors: Errors = {}
        wrong = set(checking.excluded("full_clean", exclude))

        def run(step: Callable[[], None]) -> None:
            try:
                step()
            except ValidationError as error:
                checking.add_error(errors, error)
                wrong.update(name for name in errors if name != NON_FIELD_ERRORS)

        run(lambda: self.clean_fields(exclude=wrong))
        run(self.clean)
        if validate_unique:
            run(lambda: self.validate_unique(exclude=wrong))
        if validate_constraints:
            run(lambda: self.validate_constraints(exclude=wrong))
        if errors:
            raise checking.row_error(type(self), errors)

    # writing

    def save(
        self,
        *,
        update_fields: Iterable[str] | None = None,
        force_insert: bool | tuple[type[Any], ...] = False,
        force_update: bool = False,
        even_if_stale: bool = False,
    ) -> None:
        """Write the row: insert a new one, update one that was loaded.

        Of a row that was loaded in part, the fields that it has are written. A new row with a key that was set is
        updated if it is there, unless a default makes such keys.

        Args:
            update_fields: Only these fields; of none, nothing happens.
            force_insert: Insert, and fail if the key is taken. Parents with a table are updated where their row is
                there, unless they are named: ``force_insert=(Place,)``.
            force_update: Update, and fail if there is no such row.
            even_if_stale: Of a model with a ``VersionField``: write over what others wrote since the row was read.

        Raises:
            IntegrityError: A constraint was broken, or there is no such row; nothing was written.
            StaleInstanceError: The row was changed since it was read; nothing was written.
            FieldError: The arguments contradict each other, or name what the model has not.
        """
        saving.save_instance(
            self._writing_scope(),
            self,
            update_fields=update_fields,
            force_insert=force_insert,
            force_update=force_update,
            even_if_stale=even_if_stale,
        )

    def delete(self, *, even_if_stale: bool = False) -> dict[str, int]:
        """Delete the row and what depends on it, as ``on_delete`` says.

        Args:
            even_if_stale: Of a model with a ``VersionField``: though it was changed since it was read.

        Returns:
            How many rows went, by model.

        Raises:
            ProtectedError: Rows that protect it still refer to it.
            StaleInstanceError: The row was changed since it was read; nothing was deleted.
        """
        return deleting.delete_instance(self._writing_scope(), self, even_if_stale=even_if_stale)

    def _writing_scope(self) -> Scope:
        """The current scope, for the database that the row is written to: that which ``using()`` loaded it from."""
        place = self.__dict__.get("_database")
        if place:
            return scope_using(place, type(self), writing=True)
        return current_scope().of(type(self), writing=True)

    def deletion_plan(self) -> DeletionPlan:
        """What ``delete()`` would do: the rows that go along, those that are changed, those that stand in the way."""
        return deleting.plan_of(current_scope(), self._meta.concrete_model, [self.pk])

    def translate(self, locale: str, **values: Any) -> Any:
        """Save the translated fields in another locale, beside the row's own values.

        Args:
            locale: Such as ``"es"``.
            values: Translated values by field name.

        Returns:
            The row of the translation.
        """
        return translate(self, locale, values)

    @property
    def shown_locale(self) -> str:
        """The locale whose text the translated fields show in this scope."""
        return shown_locale(self)

    # reading again

    def refresh_from_db(self, fields: Iterable[str] | None = None, *, from_queryset: Any = None) -> None:
        """Load the row again, and forget its loaded relations.

        Args:
            fields: Only these; all by default.
            from_queryset: Where to look, such as a queryset that locks: ``Story.objects.select_for_update()``.

        Raises:
            ObjectDoesNotExist: It is gone.
        """
        refreshing.refresh(self, fields, from_queryset)

    def get_deferred_fields(self) -> set[str]:
        """The names of the fields that were not loaded, keys of other rows as ``section_id``."""
        return {field.attname for field in self._meta.fields if field.attname not in self.__dict__}

    def load_deferred(self, field: Field[Any]) -> Any:
        """The value of a field that was left out by ``only()`` or ``defer()``, loaded for the peers too."""
        if self._row is None:
            raise AttributeError(f"{self._meta.object_name} has no {field.attname!r} yet")
        load_deferred(self, field)
        return self.__dict__[field.attname]


def blank_instance(model: Any) -> Any:
    """An instance without values, to be filled by who knows them."""
    instance = model.__new__(model)
    instance._row = instance._peers = None
    return instance


def _not_taken(meta: Any, name: str) -> FieldError:
    """The error for a name that a new row cannot be given."""
    model = meta.object_name
    if name in meta.reverse or name in {relation.name for relation in meta.many_to_many}:
        return FieldError(f"{model}.{name} cannot be given to a new {model}", hint="Save it, then set its partners.")
    if name == "pk" or any(name == field.attname for field in meta.fields):
        return FieldError(f"{model}: {name!r} was given by another name, too", hint="Give one of the two.")
    return FieldError(f"{model} has no field {name!r}", hint=near_or_all(name, meta.names()))
