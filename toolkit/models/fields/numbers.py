"""Fields that hold numbers with a fraction, and truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.errors import DatabaseError, DeclarationError
from toolkit.i18n import gettext_lazy
from toolkit.models.fields.base import Convert, Field, FieldOptions
from toolkit.validators.base import refusal
from toolkit.validators.limits import TOO_MANY_DIGITS, TOO_MANY_PLACES

T = TypeVar("T")

SQLITE_DECIMAL_DIGITS = 15
MOST_DIGITS = 1_000
"""On either side of the point, of a number that a column is compared with: no server reads numbers of any length."""

_EXACT = Context(prec=60)

_NOT_A_NUMBER = gettext_lazy("%(shown)s is not a number")
_NOT_FINITE = gettext_lazy("%(shown)s is not a finite number")
_NOT_DECIMAL = gettext_lazy("%(shown)s is not a decimal number")
_NOT_A_BOOLEAN = gettext_lazy("%(shown)s is not true or false")
_WRITE_BOOLEAN = gettext_lazy("Write true or false.")


class FloatField(Field[T]):
    """A number in binary floating point (IEEE 754 double). Infinity and NaN are refused; zero has no sign."""

    native: ClassVar[type | None] = float

    @overload
    def __init__(self: FloatField[float], *, null: Literal[False] = False, **options: Unpack[FieldOptions]) -> None: ...
    @overload
    def __init__(self: FloatField[float | None], *, null: Literal[True], **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        try:
            if isinstance(value, bool):
                raise TypeError
            return _without_sign(float(value))
        except (TypeError, ValueError, OverflowError) as error:
            raise refusal(_NOT_A_NUMBER, value) from error

    def validate(self, value: Any) -> None:
        if not math.isfinite(value):
            raise refusal(_NOT_FINITE, value)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Double()

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """Write finite numbers alone: SQLite would keep NULL for NaN, PostgreSQL NaN itself, MariaDB neither."""

        def value_of(value: Any) -> float:
            number: float = self.to_python(value)
            self.validate(number)
            return number

        return value_of

    compared_value_of = db_value_of

    def db_writer(self, dialect: str) -> Convert:
        return unsigned

    def db_reader(self, dialect: str) -> Convert:
        """What was computed may be a zero below zero; a column has none."""
        return None if self.model is not None else _without_sign

    def value_to_string(self, value: Any) -> str:
        return repr(unsigned(value))


def _without_sign(number: Any) -> Any:
    """A number as it is, but zero without a sign: SQLite and MariaDB keep none, and PostgreSQL does."""
    return number or 0.0


def unsigned(value: Any) -> float:
    """A value as a float; zero has no sign."""
    return float(value) or 0.0


class DecimalField(Field[T]):
    """An exact decimal number.

    Args:
        max_digits: Digits in all. A model has to say it; the ``output_field`` of an expression need not.
        decimal_places: Digits after the point.
    """

    native: ClassVar[type | None] = Decimal

    @overload
    def __init__(
        self: DecimalField[Decimal],
        *,
        max_digits: int = 0,
        decimal_places: int = 0,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal | None],
        *,
        max_digits: int = 0,
        decimal_places: int = 0,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self, *, max_digits: int = 0, decimal_places: int = 0, null: bool = False, **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(null=null, **options)
        self.max_digits, self.decimal_places = max_digits, decimal_places
        self._step, self._zero = Decimal(1).scaleb(-decimal_places), Decimal(0).scaleb(-decimal_places)

    def check(self) -> None:
        if not self.max_digits:
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: how many digits it has is not said",
                hint="Such as max_digits=8, decimal_places=2.",
            )
        if not 0 <= self.decimal_places <= self.max_digits or self.max_digits > SQLITE_DECIMAL_DIGITS:
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: max_digits = {self.max_digits}, "
                f"decimal_places = {self.decimal_places} cannot be kept exactly",
                hint=f"SQLite keeps {SQLITE_DECIMAL_DIGITS} digits; decimal_places must be between 0 and max_digits.",
            )

    def to_python(self, value: Any) -> Any:
        try:
            if isinstance(value, bool):
                raise TypeError
            number = value if isinstance(value, Decimal) else Decimal(str(value).strip())
        except (InvalidOperation, TypeError) as error:
            raise refusal(_NOT_DECIMAL, value) from error
        if not number.is_finite():
            raise refusal(_NOT_FINITE, value)
        return number

    def validate(self, value: Any) -> None:
        if value and value.adjusted() >= self.max_digits - self.decimal_places:
            raise refusal(TOO_MANY_DIGITS, value, code="max_digits", max=self.max_digits)
        if value != value.quantize(self._step, context=_EXACT):
            raise refusal(TOO_MANY_PLACES, value, code="max_decimal_places", max=self.decimal_places)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Numeric(self.max_digits, self.decimal_places)

    def db_writer(self, dialect: str) -> Convert:
        return self._to_float if dialect == "sqlite" else None

    def db_reader(self, dialect: str) -> Convert:
        """A column that others made may have more digits than its field: they are given as they are."""
        return self._as_kept if self._is_of_others else self._to_decimal

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """Refuse what the column would round or cut. One that others made on a server may have more digits than any
        field can say."""
        write = super().db_value_of(dialect)
        is_longer = self._is_of_others and self.max_digits == SQLITE_DECIMAL_DIGITS and dialect != "sqlite"

        def value_of(value: Any) -> Any:
            number = self.to_python(value)
            if not is_longer:
                self.validate(number)
            return write(number)

        return value_of

    @property
    def _is_of_others(self) -> bool:
        """Whether its column is of a table that others made."""
        return self.model is not None and not self.model._meta.managed

    def compared_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """Compare with the number that was given, however many places it has, if it is one that databases can read."""
        write, read = self.db_writer(dialect), self._to_compared
        return read if write is None else lambda value: write(read(value))

    def _to_compared(self, value: Any) -> Any:
        number = self.to_python(value)
        if not isinstance(number, Decimal):
            return number  # of a subclass whose values are of another class
        if not number:
            return Decimal(0)
        places = number.as_tuple().exponent
        if number.adjusted() >= MOST_DIGITS or not isinstance(places, int) or places < -MOST_DIGITS:
            raise refusal(TOO_MANY_DIGITS, value, code="max_digits", max=MOST_DIGITS)
        return number

    def compared_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Numeric()

    def _to_float(self, value: Any) -> float:
        return float(value)

    def _as_kept(self, value: Any) -> Decimal:
        """All digits that the database gives; of a float of SQLite's those that it keeps, without the noise behind."""
        if isinstance(value, Decimal):
            return value
        number = _parsed(f"{value:.{SQLITE_DECIMAL_DIGITS}g}" if isinstance(value, float) else str(value))
        try:
            padded = number.quantize(self._step)
        except InvalidOperation:
            return number
        return number if padded != number else padded or self._zero

    def _to_decimal(self, value: Any) -> Decimal:
        number = value if isinstance(value, Decimal) else _parsed(repr(value))
        try:
            return number.quantize(self._step) or self._zero  # SQLite rounds -0.4 to a zero below zero
        except InvalidOperation as error:
            raise DatabaseError(
                f"a decimal number out of range: {number:.6g} has more digits than are computed with",
                hint="Compute with Cast(..., models.FloatField()), or in Python.",
            ) from error


def _parsed(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("that is no decimal number") from error
    if not number.is_finite():
        raise ValueError("it is not finite")
    return number


def _read_truth(value: Any) -> bool:
    """From what a database keeps to true or false.

    A computed value may be any number. MariaDB's ``BIT(1)`` comes as a byte. Text is neither, such as the ``'f'`` that
    Rails once wrote into SQLite's tables.
    """
    if value.__class__ is int:
        return bool(value != 0)
    if isinstance(value, bytes):
        return any(value)
    if isinstance(value, str):
        raise ValueError("it is text")
    return bool(value)


class BooleanField(Field[T]):
    """True or false."""

    native: ClassVar[type | None] = bool
    empty: ClassVar[bool] = False
    _words: ClassVar[dict[str, bool]] = {
        "true": True,
        "yes": True,
        "on": True,
        "t": True,  # as PostgreSQL writes it into a file
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "f": False,
        "0": False,
    }

    @overload
    def __init__(
        self: BooleanField[bool], *, null: Literal[False] = False, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(self: BooleanField[bool | None], *, null: Literal[True], **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        word = self._words.get(str(value).strip().lower())
        if word is None:
            raise refusal(_NOT_A_BOOLEAN, value, hint=_WRITE_BOOLEAN)
        return word

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Boolean()

    def db_writer(self, dialect: str) -> Convert:
        return bool

    def db_reader(self, dialect: str) -> Convert:
        return None if dialect == "postgresql" else _read_truth

    def value_to_string(self, value: Any) -> str:
        return "true" if value else "false"
