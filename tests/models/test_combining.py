"""Two questions made one: union, intersection, difference; and &, |, ^ of conditions."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import FieldError
from toolkit.models import Count, F, Value
from toolkit.trace import READER, entered


def slugs(stories: Any) -> list[str]:
    return [story.slug for story in stories]


def test_a_union_gives_each_row_once(m: Any, newsroom: Any) -> None:
    light, heavy = m.Story.objects.filter(weight__lt=2), m.Story.objects.filter(weight__in=[1, 4])
    both = light.union(heavy).order_by("pk")
    assert slugs(both) == [s.slug for s in newsroom.stories if s.weight in (0, 1, 4)]
    assert (both.count(), both.exists(), len(both)) == (12, True, 12)
    assert light.union(heavy, all=True).count() == 16
    assert slugs(both[2:4]) == slugs(both)[2:4]
    assert both.order_by("-weight", "pk").first().weight == 4
    assert slugs(both.reverse()) == slugs(both)[::-1]


def test_intersection_and_difference(m: Any, newsroom: Any) -> None:
    light, odd = m.Story.objects.filter(weight__lt=3), m.Story.objects.filter(weight__in=[1, 3])
    assert {s.weight for s in light.intersection(odd)} == {1}
    assert {s.weight for s in light.difference(odd)} == {0, 2}
    assert light.difference(odd, m.Story.objects.filter(weight=0)).count() == 4
    assert light.intersection(odd, m.Story.objects.none()).count() == 0


def test_a_union_gives_a_column_that_is_named_twice_twice(m: Any, newsroom: Any) -> None:
    tag, author = newsroom.tags[0], newsroom.authors[0]
    twice = m.Tag.objects.filter(pk=tag.pk).values_list("slug", "slug")
    assert list(twice.union(twice)) == [("tag-0", "tag-0")]
    both = twice.union(m.Author.objects.filter(pk=author.pk).values_list("slug", "name"), all=True).order_by("slug")
    assert list(both) == [("author-0", "Author 0"), ("tag-0", "tag-0")]
    dicts = m.Tag.objects.filter(pk=tag.pk).values("slug", "slug")
    assert list(dicts.union(dicts)) == [{"slug": "tag-0"}]


def test_a_union_with_nothing_is_what_it_was(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.filter(weight=1)
    assert set(stories.union(m.Story.objects.none())) == set(m.Story.objects.none().union(stories)) == set(stories)


def test_slices_are_combined_as_they_are(m: Any, newsroom: Any) -> None:
    first, last = m.Story.objects.order_by("pk")[:2], m.Story.objects.order_by("-pk")[1:3]
    assert slugs(first.union(last).order_by("pk")) == ["story-0", "story-1", "story-17", "story-18"]
    nested = first.union(last.union(m.Story.objects.filter(slug="story-9"))).order_by("pk")
    assert slugs(nested) == ["story-0", "story-1", "story-9", "story-17", "story-18"]


def test_combined_rows_are_ordered_along_relations_and_load_them(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.filter(weight=0).union(m.Story.objects.filter(weight=1)).order_by("-section__name", "pk")
    with newsroom.database.counted() as queries:
        assert [s.section.name for s in stories][:1] == ["Section 2"]
    assert len(queries) == 2


def test_values_are_combined_column_by_column_across_models(m: Any, newsroom: Any) -> None:
    names = m.Author.objects.values_list("name").union(m.Tag.objects.values_list("slug")).order_by("-name")
    assert list(names)[:1] == [("tag-4",)]
    assert names.count() == 9
    assert list(m.Author.objects.values("name").union(m.Tag.objects.values("name")).order_by("name")[:1]) == [
        {"name": "Author 0"}
    ]


def test_values_after_a_union_are_told_apart_by_themselves(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.filter(weight=0).union(m.Story.objects.filter(weight=1))
    assert list(stories.values_list("weight", flat=True).order_by("weight")) == [0, 1]
    assert stories.values("weight").count() == 2


def test_annotations_are_combined_too(m: Any, newsroom: Any) -> None:
    one = m.Tag.objects.filter(slug="tag-0").annotate(kind=Value("one"), n=Count("stories"))
    two = m.Tag.objects.filter(slug="tag-1").annotate(kind=Value("two"), n=Count("stories"))
    assert [(t.slug, t.kind, t.n) for t in one.union(two).order_by("kind")] == [
        ("tag-0", "one", 8),
        ("tag-1", "two", 8),
    ]


def test_a_union_is_a_subquery_like_any(m: Any, newsroom: Any) -> None:
    chosen = m.Section.objects.filter(slug="section-0").union(m.Section.objects.filter(slug="section-2"))
    assert m.Story.objects.filter(section__in=chosen).count() == 13
    assert m.Story.objects.exclude(section__in=chosen).count() == 7
    assert m.Story.objects.filter(section__in=chosen.order_by("pk")[:1]).count() == 7


def test_each_part_shows_what_the_viewer_may_see(m: Any, newsroom: Any) -> None:
    with entered(m.look(newsroom.database, READER)):
        both = m.Story.objects.filter(weight=2).union(m.Story.objects.filter(weight=3))
        assert set(both) == set(m.Story.objects.filter(weight__in=[2, 3]))
        every = m.Section.objects.all().union(m.Section.objects.all())
        assert every.count() == 2


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda both: both.filter(weight=1), r"filter\(\) or exclude\(\) cannot follow union\(\)"),
        (lambda both: both.annotate(n=F("weight")), r"annotate\(\) cannot follow union"),
        (lambda both: both.distinct(), r"distinct\(\) cannot follow union"),
        (lambda both: both.get(weight=1), r"cannot follow union"),
        (lambda both: both.aggregate(n=Count("pk")), r"aggregate\(\) cannot follow union"),
        (lambda both: both.update(weight=1), r"update\(\) cannot follow union"),
        (lambda both: both.delete(), r"delete\(\) cannot follow union"),
        (lambda both: both | both, r"& or \| cannot follow union"),
        (lambda both: both.select_related("section"), r"select_related\(\) cannot follow union"),
        (lambda both: list(both.order_by("pk").values_list("title")), "'pk' is not among the values that are given"),
        (lambda both: list(both.order_by("section__name").values("title")), "'section__name' is not among the values"),
        (lambda both: list(both.values("title").order_by(F("weight").desc())), "'weight' is not among the values"),
        (lambda both: both.union([1]), r"union\(\) takes querysets, not \[1\]"),
        (lambda both: both.union(both.values("pk")), r"Story objects and Story values are not the same kind"),
        (lambda both: list(both.values("pk").union(both.values("pk", "slug"))), r"gives 1 columns, another 2"),
    ],
)
def test_what_cannot_follow_is_refused(m: Any, newsroom: Any, ask: Any, told: str) -> None:
    both = m.Story.objects.filter(weight=0).union(m.Story.objects.filter(weight=1))
    with pytest.raises(FieldError, match=told):
        ask(both)


def test_conditions_are_joined_with_operators(m: Any, newsroom: Any) -> None:
    light, live = m.Story.objects.filter(weight__lt=3), m.Story.objects.filter(section__slug="section-0")
    n = len(newsroom.stories)
    by_weight, by_section = ({k for k in range(n) if k % 5 < 3}, {k for k in range(n) if k % 3 == 0})
    for found, expected in [
        (light & live, by_weight & by_section),
        (light | live, by_weight | by_section),
        (light ^ live, by_weight ^ by_section),
        (light & live.exclude(weight=0), {k for k in by_weight & by_section if k % 5}),
        ((light | live) & m.Story.objects.filter(weight=4), {k for k in by_section if k % 5 == 4}),
    ]:
        assert {int(s.slug[6:]) for s in found} == expected
        assert found.count() == len(expected)


def test_null_is_not_one_of_two(m: Any, newsroom: Any) -> None:
    with_editor = m.Story.objects.filter(editor__slug="author-1")
    assert (with_editor ^ m.Story.objects.filter(weight=0)).count() == (
        len([k for k in range(20) if (k % 4 == 1) != (k % 5 == 0)])
    )


def test_each_side_has_its_own_annotations(m: Any, newsroom: Any) -> None:
    one = m.Story.objects.annotate(n=F("weight") + 1).filter(n=1)
    two = m.Story.objects.annotate(n=F("weight") + 2).filter(n=3)
    assert {(s.weight, s.n) for s in one | two} == {(0, 1), (1, 2)}


def test_the_order_of_the_right_side_counts_if_it_has_one(m: Any, newsroom: Any) -> None:
    one, two = m.Story.objects.filter(weight=0).order_by("pk"), m.Story.objects.filter(weight=1)
    assert slugs(one | two)[:2] == ["story-0", "story-1"]
    assert slugs(one | two.order_by("-pk"))[:2] == ["story-16", "story-15"]


def test_nothing_and_slices(m: Any, newsroom: Any) -> None:
    stories, nothing = m.Story.objects.filter(weight=0), m.Story.objects.none()
    assert (stories | nothing).count() == (nothing | stories).count() == (nothing ^ stories).count() == 4
    assert (stories & nothing).count() == (nothing & stories).count() == 0
    assert (m.Story.objects.order_by("pk")[:3] | stories).count() == 6
    with pytest.raises(FieldError, match="a sliced queryset cannot be combined with &"):
        stories & m.Story.objects.all()[:3]


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda m: m.Story.objects.all() | m.Tag.objects.all(), "querysets of Story and Tag cannot be combined"),
        (lambda m: m.Story.objects.all() & 3, "& and | combine querysets, not 3"),
        (lambda m: m.Tag.objects.all() | m.Tag.objects.distinct(), "only one of the two querysets has this distinct"),
        (lambda m: m.Tag.objects.all() | m.Tag.objects.unrestricted(), "has this unrestricted"),
        (lambda m: m.Tag.objects.values("name").annotate(n=Count("pk")) | m.Tag.objects.all(), "groups cannot be"),
    ],
)
def test_what_cannot_be_joined_is_refused(m: Any, newsroom: Any, ask: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told.replace("|", r"\|")):
        ask(m)
