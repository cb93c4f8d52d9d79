"""What kind of value an expression gives: the field that reads it, writes what it is compared with, and has lookups."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from toolkit.models.fields.base import Convert, Field
from toolkit.models.fields.binary import BinaryField
from toolkit.models.fields.dates import DateField, DateTimeField
from toolkit.models.fields.identifiers import UUIDField
from toolkit.models.fields.integers import IntegerField
from toolkit.models.fields.numbers import BooleanField, FloatField
from toolkit.models.fields.text import TextField
from toolkit.models.fields.times import DurationField, TimeField

Typed = tuple[Any, Any]
"""(SQLAlchemy expression, field that reads its values or None)."""


class Output:
    """A field in the structure of an expression: two of the same kind and options are the same question."""

    __slots__ = ("field",)

    def __init__(self, field: Field[Any]) -> None:
        self.field = field

    @classmethod
    def of(cls, field: Field[Any] | None) -> Self | None:
        """The field as part of a structure; None for none."""
        return None if field is None else cls(field)

    def __hash__(self) -> int:
        return hash((type(self.field), self.field.name))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Output):
            return NotImplemented
        mine, its = self.field, other.field
        return mine is its or (type(mine) is type(its) and _options(mine) == _options(its))


def _options(field: Field[Any]) -> dict[str, Any]:
    """All that a field was declared with, but for its place among the others."""
    return {name: value for name, value in vars(field).items() if name != "order"}


class Computed(Field[Any]):
    """Stands in for a field where a function alone knows how to read its value.

    Args:
        reader: From a dialect to a function that reads the driver's value, or None.
    """

    def __init__(self, reader: Callable[[str], Convert]) -> None:
        super().__init__(null=True)
        self._reader = reader

    def db_reader(self, dialect: str) -> Convert:
        return self._reader(dialect)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Double()


class AnyDecimal(Field[Any]):
    """A decimal number without a field's bounds."""

    native = Decimal

    def __init__(self) -> None:
        super().__init__(null=True)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Numeric()

    def db_writer(self, dialect: str) -> Convert:
        return float if dialect == "sqlite" else None

    def db_reader(self, dialect: str) -> Convert:
        return _decimal


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))


_KINDS: dict[type, Callable[[], Field[Any]]] = {
    bool: BooleanField[Any],
    int: IntegerField[Any],
    float: FloatField[Any],
    str: TextField[Any],
    bytes: BinaryField[Any],
    datetime: DateTimeField[Any],
    date: DateField[Any],
    time: TimeField[Any],
    timedelta: DurationField[Any],
    Decimal: AnyDecimal,
    UUID: UUIDField[Any],
}


def field_for(kind: type) -> Field[Any] | None:
    """The field for values of a Python type; None if there is none."""
    found = next((_KINDS[base] for base in kind.__mro__ if base in _KINDS), None)
    return found() if found is not None else None


def boolean() -> Field[Any]:
    """The field of a condition's truth, which may be unknown."""
    return BooleanField[Any](null=True)


def like(field: Any) -> Any:
    """A field for values of the same kind that are no longer those of a model's column."""
    if field is None or getattr(field, "model", None) is None:
        return field
    plain = copy(field)
    plain.model, plain.null, plain.translated = None, True, False
    return plain
