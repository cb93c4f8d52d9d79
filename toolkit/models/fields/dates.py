"""Fields that hold dates and instants.

Instants are aware and kept in UTC. On SQLite they are text, ``2026-11-03 21:05:00+00:00``, which sorts as time
does, is read by SQLite's own date functions, and is plain to people who open the file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.i18n import gettext_lazy
from toolkit.models.fields.base import Convert, Field, FieldOptions
from toolkit.models.text_lookups import AS_TEXT
from toolkit.validators.base import refusal

T = TypeVar("T")

_NOT_A_DATE = gettext_lazy("%(shown)s is not a date")
_WRITE_DATE = gettext_lazy("Write it as YYYY-MM-DD.")
_NO_DATE = gettext_lazy("%(shown)s is an instant, not a date")
_WHICH_DAY = gettext_lazy("Which day it is depends on the time zone: give .astimezone(zone).date().")
_NOT_AN_INSTANT = gettext_lazy("%(shown)s is not a date and time")
_WRITE_INSTANT = gettext_lazy("Write it as YYYY-MM-DD HH:MM with an offset, such as 2026-11-03 21:05+00:00.")
_NO_INSTANT = gettext_lazy("%(shown)s is a date, not an instant")
_GIVE_INSTANT = gettext_lazy("Give a datetime with tzinfo, or compare the day: published__date.")
_OUT_OF_YEARS = gettext_lazy("%(shown)s is out of bounds (the years 1 to 9999)")
_NAIVE = gettext_lazy("%(shown)s has no time zone, so it is no instant")
_TWICE = gettext_lazy("%(shown)s is twice in %(zone)s, where clocks are put back then")
_NEVER = gettext_lazy("%(shown)s is never in %(zone)s, where clocks are put forward then")
_GIVE_ZONE = gettext_lazy("Give it one: value.replace(tzinfo=UTC), or ZoneInfo('Europe/Madrid').")


class DateField(Field[T]):
    """A day in the calendar.

    Args:
        auto_now_add: Set to the day of now, in UTC, when the row is first saved.
        auto_now: Set to the day of now, in UTC, at each ``save()``.
    """

    lookups = AS_TEXT
    native: ClassVar[type | None] = date

    @overload
    def __init__(
        self: DateField[date],
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: DateField[date | None],
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(null=null, **_stamped(options, auto_now or auto_now_add))
        self.auto_now, self.auto_now_add = auto_now, auto_now_add

    def stamp(self, moment: datetime) -> Any:
        """The value that ``auto_now`` gives at a moment."""
        return moment.astimezone(UTC).date()

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime):
            raise refusal(_NO_DATE, value, hint=_WHICH_DAY)
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value).strip())
        except ValueError as error:
            raise refusal(_NOT_A_DATE, value, hint=_WRITE_DATE) from error

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Date()

    def db_writer(self, dialect: str) -> Convert:
        return _day_to_text if dialect == "sqlite" else None

    def db_reader(self, dialect: str) -> Convert:
        readers: dict[str, Convert] = {"sqlite": date.fromisoformat, "mysql": _day_of}
        return readers.get(dialect)


def _stamped(options: FieldOptions, stamped: bool) -> FieldOptions:
    """Options of a field that is set by itself: it may be left empty, and forms do not show it."""
    return {"blank": True, "editable": False, **options} if stamped else options


class DateTimeField(Field[T]):
    """An instant: an aware ``datetime``, kept in UTC.

    A ``datetime`` without an offset is refused, and so is a ``date``: neither says which instant it is. What people
    type without an offset in a content file or a table is taken as the time in the site's ``timezone``; other text
    without one is in UTC.

    Args:
        auto_now_add: Set to now when the row is first saved.
        auto_now: Set to now at each ``save()``.
    """

    native: ClassVar[type | None] = datetime

    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime | None],
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(null=null, **_stamped(options, auto_now or auto_now_add))
        self.auto_now, self.auto_now_add = auto_now, auto_now_add

    def stamp(self, moment: datetime) -> Any:
        """The value that ``auto_now`` gives at a moment."""
        return moment

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime):
            value = _aware(value)
        elif isinstance(value, date):
            raise refusal(_NO_INSTANT, value, hint=_GIVE_INSTANT)
        else:
            value = self._parse(value)
        return _in_bounds(value)

    def _parse(self, value: Any) -> datetime:
        try:
            return datetime.fromisoformat(str(value).strip())
        except ValueError as error:
            raise refusal(_NOT_AN_INSTANT, value, hint=_WRITE_INSTANT) from error

    def value_to_string(self, value: Any) -> str:
        return str(_to_utc(value).isoformat())

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.DateTime(timezone=True)

    def db_writer(self, dialect: str) -> Convert:
        writers: dict[str, Convert] = {"sqlite": _to_text, "mysql": _to_naive}
        return writers.get(dialect, _written)

    def db_reader(self, dialect: str) -> Convert:
        readers: dict[str, Convert] = {"sqlite": _from_text, "mysql": _from_naive}
        return readers.get(dialect, _to_utc)


def in_zone(value: Any, zone: tzinfo) -> Any:
    """What people typed for an instant, with the offset from UTC that clocks in a time zone have then, if it says none.

    Args:
        value: Text in ISO 8601, a ``datetime``, or a ``date`` for its first moment. Anything else is given back.
        zone: The time zone.

    Raises:
        ValidationError: Clocks there show it twice that day, or never, since they are changed.
    """
    typed = _typed(value)
    if typed is None or typed.tzinfo is not None:
        return value
    early, late = typed.replace(tzinfo=zone, fold=0), typed.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    is_shown = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == typed
    raise refusal(_TWICE if is_shown else _NEVER, str(typed), zone=str(zone), code="clock_change", hint=_WRITE_INSTANT)


def _typed(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - who asks gives it a zone
    try:
        return datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None


def _day_to_text(value: date) -> str:
    return value.isoformat()


def _aware(value: datetime) -> datetime:
    """The value, if it says which instant it is.

    Raises:
        ValidationError: It has no offset.
    """
    if value.utcoffset() is None:
        raise refusal(_NAIVE, value, code="naive", hint=_GIVE_ZONE)
    return value


def _in_bounds(value: datetime) -> datetime:
    """The value in UTC.

    Raises:
        ValidationError: There it is in no year that Python has.
    """
    try:
        return _to_utc(value)
    except OverflowError as error:
        raise refusal(_OUT_OF_YEARS, value) from error


def _to_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:  # as psycopg gives it; to turn it round takes longer than to read it
        return value
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _written(value: datetime) -> datetime:
    return _in_bounds(_aware(value))


def _to_text(value: datetime) -> str:
    return (value if value.tzinfo is UTC else _written(value)).isoformat(" ")


_parse_moment = datetime.fromisoformat


def _from_text(value: str) -> datetime:
    moment = _parse_moment(value)
    return moment if moment.tzinfo is UTC else _to_utc(moment)


def _to_naive(value: datetime) -> datetime:
    return _written(value).replace(tzinfo=None)


def _day_of(value: Any) -> date:
    """MariaDB's drivers give what is no day, such as ``0000-00-00``, as text."""
    if isinstance(value, str):
        raise ValueError("there is no such day")
    day: date = value
    return day


def _from_naive(value: Any) -> datetime:
    if isinstance(value, str):
        raise ValueError("there is no such day")
    moment: datetime = value.replace(tzinfo=UTC)
    return moment
