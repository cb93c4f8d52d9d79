"""What a reader may not see does not exist: in lists, counts, relations, totals and subqueries, at every moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.models import Count, Max, Q
from toolkit.trace import PREVIEW, READER, Scope, entered

# of the newsroom's stories hidden at noon: 0 and 1 (not yet published), 7 (a draft), 8 (expired)
HIDDEN = {"story-0", "story-1", "story-7", "story-8"}


@pytest.fixture
def reader(m: Any, newsroom: Any) -> Any:
    with entered(m.look(newsroom.database, READER)):
        yield newsroom


def test_lists_counts_and_lookups(m: Any, reader: Any) -> None:
    assert m.Story.objects.count() == len(m.Story.objects.all()) == 16
    assert not {story.slug for story in m.Story.objects.all()} & HIDDEN
    assert m.Story.objects.exclude(slug="story-3").count() == 15
    assert m.Story.objects.filter(Q(slug="story-0") | Q(weight=0)).count() == 3
    assert not m.Story.objects.filter(slug="story-7").exists()
    for _ in range(2):
        with pytest.raises(m.Story.DoesNotExist, match="slug='story-7'"):
            m.Story.objects.get(slug="story-7")
    assert m.Story.objects.in_bulk([reader.stories[7].pk]) == {}
    assert list(m.Story.objects.values_list("slug", flat=True)[:1]) == ["story-2"]
    assert m.Story.objects.latest().slug == "story-2"
    assert [story.slug for story in m.Story.objects.iterator()][:1] == ["story-2"]


def test_relations_in_both_directions(m: Any, reader: Any) -> None:
    shown, hidden = m.Section.objects.unrestricted().get(slug="section-0"), reader.sections[2]
    assert "story-0" not in {story.slug for story in shown.stories.all()}
    assert shown.stories.count() == len(shown.stories.all()) == 6
    assert [section.slug for section in m.Section.objects.all()] == ["section-0", "section-1"]
    story = m.Story.objects.get(slug="story-2")
    assert (story.section_id, story.section) == (hidden.pk, None)
    assert m.Story.objects.select_related("section").get(slug="story-2").section is None
    tag = m.Tag.objects.get(slug="tag-2")
    assert "story-7" not in {story.slug for story in tag.stories.all()}
    assert not {story.slug for author in m.Author.objects.all() for story in author.stories.all()} & HIDDEN
    assert not {story.slug for story in m.Tag.objects.prefetch_related("stories")[2].stories.all()} & HIDDEN


def test_paths_through_hidden_rows_find_nothing(m: Any, reader: Any) -> None:
    assert m.Story.objects.filter(section__slug="section-2").count() == 0
    assert m.Story.objects.filter(section__isnull=True).count() == 5
    assert m.Story.objects.filter(section=None).count() == 5
    assert m.Story.objects.exclude(section__slug="section-2").count() == 16
    assert m.Tag.objects.filter(stories__slug="story-7").count() == 0
    assert m.Author.objects.filter(stories__status="draft").count() == 0
    assert m.Author.objects.filter(bylines__story__slug="story-7").count() == 0
    assert m.Author.objects.filter(edited__isnull=True).count() == 2
    assert list(m.Story.objects.filter(slug="story-2").values_list("section__slug", flat=True)) == [None]
    assert [slug for _, slug in m.Tag.objects.values_list("slug", "stories__slug") if slug in HIDDEN] == []


def test_totals_and_subqueries(m: Any, reader: Any) -> None:
    assert m.Story.objects.aggregate(n=Count("pk"), last=Max("published"))["n"] == 16
    assert sum(tag.n for tag in m.Tag.objects.annotate(n=Count("stories"))) == 32
    assert m.Tag.objects.annotate(last=Max("stories__published")).order_by("-last")[0].last == m.NOON
    assert sum(section.n for section in m.Section.objects.annotate(n=Count("stories"))) == 11
    assert m.Comment.objects.filter(story__in=m.Story.objects.all()).count() == 0
    assert m.Tag.objects.filter(stories__in=m.Story.objects.filter(status="draft")).count() == 0
    assert sum(row["n"] for row in m.Story.objects.values("weight").annotate(n=Count("pk"))) == 16
    assert not {story.slug for story in m.Story.objects.get(slug="story-2").related(20)} & HIDDEN


def test_an_editor_and_a_preview_see_everything(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.count() == 20
    with entered(m.look(newsroom.database, PREVIEW)):
        assert m.Story.objects.count() == 20
        assert m.Story.objects.get(slug="story-2").section.slug == "section-2"


def test_unrestricted_is_the_one_way_round(m: Any, reader: Any) -> None:
    assert m.Story.objects.unrestricted().count() == 20
    assert m.Story.objects.filter(status="draft").unrestricted().get().slug == "story-7"
    assert reader.sections[0].stories.unrestricted().count() == 7
    assert m.Story.objects.unrestricted().get(slug="story-2").section is None  # what it refers to stays restricted


def test_rows_come_and_go_with_the_moment(m: Any, newsroom: Any) -> None:
    def shown(moment: Any) -> set[str]:
        with entered(Scope(None, newsroom.database, READER, "en", "en", moment)):
            return set(m.Story.objects.values_list("slug", flat=True))

    first = newsroom.stories[0].published
    assert "story-0" not in shown(first - timedelta(microseconds=1))
    assert "story-0" in shown(first)
    gone = newsroom.stories[8].expires
    assert "story-8" in shown(gone - timedelta(microseconds=1))
    assert "story-8" not in shown(gone)


def test_public_is_decided_by_the_row_itself_in_every_language(m: Any, newsroom: Any) -> None:
    newsroom.stories[2].translate("es", title="Historia", slug="historia")
    newsroom.stories[7].translate("es", title="Borrador", slug="borrador")
    with entered(m.look(newsroom.database, READER, locale="es")):
        assert [story.title for story in m.Story.objects.all()] == ["Historia"]


PATHS = (
    "",
    "section__",
    "editor__",
    "tags__",
    "authors__",
    "bylines__story__",
    "tags__stories__",
    "section__stories__",
)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.sampled_from(PATHS), st.booleans()), max_size=3),
    st.sampled_from(["title", "-weight", "section__position", "pk"]),
)
def test_no_question_shows_a_hidden_row(m: Any, reader: Any, parts: list[tuple[str, bool]], order: str) -> None:
    found = m.Story.objects.order_by(order)
    for path, negated in parts:
        condition = Q(**{f"{path}pk__gt": 1})
        found = found.filter(~condition if negated else condition)
    rows = list(found)
    assert not {story.slug for story in rows} & HIDDEN
    assert found.count() == len(rows) == len(found.values_list("pk"))
