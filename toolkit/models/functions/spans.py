"""Comparisons of years and dates as spans of the column that they were taken of, which an index of it serves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from toolkit.models.fields import DateField, IntegerField
from toolkit.models.fields.base import Field
from toolkit.models.generated import made_by
from toolkit.models.lookups import COMMON, LookupContext, LookupFunction, open_to_expressions, value_of
from toolkit.models.outputs import kind_of
from toolkit.text.zones import ZoneKey, zone_of, zone_table

LONGEST = 50
"""Items of an ``in`` that are worth a span each."""

Span = tuple[Any, Any]
"""The first value of a column and the last."""


class _Span(Field[Any]):
    """What years and dates have in common: they are numbered, and follow each other as the column's values do.

    Args:
        taken: SQL of the year or date.
        of: SQL of the column that it was taken of.
        source: The field of that column.
        zone: In which time zone.

    Attributes:
        last: The number of the last one; the first has 1.
        part: The transform that takes it.
    """

    last: ClassVar[int] = 0
    part: ClassVar[str] = ""

    def __init__(self, taken: Any, of: Any, source: Any, zone: ZoneKey) -> None:
        super().__init__(null=True)
        self.taken, self.of, self.source, self.zone = taken, of, source, zone

    def number(self, value: Any) -> int:
        """The number of what is compared with."""
        raise TypeError(f"{type(self).__name__} must define number()")

    def first_day(self, number: int) -> date:
        """The first day of the one with a number."""
        raise TypeError(f"{type(self).__name__} must define first_day()")

    def serves(self, context: LookupContext) -> bool:
        """Whether a comparison can be one of the column: it is at hand, and time does not go back in it."""
        plain = context.column is self.taken and context.right is None and not context.listed
        return plain and (self.zone == 0 or zone_table(self.zone).keeps_days)

    def every(self) -> Span:
        """All values that the column can have."""
        if kind_of(self.source) is date:
            return date.min, date.max
        return datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    def within(self, number: int) -> Span:
        """The values of the one with a number."""
        if kind_of(self.source) is date:
            start, step = self.first_day(number), timedelta(days=1)
            return start, self.first_day(number + 1) - step if number < self.last else date.max
        start, step = self._instant(number), timedelta(microseconds=1)
        return start, self._instant(number + 1) - step if number < self.last else self.every()[1]

    def _instant(self, number: int) -> datetime:
        day = self.first_day(number)
        try:
            return datetime(day.year, day.month, day.day, tzinfo=zone_of(self.zone)).astimezone(UTC)
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)

    def exactly(self, number: int) -> Span:
        """The values of ``= number``."""
        return self.within(number) if 1 <= number <= self.last else self._nothing()

    def above(self, number: int) -> Span:
        """The values of ``> number``."""
        if number >= self.last:
            return self._nothing()
        return (self.every()[0] if number < 1 else self.within(number + 1)[0]), self.every()[1]

    def below(self, number: int) -> Span:
        """The values of ``< number``."""
        if number <= 1:
            return self._nothing()
        return self.every()[0], (self.every()[1] if number > self.last else self.within(number - 1)[1])

    def _nothing(self) -> Span:
        first, last = self.every()
        return last, first

    def from_number(self, number: int) -> Span:
        """The values of ``>= number``."""
        return self.above(number - 1)

    def to_number(self, number: int) -> Span:
        """The values of ``<= number``."""
        return self.below(number + 1)

    def edge(self, context: LookupContext, span: str, side: int) -> Callable[[Any], Any]:
        """From what is compared with to the driver's value of the first (0) or the last (1) value of a span."""
        return _edge(type(self), self.source, self.zone, span, side, context.dialect)


def _edge(kind: type[_Span], source: Any, zone: ZoneKey, span: str, side: int, dialect: str) -> Callable[[Any], Any]:
    """See ``edge``: what stands in the SQL plays no part in it, so that another process can make the same."""
    bounds = kind(None, None, source, zone)
    find = getattr(bounds, span)
    write, convert = value_of(bounds, dialect), source.db_writer(dialect)

    def value(given: Any) -> Any:
        found = find(bounds.number(given if write is None else write(given)))[side]
        return found if convert is None else convert(found)

    return made_by(value, _edge, kind, source, zone, span, side, dialect)


def _lookup(name: str, span: str) -> LookupFunction:
    @open_to_expressions
    def build(context: LookupContext) -> Any:
        field = context.field
        if not field.serves(context):
            return COMMON[name](context)  # type: ignore[misc]  # it is there
        edges = [field.edge(context, span, side) for side in (0, 1)]
        return field.of.between(*(context.bind(edge, field.source.compared_type()) for edge in edges))

    return build


@open_to_expressions
def _one_of(context: LookupContext) -> Any:
    import sqlalchemy as sa

    field, kind = context.field, context.field.source.compared_type()
    if not field.serves(context) or len(context.bind_each()) > LONGEST:
        return COMMON["in"](context)  # type: ignore[misc]  # it is there
    edges = (context.bind_each(field.edge(context, "exactly", side), kind) for side in (0, 1))
    return sa.or_(*(field.of.between(low, high) for low, high in zip(*edges, strict=True)))


@open_to_expressions
def _in_range(context: LookupContext) -> Any:
    field, kind = context.field, context.field.source.compared_type()
    if not field.serves(context):
        return COMMON["range"](context)  # type: ignore[misc]  # it is there
    low = context.bind_each(field.edge(context, "from_number", 0), kind)[0]
    high = context.bind_each(field.edge(context, "to_number", 1), kind)[1]
    return field.of.between(low, high)


_SPANS = {
    "exact": _lookup("exact", "exactly"),
    "gt": _lookup("gt", "above"),
    "gte": _lookup("gte", "from_number"),
    "lt": _lookup("lt", "below"),
    "lte": _lookup("lte", "to_number"),
    "in": _one_of,
    "range": _in_range,
}


class YearOf(_Span, IntegerField[Any]):
    """The year of a date or an instant."""

    lookups = {**IntegerField.lookups, **_SPANS}
    part = "year"
    last = date.max.year

    def number(self, value: Any) -> int:
        return int(value)

    def first_day(self, number: int) -> date:
        return date(number, 1, 1)


class DayOf(_Span, DateField[Any]):
    """The date of an instant."""

    lookups = {**DateField.lookups, **_SPANS}
    part = "date"
    last = date.max.toordinal()

    def number(self, value: Any) -> int:
        return (value if isinstance(value, date) else date.fromisoformat(value)).toordinal()

    def first_day(self, number: int) -> date:
        return date.fromordinal(number)
