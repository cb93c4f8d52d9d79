"""How columns keep values for which a database has no type of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_MICROSECOND = timedelta(microseconds=1)


def in_utc(value: datetime) -> datetime:
    """An instant in UTC; a ``datetime`` that says no offset as it is."""
    return value if value.tzinfo is None else value.astimezone(UTC)


def microseconds(value: timedelta) -> int:
    """A length of time as a number."""
    return value // _MICROSECOND
