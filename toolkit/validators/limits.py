"""Rules for sizes: the least and the most of numbers, dates and lengths, steps, and the digits of decimal numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from toolkit.errors import ValidationError
from toolkit.i18n import gettext_lazy, ngettext_lazy
from toolkit.validators.base import Validator

_EXACT = Context(prec=700)
"""Holds the difference and the quotient of any two floating point numbers."""


class BaseValidator(Validator):
    """Compares a value with a limit. Subclass it and say how.

    Args:
        limit_value: The limit, or a function that gives it anew each time.
        message: What to say; it may speak of ``%(limit_value)s``, ``%(show_value)s`` and ``%(value)s``.
    """

    message = gettext_lazy("%(show_value)s is not %(limit_value)s")
    code = "limit_value"

    def __init__(self, limit_value: Any | Callable[[], Any], message: Any = None) -> None:
        super().__init__(message)
        self.limit_value = limit_value

    def __call__(self, value: Any) -> None:
        cleaned = self.clean(value)
        limit = self.limit_value() if callable(self.limit_value) else self.limit_value
        if self.compare(cleaned, limit):
            raise self.refuse(value, limit_value=limit, show_value=cleaned)

    def compare(self, value: Any, limit: Any) -> bool:
        """Whether the value is refused."""
        return bool(value != limit)

    def clean(self, value: Any) -> Any:
        """What of the value is compared."""
        return value


class MaxValueValidator(BaseValidator):
    """No more than the limit."""

    message = gettext_lazy("%(show_value)s is above the maximum, %(limit_value)s")
    code = "max_value"

    def compare(self, value: Any, limit: Any) -> bool:
        return bool(value > limit)


class MinValueValidator(BaseValidator):
    """No less than the limit."""

    message = gettext_lazy("%(show_value)s is below the minimum, %(limit_value)s")
    code = "min_value"

    def compare(self, value: Any, limit: Any) -> bool:
        return bool(value < limit)


class StepValueValidator(BaseValidator):
    """A whole number of steps, counted from an offset. Exact: 0.3 is three steps of 0.1.

    Floating point numbers are taken as they are written: ``0.1`` is a tenth here.

    Args:
        limit_value: The step, or a function that gives it.
        message: What to say.
        offset: Where counting begins; 0 if there is none.
    """

    message = gettext_lazy("%(show_value)s is no multiple of %(limit_value)s")
    code = "step_size"
    _from_offset = gettext_lazy("%(show_value)s is no multiple of %(limit_value)s counted from %(offset)s")

    def __init__(self, limit_value: Any | Callable[[], Any], message: Any = None, offset: Any = None) -> None:
        super().__init__(limit_value, message)
        self.offset = offset
        if message is None and offset is not None:
            self.message = self._from_offset

    def compare(self, value: Any, limit: Any) -> bool:
        try:
            step, start = _decimal(limit), _decimal(self.offset or 0)
            return bool(_EXACT.remainder(_EXACT.subtract(_decimal(value), start), step))
        except InvalidOperation:  # not a number, no end, or a number of thousands of digits
            return True

    def refuse(self, value: Any, **params: Any) -> ValidationError:
        return super().refuse(value, **params, offset=self.offset)


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


class MinLengthValidator(BaseValidator):
    """At least so long: text is counted in Unicode code points, as databases do, anything else by ``len()``."""

    message = gettext_lazy("the length is %(show_value)s; at least %(limit_value)s is needed")
    code = "min_length"

    def compare(self, value: Any, limit: Any) -> bool:
        return bool(value < limit)

    def clean(self, value: Any) -> int:
        return len(value)


class MaxLengthValidator(BaseValidator):
    """At most so long; counted as ``MinLengthValidator`` counts."""

    message = gettext_lazy("the length is %(show_value)s; at most %(limit_value)s is allowed")
    code = "max_length"

    def compare(self, value: Any, limit: Any) -> bool:
        return bool(value > limit)

    def clean(self, value: Any) -> int:
        return len(value)


class DecimalValidator(Validator):
    """A decimal number has no more digits than a column keeps.

    Args:
        max_digits: Digits in all; None for no bound.
        decimal_places: Digits after the point; None for no bound.
    """

    def __init__(self, max_digits: int | None, decimal_places: int | None) -> None:
        super().__init__()
        self.max_digits, self.decimal_places = max_digits, decimal_places

    def __call__(self, value: Decimal) -> None:
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):  # infinity and what is not a number have a letter there
            raise self.refuse(value)
        places = max(-exponent, 0)
        total = max(len(digits) + (exponent if exponent > 0 and digits != (0,) else 0), places)
        for code, message, found, most in self._bounds(total, places):
            if most is not None and found > most:
                params = {"value": value, "shown": str(value), "max": most}
                raise ValidationError(message, code=code, params=params)

    def _bounds(self, total: int, places: int) -> list[tuple[str, Any, int, int | None]]:
        whole = (
            None
            if self.max_digits is None or self.decimal_places is None
            else max(self.max_digits - self.decimal_places, 0)
        )
        return [
            ("max_digits", TOO_MANY_DIGITS, total, self.max_digits),
            ("max_decimal_places", TOO_MANY_PLACES, places, self.decimal_places),
            ("max_whole_digits", TOO_MANY_WHOLE_DIGITS, total - places, whole),
        ]


TOO_MANY_DIGITS = ngettext_lazy(
    "%(shown)s has more than %(max)d digit", "%(shown)s has more than %(max)d digits", "max"
)
TOO_MANY_PLACES = ngettext_lazy(
    "%(shown)s has more than %(max)d decimal place", "%(shown)s has more than %(max)d decimal places", "max"
)
TOO_MANY_WHOLE_DIGITS = ngettext_lazy(
    "%(shown)s has more than %(max)d digit before the point",
    "%(shown)s has more than %(max)d digits before the point",
    "max",
)
