"""Parts of dates and instants, and beginnings of years, days and hours, give what Python's ``datetime`` gives."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from toolkit.errors import FieldError
from toolkit.models import Count, F, Max, functions
from toolkit.text.zones import EPOCH, SECOND, zone_key, zone_table

MADRID = ZoneInfo("Europe/Madrid")

ZONES: list[tzinfo] = [
    UTC,
    timezone(timedelta(hours=5, minutes=45)),
    timezone(-timedelta(hours=3, minutes=30)),
    MADRID,
    ZoneInfo("America/Havana"),  # midnight comes twice
    ZoneInfo("America/Sao_Paulo"),  # there were days without a midnight
    ZoneInfo("America/St_Johns"),  # clocks were put back from a minute after midnight
    ZoneInfo("Australia/Lord_Howe"),  # by half an hour
    ZoneInfo("Africa/Casablanca"),  # by the moon, as announced up to 2087
    ZoneInfo("Pacific/Apia"),  # a day was left out
]

PARTS: dict[str, Callable[[Any], int]] = {
    "year": lambda moment: moment.year,
    "iso_year": lambda moment: moment.isocalendar().year,
    "quarter": lambda moment: (moment.month + 2) // 3,
    "month": lambda moment: moment.month,
    "week": lambda moment: moment.isocalendar().week,
    "day": lambda moment: moment.day,
    "week_day": lambda moment: moment.isoweekday() % 7 + 1,
    "iso_week_day": lambda moment: moment.isoweekday(),
    "hour": lambda moment: moment.hour,
    "minute": lambda moment: moment.minute,
    "second": lambda moment: moment.second,
}
FIRST_DAYS: dict[str, Callable[[date], date]] = {
    "year": lambda day: date(day.year, 1, 1),
    "quarter": lambda day: date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
    "month": lambda day: date(day.year, day.month, 1),
    "week": lambda day: date.fromordinal(day.toordinal() - day.weekday()),
    "day": lambda day: day,
}
CLEARED: dict[str, Any] = {
    "hour": {"minute": 0, "second": 0, "microsecond": 0},
    "minute": {"second": 0, "microsecond": 0},
    "second": {"microsecond": 0},
}


def beginning(instant: datetime, kind: str, zone: tzinfo) -> datetime:
    """What ``Trunc`` gives: of hours and less with the offset that the instant has."""
    shown = instant.astimezone(zone)
    if kind in CLEARED:
        plain = shown.replace(tzinfo=None)
        return instant - (plain - plain.replace(**CLEARED[kind]))
    return datetime.combine(FIRST_DAYS[kind](shown.date()), time(), zone).astimezone(UTC)


def in_zone(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone)


def or_none(find: Callable[..., Any], *arguments: Any) -> Any:
    """Databases have NULL where Python goes past the years 1 to 9999."""
    try:
        return find(*arguments)
    except (OverflowError, ValueError):
        return None


def some_instants(zone: tzinfo) -> list[datetime]:
    """From all ages, and around changes of the clocks."""
    chance = random.Random(str(zone))
    least = datetime.min.replace(tzinfo=UTC)
    found = [least, least + timedelta(hours=7), datetime.max.replace(tzinfo=UTC), datetime(9999, 12, 31, 3, tzinfo=UTC)]
    found += [least + timedelta(microseconds=chance.randrange(315_537_897_599_999_999)) for _ in range(60)]
    changes = zone_table(zone_key(zone)).changes
    for change in chance.sample(changes, min(12, len(changes))):
        for apart in (-90_000, -3601, -1800, -1, 0, 1, 1799, 3600, 7199, 43_200):
            found.append(EPOCH + (change + apart) * SECOND + timedelta(microseconds=chance.choice([0, 1, 999_999])))
    return found


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_instants_are_taken_apart_as_clocks_and_calendars_of_a_zone_show_them(m: Any, scope: Any, zone: tzinfo) -> None:
    instants = some_instants(zone)
    m.Everything.objects.bulk_create([m.Everything(instant=moment, integer=n) for n, moment in enumerate(instants)])
    asked: dict[str, Any] = {f"p_{part}": functions.Extract("instant", part, zone) for part in PARTS}
    asked |= {f"t_{kind}": functions.Trunc("instant", kind, tzinfo=zone) for kind in (*FIRST_DAYS, *CLEARED)}
    asked |= {"day": functions.TruncDate("instant", zone), "clock": functions.TruncTime("instant", zone)}
    for moment, row in zip(instants, m.Everything.objects.order_by("integer").values(**asked), strict=True):
        shown = or_none(in_zone, moment, zone)
        for part, expected in PARTS.items():
            assert row[f"p_{part}"] == (None if shown is None else expected(shown)), (part, moment)
        for kind in (*FIRST_DAYS, *CLEARED):
            found = row[f"t_{kind}"]
            begun = or_none(beginning, moment, kind, zone)
            begun = None if begun is None or or_none(in_zone, begun, zone) is None else begun
            assert (found and found.astimezone(UTC)) == begun, (kind, moment)
            assert found is None or found.utcoffset() == found.astimezone(zone).utcoffset()
        assert row["day"] == (None if shown is None else shown.date()), moment
        assert row["clock"] == (None if shown is None else shown.time()), moment


def test_dates_and_times_of_day_are_taken_apart(m: Any, scope: Any) -> None:
    chance = random.Random(1)
    days = [date.min, date.max, *(date.fromordinal(chance.randrange(1, 3_652_059)) for _ in range(60))]
    clocks = [time(), time.max, *(time(chance.randrange(24), 59, 1, 7) for _ in range(20))]
    m.Everything.objects.bulk_create([m.Everything(date=day, integer=n) for n, day in enumerate(days)])
    m.Everything.objects.bulk_create([m.Everything(time=clock, integer=99 + n) for n, clock in enumerate(clocks)])
    asked: dict[str, Any] = {part: functions.Extract("date", part) for part in PARTS if part not in CLEARED}
    asked |= {f"t_{kind}": functions.Trunc("date", kind) for kind in FIRST_DAYS}
    for day, row in zip(days, m.Everything.objects.exclude(date=None).order_by("integer").values(**asked), strict=True):
        assert row == {name: PARTS[name](day) for name in PARTS if name not in CLEARED} | {
            f"t_{kind}": first(day) for kind, first in FIRST_DAYS.items()
        }
    asked = {part: functions.Extract("time", part) for part in CLEARED}
    asked |= {f"t_{kind}": functions.Trunc("time", kind) for kind in CLEARED}
    rows = m.Everything.objects.exclude(time=None).order_by("integer").values(**asked)
    for clock, row in zip(clocks, rows, strict=True):
        assert row == {name: PARTS[name](clock) for name in CLEARED} | {
            f"t_{kind}": clock.replace(**cleared) for kind, cleared in CLEARED.items()
        }


INSTANTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]


@pytest.fixture
def instants(m: Any, scope: Any) -> Any:
    moments = [*INSTANTS, None]
    m.Everything.objects.bulk_create(
        [m.Everything(instant=each, date=each and each.date(), time=each and each.time()) for each in moments]
    )
    return m.Everything.objects


@pytest.mark.parametrize(
    ("lookup", "value", "meets"),
    [
        ("year", 2026, lambda moment: moment.year == 2026),
        ("year", "2026", lambda moment: moment.year == 2026),
        ("year", 0, lambda moment: False),
        ("year", 10**6, lambda moment: False),
        ("year__gt", 2025, lambda moment: moment.year > 2025),
        ("year__gt", 9999, lambda moment: False),
        ("year__gt", -1, lambda moment: True),
        ("year__gte", 9999, lambda moment: moment.year == 9999),
        ("year__gte", 10_000, lambda moment: False),
        ("year__lt", 2026, lambda moment: moment.year < 2026),
        ("year__lt", 1, lambda moment: False),
        ("year__lt", 2**40, lambda moment: True),
        ("year__lte", 1, lambda moment: moment.year == 1),
        ("year__in", [2025, 1, 1, 10_000], lambda moment: moment.year in (2025, 1)),
        ("year__in", [], lambda moment: False),
        ("year__in", [*range(1900, 2026)], lambda moment: moment.year == 2025),
        ("year__range", (2025, 2026), lambda moment: moment.year in (2025, 2026)),
        ("year__range", (2026, 2025), lambda moment: False),
        ("year__range", (-5, 10**9), lambda moment: True),
        ("year__isnull", False, lambda moment: True),
        ("iso_year", 2026, lambda moment: moment.isocalendar().year == 2026),
        ("iso_year__lte", 2025, lambda moment: moment.isocalendar().year <= 2025),
        ("quarter", 4, lambda moment: moment.month > 9),
        ("month__in", [1, 10], lambda moment: moment.month in (1, 10)),
        ("week", 43, lambda moment: moment.isocalendar().week == 43),
        ("week_day", 1, lambda moment: moment.isoweekday() == 7),
        ("iso_week_day__lt", 7, lambda moment: moment.isoweekday() < 7),
        ("hour", 23, lambda moment: moment.hour == 23),
        ("minute__gte", 30, lambda moment: moment.minute >= 30),
        ("second", 59, lambda moment: moment.second == 59),
        ("date", date(2026, 10, 25), lambda moment: moment.date() == date(2026, 10, 25)),
        ("date", "2026-10-25", lambda moment: moment.date() == date(2026, 10, 25)),
        ("date__gt", date.max, lambda moment: False),
        ("date__lt", date.min, lambda moment: False),
        ("date__gte", date.max, lambda moment: moment.year == 9999),
        ("date__lte", date.min, lambda moment: moment.year == 1),
        ("date__in", [date.min, date(2026, 1, 1)], lambda moment: moment.date() in (date.min, date(2026, 1, 1))),
        ("date__range", (date(2025, 12, 31), date(2026, 10, 25)), lambda moment: "2025-12" < str(moment) < "2026-11"),
        ("date__year", 2026, lambda moment: moment.year == 2026),
        ("time", time(0, 30), lambda moment: moment.time() == time(0, 30)),
        ("time__gte", time(23, 30), lambda moment: moment.time() >= time(23, 30)),
        ("time__hour", 1, lambda moment: moment.hour == 1),
    ],
)  # fmt: skip
def test_lookups_of_instants(instants: Any, lookup: str, value: Any, meets: Any) -> None:
    expected = [moment for moment in INSTANTS if meets(moment)]
    found = instants.filter(**{f"instant__{lookup}": value}).order_by("instant")
    assert list(found.values_list("instant", flat=True)) == expected
    others = instants.exclude(**{f"instant__{lookup}": value}).order_by("instant").values_list("instant", flat=True)
    assert list(others) == [None, *(moment for moment in INSTANTS if moment not in expected)]


def test_lookups_of_dates_and_times_of_day(instants: Any) -> None:
    assert instants.filter(date__year=2026).count() == 4
    assert instants.filter(date__year__lt=2).count() == 1
    assert instants.filter(date__year__gte=9999).count() == 1
    assert instants.filter(date__iso_year=2026, date__quarter=1, date__week_day=5).count() == 1
    assert instants.filter(date__week__in=[43, 1]).count() == 5
    assert instants.filter(time__hour=23, time__minute__gte=59, time__second=59).count() == 2
    assert instants.exclude(date__year=2026).count() == 4


def test_years_and_dates_are_found_by_an_index(m: Any, newsroom: Any) -> None:
    m.Story.objects.bulk_create(
        [
            m.Story(title="x", slug=f"x{n}", section=newsroom.sections[0], published=INSTANTS[1] - timedelta(days=n))
            for n in range(2000)
        ]
    )
    newsroom.database.execute("ANALYZE TABLE news_story" if newsroom.database.dialect == "mysql" else "ANALYZE")
    madrid = m.Story.objects.annotate(day=functions.TruncDate("published", MADRID))
    for found in (
        m.Story.objects.filter(published__year=2026),
        m.Story.objects.filter(published__date=date(2026, 3, 1)),
        m.Story.objects.filter(published__date__in=[date(2026, 3, 1), date(2026, 3, 2)]),
        madrid.filter(day=date(2026, 3, 1)),
    ):
        told = found.order_by().values("weight").explain()
        assert "news_story_published" in told, told


def test_a_year_that_is_computed_further_is_no_span_of_the_column(instants: Any) -> None:
    year = functions.ExtractYear("instant")
    assert instants.annotate(next=functions.Coalesce(year, 5) + 1).filter(next=2027).count() == 4
    assert instants.annotate(known=functions.Coalesce(year, 5)).filter(known=5).count() == 1
    assert instants.annotate(year=year).filter(year=F("date__year")).count() == 7
    assert instants.values(year=year).annotate(n=Count("pk"), last=Max("instant")).filter(n__gt=1).get()["n"] == 4


def test_dates_are_distinct_and_in_order(m: Any, newsroom: Any, instants: Any) -> None:
    assert list(m.Story.objects.dates("published", "month")) == [date(2026, 2, 1), date(2026, 3, 1)]
    assert list(m.Story.objects.dates("published", "year")) == [date(2026, 1, 1)]
    assert list(m.Story.objects.dates("expires", "day")) == [date(2026, 3, 1)]
    assert list(m.Story.objects.dates("published", "week", "DESC"))[:2] == [date(2026, 3, 2), date(2026, 2, 23)]
    assert list(instants.dates("date", "year")) == [date(year, 1, 1) for year in (1, 2025, 2026, 9999)]
    in_madrid = instants.filter(instant__year__range=(2025, 2026)).dates("instant", "year", tzinfo=MADRID)
    assert list(in_madrid) == [date(2026, 1, 1), date(2027, 1, 1)]
    assert instants.dates("instant", "year", tzinfo=MADRID).last() == date(2027, 1, 1)
    assert m.Story.objects.dates("published", "month").count() == 2


def test_both_hours_at_the_end_of_summer_time_are_given(instants: Any) -> None:
    found = list(instants.filter(instant__date=date(2026, 10, 25)).datetimes("instant", "hour", tzinfo=MADRID))
    assert [moment.isoformat() for moment in found] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
    last = instants.filter(instant__year=2026).datetimes("instant", "month", "DESC")
    assert list(last) == [datetime(2026, month, 1, tzinfo=UTC) for month in (12, 10, 1)]
    with pytest.raises(FieldError, match=r"Trunc\(\): a date has no hour"):
        list(instants.datetimes("date", "hour"))


def test_beginnings_are_instants_like_any_other(instants: Any) -> None:
    rows = instants.annotate(day=functions.TruncDay("instant", tzinfo=MADRID))
    assert rows.filter(day=datetime(2026, 10, 25, tzinfo=MADRID)).count() == 2
    assert rows.filter(day__gte=datetime(2026, 10, 25, tzinfo=MADRID), day__year=2026).count() == 3
    assert rows.annotate(since=F("instant") - F("day")).filter(since__gte=timedelta(hours=3, minutes=30)).count() == 1
    assert rows.aggregate(last=Max("day"))["last"] == datetime(2027, 1, 1, tzinfo=MADRID)
    month = functions.Trunc("instant", "month")
    assert instants.annotate(month=month).filter(month=datetime(2026, 10, 1, tzinfo=UTC)).count() == 2


def test_instants_are_grouped_by_day_of_a_zone(instants: Any) -> None:
    days = instants.filter(instant__year=2026).values(day=functions.TruncDate("instant", MADRID))
    found = days.annotate(n=Count("pk")).order_by("-day").values_list("day", "n")
    assert list(found) == [(date(2027, 1, 1), 1), (date(2026, 10, 25), 2), (date(2026, 1, 1), 1)]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: functions.Extract("instant", "century"), "Extract.. knows no 'century'"),
        (lambda: functions.Trunc("instant", "decade"), "Trunc.. knows no 'decade'"),
        (lambda: functions.ExtractYear("char"), "takes dates, instants and times of day, not str"),
        (lambda: functions.ExtractHour("date"), "a date has no hour"),
        (lambda: functions.ExtractMonth("time"), "a time has no month"),
        (lambda: functions.TruncHour("date"), "a date has no hour"),
        (lambda: functions.TruncDate("time"), "a time has no date"),
        (lambda: functions.TruncDay("date", tzinfo=MADRID), "is for instants: a date has no time zone"),
        (lambda: functions.TruncDay("instant", tzinfo="Europe/Madrid"), "is no ZoneInfo with a name"),  # type: ignore[arg-type]
    ],
)
def test_what_has_no_such_part_is_refused(instants: Any, make: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        list(instants.annotate(found=make()))


def test_a_zone_is_part_of_the_question(instants: Any, scope: Any) -> None:
    list(instants.values(day=functions.TruncDate("instant", MADRID)))
    known = len(scope.database.shapes)
    list(instants.values(day=functions.TruncDate("instant", ZoneInfo("Europe/Madrid"))))
    assert len(scope.database.shapes) == known
    list(instants.values(day=functions.TruncDate("instant", ZoneInfo("Asia/Tokyo"))))
    assert len(scope.database.shapes) == known + 1
