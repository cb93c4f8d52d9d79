"""Counts and totals: over all rows, over groups, over the partners of each row."""

from __future__ import annotations

import statistics
from decimal import Decimal
from typing import Any

import pytest

from toolkit.errors import FieldError
from toolkit.models import (
    Aggregate,
    Avg,
    Case,
    Count,
    DecimalField,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Max,
    Min,
    Q,
    StdDev,
    Sum,
    Value,
    Variance,
    When,
    Window,
)
from toolkit.models.functions import Coalesce, RowNumber, Upper
from toolkit.trace import READER, entered


def test_totals_over_all_rows(m: Any, newsroom: Any) -> None:
    found = m.Story.objects.aggregate(
        Count("pk"), Min("weight"), Max("published"), total=Sum("weight"), mean=Avg("weight")
    )
    assert found == {
        "pk__count": 20,
        "weight__min": 0,
        "published__max": newsroom.stories[0].published,
        "total": 40,
        "mean": 2.0,
    }
    assert [type(found[name]) for name in ("total", "mean")] == [int, float]


def test_totals_of_no_rows_are_zero_or_none(m: Any, scope: Any) -> None:
    found = m.Story.objects.aggregate(n=Count("pk"), total=Sum("weight"), mean=Avg("weight"), last=Max("published"))
    assert found == {"n": 0, "total": None, "mean": None, "last": None}


def test_totals_of_no_rows_are_what_one_says(m: Any, newsroom: Any) -> None:
    latest = newsroom.stories[0].published
    found = m.Everything.objects.aggregate(
        total=Sum("integer", default=0), mean=Avg("integer", default=0), last=Max("instant", default=latest),
        word=Min("char", default="-"), price=Sum("decimal", default=0), spread=StdDev("float", default=1),
    )  # fmt: skip
    assert found == {"total": 0, "mean": 0.0, "last": latest, "word": "-", "price": Decimal("0"), "spread": 1.0}
    sections = m.Section.objects.annotate(heavy=Sum("stories__weight", filter=Q(stories__weight__gt=9), default=-1))
    assert {section.heavy for section in sections} == {-1}
    groups = (
        m.Story.objects.values("status").annotate(n=Sum("weight", filter=Q(weight__gt=9), default=7)).order_by("status")
    )
    assert [row["n"] for row in groups] == [7, 7]
    assert m.Story.objects.aggregate(total=Sum("weight", default=5)) == {"total": 40}
    with pytest.raises(FieldError, match=r"Count\(default=0\)"):
        Count("pk", default=0)
    with pytest.raises(FieldError, match="plain value"):
        Sum("weight", default=F("weight"))


def test_how_far_numbers_lie_apart(m: Any, newsroom: Any) -> None:
    weights = [story.weight for story in newsroom.stories]
    found = m.Story.objects.aggregate(
        StdDev("weight"), Variance("weight"), s=StdDev("weight", sample=True), v=Variance("weight", sample=True),
        few=Variance("weight", filter=Q(weight__lt=2)),
    )  # fmt: skip
    assert found == pytest.approx({
        "weight__stddev": statistics.pstdev(weights), "weight__variance": statistics.pvariance(weights),
        "s": statistics.stdev(weights), "v": statistics.variance(weights), "few": 0.25,
    })  # fmt: skip
    one = m.Story.objects.filter(pk=newsroom.stories[0].pk)
    assert one.aggregate(p=StdDev("weight"), s=StdDev("weight", sample=True)) == {"p": 0.0, "s": None}
    sections = m.Section.objects.annotate(spread=Variance("stories__weight")).order_by("pk")
    assert [section.spread for section in sections] == pytest.approx(
        [statistics.pvariance(weights[n::3]) for n in range(3)]
    )
    with pytest.raises(FieldError, match=r"StdDev\(\) takes numbers, not str"):
        m.Story.objects.aggregate(StdDev("slug"))


def test_totals_keep_the_kind_of_their_field(m: Any, scope: Any) -> None:
    for value in ("0.10", "0.20"):
        m.Everything.objects.create(decimal=value)
    assert m.Everything.objects.aggregate(total=Sum("decimal")) == {"total": Decimal("0.30")}


def test_totals_over_many_valued_relations_do_not_multiply_each_other(m: Any, newsroom: Any) -> None:
    found = m.Story.objects.aggregate(
        tags=Count("tags"), authors=Count("authors"), stories=Count("pk"), total=Sum("weight")
    )
    assert found == {"tags": 40, "authors": 20, "stories": 20, "total": 40}
    assert m.Story.objects.aggregate(n=Count("tags", distinct=True)) == {"n": 5}
    assert m.Story.objects.filter(tags__slug="tag-1").aggregate(n=Count("tags")) == {"n": 16}


def test_totals_with_a_filter_of_their_own(m: Any, newsroom: Any) -> None:
    found = m.Story.objects.aggregate(
        live=Count("pk", filter=Q(status="live")), heavy=Count("pk", filter=Q(weight__gt=2))
    )
    assert found == {"live": 19, "heavy": 8}


def test_each_row_counts_its_partners(m: Any, newsroom: Any) -> None:
    sections = m.Section.objects.annotate(Count("stories"), tags=Count("stories__tags"), last=Max("stories__published"))
    assert [(s.stories__count, s.tags) for s in sections] == [(7, 14), (7, 14), (6, 12)]
    assert sections[0].last == newsroom.stories[0].published
    authors = m.Author.objects.annotate(n=Count("stories"), live=Count("stories", filter=Q(stories__status="live")))
    assert [(a.n, a.live) for a in authors] == [(5, 5), (5, 5), (5, 5), (5, 4)]
    tags = m.Tag.objects.annotate(n=Count("stories"), authors=Count("stories__authors", distinct=True))
    assert {(t.n, t.authors) for t in tags} == {(8, 4)}


def test_the_filter_of_a_count_may_speak_of_the_partner_and_of_the_row_itself(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(n=Count("tags", filter=Q(weight=1) & Q(tags__slug__gt=F("slug"))))
    assert {story.n for story in stories} == {0, 2}
    assert {story.weight for story in stories if story.n} == {1}
    early = m.Section.objects.annotate(n=Count("stories", filter=Q(stories__weight__gt=F("position"))))
    expected = [sum(s.section_id == e.pk and s.weight > e.position for s in newsroom.stories) for e in early]
    assert [section.n for section in early] == expected


def test_rows_without_partners_count_none(m: Any, scope: Any) -> None:
    m.Section.objects.create(name="Empty", slug="empty")
    section = m.Section.objects.annotate(n=Count("stories"), total=Sum("stories__weight")).get()
    assert (section.n, section.total) == (0, None)


def test_annotations_can_be_filtered_ordered_and_read_as_values(m: Any, newsroom: Any) -> None:
    sections = m.Section.objects.annotate(n=Count("stories"))
    assert [s.slug for s in sections.filter(n__gt=6).order_by("-n", "slug")] == ["section-0", "section-1"]
    assert next(iter(sections.order_by("n").values_list("slug", "n"))) == ("section-2", 6)
    assert sections.filter(n=6).count() == 1
    assert m.Section.objects.annotate(Count("stories")).filter(stories__count__lt=7).get().slug == "section-2"
    assert sections.aggregate(most=Max("n")) == {"most": 7}


def test_annotations_compute(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.annotate(double=F("weight") * 2, less=10 - F("weight"), one=Value(1)).get(slug="story-3")
    assert (story.double, story.less, story.one) == (6, 7, 1)


def test_values_before_an_aggregate_are_groups(m: Any, newsroom: Any) -> None:
    groups = m.Story.objects.values("section__slug").annotate(n=Count("pk"), total=Sum("weight"))
    assert list(groups) == [
        {"section__slug": "section-0", "n": 7, "total": 13},
        {"section__slug": "section-1", "n": 7, "total": 15},
        {"section__slug": "section-2", "n": 6, "total": 12},
    ]
    assert groups.count() == 3
    assert list(groups.order_by("-total", "section__slug").values_list("total", flat=True))[:1] == [15]
    assert [row["section__slug"] for row in groups.filter(n__lt=7)] == ["section-2"]
    assert [row["n"] for row in groups.filter(weight__gt=2)] == [3, 3, 2]
    assert list(m.Story.objects.values_list("weight").annotate(n=Count("pk"))[:2]) == [(0, 4), (1, 4)]


def test_groups_over_a_many_valued_relation_count_within_it(m: Any, newsroom: Any) -> None:
    groups = m.Story.objects.values("tags__slug")
    groups = groups.annotate(n=Count("pk", distinct=True), people=Count("authors", distinct=True))
    assert next(iter(groups)) == {"tags__slug": "tag-0", "n": 8, "people": 4}


def test_groups_whose_counts_would_multiply_are_refused(m: Any, newsroom: Any) -> None:
    groups = m.Section.objects.values("slug")
    with pytest.raises(
        FieldError, match=r"'n' would be multiplied by the other aggregates' rows\. Give it distinct=True"
    ):
        list(groups.annotate(n=Count("pk"), stories=Count("stories")))
    counted = groups.annotate(n=Count("pk", distinct=True), stories=Count("stories"), last=Max("stories__published"))
    assert [(row["n"], row["stories"]) for row in counted] == [(1, 7), (1, 7), (1, 6)]


def test_counts_leave_out_what_a_reader_may_not_see(m: Any, newsroom: Any) -> None:
    with entered(m.look(newsroom.database, READER)):
        sections = m.Section.objects.annotate(n=Count("stories"))
        assert [section.n for section in sections] == [6, 5]
        assert m.Tag.objects.aggregate(n=Count("stories")) == {"n": 32}
        assert m.Story.objects.aggregate(n=Count("pk")) == {"n": 16}


def test_totals_over_slices_groups_and_distinct_values(m: Any, newsroom: Any) -> None:
    stories, weights = m.Story.objects, [story.weight for story in newsroom.stories]
    assert stories.order_by("-weight")[:3].aggregate(Sum("weight"), Count("tags")) == {
        "weight__sum": 12,
        "tags__count": 6,
    }
    assert stories.values("weight").distinct().aggregate(n=Count("*"), t=Sum("weight")) == {"n": 5, "t": 10}
    assert stories.order_by("-weight").values("weight").distinct()[:2].aggregate(Sum("weight")) == {"weight__sum": 7}
    groups = stories.values("section").annotate(n=Count("pk"), t=Sum("weight"))
    assert groups.aggregate(Max("n"), Min("n"), mean=Avg("t"), n=Count("*")) == {
        "n__max": 7, "n__min": 6, "mean": pytest.approx(sum(weights) / 3), "n": 3,
    }  # fmt: skip
    assert groups.order_by("-n", "-t")[:1].aggregate(t=Sum("t")) == {"t": 15}
    assert groups.filter(n=7).aggregate(t=Sum("t"), few=Count("n", filter=Q(t__lt=14))) == {"t": 28, "few": 1}
    assert stories.values("tags__slug")[:3].aggregate(n=Count("tags__slug")) == {"n": 3}
    assert stories.distinct("weight").aggregate(n=Count("pk"), t=Sum("weight")) == {"n": 5, "t": 10}
    with pytest.raises(FieldError, match="'weight' is not among the values that are given"):
        groups.aggregate(Sum("weight"))


def test_totals_of_what_several_fields_give(m: Any, newsroom: Any) -> None:
    stories = newsroom.stories
    found = m.Story.objects.aggregate(
        doubled=Sum(F("weight") * 2),
        shares=Sum(F("weight") * F("section__position")),
        heavy=Sum(Case(When(weight__gt=2, then=Value(1)), default=Value(0))),
        ratio=Sum("weight") / Count("pk"),
    )
    assert found == {
        "doubled": 80,
        "shares": sum(story.weight * (n % 3) for n, story in enumerate(stories)),
        "heavy": 8,
        "ratio": 2.0,
    }


def test_partners_are_added_up_by_what_several_of_their_fields_give(m: Any, newsroom: Any) -> None:
    for story in newsroom.stories[:2]:
        for score in (1, 2, 2, None):
            m.Comment.objects.create(story=story, text="x" * (score or 1), score=score)
    stories = m.Story.objects.annotate(
        squares=Sum(F("comments__score") * F("comments__score")),
        weighed=Sum(F("comments__score") * F("weight"), default=0),
        long=Count("comments", filter=Q(comments__score=F("weight") + 1)),
        once=Count(F("comments__score"), distinct=True),
        both=Sum("comments__score") + Count("tags"),
    ).order_by("pk")
    found = [(s.squares, s.weighed, s.long, s.once, s.both) for s in stories[:3]]
    assert found == [(9, 0, 1, 2, 7), (9, 5, 2, 2, 7), (None, 0, 0, 0, None)]
    sections = m.Section.objects.annotate(t=Sum(F("stories__weight") * F("stories__comments__score"))).order_by("pk")
    assert [section.t for section in sections] == [0, 5, None]


def test_the_filter_of_an_aggregate_does_not_multiply(m: Any, newsroom: Any) -> None:
    """Each story has two tags: a condition that both meet still counts the story once."""
    tagged = Q(tags__slug__in=["tag-0", "tag-1"])
    expected = sum(n % 5 in (4, 0, 1) for n in range(20))
    assert m.Story.objects.aggregate(n=Count("pk", filter=tagged)) == {"n": expected}
    assert m.Story.objects.aggregate(n=Count("tags", filter=tagged)) == {"n": 16}
    weight = sum(story.weight for n, story in enumerate(newsroom.stories) if n % 5 in (4, 0, 1))
    groups = m.Story.objects.values("status").annotate(n=Count("pk", filter=tagged), t=Sum("weight", filter=tagged))
    assert sum(row["n"] for row in groups) == expected
    assert sum(row["t"] or 0 for row in groups) == weight
    of_partners = Q(stories__tags__slug__in=["tag-0", "tag-1"])
    sections = m.Section.objects.annotate(n=Count("stories", filter=of_partners))
    assert sum(section.n for section in sections) == expected


def test_conditions_on_groups_and_on_rows_go_their_own_ways(m: Any, newsroom: Any) -> None:
    groups = m.Story.objects.values("section__slug").annotate(
        n=Count("pk"), t=Sum("weight"), mean=F("t") * 1.0 / F("n")
    )
    assert [row["section__slug"] for row in groups.filter(n__gt=2, weight__gt=2)] == ["section-0", "section-1"]
    assert [row["section__slug"] for row in groups.filter(Q(n=6) | Q(section__slug="section-0"))] == [
        "section-0",
        "section-2",
    ]
    assert [row["section__slug"] for row in groups.exclude(n__lt=7)] == ["section-0", "section-1"]
    assert [row["section__slug"] for row in groups.filter(t__gt=F("n") * 2)] == ["section-1"]
    assert [row["mean"] for row in groups.filter(mean__lt=2)] == pytest.approx([13 / 7])
    assert [row["n"] for row in groups.order_by(Count("pk").desc(), "section__slug")] == [7, 7, 6]
    with pytest.raises(FieldError, match="a condition on groups speaks of 'weight', which is not among the groups"):
        list(groups.filter(Q(n=6) | Q(weight=1)))


def test_groups_are_made_by_aggregates_inside_of_other_expressions(m: Any, newsroom: Any) -> None:
    groups = m.Story.objects.values("section").annotate(
        double=Sum("weight") * 2, none=Coalesce(Max("expires"), "section__pk")
    )
    with pytest.raises(FieldError, match="'none' speaks of 'section__pk', which is not among the groups"):
        list(groups)
    groups = m.Story.objects.values("section").annotate(double=Sum("weight") * 2)
    assert [row["double"] for row in groups] == [26, 30, 24]
    assert groups.filter(double__gt=24).count() == 2


def test_an_aggregate_of_your_own(m: Any, newsroom: Any) -> None:
    """One that names a function of the database, and one that says how its SQL is made."""

    class Least(Aggregate):
        function = "min"

    class Span(Aggregate):
        @classmethod
        def build(cls, place: Any, column: Any) -> Any:
            import sqlalchemy as sa

            return place.call(sa.func.max(column)) - place.call(sa.func.min(column)), place.field

    assert m.Story.objects.aggregate(Least("weight"), s=Span("weight", filter=Q(weight__gt=1))) == {
        "weight__least": 0,
        "s": 2,
    }
    assert [section.span for section in m.Section.objects.annotate(span=Span("stories__weight"))] == [4, 4, 4]
    running = m.Story.objects.annotate(span=Window(Span("weight"), order_by="-published")).order_by("-published")
    assert [story.span for story in running[:6]] == [0, 1, 2, 3, 4, 4]


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (Count("section"), "is over one row"),
        (Count("*"), r"an aggregate of '\*' in annotate\(\) is over one row"),
        (Sum(F("tags__pk") * F("comments__score")), "follows two relations to many"),
        (Sum(Sum("comments__score")), r"Sum\(\) of what is an aggregate itself"),
        (Count("tagz"), "no field 'tagz'"),
    ],
)
def test_aggregates_that_make_no_sense_are_refused(m: Any, newsroom: Any, annotation: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        list(m.Story.objects.annotate(n=annotation))


def grouped(stories: Any, **annotations: Any) -> Any:
    return stories.values("status").annotate(**annotations)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda stories: grouped(stories, n=Count("pk")).filter(n=1).update(weight=1), r"update\(\) of groups"),
        (lambda stories: grouped(stories, n=Count("pk")).filter(n=1).delete(), r"delete\(\) cannot follow values"),
        (lambda stories: stories.aggregate(x=F("weight")), "is no total: 'weight' is of single rows"),
        (lambda stories: stories.aggregate(x=Sum("weight") + F("weight")), "is no total: 'weight' is of single rows"),
        (lambda stories: stories.aggregate(x=Value(1)), "aggregate.x=.... is no total"),
        (lambda stories: stories.aggregate(x=1), r"aggregate\(1\): that is no aggregate"),
        (lambda stories: stories.aggregate(Sum(F("weight"))), r"needs a name\. Write aggregate\(name="),
        (lambda stories: stories.aggregate(x=Sum(Max("weight"))), "what is an aggregate itself. Aggregate the groups"),
        (lambda stories: stories.aggregate(x=Sum(F("tags__pk") * F("comments__score"))), "two relations to many"),
        (lambda stories: grouped(stories, n=Count("pk")).annotate(m=Max("n")).count(), "Aggregate the groups"),
        (lambda stories: grouped(stories, n=Count("pk") + F("weight")).count(), "'n' speaks of 'weight'"),
    ],
)  # fmt: skip
def test_totals_that_make_no_sense_are_refused(m: Any, newsroom: Any, ask: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        ask(m.Story.objects)


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda groups: groups.order_by("size").values_list("n", flat=True), [12, 8]),
        (lambda groups: groups.order_by(F("size").desc(nulls_last=True)).values_list("n"), [(8,), (12,)]),
        (lambda groups: groups.values_list("n", flat=True), [12, 8]),
        (
            lambda groups: groups.annotate(loud=Upper("size")).order_by("size").values_list("loud"),
            [("BIG",), ("SMALL",)],
        ),
        (lambda groups: groups.filter(Q(size="big") | Q(n__lt=9)).order_by("size").values_list("n"), [(12,), (8,)]),
        (lambda groups: groups.filter(~Q(size="big") | Q(n__gt=99)).values_list("n", flat=True), [8]),
        (lambda groups: groups.exclude(size="big").values_list("n", flat=True), [8]),
        (lambda groups: groups.filter(Q(size="big") | Q(n=8)).count(), 2),
        (lambda groups: groups.order_by("-size").values_list("n", flat=True)[:1], [8]),
        (lambda groups: groups.filter(Q(size="small") | Q(n__gt=99)).exists(), True),
    ],
)
def test_groups_of_what_is_computed_are_ordered_filtered_and_given(
    m: Any, newsroom: Any, ask: Any, expected: Any
) -> None:
    """PostgreSQL takes an expression with parameters for another one, and MariaDB knows it in HAVING by name alone."""
    size = Case(When(weight__gt=1, then=Value("big")), default=Value("small"))
    found = ask(m.Story.objects.values(size=size).annotate(n=Count("pk")))
    assert (found if isinstance(found, int) else list(found)) == expected


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda groups: groups.values("pk"), r"values\(\) speaks of 'pk', which is not among the groups"),
        (lambda groups: groups.values_list("weight", "n"), r"values\(\) speaks of 'weight'"),
        (lambda groups: groups.values("status", "place"), r"values\(\) speaks of 'place'"),
        (lambda groups: groups.filter(Q(place=1) | Q(n=2)), "a condition on groups speaks of 'place'"),
        (lambda groups: groups.filter(Q(loud="X") | Q(n=2)), "a condition on groups speaks of 'loud'"),
        (lambda groups: groups.order_by("place"), "groups cannot be ordered by 'place'"),
    ],
)
def test_groups_have_nothing_of_single_rows(m: Any, newsroom: Any, ask: Any, told: str) -> None:
    stories = m.Story.objects.annotate(place=Window(RowNumber(), order_by="pk"), loud=Upper("slug"))
    with pytest.raises(FieldError, match=told):
        list(ask(grouped(stories, n=Count("pk"))))
    assert grouped(stories, n=Count("pk")).values().first() == {"status": "draft", "n": 1}


def test_totals_of_nothing_are_nothing(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.aggregate() == m.Story.objects.none().aggregate() == {}
    stories, empty = m.Story.objects, m.Story.objects.filter(Q(pk__in=[]) & Q(weight=1))
    assert (stories.exclude(pk__in=[]).count(), stories.filter(Q(pk__in=[]) | Q(weight=0)).count()) == (20, 4)
    assert set(empty.union(stories.all())) == set(empty | stories.all()) == set(stories.all())
    with newsroom.database.counted() as queries:
        for nothing in (empty, stories.none()):
            totals = nothing.aggregate(n=Count("pk"), weight=Sum("weight"))
            assert (totals, nothing.update(weight=9), m.Tag.objects.filter(pk__in=[]).delete(), nothing.count()) == (
                {"n": 0, "weight": None},
                0,
                {},
                0,
            )
            with pytest.raises(FieldError, match="Story has no field 'wieght'"):
                nothing.aggregate(Sum("wieght"))
    assert queries == []
    assert empty.aggregate(n=Sum("weight", default=7)) == {"n": 7}


def test_an_aggregate_is_read_by_the_field_that_was_given(m: Any, newsroom: Any) -> None:
    found = m.Story.objects.aggregate(
        share=Sum(F("weight") * Value(1.5), output_field=DecimalField()),
        cents=Avg("weight", output_field=DecimalField(max_digits=8, decimal_places=2)),
        exact=Sum("weight", output_field=FloatField()),
        spread=StdDev("weight", output_field=FloatField()),
    )
    assert repr(found) == (
        "{'share': Decimal('60'), 'cents': Decimal('2.00'), 'exact': 40.0, 'spread': 1.4142135623730951}"
    )
    whole = m.Section.objects.annotate(n=Sum("stories__weight", output_field=IntegerField()) + 1)
    assert [repr(section.n) for section in whole.order_by("pk")] == ["14", "16", "13"]
    running = Window(Sum("weight", output_field=IntegerField()), order_by="pk")
    assert repr(m.Story.objects.annotate(n=running).order_by("pk")[4].n) == "10"
    halves = ExpressionWrapper(F("weight") / 2, IntegerField())
    assert [repr(story.n) for story in m.Story.objects.annotate(n=halves).order_by("pk")[3:5]] == ["1", "2"]


def test_a_total_of_groups_may_be_called_like_a_field_that_is_not_given(m: Any, newsroom: Any) -> None:
    groups = m.Story.objects.values("status").annotate(weight=Sum("weight"))
    assert list(groups.order_by("-weight").values_list("status", "weight")) == [("live", 38), ("draft", 2)]
    assert groups.filter(weight__gt=2).get() == {"status": "live", "weight": 38}
    assert groups.aggregate(Max("weight")) == {"weight__max": 38}
    assert groups.annotate(twice=F("weight") * 2).order_by("twice")[0]["twice"] == 4
    for hiding in (
        lambda: m.Story.objects.annotate(weight=Sum("tags__pk")),
        lambda: m.Story.objects.values("status", "weight").annotate(weight=Sum("weight")),
    ):
        with pytest.raises(FieldError, match=r"the annotation 'weight' would hide the field Story\.weight"):
            list(hiding())
