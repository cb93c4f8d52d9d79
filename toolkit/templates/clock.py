"""The clock as an input of a page: read only as finely as the answer needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache

from toolkit.errors import TemplateError, did_you_mean
from toolkit.trace import current, digest, record

UNITS = ("year", "month", "day", "hour", "minute")

Granularity = str
"""A unit of time in UTC, or in a time zone: ``day``, ``year in Europe/Madrid``."""


def floor_moment(moment: datetime, granularity: Granularity) -> datetime:
    """The beginning of a moment's year, month, day, hour or minute."""
    unit, zone = _parts(granularity)
    begun = moment.astimezone(zone).replace(second=0, microsecond=0)
    for part, first in (("minute", 0), ("hour", 0), ("day", 1), ("month", 1)):
        if UNITS.index(part) <= UNITS.index(unit):
            break
        begun = begun.replace(**{part: first})  # type: ignore[arg-type]  # mypy knows no names here
    return begun


def end_of_moment(moment: datetime, granularity: Granularity) -> datetime:
    """When the clock next reads otherwise, as finely as that, in UTC."""
    unit, _ = _parts(granularity)
    begun = floor_moment(moment, granularity)
    if unit in ("minute", "hour"):
        return begun.astimezone(UTC) + timedelta(**{f"{unit}s": 1})
    days = {"day": 1, "month": 31, "year": 366}[unit]
    return floor_moment(begun + timedelta(days=days), granularity).astimezone(UTC)  # by the clock on the wall


@cache
def _parts(granularity: Granularity) -> tuple[str, tzinfo]:
    unit, _, name = granularity.partition(" in ")
    if not name:
        return unit, UTC
    from zoneinfo import ZoneInfo

    return unit, ZoneInfo(name)


def clock_digest(moment: datetime, granularity: Granularity) -> bytes:
    """What the trace records for the clock; ask again with today's moment to verify."""
    return digest(floor_moment(moment, granularity).astimezone(UTC))


def read_clock(granularity: Granularity) -> datetime:
    """The current moment, floored and recorded in the trace."""
    scope = current.get()
    moment = scope.now() if scope is not None else datetime.now(UTC)
    record("clock", (granularity,), clock_digest(moment, granularity))
    return floor_moment(moment, granularity)


def now(unit: str = "minute", *, timezone: str = "UTC") -> datetime:
    """The present, as finely as the page shows it: it is made anew when the next unit begins, and not before.

    Args:
        unit: ``year``, ``month``, ``day``, ``hour`` or ``minute``: what is given is its beginning.
        timezone: In which years, months and days begin.

    Raises:
        TemplateError: There is no such unit.
    """
    if unit not in UNITS:
        raise TemplateError(f"now({unit!r}): there is no such unit", hint=did_you_mean(unit, UNITS))
    return read_clock(unit if unit == "minute" or timezone == "UTC" else f"{unit} in {timezone}")


def read_clock_for(value: datetime) -> datetime:
    """The current moment, as finely as saying how far away ``value`` is needs it.

    What is three days old or more changes its wording by the day, what is an hour old by the hour, and
    anything else by the minute. The choice itself is made from floored moments, and what is old only gets
    older: while the recorded unit lasts, the same choice and the same answer come out.
    """
    scope = current.get()
    if value.tzinfo is None:  # nobody knows how far away that is
        return read_clock("minute")
    moment = scope.now() if scope is not None else datetime.now(UTC)
    age = floor_moment(moment, "hour") - value
    if age >= timedelta(days=3):
        return read_clock("day")
    return read_clock("hour" if age >= timedelta(hours=1) else "minute")
