"""The field that a column of a database is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from toolkit.models.fields.numbers import SQLITE_DECIMAL_DIGITS

UNMAPPED_DIGITS, UNMAPPED_PLACES = 15, 5

MOST_PLACES = SQLITE_DECIMAL_DIGITS - 5
"""Of a column with more digits than a field may have: some are left for what stands before the point."""

_TELLING = frozenset(
    {"IntegerField", "SmallIntegerField", "BigIntegerField", "CharField", "UUIDField", "DateTimeField", "DateField"}
)


class FieldText(NamedTuple):
    """A field as it is written in a module.

    Args:
        kind: Its class.
        options: Its options, in their order.
        remark: What to look at, if the column has no exact counterpart.
    """

    kind: str
    options: Mapping[str, Any] = {}
    remark: str = ""


def key_field_of(kind: Any, *, counted: bool) -> FieldText:
    """The field of a column that is a key: MariaDB's ``TINYINT(1)`` is a number there, and no yes or no."""
    found = field_of(kind, counted=counted)
    return FieldText("SmallIntegerField") if found.kind == "BooleanField" else found


def can_be_key(kind: Any) -> bool:
    """Whether rows may be told apart by a column of this type."""
    return field_of(kind, counted=False).kind in _TELLING


def field_of(kind: Any, *, counted: bool) -> FieldText:
    """The field of a column.

    Args:
        kind: SQLAlchemy's type.
        counted: It is the whole primary key, and the database gives its numbers.
    """
    import sqlalchemy as sa

    rules: list[tuple[Any, Callable[[Any], FieldText]]] = [
        (sa.Boolean, lambda _: FieldText("BooleanField")),
        (sa.SmallInteger, _integer("Small", counted)),
        (sa.BigInteger, _integer("Big", counted)),
        (sa.Integer, _integer("", counted)),
        (sa.Enum, lambda found: _choices(found.enums)),
        (sa.Float, lambda _: FieldText("FloatField")),
        (sa.Numeric, _decimal),
        (sa.Uuid, lambda _: FieldText("UUIDField")),
        (sa.JSON, lambda _: FieldText("JSONField")),
        (sa.DateTime, lambda _: FieldText("DateTimeField")),
        (sa.Date, lambda _: FieldText("DateField")),
        (sa.Time, lambda _: FieldText("TimeField")),
        (sa.Interval, lambda _: FieldText("DurationField")),
        (sa.LargeBinary, lambda _: FieldText("BinaryField")),
        (sa.types._Binary, lambda _: FieldText("BinaryField")),
        (sa.Text, lambda _: FieldText("TextField")),
        (sa.String, lambda found: _text(found.length)),
    ]
    if hasattr(kind, "data_type"):  # PostgreSQL's DOMAIN: another type under a name
        return field_of(kind.data_type, counted=counted)
    special = _SPECIAL.get(type(kind).__name__)
    if special is not None:
        return special(kind)
    for base, make in rules:
        if isinstance(kind, base):
            return make(kind)
    return _unknown(kind)


def _integer(size: str, counted: bool) -> Callable[[Any], FieldText]:
    """The field of whole numbers of a size; 16 bits with a sign are too few for MariaDB's ``SMALLINT UNSIGNED``."""

    def make(kind: Any) -> FieldText:
        unsigned, is_tiny = getattr(kind, "unsigned", False), type(kind).__name__ == "TINYINT"
        if is_tiny and kind.display_width == 1 and not counted:
            return FieldText("BooleanField")
        fitting = "Small" if is_tiny else "" if unsigned and size == "Small" else size
        return FieldText(f"{fitting}AutoField" if counted else f"{'Positive' * bool(unsigned)}{fitting}IntegerField")

    return make


def _decimal(kind: Any) -> FieldText:
    digits, places = kind.precision, kind.scale or 0
    if digits is None or not 0 <= places <= digits:
        options = {"max_digits": UNMAPPED_DIGITS, "decimal_places": UNMAPPED_PLACES}
        return FieldText("DecimalField", options, "the column has no bounds: these are a guess")
    if digits > SQLITE_DECIMAL_DIGITS:
        options = {"max_digits": SQLITE_DECIMAL_DIGITS, "decimal_places": min(places, MOST_PLACES)}
        return FieldText("DecimalField", options, f"the column has {digits} digits")
    return FieldText("DecimalField", {"max_digits": digits, "decimal_places": places})


def _text(length: int | None) -> FieldText:
    return FieldText("CharField", {"max_length": length}) if length else FieldText("TextField")


def _choices(values: Any) -> FieldText:
    texts = [str(value) for value in values]
    longest = max((len(text) for text in texts), default=1)
    return FieldText("CharField", {"max_length": max(longest, 1), "choices": [(text, text) for text in texts]})


def _unknown(kind: Any) -> FieldText:
    if type(kind).__name__ == "NullType":
        return FieldText("TextField", {}, "a column of no known type: read as text")
    try:
        told = str(kind) or type(kind).__name__
    except Exception:  # noqa: BLE001 - a type that SQLAlchemy cannot write
        told = type(kind).__name__
    return FieldText("TextField", {}, f"{told} has no field: read as text")


def _bits(kind: Any) -> FieldText:
    """MariaDB gives bits as bytes, and compares them as a number; PostgreSQL gives them as text."""
    if kind.__module__.startswith("sqlalchemy.dialects.mysql"):
        if kind.length == 1:
            return FieldText("BooleanField")
        return FieldText("BinaryField", {}, "a BIT column: read and written as bytes, and not to be filtered by")
    return _unknown(kind)


def _time(kind: Any) -> FieldText:
    """PostgreSQL has one with the offset of a zone, which no ``TimeField`` keeps."""
    if kind.timezone:
        return FieldText("TextField", {}, "TIME WITH TIME ZONE has no field: read as text")
    return FieldText("TimeField")


def _json(kind: Any) -> FieldText:
    """PostgreSQL has two kinds, one of which knows no comparison."""
    is_text = kind.__module__.startswith("sqlalchemy.dialects.postgresql")
    return FieldText("JSONField", {}, "json, not jsonb: not to be filtered or ordered by" if is_text else "")


_SPECIAL: Mapping[str, Callable[[Any], FieldText]] = {
    "YEAR": lambda _: FieldText("SmallIntegerField"),
    "BIT": _bits,
    "JSON": _json,
    "TIME": _time,
    "INET": lambda _: FieldText("GenericIPAddressField"),
    "INET4": lambda _: FieldText("GenericIPAddressField"),
    "INTERVAL": lambda _: FieldText("DurationField"),
    "INET6": lambda _: FieldText("GenericIPAddressField"),
    "GEOMETRY": lambda _: FieldText("BinaryField", {}, "a shape, in bytes as the database keeps it"),
    "NETWORK": lambda _: FieldText("TextField", {}, "an address, but whole networks are in it"),
    "FLAGS": lambda _: FieldText("TextField", {}, "declared as yes or no, but others than 0 and 1 are in it"),
    "SET": lambda kind: FieldText("CharField", {"max_length": 255}, "a SET: several values with commas between"),
}
"""Types that say more than the class they come from, by name."""
