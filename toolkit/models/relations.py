"""Fields that refer to rows of other models, and the relations they make on the other side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar, Unpack, overload

from toolkit.errors import DeclarationError, ValidationError
from toolkit.models.fields.base import Convert, Field, FieldOptions

if TYPE_CHECKING:
    from toolkit.models.managers import RelatedManager

T = TypeVar("T")
V = TypeVar("V")
M = TypeVar("M", bound=Any)

OnDelete = Literal["cascade", "protect", "restrict", "set_null", "set_default", "do_nothing"]
CASCADE: OnDelete = "cascade"
PROTECT: OnDelete = "protect"
RESTRICT: OnDelete = "restrict"
SET_NULL: OnDelete = "set_null"
SET_DEFAULT: OnDelete = "set_default"
DO_NOTHING: OnDelete = "do_nothing"


class _Relation(Field[T]):
    """What foreign keys and many-to-many fields share: a target, perhaps named before it exists."""

    is_relation: ClassVar[bool] = True

    def __init__(
        self, to: Any, *, related_name: str | None = None, null: bool = False, **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(null=null, **options)
        self.to = to
        self.related_name = related_name

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
        if self.related_name is not None:
            return None if self.related_name.endswith("+") else self.related_name
        return self._default_accessor()

    def _default_accessor(self) -> str:
        return f"{self.model.__name__.lower()}_set"

    @property
    def query_name(self) -> str:
        """The name used in lookups from the other side."""
        if self.related_name is None:
            return str(self.model.__name__.lower())
        return f"_{self.model.__name__.lower()}_{self.name}" if self.accessor is None else self.related_name


class ForeignKey(_Relation[T]):
    """A reference to one row of another model.

    Args:
        to: The model, or its name (``"Author"``, ``"people.Author"``) when it is declared later.
        on_delete: What happens when the other row is deleted.
        related_name: The attribute on the other side; ``"+"`` for none.
    """

    one_to_one: ClassVar[bool] = False

    @overload
    def __init__(
        self: ForeignKey[V],
        to: type[V],
        *,
        on_delete: OnDelete,
        related_name: str | None = None,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[V | None],
        to: type[V],
        *,
        on_delete: OnDelete,
        related_name: str | None = None,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[Any],
        to: str,
        *,
        on_delete: OnDelete,
        related_name: str | None = None,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        to: Any,
        *,
        on_delete: OnDelete,
        related_name: str | None = None,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(to, related_name=related_name, null=null, **options)
        self.on_delete = on_delete

    def check(self) -> None:
        if self.on_delete == SET_NULL and not self.null:
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: on_delete=SET_NULL needs null=True",
                hint="Add null=True, or choose another on_delete.",
            )

    @property
    def attname(self) -> str:
        return f"{self.name}_id"

    def to_python(self, value: Any) -> Any:
        if hasattr(value, "_meta"):
            if not isinstance(value, self.target):
                raise ValidationError(f"{value!r} is no {self.target.__name__}", code="invalid")
            return value.pk
        return self.target._meta.pk.to_python(value)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        kind = self.target._meta.pk.sql_type()
        return sa.BigInteger().with_variant(sa.Integer(), "sqlite") if isinstance(kind, sa.BigInteger) else kind

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """As the key it refers to; an instance stands for its own."""
        inner, read = self.target._meta.pk.db_value_of(dialect), self.to_python
        return lambda value: inner(read(value) if hasattr(value, "_meta") else value)

    def compared_value_of(self, dialect: str) -> Callable[[Any], Any]:
        inner, read = self.target._meta.pk.compared_value_of(dialect), self.to_python
        return lambda value: inner(read(value) if hasattr(value, "_meta") else value)

    def db_writer(self, dialect: str) -> Convert:
        inner = self.target._meta.pk.db_writer(dialect)

        def write(value: Any) -> Any:
            key = getattr(value, "pk", value)
            return inner(key) if inner and key is not None else key

        return write

    def db_reader(self, dialect: str) -> Convert:
        reader: Convert = self.target._meta.pk.db_reader(dialect)
        return reader


class OneToOneField(ForeignKey[T]):
    """A reference that no two rows share; the other side has one object, not a set."""

    one_to_one = True

    @overload
    def __init__(
        self: OneToOneField[V],
        to: type[V],
        *,
        on_delete: OnDelete,
        related_name: str | None = None,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: OneToOneField[V | None],
        to: type[V],
        *,
        on_delete: OnDelete,
        related_name: str | None = None,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: OneToOneField[Any],
        to: str,
        *,
        on_delete: OnDelete,
        related_name: str | None = None,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, to: Any, *, on_delete: OnDelete, **options: Any) -> None:
        options["unique"] = True
        super().__init__(to, on_delete=on_delete, **options)

    def _default_accessor(self) -> str:
        return str(self.model.__name__.lower())


class ManyToManyField(_Relation[T], Generic[T]):
    """References to any number of rows, kept in a table of their own.

    Args:
        to: The model, or its name.
        related_name: The attribute on the other side; ``"+"`` for none.
        through: A model of your own for the table, with a foreign key to each side.
    """

    @overload
    def __init__(
        self: ManyToManyField[V],
        to: type[V],
        *,
        related_name: str | None = None,
        through: Any = None,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ManyToManyField[Any],
        to: str,
        *,
        related_name: str | None = None,
        through: Any = None,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        to: Any,
        *,
        related_name: str | None = None,
        through: Any = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(to, related_name=related_name, **options)
        self.through = through

    def check(self) -> None:
        if self.unique or self.translated or self.primary_key:
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: a many-to-many field has no column to be unique, "
                "translated or a key",
                hint="Remove the option.",
            )

    def link_fields(self) -> tuple[ForeignKey[Any], ForeignKey[Any]]:
        """The two foreign keys of the table between: to this model, and to the other."""
        keys = list(self.through._meta.foreign_keys())
        own = next(key for key in keys if key.target is self.model)
        other = next(key for key in keys if key.target is self.target and key is not own)
        return own, other

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # a manager, not a value
        def __get__(self, instance: None, owner: type[Any]) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> RelatedManager[T]: ...
        def __get__(self, instance: Any, owner: type[Any]) -> Any: ...


@dataclass(frozen=True, eq=False)
class Reverse:
    """A relation seen from the other side.

    Args:
        name: Its name in lookups from the target's side.
        accessor: The attribute of instances, or None.
        field: The foreign key or many-to-many field that makes it.
    """

    name: str
    accessor: str | None
    field: Any

    @property
    def model(self) -> Any:
        """The model that declared the relation: what one finds by following it back."""
        return self.field.model

    @property
    def many(self) -> bool:
        """Whether there may be several."""
        return not getattr(self.field, "one_to_one", False)
