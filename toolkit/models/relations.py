"""Fields that refer to rows of other models, and the relations they make on the other side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

import msgspec

from toolkit.errors import DeclarationError
from toolkit.i18n import gettext_lazy
from toolkit.models.fields.base import MISSING, Convert, Field, FieldOptions
from toolkit.models.fields.integers import integer_type
from toolkit.models.naming import filled
from toolkit.models.on_delete import (
    BY_DATABASE,
    DB_SET_DEFAULT,
    DB_SET_NULL,
    RULES,
    SET,
    SET_DEFAULT,
    SET_NULL,
    OnDelete,
)
from toolkit.validators.base import refusal

T = TypeVar("T")
V = TypeVar("V")
M = TypeVar("M", bound=Any)

_OF_ANOTHER_MODEL = gettext_lazy("%(shown)s is no %(model)s")
_NOT_TO_BE_CHOSEN = gettext_lazy("%(model)s %(shown)s cannot be chosen here")


class RelationOptions(FieldOptions, total=False):
    """The options of relations, beside those that every field takes."""

    related_query_name: str
    limit_choices_to: Any
    db_constraint: bool


class ForeignKeyOptions(RelationOptions, total=False):
    """The options of foreign keys, beside those of every relation."""

    to_field: str
    from_fields: Sequence[str]
    parent_link: bool


class Relation(Field[T]):
    """What foreign keys and many-to-many fields share: a target, perhaps named before it exists."""

    is_relation: ClassVar[bool] = True
    symmetrical = False

    def __init__(
        self,
        to: Any,
        *,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        db_constraint: bool = True,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(null=null, **options)
        if not isinstance(to, str) and not hasattr(to, "_meta"):
            raise DeclarationError(
                f"{type(self).__name__} refers to {to!r}, which is no model",
                hint="Let the class inherit from models.Model, or give the name of a model.",
            )
        self.to = to
        self.related_name, self.related_query_name = related_name, related_query_name
        self.limit_choices_to, self.db_constraint = limit_choices_to, db_constraint

    @property
    def related_model(self) -> Any:
        """The model that it refers to."""
        return self.target

    @property
    def target(self) -> Any:
        """The model referred to.

        Raises:
            DeclarationError: It was named by text and the site is not prepared yet.
        """
        if isinstance(self.to, str):
            raise DeclarationError(
                f"{self.model.__name__}.{self.name} refers to {self.to!r}, which is not resolved yet",
                hint="Prepare the site first: site.prepare().",
            )
        return self.to

    @property
    def accessor(self) -> str | None:
        """The attribute on the other side, or None when ``related_name`` is ``"+"``."""
        name = self._given_name()
        if name is not None:
            return None if name.endswith("+") else name
        return None if self.symmetrical else self._default_accessor()

    def _given_name(self) -> str | None:
        """``related_name``, or that of the model's ``Meta``, with the model's own names put in."""
        name = self.related_name or self.model._meta.default_related_name
        return None if name is None else self._filled(name)

    def _filled(self, name: str) -> str:
        """A name with ``%(class)s`` and ``%(app_label)s`` replaced, for fields that several models inherit."""
        meta = self.model._meta
        return filled(name, meta, f"{meta.label}.{self.name}")

    def _default_accessor(self) -> str:
        return f"{self.model.__name__.lower()}_set"

    @property
    def query_name(self) -> str:
        """The name used in lookups from the other side."""
        if self.related_query_name is not None:
            return self._filled(self.related_query_name)
        if self.accessor is None:
            return f"_{self.model.__name__.lower()}_{self.name}"
        return self._given_name() or str(self.model.__name__.lower())

    def limited(self, rows: Any) -> Any:
        """A queryset of the target, narrowed to what ``limit_choices_to`` lets one choose."""
        limit = self.limit_choices_to() if callable(self.limit_choices_to) else self.limit_choices_to
        if not limit:
            return rows
        return rows.filter(**limit) if isinstance(limit, dict) else rows.filter(limit)


class ForeignKey(Relation[T]):
    """A reference to one row of another model.

    Args:
        to: The model, or its name (``"Author"``, ``"people.Author"``) when it is declared later.
        on_delete: What happens when the other row is deleted.
        related_name: The attribute on the other side; ``"+"`` for none. ``%(class)s`` and ``%(app_label)s`` stand for
            the names of the model, in a field that several inherit.
        related_query_name: The name in lookups from the other side, if it is not ``related_name``.
        to_field: The unique field of the other model whose value is stored, if it is not the primary key.
        from_fields: To a composite key: the fields of this model that hold it, in its order. Without them fields are
            made, named after the key and its parts.
        limit_choices_to: What may be chosen: a ``Q``, a dict of lookups, or a function that gives one.
        db_constraint: The database checks that the other row exists.
    """

    many_to_one: ClassVar[bool] = True
    parent_link = False

    @overload
    def __init__(
        self: ForeignKey[V],
        to: type[V],
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: Literal[False] = False,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[V | None],
        to: type[V],
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: Literal[True],
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[Any],
        to: str,
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: bool = False,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    def __init__(
        self,
        to: Any,
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: bool = False,
        db_index: bool = True,
        to_field: str | None = None,
        from_fields: Sequence[str] = (),
        parent_link: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(to, related_name=related_name, null=null, db_index=db_index, **options)
        self.on_delete, self.to_field, self.parent_link = on_delete, to_field, parent_link
        self.from_fields = tuple(from_fields)

    def check(self) -> None:
        rule: Any = self.on_delete
        where = f"{self.model.__name__}.{self.name}"
        if rule not in RULES and type(rule) is not SET:
            raise DeclarationError(
                f"{where}: on_delete = {rule!r} is no rule", hint="Such as models.CASCADE, models.PROTECT, SET_NULL."
            )
        if rule in (SET_NULL, DB_SET_NULL) and not self.null:
            raise DeclarationError(
                f"{where}: on_delete={rule.upper()} needs null=True",
                hint="Add null=True, or choose another on_delete.",
            )
        if rule in BY_DATABASE and not self.db_constraint:
            raise DeclarationError(
                f"{where}: on_delete={rule.upper()} needs the database's constraint", hint="Remove db_constraint=False."
            )
        if rule == DB_SET_DEFAULT and self.db_default is MISSING:
            raise DeclarationError(f"{where}: on_delete=DB_SET_DEFAULT needs a db_default", hint="Add one.")
        if rule == SET_DEFAULT and self.default is MISSING and not self.null:
            raise DeclarationError(f"{where}: on_delete=SET_DEFAULT needs a default", hint="Add one.")

    @property
    def attname(self) -> str:
        return f"{self.name}_key" if self.is_several else f"{self.name}_id"

    def become_several(self, names: Sequence[str], lookups: Any) -> None:
        """Have no column, and stand for several fields of the model."""
        values = vars(self)
        values["is_several"], values["lookups"], values["column"] = True, lookups, ""
        self.names = self.from_fields = tuple(names)
        self.parts = tuple(self.model._meta.get_field(name) for name in names)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(part.column for part in self.parts) if self.is_several else (self.column,)

    def held_by(self, instance: Any) -> Any:
        """What an instance holds: the key of the row it refers to, or None."""
        if not self.is_several:
            return instance.__dict__.get(self.attname)
        found = tuple(getattr(instance, part.attname) for part in self.parts)
        return None if None in found else found

    def hold(self, instance: Any, value: Any) -> None:
        """Set it. Of a shared field that may not be empty, None leaves the value."""
        if not self.is_several:
            instance.__dict__[self.attname] = value
            return
        for part, each in zip(self.parts, value or (None,) * len(self.parts), strict=True):
            if each is not None or part.null or part.auto_created:
                setattr(instance, part.attname, each)

    def split(self, value: Any) -> tuple[Any, ...]:
        """The values of the parts, of a key of several."""
        found: tuple[Any, ...] = self.target_field.split(self.to_python(value) if hasattr(value, "_meta") else value)
        return found

    def part_value(self, dialect: str, index: int) -> Any:
        """See ``Several.part_value``."""
        compared = self.target_field.part_value(dialect, index)
        return lambda given: compared(self.to_python(given) if hasattr(given, "_meta") else given)

    @property
    def target_field(self) -> Any:
        """The field of the other model whose value is stored here."""
        meta = self.target._meta
        return meta.get_field(self.to_field) if self.to_field else meta.pk

    def value_of(self, instance: Any) -> Any:
        """What is stored to refer to an instance."""
        return getattr(instance, self.target_field.attname)

    def takes(self, value: Any) -> bool:
        """Whether an instance is of the model referred to, or of one that shares its table or inherits from it."""
        return isinstance(value, self.target._meta.concrete_model)

    def to_python(self, value: Any) -> Any:
        if hasattr(value, "_meta"):
            if not self.takes(value):
                raise refusal(_OF_ANOTHER_MODEL, value, model=self.target.__name__)
            return self.value_of(value)
        return self.target_field.to_python(value)

    def fitted(self, value: Any) -> Any:
        return value if hasattr(value, "_meta") else self.target_field.fitted(value)  # the row is asked for when saved

    def validate(self, value: Any) -> None:
        """Refuse a row that ``limit_choices_to`` leaves out."""
        if self.limit_choices_to is None:
            return
        rows = self.target._meta.base_manager.unrestricted().filter(**{self.target_field.name: value})
        if not self.limited(rows).exists():
            raise refusal(_NOT_TO_BE_CHOSEN, value, model=self.target.__name__)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        kind = self.target_field.sql_type()
        return integer_type("BigInteger") if isinstance(kind, sa.BigInteger) else kind

    def find_lookup(self, name: str) -> Any:
        """That of the key it refers to."""
        return self.target_field.find_lookup(name)

    def find_transform(self, name: str) -> Any:
        """That of the key it refers to."""
        return self.target_field.find_transform(name)

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """As the key it refers to; an instance stands for its own."""
        inner, read = self.target_field.db_value_of(dialect), self.to_python
        return lambda value: inner(read(value) if hasattr(value, "_meta") else value)

    def compared_value_of(self, dialect: str) -> Callable[[Any], Any]:
        inner, read = self.target_field.compared_value_of(dialect), self.to_python
        return lambda value: inner(read(value) if hasattr(value, "_meta") else value)

    def db_writer(self, dialect: str) -> Convert:
        inner = self.target_field.db_writer(dialect)

        def write(value: Any) -> Any:
            key = self.value_of(value) if hasattr(value, "_meta") else value
            return inner(key) if inner and key is not None else key

        return write

    def db_reader(self, dialect: str) -> Convert:
        reader: Convert = self.target_field.db_reader(dialect)
        return reader


class OneToOneField(ForeignKey[T]):
    """A reference that no two rows share; the other side has one object, not a set."""

    many_to_one, one_to_one = False, True

    @overload
    def __init__(
        self: OneToOneField[V],
        to: type[V],
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: Literal[False] = False,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: OneToOneField[V | None],
        to: type[V],
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: Literal[True],
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: OneToOneField[Any],
        to: str,
        on_delete: OnDelete,
        *,
        related_name: str | None = None,
        null: bool = False,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    def __init__(self, to: Any, on_delete: OnDelete, **options: Any) -> None:
        options["unique"] = True
        super().__init__(to, on_delete, **options)

    def _default_accessor(self) -> str:
        return str(self.model.__name__.lower())


class Reverse(msgspec.Struct, frozen=True, eq=False):
    """A relation seen from the other side.

    Args:
        name: Its name in lookups from the target's side.
        accessor: The attribute of instances, or None.
        field: The foreign key or many-to-many field that makes it.
    """

    name: str
    accessor: str | None
    field: Any
    is_relation: ClassVar[bool] = True
    auto_created: ClassVar[bool] = True
    concrete: ClassVar[bool] = False
    many_to_one: ClassVar[bool] = False

    @property
    def hidden(self) -> bool:
        """Whether instances have no attribute for it."""
        return self.accessor is None

    @property
    def model(self) -> Any:
        """The model that declared the relation: what one finds by following it back."""
        return self.field.model

    @property
    def related_model(self) -> Any:
        """The same, by Django's name."""
        return self.model

    def get_accessor_name(self) -> str | None:
        """The attribute of instances, or None."""
        return self.accessor

    @property
    def many(self) -> bool:
        """Whether there may be several."""
        return not self.field.one_to_one

    @property
    def one_to_one(self) -> bool:
        """Whether there is at most one, which refers to one."""
        return bool(self.field.one_to_one)

    @property
    def many_to_many(self) -> bool:
        """Whether each side may have several."""
        return bool(self.field.many_to_many)

    @property
    def one_to_many(self) -> bool:
        """Whether there may be several, each of which refers to one."""
        return self.many and not self.many_to_many

    @property
    def refers(self) -> bool:
        """Whether it is the rows of the other model that refer to these."""
        return True


class Referred(Reverse, frozen=True, eq=False):
    """What a generic reference leads to, seen from the rows that have it: one model of all that it may lead to.

    Args:
        owner: That model.
    """

    owner: Any

    @property
    def model(self) -> Any:
        return self.owner

    @property
    def many(self) -> bool:
        return False

    @property
    def refers(self) -> bool:
        return False
