"""Dates, times, numbers and lists as a language writes them: CLDR's data, by way of Babel.

Formats are CLDR's: ``"short"``, ``"medium"``, ``"long"``, ``"full"``, or a pattern such as ``"d MMMM y"``
(UTS #35, Date Field Symbol Table). Nothing here reads a clock, a scope or the machine's locale.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from toolkit.errors import ValidationError

from .locales import babel_locale

if TYPE_CHECKING:
    import babel
    from babel.dates import DateTimePattern

Number = int | float | Decimal
Kind = Literal["date", "time", "datetime"]
Numbering = Literal["latn", "native"]
"""``latn``: the digits 0 to 9. ``native``: the language's own, ٠ to ٩ in Arabic."""

_WIDTHS = ("short", "medium", "long", "full")
_EXAMPLES: dict[str, date | time] = {
    "date": date(2024, 3, 5),
    "time": time(14, 30, tzinfo=UTC),
    "datetime": datetime(2024, 3, 5, 14, 30, tzinfo=UTC),
}
_NATIVE = {
    "ar": "arab",
    "fa": "arabext",
    "ur": "arabext",
    "ps": "arabext",
    "hi": "deva",
    "mr": "deva",
    "bn": "beng",
}


def format_date(
    value: date | datetime,
    format: str = "long",
    *,
    locale: str,
    timezone: str | tzinfo | None = None,
    numbering: Numbering = "latn",
) -> str:
    """A day: "5 March 2024", "5 de marzo de 2024".

    Args:
        value: A date, or a moment whose date in ``timezone`` is meant.
        format: A width or a CLDR pattern.
        locale: BCP 47 tag.
        timezone: IANA name, such as ``"Atlantic/Azores"``; None leaves a moment in its own zone.
        numbering: Which digits.

    Raises:
        ValidationError: The format or the time zone is none, or ``value`` is no date.
    """
    if isinstance(value, datetime):
        value = in_timezone(value, timezone)
    elif not isinstance(value, date):
        raise ValidationError(f"{value!r} is not a date", code="date")
    return _apply(value, format, "date", locale, numbering)


def format_datetime(
    value: datetime,
    format: str = "long short",
    *,
    locale: str,
    timezone: str | tzinfo | None = None,
    numbering: Numbering = "latn",
) -> str:
    """A moment: "March 5, 2024, 2:30 PM". See :func:`format_date`.

    A moment without a zone is taken as the time on the clocks of ``timezone``, and shown as it is.

    Args:
        value: The moment.
        format: A width, a CLDR pattern, or two widths, of the date and of the time: CLDR's ``"long"`` has
            seconds and the zone, which nobody wants above a story.
        locale: BCP 47 tag.
        timezone: IANA name.
        numbering: Which digits.
    """
    if not isinstance(value, datetime):
        raise ValidationError(f"{value!r} is not a date with a time", code="datetime")
    return _apply(in_timezone(value, timezone), format, "datetime", locale, numbering)


def format_time(
    value: time | datetime,
    format: str = "short",
    *,
    locale: str,
    timezone: str | tzinfo | None = None,
    numbering: Numbering = "latn",
) -> str:
    """A time of day: "14:30", "2:30 PM". See :func:`format_date`."""
    if isinstance(value, datetime):
        value = in_timezone(value, timezone)
    elif not isinstance(value, time):
        raise ValidationError(f"{value!r} is not a time", code="time")
    return _apply(value, format, "time", locale, numbering)


def in_timezone(value: datetime, timezone: str | tzinfo | None) -> datetime:
    """The moment on the clocks of a time zone; one without a zone is taken to be on them already.

    Raises:
        ValidationError: There is no such time zone.
    """
    if timezone is None:
        return value
    zone = get_timezone(timezone) if isinstance(timezone, str) else timezone
    return value.replace(tzinfo=zone) if value.tzinfo is None else value.astimezone(zone)


def get_timezone(name: str) -> tzinfo:
    """A time zone by its IANA name.

    Raises:
        ValidationError: There is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        hint = "Use a name of the IANA database, such as 'Europe/Lisbon'."
        raise ValidationError(f"there is no time zone {name!r}", code="timezone", hint=hint) from problem


def _apply(value: date | time, format: str, kind: Kind, locale: str, numbering: Numbering) -> str:
    text = _pattern(format, kind, locale).apply(value, babel_locale(locale))
    return _in_digits(text, locale) if numbering == "native" else text


@lru_cache(maxsize=1024)
def _pattern(format: str, kind: Kind, locale: str) -> DateTimePattern:
    """The parsed pattern of a width or of a custom format; every field of it is tried once here."""
    from babel.dates import parse_pattern

    known = babel_locale(locale)
    widths = format.split()
    is_width = all(width in _WIDTHS for width in widths) and 0 < len(widths) <= (2 if kind == "datetime" else 1)
    text = _width_pattern(widths, kind, known) if is_width else format
    try:
        pattern = parse_pattern(text)
        pattern.apply(_EXAMPLES[kind], known)
    except (KeyError, ValueError, AttributeError, AssertionError) as problem:
        hint = f"Use {', '.join(_WIDTHS)}, or a CLDR pattern such as 'd MMMM y' (words in it stand in 'quotes')."
        raise ValidationError(f"{format!r} is not a {kind} format", code="format", hint=hint) from problem
    return pattern


def _width_pattern(widths: list[str], kind: Kind, locale: babel.Locale) -> str:
    if kind == "date":
        return str(locale.date_formats[widths[0]])
    if kind == "time":
        return str(locale.time_formats[widths[0]])
    day, clock = str(locale.date_formats[widths[0]]), str(locale.time_formats[widths[-1]])
    return str(locale.datetime_formats[widths[0]]).replace("{0}", clock).replace("{1}", day)


def _in_digits(text: str, locale: str) -> str:
    return text.translate(_digits(locale))


@lru_cache(maxsize=64)
def _digits(locale: str) -> dict[int, str]:
    """The translation table from 0 to 9 to the language's own digits; empty where it has none."""
    starts = {"arab": 0x0660, "arabext": 0x06F0, "deva": 0x0966, "beng": 0x09E6}
    start = starts.get(_NATIVE.get(locale.split("-")[0], ""))
    return {} if start is None else {ord("0") + digit: chr(start + digit) for digit in range(10)}


def _numbering_system(locale: str, numbering: Numbering) -> str:
    """Babel's name of the digits; Latin where CLDR gives the language no symbols for its own."""
    system = _NATIVE.get(locale.split("-")[0], "latn") if numbering == "native" else "latn"
    return system if system in babel_locale(locale).number_symbols else "latn"


def format_number(value: Number, format: str | None = None, *, locale: str, numbering: Numbering = "latn") -> str:
    """A number with the language's separators: "12,345.5", "12.345,5".

    Args:
        value: The number. A float is rounded as the format says, half to even.
        format: CLDR number pattern, such as ``"#,##0.00"``; None for the language's own.
        locale: BCP 47 tag.
        numbering: Which digits.
    """
    from babel.numbers import format_decimal

    system = _numbering_system(locale, numbering)
    text = format_decimal(value, format=format, locale=babel_locale(locale), numbering_system=system)
    return _in_digits(text, locale) if numbering == "native" else text


def format_percent(value: Number, format: str | None = None, *, locale: str, numbering: Numbering = "latn") -> str:
    """A share: 0.25 is "25%", "25 %" in Spanish. See :func:`format_number`."""
    from babel import numbers

    system = _numbering_system(locale, numbering)
    text = numbers.format_percent(value, format=format, locale=babel_locale(locale), numbering_system=system)
    return _in_digits(text, locale) if numbering == "native" else text


def format_currency(
    value: Number, currency: str, *, locale: str, format: str | None = None, numbering: Numbering = "latn"
) -> str:
    """An amount: "€1,099.50", "1.099,50 €".

    Args:
        value: The amount; a Decimal where cents count.
        currency: ISO 4217 code, such as ``"EUR"``.
        locale: BCP 47 tag.
        format: CLDR number pattern, such as ``"¤#,##0"``; None for the language's own.
        numbering: Which digits.

    Raises:
        ValidationError: There is no such currency.
    """
    from babel import numbers

    if not numbers.is_currency(currency):
        hint = "Use a code of ISO 4217, such as 'EUR'."
        raise ValidationError(f"there is no currency {currency!r}", code="currency", hint=hint)
    text = numbers.format_currency(
        value,
        currency,
        format=format,
        locale=babel_locale(locale),
        numbering_system=_numbering_system(locale, numbering),
    )
    return _in_digits(text, locale) if numbering == "native" else text


def format_list(items: Iterable[object], *, locale: str, style: Literal["standard", "or", "unit"] = "standard") -> str:
    """Several things: "Ana, Rui and Zé"; with ``style="or"``, "Ana, Rui or Zé"."""
    from babel.lists import format_list as join

    return join([str(item) for item in items], style=style, locale=babel_locale(locale))


def format_timedelta(
    delta: timedelta,
    *,
    locale: str,
    direction: bool = False,
    granularity: Literal["year", "month", "week", "day", "hour", "minute", "second"] = "second",
    threshold: float = 0.85,
    width: Literal["long", "short", "narrow"] = "long",
    numbering: Numbering = "latn",
) -> str:
    """A span in its largest unit: "3 days".

    Args:
        delta: The span.
        locale: BCP 47 tag.
        direction: Say "3 days ago" of a negative span and "in 3 days" of a positive one.
        granularity: The smallest unit.
        threshold: From which part of a unit on it is used: 0.85 days are a day.
        width: How long the unit is written.
        numbering: Which digits.
    """
    from babel import dates

    text = dates.format_timedelta(
        delta,
        granularity=granularity,
        threshold=threshold,
        add_direction=direction,
        format=width,
        locale=babel_locale(locale),
    )
    return _in_digits(text, locale) if numbering == "native" else text


def timesince(value: datetime, *, now: datetime, locale: str, numbering: Numbering = "latn") -> str:
    """How long ago a moment was, or how far ahead it is: "3 days ago", "in 2 hours".

    Args:
        value: The moment, with a time zone.
        now: What to count from, with a time zone: a page's own moment, so that it can be built again.
        locale: BCP 47 tag.
        numbering: Which digits.

    Raises:
        ValidationError: One of them has no time zone.
    """
    if value.tzinfo is None or now.tzinfo is None:
        raise ValidationError("a moment without a time zone cannot be counted from", code="timezone")
    return format_timedelta(value - now, locale=locale, direction=True, numbering=numbering)
