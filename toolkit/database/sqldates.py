"""SQL functions of dates, instants and times of day for SQLite, which keeps them as text and knows no time zones.

A zone is given by its key (``toolkit.text.zones``). What has no value, such as the day before the first of the year 1,
is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from toolkit.lazily import LazyModule

if TYPE_CHECKING:
    from toolkit.text import zones
    from toolkit.text.zones import ZoneKey
else:
    zones = LazyModule("toolkit.text.zones")


Temporal = date | datetime | time

PARTS: Mapping[str, Callable[[Any], int]] = {
    "year": lambda value: value.year,
    "iso_year": lambda value: value.isocalendar().year,
    "quarter": lambda value: (value.month + 2) // 3,
    "month": lambda value: value.month,
    "week": lambda value: value.isocalendar().week,
    "day": lambda value: value.day,
    "week_day": lambda value: value.isoweekday() % 7 + 1,
    "iso_week_day": lambda value: value.isoweekday(),
    "hour": lambda value: value.hour,
    "minute": lambda value: value.minute,
    "second": lambda value: value.second,
}

_FIRST_DAYS: Mapping[str, Callable[[date], date]] = {
    "year": lambda day: day.replace(month=1, day=1),
    "quarter": lambda day: day.replace(month=day.month - (day.month - 1) % 3, day=1),
    "month": lambda day: day.replace(day=1),
    "week": lambda day: day - timedelta(days=day.weekday()),
    "day": lambda day: day,
}
_CLEARED: Mapping[str, Mapping[str, int]] = {
    "hour": {"minute": 0, "second": 0, "microsecond": 0},
    "minute": {"second": 0, "microsecond": 0},
    "second": {"microsecond": 0},
}


def _read(text: str, zone: ZoneKey) -> Temporal:
    """A value as the clocks of a zone show it."""
    if len(text) == 10:
        return date.fromisoformat(text)
    if text[2] == ":":
        return time.fromisoformat(text)
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(zones.zone_of(zone))


def _extract(part: str, text: str, zone: ZoneKey) -> int:
    return PARTS[part](_read(text, zone))


def _trunc(kind: str, text: str, zone: ZoneKey) -> str:
    value: Any = _read(text, zone)
    if kind in _CLEARED:
        cleared = value.replace(**_CLEARED[kind])
        if isinstance(value, time):
            return str(cleared.isoformat())
        return _written(value.astimezone(UTC) - (value.replace(tzinfo=None) - cleared.replace(tzinfo=None)))
    if not isinstance(value, datetime):
        return _FIRST_DAYS[kind](value).isoformat()
    day = _FIRST_DAYS[kind](value.date())
    return _written(datetime(day.year, day.month, day.day, tzinfo=value.tzinfo))


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(" ")


def _day(kind: str, text: str, zone: ZoneKey) -> str:
    """The first day of a year, month or the like, as a date."""
    value: Any = _read(text, zone)
    return _FIRST_DAYS[kind](value.date() if isinstance(value, datetime) else value).isoformat()


def _clock(text: str, zone: ZoneKey) -> str:
    value: Any = _read(text, zone)
    return str((value.time() if isinstance(value, datetime) else value).isoformat())


def _instant(value: Any) -> Any:
    """An instant as the toolkit writes it, from one that another program wrote; what is none stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        found = datetime.fromisoformat(value)
        return _written(found if found.tzinfo is not None else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return value


DATES: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "toolkit_extract": (3, _extract),
    "toolkit_trunc": (3, _trunc),
    "toolkit_day": (3, _day),
    "toolkit_clock": (2, _clock),
    "toolkit_instant": (1, _instant),
}
