"""Fields that hold times of day and lengths of time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.errors import DatabaseError, ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.models.fields.base import Convert, Field, FieldOptions
from toolkit.text.patterns import deferred
from toolkit.validators.base import refusal

T = TypeVar("T")

_NOT_A_TIME = gettext_lazy("%(shown)s is not a time of day")
_WRITE_TIME = gettext_lazy("Write it as HH:MM or HH:MM:SS.")
_INSTANT = gettext_lazy("%(shown)s is an instant, not a time of day")
_GIVE_TIME = gettext_lazy("Give its time().")
_ZONED = gettext_lazy("%(shown)s has a time zone; a time of day has none")
_KEEP_INSTANT = gettext_lazy("Keep the instant in a DateTimeField.")
_NOT_A_LENGTH = gettext_lazy("%(shown)s is not a length of time")
_WRITE_LENGTH = gettext_lazy("Write it as 'DD HH:MM:SS.ffffff' or in the way of ISO 8601, such as P3DT4H.")
_TOO_LONG = gettext_lazy("%(shown)s is out of bounds (%(days)s days)")

_MIDNIGHT = datetime(2000, 1, 1)  # noqa: DTZ001 - of no zone
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
LONGEST = timedelta(microseconds=2**63 - 1)
"""What 64 bits of microseconds hold: about 292,000 years."""

_CLOCK = deferred(
    r"(?:(?P<days>[-+]?\d{1,9})(?: days?,?(?: |$)| ))?"
    r"(?:(?P<sign>[-+]?)(?:(?P<hours>\d{1,10}):(?=\d+:\d))?(?:(?P<minutes>\d{1,10}):)?"
    r"(?P<seconds>\d{1,14})(?:[.,](?P<fraction>\d{1,6}))?)?"
)
_ISO = deferred(
    r"(?P<sign>[-+]?)P(?:(?P<weeks>\d{1,8}(?:\.\d+)?)W)?(?:(?P<days>\d{1,9}(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d{1,10}(?:\.\d+)?)H)?(?:(?P<minutes>\d{1,12}(?:\.\d+)?)M)?(?:(?P<seconds>\d{1,14}(?:\.\d+)?)S)?)?"
)


class TimeField(Field[T]):
    """A time of day, without a date and without a time zone.

    Args:
        auto_now_add: Set to the time of now, in UTC, when the row is first saved.
        auto_now: Set to the time of now, in UTC, at each ``save()``.
    """

    native: ClassVar[type | None] = time

    @overload
    def __init__(
        self: TimeField[time],
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: TimeField[time | None],
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
        if auto_now or auto_now_add:
            options = {"blank": True, "editable": False, **options}
        super().__init__(null=null, **options)
        self.auto_now, self.auto_now_add = auto_now, auto_now_add

    def stamp(self, moment: datetime) -> Any:
        """The value that ``auto_now`` gives at a moment."""
        return moment.time()

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime):
            raise refusal(_INSTANT, value, hint=_GIVE_TIME)
        if not isinstance(value, time):
            value = self._parse(value)
        if value.tzinfo is not None:
            raise refusal(_ZONED, value, hint=_KEEP_INSTANT)
        return value

    def _parse(self, value: Any) -> time:
        try:
            return time.fromisoformat(str(value).strip())
        except ValueError as error:
            raise refusal(_NOT_A_TIME, value, hint=_WRITE_TIME) from error

    def sql_type(self) -> Any:
        import sqlalchemy as sa
        from sqlalchemy.dialects.mysql import TIME

        return sa.Time().with_variant(TIME(fsp=6), "mysql", "mariadb")

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """Refuse a time with a zone, also where nothing else had to be read."""
        write, read = self.db_writer(dialect), self.to_python
        return read if write is None else lambda value: write(read(value))

    compared_value_of = db_value_of

    def db_writer(self, dialect: str) -> Convert:
        return time.isoformat if dialect == "sqlite" else None

    def db_reader(self, dialect: str) -> Convert:
        readers: dict[str, Convert] = {"sqlite": time.fromisoformat, "mysql": _from_midnight}
        return readers.get(dialect)

    def value_to_string(self, value: Any) -> str:
        text: str = value.isoformat()
        return text


def _from_midnight(value: Any) -> time:
    """MariaDB's drivers give a time of day as the time since midnight; its ``TIME`` may be up to five weeks, too."""
    if isinstance(value, time):
        return value
    if not timedelta(0) <= value < _DAY:
        raise ValueError("a time of day is from 00:00 on, and before 24:00")
    clock: time = (_MIDNIGHT + value).time()
    return clock


class DurationField(Field[T]):
    """A length of time, exact to the microsecond.

    In files and forms it is written as ``1 02:03:04.5``, ``3 days`` or ``P3DT4H``; a number alone says seconds.
    PostgreSQL keeps an interval; SQLite and MariaDB keep microseconds, as a whole number.
    """

    native: ClassVar[type | None] = timedelta

    @overload
    def __init__(
        self: DurationField[timedelta], *, null: Literal[False] = False, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: DurationField[timedelta | None], *, null: Literal[True], **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, timedelta):
            return value
        found = parse_duration(value) if isinstance(value, str) else None
        if found is None:
            raise refusal(_NOT_A_LENGTH, value, hint=_WRITE_LENGTH)
        return found

    def validate(self, value: Any) -> None:
        if abs(value) > LONGEST:
            raise refusal(_TOO_LONG, value, code="overflow", days=LONGEST.days)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
        return number.with_variant(sa.Interval(), "postgresql")

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """Refuse what 64 bits of microseconds do not hold."""
        write = self.db_writer(dialect)

        def value_of(value: Any) -> Any:
            value = self.to_python(value)
            self.validate(value)
            return value if write is None else write(value)

        return value_of

    compared_value_of = db_value_of

    def db_writer(self, dialect: str) -> Convert:
        return None if dialect == "postgresql" else _to_microseconds

    def db_reader(self, dialect: str) -> Convert:
        return None if dialect == "postgresql" else _from_microseconds

    def value_to_string(self, value: Any) -> str:
        return format_duration(value)


def _to_microseconds(value: timedelta) -> int:
    if not -LONGEST <= value <= LONGEST:
        raise ValidationError(f"{value} is longer than 64 bits of microseconds", hint="That is 292,000 years.")
    return value // _MICROSECOND


def _from_microseconds(value: Any) -> timedelta:
    """A length of time, from what may be a decimal number of MariaDB's."""
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise DatabaseError("a length of time out of range: it has more than 64 bits of microseconds")
    return timedelta(microseconds=number)


def format_duration(value: timedelta) -> str:
    """A length of time as text: ``3 04:05:06.000007``, days first if there are any; below zero ``-3 04:05:06``.

    As in Django and in ``str(timedelta)``, only the days are below zero: the clock counts forward from them.
    """
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours:02}:{minutes:02}:{seconds:02}"
    if value.microseconds:
        clock += f".{value.microseconds:06}"
    return f"{value.days} {clock}" if value.days else clock


def parse_duration(text: str) -> timedelta | None:
    """The length of time that a text says, or None if it says none.

    Args:
        text: ``DD HH:MM:SS.ffffff`` (all but the seconds may be left out), ``3 days, 4:05:06``, ``3 days``, or ISO
            8601's ``P3DT4H5M6S`` with weeks, days and parts of a day.
    """
    text = text.strip()
    try:
        return _parse_iso(text) if "P" in text else _parse_clock(text)
    except OverflowError:
        return None


def _parse_clock(text: str) -> timedelta | None:
    found = _CLOCK.fullmatch(text)
    if not text or found is None:
        return None
    clock = timedelta(
        hours=int(found["hours"] or 0),
        minutes=int(found["minutes"] or 0),
        seconds=int(found["seconds"] or 0),
        microseconds=int((found["fraction"] or "").ljust(6, "0") or 0),
    )
    return timedelta(days=int(found["days"] or 0)) + (-clock if found["sign"] == "-" else clock)


def _parse_iso(text: str) -> timedelta | None:
    found = _ISO.fullmatch(text)
    parts = {name: part for name, part in found.groupdict().items() if name != "sign" and part} if found else {}
    if found is None or not parts:
        return None
    whole = timedelta(**{name: float(part) if "." in part else int(part) for name, part in parts.items()})
    return -whole if found["sign"] == "-" else whole
