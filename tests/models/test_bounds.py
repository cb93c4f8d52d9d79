"""What a computation gives beyond the bounds of its kind: an error on every database, or NULL; never a wrong value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from toolkit.errors import DatabaseError, FieldError, IntegrityError
from toolkit.models import Avg, Case, Count, DateField, F, Max, Now, Sum, Value, When, Window
from toolkit.models.functions import Cast, Coalesce, Concat, Left, LPad, Repeat, Round, RPad

MOST = 2**63 - 1
LAST, FIRST = datetime(9999, 12, 31, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)


@pytest.fixture
def rows(m: Any, scope: Any) -> Any:
    """Two rows with the greatest whole number, the last day and the first."""
    m.Everything.objects.bulk_create(
        [
            m.Everything(integer=MOST, small=1, positive=1, char="abc", decimal=1, instant=LAST, date=LAST.date()),
            m.Everything(integer=MOST, small=1, positive=1, char="abc", decimal=1, instant=FIRST, date=FIRST.date()),
        ]
    )
    return m.Everything.objects.all()


OUT_OF_RANGE = r"(out of range|integer overflow).*64 bits"


@pytest.mark.parametrize(
    "ask",
    [
        lambda rows: list(rows.annotate(x=F("integer") + 1)),
        lambda rows: list(rows.annotate(x=F("integer") * F("integer") - 1)),
        lambda rows: list(rows.annotate(x=Coalesce(F("integer") + 1, 0))),
        lambda rows: list(rows.annotate(x=Case(When(small=1, then=F("integer") + 1), default=Value(0)))),
        lambda rows: list(rows.annotate(x=Window(Sum("integer"), order_by="pk"))),
        lambda rows: rows.filter(integer__lt=F("integer") + 1).count(),
        lambda rows: list(rows.order_by(F("integer") * 2)),
        lambda rows: rows.aggregate(x=Sum("integer")),
        lambda rows: rows.aggregate(x=Sum(F("integer") * 2)),
        lambda rows: rows.filter(instant=LAST).aggregate(x=Sum("integer") + Count("pk")),
        lambda rows: rows.update(integer=F("integer") + 1),
        lambda rows: rows.create(integer=Value(MOST) + 1),
    ],
)
def test_whole_numbers_beyond_64_bits_are_an_error(rows: Any, ask: Any) -> None:
    with pytest.raises(DatabaseError, match=OUT_OF_RANGE):
        ask(rows)
    assert {row.integer for row in rows} == {MOST}


def test_whole_numbers_to_their_last_bit(rows: Any) -> None:
    assert {row.x for row in rows.annotate(x=F("integer") - 1 + 1 - F("small"))} == {MOST - 1}
    assert rows.filter(instant=LAST).aggregate(x=Sum("integer"))["x"] == MOST
    assert rows.filter(integer=F("integer") * F("small")).count() == 2


def test_a_computed_value_that_the_column_has_no_room_for_is_refused(rows: Any) -> None:
    """SQLite would keep it."""
    with pytest.raises(DatabaseError, match=r"(?i)(out of range.*more room|value for column)"):
        rows.update(small=F("small") + 40_000)
    with pytest.raises(DatabaseError, match=r"(?i)(out of range|numeric field overflow).*more room"):
        rows.update(decimal=F("decimal") * 1_000_000_000)
    with pytest.raises(IntegrityError):
        rows.update(positive=F("positive") - 5)
    assert {(row.small, row.decimal, row.positive) for row in rows} == {(1, Decimal(1), 1)}


def test_a_computed_text_is_no_longer_than_its_field_allows(m: Any, rows: Any) -> None:
    long = Concat("char", Value("x" * 18))
    too_long = r"(?i)too long for.*Left\("
    with pytest.raises(DatabaseError, match=too_long):
        rows.update(char=long)
    with pytest.raises(DatabaseError, match=too_long):
        m.Everything.objects.create(char=Concat(Value("abc"), Value("x" * 18)))
    with pytest.raises(DatabaseError, match=too_long):
        m.Everything.objects.bulk_create([m.Everything(char=Concat(Value("abc"), Value("x" * 18)))])
    changed = list(rows)
    for row in changed:
        row.char = long
    with pytest.raises(DatabaseError, match=too_long):
        m.Everything.objects.bulk_update(changed, ["char"])
    assert {row.char for row in rows.all()} == {"abc"}
    assert rows.update(char=Left(long, 20), free_char=long) == 2
    assert {(len(row.char), len(row.free_char)) for row in rows.all()} == {(20, 21)}


def test_a_text_of_gigabytes_is_not_made(rows: Any, database: Any) -> None:
    """SQLite's are made in Python, which would take all memory first. MariaDB gives NULL."""
    for long in (Repeat("char", 10**9), LPad("char", 10**9), RPad("char", 10**9, Value("x"))):
        if database.dialect == "mysql":
            assert rows.annotate(long=long).values_list("long", flat=True)[0] is None
            continue
        with pytest.raises(DatabaseError, match=r"too long: .* characters; at most|requested length too large"):
            list(rows.annotate(long=long))


def test_floats_beyond_what_a_float_can_be_are_an_error(rows: Any) -> None:
    """SQLite kept infinity."""
    rows.update(float=1e300)
    for ask in (
        lambda: list(rows.annotate(x=F("float") * F("float"))),
        lambda: rows.filter(float__lt=F("float") * 1e300).count(),
        lambda: rows.update(float=F("float") * 1e10),
    ):
        with pytest.raises(DatabaseError, match=r"(larger than a float|out of range).*1\.8e308"):
            ask()
    assert {row.float for row in rows.all()} == {1e300}


def test_zero_is_never_below_zero(rows: Any) -> None:
    """SQLite's is, where it rounds -0.4, and a page would show -0."""
    rows.update(decimal=Decimal("-0.40"))
    found = rows.values_list("decimal", Round("decimal"), Round("decimal", -1), F("decimal") * 0)[0]
    assert [str(number) for number in found] == ["-0.40", "0", "0", "0.00"]
    rows.update(decimal=Decimal("-0.00"))
    assert str(rows[0].decimal) == "0.00"


def test_zero_among_floats_is_never_below_zero_either(rows: Any) -> None:
    """PostgreSQL alone has a column that keeps the sign, and no page should show it."""
    rows.update(float=-0.0)
    found = rows.values_list("float", F("float") * -1, -1 * F("float") / 3, Round("float"))[0]
    assert [str(number) for number in found] == ["0.0"] * 4
    row = rows.create(float=-0.0, json=[-0.0, {"a": -0.0, "b": "-0.0"}])
    row.refresh_from_db()
    assert str(row.float) == "0.0"
    assert str(row.json) == "[0.0, {'a': 0.0, 'b': '-0.0'}]"
    assert str(row.json) == str(rows.filter(json=[0, {"a": 0, "b": "-0.0"}]).get().json)
    assert [str(x) for x in rows.aggregate(a=Avg("float"), b=Sum("float"), c=Max("float")).values()] == ["0.0"] * 3


def test_decimals_of_more_digits_than_are_computed_with_are_an_error(rows: Any) -> None:
    rows.update(decimal=Decimal("99999999.99"))
    with pytest.raises(DatabaseError, match=r"a decimal number out of range: 1.*e\+24.*Cast"):
        list(rows.annotate(x=F("decimal") * F("decimal") * F("decimal")))


def test_there_is_no_instant_beyond_the_years_1_to_9999(rows: Any) -> None:
    days = timedelta(days=2)
    later = rows.annotate(x=F("instant") + days, y=F("date") + days, z=Now() + timedelta(days=4_000_000))
    assert [(row.x, row.y, row.z) for row in later] == [(None, None, None), (FIRST + days, FIRST + days, None)]
    assert [row.x for row in rows.annotate(x=F("instant") - days)] == [LAST - days, None]
    assert rows.filter(instant__lt=F("instant") + days).count() == 1
    assert rows.filter(instant__lt=Now() - timedelta(days=4_000_000)).count() == 0


def test_an_instant_beyond_is_not_kept(m: Any, rows: Any) -> None:
    """PostgreSQL kept the year 10,000, which nobody could read any more, and SQLite NULL."""
    beyond = r"(out of range|overflow).*years 1 to 9999"
    with pytest.raises(DatabaseError, match=beyond):
        rows.update(instant=F("instant") + timedelta(days=2))
    with pytest.raises(DatabaseError, match=beyond):
        rows.update(instant=F("instant") - timedelta(days=2))
    with pytest.raises(DatabaseError, match=beyond):
        m.Everything.objects.create(instant=Value(LAST) + timedelta(days=2))
    with pytest.raises(DatabaseError, match=beyond):
        rows.update(date=Cast(F("instant") + timedelta(days=2), DateField()))
    assert [row.instant for row in rows.all()] == [LAST, FIRST]
    assert rows.filter(instant=FIRST).update(instant=F("instant") + timedelta(days=2)) == 1
    assert rows.filter(date=date(1, 1, 1)).get().instant == FIRST + timedelta(days=2)


def test_lengths_of_time_beyond_what_is_kept_are_refused(m: Any, rows: Any, database: Any) -> None:
    with pytest.raises(DatabaseError, match="out of range"):
        list(rows.annotate(x=Value(timedelta(days=99_999_999)) * F("integer")))
    if database.dialect != "postgresql":
        m.Everything.objects.update(duration=timedelta(microseconds=2**63 - 1))
        with pytest.raises(DatabaseError, match=r"out of range|overflow"):
            rows.aggregate(x=Sum("duration"))
    with pytest.raises(FieldError, match=r"Value\(.*out of bounds \(106751991 days\)"):
        list(rows.annotate(x=Value(timedelta(days=999_999_999)) + Value(timedelta(days=1))))
