"""Expressions mean the same on every database, and the same as in Python where Python has them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from toolkit.errors import DatabaseError, FieldError, ValidationError
from toolkit.models import (
    Avg,
    Case,
    CharField,
    Count,
    DateTimeField,
    DecimalField,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Max,
    Now,
    OuterRef,
    Q,
    RawSQL,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from toolkit.models.functions import Cast, Coalesce, Concat, JSONArray, JSONObject, Round
from toolkit.trace import entered

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def thing(m: Any, scope: Any) -> Any:
    """A row with a value of each kind."""
    return m.Everything.objects.create(
        char="Größe", text="", integer=7, positive=2, float=2.5, decimal=Decimal("0.10"), boolean=True,
        date=date(2024, 2, 29), instant=NOON,
    )  # fmt: skip


def value_of(m: Any, expression: Any) -> Any:
    """What the database makes of an expression."""
    return m.Everything.objects.annotate(found=expression).get().found


ARITHMETIC = [
    (F("integer") + F("positive"), 9),
    (F("integer") - 2, 5),
    (10 - F("integer"), 3),
    (F("integer") * F("positive"), 14),
    (F("integer") / F("positive"), 3.5),
    (-F("integer") / 2, -3.5),
    (F("integer") / 0, None),
    (F("integer") % 4, 3),
    (-F("integer") % 4, -3),
    (F("integer") % 0, None),
    (F("float") % 2, 0.5),
    (F("integer") ** 2, 49.0),
    (2 ** -F("positive"), 0.25),
    (-(F("integer") ** 0.5), -(7**0.5)),
    ((F("integer") * -1) ** 0.5, None),
    ((F("integer") + 1) * 2, 16),
    (100 / (F("integer") + 3), 10.0),
    (F("integer") + F("float"), 9.5),
    (F("decimal") + Decimal("0.20"), Decimal("0.30")),
    (F("decimal") * F("decimal"), Decimal("0.0100")),
    (F("decimal") * 3, Decimal("0.30")),
    (F("decimal") / 3, Decimal("0.0333333333333333")),
    (F("decimal") * 25 / 1, Decimal("2.5")),
    (Value(Decimal("1E+2")) * F("decimal"), Decimal("10.00")),
    (F("decimal") % Decimal("0.03"), Decimal("0.01")),
    (F("integer").bitand(3), 3),
    (F("integer").bitor(8), 15),
    (F("integer").bitxor(5), 2),
    (F("integer").bitleftshift(2), 28),
    (F("integer").bitrightshift(1), 3),
    ((F("integer") * -1).bitrightshift(1), -4),
    (F("integer").bitleftshift(70), 0),
    (F("integer").bitleftshift(2**40), 0),
    (F("integer").bitrightshift(64), 0),
    ((F("integer") * -1).bitrightshift(64), -1),
    (F("integer").bitleftshift(-1), None),
    ((F("integer") * -1).bitand(6), 0),
    (F("uuid"), None),
]


@pytest.mark.parametrize(("expression", "expected"), ARITHMETIC, ids=[repr(item) for item, _ in ARITHMETIC])
def test_arithmetic_is_the_same_everywhere(m: Any, thing: Any, expression: Any, expected: Any) -> None:
    found = value_of(m, expression)
    assert type(found) is type(expected)
    assert found == (pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected)


def test_decimals_compare_exactly(m: Any, thing: Any) -> None:
    """0.1 + 0.2 is 0.3 also where the database computes in binary."""
    found = m.Everything.objects.annotate(sum=F("decimal") + Decimal("0.20"), cut=F("decimal") * F("decimal"))
    assert found.filter(sum=Decimal("0.30"), cut=Decimal("0.01")).exists()
    assert not found.filter(sum__gt=Decimal("0.30")).exists()
    assert str(found.get().sum) == "0.30"


TIMES = [
    (F("instant") + timedelta(days=1, microseconds=5), NOON + timedelta(days=1, microseconds=5)),
    (timedelta(hours=2) + F("instant"), NOON + timedelta(hours=2)),
    (F("instant") - timedelta(seconds=1), NOON - timedelta(seconds=1)),
    (F("date") + timedelta(days=1), datetime(2024, 3, 1, tzinfo=UTC)),
    (F("instant") - datetime(2026, 2, 28, tzinfo=UTC), timedelta(days=1, hours=12)),
    (Value(date(2024, 3, 1)) - F("date"), timedelta(days=1)),
    (F("instant") - F("date"), NOON - datetime(2024, 2, 29, tzinfo=UTC)),
    (Value(time(23, 30)) + timedelta(hours=1), time(0, 30)),
    (Value(time(0, 30)) - timedelta(hours=1, microseconds=1), time(23, 29, 59, 999999)),
    (Value(time(12)) - Value(time(9, 30)), timedelta(hours=2, minutes=30)),
    (Value(timedelta(hours=1)) + timedelta(minutes=1), timedelta(minutes=61)),
    (Value(timedelta(hours=1)) * 3, timedelta(hours=3)),
    (F("instant") + Value(timedelta(days=1)) * F("positive"), NOON + timedelta(days=2)),
]


@pytest.mark.parametrize(("expression", "expected"), TIMES, ids=[repr(item) for item, _ in TIMES])
def test_moments_and_lengths_of_time(m: Any, thing: Any, expression: Any, expected: Any) -> None:
    assert value_of(m, expression) == expected


def test_moments_are_compared_after_they_were_moved(m: Any, thing: Any) -> None:
    rows = m.Everything.objects.annotate(late=F("instant") + timedelta(hours=1))
    assert rows.filter(late=NOON + timedelta(hours=1)).exists()
    assert m.Everything.objects.filter(instant__lt=F("instant") + timedelta(microseconds=1)).exists()
    assert not m.Everything.objects.filter(instant__lte=F("instant") - timedelta(microseconds=1)).exists()


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (F("char") + F("text"), r"str \+ str has no meaning\. Join texts with Concat"),
        (F("instant") * 2, r"datetime \* int has no meaning"),
        (F("instant") + F("instant"), r"datetime \+ datetime has no meaning"),
        (F("float").bitand(1), "float bitand int has no meaning"),
        (F("integer") + F("char"), r"int \+ str has no meaning"),
    ],
)
def test_what_has_no_meaning_is_refused_before_the_database_sees_it(
    m: Any, thing: Any, expression: Any, told: str
) -> None:
    with pytest.raises(FieldError, match=told):
        value_of(m, expression)


def test_case_takes_the_first_branch_that_is_true(m: Any, newsroom: Any) -> None:
    place = Case(
        When(weight__gte=4, then=Value("lead")),
        When(Q(weight=3) | Q(section__slug="section-0"), then=Value("big")),
        default=Value("brief"),
    )
    stories = m.Story.objects.annotate(place=place)
    for story in stories.order_by("pk"):
        big = story.weight == 3 or story.section.slug == "section-0"
        assert story.place == ("lead" if story.weight >= 4 else "big" if big else "brief")
    assert stories.filter(place="lead").count() == 4
    assert [s.place for s in stories.order_by("-place", "pk")[:1]] == ["lead"]
    assert m.Story.objects.annotate(n=Case(When(weight=0, then="pk"))).filter(n=None).count() == 16


def test_case_knows_what_it_gives(m: Any, thing: Any) -> None:
    assert value_of(m, Case(When(integer=7, then=F("decimal")), default=0)) == Decimal("0.10")
    assert value_of(m, Case(When(integer=8, then=F("instant")), default=NOON)) == NOON
    assert value_of(m, Case(When(integer=8, then=1), default=F("float"))) == 2.5
    assert value_of(m, Case(default=3)) == 3
    assert value_of(m, Case(When(integer=7, then=Value("1")), output_field=CharField(max_length=3))) == "1"
    assert value_of(m, Value("1", CharField(max_length=3))) == "1"


def test_case_in_update_order_and_filter(m: Any, newsroom: Any) -> None:
    turned = Case(When(status="live", then=Value("draft")), default=Value("live"))
    assert m.Story.objects.update(status=turned) == 20
    assert m.Story.objects.filter(status="live").count() == 1
    first = m.Story.objects.order_by(Case(When(slug="story-9", then=0), default=1), "pk").first()
    assert first.slug == "story-9"
    assert m.Story.objects.filter(weight=Case(When(slug="story-9", then=4), default=9)).get().slug == "story-9"


def test_an_empty_condition_is_no_branch() -> None:
    with pytest.raises(FieldError, match=r"When\(\) needs a condition"):
        When(Q(), then=1)
    with pytest.raises(FieldError, match="takes When"):
        Case(Q(pk=1))  # type: ignore[arg-type]  # that is the point


def test_conditions_are_values_too(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(heavy=Q(weight__gt=2), tagged=Q(tags__slug="tag-1"))
    assert [story.heavy for story in stories.order_by("pk")] == [n % 5 > 2 for n in range(20)]
    assert stories.filter(heavy=True, tagged=False).count() == 8
    wrapped = m.Story.objects.annotate(heavy=ExpressionWrapper(Q(weight__gt=2), IntegerField()))
    assert {int(story.heavy) for story in wrapped} == {0, 1}


def test_an_expression_that_is_true_or_false_is_a_condition(m: Any, newsroom: Any) -> None:
    visible = m.Section.objects.filter(F("visible"))
    assert [section.slug for section in visible] == ["section-0", "section-1"]
    assert [section.slug for section in m.Section.objects.filter(~F("visible"))] == ["section-2"]
    assert m.Section.objects.filter(F("visible") & Q(slug="section-2")).count() == 0
    assert m.Section.objects.exclude(F("visible") | Q(slug="section-2")).count() == 0
    assert m.Section.objects.filter(F("visible") ^ F("visible")).count() == 0
    with pytest.raises(FieldError, match=r"F\(\.\.\.\) is not a condition"):
        list(m.Section.objects.filter(F("position")))


def test_null_is_ordered_where_one_says(m: Any, newsroom: Any) -> None:
    comments = [None, 2, None, 1]
    for score in comments:
        m.Comment.objects.create(story=newsroom.stories[0], text="", score=score)

    def ordered(item: Any) -> list[Any]:
        return [comment.score for comment in m.Comment.objects.order_by(item)]

    assert ordered("score") == ordered(F("score").asc()) == [None, None, 1, 2]
    assert ordered(F("score").desc()) == [2, 1, None, None]
    assert ordered(F("score").asc(nulls_last=True)) == [1, 2, None, None]
    assert ordered(F("score").desc(nulls_first=True)) == [None, None, 2, 1]
    assert ordered((F("score") * 2).asc(nulls_last=True)) == [1, 2, None, None]
    backwards = m.Comment.objects.order_by(F("score").asc(nulls_last=True)).reverse()
    assert [comment.score for comment in backwards] == [None, None, 2, 1]
    with pytest.raises(FieldError, match="exclude each other"):
        F("score").asc(nulls_first=True, nulls_last=True)


def test_f_follows_single_relations_and_transforms(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.annotate(where=F("section__slug"), year=F("published__year")).get(slug="story-4")
    assert (story.where, story.year) == ("section-1", 2026)
    assert m.Story.objects.annotate(day=F("published")).filter(day__day=F("published__day")).count() == 20
    with pytest.raises(FieldError, match=r"__yeer: 'yeer' is not a field\. Did you mean 'year'"):
        list(m.Story.objects.annotate(year=F("published__yeer")))
    with pytest.raises(FieldError, match="not a field of one row"):
        list(m.Story.objects.annotate(tag=F("tags__slug")))


def test_raw_sql_has_its_values_beside_it(m: Any, thing: Any) -> None:
    doubled = RawSQL("positive * %s %% 100", [20], IntegerField())
    assert value_of(m, doubled) == 40
    evil = "'; DROP TABLE news_tag; --"
    assert value_of(m, RawSQL("%s", [evil], CharField(max_length=99))) == evil
    assert m.Everything.objects.filter(integer=RawSQL("%s + 0", [7])).exists()
    assert value_of(m, RawSQL("%s", [Decimal("1.50")], DecimalField(max_digits=5, decimal_places=2))) == Decimal("1.50")


@pytest.mark.parametrize(
    ("sql", "params", "told"),
    [
        ("a % b", (), "a single % is no placeholder"),
        ("a = %s", (), "has 1 %s and was given 0 values"),
        ("random()", (), "would give another page at every build"),
        ("CURRENT_TIMESTAMP", (), "Compare with Now"),
    ],
)
def test_raw_sql_that_cannot_be_right_is_refused(sql: str, params: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        RawSQL(sql, params)


def test_expressions_are_equal_when_they_say_the_same() -> None:
    assert F("a") + 1 == F("a") + 1
    assert F("a") + 1 != F("a") + 2
    assert Q(a=F("b")) & ~Q(c=1) == Q(a=F("b")) & ~Q(c=1)
    assert len({F("a"), F("a"), Value(1), Value(1)}) == 2
    assert Case(When(a=1, then=2)).made_with[0][0] == When(a=1, then=2)


def test_other_values_are_the_same_shape(m: Any, newsroom: Any) -> None:
    def ask(number: int, word: str) -> None:
        chosen = Case(When(weight=number, then=Value(word)), default=Value("-"))
        list(m.Story.objects.annotate(x=F("weight") + number, y=chosen).filter(x=RawSQL("%s", [number])))
        list(m.Story.objects.annotate(z=ExpressionWrapper(F("weight"), DecimalField(max_digits=4, decimal_places=1))))

    ask(1, "a")
    known = len(newsroom.database.shapes)
    ask(2, "b")
    assert len(newsroom.database.shapes) == known


def test_now_is_a_value_like_any_other(m: Any, newsroom: Any) -> None:
    with entered(m.look(newsroom.database)):
        story = m.Story.objects.annotate(now=Now(), age=Now() - F("published")).get(slug="story-4")
        assert (story.now, story.age) == (m.NOON, timedelta(days=2))
        recent = Case(When(published__gte=Now() - timedelta(days=3), then=Value("new")), default=Value("old"))
        assert m.Story.objects.annotate(kind=recent).filter(kind="new").count() == 6
        assert m.Story.objects.filter(published__lt=F("expires") - (Now() - F("published"))).count() == 0


@pytest.mark.parametrize(
    ("then", "default", "told"),
    [
        (Value(1), Value("a"), r"Case\(\) takes values of one kind, not int and str"),
        (F("json__a"), Value(1), r"Case\(\) takes values of one kind, not JSON and int"),
        (F("date"), F("instant"), r"Case\(\) takes values of one kind, not date and datetime"),
    ],
)
def test_what_is_chosen_from_is_of_one_kind(m: Any, thing: Any, then: Any, default: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        value_of(m, Case(When(integer=7, then=then), default=default))


def test_numbers_that_are_chosen_are_floats_if_one_is(m: Any, thing: Any) -> None:
    for then, default in [("integer", "float"), ("decimal", "float"), ("float", "integer")]:
        found = value_of(m, Case(When(integer=7, then=then), default=default))
        assert found.__class__ is float


def test_a_condition_is_an_argument_of_functions(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(
        heavy=Coalesce(Q(weight__gt=3), Value(False)), all=Coalesce(~Q(pk__in=[]), Value(False))
    )
    assert stories.filter(heavy=True).count() == 4
    assert stories.filter(all=True).count() == 20
    first = Case(When(weight=4, then=Q(slug="story-4")), default=Value(True))
    assert m.Story.objects.annotate(x=first).filter(x=False).count() == 3


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (F("duration") / 2, timedelta(minutes=45)),
        (F("duration") / F("integer"), timedelta(minutes=30)),
        (F("duration") * 1.5, timedelta(minutes=135)),
        (Value(Decimal("0.5")) * F("duration"), timedelta(minutes=45)),
        (F("duration") / 0, None),
        (F("instant") - F("duration") / 3, datetime(2026, 1, 31, 23, 30, tzinfo=UTC)),
        (F("instant") - Value(None, DurationField()), None),
    ],
)
def test_a_length_of_time_is_multiplied_and_divided(m: Any, scope: Any, expression: Any, expected: Any) -> None:
    made = m.Everything.objects.create(
        duration=timedelta(minutes=90), integer=3, instant=datetime(2026, 2, 1, tzinfo=UTC)
    )
    assert m.Everything.objects.annotate(x=expression).get().x == expected
    if isinstance(expected, timedelta):
        m.Everything.objects.update(duration=expression)
        assert m.Everything.objects.get(pk=made.pk).duration == expected


def test_a_length_of_time_has_an_end(m: Any, scope: Any) -> None:
    m.Everything.objects.create(duration=timedelta(minutes=90))
    with pytest.raises(DatabaseError, match="out of range"):
        m.Everything.objects.annotate(x=F("duration") * 1e30).get()


def test_a_transform_of_an_annotation_is_given_ordered_by_and_grouped_by(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(at=F("published"), told=JSONObject(weight="weight"))
    assert list(stories.order_by("at__day", "-pk").values_list("at__day", flat=True)[:3]) == [1, 2, 3]
    assert [story.weight for story in stories.order_by("-told__weight", "pk")[:5]] == [4, 4, 4, 4, 3]
    assert stories.order_by("pk").values("told__weight")[3] == {"told__weight": 3}
    months = stories.values("at__month").annotate(n=Count("pk")).order_by("at__month")
    assert list(months.values_list("at__month", "n")) == [(2, 17), (3, 3)]
    for wrong in (stories.order_by("at__nope"), stories.values("at__nope")):
        with pytest.raises(FieldError):
            list(wrong)


def test_a_value_to_order_and_group_by_is_no_place_of_a_column(m: Any, newsroom: Any) -> None:
    """PyMySQL writes values into the statement, where ``ORDER BY 1`` is by the first column."""
    keys = [story.pk for story in newsroom.stories]
    stories = m.Story.objects.annotate(kind=Value(1), other=Value(2))
    assert list(stories.order_by("kind", "-pk").values_list("pk", flat=True)) == keys[::-1]
    assert list(stories.order_by("-kind", "pk").values_list("pk", flat=True)) == keys
    assert stories.order_by(Value(3), "pk").first().pk == keys[0]
    assert stories.values("other").annotate(n=Count("pk")).order_by("other").get() == {"other": 2, "n": 20}


def test_a_rest_of_nothing_is_zero(m: Any, scope: Any) -> None:
    """MariaDB's ``-1.55 % -1.55`` is -0.00, which is not equal to 0 there."""
    m.Everything.objects.create(decimal=Decimal("-1.55"))
    rest = m.Everything.objects.annotate(rest=F("decimal") % F("decimal"))
    assert rest.filter(rest=0).get().rest == 0


def test_a_time_of_day_keeps_the_microseconds_of_a_length_that_was_divided(m: Any, scope: Any) -> None:
    m.Everything.objects.create(time=time(8), duration=timedelta(microseconds=-3))
    moved = m.Everything.objects.annotate(moved=F("time") + F("duration") / -1).get()
    assert moved.moved == time(8, 0, 0, 3)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "nan is not a finite number"),
        (float("-inf"), "-inf is not a finite number"),
        (2**63, "out of bounds"),
        (-(10**400), "out of bounds"),
        (Decimal("NaN"), "finite, of up to 15 digits"),
        (Decimal("1234567890123456.5"), "finite, of up to 15 digits"),
        ("a\0", "null character"),
        ("\ud800", "not valid Unicode"),
        (datetime(2026, 1, 1), "no time zone"),  # noqa: DTZ001
        (time(1, 2, tzinfo=UTC), "time zone"),
        (timedelta(days=10**9 - 1), "out of bounds"),
        ([1], "what kind of value it is, is not said"),
        ({"a": 1}, "what kind of value it is, is not said"),
    ],
)
def test_a_constant_that_databases_take_differently_is_refused_before_they_see_it(
    m: Any, scope: Any, value: Any, told: str
) -> None:
    """PostgreSQL gave NaN, SQLite NULL, MariaDB an error; or the one more digits than the other."""
    with pytest.raises(FieldError, match=rf"Value\(.*{told}"):
        list(m.Everything.objects.annotate(found=Value(value)))


def test_a_value_that_a_field_refuses_in_update_is_told_with_the_field(m: Any, scope: Any) -> None:
    row = m.Everything.objects.create(float=1.5)
    with pytest.raises(ValidationError, match=r"Everything\.float: nan is not a finite number"):
        m.Everything.objects.update(float=float("nan"))
    row.refresh_from_db()
    assert row.float == 1.5


def test_what_is_given_an_output_field_is_of_its_kind_in_all_that_follows(m: Any, scope: Any) -> None:
    ones = {"integer": 3, "decimal": Decimal("2.50"), "float": 1.75, "date": date(2026, 3, 1), "json": {"a": 7}}
    m.Everything.objects.create(**ones, duration=timedelta(hours=1))
    whole, real, text = IntegerField(), FloatField(), CharField(max_length=9)
    tenths = DecimalField(max_digits=9, decimal_places=1)
    price, own = F("decimal"), m.Everything.objects.filter(pk=OuterRef("pk"))
    for expression, wanted in [
        (ExpressionWrapper(price, real) + 1, "3.5"),
        (Coalesce("decimal", 0, output_field=real) * 2, "5.0"),
        (Case(When(integer=3, then=price), default="float", output_field=real) * 2, "5.0"),
        (Subquery(own.values("decimal"), output_field=real) + 1, "3.5"),
        (Window(Sum("decimal", output_field=real), partition_by="integer") - 1, "1.5"),
        (ExpressionWrapper(price, whole) * 2, "4"),
        (ExpressionWrapper(F("integer"), DecimalField()) + 1, "Decimal('4')"),
        (ExpressionWrapper(F("integer"), tenths) / 2, "Decimal('1.5')"),
        (Cast("integer", tenths) / 2, "Decimal('1.5')"),
        (ExpressionWrapper(Value(Decimal("1.25")), tenths) * 2, "Decimal('2.6')"),
        (Round(Cast("float", tenths), 0), "Decimal('2')"),
        (Concat(ExpressionWrapper(F("integer"), text), Value("!")), "'3!'"),
        (ExpressionWrapper(F("json__a"), whole) + 1, "8"),
        (ExpressionWrapper(F("date"), DateTimeField()), repr(datetime(2026, 3, 1, tzinfo=UTC))),
    ]:
        assert repr(m.Everything.objects.annotate(x=expression).get().x) == wanted, expression
    totals = m.Everything.objects.aggregate(x=Max("decimal", output_field=real) - Avg("integer", output_field=real))
    assert repr(totals) == "{'x': -0.5}"
    assert m.Everything.objects.annotate(x=ExpressionWrapper(F("float"), whole)).filter(x=1).exists()
    with pytest.raises(
        FieldError, match="by output_field from timedelta to int does not mean the same on every database"
    ):
        m.Everything.objects.annotate(x=ExpressionWrapper(F("duration"), whole)).get()
    with pytest.raises(FieldError, match="for JSON from timedelta to str does not mean the same"):
        m.Everything.objects.annotate(x=JSONArray("duration")).get()
