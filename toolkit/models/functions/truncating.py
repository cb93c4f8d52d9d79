"""The beginnings of years, months and hours that dates, instants and times of day lie in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, tzinfo
from functools import partial
from typing import Any, ClassVar

from toolkit.errors import FieldError, did_you_mean
from toolkit.models.calls import Transform
from toolkit.models.fields import DateField, DateTimeField, Field, TimeField
from toolkit.models.functions.clocks import back, instant_of, local
from toolkit.models.functions.parts import CLOCK, DAYS, asked_zone, literal, source_kind
from toolkit.models.functions.spans import DayOf
from toolkit.models.outputs import kind_of
from toolkit.text.zones import ZoneKey, zone_of


class Trunc(Transform):
    """The beginning of the year, month, hour or the like that a date, an instant or a time of day lies in.

    Of an instant it is an instant: that at which the year or day begins where the clocks show ``tzinfo``'s time, the
    first one if midnight comes twice. Hours, minutes and seconds keep the difference from UTC that the instant has,
    so that the two hours at the end of summer time stay two.

    Args:
        expression: What it is taken of.
        kind: ``"year"``, ``"quarter"``, ``"month"``, ``"week"`` (from Monday on), ``"day"``, ``"hour"``, ``"minute"``
            or ``"second"``.
        output_field: A ``DateField()`` to get the date, or a ``TimeField()`` to get the time of day, of an instant.
        tzinfo: Whose clocks and calendar: a ``ZoneInfo`` or ``datetime.timezone``; UTC if not given.
    """

    kind: ClassVar[str] = ""
    form: ClassVar[type | None] = None
    """Of an instant: the date, or the time of day, rather than an instant."""

    def __init__(
        self,
        expression: Any,
        kind: str | None = None,
        output_field: Field[Any] | None = None,
        tzinfo: tzinfo | None = None,
    ) -> None:
        name, unit = type(self).__name__, self.kind or kind
        if unit not in (*DAYS, *CLOCK):
            raise FieldError(f"Trunc() knows no {unit!r}", hint=did_you_mean(str(unit), (*DAYS, *CLOCK)))
        wanted = kind_of(output_field)
        if output_field is not None and wanted not in (date, time, datetime):
            raise FieldError(f"{name}(output_field={output_field!r}): it gives a date, an instant or a time of day")
        form = wanted if wanted is not datetime else None
        super().__init__(expression, options=(unit, asked_zone(name, tzinfo), form))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        unit, zone, form = context.options
        kind = source_kind(cls.__name__, context, unit, zone)
        if form not in (None, kind) and kind is not datetime:
            raise FieldError(f"{cls.__name__}(): a {kind.__name__} has no {form.__name__}")
        (value,) = arguments
        if kind is not datetime:
            return _beginning(context.dialect, unit, value, kind)
        if form is time:
            return _clock_of(context.dialect, _beginning_of_instant(context.dialect, unit, value, zone), zone)
        if form is date:
            return _day_of(context.dialect, unit if unit in DAYS else "day", value, zone)
        return _beginning_of_instant(context.dialect, unit, value, zone)

    @classmethod
    def result(cls, context: Any, built: Any) -> Any:
        unit, zone, form = context.options
        kind = kind_of(context.fields[0])
        if kind is datetime and form is date and unit not in DAYS[:-1]:
            return DayOf(built, context.column, context.fields[0], zone)
        if kind is datetime and form is None:
            return InZone(zone) if zone else DateTimeField[Any](null=True)
        return TimeField[Any](null=True) if kind is time or form is time else DateField[Any](null=True)


class InZone(DateTimeField[Any]):
    """Instants that are given with the offset of a time zone.

    Args:
        zone: The zone's key.
    """

    def __init__(self, zone: ZoneKey) -> None:
        super().__init__(null=True)
        self.zone = zone

    def db_reader(self, dialect: str) -> Any:
        return partial(_read_in_zone, super().db_reader(dialect), self.zone)


def _read_in_zone(read: Callable[[Any], Any] | None, zone: ZoneKey, value: Any) -> datetime:
    instant: datetime = read(value) if read is not None else value
    return instant.astimezone(zone_of(zone))


def _day_of(dialect: str, unit: str, instant: Any, zone: ZoneKey) -> Any:
    """The date on which the year, month or the like of an instant begins."""
    import sqlalchemy as sa

    if dialect == "sqlite":
        return sa.func.toolkit_day(literal(unit), instant, literal(zone), type_=sa.Date())
    return sa.cast(_first_day(dialect, unit, local(dialect, instant, zone)), sa.Date())


def _clock_of(dialect: str, instant: Any, zone: ZoneKey) -> Any:
    import sqlalchemy as sa
    from sqlalchemy.dialects.mysql import TIME

    if dialect == "sqlite":
        return sa.func.toolkit_clock(instant, literal(zone), type_=sa.Time())
    return sa.cast(local(dialect, instant, zone), TIME(fsp=6) if dialect == "mysql" else sa.Time())


def _beginning_of_instant(dialect: str, unit: str, instant: Any, zone: ZoneKey) -> Any:
    import sqlalchemy as sa
    from sqlalchemy.dialects.mysql import DATETIME

    kind = sa.DateTime(timezone=True)
    if dialect == "sqlite":
        return sa.func.toolkit_trunc(literal(unit), instant, literal(zone), type_=kind)
    shown = local(dialect, instant, zone)
    if unit in DAYS:
        first = _first_day(dialect, unit, shown)
        return instant_of(dialect, sa.cast(first, DATETIME(fsp=6)) if dialect == "mysql" else first, zone)
    if dialect == "postgresql":
        passed = shown.op("-", precedence=7)(sa.func.date_trunc(literal(unit), shown))
        return back(dialect, instant, passed, zone, {"hour": 3600, "minute": 60, "second": 1}[unit])
    return sa.func.timestampadd(sa.literal_column("MICROSECOND"), -_passed(unit, shown), instant, type_=kind)


def _passed(unit: str, shown: Any) -> Any:
    """Microseconds since the hour, minute or second began (MariaDB)."""
    import sqlalchemy as sa

    million: Any = sa.literal_column("1000000")
    found: Any = sa.func.microsecond(shown, type_=sa.BigInteger())
    if unit in ("hour", "minute"):
        found = found + sa.func.second(shown, type_=sa.BigInteger()) * million
    if unit == "hour":
        found = found + sa.func.minute(shown, type_=sa.BigInteger()) * sa.literal_column("60000000")
    return found


def _first_day(dialect: str, unit: str, shown: Any) -> Any:
    """The first day of the year, month or the like: a timestamp on PostgreSQL, a date on MariaDB."""
    import sqlalchemy as sa

    if dialect == "postgresql":
        return sa.func.date_trunc(literal(unit), shown)
    days: dict[str, Any] = {"year": sa.func.dayofyear, "month": sa.func.dayofmonth, "quarter": sa.func.dayofmonth}
    one: Any = sa.literal_column("1")
    found = sa.func.date(shown)
    if unit == "week":
        return sa.func.timestampadd(sa.literal_column("DAY"), -sa.func.weekday(shown, type_=sa.Integer()), found)
    if unit == "day":
        return found
    passed = days[unit](shown, type_=sa.Integer()) - one
    first = sa.func.timestampadd(sa.literal_column("DAY"), -passed, found)
    if unit != "quarter":
        return first
    months = (sa.func.month(shown, type_=sa.Integer()) - one).op("%", precedence=8)(sa.literal_column("3"))
    return sa.func.timestampadd(sa.literal_column("MONTH"), -months, first)


def _beginning(dialect: str, unit: str, value: Any, kind: type) -> Any:
    """Of a date, or of a time of day."""
    import sqlalchemy as sa
    from sqlalchemy.dialects.mysql import TIME

    result = sa.Date() if kind is date else sa.Time()
    if dialect == "sqlite":
        return sa.func.toolkit_trunc(literal(unit), value, literal(0), type_=result)
    if dialect not in ("postgresql", "mysql"):
        raise FieldError(f"dates cannot be taken apart on {dialect} yet", hint="Do it in Python.")
    if kind is date:
        shown = sa.cast(value, sa.DateTime()) if dialect == "postgresql" else value
        return sa.cast(_first_day(dialect, unit, shown), result)
    if dialect == "postgresql":
        return sa.cast(sa.func.date_trunc(literal(unit), value), result)
    zero: Any = sa.literal_column("0")
    parts = [sa.func.hour(value), sa.func.minute(value), sa.func.second(value)]
    kept = CLOCK.index(unit) + 1
    return sa.cast(sa.func.maketime(*parts[:kept], *[zero] * (3 - kept)), TIME(fsp=6))


class _TruncBase(Trunc):
    """A ``Trunc`` whose kind is in its name."""

    def __init__(self, expression: Any, output_field: Field[Any] | None = None, tzinfo: tzinfo | None = None) -> None:
        super().__init__(expression, None, output_field, tzinfo)


class TruncYear(_TruncBase):
    """The beginning of the year."""

    kind = "year"


class TruncQuarter(_TruncBase):
    """The beginning of the quarter."""

    kind = "quarter"


class TruncMonth(_TruncBase):
    """The beginning of the month."""

    kind = "month"


class TruncWeek(_TruncBase):
    """The beginning of the week, which is Monday's."""

    kind = "week"


class TruncDay(_TruncBase):
    """The beginning of the day."""

    kind = "day"


class TruncHour(_TruncBase):
    """The beginning of the hour."""

    kind = "hour"


class TruncMinute(_TruncBase):
    """The beginning of the minute."""

    kind = "minute"


class TruncSecond(_TruncBase):
    """The beginning of the second."""

    kind = "second"


@DateTimeField.provide_transform
class TruncDate(Transform):
    """The date of an instant.

    Args:
        expression: The instant.
        tzinfo: Whose calendar: a ``ZoneInfo`` or ``datetime.timezone``; UTC if not given.
    """

    lookup_name = "date"

    def __init__(self, expression: Any, tzinfo: tzinfo | None = None) -> None:
        super().__init__(expression, options=(asked_zone(type(self).__name__, tzinfo),))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        (zone,) = context.options or (0,)
        source_kind(cls.__name__, context, "date", zone)
        return _day_of(context.dialect, "day", arguments[0], zone)

    @classmethod
    def result(cls, context: Any, built: Any) -> Any:
        (zone,) = context.options or (0,)
        return DayOf(built, context.column, context.fields[0], zone)


@DateTimeField.provide_transform
class TruncTime(Transform):
    """The time of day of an instant.

    Args:
        expression: The instant.
        tzinfo: Whose clocks: a ``ZoneInfo`` or ``datetime.timezone``; UTC if not given.
    """

    lookup_name = "time"
    output_field: ClassVar[Any] = TimeField(null=True)

    def __init__(self, expression: Any, tzinfo: tzinfo | None = None) -> None:
        super().__init__(expression, options=(asked_zone(type(self).__name__, tzinfo),))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        (zone,) = context.options or (0,)
        source_kind(cls.__name__, context, "time", zone)
        return _clock_of(context.dialect, arguments[0], zone)
