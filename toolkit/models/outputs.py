"""What kind of value an expression gives: the field that reads it, writes what it is compared with, and has lookups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from functools import cache
from typing import Any, Self
from uuid import UUID

from toolkit.errors import DatabaseError, FieldError, ValidationError
from toolkit.models.fields.base import Convert, Field
from toolkit.models.fields.binary import BinaryField
from toolkit.models.fields.dates import DateField, DateTimeField
from toolkit.models.fields.identifiers import UUIDField
from toolkit.models.fields.integers import IntegerField
from toolkit.models.fields.json import JSONField
from toolkit.models.fields.numbers import BooleanField, DecimalField, FloatField, unsigned
from toolkit.models.fields.text import TextField
from toolkit.models.fields.times import DurationField, TimeField
from toolkit.models.generated import made_by

Typed = tuple[Any, Any]
"""(SQLAlchemy expression, field that reads its values or None)."""


class Output:
    """A field in the structure of an expression: two of the same kind and options are the same question."""

    __slots__ = ("field",)

    def __init__(self, field: Field[Any]) -> None:
        self.field = field

    @classmethod
    def of(cls, field: Field[Any] | None) -> Self | None:
        """The field as part of a structure; None for none. Decimal numbers may leave their digits open here."""
        if field is None:
            return None
        if isinstance(field, type) or not hasattr(field, "sql_type"):
            hint = f"Write {field.__name__}()." if isinstance(field, type) else "Such as models.IntegerField()."
            raise FieldError(f"output_field={field!r} is no field", hint=hint)
        return cls(AnyDecimal() if isinstance(field, DecimalField) and not field.max_digits else field)

    @property
    def reading(self) -> Field[Any]:
        """The field that reads what was computed: a number of another kind, as databases give many, becomes one of its
        own."""
        field, kind = self.field, type(self.field)
        if isinstance(field, IntegerField) and kind.db_reader is Field.db_reader:
            return _ReadAsWhole(null=True)
        if isinstance(field, FloatField) and kind.db_reader is FloatField.db_reader:
            return _ReadAsFloat(null=True)
        return field

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


class Whole(IntegerField[Any]):
    """A computed whole number. MariaDB gives a sum as a decimal number, and so what is computed with one; a cast would
    cut it at 64 bits."""

    def db_reader(self, dialect: str) -> Convert:
        return _whole if dialect == "mysql" else None


def _whole(value: Any) -> int:
    """A number of MariaDB's, of 64 bits as on other databases."""
    found = int(value)
    if not -(2**63) <= found < 2**63:
        raise DatabaseError(
            f"a whole number out of range: {found}, and there are 64 bits",
            hint="Use Cast(..., models.FloatField()), or Python.",
        )
    return found


class _ReadAsWhole(Whole):
    """A computed number, without its fraction."""

    def db_reader(self, dialect: str) -> Convert:
        return _whole


class _ReadAsFloat(FloatField[Any]):
    """A computed number as a float."""

    def db_reader(self, dialect: str) -> Convert:
        return unsigned


DIGITS = 15
"""Significant digits of a computed decimal number: what SQLite's floating point keeps (IEEE 754 double)."""

_COMPUTED = Context(prec=DIGITS)


class AnyDecimal(Field[Any]):
    """A computed decimal number, with up to 15 significant digits on every database."""

    native = Decimal

    def __init__(self) -> None:
        super().__init__(null=True)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Numeric()

    def db_writer(self, dialect: str) -> Convert:
        return float if dialect == "sqlite" else None

    def db_reader(self, dialect: str) -> Convert:
        return _computed


_ZERO = Decimal(0)
"""That which is not below zero, as SQLite's floats may be."""


def _computed(value: Any) -> Decimal:
    """A driver's number without zeros at its end: 2.5, however many places the database computed."""
    number = _COMPUTED.plus(value if isinstance(value, Decimal) else Decimal(repr(value))).normalize() or _ZERO
    return number.quantize(1) if number.as_tuple().exponent > 0 else number  # type: ignore[operator]  # it is finite


def decimals(places: int) -> Field[Any]:
    """The field of decimal numbers with so many decimal places."""
    if places >= DIGITS:
        return AnyDecimal()
    return DecimalField[Any](max_digits=DIGITS, decimal_places=places, null=True)


def exactly(value: Decimal) -> Field[Any]:
    """The field of decimal numbers with as many decimal places as this one has."""
    exponent = value.as_tuple().exponent
    return decimals(max(0, -exponent)) if isinstance(exponent, int) else AnyDecimal()


def constant_of(field: Any, dialect: str) -> Callable[[Any], Any]:
    """From a constant in an expression to the driver's value; one that no database should be given is refused.

    The function raises ``FieldError`` for a number that is none or has too many digits, half of a surrogate pair, an
    instant without a time zone.
    """
    convert = field.compared_value_of(dialect)

    def value(given: Any) -> Any:
        try:
            if isinstance(given, Decimal) and not (given.is_finite() and given.adjusted() < DIGITS):
                raise ValidationError(f"decimal numbers here are finite, of up to {DIGITS} digits before the point")
            return convert(given)
        except ValidationError as error:
            raise FieldError(f"Value({given!r:.60}): {error.message}", hint=error.hint) from error

    return made_by(value, constant_of, field, dialect)


def typed(dialect: str, bound: Any, field: Any) -> Any:
    """A bound value of a field, told apart from text where the database would take it for one (MariaDB's driver)."""
    if dialect != "mysql" or kind_of(field) not in _MYSQL_TYPES:
        return bound
    import sqlalchemy as sa
    from sqlalchemy.dialects import mysql

    precise = {"fsp": 6} if kind_of(field) is not date else {}
    return sa.cast(bound, getattr(mysql, _MYSQL_TYPES[kind_of(field)])(**precise))


_MYSQL_TYPES: dict[Any, str] = {date: "DATE", datetime: "DATETIME", time: "TIME"}


def decimal_places(field: Any) -> int | None:
    """How many decimal places numbers of a field have: none for whole numbers, None if any number of them."""
    return 0 if kind_of(field) is int else getattr(field, "decimal_places", None)


def kind_of(field: Any) -> type | None:
    """The Python type of the values of a field; None if it is not known.

    Of a field that reads text, numbers and the like out of a column in which they stand in another form (encrypted, in
    cents), it is a type of that field's own: SQL that takes the column for such values would be wrong.
    """
    held: Any = held_by(field)
    found: type | None = getattr(held, "native", None)
    return found if found not in KINDS else _form_of(held.__class__) or found


def refuse_own_kind(where: str, field: Any) -> None:
    """Refuse values of a class that no database knows, where they would be written as they stand in the column.

    Raises:
        FieldError: They are.
    """
    kind = kind_of(field)
    if kind is not None and kind not in KINDS:
        raise FieldError(f"{where} cannot write {kind.__name__} as text", hint="Say Cast(...) around it.")


@cache
def _form_of(kind: type) -> type | None:
    """The type that stands for the values of a class of fields that reads its column in a way of its own."""
    reader = next((base for base in kind.__mro__ if "db_reader" in vars(base)), Field)
    if reader.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return None  # the toolkit's, whose columns are what SQL takes them for
    return type(reader.__name__, (), {}) if reader is kind else _form_of(reader)


def kept_kind(field: Any) -> type | None:
    """The kind of value that a column has: where a field's own values are of another class (money), that of the field
    that it was made of."""
    held = held_by(field)
    found = kind_of(held)
    if found is None or found in KINDS:
        return found
    bases = (base for base in type(held).__mro__ if getattr(base, "sql_type", None) is type(held).sql_type)
    return next((kind for kind in (getattr(base, "native", None) for base in bases) if kind in KINDS), found)


def held_by(field: Any) -> Any:
    """The field that says what kind of values are kept: of a reference, that which it refers to."""
    while field is not None and field.is_relation:
        field = getattr(field, "target_field", None) or field.target._meta.pk
    return field


def named_kind(field: Any) -> str:
    """What kind of values a field has, as a message calls it."""
    kind = kind_of(held_by(field))
    return kind.__name__ if kind is not None else "JSON" if isinstance(field, JSONField) else "unknown"


_KINDS: dict[type, Callable[[], Field[Any]]] = {
    bool: BooleanField[Any],
    int: Whole,
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


KINDS = frozenset(_KINDS)
"""The Python types of values that databases have themselves."""


def field_for(kind: type) -> Field[Any] | None:
    """The field for values of a Python type; None if there is none."""
    found = next((_KINDS[base] for base in kind.__mro__ if base in _KINDS), None)
    return found() if found is not None else None


def common(fields: Sequence[Any]) -> Any:
    """The field that reads values of any of these: of one kind, or numbers of several; None if there is none."""
    known = [field for field in fields if field is not None]
    if not known:
        return None
    kinds = {kind_of(field) for field in known}
    if kinds in ({Decimal}, {Decimal, int}):
        places = [decimal_places(field) for field in known]
        return AnyDecimal() if None in places else decimals(max(filter(None, places), default=0))
    if kinds <= {int, float, Decimal} and float in kinds:
        return FloatField[Any](null=True)
    computed = next((field for field in known if isinstance(field, Whole)), known[0])
    return like(computed) if len(kinds) == 1 else None


def common_of(where: str, fields: Sequence[Any]) -> Any:
    """The same, of values among which SQL chooses: databases would convert other ones each in its own way, or fail.

    Args:
        where: What chooses.
        fields: Of the values.

    Raises:
        FieldError: They are of kinds that have nothing in common.
    """
    found, kinds = common(fields), sorted({named_kind(field) for field in fields if field is not None} - {"unknown"})
    if len(kinds) > 1 and (found is None or "JSON" in kinds):
        raise FieldError(
            f"{where} takes values of one kind, not {' and '.join(kinds)}", hint="Say Cast(..., output_field) first."
        )
    return found


def alike(field: Any, columns: Sequence[Any], fields: Sequence[Any]) -> list[Any]:
    """Numbers of several kinds as floats, where they are to be read as such: SQLite would keep each as it is.

    Args:
        field: What reads the result.
        columns: SQL of the values.
        fields: What reads each of them.
    """
    import sqlalchemy as sa

    floats = kind_of(field) is float
    return [
        sa.cast(column, sa.Double()) if floats and kind_of(own) in (int, Decimal) else column
        for column, own in zip(columns, fields, strict=True)
    ]


def boolean() -> Field[Any]:
    """The field of a condition's truth, which may be unknown."""
    return BooleanField[Any](null=True)


def like(field: Any) -> Any:
    """A field for values of the same kind that are no longer those of a model's column."""
    if field is None or getattr(field, "model", None) is None:
        return field
    if field.is_relation:
        return like(field.target._meta.pk)
    plain = copy(field)
    plain.model, plain.null, plain.translated = None, True, False
    return plain
