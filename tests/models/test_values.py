"""values() and values_list(): what is given of rows instead of the rows."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from toolkit.errors import FieldError
from toolkit.models import Count, F, Sum


def test_values_come_as_dicts_tuples_or_single(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.filter(slug="story-3")
    assert list(stories.values("slug", "section__name")) == [{"slug": "story-3", "section__name": "Section 0"}]
    assert list(stories.values_list("slug", "published")) == [("story-3", newsroom.stories[3].published)]
    assert list(stories.values_list("section_id", flat=True)) == [newsroom.sections[0].pk]
    assert list(stories.values_list("pk", flat=True)) == [newsroom.stories[3].pk]
    assert set(stories.values()[0]) == {
        "id", "title", "slug", "section_id", "editor_id", "weight", "status", "published", "expires"
    }  # fmt: skip


def test_values_over_many_partners_give_a_row_for_each(m: Any, newsroom: Any) -> None:
    rows = m.Story.objects.filter(slug="story-3").values_list("slug", "tags__slug")
    assert sorted(rows) == [("story-3", "tag-3"), ("story-3", "tag-4")]


def test_distinct_values_are_in_a_certain_order(m: Any, newsroom: Any) -> None:
    assert list(m.Story.objects.order_by().values_list("weight", flat=True).distinct()) == [0, 1, 2, 3, 4]
    assert m.Story.objects.order_by().values_list("weight", flat=True).distinct().count() == 5
    assert m.Story.objects.distinct().count() == 20
    assert len(m.Story.objects.filter(tags__slug__in=["tag-1", "tag-2"]).distinct().order_by("section__name")) == 12


def test_pairs_are_in_a_certain_order_too(m: Any, newsroom: Any) -> None:
    pairs = m.Story.objects.order_by("slug").values_list("slug", "tags__slug")
    assert list(pairs) == list(pairs.order_by("slug", "pk"))
    assert list(m.Story.objects.values_list("tags__slug", flat=True).order_by("-tags__slug").distinct())[:1] == [
        "tag-4"
    ]


def test_distinct_values_leave_out_the_models_own_order(m: Any, newsroom: Any) -> None:
    assert list(m.Story.objects.values_list("section__slug", flat=True).distinct()) == [
        "section-0", "section-1", "section-2"
    ]  # fmt: skip


def test_values_come_with_expressions_and_transforms(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.filter(slug="story-3")
    assert list(stories.values("slug", double=F("weight") * 2)) == [{"slug": "story-3", "double": 6}]
    assert list(stories.values("published__year")) == [{"published__year": 2026}]
    assert list(stories.values_list(F("weight") + 1, flat=True)) == [4]
    row = stories.values_list("slug", "section__name", named=True).get()
    assert (row.slug, row.section__name) == ("story-3", "Section 0")
    assert pickle.loads(pickle.dumps(row)) == row and pickle.loads(pickle.dumps(row)).slug == "story-3"
    with pytest.raises(FieldError, match="either flat or named"):
        stories.values_list("slug", flat=True, named=True)


def test_what_is_given_of_rows_may_be_said_after_a_slice(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.order_by("pk")[2:5]
    assert list(stories.values_list("weight", flat=True)) == [2, 3, 4]
    assert [s.n for s in stories.annotate(n=Count("tags")).select_related("section").only("title")] == [2, 2, 2]
    assert stories.aggregate(n=Count("pk"), total=Sum("weight"), tags=Count("tags")) == {"n": 3, "total": 9, "tags": 6}
