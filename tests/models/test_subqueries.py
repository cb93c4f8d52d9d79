"""Questions inside of questions: they see the row around, bring their visibility along, and are traced."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import FieldError
from toolkit.models import Case, CharField, Count, Exists, F, Max, OuterRef, Q, Subquery, Sum, Value, When
from toolkit.models.functions import Abs
from toolkit.trace import READER, entered


def newest(m: Any) -> Any:
    """The newest story of the section around."""
    return m.Story.objects.filter(section=OuterRef("pk")).order_by("-published")


def test_a_subquery_gives_the_first_value(m: Any, newsroom: Any) -> None:
    sections = m.Section.objects.annotate(newest=Subquery(newest(m).values("slug")[:1]))
    assert [section.newest for section in sections] == ["story-0", "story-1", "story-2"]
    unsliced = m.Section.objects.annotate(newest=Subquery(newest(m).values("slug")), key=Subquery(newest(m)))
    assert [section.newest for section in unsliced] == ["story-0", "story-1", "story-2"]
    assert [section.key for section in unsliced] == [newsroom.stories[n].pk for n in range(3)]
    second = m.Section.objects.annotate(second=Subquery(newest(m).values("slug")[1:2]))
    assert [section.second for section in second] == ["story-3", "story-4", "story-5"]
    assert [s.none for s in m.Section.objects.annotate(none=Subquery(newest(m).values("slug")[:0]))] == [None] * 3


def test_a_subquery_is_read_as_its_column(m: Any, newsroom: Any) -> None:
    sections = m.Section.objects.annotate(last=Subquery(newest(m).values("published")[:1]))
    assert [section.last for section in sections] == [newsroom.stories[n].published for n in range(3)]
    assert sections.filter(last__gt=newsroom.stories[1].published, last__year=2026).get().slug == "section-0"
    named = m.Section.objects.annotate(x=Subquery(newest(m).values("weight")[:1], CharField(max_length=3)))
    assert {str(section.x) for section in named} == {"0", "1", "2"}


def test_a_subquery_stands_where_an_expression_does(m: Any, newsroom: Any) -> None:
    first = Subquery(newest(m).values("weight")[:1])
    assert [s.slug for s in m.Section.objects.order_by(first.desc())] == ["section-2", "section-1", "section-0"]
    assert m.Section.objects.filter(position=first).count() == 3
    assert {s.n for s in m.Section.objects.annotate(n=first + 1)} == {1, 2, 3}
    latest = m.Story.objects.filter(section=OuterRef("section")).order_by("-published").values("pk")[:1]
    assert {s.slug for s in m.Story.objects.filter(pk=Subquery(latest))} == {"story-0", "story-1", "story-2"}
    some = m.Story.objects.filter(weight=4).order_by("pk").values("section")
    assert [s.slug for s in m.Section.objects.filter(pk__in=Subquery(some))] == ["section-0", "section-1", "section-2"]


def test_totals_of_a_group_in_a_subquery(m: Any, newsroom: Any) -> None:
    counted = m.Story.objects.filter(section=OuterRef("pk")).order_by().values("section").annotate(n=Count("pk"))
    sections = m.Section.objects.annotate(n=Subquery(counted.values("n")))
    assert [section.n for section in sections] == [7, 7, 6]
    weights = counted.annotate(total=Sum("weight")).values("total")
    assert [s.total for s in m.Section.objects.annotate(total=Subquery(weights))] == [13, 15, 12]


def test_groups_of_partners_in_a_subquery_are_refused_for_those_of_the_table_between(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.filter(tags=OuterRef("pk")).order_by().values("tags").annotate(n=Count("pk"))
    with pytest.raises(FieldError, match=r"Story in groups by 'tags' has one of each partner of its rows"):
        list(m.Tag.objects.annotate(n=Subquery(stories.values("n"))))
    between = m.Story.tags.through.objects.filter(tag=OuterRef("pk")).values("tag").annotate(n=Count("pk"))
    found = m.Tag.objects.annotate(n=Subquery(between.values("n")), again=Count("stories")).values_list("n", "again")
    assert list(found) == [(8, 8)] * 5


def test_exists(m: Any, newsroom: Any) -> None:
    heavy = m.Story.objects.filter(section=OuterRef("pk"), weight__gt=OuterRef("position") + 2)
    expected = [any(s.weight > section.position + 2 and s.section_id == section.pk for s in newsroom.stories)
                for section in newsroom.sections]  # fmt: skip
    assert [section.heavy for section in m.Section.objects.annotate(heavy=Exists(heavy))] == expected
    inside = {section.slug for section in m.Section.objects.filter(Exists(heavy))}
    outside = {section.slug for section in m.Section.objects.filter(~Exists(heavy))}
    assert len(inside) == sum(expected)
    assert inside | outside == {"section-0", "section-1", "section-2"}
    assert {section.slug for section in m.Section.objects.exclude(Exists(heavy))} == outside
    assert m.Section.objects.filter(Exists(heavy) | Q(slug="section-2"), Exists(newest(m)[5:6])).count() == 3
    assert m.Section.objects.filter(Exists(newest(m)[6:7])).count() == 2
    chosen = Case(When(Exists(heavy), then=Value("heavy")), default=Value("light"))
    assert {s.kind for s in m.Section.objects.annotate(kind=chosen)} <= {"heavy", "light"}


def test_the_question_around_the_question_around(m: Any, newsroom: Any) -> None:
    """Sections in which an author has written of whom no other section's story has the same weight."""
    same = m.Story.objects.filter(weight=OuterRef("weight"), section=OuterRef(OuterRef("pk"))).exclude(
        pk=OuterRef("pk")
    )
    stories = m.Story.objects.filter(Exists(same), section=OuterRef("pk"))
    found = {s.slug for s in m.Section.objects.annotate(x=Exists(stories)).filter(x=True)}
    rows = newsroom.stories
    assert found == {a.section.slug for a in rows for b in rows
                     if a.pk != b.pk and a.weight == b.weight and a.section_id == b.section_id}  # fmt: skip


def test_outer_fields_reach_into_relations_of_the_inner_question(m: Any, newsroom: Any) -> None:
    tagged = m.Story.objects.filter(tags=OuterRef("pk")).order_by("pk").values("slug")[:1]
    for tag in m.Tag.objects.annotate(first=Subquery(tagged)):
        mine = [story.slug for story in newsroom.stories if tag in story.tags.all()]
        assert tag.first == mine[0]
    outer = m.Byline.objects.filter(
        Exists(m.Tag.objects.filter(stories__section__slug=OuterRef("story__section__slug")))
    )
    assert outer.count() == 20


def test_subqueries_in_updates(m: Any, newsroom: Any) -> None:
    newest_weight = newest(m).values("weight")[:1]
    assert m.Section.objects.update(position=Subquery(newest_weight) + 10) == 3
    assert list(m.Section.objects.order_by("pk").values_list("position", flat=True)) == [10, 11, 12]
    busy = m.Section.objects.filter(Exists(m.Story.objects.filter(section=OuterRef("pk"), weight=4)))
    assert busy.update(visible=False) == 3


def test_subqueries_leave_out_what_a_reader_may_not_see(m: Any, newsroom: Any) -> None:
    with entered(m.look(newsroom.database, READER)):
        sections = m.Section.objects.annotate(newest=Subquery(newest(m).values("slug")[:1]))
        assert [section.newest for section in sections] == ["story-3", "story-4"]
        draft = m.Story.objects.filter(section=OuterRef("pk"), slug="story-7")
        assert not m.Section.objects.filter(Exists(draft)).exists()
        assert m.Section.objects.filter(Exists(draft.unrestricted())).exists()


def test_the_same_subquery_with_other_values_is_not_compiled_again(m: Any, newsroom: Any) -> None:
    def ask(weight: int, stop: int) -> list[Any]:
        inner = newest(m).filter(weight=weight).values("slug")[:stop]
        return list(m.Section.objects.filter(position__gte=0).annotate(x=Subquery(inner)).filter(slug="section-1"))

    assert ask(1, 1)[0].x == "story-1"
    known = len(newsroom.database.shapes)
    assert ask(2, 2)[0].x == "story-7"
    assert len(newsroom.database.shapes) == known


def test_what_makes_no_sense_is_refused(m: Any, newsroom: Any) -> None:
    with pytest.raises(FieldError, match=r"OuterRef\('pk'\) has no question around it\. Use it in a queryset"):
        list(newest(m))
    with pytest.raises(FieldError, match=r"A Subquery gives one value|a Subquery gives one value"):
        list(m.Section.objects.annotate(x=Subquery(newest(m).values("slug", "pk"))))
    with pytest.raises(FieldError, match=r"Exists\(\) takes a queryset"):
        Exists([1, 2])
    with pytest.raises(FieldError, match="no field 'nothing'"):
        list(m.Section.objects.filter(Exists(m.Story.objects.filter(section=OuterRef("nothing")))))


def test_annotations_of_the_outer_question_can_be_named(m: Any, newsroom: Any) -> None:
    sections = m.Section.objects.annotate(top=Max("stories__weight"))
    best = m.Story.objects.filter(section=OuterRef("pk"), weight=OuterRef("top")).order_by("pk").values("slug")[:1]
    rows = sections.annotate(best=Subquery(best))
    for row in rows:
        mine = [s for s in newsroom.stories if s.section_id == row.pk]
        assert row.best == next(s.slug for s in mine if s.weight == max(x.weight for x in mine))
    assert rows.filter(best=F("best")).count() == 3


def test_a_list_to_search_speaks_of_the_question_around_it(m: Any, newsroom: Any) -> None:
    heavier = m.Story.objects.filter(weight__gt=OuterRef("position"), section=OuterRef("pk"))
    expected = {section.slug for n, section in enumerate(newsroom.sections) if any(k % 5 > n for k in range(n, 20, 3))}
    for rows in (heavier.values("section"), Subquery(heavier.values("section"))):
        assert {s.slug for s in m.Section.objects.filter(pk__in=rows)} == expected
        assert {s.slug for s in m.Section.objects.exclude(pk__in=rows)} == {
            s.slug for s in newsroom.sections
        } - expected
    first = m.Story.objects.filter(pk__in=m.Story.objects.filter(section=OuterRef("section")).order_by("pk")[:1])
    if newsroom.database.dialect == "mysql":
        with pytest.raises(FieldError, match="MariaDB knows no slice of a question that speaks of the one around"):
            list(first)
    else:
        assert {story.slug for story in first} == {"story-0", "story-1", "story-2"}
    # inside of another question, of the nearest one
    own = m.Story.objects.filter(pk__in=m.Byline.objects.filter(position=OuterRef("weight")).values("story"))
    assert {s.slug for s in own} == {"story-0", "story-1", "story-2", "story-3", "story-4"}
    lead = m.Section.objects.filter(Exists(own.filter(section=OuterRef("pk"), weight=0)))
    assert [section.slug for section in lead] == ["section-0"]


def test_a_queryset_stands_where_an_expression_does(m: Any, newsroom: Any) -> None:
    weights = newest(m).values("weight")[:1]
    assert [section.n for section in m.Section.objects.annotate(n=weights)] == [0, 1, 2]
    assert [section.n for section in m.Section.objects.annotate(n=F("position") + weights)] == [0, 2, 4]
    assert [section.n for section in m.Section.objects.annotate(n=weights - F("position"))] == [0, 0, 0]
    either = m.Story.objects.filter(weight=4) | m.Story.objects.filter(weight=3)
    found = either.filter(section=OuterRef("pk")).order_by("pk").values("slug")[:1]
    assert [section.slug_ for section in m.Section.objects.annotate(slug_=found)] == ["story-3", "story-4", "story-8"]


def test_what_is_inside_is_ordered_and_grouped_by_the_row_around(m: Any, newsroom: Any) -> None:
    """SQLite sees nothing of the question around in ORDER BY and GROUP BY."""
    inside = m.Story.objects.filter(section=OuterRef("pk"))
    nearest = inside.order_by(Abs(F("weight") - OuterRef("position") - 1), "pk").values("weight")[:1]
    assert [section.n for section in m.Section.objects.annotate(n=nearest)] == [1, 2, 3]
    apart = inside.annotate(d=Abs(F("weight") - OuterRef("position"))).distinct().order_by("-d").values("d")[:1]
    assert [section.n for section in m.Section.objects.annotate(n=apart)] == [4, 3, 2]
    groups = inside.order_by().values(d=F("weight") - OuterRef("position")).annotate(n=Count("pk")).order_by("-d")
    assert [section.n for section in m.Section.objects.annotate(n=groups.values("n")[:1])] == [1, 2, 1]
    assert [section.n for section in m.Section.objects.annotate(n=groups.filter(n=2).values("d")[:1])] == [3, 3, 0]
    same = m.Story.objects.annotate(place=OuterRef("position")).values("place").annotate(n=Count("pk"))
    assert [section.n for section in m.Section.objects.annotate(n=same.values("n"))] == [20, 20, 20]


@pytest.mark.usefixtures("first_keys")
def test_a_union_that_speaks_of_the_row_around(m: Any, newsroom: Any) -> None:
    inside = m.Story.objects.filter(weight=OuterRef("position")).values("pk")
    both = inside.union(m.Story.objects.filter(pk=0).values("pk"))
    sections = m.Section.objects.annotate(n=both.order_by("pk")[:1])
    if newsroom.database.dialect == "mysql":
        with pytest.raises(FieldError, match=r"MariaDB knows no union\(\), .* that speak of the question around"):
            list(sections)
        return
    assert [section.n for section in sections] == [1, 2, 3]
