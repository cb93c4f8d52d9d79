"""Parts of dates, instants and times of day, and the beginnings of years, months and hours that they lie in.

Instants are taken apart in UTC, or as the clocks of ``tzinfo=`` show them. The zone's data are Python's on every
database, whatever the server knows of time zones.
"""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from typing import Any, ClassVar

from toolkit.errors import FieldError, did_you_mean
from toolkit.models.expressions import Transform
from toolkit.models.fields import DateField, DateTimeField, Field, IntegerField, TimeField
from toolkit.models.functions.clocks import back, instant_of, local
from toolkit.models.functions.spans import DayOf, YearOf
from toolkit.models.outputs import kind_of
from toolkit.text.zones import ZoneKey, zone_key, zone_of

DAYS = ("year", "quarter", "month", "week", "day")
CLOCK = ("hour", "minute", "second")
PARTS = ("year", "iso_year", "quarter", "month", "week", "day", "week_day", "iso_week_day", *CLOCK)

_SQLITE = {"year": (1, 4), "month": (6, 2), "day": (9, 2), "hour": (12, 2), "minute": (15, 2), "second": (18, 2)}
_POSTGRESQL = {"iso_year": "isoyear", "iso_week_day": "isodow", "week_day": "dow"}
_MYSQL = {"day": "dayofmonth", "week_day": "dayofweek"}


def _key(name: str, zone: tzinfo | None) -> ZoneKey:
    if zone is None:
        return 0
    try:
        return zone_key(zone)
    except ValueError as error:
        raise FieldError(
            f"{name}(tzinfo={zone!r}): {error}", hint="Give a ZoneInfo('Europe/Madrid'), or a datetime.timezone."
        ) from None


def _source(name: str, context: Any, what: str, zone: ZoneKey) -> type:
    """What kind of value is taken apart; refused if it has no such part, or no time zone."""
    kind = kind_of(context.fields[0])
    parts = {date: PARTS[:-3], datetime: (*PARTS, "date", "time"), time: CLOCK}
    if kind not in parts:
        told = kind.__name__ if kind is not None else "values of no known kind"
        raise FieldError(f"{name}() takes dates, instants and times of day, not {told}")
    if what not in parts[kind]:
        raise FieldError(f"{name}(): a {kind.__name__} has no {what}")
    if zone != 0 and kind is not datetime:
        raise FieldError(f"{name}(tzinfo=...) is for instants: a {kind.__name__} has no time zone")
    return kind


class Extract(Transform):
    """A part of a date, an instant or a time of day, as a whole number.

    Args:
        expression: What it is taken of.
        lookup_name: ``"year"``, ``"iso_year"``, ``"quarter"``, ``"month"``, ``"week"`` (ISO 8601), ``"day"``,
            ``"week_day"`` (Sunday is 1), ``"iso_week_day"`` (Monday is 1), ``"hour"``, ``"minute"`` or ``"second"``.
        tzinfo: Whose clocks and calendar: a ``ZoneInfo`` or ``datetime.timezone``; UTC if not given.
    """

    output_field: ClassVar[Any] = IntegerField(null=True)

    def __init__(
        self,
        expression: Any,
        lookup_name: str | None = None,
        tzinfo: tzinfo | None = None,
        *,
        output_field: Field[Any] | None = None,
    ) -> None:
        part = self.lookup_name or lookup_name
        if part not in PARTS:
            raise FieldError(f"Extract() knows no {part!r}", hint=did_you_mean(str(part), PARTS))
        options = (part, _key(type(self).__name__, tzinfo))
        super().__init__(expression, options=options, output_field=output_field)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        part, zone = context.options or (cls.lookup_name, 0)
        kind = _source(cls.__name__, context, part, zone)
        (value,) = arguments
        if context.dialect == "sqlite":
            return _sqlite_part(part, value, kind, zone)
        if context.dialect not in ("postgresql", "mysql"):
            return sa.cast(sa.func.floor(sa.extract(part, value)), sa.Integer())
        shown = local(context.dialect, value, zone) if kind is datetime else value
        return _part(context.dialect, part, shown)

    @classmethod
    def result(cls, context: Any, built: Any) -> Any:
        part, zone = context.options or (cls.lookup_name, 0)
        if part == "year":
            return YearOf(built, context.column, context.fields[0], zone)
        return cls.output(context)


def _sqlite_part(part: str, value: Any, kind: type, zone: ZoneKey) -> Any:
    """The digits of the text, where they say it; SQLite's own functions round to milliseconds."""
    import sqlalchemy as sa

    if zone != 0 or part not in _SQLITE:
        return sa.func.toolkit_extract(_literal(part), value, _literal(zone), type_=sa.Integer())
    start, length = _SQLITE[part]
    start -= 11 if kind is time else 0
    digits = sa.func.substr(value, sa.literal_column(str(start)), sa.literal_column(str(length)))
    return sa.cast(digits, sa.Integer())


def _part(dialect: str, part: str, shown: Any) -> Any:
    import sqlalchemy as sa

    one: Any = sa.literal_column("1")
    if dialect == "postgresql":
        found = sa.extract(_POSTGRESQL.get(part, part), shown)
        whole = sa.cast(sa.func.floor(found) if part == "second" else found, sa.Integer())
        return whole + one if part == "week_day" else whole
    if part == "iso_week_day":
        return sa.func.weekday(shown, type_=sa.Integer()) + one
    if part in ("week", "iso_year"):
        week = sa.func.yearweek(shown, sa.literal_column("3"), type_=sa.Integer())
        hundred: Any = sa.literal_column("100")
        return week.op("%" if part == "week" else "DIV", precedence=8)(hundred)
    return getattr(sa.func, _MYSQL.get(part, part))(shown, type_=sa.Integer())


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
        super().__init__(expression, options=(unit, _key(name, tzinfo), wanted if wanted is not datetime else None))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        unit, zone, form = context.options
        kind = _source(cls.__name__, context, unit, zone)
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
        read, zone = super().db_reader(dialect), zone_of(self.zone)
        return lambda value: (read(value) if read is not None else value).astimezone(zone)


def _literal(value: ZoneKey) -> Any:
    import sqlalchemy as sa

    return sa.literal_column(f"'{value}'" if isinstance(value, str) else str(value))


def _day_of(dialect: str, unit: str, instant: Any, zone: ZoneKey) -> Any:
    """The date on which the year, month or the like of an instant begins."""
    import sqlalchemy as sa

    if dialect == "sqlite":
        return sa.func.toolkit_day(_literal(unit), instant, _literal(zone), type_=sa.Date())
    return sa.cast(_first_day(dialect, unit, local(dialect, instant, zone)), sa.Date())


def _clock_of(dialect: str, instant: Any, zone: ZoneKey) -> Any:
    import sqlalchemy as sa
    from sqlalchemy.dialects.mysql import TIME

    if dialect == "sqlite":
        return sa.func.toolkit_clock(instant, _literal(zone), type_=sa.Time())
    return sa.cast(local(dialect, instant, zone), TIME(fsp=6) if dialect == "mysql" else sa.Time())


def _beginning_of_instant(dialect: str, unit: str, instant: Any, zone: ZoneKey) -> Any:
    import sqlalchemy as sa
    from sqlalchemy.dialects.mysql import DATETIME

    kind = sa.DateTime(timezone=True)
    if dialect == "sqlite":
        return sa.func.toolkit_trunc(_literal(unit), instant, _literal(zone), type_=kind)
    shown = local(dialect, instant, zone)
    if unit in DAYS:
        first = _first_day(dialect, unit, shown)
        return instant_of(dialect, sa.cast(first, DATETIME(fsp=6)) if dialect == "mysql" else first, zone)
    if dialect == "postgresql":
        passed = shown.op("-", precedence=7)(sa.func.date_trunc(_literal(unit), shown))
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
        return sa.func.date_trunc(_literal(unit), shown)
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
        return sa.func.toolkit_trunc(_literal(unit), value, _literal(0), type_=result)
    if dialect not in ("postgresql", "mysql"):
        raise FieldError(f"dates cannot be taken apart on {dialect} yet", hint="Do it in Python.")
    if kind is date:
        shown = sa.cast(value, sa.DateTime()) if dialect == "postgresql" else value
        return sa.cast(_first_day(dialect, unit, shown), result)
    if dialect == "postgresql":
        return sa.cast(sa.func.date_trunc(_literal(unit), value), result)
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


@DateTimeField.register_transform
class TruncDate(Transform):
    """The date of an instant.

    Args:
        expression: The instant.
        tzinfo: Whose calendar: a ``ZoneInfo`` or ``datetime.timezone``; UTC if not given.
    """

    lookup_name = "date"

    def __init__(self, expression: Any, tzinfo: tzinfo | None = None) -> None:
        super().__init__(expression, options=(_key(type(self).__name__, tzinfo),))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        (zone,) = context.options or (0,)
        _source(cls.__name__, context, "date", zone)
        return _day_of(context.dialect, "day", arguments[0], zone)

    @classmethod
    def result(cls, context: Any, built: Any) -> Any:
        (zone,) = context.options or (0,)
        return DayOf(built, context.column, context.fields[0], zone)


@DateTimeField.register_transform
class TruncTime(Transform):
    """The time of day of an instant.

    Args:
        expression: The instant.
        tzinfo: Whose clocks: a ``ZoneInfo`` or ``datetime.timezone``; UTC if not given.
    """

    lookup_name = "time"
    output_field: ClassVar[Any] = TimeField(null=True)

    def __init__(self, expression: Any, tzinfo: tzinfo | None = None) -> None:
        super().__init__(expression, options=(_key(type(self).__name__, tzinfo),))

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        (zone,) = context.options or (0,)
        _source(cls.__name__, context, "time", zone)
        return _clock_of(context.dialect, arguments[0], zone)


class _ExtractPart(Extract):
    """An ``Extract`` whose part is in its name."""

    def __init__(
        self, expression: Any, tzinfo: tzinfo | None = None, *, output_field: Field[Any] | None = None
    ) -> None:
        super().__init__(expression, None, tzinfo, output_field=output_field)


@DateField.register_transform
@DateTimeField.register_transform
class ExtractYear(_ExtractPart):
    """The year."""

    lookup_name = "year"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractIsoYear(_ExtractPart):
    """The year of the week, by ISO 8601: the one that its Thursday is in."""

    lookup_name = "iso_year"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractQuarter(_ExtractPart):
    """The quarter of the year, 1 to 4."""

    lookup_name = "quarter"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractMonth(_ExtractPart):
    """The month, 1 to 12."""

    lookup_name = "month"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractWeek(_ExtractPart):
    """The week of the year, by ISO 8601: 1 to 53."""

    lookup_name = "week"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractDay(_ExtractPart):
    """The day of the month."""

    lookup_name = "day"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractWeekDay(_ExtractPart):
    """The day of the week: Sunday is 1, Saturday 7."""

    lookup_name = "week_day"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractIsoWeekDay(_ExtractPart):
    """The day of the week, by ISO 8601: Monday is 1, Sunday 7."""

    lookup_name = "iso_week_day"


@TimeField.register_transform
@DateTimeField.register_transform
class ExtractHour(_ExtractPart):
    """The hour."""

    lookup_name = "hour"


@TimeField.register_transform
@DateTimeField.register_transform
class ExtractMinute(_ExtractPart):
    """The minute."""

    lookup_name = "minute"


@TimeField.register_transform
@DateTimeField.register_transform
class ExtractSecond(_ExtractPart):
    """The second, without its fraction."""

    lookup_name = "second"
