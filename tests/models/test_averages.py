"""Means, spreads and lengths of time against Python's own arithmetic, up to the bounds of each kind."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import DatabaseError
from toolkit.models import Avg, F, StdDev, Sum, Variance, Window

MOST = 2**63 - 1
MICROSECOND = timedelta(microseconds=1)
QUICK = settings(max_examples=25)
WHOLE = st.one_of(st.integers(-MOST - 1, MOST), st.integers(-9, 9), st.integers(MOST - 9, MOST), st.just(2**53 + 1))
CENTS = st.one_of(st.integers(-(10**10) + 1, 10**10 - 1), st.integers(-9, 9), st.integers(10**10 - 9, 10**10 - 1))
LENGTHS = st.one_of(st.integers(-9 * 10**16, 9 * 10**16), st.integers(-9, 9))


def fill(m: Any, name: str, values: list[Any]) -> Any:
    """Rows with these values and no others."""
    m.Everything.objects.all().delete()
    m.Everything.objects.bulk_create([m.Everything(**{name: value}) for value in values])
    return m.Everything.objects


def spread(numbers: list[Fraction], *, sample: bool) -> float | None:
    """The variance, exactly."""
    count = len(numbers)
    if count <= sample:
        return None
    return float((count * sum(each * each for each in numbers) - sum(numbers) ** 2) / (count * (count - sample)))


def assert_near(found: float | None, expected: float | None) -> None:
    """Two floats are the same, but for the last bit or two."""
    assert (found is None) == (expected is None)
    assert found is None or expected is None or math.isclose(found, expected, rel_tol=1e-15)


@QUICK
@given(numbers=st.lists(WHOLE, max_size=6))
def test_whole_numbers_have_the_mean_of_python(m: Any, scope: Any, numbers: list[int]) -> None:
    """Their sum may be of more than 64 bits, and a float holds 53."""
    rows = fill(m, "integer", numbers)
    distinct = set(numbers)
    found = rows.aggregate(mean=Avg("integer"), each=Avg("integer", distinct=True))
    assert found["mean"] == (sum(numbers) / len(numbers) if numbers else None)
    assert found["each"] == (sum(distinct) / len(distinct) if numbers else None)


@QUICK
@given(cents=st.lists(CENTS, max_size=6))
def test_decimal_numbers_have_a_mean_of_fifteen_digits(m: Any, scope: Any, cents: list[int]) -> None:
    prices = [Decimal(each).scaleb(-2) for each in cents]
    rows = fill(m, "decimal", prices)
    found = rows.aggregate(mean=Avg("decimal"), each=Avg("decimal", distinct=True))
    digits, distinct = Context(prec=15), set(prices)
    assert found["mean"] == (digits.divide(sum(prices, Decimal(0)), len(prices)) if prices else None)
    assert found["each"] == (digits.divide(sum(distinct, Decimal(0)), len(distinct)) if prices else None)


def test_the_mean_of_many_large_prices_is_found_though_their_sum_cannot_be_kept(m: Any, scope: Any) -> None:
    """SQLite refused the sum on the way to it: no float has its digits."""
    large = Decimal("99999999.99")
    rows = fill(m, "decimal", [large] * 2_000)
    assert rows.aggregate(mean=Avg("decimal")) == {"mean": large}


@QUICK
@given(numbers=st.lists(WHOLE, max_size=6), cents=st.lists(CENTS, max_size=6), sample=st.booleans())
def test_spreads_of_numbers_that_lie_close_together(
    m: Any, scope: Any, numbers: list[int], cents: list[int], sample: bool
) -> None:
    """As floats they would all be one."""
    for name, values, exact in (
        ("integer", numbers, [Fraction(each) for each in numbers]),
        ("decimal", [Decimal(each).scaleb(-2) for each in cents], [Fraction(each, 100) for each in cents]),
    ):
        rows = fill(m, name, values)
        found = rows.aggregate(square=Variance(name, sample=sample), root=StdDev(name, sample=sample))
        expected = spread(exact, sample=sample)
        assert_near(found["square"], expected)
        assert_near(found["root"], None if expected is None else math.sqrt(expected))


@QUICK
@given(sizes=st.lists(LENGTHS, min_size=1, max_size=6), divisor=st.integers(-9, 9).filter(bool))
def test_lengths_of_time_are_divided_and_averaged_as_python_does(
    m: Any, scope: Any, sizes: list[int], divisor: int
) -> None:
    """To the nearer microsecond; from the middle to the even one."""
    lengths = [size * MICROSECOND for size in sizes]
    rows = fill(m, "duration", lengths)
    assert rows.aggregate(mean=Avg("duration"))["mean"] == sum(lengths, timedelta()) / len(lengths)
    distinct = set(lengths)
    assert rows.aggregate(mean=Avg("duration", distinct=True))["mean"] == sum(distinct, timedelta()) / len(distinct)
    found = rows.order_by("pk").annotate(part=F("duration") / divisor, times=divisor * F("duration"))
    assert [(row.part, row.times) for row in found] == [(each / divisor, each * divisor) for each in lengths]
    assert rows.filter(duration=F("duration") / divisor).count() == sum(each == each / divisor for each in lengths)
    rows.update(duration=F("duration") / divisor)
    assert [row.duration for row in rows.order_by("pk")] == [each / divisor for each in lengths]


@QUICK
@given(sizes=st.lists(LENGTHS, min_size=1, max_size=6), cents=st.integers(-200, 200).filter(bool))
def test_lengths_of_time_by_decimal_numbers_are_exact(m: Any, scope: Any, sizes: list[int], cents: int) -> None:
    factor = Decimal(cents).scaleb(-2)
    rows = fill(m, "duration", [size * MICROSECOND for size in sizes])
    rows.update(decimal=factor)
    found = rows.order_by("pk").annotate(
        times=F("duration") * factor, by_column=F("decimal") * F("duration"), part=F("duration") / factor
    )
    exact = Fraction(cents, 100)
    times = [round(size * exact) * MICROSECOND for size in sizes]
    assert [(row.times, row.by_column, row.part) for row in found] == [
        (each, each, round(size / exact) * MICROSECOND) for size, each in zip(sizes, times, strict=True)
    ]


@QUICK
@given(sizes=st.lists(LENGTHS, min_size=1, max_size=6), factor=st.floats(0.01, 50))
def test_lengths_of_time_by_floats_are_floats_meanwhile(m: Any, scope: Any, sizes: list[int], factor: float) -> None:
    rows = fill(m, "duration", [size * MICROSECOND for size in sizes])
    found = rows.order_by("pk").annotate(times=F("duration") * factor, part=F("duration") / factor)
    assert [(row.times // MICROSECOND, row.part // MICROSECOND) for row in found] == [
        (round(float(size) * factor), round(float(size) / factor)) for size in sizes
    ]


def test_the_mean_of_lengths_whose_sum_is_longer_than_any(m: Any, scope: Any) -> None:
    lengths = [MOST * MICROSECOND, (MOST - 1) * MICROSECOND, (MOST - 3) * MICROSECOND]
    rows = fill(m, "duration", lengths)
    assert rows.aggregate(mean=Avg("duration"))["mean"] == (MOST - 1) * MICROSECOND  # a third less is nearer to it
    for longer in (F("duration") * 2, F("duration") * 1.5, F("duration") / Decimal("0.5")):
        with pytest.raises(DatabaseError, match="out of range"):
            list(rows.annotate(longer=longer))


def test_means_and_spreads_over_windows_and_groups(m: Any, scope: Any) -> None:
    numbers = [MOST, MOST - 2, 1, 2]
    m.Everything.objects.bulk_create(
        [m.Everything(integer=each, duration=each * MICROSECOND, small=n // 2) for n, each in enumerate(numbers)]
    )
    over = {"partition_by": "small", "order_by": "pk"}
    rows = m.Everything.objects.order_by("pk").annotate(
        mean=Window(Avg("integer"), **over),
        length=Window(Avg("duration"), **over),
        square=Window(Variance("integer"), **over),
    )
    assert [(row.mean, row.length // MICROSECOND, row.square) for row in rows] == [
        (float(MOST), MOST, 0), (float(MOST - 1), MOST - 1, 1), (1, 1, 0), (1.5, 2, 0.25),
    ]  # fmt: skip
    groups = m.Everything.objects.values("small").annotate(mean=Avg("integer"), root=StdDev("integer"))
    assert list(groups.filter(root__gt=0.7).order_by("mean")) == [{"small": 0, "mean": float(MOST - 1), "root": 1}]


def test_floats_that_add_up_to_more_than_a_float_are_an_error(m: Any, scope: Any) -> None:
    """MariaDB gave half of the largest float for the mean, and 0 or the largest below zero for the others."""
    larger = r"(larger than a float|out of range).*1\.8e308"
    rows = fill(m, "float", [1.7e308, 1.7e308])
    for total in (Sum("float"), Avg("float")):
        with pytest.raises(DatabaseError, match=larger):
            rows.aggregate(x=total)
    rows = fill(m, "float", [1e308, -1e308])
    assert rows.aggregate(x=Sum("float"), y=Avg("float")) == {"x": 0, "y": 0}
    for total in (Variance("float"), StdDev("float")):
        with pytest.raises(DatabaseError, match=larger):
            rows.aggregate(x=total)
