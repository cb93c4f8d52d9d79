"""Fields that hold dates and instants.

Instants are aware and kept in UTC. On SQLite they are text, ``2026-11-03 21:05:00+00:00``, which sorts as time
does, is read by SQLite's own date functions, and is plain to people who open the file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.errors import ValidationError
from toolkit.models.fields.base import Convert, Field, FieldOptions

T = TypeVar("T")


class DateField(Field[T]):
    """A day in the calendar."""

    native: ClassVar[type | None] = date

    @overload
    def __init__(self: DateField[date], *, null: Literal[False] = False, **options: Unpack[FieldOptions]) -> None: ...
    @overload
    def __init__(self: DateField[date | None], *, null: Literal[True], **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value).strip())
        except ValueError as error:
            raise ValidationError(f"{value!r} is not a date", code="invalid", hint="Write it as YYYY-MM-DD.") from error

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Date()

    def db_writer(self, dialect: str) -> Convert:
        return _day_to_text if dialect == "sqlite" else None

    def db_reader(self, dialect: str) -> Convert:
        return date.fromisoformat if dialect == "sqlite" else None


class DateTimeField(Field[T]):
    """An instant. Values without an offset are taken as UTC.

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
        if auto_now or auto_now_add:
            options.setdefault("blank", True)
        super().__init__(null=null, **options)
        self.auto_now, self.auto_now_add = auto_now, auto_now_add

    def to_python(self, value: Any) -> Any:
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        elif not isinstance(value, datetime):
            value = self._parse(value)
        try:
            return _to_utc(value)
        except OverflowError as error:
            raise ValidationError(f"{value} is out of bounds (the years 1 to 9999)", code="invalid") from error

    def _parse(self, value: Any) -> datetime:
        try:
            return datetime.fromisoformat(str(value).strip())
        except ValueError as error:
            raise ValidationError(
                f"{value!r} is not a date and time",
                code="invalid",
                hint="Write it as YYYY-MM-DD HH:MM with an offset, such as 2026-11-03 21:05+00:00.",
            ) from error

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.DateTime(timezone=True)

    def db_writer(self, dialect: str) -> Convert:
        writers: dict[str, Convert] = {"sqlite": _to_text, "mysql": _to_naive}
        return writers.get(dialect, _to_utc)

    def db_reader(self, dialect: str) -> Convert:
        readers: dict[str, Convert] = {"sqlite": _from_text, "mysql": _from_naive}
        return readers.get(dialect, _to_utc)


def _day_to_text(value: date) -> str:
    return value.isoformat()


def _to_utc(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _to_text(value: datetime | date) -> str:
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return _to_utc(value).isoformat(" ")


_parse_moment = datetime.fromisoformat


def _from_text(value: str) -> datetime:
    moment = _parse_moment(value)
    return moment if moment.tzinfo is UTC else _to_utc(moment)


def _to_naive(value: datetime) -> datetime:
    return _to_utc(value).replace(tzinfo=None)


def _from_naive(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)
