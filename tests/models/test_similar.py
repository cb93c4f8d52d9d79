"""Related content by shared tags."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.trace import READER, Scope, entered


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
