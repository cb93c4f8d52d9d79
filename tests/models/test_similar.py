"""Related content by shared tags."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.trace import READER, Scope, entered

from .conftest import KINDS, URLS
from .verifying import broken_by


def test_most_shared_tags_first_then_the_models_own_order(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.get(slug="story-5")  # tags 0 and 1
    assert [other.slug for other in story.related(4)] == ["story-0", "story-10", "story-15", "story-1"]
    assert story not in story.related(20)
    assert len(story.related(20)) == 11


def test_a_row_without_tags_has_no_relatives(m: Any, newsroom: Any) -> None:
    newsroom.stories[0].tags.clear()
    assert m.Story.objects.get(slug="story-0").related(5) == []


def test_the_relatives_of_a_whole_list_take_few_queries(m: Any, newsroom: Any) -> None:
    with newsroom.database.counted() as queries:
        found = [[other.title for other in story.related(3)] for story in m.Story.objects.all()]
    assert all(len(titles) == 3 for titles in found)
    assert len(queries) <= 5


def test_relatives_follow_what_was_written(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.get(slug="story-5")
    assert story.related(1)[0].slug == "story-0"
    m.Story.objects.get(slug="story-0").tags.set([newsroom.tags[3]])
    assert story.related(1)[0].slug == "story-10"


def test_relatives_come_and_go_with_the_moment(m: Any, newsroom: Any) -> None:
    def first(moment: Any) -> str:
        with entered(Scope(None, newsroom.database, READER, "en", "en", moment)):
            return str(m.Story.objects.get(slug="story-5").related(1)[0].slug)

    assert first(m.NOON) == "story-10"
    assert first(newsroom.stories[0].published) == "story-0"
    with entered(Scope(None, newsroom.database, READER)):  # by the wall clock, where nothing is remembered
        assert m.Story.objects.get(slug="story-5").related(1)


def test_a_few_sets_of_tags_are_ranked_as_all_are(m: Any, newsroom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = newsroom.stories[10]
    hidden.status = "draft"
    hidden.save()

    def ranked() -> list[list[str]]:
        with entered(Scope(None, newsroom.database, READER, "en", "en", m.NOON)):
            return [[other.slug for other in m.Story.objects.get(pk=pk).related(7)] for pk in keys]

    with entered(Scope(None, newsroom.database, READER, "en", "en", m.NOON)):
        keys = [story.pk for story in m.Story.objects.all()]
    newsroom.database.memo.clear()
    monkeypatch.setattr("toolkit.models.similar.FEW_SETS", 1_000)
    some = ranked()
    newsroom.database.memo.clear()
    monkeypatch.setattr("toolkit.models.similar.FEW_SETS", 0)
    assert some == ranked()
    assert any(some)


def test_one_story_does_not_load_all_links(m: Any, newsroom: Any) -> None:
    with newsroom.database.counted() as queries:
        assert m.Story.objects.get(slug="story-5").related(2)
    links = [sql for sql in queries if "news_story_tags" in sql]
    assert links
    assert all("WHERE" in sql for sql in links)


class Mark(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)


class Item(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=1)
    marks = models.ManyToManyField(Mark)
    related = models.Similar("marks")

    class Meta:
        ordering = ["-name"]


MARKED = resolved({"marked": [Mark, Item]})


@pytest.fixture(params=URLS, ids=KINDS)
def marked(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Four items, with two marks, two, one and none."""
    database = opened_with(request.param, MARKED)
    with entered(Scope(None, database)):
        marks = Mark.objects.bulk_create([Mark(), Mark()])
        for name, count in {"a": 2, "b": 1, "c": 2, "d": 0}.items():
            Item.objects.create(name=name).marks.add(*marks[:count])
    yield database
    database.drop()


@pytest.mark.parametrize("few", [0, 3])
def test_keys_that_a_database_writes_in_another_way_are_ranked(
    marked: Any, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.models.similar.FEW_SETS", few)
    with entered(Scope(None, marked)):
        names = {item.name: "".join(other.name for other in item.related(5)) for item in Item.objects.all()}
    assert names == {"a": "cb", "b": "ca", "c": "ab", "d": ""}
    pages = {name: lambda name=name: Item.objects.get(name=name).related(5) for name in "abcd"}
    gone = "DELETE FROM marked_item_marks WHERE item_id = (SELECT id FROM marked_item WHERE name = 'b')"
    assert broken_by(marked, pages, gone) == {"a", "b", "c"}
