"""Time zones as tables: at which instants the clocks of a zone are changed, and by how much they differ from UTC.

Databases know time zones by themselves or not at all: a new MariaDB has none, and knows only the years from 1970 to
2038 of those it is given; PostgreSQL's may be older than Python's. With Python's own changes as a table, every
database says what Python says.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CYCLE = 146_097 * 86_400
"""Seconds of 400 years, after which the calendar, weekdays included, begins again."""

REPEATED = datetime(2100, 1, 1, tzinfo=UTC)
"""Where 400 years begin that all later ones repeat. The last changes that follow no rule are announced for 2087."""

_FIRST, _LAST = datetime(1800, 1, 1, tzinfo=UTC), datetime(2501, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=3)
"""No zone of the database of time zones ever changed its clocks twice within less than this."""

ZoneKey = str | int
"""How a zone is written down: its IANA name, or the seconds that it is ahead of UTC."""


def zone_key(zone: tzinfo) -> ZoneKey:
    """What tells a time zone from others, from one process to the next.

    Raises:
        ValueError: It is of a class that is not known.
    """
    if isinstance(zone, ZoneInfo) and zone.key is not None:
        return 0 if zone.key in ("UTC", "Etc/UTC") else zone.key
    if isinstance(zone, timezone):
        return zone.utcoffset(None) // SECOND
    raise ValueError(f"{zone!r} is no ZoneInfo with a name, nor a fixed offset")


@cache
def zone_of(key: ZoneKey) -> tzinfo:
    """The time zone of a key."""
    if isinstance(key, int):
        return timezone(timedelta(seconds=key)) if key else UTC
    return ZoneInfo(key)


class ZoneTable(msgspec.Struct, frozen=True, dict=True):
    """The changes of a zone's clocks up to the year 2500; those of later years are the same 400 years before.

    Args:
        changes: Instants, in seconds since 1970, at which the difference from UTC becomes another.
        offsets: That difference in seconds: before the first change, and after each.
    """

    changes: tuple[int, ...]
    offsets: tuple[int, ...]

    @cached_property
    def local_changes(self) -> tuple[int, ...]:
        """The same in local time, as ``fold=0`` has it: what is shown twice is meant the first time."""
        return tuple(
            change + max(before, after)
            for change, (before, after) in zip(self.changes, pairwise(self.offsets), strict=True)
        )

    @cached_property
    def keeps_days(self) -> bool:
        """Whether the date of a later instant is never an earlier one: clocks are not put back across midnight."""
        steps = zip(self.changes, pairwise(self.offsets), strict=True)
        return all((change + after) // 86_400 >= (change + before - 1) // 86_400 for change, (before, after) in steps)

    def offset(self, seconds: int) -> int:
        """The difference from UTC at an instant."""
        return self.offsets[bisect_right(self.changes, seconds)]


@cache
def zone_table(key: ZoneKey) -> ZoneTable:
    """The table of a zone; made once for each."""
    zone = zone_of(key)
    if isinstance(key, int):
        return ZoneTable((), (key,))
    changes, offsets = [], [_offset(zone, _FIRST)]
    moment = _FIRST
    while moment < _LAST:
        later = moment + _STEP
        found = _offset(zone, later)
        if found != offsets[-1]:
            changes.append(_change(zone, moment, later))
            offsets.append(found)
        moment = later
    return ZoneTable(tuple(changes), tuple(offsets))


def _offset(zone: tzinfo, moment: datetime) -> int:
    found = moment.astimezone(zone).utcoffset()
    return found // SECOND if found is not None else 0


def _change(zone: tzinfo, before: datetime, after: datetime) -> int:
    """The instant between two at which the clocks are changed."""
    first, last = (before - EPOCH) // SECOND, (after - EPOCH) // SECOND
    old = _offset(zone, before)
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(zone, EPOCH + timedelta(seconds=middle)) == old:
            first = middle
        else:
            last = middle
    return last
