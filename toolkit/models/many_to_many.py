"""Many-to-many fields: references in a table of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, Unpack, overload

from toolkit.errors import DeclarationError
from toolkit.models.relations import ForeignKey, Relation, RelationOptions

if TYPE_CHECKING:
    from toolkit.models.related import RelatedManager

T = TypeVar("T")
V = TypeVar("V")


class ManyToManyOptions(RelationOptions, total=False):
    """The options of many-to-many fields, beside those of every relation."""

    symmetrical: bool
    through_fields: tuple[str, str]
    db_table: str


class ManyToManyField(Relation[T], Generic[T]):
    """References to any number of rows, kept in a table of their own.

    Args:
        to: The model, or its name.
        related_name: The attribute on the other side; ``"+"`` for none.
        through: A model of your own for the table, with a foreign key to each side.
        through_fields: The names of its two foreign keys, to this model and to the other, where it has more.
        symmetrical: Whoever is a partner of mine has me as a partner; True for ``ManyToManyField("self")``.
        db_table: The name of the table between.
        limit_choices_to: What may be chosen: a ``Q``, a dict of lookups, or a function that gives one.
    """

    @overload
    def __init__(
        self: ManyToManyField[V],
        to: type[V],
        *,
        related_name: str | None = None,
        through: Any = None,
        **options: Unpack[ManyToManyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ManyToManyField[Any],
        to: str,
        *,
        related_name: str | None = None,
        through: Any = None,
        **options: Unpack[ManyToManyOptions],
    ) -> None: ...
    def __init__(
        self,
        to: Any,
        *,
        related_name: str | None = None,
        through: Any = None,
        through_fields: tuple[str, str] | None = None,
        symmetrical: bool | None = None,
        db_table: str = "",
        **options: Unpack[RelationOptions],
    ) -> None:
        super().__init__(to, related_name=related_name, **options)
        self.through, self.through_fields, self.db_table = through, through_fields, db_table
        self.symmetrical = to == "self" if symmetrical is None else symmetrical

    many_to_many: ClassVar[bool] = True
    concrete: ClassVar[bool] = False

    def value_from_object(self, instance: Any) -> list[Any]:
        return [] if instance.pk is None else list(getattr(instance, self.name).all())

    def check(self) -> None:
        where = f"{self.model.__name__}.{self.name}"
        if self.unique or self.translated or self.primary_key or self.null:
            raise DeclarationError(
                f"{where}: a many-to-many field has no column to be unique, translated, null or a key",
                hint="Remove the option.",
            )
        if self.through is None and self.through_fields is not None:
            raise DeclarationError(
                f"{where}: through_fields names fields of the table between", hint="Name its model with through=."
            )
        if self.through is not None and self.db_table:
            raise DeclarationError(
                f"{where}: db_table names the table between, but through= is a model with a table",
                hint="Set Meta.db_table of that model.",
            )

    def link_fields(self) -> tuple[ForeignKey[Any], ForeignKey[Any]]:
        """The two foreign keys of the table between: to this model, and to the other."""
        own, other = self.link_candidates()
        return own[0], next(key for key in other if key is not own[0])

    def link_candidates(self) -> tuple[list[ForeignKey[Any]], list[ForeignKey[Any]]]:
        """The foreign keys of the table between that may be meant: to this model, and to the other."""
        meta = self.through._meta
        if self.through_fields is not None:
            own, other = (meta.get_field(name) for name in self.through_fields)
            return [own], [other]
        keys = list(meta.foreign_keys())
        here, there = self.model._meta.concrete_model, self.target._meta.concrete_model
        return (
            [key for key in keys if key.target._meta.concrete_model is here],
            [key for key in keys if key.target._meta.concrete_model is there],
        )

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # a manager, not a value
        def __get__(self, instance: None, owner: type[Any]) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> RelatedManager[T]: ...
        def __get__(self, instance: Any, owner: type[Any]) -> Any: ...
