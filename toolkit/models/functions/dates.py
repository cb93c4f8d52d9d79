"""Parts of dates and instants."""

from __future__ import annotations

from typing import Any, ClassVar

from toolkit.models.expressions import Transform
from toolkit.models.fields import DateField, DateTimeField, IntegerField

_SQLITE_PARTS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}


class Extract(Transform):
    """A part of a date or instant (in UTC) as a whole number."""

    output_field: ClassVar[Any] = IntegerField()

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        part = cls.lookup_name
        if context.dialect == "sqlite":
            return sa.cast(sa.func.strftime(_SQLITE_PARTS[part], arguments[0]), sa.Integer)
        found = sa.extract(part, arguments[0])
        return sa.cast(sa.func.floor(found), sa.Integer) if part == "second" else found


@DateField.register_transform
@DateTimeField.register_transform
class ExtractYear(Extract):
    """The year."""

    lookup_name = "year"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractMonth(Extract):
    """The month, 1 to 12."""

    lookup_name = "month"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractDay(Extract):
    """The day of the month."""

    lookup_name = "day"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractHour(Extract):
    """The hour, in UTC."""

    lookup_name = "hour"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractMinute(Extract):
    """The minute."""

    lookup_name = "minute"


@DateField.register_transform
@DateTimeField.register_transform
class ExtractSecond(Extract):
    """The second, without its fraction."""

    lookup_name = "second"
