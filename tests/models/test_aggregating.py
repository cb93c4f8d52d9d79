"""How aggregates are computed: no digit is lost, in one order, and the same on every database."""

from __future__ import annotations

import functools
import operator
import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.errors import DatabaseError, FieldError
from toolkit.models import (
    AnyValue,
    Avg,
    BitAnd,
    BitOr,
    BitXor,
    BoolAnd,
    BoolOr,
    Count,
    F,
    JSONArrayAgg,
    Max,
    Min,
    Q,
    RowRange,
    StringAgg,
    Sum,
    Value,
    Variance,
    Window,
)
from toolkit.models.functions import Lower

few = settings(max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True)


class Undo(Exception):
    """Takes the rows of an example away."""


def fill(m: Any, name: str, values: Iterable[Any]) -> None:
    m.Everything.objects.bulk_create([m.Everything(**{name: value}) for value in values])


# numbers


@few
@given(st.lists(st.decimals(-99999999, 99999999, places=2), min_size=1, max_size=30))
def test_sums_of_decimal_numbers_keep_every_digit(m: Any, scope: Any, prices: list[Decimal]) -> None:
    with pytest.raises(Undo), scope.database.atomic():
        fill(m, "decimal", prices)
        found = m.Everything.objects.aggregate(total=Sum("decimal"), once=Sum("decimal", distinct=True))
        assert found == {"total": sum(prices), "once": sum(set(prices))}
        assert found["total"].as_tuple().exponent == -2
        running = m.Everything.objects.annotate(total=Window(Sum("decimal"), order_by="id", frame=RowRange(end=0)))
        assert [row.total for row in running] == [sum(prices[: n + 1]) for n in range(len(prices))]
        raise Undo


def test_a_sum_that_cannot_be_kept_is_refused_and_never_rounded(m: Any, scope: Any) -> None:
    fill(m, "decimal", [Decimal("99999999.99")] * 2000)
    assert m.Everything.objects.aggregate(total=Sum("decimal")) == {"total": Decimal("199999999980.00")}
    fill(m, "decimal", [Decimal("99999999.99")])
    some = m.Everything.objects.annotate(more=F("decimal") * 1000 + Value(Decimal("0.01")))
    if scope.database.dialect == "sqlite":
        with pytest.raises(DatabaseError, match="more digits than SQLite keeps exactly"):
            some.aggregate(total=Sum("more"))
    else:
        assert some.aggregate(total=Sum("more")) == {"total": Decimal("200099999980010.01")}


def test_sums_of_whole_numbers_are_exact_or_refused(m: Any, scope: Any) -> None:
    fill(m, "big", [2**62, 2**62 - 1])
    assert m.Everything.objects.aggregate(total=Sum("big")) == {"total": 2**63 - 1}
    fill(m, "big", [2**62])
    with pytest.raises(DatabaseError, match=r"overflow|out of range"):
        m.Everything.objects.aggregate(total=Sum("big"))


def test_means_have_all_their_digits(m: Any, scope: Any) -> None:
    fill(m, "integer", [0, 0, 1])
    fill(m, "decimal", [Decimal("0.01"), Decimal("0.01"), Decimal("0.02")])
    found = m.Everything.objects.aggregate(Avg("integer"), Avg("decimal"), v=Variance("integer"))
    assert found["integer__avg"] == pytest.approx(1 / 3, rel=1e-15)
    assert found["decimal__avg"] == Decimal("0.0133333333333333")
    assert found["v"] == pytest.approx(2 / 9, rel=1e-14)
    sections = m.Everything.objects.values("boolean").annotate(mean=Avg("integer")).filter(mean__gt=0.33333)
    assert [row["mean"] for row in sections] == pytest.approx([1 / 3], rel=1e-15)


def test_means_of_greatest_numbers(m: Any, scope: Any) -> None:
    fill(m, "big", [2**63 - 1, 2**63 - 1, -(2**63)])
    found = m.Everything.objects.filter(big__gt=0)[:1].aggregate(mean=Avg("big"), n=Count("big"))
    assert found == {"mean": 2.0**63, "n": 1}


def test_lengths_of_time_are_added_up(m: Any, scope: Any) -> None:
    lengths = [timedelta(microseconds=1), timedelta(days=3), timedelta(hours=-5)]
    fill(m, "duration", lengths)
    found = m.Everything.objects.aggregate(Sum("duration"), Avg("duration"), Min("duration"), Max("duration"))
    total = sum(lengths, timedelta())
    assert found["duration__sum"] == total
    assert found["duration__avg"] == total / 3
    assert (found["duration__min"], found["duration__max"]) == (lengths[2], lengths[1])


@few
@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=8))
def test_bits_are_those_of_numbers_with_a_sign(m: Any, scope: Any, numbers: list[int | None]) -> None:
    with pytest.raises(Undo), scope.database.atomic():
        fill(m, "big", numbers)
        there = [number for number in numbers if number is not None]
        found = m.Everything.objects.aggregate(a=BitAnd("big"), o=BitOr("big"), x=BitXor("big"))
        folded = [
            functools.reduce(each, there) if there else None for each in (operator.and_, operator.or_, operator.xor)
        ]
        assert list(found.values()) == folded
        raise Undo


def test_bits_of_no_rows_are_none(m: Any, scope: Any) -> None:
    found = m.Everything.objects.aggregate(a=BitAnd("integer"), o=BitOr("integer"), x=BitXor("integer", default=0))
    assert found == {"a": None, "o": None, "x": 0}


# truth, and any value


def test_whether_all_or_any_are_true(m: Any, newsroom: Any) -> None:
    assert m.Section.objects.aggregate(all=BoolAnd("visible"), any=BoolOr("visible")) == {"all": False, "any": True}
    sections = m.Section.objects.annotate(
        light=BoolAnd(Q(stories__weight__lt=4)), drafts=BoolOr(Q(stories__status="draft")),
    )  # fmt: skip
    assert [(section.light, section.drafts) for section in sections] == [(False, False), (False, True), (False, False)]
    none = m.Section.objects.filter(slug="")
    assert none.aggregate(a=BoolAnd("visible"), b=BoolOr("visible", default=False)) == {"a": None, "b": False}
    groups = m.Story.objects.values("status").annotate(heavy=BoolOr(Q(weight__gt=3))).filter(heavy=True)
    assert [row["status"] for row in groups] == ["live"]


def test_any_value_is_one_that_is_there_and_always_the_same(m: Any, newsroom: Any) -> None:
    groups = m.Story.objects.values("section").annotate(one=AnyValue("slug"))
    assert [row["one"] for row in groups] == ["story-0", "story-1", "story-11"]


def test_the_smallest_of_kinds_that_a_server_does_not_order(m: Any, scope: Any) -> None:
    keys = sorted(uuid.uuid4() for _ in range(3))
    m.Everything.objects.bulk_create([m.Everything(uuid=key, boolean=n == 1) for n, key in enumerate(keys)])
    found = m.Everything.objects.aggregate(Min("uuid"), Max("uuid"), Min("boolean"), Max("boolean"))
    assert list(found.values()) == [keys[0], keys[2], False, True]


# in an order


def test_texts_are_joined_in_an_order(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(
        tagged=StringAgg("tags__slug", ", ", order_by="-tags__slug"),
        plain=StringAgg("tags__slug", Value("%s'")),
        few=StringAgg("tags__slug", "|", filter=Q(tags__slug__gt="tag-2"), default="-"),
    ).order_by("-published")
    for n, story in enumerate(stories):
        tags = sorted([f"tag-{n % 5}", f"tag-{(n + 1) % 5}"])
        assert story.tagged == ", ".join(reversed(tags))
        assert story.plain == "%s'".join(tags)
        assert story.few == ("|".join(tag for tag in tags if tag > "tag-2") or "-")
    groups = m.Story.objects.values_list("section").annotate(slugs=StringAgg("slug", ",", order_by=["-weight", "slug"]))
    for key, slugs in groups:
        rows = sorted((s for s in newsroom.stories if s.section_id == key), key=lambda s: (-s.weight, s.slug))
        assert slugs == ",".join(story.slug for story in rows)


def test_nulls_of_an_order_come_where_they_are_wanted(m: Any, newsroom: Any) -> None:
    def joined(order: Any) -> str:
        few = m.Story.objects.filter(slug__in=["story-1", "story-3", "story-4"])
        return str(few.aggregate(s=StringAgg("slug", " ", order_by=order))["s"])

    editor = F("editor__name")
    assert joined(editor.asc()) == joined(editor.asc(nulls_first=True)) == "story-4 story-1 story-3"
    assert joined(editor.asc(nulls_last=True)) == "story-1 story-3 story-4"
    assert joined("-editor__name") == joined(editor.desc(nulls_last=True)) == "story-3 story-1 story-4"
    assert joined(editor.desc(nulls_first=True)) == "story-4 story-3 story-1"


def test_each_text_may_come_once(m: Any, newsroom: Any) -> None:
    once = StringAgg("weight_text", ",", distinct=True)
    assert m.Story.objects.alias(weight_text=F("status")).aggregate(s=once) == {"s": "draft,live"}
    turned = StringAgg("tags__slug", " ", distinct=True, order_by="-tags__slug")
    assert m.Story.objects.aggregate(s=turned) == {"s": "tag-4 tag-3 tag-2 tag-1 tag-0"}
    assert m.Story.objects.none().aggregate(s=StringAgg("slug", ","), t=StringAgg("slug", ",", default="")) == {
        "s": None,
        "t": "",
    }


def test_long_texts_are_joined_whole(m: Any, scope: Any) -> None:
    fill(m, "text", ["x" * 40_000] * 30)
    joined = m.Everything.objects.aggregate(s=StringAgg("text", ""), n=JSONArrayAgg("text"))
    assert len(joined["s"]) == 1_200_000
    assert [len(text) for text in joined["n"]] == [40_000] * 30


TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6)


@few
@given(st.lists(st.one_of(st.none(), TEXTS), min_size=1, max_size=6), TEXTS)
def test_any_text_is_joined_and_listed(m: Any, scope: Any, texts: list[str | None], delimiter: str) -> None:
    with pytest.raises(Undo), scope.database.atomic():
        fill(m, "text", texts)
        found = m.Everything.objects.aggregate(joined=StringAgg("text", delimiter), listed=JSONArrayAgg("text"))
        there = [text for text in texts if text is not None]
        assert found == {"joined": delimiter.join(there) if there else None, "listed": texts}
        ordered = m.Everything.objects.aggregate(x=JSONArrayAgg("text", distinct=True, filter=Q(text__isnull=False)))
        assert ordered["x"] == (sorted(set(there)) or None)
        raise Undo


def test_values_are_listed_by_kind(m: Any, scope: Any) -> None:
    rows = [
        {"integer": 2**31 - 1, "float": 1.0, "boolean": True, "char": 'a"\\b', "json": {"a": [1, None], "b": "ß"}},
        {"integer": None, "float": -0.1, "boolean": False, "char": "", "json": [True]},
        {"integer": -5, "float": 1e300, "boolean": None, "char": None, "json": "text"},
    ]
    m.Everything.objects.bulk_create([m.Everything(**row) for row in rows])
    for name in rows[0]:
        found = m.Everything.objects.aggregate(
            all=JSONArrayAgg(name, order_by="-id"), some=JSONArrayAgg(name, filter=Q(float__lt=2)),
            none=JSONArrayAgg(name, filter=Q(float=7)), empty=JSONArrayAgg(name, filter=Q(float=7), default=[]),
        )  # fmt: skip
        values = [row[name] for row in rows]
        assert found == {"all": values[::-1], "some": values[:2], "none": None, "empty": []}
        assert [type(value) for value in found["all"]] == [type(value) for value in values[::-1]]


def test_lists_of_partners(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(
        found=JSONArrayAgg("tags__slug", order_by=Lower("tags__slug").desc(), default=[])
    )
    assert [story.found for story in stories.order_by("-published")[:2]] == [["tag-1", "tag-0"], ["tag-2", "tag-1"]]
    m.Tag.objects.all().delete()
    assert {tuple(story.found) for story in stories} == {()}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Sum("char"), r"Sum\(\) takes numbers or lengths of time, not str"),
        (lambda: Avg("date"), r"Avg\(\) takes numbers or lengths of time, not date"),
        (lambda: Sum("json"), r"Sum\(\) takes numbers or lengths of time, not JSON"),
        (lambda: BitAnd("float"), r"BitAnd\(\) takes whole numbers, not float"),
        (lambda: BitOr("integer", distinct=True), "SQL has no such aggregate"),
        (lambda: BoolAnd("integer"), "takes conditions and fields of truth, not int"),
        (lambda: Min("json"), r"Min\(\) of JSON: they have no common order"),
        (lambda: AnyValue("binary"), r"AnyValue\(\) of bytes"),
        (lambda: StringAgg("integer", ","), r"StringAgg\(\) takes text, not int"),
        (lambda: StringAgg("char", 1), r"delimiter=1\): that is no text"),
        (lambda: StringAgg("char", ",", order_by=1), r"order_by=1\): that is no name"),
        (lambda: StringAgg("char", ",", distinct=True, order_by="id"), "can only be ordered by itself"),
        (lambda: JSONArrayAgg("decimal"), "takes text, numbers, truth or JSON, not Decimal"),
        (lambda: JSONArrayAgg("json", distinct=True), "SQL cannot tell it apart"),
        (lambda: JSONArrayAgg("char", default="x"), "the default is the empty list"),
        (lambda: Count(1), r"Count\(1\): that is no name of a field"),
        (lambda: Count("*", distinct=True), r"only Count\('\*'\) counts rows"),
        (lambda: Sum("*"), r"only Count\('\*'\) counts rows"),
    ],
)
def test_what_has_no_total_is_refused(m: Any, scope: Any, make: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        m.Everything.objects.aggregate(n=make())


def test_dates_have_a_first_and_a_last(m: Any, scope: Any) -> None:
    fill(m, "date", [date(2026, 1, 2), date(1, 1, 1), None])
    found = m.Everything.objects.aggregate(Min("date"), Max("date"), Count("date"), n=Count("*"))
    assert list(found.values()) == [date(1, 1, 1), date(2026, 1, 2), 2, 3]
