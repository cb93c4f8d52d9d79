"""What a hostile visitor sends, as ``**request.args`` would: the right rows or a toolkit error, and no value in SQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from toolkit.errors import FieldError, ToolkitError, ValidationError
from toolkit.models import (
    Case,
    Count,
    Exists,
    F,
    JSONArrayAgg,
    Max,
    Now,
    OuterRef,
    Q,
    RawSQL,
    RowRange,
    StringAgg,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from toolkit.models.functions import Coalesce, Collate, Extract, JSONObject, Lag, Lower, Rank, RowNumber, Trunc
from toolkit.trace import EDITOR, READER, Trace, entered

BAIT = "zq7"
"""Stands in each text that is sent; must never stand in SQL."""

FIELDS = [
    "char",
    "text",
    "integer",
    "float",
    "decimal",
    "boolean",
    "date",
    "instant",
    "json",
    "uuid",
    "binary",
    "time",
    "duration",
    "address",
]
LOOKUPS = [
    "",
    "__exact",
    "__iexact",
    "__in",
    "__gt",
    "__lte",
    "__range",
    "__isnull",
    "__contains",
    "__icontains",
    "__startswith",
    "__regex",
    "__year",
    "__year__in",
    "__year__range",
    "__iso_year__gte",
    "__date",
    "__date__lt",
    "__date__in",
    "__time",
    "__week",
    "__hour",
    "__has_key",
    "__has_keys",
    "__0",
    "__x__0__y",
    "__contained_by",
    "__nothing",
]

letters = st.sampled_from(list("a'\"`%s:?;-\\(){}[]*.\x00\ud800\u202eé名٣\n "))
texts = st.lists(letters, max_size=8).map(lambda found: BAIT + "".join(found))
scalars = st.one_of(
    texts,
    st.sampled_from(["nan", "1e400", "9" * 400, "2026-13-45", "24:00:00", "(?P<", "a{99999}", "", "-1", b"\xff\x00"]),
    st.sampled_from([float("nan"), float("inf"), 10**30, -(10**400), Decimal("sNaN"), Decimal("1e9999"), -0.0, True]),
    st.sampled_from(
        [
            datetime.max.replace(tzinfo=UTC),
            datetime(1, 1, 1, tzinfo=UTC),
            date.max,
            time.max,
            timedelta.max,
            timedelta.min,
        ]
    ),
    st.sampled_from([uuid.UUID(int=1), complex(1), object(), int, Ellipsis]),
    st.none(),
)
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.lists(st.lists(scalars, max_size=2), max_size=2),
    st.dictionaries(texts, scalars, max_size=2),
    st.lists(scalars, max_size=2).map(iter),
    st.sampled_from([{1, "a"}, frozenset({None}), range(3)]),
)
names = st.one_of(
    texts,
    texts.map(lambda text: f"title__{text}"),
    st.sampled_from(
        ["", "_", "__", "self", "q", "_connector", "_negated", "__class__", "_row", "_mask", "_meta", "save"]
    ),
    st.sampled_from(["pk", "section_id", "comments", "objects", "class", "*", "?", "-title", "expires__lte", "pk__in"]),
    st.sampled_from(["__[POSTCOMPILE_p0]", "\x00KEYS\x00", "p0", "v0", "c0", "%(p0)s", "{0}", "x" * 5000]),
)
fuzz = settings(max_examples=120, suppress_health_check=list(HealthCheck))


def survives(database: Any, ask: Callable[[], Any]) -> None:
    """It answers, or refuses in the toolkit's words; and what was sent is not in the SQL."""
    with database.counted() as statements, suppress(ToolkitError):
        ask()
    assert not [sql for sql in statements if BAIT in sql]


@fuzz
@given(field=st.sampled_from(FIELDS), lookup=st.sampled_from(LOOKUPS), value=values, exclude=st.booleans())
@example(field="float", lookup="", value=10**400, exclude=False)
@example(field="json", lookup="__0", value="\ud800", exclude=False)
def test_any_value_is_compared_or_refused(
    m: Any, scope: Any, field: str, lookup: str, value: Any, exclude: bool
) -> None:
    rows = m.Everything.objects
    with entered(m.look(scope.database, traced=True)):
        survives(scope.database, lambda: list((rows.exclude if exclude else rows.filter)(**{field + lookup: value})))


@fuzz
@given(field=st.sampled_from(FIELDS), value=values)
def test_any_value_is_written_or_refused(m: Any, scope: Any, field: str, value: Any) -> None:
    database = scope.database

    def write() -> None:
        with database.atomic():
            m.Everything.objects.create(**{field: value})
            m.Everything.objects.update(**{field: value})

    survives(database, write)


NAMED: list[Callable[[Any, str], Any]] = [
    lambda m, name: m.Story.objects.filter(**{name: 1}),
    lambda m, name: m.Story.objects.exclude(**{name: None}),
    lambda m, name: m.Story.objects.filter(Q(**{name: [1]}) | ~Q(**{name: "x"})),
    lambda m, name: [m.Story.objects.get(**{name: "x"})],
    lambda m, name: m.Story.objects.order_by(name),
    lambda m, name: m.Story.objects.values(name),
    lambda m, name: m.Story.objects.values_list(name, named=True),
    lambda m, name: m.Story.objects.values(**{name: F("title")}),
    lambda m, name: m.Story.objects.annotate(**{name: F("weight")}).order_by(name),
    lambda m, name: m.Story.objects.annotate(**{name: Count("tags")}).filter(**{name: 2}),
    lambda m, name: m.Story.objects.annotate(**{name: F("weight")}).iterator(),
    lambda m, name: m.Story.objects.alias(**{name: Value(1)}).filter(**{name: 1}),
    lambda m, name: m.Story.objects.values_list("status", named=True).annotate(**{name: Count("pk")}),
    lambda m, name: m.Story.objects.annotate(**{name: Value(1)}).union(m.Story.objects.annotate(**{name: Value(2)})),
    lambda m, name: m.Story.objects.aggregate(**{name: Max("weight")}),
    lambda m, name: m.Story.objects.filter(weight=F(name)),
    lambda m, name: m.Story.objects.annotate(n=Count(name)),
    lambda m, name: m.Story.objects.annotate(n=Sum(F(name) * F("weight"))),
    lambda m, name: m.Story.objects.annotate(n=Count("tags", filter=Q(**{f"tags__{name}": "x"}))),
    lambda m, name: m.Story.objects.annotate(n=StringAgg("tags__slug", name, order_by=name)),
    lambda m, name: [m.Story.objects.aggregate(n=StringAgg("slug", name), t=JSONArrayAgg(name))],
    lambda m, name: m.Story.objects.annotate(n=Window(RowNumber(), partition_by=name)).filter(n=1),
    lambda m, name: m.Story.objects.annotate(n=Window(Lag(name, default=name), order_by=name)),
    lambda m, name: m.Story.objects.annotate(n=Window(Rank(), order_by="weight")).filter(**{f"n__{name}": 1}),
    lambda m, name: m.Story.objects.annotate(n=Window(Sum("weight"), frame=RowRange(start=name))),
    lambda m, name: m.Story.objects.values(name).annotate(n=Count("pk")).filter(**{name: 1, "n__gt": 0}),
    lambda m, name: [m.Story.objects.values(name).annotate(**{name: Count("pk")}).aggregate(t=Max(name))],
    lambda m, name: m.Story.objects.only(name),
    lambda m, name: m.Story.objects.defer(name),
    lambda m, name: m.Story.objects.distinct(name),
    lambda m, name: m.Story.objects.dates(name, "year"),
    lambda m, name: m.Story.objects.select_related(name),
    lambda m, name: m.Story.objects.prefetch_related(name),
    lambda m, name: m.Story.objects.in_bulk(field_name=name),
    lambda m, name: [m.Story.objects.latest(name)],
    lambda m, name: [m.Story(**{name: 1})],
    lambda m, name: [m.Story.objects.none().update(**{name: 1})],
    lambda m, name: m.Tag.objects.update_or_create({name: "x"}, slug="tag-1"),
    lambda m, name: m.Everything.objects.filter(**{f"json__{name}": 1}),
    lambda m, name: m.Everything.objects.values_list(f"json__{name}", named=True),
    lambda m, name: m.Everything.objects.order_by(f"json__{name}"),
    lambda m, name: m.Story.objects.filter(title__contains=F(name)),
    lambda m, name: m.Story.objects.filter(weight__in=[F(name), 1]),
    lambda m, name: m.Story.objects.filter(published__range=(F(name), Now())),
    lambda m, name: m.Story.objects.filter(weight__gt=m.Tag.objects.values(name)),
    lambda m, name: m.Story.objects.datetimes(name, "hour", tzinfo=ZoneInfo("Europe/Madrid")),
    lambda m, name: m.Story.objects.dates("published", name),
    lambda m, name: m.Story.objects.dates("published", "year", name),
    lambda m, name: m.Story.objects.annotate(x=Trunc(name, "day")),
    lambda m, name: m.Story.objects.annotate(x=Trunc("published", name)),
    lambda m, name: m.Story.objects.annotate(x=Extract("published", name)),
    lambda m, name: m.Story.objects.annotate(x=Case(When(**{name: 1}, then=2))),
    lambda m, name: m.Story.objects.annotate(x=Case(When(weight=1, then=name), default=name)),
    lambda m, name: m.Section.objects.filter(Exists(m.Story.objects.filter(**{name: OuterRef("pk")}))),
    lambda m, name: m.Section.objects.filter(Exists(m.Story.objects.filter(weight=OuterRef(name)))),
    lambda m, name: m.Story.objects.annotate(x=Subquery(m.Tag.objects.values(name)[:1])),
    lambda m, name: m.Story.objects.annotate(x=Subquery(m.Tag.objects.order_by(name).values("pk")[:1])),
    lambda m, name: m.Story.objects.annotate(x=RawSQL("%s", [name])),
    lambda m, name: m.Story.objects.annotate(x=Coalesce(name, Lower(name))),
    lambda m, name: m.Story.objects.annotate(x=Collate("title", name.replace(BAIT, f"{BAIT};"))),
    lambda m, name: m.Story.objects.annotate(x=JSONObject(**{name: "weight"})),
    lambda m, name: m.Story.objects.annotate(x=JSONObject(key=name)),
    lambda m, name: [m.Tag(slug=Lower(name), name="x").save()],
    lambda m, name: m.Tag.objects.bulk_create([m.Tag(slug="x", name=F(name))]),
    lambda m, name: [m.Story.objects.update(weight=F(name))],
]


@pytest.fixture
def two_stories(m: Any, scope: Any) -> Any:
    section = m.Section.objects.create(name="Town", slug="town")
    tag = m.Tag.objects.create(name="Tag", slug="tag-1")
    for slug in ("one", "two"):
        m.Story.objects.create(title=slug, slug=slug, section=section, published=m.NOON).tags.add(tag)
    m.Everything.objects.create(json={"a'b": 1, "a": [1]})
    return scope.database


@settings(fuzz, max_examples=40)
@given(name=names, data=st.data())
def test_any_name_is_known_or_refused(m: Any, two_stories: Any, name: str, data: st.DataObject) -> None:
    for ask in data.draw(st.lists(st.sampled_from(NAMED), min_size=8, max_size=8)):
        with entered(m.look(two_stories, EDITOR, traced=True)):
            survives(two_stories, two_stories.atomic()(lambda ask=ask: [repr(each) for each in ask(m, name)]))


@pytest.mark.parametrize("alias", ["a'b", "_row", "__class__", "", "a b", "a;b", "a\x00b", "__[POSTCOMPILE_p0]", "a%s"])
def test_a_name_that_is_none_is_refused(m: Any, alias: str) -> None:
    with pytest.raises(FieldError, match="cannot be the name of a value"):
        m.Story.objects.annotate(**{alias: F("weight")})
    if not alias.isidentifier():
        with pytest.raises(FieldError, match="cannot be the name of a value"):
            m.Story.objects.aggregate(**{alias: Sum("weight")})


@pytest.mark.parametrize("alias", ["pk", "save", "section_id", "comments", "objects", "get_status_display"])
def test_a_name_that_hides_something_of_the_rows_is_refused(m: Any, scope: Any, alias: str) -> None:
    with pytest.raises(FieldError, match=f"would hide Story.{alias}"):
        list(m.Story.objects.annotate(**{alias: F("weight")}))


def test_update_or_create_sets_fields_alone(m: Any, scope: Any) -> None:
    m.Tag.objects.create(name="Tag", slug="tag")
    for name in ("save", "_meta", "__class__", "delete"):
        with pytest.raises(FieldError, match=f"Tag has no field '{name}'"):
            m.Tag.objects.update_or_create({name: 1}, slug="tag")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "-Infinity", "1e400"])
def test_a_number_that_is_not_finite_is_not_written(m: Any, scope: Any, value: Any) -> None:
    with pytest.raises(ValidationError, match=r"Everything\.float: (nan|inf|-inf) is not a finite number"):
        m.Everything.objects.create(float=value)
    with pytest.raises(ValidationError, match="is not a finite number"):
        m.Everything.objects.update(float=value)
    assert not m.Everything.objects.exists()


@pytest.mark.parametrize("value", ["1e999999999", Decimal("-1E+9999999")])
def test_a_decimal_with_a_huge_exponent_is_refused(m: Any, scope: Any, value: Any) -> None:
    with pytest.raises(ValidationError, match="has more than 10 digits"):
        m.Everything.objects.create(decimal=value)
    assert m.Everything.objects.create(decimal=Decimal("0E+9999")).decimal == 0


@pytest.mark.parametrize("value", ["1e999999", "-1e1000", "1e-999999", "1." + "1" * 2_000, Decimal("1E-1001")])
def test_a_decimal_that_no_server_reads_is_not_compared(m: Any, scope: Any, value: Any) -> None:
    for lookup in ("decimal", "decimal__gt"):
        with pytest.raises(FieldError, match="has more than 1000 digits"):
            m.Everything.objects.filter(**{lookup: value}).exists()
    with pytest.raises(FieldError, match="has more than 1000 digits"):
        m.Everything.objects.filter(decimal__in=[value, 1]).exists()
    assert not m.Everything.objects.filter(decimal="0e-999999", decimal__lt="9e999").exists()


def test_an_instant_that_is_in_no_year_of_utc_is_refused(m: Any, scope: Any) -> None:
    for value in (
        datetime.max.replace(tzinfo=ZoneInfo("America/New_York")),
        datetime.min.replace(tzinfo=ZoneInfo("Asia/Tokyo")),
    ):
        with pytest.raises(ValidationError, match=r"is out of bounds \(the years 1 to 9999\)"):
            m.Everything.objects.create(instant=value)


@pytest.mark.parametrize("name", [None, 5, b"title", ["title"]])
def test_what_is_no_name_is_refused_where_names_are_wanted(m: Any, name: Any) -> None:
    with pytest.raises(FieldError, match=r"order_by\(\) takes names and expressions"):
        m.Story.objects.order_by(name)
    with pytest.raises(FieldError, match=r"values\(\) takes names"):
        m.Story.objects.values(name)


def test_conditions_that_are_nested_too_deeply_are_refused(m: Any, newsroom: Any) -> None:
    tower = reduce(lambda below, number: ~(below | Q(weight=number)), range(800), Q(weight=1))
    with pytest.raises(FieldError, match="nested too deeply"):
        m.Story.objects.filter(tower)
    half = reduce(lambda below, number: ~(below | Q(weight=number)), range(150), Q(weight=1))
    with pytest.raises(FieldError, match="nested too deeply"):
        m.Story.objects.filter(half).count()


def test_hundreds_of_conditions_side_by_side_are_no_tower(m: Any, newsroom: Any) -> None:
    either = reduce(or_, (Q(slug=f"story-{number}") for number in range(900)))
    both = reduce(and_, (~Q(slug=f"story-{number}") for number in range(10, 900)))
    assert m.Story.objects.filter(either).count() == 20
    assert m.Story.objects.filter(both).count() == 10
    one_by_one = reduce(lambda asked, number: asked.exclude(slug=f"story-{number}"), range(10, 1200), m.Story.objects)
    assert one_by_one.count() == 10


def test_a_key_may_be_called_self(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.values_list(JSONObject(self="weight"), flat=True)[0] == {"self": 0}


def test_a_slice_may_begin_and_end_anywhere(m: Any, newsroom: Any) -> None:
    assert not m.Story.objects.all()[10**20 :]
    assert len(m.Story.objects.all()[18 : 2**63]) == 2
    assert len(m.Story.objects.filter(tags__slug="tag-1").distinct()[1 : 10**30]) == 7


def test_a_condition_may_be_named_like_any_letter(m: Any, newsroom: Any) -> None:
    chosen = m.Story.objects.annotate(q=F("weight")).filter(Q(q__in=[3, 4, 5]) | Q(q=1))
    assert {story.weight for story in chosen} == {1, 3, 4}


def test_what_visitors_send_is_not_kept_without_end(m: Any, scope: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.models.scopes.SHAPES_KEPT", 20)
    scope.database.shapes.clear()
    for number in range(40):
        assert not m.Everything.objects.filter(**{f"json__key{number}": 1}).exists()
    assert len(scope.database.shapes) == 20


def test_no_name_of_a_value_stands_for_a_condition_on_what_is_public(m: Any, newsroom: Any) -> None:
    with entered(m.look(newsroom.database, READER)):
        seen = {story.slug for story in m.Story.objects.all()}
        assert "story-8" not in seen  # expired an hour ago
        assert {story.slug for story in m.Story.objects.annotate(expires__lte=F("published"))} == seen
        assert {story.slug for story in m.Story.objects.alias(published__lte=F("expires"))} == seen


def test_the_answer_of_one_page_is_not_taken_for_that_of_another(m: Any, newsroom: Any) -> None:
    stories, by_hand = m.Story.objects.all(), m.Section.objects.raw("SELECT id FROM news_section")
    with entered(m.look(newsroom.database, EDITOR)):
        assert len(stories) == 20
        assert len(by_hand) == 3
    traces: list[Trace | None] = []
    for _ in range(2):
        with entered(m.look(newsroom.database, READER, traced=True)) as scope:
            assert len(stories[:18]) == stories.count() == len(stories) < 18
            assert len(by_hand) == 2
            traces.append(scope.trace)
    assert traces[0] is not None and traces[1] is not None
    assert traces[0].inputs == traces[1].inputs


@pytest.mark.parametrize("name", ["_connector", "_negated", "connector", "negated"])
def test_what_a_visitor_sends_does_not_join_or_negate_conditions(m: Any, newsroom: Any, name: str) -> None:
    sent = {"title": "Flood", name: "OR"}
    for ask in (lambda: Q(**sent), lambda: ~Q(**sent) & Q(title="Ferry")):
        with pytest.raises(FieldError, match=f"no field.*{name}"):
            list(m.Story.objects.filter(ask()))


def test_a_lookup_called_self_is_refused_like_any_other(m: Any, scope: Any) -> None:
    with pytest.raises(FieldError, match="self"):
        m.Story.objects.annotate(x=Case(When(**{"self": 1}, then=2))).count()
