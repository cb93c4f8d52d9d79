"""Fields that hold numbers and truth."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.errors import DeclarationError, ValidationError
from toolkit.models.fields.base import Convert, Field, FieldOptions
from toolkit.models.sqltext import quoted

T = TypeVar("T")

SQLITE_DECIMAL_DIGITS = 15
_EXACT = Context(prec=60)


class IntegerField(Field[T]):
    """A whole number of 64 bits."""

    native: ClassVar[type | None] = int
    low: ClassVar[int] = -(2**63)
    high: ClassVar[int] = 2**63 - 1

    @overload
    def __init__(self: IntegerField[int], *, null: Literal[False] = False, **options: Unpack[FieldOptions]) -> None: ...
    @overload
    def __init__(self: IntegerField[int | None], *, null: Literal[True], **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str):
            try:
                return int(value.strip())
            except ValueError:
                pass
        raise ValidationError(f"{value!r} is not a whole number", code="invalid")

    def validate(self, value: Any) -> None:
        if not self.low <= value <= self.high:
            raise ValidationError(
                f"{value} is out of bounds ({self.low} to {self.high})",
                code="min_value" if value < self.low else "max_value",
            )

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class PositiveIntegerField(IntegerField[T]):
    """A whole number, 0 or more."""

    low = 0

    @overload
    def __init__(
        self: PositiveIntegerField[int], *, null: Literal[False] = False, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveIntegerField[int | None], *, null: Literal[True], **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here

    def constraints(self, dialect: str) -> Iterable[str]:
        return (f"{quoted(dialect, self.column)} >= 0",)


class AutoField(IntegerField[T]):
    """The key that the database gives."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        options.setdefault("primary_key", True)
        options.setdefault("editable", False)
        super().__init__(**options)  # type: ignore[misc]  # the key is never null

    def get_default(self) -> Any:
        return None


class FloatField(Field[T]):
    """A number in binary floating point (IEEE 754 double). Infinity and NaN are refused."""

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
            return float(value)
        except (TypeError, ValueError) as error:
            raise ValidationError(f"{value!r} is not a number", code="invalid") from error

    def validate(self, value: Any) -> None:
        if not math.isfinite(value):
            raise ValidationError(f"{value!r} is not a finite number", code="invalid")

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Double()

    def db_writer(self, dialect: str) -> Convert:
        return float


class DecimalField(Field[T]):
    """An exact decimal number.

    Args:
        max_digits: Digits in all.
        decimal_places: Digits after the point.
    """

    native: ClassVar[type | None] = Decimal

    @overload
    def __init__(
        self: DecimalField[Decimal],
        *,
        max_digits: int,
        decimal_places: int,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal | None],
        *,
        max_digits: int,
        decimal_places: int,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self, *, max_digits: int, decimal_places: int, null: bool = False, **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(null=null, **options)
        self.max_digits, self.decimal_places = max_digits, decimal_places
        self._step = Decimal(1).scaleb(-decimal_places)

    def check(self) -> None:
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
            raise ValidationError(f"{value!r} is not a decimal number", code="invalid") from error
        if not number.is_finite():
            raise ValidationError(f"{value!r} is not a finite number", code="invalid")
        return number

    def validate(self, value: Any) -> None:
        if abs(value) >= Decimal(10) ** (self.max_digits - self.decimal_places):
            raise ValidationError(f"{value} has more than {self.max_digits} digits", code="max_digits")
        if value != value.quantize(self._step, context=_EXACT):
            raise ValidationError(
                f"{value} has more than {self.decimal_places} decimal places", code="max_decimal_places"
            )

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Numeric(self.max_digits, self.decimal_places)

    def db_writer(self, dialect: str) -> Convert:
        return self._to_float if dialect == "sqlite" else self._to_decimal

    def db_reader(self, dialect: str) -> Convert:
        return self._to_decimal

    def _to_float(self, value: Any) -> float:
        return float(value)

    def _to_decimal(self, value: Any) -> Decimal:
        number = value if isinstance(value, Decimal) else Decimal(repr(value))
        return number.quantize(self._step)


class BooleanField(Field[T]):
    """True or false."""

    native: ClassVar[type | None] = bool
    empty: ClassVar[bool] = False
    _words: ClassVar[dict[str, bool]] = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
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
            raise ValidationError(f"{value!r} is not true or false", code="invalid", hint="Write true or false.")
        return word

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Boolean()

    def db_writer(self, dialect: str) -> Convert:
        return bool

    def db_reader(self, dialect: str) -> Convert:
        return None if dialect == "postgresql" else bool
