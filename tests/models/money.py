"""A field of somebody else's: an amount and its currency in one column. Migrations name it by its import path."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from toolkit import models
from toolkit.errors import ValidationError


@dataclass(frozen=True)
class Money:
    """An amount of a currency."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class MoneyField(models.Field[Money]):
    """Kept as text that sorts by currency, then amount: ``EUR 000000012.50``."""

    native = Money

    def __init__(self, *, currencies: tuple[str, ...] = ("EUR",), null: bool = False, **options: Any) -> None:
        super().__init__(null=null, **options)
        self.currencies = currencies

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Money):
            return value
        try:
            amount, currency = str(value).split()
            return Money(Decimal(amount), currency)
        except (ValueError, InvalidOperation) as error:
            raise ValidationError(
                f"{value!r} is no amount of money", code="invalid", hint="Write 12.50 EUR."
            ) from error

    def validate(self, value: Any) -> None:
        if value.currency not in self.currencies:
            raise ValidationError(f"{value.currency} is not taken here", code="currency")

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.String(16)

    def db_writer(self, dialect: str) -> Any:
        return lambda money: f"{money.currency} {money.amount:012.2f}"

    def db_reader(self, dialect: str) -> Any:
        return self._read

    def _read(self, text: str) -> Money:
        currency, amount = text.split()
        return Money(Decimal(amount), currency)


@MoneyField.register_lookup
class In(models.Lookup):
    """``price__currency="EUR"``, a lookup."""

    lookup_name = "currency"

    @classmethod
    def build(cls, context: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.substr(context.column, 1, 3) == context.bind(str, sa.String())


@MoneyField.register_lookup
class Amount(models.Transform):
    """``price__amount__gte=10``, a transform: the amount alone."""

    lookup_name = "amount"
    output_field = models.DecimalField(max_digits=11, decimal_places=2)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.cast(sa.func.substr(arguments[0], 5), sa.Numeric(11, 2))


class PriceField(models.DecimalField[Any]):
    """The same in a column of numbers, of one currency."""

    native = Money

    def __init__(self, *, currency: str = "EUR", null: bool = False, **options: Any) -> None:
        super().__init__(max_digits=9, decimal_places=2, null=null, **options)
        self.currency = currency

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, Money) else Money(super().to_python(value), self.currency)

    def validate(self, value: Any) -> None:
        super().validate(value.amount)

    def db_writer(self, dialect: str) -> Any:
        write = super().db_writer(dialect)
        return (lambda money: money.amount) if write is None else lambda money: write(money.amount)

    def db_reader(self, dialect: str) -> Any:
        read = super().db_reader(dialect)
        return lambda number: Money(number if read is None else read(number), self.currency)


class FeeField(models.IntegerField[Any]):
    """Whole euros, in a column of whole numbers."""

    native = Money

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, Money) else Money(Decimal(super().to_python(value)), "EUR")

    def validate(self, value: Any) -> None:
        super().validate(int(value.amount))

    def db_writer(self, dialect: str) -> Any:
        return lambda money: int(money.amount)

    def db_reader(self, dialect: str) -> Any:
        return lambda number: Money(Decimal(number), "EUR")


class SealedField(models.TextField[Any]):
    """Text that nobody reads who has the database alone. (A seal for tests: the letters from behind.)"""

    def db_writer(self, dialect: str) -> Any:
        return lambda text: f"sealed:{text[::-1]}"

    def db_reader(self, dialect: str) -> Any:
        return lambda kept: kept.removeprefix("sealed:")[::-1]


class CentsField(models.Field[Decimal]):
    """A decimal number, kept as a whole number of hundredths."""

    native = Decimal

    def to_python(self, value: Any) -> Any:
        return Decimal(value)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.BigInteger()

    def db_writer(self, dialect: str) -> Any:
        return lambda number: int(number * 100)

    def db_reader(self, dialect: str) -> Any:
        return lambda kept: Decimal(kept) / 100


class WordsField(models.TextField[Any]):
    """Several words, in a column of text."""

    native = tuple

    def to_python(self, value: Any) -> Any:
        return tuple(value.split()) if isinstance(value, str) else tuple(value)

    def db_writer(self, dialect: str) -> Any:
        return " ".join

    def db_reader(self, dialect: str) -> Any:
        return self.to_python
