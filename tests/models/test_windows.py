"""Windows: what a row shows of those around it, the same on every database, and worked out in Python here."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from toolkit.errors import FieldError
from toolkit.models import (
    Avg,
    Case,
    Count,
    Exists,
    F,
    JSONArrayAgg,
    Max,
    Min,
    OuterRef,
    Prefetch,
    Q,
    RowRange,
    StdDev,
    StringAgg,
    Subquery,
    Sum,
    Value,
    ValueRange,
    When,
    Window,
    WindowFrameExclusion,
)
from toolkit.models.functions import (
    CumeDist,
    DenseRank,
    FirstValue,
    Lag,
    LastValue,
    Lead,
    Length,
    NthValue,
    Ntile,
    PercentRank,
    Rank,
    RowNumber,
)
from toolkit.trace import READER, entered


def by_weight(newsroom: Any) -> list[Any]:
    """All stories, the heaviest first."""
    return sorted(newsroom.stories, key=lambda story: (-story.weight, story.pk))


def heaviest(m: Any, count: int = 2) -> Any:
    """The heaviest stories of each section."""
    rank = Window(RowNumber(), partition_by="section", order_by="-weight")
    return m.Story.objects.annotate(rank=rank).filter(rank__lte=count)


def expected_heaviest(newsroom: Any, count: int = 2) -> list[int]:
    found: dict[int, list[int]] = {}
    for story in by_weight(newsroom):
        found.setdefault(story.section_id, []).append(story.pk)
    return [key for keys in found.values() for key in keys[:count]]


def test_a_row_knows_its_place(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(
        number=Window(RowNumber(), order_by="-weight"),
        rank=Window(Rank(), order_by="-weight"),
        dense=Window(DenseRank(), order_by=F("weight").desc()),
        share=Window(PercentRank(), order_by="-weight"),
        before=Window(CumeDist(), order_by="-weight"),
        quarter=Window(Ntile(4), order_by="-weight"),
    ).order_by("number")
    expected = by_weight(newsroom)
    assert [story.pk for story in stories] == [story.pk for story in expected]
    assert [story.number for story in stories] == list(range(1, 21))
    assert [story.rank for story in stories] == [n - n % 4 + 1 for n in range(20)]
    assert [story.dense for story in stories] == [n // 4 + 1 for n in range(20)]
    assert [story.share for story in stories] == pytest.approx([(n - n % 4) / 19 for n in range(20)])
    assert [story.before for story in stories] == pytest.approx([(n - n % 4 + 4) / 20 for n in range(20)])
    assert [story.quarter for story in stories] == [n // 5 + 1 for n in range(20)]


def test_a_row_sees_its_neighbours(m: Any, newsroom: Any) -> None:
    order = {"partition_by": "section", "order_by": ["-weight"]}
    stories = m.Story.objects.annotate(
        before=Window(Lag("slug"), **order),
        behind=Window(Lead("slug", 2, "nobody"), **order),
        first=Window(FirstValue("slug"), **order),
        last=Window(LastValue("slug"), frame=RowRange(), **order),
        here=Window(LastValue("slug"), **order),
        third=Window(NthValue("slug", 3), frame=RowRange(), **order),
        editor_before=Window(Lag("editor", default=0), **order),
    )
    found = {story.pk: story for story in stories}
    for section in newsroom.sections:
        row = [story for story in by_weight(newsroom) if story.section_id == section.pk]
        slugs = [story.slug for story in row]
        for place, story in enumerate(row):
            seen = found[story.pk]
            assert seen.before == (slugs[place - 1] if place else None)
            assert seen.behind == (slugs[place + 2] if place + 2 < len(slugs) else "nobody")
            assert (seen.first, seen.last, seen.here, seen.third) == (slugs[0], slugs[-1], story.slug, slugs[2])
            assert seen.editor_before == (row[place - 1].editor_id if place else 0)


def test_aggregates_look_at_windows(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(
        total=Window(Sum("weight"), partition_by="section"),
        running=Window(Sum("weight"), partition_by="section", order_by="weight"),
        near=Window(Avg("weight"), order_by="-published", frame=RowRange(start=-1, end=1)),
        most=Window(Max("published"), partition_by=[F("section"), "status"]),
        spread=Window(StdDev("weight"), partition_by="section"),
        heavy=Window(Count("*", filter=Q(weight__gt=2)), partition_by="section__slug"),
        none=Window(Sum("weight", filter=Q(weight__gt=9), default=-1)),
    ).order_by("-published")
    rows = newsroom.stories
    for place, (story, plain) in enumerate(zip(stories, rows, strict=True)):
        section = [each for each in rows if each.section_id == plain.section_id]
        around = [each.weight for each in rows[max(0, place - 1) : place + 2]]
        assert story.total == sum(each.weight for each in section)
        assert story.running == sum(each.weight for each in section if each.weight <= plain.weight)
        assert story.near == pytest.approx(sum(around) / len(around))
        assert story.most == max(each.published for each in section if each.status == plain.status)
        assert story.heavy == sum(each.weight > 2 for each in section)
        assert story.none == -1
    assert {type(story.total) for story in stories} == {int}
    assert {type(story.near) for story in stories} == {float}


def test_a_frame_may_be_measured_by_values(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(
        near=Window(Count("*"), order_by="weight", frame=ValueRange(start=-1, end=1)),
        up_to=Window(Count("*"), order_by="weight", frame=ValueRange(end=0)),
        behind=Window(Count("*"), order_by="weight", frame=RowRange(start=1, end=3)),
    )
    weights = [story.weight for story in newsroom.stories]
    for story in stories:
        assert story.near == sum(abs(weight - story.weight) <= 1 for weight in weights)
        assert story.up_to == sum(weight <= story.weight for weight in weights)
    assert sorted(story.behind for story in stories) == [0, 1, 2, *[3] * 17]


def test_a_frame_may_leave_rows_out(m: Any, newsroom: Any) -> None:
    def others(exclusion: WindowFrameExclusion) -> Any:
        frame = RowRange(exclusion=exclusion)
        return m.Story.objects.annotate(n=Window(Count("*"), partition_by="section", order_by="weight", frame=frame))

    if newsroom.database.dialect == "mysql":
        with pytest.raises(FieldError, match="MariaDB has no frames that leave rows out"):
            list(others(WindowFrameExclusion.CURRENT_ROW))
        return
    sizes = {section.pk: section.stories.count() for section in newsroom.sections}
    assert all(story.n == sizes[story.section_id] - 1 for story in others(WindowFrameExclusion.CURRENT_ROW))
    assert all(story.n == sizes[story.section_id] for story in others(WindowFrameExclusion.NO_OTHERS))


def test_values_keep_the_kind_of_their_field(m: Any, scope: Any) -> None:
    for price in ("0.10", "0.20", "0.30"):
        m.Everything.objects.create(decimal=Decimal(price), instant=m.NOON, boolean=price > "0.15")
    rows = m.Everything.objects.annotate(
        total=Window(Sum("decimal"), order_by="id", frame=RowRange(end=0)),
        before=Window(Lag("decimal", default=Decimal("9.5")), order_by="id"),
        mean=Window(Avg("decimal"), order_by="id", frame=RowRange(end=0)),
        instant_before=Window(Lag("instant", default=m.NOON), order_by="id"),
        truth=Window(FirstValue("boolean"), order_by="-id"),
    ).order_by("id")
    assert [str(row.total) for row in rows] == ["0.10", "0.30", "0.60"]
    assert [row.before for row in rows] == [Decimal("9.5"), Decimal("0.1"), Decimal("0.2")]
    assert [row.mean for row in rows] == [Decimal("0.1"), Decimal("0.15"), Decimal("0.2")]
    assert {row.instant_before for row in rows} == {m.NOON}
    assert {row.truth for row in rows} == {True}
    assert rows.filter(total__gt=Decimal("0.25")).count() == 2


def test_windows_compute_with_others(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(
        share=F("weight") * 100 / Window(Sum("weight")),
        is_first=Case(When(Q(pk__gt=0), then=Window(RowNumber(), order_by="-weight")), default=Value(0)),
        long=Window(Rank(), order_by=Length("slug").desc()),
        popular=Window(Rank(), order_by=Count("tags").desc()),
    )
    assert sum(story.share for story in stories) == pytest.approx(100)
    assert {story.popular for story in stories} == {1}
    assert min(story.long for story in stories) == 1


# totals and groups


def test_totals_over_what_windows_give(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(rank=Window(RowNumber(), partition_by="section", order_by="-weight"))
    assert stories.aggregate(Max("rank")) == {"rank__max": 7}
    assert stories.filter(rank__lte=2).aggregate(Count("pk"), Max("rank"), t=Count("tags")) == {
        "pk__count": 6,
        "rank__max": 2,
        "t": 12,
    }
    assert stories.order_by("rank")[:4].aggregate(m=Max("rank")) == {"m": 2}
    groups = stories.values("rank").annotate(n=Count("pk"), most=Max("weight"))
    assert [(row["rank"], row["n"]) for row in groups.order_by("rank")] == [*((n, 3) for n in range(1, 7)), (7, 2)]
    sections = heaviest(m).values("section").annotate(n=Count("pk"), least=Min("rank"))
    assert [(row["n"], row["least"]) for row in sections] == [(2, 1)] * 3


def test_windows_look_at_groups(m: Any, newsroom: Any) -> None:
    sections = (
        m.Story.objects.values("section__slug")
        .annotate(total=Sum("weight"))
        .annotate(
            rank=Window(Rank(), order_by="-total"),
            share=F("total") * 1.0 / Window(Sum("total")),
            by_count=Window(RowNumber(), order_by=Count("pk").desc()),
        )
        .order_by("rank")
    )
    assert [(row["section__slug"], row["rank"], row["by_count"]) for row in sections] == [
        ("section-1", 1, 2),
        ("section-0", 2, 1),
        ("section-2", 3, 3),
    ]
    assert sum(row["share"] for row in sections) == pytest.approx(1)
    assert [row["section__slug"] for row in sections.filter(rank__gt=1, total__gt=12)] == ["section-0"]
    assert sections.filter(rank=1).count() == 1
    assert sections.aggregate(Max("rank")) == {"rank__max": 3}


def test_windows_look_at_groups_of_what_is_computed(m: Any, newsroom: Any) -> None:
    size = Case(When(weight__gt=2, then=Value("big")), default=Value("small"))
    sizes = m.Story.objects.annotate(size=size).values("size").annotate(n=Count("pk"))
    ranked = sizes.annotate(rank=Window(RowNumber(), order_by="-n"), all=Window(Sum("n"))).order_by("size")
    assert [tuple(row.values()) for row in ranked] == [("big", 8, 2, 20), ("small", 12, 1, 20)]
    assert [row["size"] for row in ranked.filter(rank=1, n__gt=2)] == ["small"]


def test_pairs_do_not_change_what_windows_see(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(number=Window(RowNumber(), order_by="pk"))
    pairs = stories.values_list("number", "tags__slug").order_by("number")
    assert [number for number, _ in pairs] == [n for n in range(1, 21) for _ in range(2)]
    counted = stories.filter(number__lte=2).values("tags__slug").annotate(n=Count("pk")).order_by("tags__slug")
    assert [(row["tags__slug"], row["n"]) for row in counted] == [("tag-0", 1), ("tag-1", 2), ("tag-2", 1)]


# inside of other questions


def test_a_window_in_a_question_inside(m: Any, newsroom: Any) -> None:
    best = heaviest(m, 1)
    sections = m.Section.objects.annotate(best=Subquery(best.filter(section=OuterRef("pk")).values("slug")))
    if newsroom.database.dialect == "mysql":
        with pytest.raises(FieldError, match="MariaDB knows no condition on a Window in a question that speaks"):
            list(sections)
    else:
        slugs = {story.section_id: story.slug for story in reversed(by_weight(newsroom))}
        assert {section.pk: section.best for section in sections} == slugs
    unfiltered = m.Story.objects.annotate(n=Window(RowNumber(), order_by="-weight")).filter(section=OuterRef("pk"))
    assert [s.n for s in m.Section.objects.annotate(n=Subquery(unfiltered.order_by("n").values("n")))] == [1, 1, 1]
    assert m.Section.objects.filter(Exists(best)).count() == 3
    assert m.Section.objects.filter(stories__in=heaviest(m, 1)).count() == 3


def test_each_owner_has_windows_of_its_own(m: Any, newsroom: Any) -> None:
    ranked = m.Story.objects.annotate(rank=Window(RowNumber(), order_by="-weight"))
    alone = {s.pk: [(x.pk, x.rank) for x in s.stories.annotate(rank=Window(RowNumber(), order_by="-weight"))]
             for s in newsroom.sections}  # fmt: skip
    for question in (ranked, ranked.filter(rank__lte=2), ranked.filter(rank__lte=2)[:1], ranked.order_by("rank")[1:3]):
        sections = m.Section.objects.prefetch_related(Prefetch("stories", question, to_attr="ranked"))
        for section in sections:
            found = {x.pk: x.rank for x in section.ranked}
            assert found.items() <= dict(alone[section.pk]).items()
    tags = m.Tag.objects.prefetch_related(Prefetch("stories", ranked.filter(rank=1), to_attr="best"))
    assert [len(tag.best) for tag in tags] == [1] * 5
    firsts = Prefetch("stories", m.Story.objects.distinct("weight"), to_attr="firsts")
    assert [len(section.firsts) for section in m.Section.objects.prefetch_related(firsts)] == [5, 5, 5]


def test_a_page_is_made_again_when_the_window_moves(m: Any, newsroom: Any) -> None:
    def asked() -> Any:
        with entered(m.look(newsroom.database, traced=True)) as scope:
            assert list(heaviest(m, 1))
            assert scope.trace is not None
            return scope.trace.inputs, scope.trace.shapes

    before, shapes = asked()
    assert asked()[0] == before
    assert ("news_story", "weight") in {pair for shape in shapes.values() for pair in shape.footprint}
    m.Story.objects.filter(pk=by_weight(newsroom)[0].pk).update(weight=-1)
    assert asked()[0] != before


def test_readers_see_windows_over_what_is_public(m: Any, newsroom: Any) -> None:
    number = Window(RowNumber(), order_by="-published")
    with entered(m.look(newsroom.database, READER)):
        stories = m.Story.objects.annotate(
            number=number, n=Window(Count("*")), before=Window(Lag("slug"), order_by="-published")
        )
        assert [story.number for story in stories] == list(range(1, 17))
        assert {story.n for story in stories} == {16}
        assert not {"story-0", "story-1", "story-7", "story-8"} & {story.before for story in stories}
        assert m.Story.objects.annotate(number=number).filter(number=1).get().slug == "story-2"


def test_windows_speak_the_language_of_the_page(m: Any, newsroom: Any) -> None:
    story = newsroom.stories[5]
    story.translations.create(locale="fr", title="AAA", slug="aaa")
    with entered(m.look(newsroom.database, locale="fr")):
        first = m.Story.objects.annotate(n=Window(RowNumber(), order_by="title")).filter(n=1).unrestricted()
        assert first.get().pk == story.pk


# what has no meaning


def stories(m: Any) -> Any:
    return m.Story.objects.annotate(rank=Window(Rank(), order_by="-weight"))


def grouped(m: Any) -> Any:
    return m.Story.objects.values("section").annotate(n=Count("pk"))


def near(m: Any, function: Any, order_by: Any) -> Any:
    return m.Story.objects.annotate(n=Window(function, order_by=order_by, frame=ValueRange(start=-1)))


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda m: Window(F("weight") * 2), "that cannot look at a window. Give it an aggregate"),
        (lambda m: Window(Sum("weight"), frame=(1, 2)), r"frame=\(1, 2\)"),
        (lambda m: Window(Sum("weight"), order_by=[1]), "1 is no name of a field and no expression"),
        (lambda m: RowRange(start=2, end=1), "ends before it begins"),
        (lambda m: RowRange(start="1; DROP"), "begins and ends at a whole number"),
        (lambda m: RowRange(exclusion="TIES"), "WindowFrameExclusion.CURRENT_ROW"),
        (lambda m: Ntile(0), "no whole number from 1 on"),
        (lambda m: Lag("weight", -1), "no whole number from 0 on"),
        (lambda m: Lag("weight", default=F("pk")), "the default is a plain value"),
        (lambda m: m.Story.objects.annotate(n=RowNumber()), "looks at the rows of a window"),
        (lambda m: m.Story.objects.annotate(n=Window(Rank(), order_by="wieght")), "Did you mean 'weight'"),
        (lambda m: m.Story.objects.annotate(n=Window(Rank(), order_by="tags__slug")), "is not a field of one row"),
        (lambda m: m.Story.objects.annotate(n=Window(Count("pk", distinct=True))), "cannot look at a window"),
        (lambda m: m.Story.objects.annotate(n=Window(StringAgg("slug", ","))), "cannot look at a window"),
        (lambda m: m.Story.objects.annotate(n=Window(JSONArrayAgg("slug"))), "cannot look at a window"),
        (lambda m: m.Story.objects.annotate(n=Window(Sum("slug"))), "takes numbers or lengths of time, not str"),
        (lambda m: m.Story.objects.annotate(n=Window(Lag("weight", default="x"), order_by="pk")), "'x' is not a"),
        (lambda m: stories(m).annotate(n=Window(Sum("rank"))), "inside of another window"),
        (lambda m: stories(m).annotate(n=Window(Lag("pk"), order_by="rank")), "inside of another window"),
        (lambda m: m.Story.objects.aggregate(n=Sum(Window(RowNumber()))), r"inside of Sum\(\)"),
        (lambda m: m.Story.objects.aggregate(n=Window(Sum("weight"))), "is no total"),
        (lambda m: stories(m).filter(Exists(m.Tag.objects.filter(pk=OuterRef("rank")))), "a question inside"),
        (lambda m: stories(m).filter(Q(tags__slug="a") & (Q(tags__pk=1) | Q(rank=1))), "a condition on partners"),
        (lambda m: stories(m).filter(rank=1).select_for_update(), "cannot be locked"),
        (lambda m: grouped(m).annotate(r=Window(Rank(), order_by="weight")), "'weight', which is not among the groups"),
        (lambda m: near(m, Sum("weight"), ["pk", "slug"]), "needs an order by one number, not by 2"),
        (lambda m: near(m, FirstValue("slug"), "weight"), "nobody says which of equal rows comes first"),
    ],
)  # fmt: skip
def test_what_no_window_can_tell_is_refused(m: Any, newsroom: Any, ask: Callable[[Any], Any], told: str) -> None:
    if "locked" in told and newsroom.database.dialect == "sqlite":
        pytest.skip("SQLite locks no rows")
    with pytest.raises(FieldError, match=told), newsroom.database.atomic():
        list(ask(m))
