"""The first and the last value of each kind, and those beside: kept, found, ordered and written as Python has them."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from toolkit.models import Count, F, JSONNull, Max, Min, Value

MOST = 2**63 - 1
TICK = timedelta(microseconds=1)
NEW_YORK = ZoneInfo("America/New_York")
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TEXTS = [
    "", " ", "  ", "a", "A", "a ", " a", "ß", "ss", "SS", "ẞ", "İ", "i", "I", "ı", "i\u0307", "é", "e\u0301", "É", "😀",
    "😁", "\u200b", "a\u200b", "ﬁ", "fi", "\t", "\n", "\r\n", "%", "_", "\\", "a%", "a_b", "\x01", "\x7f", "ſ", "s",
    "\u212a", "k", "\u212b", "Å", "å", "\u2126", "Ω", "10", "9", "\U0010ffff", "\ue000", "\ud7ff", "Ǆ", "ǅ", "ά", "ς",
    "σ", "Σ", "'", '"', "%s",
]  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "char": TEXTS,
    "text": TEXTS,
    "integer": [0, 1, -1, MOST, MOST - 1, -MOST - 1, 2**53, 2**53 + 1],
    "small": [0, 1, 2**15 - 1, -(2**15)],
    "float": [
        0.0,
        1.0,
        0.1,
        0.3,
        0.30000000000000004,
        1.7976931348623157e308,
        -1.7976931348623157e308,
        5e-324,
        1e22,
        1 / 3,
    ],
    "decimal": [Decimal(each) for each in ("0", "0.01", "-0.01", "99999999.99", "-99999999.99", "1E+3", "0.10", "1.1")],
    "boolean": [True, False],
    "date": [date.min, date.max, date(2000, 2, 29), date(1582, 10, 10), date(1969, 12, 31)],
    "instant": [
        FIRST,
        LAST,
        datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK).astimezone(UTC),
        datetime(2026, 11, 1, 1, 30, fold=1, tzinfo=NEW_YORK).astimezone(UTC),
        datetime(1883, 11, 18, 12, 0, tzinfo=NEW_YORK).astimezone(UTC),
        datetime(1970, 1, 1, tzinfo=UTC) - TICK,
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
        datetime(2000, 1, 1, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=14))),
    ],
    "time": [time.min, time.max, time(12), time(0, 0, 0, 1), time(23, 59, 59, 500000)],
    "duration": [
        timedelta(0),
        TICK,
        -TICK,
        timedelta(days=-1),
        MOST * TICK,
        -MOST * TICK,
        timedelta(days=40, hours=25),
    ],
    "uuid": [uuid.UUID(int=each) for each in (0, 2**128 - 1, 2**127, 2**127 - 1)],
    "binary": [b"", b"\0", b"\0\0", b"a\0b", b"\xff", b"a", b"A", b"a ", bytes(range(256))],
    "json": [
        [],
        {},
        "",
        0,
        1.5,
        "a",
        {"a": None},
        {"é": ["😀", "'", '"', "\\", "\n"]},
        [[]],
        2**63,
        1e-7,
        JSONNull(),
        True,
    ],
}
IN_ORDER = [name for name in VALUES if name not in ("binary", "json")]


@pytest.fixture
def ask(m: Any, scope: Any) -> Any:
    """A function that saves values of a field, and gives the places of those that meet a condition."""

    def save(name: str) -> tuple[list[Any], Any]:
        given = [None, *VALUES[name], None, *VALUES[name][:3]]
        half = len(given) // 2
        for value in given[:half]:
            m.Everything.objects.create(**{name: value})
        m.Everything.objects.bulk_create([m.Everything(**{name: value}) for value in given[half:]])
        places = {
            pk: place for place, pk in enumerate(m.Everything.objects.order_by("pk").values_list("pk", flat=True))
        }

        def asked(*order: str, **lookups: Any) -> list[int]:
            found = m.Everything.objects.filter(**lookups).order_by(*order, "pk")
            return [places[pk] for pk in found.values_list("pk", flat=True)]

        return given, asked

    return save


def read(m: Any, name: str) -> list[Any]:
    return [getattr(row, name) for row in m.Everything.objects.order_by("pk")]


@pytest.mark.parametrize("name", VALUES)
def test_values_come_back_however_they_are_written(m: Any, ask: Any, name: str) -> None:
    given, _ = ask(name)
    rows = m.Everything.objects
    kept = read(m, name)
    assert kept == given and list(map(type, kept)) == list(map(type, given))
    assert list(rows.order_by("pk").values_list(name, flat=True)) == given
    rows.update(**{name: F(name)})
    assert list(map(repr, read(m, name))) == list(map(repr, kept))
    changed = list(rows.order_by("-pk"))
    for row, value in zip(changed, given, strict=True):
        setattr(row, name, value)
    rows.bulk_update(changed, [name])
    assert list(map(repr, read(m, name))) == list(map(repr, reversed(kept)))
    for value, expected in zip(given, kept, strict=True):
        rows.update(**{name: value})
        assert repr(read(m, name)[0]) == repr(expected)


@pytest.mark.parametrize("name", VALUES)
def test_values_are_found_as_python_compares_them(m: Any, ask: Any, name: str) -> None:
    given, asked = ask(name)
    held = [(place, value) for place, value in enumerate(given) if value is not None]
    field = m.Everything._meta.get_field(name)
    for wanted in VALUES[name]:
        same = [place for place, value in held if value == wanted]
        assert asked(**{name: wanted}) == same
        assert asked(**{f"{name}__in": [wanted]}) == same
        assert asked(**{name: Value(wanted, output_field=field)}) == same
        if name in IN_ORDER and name not in ("boolean", "uuid"):
            assert asked(**{f"{name}__gt": wanted}) == [place for place, value in held if value > wanted]
            assert asked(**{f"{name}__range": (wanted, wanted)}) == same
    assert asked(**{f"{name}__in": VALUES[name]}) == [place for place, _ in held]


@pytest.mark.parametrize("name", ["char", "text"])
def test_texts_are_searched_as_python_does(ask: Any, name: str) -> None:
    given, asked = ask(name)
    held = [(place, value, value.casefold()) for place, value in enumerate(given) if value is not None]
    for part in TEXTS:
        folded = part.casefold()
        for lookup, meets in {
            "contains": lambda value, _, part=part: part in value,
            "startswith": lambda value, _, part=part: value.startswith(part),
            "endswith": lambda value, _, part=part: value.endswith(part),
            "iexact": lambda _, value, folded=folded: value == folded,
            "icontains": lambda _, value, folded=folded: folded in value,
        }.items():
            expected = [place for place, value, low in held if meets(value, low)]
            assert asked(**{f"{name}__{lookup}": part}) == expected, (lookup, part)


@pytest.mark.parametrize("name", IN_ORDER)
def test_values_are_ordered_and_grouped_as_python_does(m: Any, ask: Any, name: str) -> None:
    given, asked = ask(name)
    ordered = sorted(
        enumerate(given),
        key=lambda pair: (0, pair[0]) if pair[1] is None else (1, pair[1], pair[0]),
    )
    assert asked(name) == [place for place, _ in ordered]
    distinct = list(dict.fromkeys(value for _, value in ordered))
    rows = m.Everything.objects
    assert list(rows.order_by(name).values_list(name, flat=True).distinct()) == distinct
    groups = rows.values(name).annotate(n=Count("pk")).order_by(name)
    assert [(group[name], group["n"]) for group in groups] == [(value, given.count(value)) for value in distinct]
    if name != "boolean":
        assert rows.aggregate(a=Min(name), z=Max(name)) == {"a": distinct[1], "z": distinct[-1]}
