"""Parts of dates, instants and times of day: the year, the week, the hour.

Instants are taken apart in UTC, or as the clocks of ``tzinfo=`` show them. The zone's data are Python's on every
database, whatever the server knows of time zones.
"""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from typing import Any, ClassVar

from toolkit.errors import FieldError, did_you_mean
from toolkit.models.calls import Transform
from toolkit.models.fields import DateField, DateTimeField, Field, IntegerField, TimeField
from toolkit.models.functions.clocks import local
from toolkit.models.functions.spans import YearOf
from toolkit.models.outputs import kind_of
from toolkit.text.zones import ZoneKey, zone_key

DAYS = ("year", "quarter", "month", "week", "day")
CLOCK = ("hour", "minute", "second")
PARTS = ("year", "iso_year", "quarter", "month", "week", "day", "week_day", "iso_week_day", *CLOCK)

_SQLITE = {"year": (1, 4), "month": (6, 2), "day": (9, 2), "hour": (12, 2), "minute": (15, 2), "second": (18, 2)}
_POSTGRESQL = {"iso_year": "isoyear", "iso_week_day": "isodow", "week_day": "dow"}
_MYSQL = {"day": "dayofmonth", "week_day": "dayofweek"}


def asked_zone(name: str, zone: tzinfo | None) -> ZoneKey:
    """What stands for the time zone that a function is given; UTC if none is."""
    if zone is None:
        return 0
    try:
        return zone_key(zone)
    except ValueError as error:
        raise FieldError(
            f"{name}(tzinfo={zone!r}): {error}", hint="Give a ZoneInfo('Europe/Madrid'), or a datetime.timezone."
        ) from None


def source_kind(name: str, context: Any, what: str, zone: ZoneKey) -> type:
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


def literal(value: ZoneKey) -> Any:
    """A zone, or the name of a unit, as it stands in the statement."""
    import sqlalchemy as sa

    return sa.literal_column(f"'{value}'" if isinstance(value, str) else str(value))


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
        options = (part, asked_zone(type(self).__name__, tzinfo))
        super().__init__(expression, options=options, output_field=output_field)

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        part, zone = context.options or (cls.lookup_name, 0)
        kind = source_kind(cls.__name__, context, part, zone)
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
        return sa.func.toolkit_extract(literal(part), value, literal(zone), type_=sa.Integer())
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


class _ExtractPart(Extract):
    """An ``Extract`` whose part is in its name."""

    def __init__(
        self, expression: Any, tzinfo: tzinfo | None = None, *, output_field: Field[Any] | None = None
    ) -> None:
        super().__init__(expression, None, tzinfo, output_field=output_field)


@DateField.provide_transform
@DateTimeField.provide_transform
class ExtractYear(_ExtractPart):
    """The year."""

    lookup_name = "year"


@DateField.provide_transform
@DateTimeField.provide_transform
class ExtractIsoYear(_ExtractPart):
    """The year of the week, by ISO 8601: the one that its Thursday is in."""

    lookup_name = "iso_year"


@DateField.provide_transform
@DateTimeField.provide_transform
class ExtractQuarter(_ExtractPart):
    """The quarter of the year, 1 to 4."""

    lookup_name = "quarter"


@DateField.provide_transform
@DateTimeField.provide_transform
class ExtractMonth(_ExtractPart):
    """The month, 1 to 12."""

    lookup_name = "month"


@DateField.provide_transform
@DateTimeField.provide_transform
class ExtractWeek(_ExtractPart):
    """The week of the year, by ISO 8601: 1 to 53."""

    lookup_name = "week"


@DateField.provide_transform
@DateTimeField.provide_transform
class ExtractDay(_ExtractPart):
    """The day of the month."""

    lookup_name = "day"


@DateField.provide_transform
@DateTimeField.provide_transform
class ExtractWeekDay(_ExtractPart):
    """The day of the week: Sunday is 1, Saturday 7."""

    lookup_name = "week_day"


@DateField.provide_transform
@DateTimeField.provide_transform
class ExtractIsoWeekDay(_ExtractPart):
    """The day of the week, by ISO 8601: Monday is 1, Sunday 7."""

    lookup_name = "iso_week_day"


@TimeField.provide_transform
@DateTimeField.provide_transform
class ExtractHour(_ExtractPart):
    """The hour."""

    lookup_name = "hour"


@TimeField.provide_transform
@DateTimeField.provide_transform
class ExtractMinute(_ExtractPart):
    """The minute."""

    lookup_name = "minute"


@TimeField.provide_transform
@DateTimeField.provide_transform
class ExtractSecond(_ExtractPart):
    """The second, without its fraction."""

    lookup_name = "second"
