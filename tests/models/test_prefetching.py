"""``Prefetch``, ``select_related`` and ``only`` through relations, fetch modes: what is loaded, in how many queries."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
from types import ModuleType
from typing import Any
from weakref import ref

import jinja2
import pytest

from toolkit import models
from toolkit.errors import FieldError, UnplannedQuery
from toolkit.models import Count, F, Prefetch, prefetch_related_objects
from toolkit.trace import READER, Scope, Trace, entered


def test_relations_of_rows_that_are_there_are_loaded(m: Any, newsroom: Any) -> None:
    stories = list(m.Story.objects.order_by("pk")[:3])
    first = Prefetch("authors", queryset=m.Author.objects.order_by("-name"), to_attr="writers")
    with newsroom.database.counted() as queries:
        prefetch_related_objects(stories, "tags", "section", first)
        assert [len(story.tags.all()) for story in stories] == [2, 2, 2]
        assert [len(story.writers) for story in stories] == [1, 1, 1] and stories[0].section.slug == "section-0"
    assert len(queries) == 3
    prefetch_related_objects([], "tags")
    with pytest.raises(FieldError, match="tgas"):
        prefetch_related_objects(stories, "tgas")


def test_a_prefetch_may_choose_and_order(m: Any, newsroom: Any) -> None:
    heavy = Prefetch("stories", m.Story.objects.filter(weight__gt=2).order_by("-weight", "pk"))
    with newsroom.database.counted() as queries:
        sections = list(m.Section.objects.prefetch_related(heavy))
        found = [[s.weight for s in section.stories.all()] for section in sections]
        assert found == [[4, 3, 3], [4, 4, 3], [4, 3]]
        assert [section.stories.count() for section in sections] == [3, 3, 2]
        assert sections[0].stories.all().exists()
    assert len(queries) == 2
    assert sections[0].stories.filter(weight=0).count() == 2


def test_a_prefetch_may_keep_a_list_of_its_own(m: Any, newsroom: Any) -> None:
    heavy = Prefetch("stories", m.Story.objects.filter(weight=4), to_attr="heavy")
    section = m.Section.objects.prefetch_related(heavy, "heavy__tags").first()
    with newsroom.database.counted() as queries:
        assert [s.slug for s in section.heavy] == ["story-9"]
        assert len(section.heavy[0].tags.all()) == 2
        assert queries == []
        assert len(section.stories.all()) == 7
    with pytest.raises(AttributeError, match="'Section' object has no attribute 'light'"):
        section.light  # noqa: B018 - the read is the test


def test_a_slice_in_a_prefetch_is_of_each_row(m: Any, newsroom: Any) -> None:
    newest = m.Story.objects.order_by("-published")
    sections = m.Section.objects.prefetch_related(
        Prefetch("stories", newest[:2], to_attr="newest"), Prefetch("stories", newest[2:4], to_attr="next")
    )
    with newsroom.database.counted() as queries:
        found = [([s.slug for s in section.newest], [s.slug for s in section.next]) for section in sections]
    assert found[0] == (["story-0", "story-3"], ["story-6", "story-9"])
    assert found[2] == (["story-2", "story-5"], ["story-8", "story-11"])
    assert len(queries) == 3
    tags = m.Tag.objects.prefetch_related(Prefetch("stories", newest[1:], to_attr="rest"))
    assert [len(tag.rest) for tag in tags] == [7] * 5


def test_a_prefetch_of_one_object(m: Any, newsroom: Any) -> None:
    m.Profile.objects.create(author=newsroom.authors[1], motto="Truth")
    lean = m.Author.objects.only("name")
    stories = m.Story.objects.prefetch_related(
        Prefetch("editor", lean), Prefetch("editor__profile", to_attr="portrait"), Prefetch("section", to_attr="desk")
    )
    with newsroom.database.counted() as queries:
        story = stories.get(slug="story-1")
        assert (story.editor.name, story.editor.portrait.motto, story.desk.slug) == ("Author 1", "Truth", "section-1")
        assert stories.get(slug="story-0").editor is None
    assert len(queries) == 4 + 2
    nobody = Prefetch("editor", m.Author.objects.filter(slug="author-3"))
    assert m.Story.objects.prefetch_related(nobody).get(slug="story-1").editor is None


def test_prefetches_are_nested(m: Any, newsroom: Any) -> None:
    inner = m.Story.objects.filter(weight=0).prefetch_related(Prefetch("tags", m.Tag.objects.order_by("-slug")))
    with newsroom.database.counted() as queries:
        section = m.Section.objects.prefetch_related(Prefetch("stories", inner)).first()
        assert [[t.slug for t in s.tags.all()] for s in section.stories.all()] == [["tag-1", "tag-0"]] * 2
    assert len(queries) == 3
    assert m.Section.objects.prefetch_related("stories", "stories__tags").prefetch_related(None)._prefetch == ()


def test_a_prefetch_with_annotations(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.annotate(n=Count("tags"), double=F("weight") * 2).order_by("pk")
    section = m.Section.objects.prefetch_related(Prefetch("stories", stories)).first()
    assert [(s.n, s.double) for s in section.stories.all()][:2] == [(2, 0), (2, 6)]


def test_what_was_written_is_seen(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.prefetch_related(Prefetch("tags", m.Tag.objects.filter(slug="tag-4"))).get(slug="story-0")
    assert list(story.tags.all()) == []
    story.tags.add(newsroom.tags[4])
    assert len(story.tags.all()) == 3
    section = m.Section.objects.prefetch_related(Prefetch("stories", m.Story.objects.filter(weight=4))).first()
    m.Story.objects.filter(slug="story-0").update(weight=4)
    assert {s.slug for s in section.stories.all()} == {"story-0", "story-9"}


@pytest.mark.parametrize(
    ("lookups", "told"),
    [
        (lambda m: [Prefetch("stories", m.Story.objects.all()), Prefetch("stories", m.Story.objects.all())], "before"),
        (lambda m: [Prefetch("stories", to_attr="name")], "would hide Section.name"),
        (lambda m: [Prefetch("stories", to_attr="save")], "would hide Section.save"),
        (lambda m: [Prefetch("stories", to_attr="_live")], "a row's own. Call it 'live'"),
        (lambda m: [Prefetch("storys")], "Did you mean 'stories'"),
        (lambda m: [Prefetch("stories", m.Story.objects.values("pk"))], "the queryset gives values"),
    ],
)
def test_a_prefetch_that_makes_no_sense_is_refused(m: Any, newsroom: Any, lookups: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        list(m.Section.objects.prefetch_related(*lookups(m)))


def test_a_page_that_reads_a_prefetched_list_has_read_it(m: Any, newsroom: Any) -> None:
    newest = Prefetch("stories", m.Story.objects.annotate(n=Count("tags")).order_by("-published")[:2], to_attr="newest")
    with entered(m.look(newsroom.database, READER)):
        sections = list(m.Section.objects.prefetch_related(newest))
    scope = Scope(None, newsroom.database, READER, "en", "en", m.NOON, Trace())
    with entered(scope):
        assert len(sections[0].newest) == 2
        assert len(scope.trace.keys_of("query")) == 1
        assert len(scope.trace.keys_of("row")) == 2


# select_related, only, defer


def test_select_related_without_names_takes_what_is_always_there(m: Any, newsroom: Any) -> None:
    m.Comment.objects.create(story=newsroom.stories[1], text="first")
    with newsroom.database.counted() as queries:
        comment = m.Comment.objects.select_related().get()
        assert comment.story.section.slug == "section-1"
        assert len(queries) == 1
        assert comment.story.editor.slug == "author-1"
        assert len(queries) == 2
        assert m.Comment.objects.select_related("story").select_related(None).get().story.pk
    assert len(queries) == 4


def test_select_related_takes_the_other_side_of_a_one_to_one_field(m: Any, newsroom: Any) -> None:
    m.Profile.objects.create(author=newsroom.authors[1], motto="Truth")
    with newsroom.database.counted() as queries:
        with_profile, without = m.Author.objects.select_related("profile").filter(slug__in=["author-1", "author-2"])
        assert with_profile.profile.motto == "Truth"
        assert with_profile.profile.author is with_profile
        with pytest.raises(m.Profile.DoesNotExist):
            without.profile  # noqa: B018 - the read is the test
    assert len(queries) == 1
    assert m.Story.objects.select_related("editor__profile").get(slug="story-1").editor.profile.motto == "Truth"


def test_only_and_defer_reach_through_relations(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.select_related("section")
    with newsroom.database.counted() as queries:
        story = stories.only("title", "section__name").first()
        assert (story.title, story.section.name) == ("Story 0", "Section 0")
        assert len(queries) == 1
        assert "slug" not in story.__dict__ and "slug" not in story.section.__dict__
        assert story.section.slug == "section-0"
    assert len(queries) == 2
    story = stories.defer("section__name", "title").first()
    assert "name" not in story.section.__dict__ and "slug" in story.section.__dict__ and "title" not in story.__dict__
    assert "slug" in stories.only("title").first().section.__dict__


def test_only_and_defer_add_up_as_in_django(m: Any, newsroom: Any) -> None:
    def loaded(stories: Any) -> set[str]:
        names = set(stories.first().__dict__) - {"_mask", "id"}
        return names

    stories = m.Story.objects.all()
    every = loaded(stories)
    assert loaded(stories.only("title", "slug").only("weight")) == {"weight"}
    assert loaded(stories.only("title", "slug").defer("slug")) == {"title"}
    assert loaded(stories.defer("title").defer("slug")) == every - {"title", "slug"}
    assert loaded(stories.defer("title").only("title", "slug")) == {"slug"}
    assert loaded(stories.defer("title").defer(None)) == every
    assert loaded(stories.only("section_id", "pk")) == {"section_id"}
    with pytest.raises(FieldError, match=r"only\(None\) names no field"):
        stories.only(None)
    with pytest.raises(FieldError, match=r"defer\(\) cannot follow values\(\)"):
        stories.values("title").defer("slug")
    with pytest.raises(FieldError, match="Did you mean 'name'"):
        list(stories.only("section__nam"))


# fetch modes


def test_peers_are_fetched_together_unless_one_alone_is_wanted(m: Any, newsroom: Any) -> None:
    for mode, expected in ((models.FETCH_PEERS, 4), (models.FETCH_ONE, 1 + 20 + 20 + 20)):
        with newsroom.database.counted() as queries:
            for story in m.Story.objects.fetch_mode(mode):
                assert story.section.name and story.tags.all() and story.authors.all()
        assert len(queries) == expected


def test_rows_that_nobody_has_any_more_are_gone_at_once(m: Any, newsroom: Any) -> None:
    gc.disable()
    try:
        for ask in (m.Story.objects.all, lambda: m.Story.objects.select_related("section"), m.Story.objects.iterator):
            stories = list(ask())
            met = [ref(found) for story in stories for found in (story, story.section, *story.tags.all())]
            assert len(met) > 40
            del stories
            assert [found() for found in met if found() is not None] == []
    finally:
        gc.enable()


def test_relations_are_loaded_for_the_peers_that_are_still_there(m: Any, newsroom: Any) -> None:
    first, second, *_ = m.Story.objects.order_by("pk")
    with newsroom.database.log() as queries:
        assert [tag.pk for tag in first.tags.all()] == [tag.pk for tag in m.Tag.objects.filter(stories=first)]
        loaded = len(queries)
        assert second.tags.all()
    assert len(queries) == loaded


def test_relations_of_very_many_rows_are_loaded_together_too(
    m: Any, newsroom: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.models.loader.MANY_ROWS", 10)
    with newsroom.database.counted() as queries:
        found = {s.pk: (s.section.pk, len(s.tags.all())) for s in m.Story.objects.select_related("section")}
        sections = {s.pk: len(s.section.stories.all()) for s in m.Story.objects.select_related("section")}
    assert len(queries) == 4
    assert {pk: section for pk, (section, _) in found.items()} == {s.pk: s.section_id for s in newsroom.stories}
    assert sections.keys() == found.keys()


@pytest.mark.parametrize("many", [1000, 10])
def test_of_a_long_list_those_that_stand_side_by_side_are_loaded_together(
    m: Any, newsroom: Any, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr("toolkit.models.loader.MANY_ROWS", many)
    for module in ("fetching", "loader"):
        monkeypatch.setattr(f"toolkit.models.{module}.NEIGHBOURS", 8)
    found = m.Story.objects.order_by("pk").defer("slug")
    for ask in (lambda: list(found), lambda: list(found.iterator())):
        last, *rest = reversed(ask())
        with newsroom.database.counted() as queries:
            assert (len(last.tags.all()), last.slug) == (2, "story-19")
            assert [len(story.tags.all()) for story in rest[:3]] == [2, 2, 2]
            assert len(queries) == 2
            assert "_many_tags" not in rest[-1].__dict__ and "slug" not in rest[-1].__dict__
            assert [story.slug for story in rest] == [f"story-{n}" for n in reversed(range(19))]
            assert sum(len(story.tags.all()) for story in rest) == 38
            assert len(queries) == 2 + 2 + 2
            assert {story.section.slug for story in rest} == {"section-0", "section-1", "section-2"}
            assert len(queries) == 2 + 2 + 2 + 1


def test_one_row_that_is_kept_holds_its_part_of_a_long_list_alone(
    m: Any, newsroom: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.models.loader.MANY_ROWS", 10)
    for module in ("fetching", "loader"):
        monkeypatch.setattr(f"toolkit.models.{module}.NEIGHBOURS", 8)
    stories = list(m.Story.objects.order_by("pk"))
    kept, near, far = stories[0], ref(stories[7]), ref(stories[8])
    del stories
    gc.collect()
    assert near() is not None and far() is None
    assert (kept.section.slug, len(kept.tags.all())) == ("section-0", 2)


def test_what_was_not_planned_is_refused_with_the_line_of_the_template(m: Any, newsroom: Any) -> None:
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(
            {"list.html": "{% for s in stories %}\n{{ s.title }}:\n{{ s.section.name }}{% endfor %}"}
        ),
        autoescape=True,
    )
    template = environment.get_template("list.html")
    strict = m.Story.objects.fetch_mode(models.FETCH_RAISE)
    with pytest.raises(UnplannedQuery, match=r"Story\.section is not loaded, and list\.html:3 would ask the database"):
        template.render(stories=strict)
    assert "Section 0" in template.render(stories=strict.select_related("section"))
    assert "Section 0" in template.render(stories=strict.prefetch_related("section"))


@pytest.mark.parametrize("name", ["section", "tags", "slug"])
def test_the_mode_goes_on_to_what_was_loaded_along(m: Any, newsroom: Any, name: str) -> None:
    comment = m.Comment.objects.create(story=newsroom.stories[1], text="x")
    plans = [
        m.Comment.objects.select_related("story").only("text", "story__title", "story__section"),
        m.Comment.objects.prefetch_related(Prefetch("story", m.Story.objects.only("title", "section"))),
    ]
    for plan in plans:
        story = plan.fetch_mode(models.RAISE).get(pk=comment.pk).story
        with pytest.raises(UnplannedQuery, match=rf"Story\.{name} is not loaded"):
            list(getattr(story, name).all()) if name == "tags" else getattr(story, name)


def test_a_mode_is_one_of_three(m: Any, newsroom: Any) -> None:
    with pytest.raises(FieldError, match=r"fetch_mode\('peers'\): that is no fetch mode"):
        m.Story.objects.fetch_mode("peers")
    assert copy.copy(models.FETCH_ONE) is models.FETCH_ONE is pickle.loads(pickle.dumps(models.FETCH_ONE))
    assert repr(models.RAISE) == "models.FETCH_RAISE"


# pickling


@pytest.fixture
def importable(m: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType(m.Story.__module__)
    module.__dict__.update({model.__name__: model for model in m.MODELS})
    module.StoryQuerySet = type(m.Story.objects.all())
    monkeypatch.setitem(sys.modules, m.Story.__module__, module)


@pytest.mark.usefixtures("importable")
def test_a_pickled_queryset_has_its_rows(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.filter(weight__gt=2).order_by("pk")
    again = pickle.loads(pickle.dumps(stories))
    with newsroom.database.counted() as queries:
        assert [s.slug for s in again] == [
            "story-3",
            "story-4",
            "story-8",
            "story-9",
            "story-13",
            "story-14",
            "story-18",
            "story-19",
        ]
    assert queries == []
    with newsroom.database.counted() as queries:
        assert {s.section.slug for s in again} == {"section-0", "section-1", "section-2"}
    assert len(queries) == 1, "they are loaded together still"
    assert again.filter(weight=4).count() == 4
    tags = pickle.loads(pickle.dumps(newsroom.stories[0].tags.order_by("slug")))
    assert [tag.slug for tag in tags] == ["tag-0", "tag-1"]
    tags.add(newsroom.tags[2])
    assert newsroom.stories[0].tags.count() == 3
    weights = m.Story.objects.values_list("weight", flat=True).distinct()
    assert list(pickle.loads(pickle.dumps(weights))) == [0, 1, 2, 3, 4]
    assert pickle.loads(pickle.dumps(m.Story.objects)).count() == 20


@pytest.mark.usefixtures("importable")
def test_a_pickled_row_has_what_was_prefetched(m: Any, newsroom: Any) -> None:
    heavy = Prefetch("stories", m.Story.objects.filter(weight=4), to_attr="heavy")
    again = pickle.loads(pickle.dumps(m.Section.objects.prefetch_related(heavy).first()))
    assert [s.slug for s in again.heavy] == ["story-9"]


def key(instance: Any) -> Any:
    return instance.__fragment_key__()


@pytest.mark.usefixtures("first_keys")
def test_rows_with_the_same_values_are_the_same_key_of_a_fragment(m: Any, newsroom: Any) -> None:
    first, second = m.Story.objects.get(pk=1), m.Story.objects.get(pk=1)
    assert key(first) == key(second)
    assert hash(key(first)) == hash(key(second))
    assert first.section.name
    assert key(first) == key(second), "what it refers to is known by its key"
    second.title = "Another"
    assert key(first) != key(second)
    assert key(first) != key(m.Story.objects.get(pk=2))
    assert key(first) != key(m.Story.objects.only("title").get(pk=1)), "not of the same columns"
    assert key(first) != key(m.Story.objects.annotate(n=Count("tags")).get(pk=1))


@pytest.mark.usefixtures("first_keys")
def test_what_a_prefetch_narrowed_down_stands_for_itself_in_a_fragment(m: Any, newsroom: Any) -> None:
    def loaded(lookup: Any) -> Any:
        return m.Story.objects.prefetch_related(lookup).get(pk=1)

    assert key(loaded("tags")) == key(m.Story.objects.get(pk=1))
    for path in ("tags", "section__stories"):
        model = m.Tag if path == "tags" else m.Story
        one, other = (loaded(Prefetch(path, model.objects.filter(pk__gt=1))) for _ in range(2))
        assert key(one) != key(other)
        assert key(one) == key(one)
        assert pickle.loads(pickle.dumps(one)) == one


def test_a_part_of_what_was_prefetched_is_not_asked_again(m: Any, newsroom: Any) -> None:
    heavy = Prefetch("stories", m.Story.objects.filter(weight=4).prefetch_related("tags"))
    section = m.Section.objects.prefetch_related(heavy).first()
    with newsroom.database.counted() as queries:
        assert section.stories.all()[0] is next(iter(section.stories.all()))
        assert [story.weight for story in section.stories.all()[:3]] == [4]
        assert section.stories.first().weight == 4
        assert len(section.stories.all()[0].tags.all()) == 2
        assert section.stories.all()[5:].first() is None
    assert queries == []
    with pytest.raises(IndexError):
        section.stories.all()[1]


def test_the_last_and_whether_one_is_there_are_told_by_what_was_loaded(m: Any, newsroom: Any) -> None:
    first, none = newsroom.tags[0], m.Tag.objects.create(name="Tag 9", slug="tag-9")
    alone = [(story.tags.last(), story.tags.contains(first)) for story in m.Story.objects.fetch_mode(models.FETCH_ONE)]
    stories = list(m.Story.objects.prefetch_related("tags"))
    with newsroom.database.counted() as queries:
        assert [(story.tags.last(), story.tags.contains(first)) for story in stories] == alone
        assert not stories[0].tags.contains(none) and not stories[0].tags.contains(stories[0])
    assert queries == []
    stories[0].tags.set([none])
    assert (stories[0].tags.last(), stories[0].tags.contains(none)) == (none, True)


def test_a_field_that_was_loaded_along_is_asked_for_again_after_a_write(m: Any, newsroom: Any) -> None:
    first, second, third, last = m.Story.objects.order_by("pk").only("title")[:4]
    assert (first.weight, second.weight) == (0, 1)
    assert "weight" in second.__dict__ and "weight" not in third.__dict__
    second.title = "Other"
    second.save()
    m.Story.objects.filter(pk__in=[third.pk, last.pk]).update(weight=50)
    with newsroom.database.counted() as queries:
        assert [story.weight for story in (first, second, third, last)] == [0, 1, 50, 50]
    assert len(queries) == 2
    m.Tag.objects.create(name="New", slug="new")
    with newsroom.database.counted() as queries:
        assert (third.status, last.status) == ("live", "live")
        m.Tag.objects.create(name="Newer", slug="newer")
        assert (first.status, second.status) == ("live", "live")
    assert len([query for query in queries if query.startswith("SELECT")]) == 1  # of another table

    first.published = last.published
    third.save()  # what was loaded along for it, and never asked for, is not written over what is there
    assert [story.get_deferred_fields() >= {"published"} for story in (first, third)] == [False, True]
    m.Story.objects.filter(pk=last.pk).delete()
    with pytest.raises(m.Story.DoesNotExist, match="is gone"):
        last.expires  # noqa: B018 - it is asked for
