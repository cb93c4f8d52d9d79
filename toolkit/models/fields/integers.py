"""Fields that hold whole numbers, and keys that the database gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.database.backends import spelling
from toolkit.errors import DeclarationError, ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.models.fields.base import Field, FieldOptions
from toolkit.models.text_lookups import AS_TEXT
from toolkit.validators.base import refusal

T = TypeVar("T")

_LOW, _HIGH = -(2**63), 2**63 - 1
_TOO_LONG_TO_SHOW = 10**40

_NOT_WHOLE = gettext_lazy("%(shown)s is not a whole number")
_OUT_OF_BOUNDS = gettext_lazy("%(shown)s is out of bounds (%(low)s to %(high)s)")
_NUMBER_OUT_OF_BOUNDS = gettext_lazy("the number is out of bounds (%(low)s to %(high)s)")


@cache
def integer_type(size: str) -> Any:
    """The type of a column of whole numbers, made once: SQLAlchemy copies a type for each variant, which takes long.

    Args:
        size: SQLAlchemy's name of it.
    """
    import sqlalchemy as sa

    return getattr(sa, size)().with_variant(sa.Integer(), "sqlite")


class IntegerField(Field[T]):
    """A whole number of 64 bits."""

    lookups = AS_TEXT
    native: ClassVar[type | None] = int
    low: ClassVar[int] = _LOW
    high: ClassVar[int] = _HIGH
    size: ClassVar[str] = "BigInteger"

    @overload
    def __init__(self: IntegerField[int], *, null: Literal[False] = False, **options: Unpack[FieldOptions]) -> None: ...
    @overload
    def __init__(self: IntegerField[int | None], *, null: Literal[True], **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if value.__class__ is int:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return int(value)  # a member of an enum goes to the database as its number
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str):
            try:
                return int(value.strip())
            except ValueError:
                pass
        raise refusal(_NOT_WHOLE, value)

    def validate(self, value: Any) -> None:
        if not self.low <= value <= self.high:
            raise _out_of_bounds(value, self.low, self.high)

    def sql_type(self) -> Any:
        return integer_type(self.size)

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """Refuse a number that the column is too small for, before a database does, or SQLite does not."""
        low, high, read, write = self.low, self.high, self.to_python, self.db_writer(dialect)

        def value_of(value: Any) -> Any:
            if value.__class__ is not int:
                value = read(value)
            if low <= value <= high:
                return value
            raise _out_of_bounds(value, low, high)

        return value_of if write is None else super().db_value_of(dialect)

    def compared_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """Any number of 64 bits: ``small__lt=100_000`` is true of all small numbers."""
        read, write = self.to_python, self.db_writer(dialect)

        def value_of(value: Any) -> Any:
            if value.__class__ is not int:
                value = read(value)
            if _LOW <= value <= _HIGH:
                return value
            raise _out_of_bounds(value, _LOW, _HIGH)

        return value_of if write is None else super().compared_value_of(dialect)

    def compared_type(self) -> Any:
        return integer_type("BigInteger")

    def constraints(self, dialect: str) -> Iterable[str]:
        return (f"{spelling(dialect).identifier(self.column)} >= 0",) if self.low == 0 else ()


def _out_of_bounds(value: int, low: int, high: int) -> ValidationError:
    code = "min_value" if value < low else "max_value"
    if abs(value) >= _TOO_LONG_TO_SHOW:
        return ValidationError(_NUMBER_OUT_OF_BOUNDS, code=code, params={"low": low, "high": high})
    return refusal(_OUT_OF_BOUNDS, value, code=code, low=low, high=high)


class SmallIntegerField(IntegerField[T]):
    """A whole number of 16 bits: -32,768 to 32,767."""

    low, high = -(2**15), 2**15 - 1
    size = "SmallInteger"

    @overload
    def __init__(
        self: SmallIntegerField[int], *, null: Literal[False] = False, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: SmallIntegerField[int | None], *, null: Literal[True], **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here


class BigIntegerField(IntegerField[T]):
    """A whole number of 64 bits, as ``IntegerField``."""

    @overload
    def __init__(
        self: BigIntegerField[int], *, null: Literal[False] = False, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: BigIntegerField[int | None], *, null: Literal[True], **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here


class PositiveIntegerField(IntegerField[T]):
    """A whole number of 63 bits, 0 or more."""

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


class PositiveSmallIntegerField(PositiveIntegerField[T]):
    """A whole number from 0 to 32,767."""

    high = 2**15 - 1
    size = "SmallInteger"

    @overload
    def __init__(
        self: PositiveSmallIntegerField[int], *, null: Literal[False] = False, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveSmallIntegerField[int | None], *, null: Literal[True], **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here


class PositiveBigIntegerField(PositiveIntegerField[T]):
    """A whole number of 63 bits, 0 or more, as ``PositiveIntegerField``."""

    @overload
    def __init__(
        self: PositiveBigIntegerField[int], *, null: Literal[False] = False, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: PositiveBigIntegerField[int | None], *, null: Literal[True], **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here


class VersionField(IntegerField[T]):
    """How often the row was written: 1 at first, one more at each ``save()``, ``update()`` or bulk write.

    ``save()`` and ``delete()`` of an instance whose row was changed by others since it was read are refused with
    ``StaleInstanceError``.
    """

    is_version: ClassVar[bool] = True

    def __init__(self: VersionField[int], **options: Unpack[FieldOptions]) -> None:
        options.setdefault("default", 1)
        options.setdefault("editable", False)
        super().__init__(null=False, **options)

    def check(self) -> None:
        super().check()
        others = [field.name for field in self.model._meta.fields if field.is_version and field is not self]
        if others or self.unique or self.primary_key:
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: a model has one version, which is neither a key nor unique",
                hint="Remove the option, or the other VersionField.",
            )


class AutoField(IntegerField[T]):
    """The key that the database gives, of 64 bits."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        options.setdefault("primary_key", True)
        options.setdefault("editable", False)
        super().__init__(**options)  # type: ignore[misc]  # the key is never null

    def get_default(self) -> Any:
        return None

    def as_number(self) -> IntegerField[Any]:
        """A field for the same numbers that gives none: what a reference to it holds."""
        small: IntegerField[Any] = SmallIntegerField()
        large: IntegerField[Any] = IntegerField()
        return small if self.size == small.size else large


class SmallAutoField(AutoField[T]):
    """The key that the database gives, of 16 bits."""

    low, high = -(2**15), 2**15 - 1
    size = "SmallInteger"


class BigAutoField(AutoField[T]):
    """The key that the database gives, of 64 bits, as ``AutoField``."""
