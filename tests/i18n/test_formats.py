"""Dates, times, numbers and lists in several languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from toolkit.errors import ValidationError
from toolkit.i18n import (
    format_currency,
    format_date,
    format_datetime,
    format_list,
    format_number,
    format_percent,
    format_time,
    format_timedelta,
    timesince,
)

NOON = datetime(2024, 3, 5, 12, 30, tzinfo=UTC)


def plain(text: str) -> str:
    """With ordinary blanks: CLDR has narrow and no-break ones that nobody can tell apart in a test."""
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("\u200f", "")


@pytest.mark.parametrize(
    ("locale", "format", "expected"),
    [
        ("en", "long", "March 5, 2024"),
        ("en-GB", "long", "5 March 2024"),
        ("es", "long", "5 de marzo de 2024"),
        ("es", "full", "martes, 5 de marzo de 2024"),
        ("ar", "long", "5 مارس 2024"),
        ("pl", "long", "5 marca 2024"),
        ("pl", "LLLL y", "marzec 2024"),
        ("ja", "long", "2024年3月5日"),
        ("de", "EEEE, d. MMMM", "Dienstag, 5. März"),
        ("es", "d 'de' MMMM", "5 de marzo"),
        ("en-XA", "long", "March 5, 2024"),
        ("en", "short", "3/5/24"),
    ],
)
def test_dates_are_written_in_their_language(locale: str, format: str, expected: str) -> None:
    assert format_date(date(2024, 3, 5), format, locale=locale) == expected
    assert format_date(NOON, format, locale=locale) == expected


def test_the_date_of_a_moment_is_that_of_the_time_zone() -> None:
    late = datetime(2024, 3, 5, 23, 30, tzinfo=UTC)
    assert format_date(late, locale="en", timezone="Asia/Tokyo") == "March 6, 2024"
    assert format_date(late, locale="en", timezone="Atlantic/Azores") == "March 5, 2024"


def test_moments_show_on_the_clocks_of_the_time_zone() -> None:
    assert plain(format_datetime(NOON, locale="es", timezone="Europe/Madrid")) == "5 de marzo de 2024, 13:30"
    assert plain(format_datetime(NOON, locale="en", timezone="Atlantic/Azores")) == "March 5, 2024, 11:30 AM"
    assert plain(format_datetime(NOON, "short", locale="en")) == "3/5/24, 12:30 PM"
    assert format_datetime(NOON, "yyyy-MM-dd HH:mm", locale="en") == "2024-03-05 12:30"


def test_both_sides_of_a_clock_change_are_right() -> None:
    before, after = datetime(2024, 3, 31, 0, 59, tzinfo=UTC), datetime(2024, 3, 31, 1, 0, tzinfo=UTC)
    shown = [format_time(moment, locale="es", timezone="Europe/Madrid") for moment in (before, after)]
    assert shown == ["1:59", "3:00"]


def test_a_moment_without_a_zone_is_on_the_local_clocks_already() -> None:
    wall = NOON.replace(tzinfo=None)
    assert format_time(wall, locale="es", timezone="Asia/Tokyo") == "12:30"


def test_times_are_written_in_their_language() -> None:
    assert plain(format_time(time(14, 5), locale="en")) == "2:05 PM"
    assert format_time(time(14, 5), locale="es") == "14:05"
    assert format_time(NOON, "HH 'h' mm", locale="fr") == "12 h 30"


def test_arabic_digits_are_a_choice() -> None:
    assert format_date(NOON, locale="ar", numbering="native") == "٥ مارس ٢٠٢٤"
    assert format_number(1234.5, locale="ar", numbering="native") == "١٬٢٣٤٫٥"
    assert format_number(1234.5, locale="fa", numbering="native") == "۱٬۲۳۴٫۵"
    assert format_number(1234.5, locale="es", numbering="native") == "1.234,5"


def test_numbers_shares_and_amounts_are_written_in_their_language() -> None:
    assert format_number(12345.678, locale="en") == "12,345.678"
    assert format_number(12345.678, locale="es") == "12.345,678"
    assert plain(format_number(1234567, locale="fr")) == "1 234 567"
    assert format_number(1234567, locale="hi") == "12,34,567"
    assert format_number(1.5, "0.00", locale="de") == "1,50"
    assert plain(format_percent(Decimal("0.25"), locale="es")) == "25 %"
    assert format_currency(Decimal("1099.5"), "EUR", locale="en") == "€1,099.50"
    assert plain(format_currency(Decimal("1099.5"), "EUR", locale="es")) == "1.099,50 €"
    assert plain(format_currency(1099, "JPY", locale="de")) == "1.099 ¥"


def test_lists_are_joined_in_their_language() -> None:
    names = ["Ana", "Rui", "Zé"]
    assert format_list(names, locale="en-GB") == "Ana, Rui and Zé"
    assert format_list(names, locale="es") == "Ana, Rui y Zé"
    assert format_list(names, locale="en", style="or") == "Ana, Rui, or Zé"
    assert format_list(["Ana"], locale="es") == "Ana"
    assert format_list([], locale="es") == ""


def test_spans_are_counted_from_a_given_moment() -> None:
    def since(**span: int) -> str:
        return timesince(NOON - timedelta(**span), now=NOON, locale="en")

    assert [since(days=3), since(hours=1), since(days=-3)] == ["3 days ago", "1 hour ago", "in 3 days"]
    assert timesince(NOON, now=NOON + timedelta(days=2), locale="ar") == "قبل يومين"
    assert timesince(NOON, now=NOON + timedelta(days=3), locale="ar", numbering="native") == "قبل ٣ أيام"
    assert format_timedelta(timedelta(minutes=80), locale="es", threshold=1) == "1 hora"


def test_a_span_needs_moments_with_time_zones() -> None:
    with pytest.raises(ValidationError, match="without a time zone cannot be counted"):
        timesince(NOON.replace(tzinfo=None), now=NOON, locale="en")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: format_date(NOON, "QQQQQQ", locale="en"), "'QQQQQQ' is not a date format.*Use short, medium"),
        (lambda: format_date(date(2024, 1, 1), "HH:mm", locale="en"), "'HH:mm' is not a date format"),
        (lambda: format_time(time(1), "d MMMM", locale="en"), "'d MMMM' is not a time format"),
        (lambda: format_date(NOON, locale="en", timezone="Mars/Base"), "there is no time zone 'Mars/Base'"),
        (lambda: format_date(NOON, locale="en", timezone="../etc"), "there is no time zone"),
        (lambda: format_currency(1, "XXQ", locale="en"), "there is no currency 'XXQ'"),
    ],
)
def test_what_cannot_be_formatted_says_why(call: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        call()


@pytest.mark.parametrize("function", [format_date, format_time, format_datetime])
def test_a_text_is_no_date(function: Any) -> None:
    with pytest.raises(ValidationError, match="'2024-03-05' is not a"):
        function("2024-03-05", locale="en")
