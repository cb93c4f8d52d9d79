"""The clock as an input of a page: read only as finely as the answer needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from toolkit.trace import current, digest, record

Granularity = Literal["day", "hour", "minute"]


def floor_moment(moment: datetime, granularity: Granularity) -> datetime:
    """The beginning of a moment's day, hour or minute, in UTC."""
    minute = moment.astimezone(UTC).replace(second=0, microsecond=0)
    if granularity == "minute":
        return minute
    return minute.replace(minute=0) if granularity == "hour" else minute.replace(minute=0, hour=0)


_UNITS: dict[Granularity, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


def end_of_moment(moment: datetime, granularity: Granularity) -> datetime:
    """When the clock next reads otherwise, as finely as that."""
    return floor_moment(moment, granularity) + _UNITS[granularity]


def clock_digest(moment: datetime, granularity: Granularity) -> bytes:
    """What the trace records for the clock; ask again with today's moment to verify."""
    return digest(floor_moment(moment, granularity))


def read_clock(granularity: Granularity) -> datetime:
    """The current moment, floored and recorded in the trace."""
    scope = current.get()
    moment = scope.now() if scope is not None else datetime.now(UTC)
    record("clock", (granularity,), clock_digest(moment, granularity))
    return floor_moment(moment, granularity)


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
