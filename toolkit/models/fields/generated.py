"""The field whose value the database computes from others of its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from toolkit.database.backends import spelling
from toolkit.errors import DeclarationError, FieldError
from toolkit.models.fields.base import DATABASE_DEFAULT, MISSING, Convert, Field
from toolkit.models.fields.integers import IntegerField
from toolkit.models.fields.json import JSONField
from toolkit.models.lookups import LookupFunction

T = TypeVar("T")


class GeneratedField(Field[T]):
    """A value that the database computes from others of the same row, whenever they change.

    It is never written; after ``save()`` it is as the database has it. Questions may use it like any field.

    Args:
        expression: What is computed, of fields of the same table: ``F("price") * F("count")``.
        output_field: A field of the kind of the result.
        db_persist: Keep the result in the table; otherwise it is computed at each reading, which PostgreSQL does
            not offer before version 18.

    Attributes:
        asked: A field of the same kind, as questions see the column.
    """

    is_generated = True

    def __init__(
        self,
        *,
        expression: Any,
        output_field: Field[T],
        db_persist: bool = True,
        db_column: str | None = None,
        db_comment: str | None = None,
        db_index: bool = False,
        unique: bool = False,
        verbose_name: str | None = None,
        help_text: str = "",
    ) -> None:
        super().__init__(
            null=True,
            blank=True,
            editable=False,
            db_column=db_column,
            db_comment=db_comment,
            db_index=db_index,
            unique=unique,
            verbose_name=verbose_name,
            help_text=help_text,
        )
        self.expression, self.output_field, self.db_persist = expression, output_field, db_persist
        self.asked = output_field

    not_in_database: ClassVar[frozenset[str]] = frozenset({"null", "blank", "default"})

    def check(self) -> None:
        output = self.output_field = copy(self.output_field)  # several models may inherit the declaration
        if output.is_relation or output.is_several or output.is_generated:
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: output_field = {output!r} is no plain field",
                hint="Use a field such as models.IntegerField().",
            )
        if output.default is not MISSING or output.db_default is not MISSING or output.primary_key:
            raise DeclarationError(f"{self.model.__name__}.{self.name}: a computed value has no default and is no key")
        output.name, output.column, output.model = self.name, self.column, self.model
        output.check()
        asked = self.asked = copy(output)
        asked.null = True
        if isinstance(asked, JSONField):
            asked.is_computed = True

    if not TYPE_CHECKING:  # what Field says of its types holds

        def __get__(self, instance: Any, owner: type[Any]) -> Any:
            if instance is None:
                return self
            values = instance.__dict__
            return values[self.name] if self.name in values else instance.load_deferred(self)

        def __set__(self, instance: Any, value: Any) -> None:
            if value is not DATABASE_DEFAULT:
                raise FieldError(
                    f"{type(instance).__name__}.{self.name} is computed by the database and cannot be set",
                    hint="Set the fields that it is computed from.",
                )

    def get_default(self) -> Any:
        return DATABASE_DEFAULT

    def clean(self, value: Any) -> Any:
        return value

    # all else is as the kind of the result has it

    def to_python(self, value: Any) -> Any:
        return self.output_field.to_python(value)

    def sql_type(self) -> Any:
        return self.output_field.sql_type()

    def db_writer(self, dialect: str) -> Convert:
        return self.output_field.db_writer(dialect)

    def db_reader(self, dialect: str) -> Convert:
        return self.asked.db_reader(dialect)

    def compared_value_of(self, dialect: str) -> Callable[[Any], Any]:
        return self.output_field.compared_value_of(dialect)

    def compared_type(self) -> Any:
        return self.output_field.compared_type()

    def constraints(self, dialect: str) -> Iterable[str]:
        """On SQLite, what servers see to by the column's type: so many bits of a whole number, so many characters."""
        if dialect != "sqlite":
            return
        column, output = spelling(dialect).identifier(self.column), self.output_field
        longest = getattr(output, "max_length", None)
        if isinstance(output, IntegerField):
            within = f" AND {column} BETWEEN {output.low} AND {output.high}" if output.high < 2**63 - 1 else ""
            yield f"{column} IS NULL OR typeof({column}) = 'integer'{within}"
        elif output.native is str and longest is not None:
            yield f"length({column}) <= {longest}"

    def sort_keys(self, column: Any, dialect: str) -> list[Any]:
        return self.output_field.sort_keys(column, dialect)

    def find_lookup(self, name: str) -> LookupFunction | None:
        return self.output_field.find_lookup(name)

    def known_lookups(self) -> list[str]:
        return self.output_field.known_lookups()

    def find_transform(self, name: str) -> Any:
        return self.output_field.find_transform(name)

    def known_transforms(self) -> list[str]:
        return self.output_field.known_transforms()

    def value_to_string(self, value: Any) -> str:
        return self.output_field.value_to_string(value)

    def from_string(self, text: str) -> Any:
        return self.output_field.from_string(text)
