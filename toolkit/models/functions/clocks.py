"""Instants as the clocks of a time zone show them, in the SQL of PostgreSQL and MariaDB, and back.

The changes of the clocks stand in the statement (see ``toolkit.text.zones``). A database finds the one before an
instant by bisection: PostgreSQL by ``width_bucket``, MariaDB by ``INTERVAL``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from toolkit.errors import FieldError
from toolkit.text.zones import CYCLE, EPOCH, REPEATED, SECOND, ZoneKey, zone_table

_ROUND = (REPEATED - EPOCH) // SECOND
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // SECOND
_LAST = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - EPOCH) // SECOND


def local(dialect: str, instant: Any, zone: ZoneKey) -> Any:
    """What the clocks show at an instant: a timestamp without a zone; NULL outside of the years 1 to 9999."""
    plain = _plain(dialect, instant)
    if zone == 0:
        return plain
    table = zone_table(zone)
    return _moved(dialect, plain, table.changes, table.offsets, 1)


def instant_of(dialect: str, clock: Any, zone: ZoneKey) -> Any:
    """The instant at which the clocks show this: the first one if they do so twice, as Python's ``fold=0`` has it."""
    if zone == 0:
        return _aware(dialect, clock)
    table = zone_table(zone)
    return _aware(dialect, _moved(dialect, clock, table.local_changes, table.offsets, -1))


def back(dialect: str, instant: Any, length: Any, zone: ZoneKey, unit: int) -> Any:
    """An instant less what has passed since the clocks showed a full hour, minute or second (PostgreSQL).

    Args:
        dialect: The dialect.
        instant: The instant.
        length: What has passed.
        zone: Whose clocks.
        unit: The seconds of an hour, a minute or a second: NULL where it began before the year 1.
    """
    import sqlalchemy as sa

    found = moved(dialect, "-", instant, length)
    begun = zone_table(zone).offsets[0] % unit
    if not begun:
        return found
    first = (EPOCH + (_FIRST + unit - begun) * SECOND).replace(tzinfo=None)
    return sa.case((_plain(dialect, instant) >= sa.literal_column(f"TIMESTAMP '{first.isoformat(' ')}'"), found))


def moved(dialect: str, operator: str, instant: Any, length: Any) -> Any:
    """An instant, so much later (``+``) or earlier (``-``).

    As PostgreSQL sees it, an instant that is moved depends on the time zone of who asks, where days are not of 24
    hours, and no column may keep it. Without a zone it does not, and the zone is UTC.
    """
    return _aware(dialect, _plain(dialect, instant).op(operator, precedence=7)(length))


def midnight(dialect: str, day: Any) -> Any:
    """A date as the instant at which it begins, in UTC."""
    import sqlalchemy as sa
    from sqlalchemy.dialects.mysql import DATETIME

    kind = sa.DateTime(timezone=True)
    if dialect == "sqlite":
        return sa.func.toolkit_instant_add(day, sa.literal_column("0"), type_=kind)
    if dialect == "postgresql":
        return _aware(dialect, sa.cast(day, sa.DateTime()))
    return sa.cast(day, DATETIME(fsp=6) if dialect == "mysql" else kind)


def _plain(dialect: str, instant: Any) -> Any:
    """An instant without its zone, which is UTC."""
    import sqlalchemy as sa

    if dialect == "postgresql":
        return sa.func.timezone(sa.literal_column("'UTC'"), instant)
    if dialect == "mysql":
        return instant
    raise FieldError(f"dates cannot be taken apart on {dialect} yet", hint="Do it in Python.")


def _aware(dialect: str, plain: Any) -> Any:
    import sqlalchemy as sa

    kind = sa.DateTime(timezone=True)
    if dialect == "postgresql":
        return sa.func.timezone(sa.literal_column("'UTC'"), plain, type_=kind)
    return sa.type_coerce(plain, kind)


def _moved(dialect: str, moment: Any, changes: Sequence[int], offsets: Sequence[int], sign: int) -> Any:
    """A timestamp, moved by the offset that is in force then."""
    import sqlalchemy as sa

    seconds = _seconds(dialect, moment)
    offset = _found(dialect, _in_table(seconds, changes), changes, offsets)
    if dialect == "mysql":
        unit: Any = sa.literal_column("SECOND")
        return sa.func.timestampadd(unit, offset if sign > 0 else -offset, moment)  # NULL where there is no such year
    length: Any = sa.cast(offset, sa.Integer()).op("*", precedence=8)(sa.literal_column("INTERVAL '1 second'"))
    found = moment.op("+" if sign > 0 else "-", precedence=7)(length)
    first, last = _FIRST - min(0, sign * offsets[0]), _LAST - max(0, sign * offsets[-1])
    if (first, last) == (_FIRST, _LAST):
        return found
    return sa.case((seconds.between(sa.literal_column(str(first)), sa.literal_column(str(last))), found))


def _seconds(dialect: str, moment: Any) -> Any:
    """Whole seconds since 1970."""
    import sqlalchemy as sa

    if dialect == "mysql":
        found: Any = sa.func.to_seconds(moment, type_=sa.BigInteger())
        return found - sa.literal_column("62167219200")
    return sa.cast(sa.func.floor(sa.extract("epoch", moment)), sa.BigInteger())


def _in_table(seconds: Any, changes: Sequence[int]) -> Any:
    """The same second of the 400 years that the table knows."""
    import sqlalchemy as sa

    if not changes or changes[-1] < _ROUND:
        return seconds
    start: Any = sa.literal_column(str(_ROUND))
    cycle: Any = sa.literal_column(str(CYCLE))
    later = (seconds - start).op("%", precedence=8)(cycle).op("+", precedence=7)(start)
    return sa.case((seconds < sa.literal_column(str(_ROUND + CYCLE)), seconds), else_=later)


def _found(dialect: str, seconds: Any, changes: Sequence[int], offsets: Sequence[int]) -> Any:
    import sqlalchemy as sa

    if not changes:
        return sa.literal_column(str(offsets[0]))
    known, each = ",".join(map(str, changes)), ",".join(map(str, offsets))
    one: Any = sa.literal_column("1")
    if dialect == "mysql":
        place = sa.func.interval(seconds, sa.literal_column(known), type_=sa.Integer())
        return sa.cast(sa.func.elt(one + place, sa.literal_column(each)), sa.BigInteger())
    from sqlalchemy.dialects.postgresql import ARRAY

    place = sa.func.width_bucket(seconds, sa.literal_column(f"CAST('{{{known}}}' AS BIGINT[])"), type_=sa.Integer())
    listed: Any = sa.literal_column(f"(CAST('{{{each}}}' AS INTEGER[]))", ARRAY(sa.Integer()))
    return listed[one + place]
