"""Conditions on what windows give."""

from __future__ import annotations

from typing import Any

import pytest

from tests.models.test_windows import by_weight, expected_heaviest, heaviest
from toolkit.errors import FieldError
from toolkit.models import Case, F, Q, Value, When, Window
from toolkit.models.functions import Lag, RowNumber


def test_rows_are_filtered_by_a_window(m: Any, newsroom: Any) -> None:
    keys = set(expected_heaviest(newsroom))
    stories = heaviest(m)
    assert {story.pk for story in stories} == keys
    assert {story.rank for story in stories} == {1, 2}
    assert stories.count() == len(stories) == 6
    assert stories.exists()
    assert not heaviest(m, 0).exists()
    assert set(stories.values_list("pk", flat=True)) == keys
    assert [story.pk for story in stories.order_by("-pk")[1:3]] == sorted(keys, reverse=True)[1:3]
    assert stories.order_by("rank", "pk").first().rank == 1
    assert stories.reverse().last().pk == stories.first().pk
    assert {story.pk for story in m.Story.objects.filter(pk__in=stories)} == keys
    assert {story.pk for story in stories.select_related("section", "editor")} == keys
    assert {story.pk for story in stories.only("slug")} == keys
    assert {story.pk for story in stories.iterator(chunk_size=2)} == keys
    assert stories.in_bulk().keys() == keys


def test_a_condition_on_rows_says_what_windows_see(m: Any, newsroom: Any) -> None:
    rank = Window(RowNumber(), order_by="-weight")
    before = m.Story.objects.filter(weight__lt=3).annotate(rank=rank).filter(rank=1).get()
    behind = m.Story.objects.annotate(rank=rank).filter(rank=1).filter(weight__lt=3).get()
    together = m.Story.objects.annotate(rank=rank).filter(rank=1, weight__lt=3).get()
    assert before == behind == together
    assert before.weight == 2


def test_conditions_on_windows_are_joined_and_turned_round(m: Any, newsroom: Any) -> None:
    rank = {story.pk: place for place, story in enumerate(by_weight(newsroom), 1)}
    stories = m.Story.objects.annotate(rank=Window(RowNumber(), order_by="-weight"))

    def keys(found: Any) -> set[int]:
        return {story.pk for story in found}

    assert keys(stories.exclude(rank__lte=15)) == {key for key, place in rank.items() if place > 15}
    either = stories.filter(Q(rank=1) | Q(weight=0))
    assert keys(either) == {story.pk for story in newsroom.stories if rank[story.pk] == 1 or story.weight == 0}
    assert keys(stories.filter(Q(rank__lte=3) ^ Q(weight=4))) == {s.pk for s in newsroom.stories if rank[s.pk] == 4}
    neither = stories.filter(~(Q(rank__gt=3) | Q(weight=4)))
    assert keys(neither) == {s.pk for s in [each for each in by_weight(newsroom) if each.weight != 4][:3]}
    assert keys(stories.filter(Q(rank=1) | Q(tags__slug="tag-1"))) == {
        story.pk for n, story in enumerate(newsroom.stories) if rank[story.pk] == 1 or n % 5 in (0, 1)
    }
    assert keys(stories.filter(weight=F("rank"))) == {s.pk for s in newsroom.stories if s.weight == rank[s.pk]}
    assert keys(stories.filter(weight__gte=Window(RowNumber(), order_by="-weight"))) == {
        story.pk for story in newsroom.stories if story.weight >= rank[story.pk]
    }
    assert keys(stories.filter(rank__in=[2, 3]) | m.Story.objects.filter(weight=0)) == {
        story.pk for story in newsroom.stories if rank[story.pk] in (2, 3) or story.weight == 0
    }
    assert keys(stories.filter(rank__lte=3) & m.Story.objects.filter(pk__gt=0)) == {k for k, n in rank.items() if n < 4}
    first = stories.annotate(is_first=Q(rank=1))
    assert {story.pk: story.is_first for story in first} == {key: place == 1 for key, place in rank.items()}


def test_a_neighbour_that_is_not_there_is_found_as_none(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(before=Window(Lag("weight"), partition_by="section", order_by="published"))
    assert stories.filter(before=None).count() == 3
    assert stories.filter(before__isnull=False).count() == 17
    assert stories.exclude(before=1).count() + stories.filter(before=1).count() == 20


def test_the_value_of_a_window_lets_rows_be_changed(m: Any, newsroom: Any) -> None:
    keys = set(expected_heaviest(newsroom))
    assert heaviest(m).update(status="draft") == 6
    assert {story.pk for story in m.Story.objects.filter(status="draft")} == keys | {newsroom.stories[7].pk}
    with pytest.raises(FieldError, match=r"a Window gives cannot stand inside of update\(\)"):
        m.Story.objects.update(weight=Window(RowNumber(), order_by="pk"))
    heaviest(m).delete()
    assert m.Story.objects.count() == 14
    assert not m.Story.objects.filter(pk__in=keys)
    for place in range(4):
        m.Everything.objects.create(integer=place)
    last = m.Everything.objects.annotate(n=Window(RowNumber(), order_by="-integer")).filter(n=1)
    assert last.delete() == {"news.Everything": 1}
    assert m.Everything.objects.distinct("char").delete() == {"news.Everything": 1}
    assert sorted(m.Everything.objects.values_list("integer", flat=True)) in ([0, 1], [1, 2])


def test_whether_an_object_is_among_the_filtered_is_asked_of_all_rows(m: Any, newsroom: Any) -> None:
    keys = expected_heaviest(newsroom)
    for story in newsroom.stories:
        assert heaviest(m).contains(story) == (story.pk in keys)


def test_conditions_on_windows_are_joined_with_others_as_said(m: Any, newsroom: Any) -> None:
    numbered = m.Story.objects.annotate(n=Window(RowNumber(), order_by="pk"))
    found: Any = [story.weight for story in newsroom.stories]
    places = list(range(1, 21))

    def numbers(condition: Q) -> list[int]:
        return list(numbered.filter(condition).order_by("n").values_list("n", flat=True))

    assert numbers(Q(n=1, weight=0) | Q(n=2)) == [1, 2]
    assert numbers(~(Q(n__gt=3, weight__gt=1) | Q(n=2))) == [1, 3, 6, 7, 11, 12, 16, 17]
    either = (Q(n__lt=9, weight=3) | Q(n__gt=15, weight=1)) & (Q(weight=3) | Q(n=17))
    assert numbers(either) == [n for n in places if (n < 9 and found[n - 1] == 3) or n == 17]
    assert numbers(Q(n__lt=5, editor=None) | Q(n=6)) == [1, 3, 6]


def test_a_choice_by_windows_is_right_or_refused(m: Any, newsroom: Any) -> None:
    numbered = m.Story.objects.annotate(n=Window(RowNumber(), order_by="pk")).order_by("n")

    def chosen(*conditions: Q) -> list[int]:
        branches = [When(condition, then=Value(1)) for condition in conditions]
        return [story.x for story in numbered.annotate(x=Case(*branches, default=Value(0)))[:4]]

    assert chosen(Q(n=1, weight=0), Q(n=2)) == [1, 1, 0, 0]
    assert chosen(Q(n=1) | Q(n=3)) == [1, 0, 1, 0]
    if newsroom.database.dialect != "mysql":
        assert chosen(Q(n=1, weight=0) | Q(n=2)) == [1, 1, 0, 0]
        return
    with pytest.raises(FieldError, match=r"MariaDB takes a condition of & and \| on a Window for false"):
        chosen(Q(n=1, weight=0) | Q(n=2))
