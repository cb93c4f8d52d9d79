"""What an expression gives is kept by a field as it keeps its own values, or refused before anything is written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from toolkit.database import atomic
from toolkit.errors import DatabaseError, FieldError
from toolkit.models import Cast, Concat, F, IntegerField, JSONObject, Now, Q, Subquery, Value
from toolkit.models.functions import Length


@pytest.fixture
def thing(m: Any, scope: Any) -> Any:
    return m.Everything.objects.create(
        char="abc", integer=5, float=0.125, decimal=Decimal("1.10"), boolean=True, date=date(2026, 3, 1),
        instant=datetime(2026, 3, 1, 9, tzinfo=UTC), json={"a": 7}, big=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"integer": F("char")}, r"Everything\.integer takes int, and the expression gives str\. Say Cast"),
        ({"integer": F("integer") / 2}, r"takes int, and the expression gives float\. .*which cuts fractions"),
        ({"big": F("decimal")}, r"Everything\.big takes int, and the expression gives Decimal"),
        ({"integer": Now()}, r"Everything\.integer takes int, and the expression gives datetime"),
        ({"date": Now()}, r"Everything\.date takes date, and the expression gives datetime"),
        ({"char": F("integer")}, r"Everything\.char takes str, and the expression gives int"),
        ({"boolean": F("integer")}, r"Everything\.boolean takes bool, and the expression gives int"),
        ({"json": F("char")}, r"Everything\.json takes JSON, and the expression gives str"),
        ({"integer": F("json__a")}, r"Everything\.integer takes int, and the expression gives JSON"),
        ({"date": F("instant")}, r"Everything\.date takes date, and the expression gives datetime"),
    ],
)
def test_values_of_another_kind_are_refused(m: Any, thing: Any, values: dict[str, Any], told: str) -> None:
    with thing._writing_scope().database.counted() as queries:
        with pytest.raises(FieldError, match=told):
            m.Everything.objects.update(**values)
        with pytest.raises(FieldError, match=told):
            m.Everything.objects.update_or_create(pk=thing.pk, defaults=values)
    assert not [query for query in queries if query.lstrip().startswith("UPDATE")]


def test_a_new_row_takes_no_value_of_another_kind(m: Any, scope: Any) -> None:
    with pytest.raises(FieldError, match="takes int, and the expression gives str"):
        m.Everything(integer=Concat(Value("a"), Value("b"))).save()
    thing = m.Everything.objects.create(integer=Length(Value("four")))
    assert thing.integer == 4


def test_numbers_become_those_of_the_field(m: Any, thing: Any) -> None:
    rows = m.Everything.objects
    rows.update(decimal=F("decimal") / 3, float=F("integer"), integer=Cast(F("integer") / 2, IntegerField()))
    assert rows.values_list("decimal", "float", "integer").get() == (Decimal("0.37"), 5.0, 2)
    assert rows.filter(decimal=Decimal("0.37")).exists(), "more decimal places were kept than the field has"
    rows.update(decimal=F("big"))
    rows.update(decimal=F("decimal") + F("float"), float=F("decimal"))
    assert rows.values_list("decimal", "float").get()[0] == Decimal("8.00")


def test_whole_numbers_stay_whole_or_are_refused(m: Any, thing: Any) -> None:
    rows, largest = m.Everything.objects, 2**63 - 1
    rows.update(integer=F("integer") * 3 - 1, big=largest)
    assert rows.values_list("integer", "big").get() == (14, largest)
    for values in ({"big": F("big") + 1}, {"big": F("big") * F("integer")}, {"integer": -F("big") - 2}):
        with pytest.raises(DatabaseError, match=r"integer overflow|out of range"), atomic():
            rows.update(**values)
    assert rows.values_list("integer", "big").get() == (14, largest)


def test_a_date_becomes_its_midnight(m: Any, thing: Any) -> None:
    m.Everything.objects.update(instant=F("date"))
    assert m.Everything.objects.get().instant == datetime(2026, 3, 1, tzinfo=UTC)


def test_what_is_of_the_same_kind_is_kept(m: Any, thing: Any) -> None:
    m.Everything.objects.update(
        json=JSONObject(n="integer"), boolean=Q(integer=5), big=Subquery(m.Everything.objects.values("integer")[:1])
    )
    assert m.Everything.objects.values_list("json", "boolean", "big").get() == ({"n": 5}, True, 5)
    m.Everything.objects.update(json=F("json__n"))
    assert m.Everything.objects.get().json == 5
