"""Dates as feeds write them. English names whatever the locale of the machine."""

from __future__ import annotations

import re
from datetime import date, datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_RFC822 = re.compile(
    rf"(?:(?P<weekday>{'|'.join(_DAYS)}), )?(?P<day>\d{{1,2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>\d{{4}}) "
    r"(?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60))? (?:[+-]\d{4}|UT|GMT|Z|[ECMP][SD]T)",
    re.ASCII,
)


def format_rfc822(moment: datetime) -> str:
    """A moment in UTC as RSS writes it: ``Sun, 01 Mar 2026 08:00:00 +0000``.

    Not ``strftime``, whose names follow the locale.

    Source: RSS 2.0; RFC 822 §5 with four-digit years.
    """
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02} {month} {moment.year:04} {moment:%H:%M:%S} +0000"


def is_rfc822(text: str) -> bool:
    """Whether a text is a date-time of RFC 822 with four-digit year, on the weekday that it says."""
    match = _RFC822.fullmatch(text)
    if match is None:
        return False
    try:
        day = date(int(match["year"]), _MONTHS.index(match["month"]) + 1, int(match["day"]))
    except ValueError:
        return False
    return match["weekday"] in (None, _DAYS[day.weekday()])


def is_rfc3339(text: str) -> bool:
    """Whether a text is a date-time of RFC 3339 §5.6 that exists in the calendar."""
    if not _RFC3339.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", text).upper())
    except ValueError:
        return False
    return True
