"""Lazy questions: order, slices, values, and what is asked when."""

from __future__ import annotations

import copy
import pickle
from operator import and_, or_, xor
from typing import Any

import pytest

from toolkit.errors import DeclarationError, FieldError
from toolkit.models import Count, F, Q
from toolkit.models.functions import Upper
from toolkit.models.loader import MOST_IN_LITERAL
from toolkit.trace import current


def test_nothing_is_asked_before_the_answer_is_needed(m: Any, newsroom: Any) -> None:
    with newsroom.database.counted() as queries:
        stories = m.Story.objects.filter(weight__gt=1).exclude(status="draft").order_by("title")[2:5].all()
        assert queries == []
        assert len(stories) == len(list(stories)) == 3
        assert bool(stories)
        assert stories[0].title
    assert len(queries) == 1


def test_the_manager_itself_remembers_nothing(m: Any, newsroom: Any) -> None:
    assert len(m.Tag.objects) == 5
    m.Tag.objects.create(name="Sixth", slug="sixth")
    assert len(m.Tag.objects) == 6


def test_rows_come_in_the_order_of_the_model_or_as_asked(m: Any, newsroom: Any) -> None:
    assert [s.slug for s in m.Story.objects.all()[:2]] == ["story-0", "story-1"]
    assert [s.slug for s in m.Story.objects.order_by("published")[:2]] == ["story-19", "story-18"]
    assert [s.slug for s in m.Story.objects.order_by("-weight", "published")[:2]] == ["story-19", "story-14"]
    assert [s.slug for s in m.Story.objects.order_by("section__name", "-pk")[:2]] == ["story-18", "story-15"]
    assert [s.weight for s in m.Story.objects.order_by(F("weight").desc())[:2]] == [4, 4]
    assert [s.slug for s in m.Story.objects.order_by("-weight").order_by("pk")[:1]] == ["story-0"]


def test_equal_rows_are_ordered_by_key_so_that_two_runs_agree(m: Any, newsroom: Any) -> None:
    found = [story.pk for story in m.Story.objects.order_by("status")]
    assert found == [newsroom.stories[7].pk, *(s.pk for s in newsroom.stories if s.status == "live")]


def test_null_is_smallest_on_every_database(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.order_by("expires").last().slug == "story-8"
    assert m.Story.objects.order_by("-expires").first().slug == "story-8"


def test_reverse_turns_the_whole_order_round(m: Any, newsroom: Any) -> None:
    forward = [s.pk for s in m.Story.objects.order_by("weight", "-status")]
    assert [s.pk for s in m.Story.objects.order_by("weight", "-status").reverse()] == forward[::-1]
    assert [s.pk for s in m.Story.objects.order_by("weight", "-status").reverse().reverse()] == forward


def test_slices_are_asked_with_limit_and_offset_and_can_be_sliced_again(m: Any, newsroom: Any) -> None:
    every = [s.pk for s in m.Story.objects.all()]
    assert [s.pk for s in m.Story.objects.all()[5:9]] == every[5:9]
    assert [s.pk for s in m.Story.objects.all()[5:]] == every[5:]
    assert [s.pk for s in m.Story.objects.all()[5:15][2:4]] == every[7:9]
    assert [s.pk for s in m.Story.objects.all()[5:9][2:40]] == every[7:9]
    assert list(m.Story.objects.all()[9:3]) == []
    assert m.Story.objects.all()[3].pk == every[3]
    assert m.Story.objects.all()[5:9].count() == 4
    assert m.Story.objects.all()[18:40].count() == 2
    assert not m.Story.objects.all()[20:].exists()


def test_a_slice_of_values_may_be_given_in_another_form(m: Any, newsroom: Any) -> None:
    groups = m.Story.objects.order_by().values("section").annotate(n=Count("pk"))
    assert list(groups[1:2].values_list("n", flat=True)) == [7]
    assert list(groups[:2].values("n")) == [{"n": 7}] * 2
    assert list(m.Story.objects.order_by("pk").values("title", "weight")[2:4].values_list("weight", flat=True)) == [
        2,
        3,
    ]


def test_a_slice_of_a_loaded_answer_asks_nothing(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.all()
    list(stories)
    with newsroom.database.counted() as queries:
        assert len(stories[:5]) == 5
        assert stories[3].pk
        assert stories.count() == 20
        assert stories.exists()
    assert queries == []


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda stories: stories[-1], "no negative index"),
        (lambda stories: stories[-3:], "sliced from 0 on"),
        (lambda stories: stories[:5].filter(weight=1), "a sliced queryset cannot be changed"),
        (lambda stories: stories[:5].update(weight=1), "a sliced queryset cannot be updated"),
        (lambda stories: stories[:5].delete(), "a sliced queryset cannot be deleted"),
        (lambda stories: stories.values("weight").distinct().aggregate(Count("pk")), "'pk' is not among the values"),
        (
            lambda stories: stories.values("weight")[:5].annotate(n=Count("pk")),
            "cannot follow a slice of values",
        ),
        (lambda stories: stories.order_by("?"), "another page at every build"),
        (lambda stories: list(stories.order_by("tags__name")), "cannot be ordered by"),
        (lambda stories: stories.values_list("title", "slug", flat=True), "takes one name"),
        (lambda stories: stories.filter(1), "a condition is a Q"),
        (lambda stories: stories.dates("published", "weeks"), "knows no 'weeks'. Did you mean 'week'"),
        (lambda stories: stories.datetimes("published", "year", "oldest"), "is 'ASC' or 'DESC'"),
        (
            lambda stories: list(stories.dates("title", "year")),
            "takes dates, instants and times of day, not str",
        ),
        (
            lambda stories: list(stories.dates("tags__name", "year")),
            r"(?s)not a field of one row.*or ask Tag itself: Tag.objects",
        ),
        (lambda stories: list(stories.values("title__x")), "'x' is not a field"),
        (lambda stories: list(stories.select_related("tags")), "is not a reference to one object"),
        (lambda stories: list(stories.prefetch_related("tagz")), "Did you mean 'tags'"),
        (lambda stories: list(stories.annotate(title=F("slug"))), "would hide the field"),
    ],
)
def test_what_cannot_be_answered_is_refused(m: Any, newsroom: Any, ask: Any, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        ask(m.Story.objects.all())


def test_an_index_past_the_end_is_an_index_error(m: Any, newsroom: Any) -> None:
    with pytest.raises(IndexError, match="no row 20"):
        m.Story.objects.all()[20]


def test_get_finds_one_row_or_says_what_was_asked(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.get(slug="story-3").pk == newsroom.stories[3].pk
    assert m.Story.objects.get(pk=newsroom.stories[3].pk).slug == "story-3"
    assert m.Story.objects.get(slug="story-3", weight=3).slug == "story-3"
    assert m.Story.objects.filter(weight=3).get(slug="story-3").slug == "story-3"
    assert m.Story.objects.get(section__slug="section-0", weight=1).slug == "story-6"
    assert m.Story.objects.get(expires__isnull=False).slug == "story-8"
    for _ in range(2):  # the second time on the shortest way
        with pytest.raises(m.Story.DoesNotExist, match="there is no Story with slug='gone'"):
            m.Story.objects.get(slug="gone")
        with pytest.raises(m.Story.MultipleObjectsReturned, match="more than one Story with weight=3"):
            m.Story.objects.get(weight=3)
    with pytest.raises(m.Story.DoesNotExist, match="there is no Story with pk=None"):
        m.Story.objects.get(pk=None)


@pytest.mark.usefixtures("first_keys")
def test_the_short_way_of_get_and_the_long_one_give_the_same(m: Any, newsroom: Any) -> None:
    section = newsroom.sections[1]
    for lookups in ({"pk": 3}, {"pk": "3"}, {"slug": "story-2"}, {"section": section.pk, "status": "draft"}):
        short = [m.Story.objects.get(**lookups) for _ in range(2)]
        long = m.Story.objects.all().filter(**lookups)[0]
        assert short == [long, long]
        assert short[1].__dict__.keys() == long.__dict__.keys()


def test_first_last_latest_earliest(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.first().slug == m.Story.objects.latest().slug == "story-0"
    assert m.Story.objects.last().slug == m.Story.objects.earliest().slug == "story-19"
    assert m.Story.objects.latest("weight").slug == "story-19"
    assert m.Story.objects.none().first() is None
    with pytest.raises(m.Story.DoesNotExist, match="there is no Story"):
        m.Story.objects.none().latest()
    with pytest.raises(FieldError, match=r"Set Meta\.get_latest_by"):
        m.Tag.objects.latest()


def test_none_is_empty_in_every_form(m: Any, newsroom: Any) -> None:
    nothing = m.Story.objects.none()
    with newsroom.database.counted() as queries:
        assert (list(nothing), nothing.count(), nothing.exists(), list(nothing.values())) == ([], 0, False, [])
        assert (nothing.first(), list(nothing.iterator()), list(newsroom.stories[0].tags.none())) == (None, [], [])
    assert queries == []
    assert nothing.aggregate(n=Count("pk")) == {"n": 0}
    with pytest.raises(FieldError, match="Did you mean 'title'"):
        list(nothing.filter(titel="Flood"))


def test_in_bulk_gives_rows_by_key(m: Any, newsroom: Any) -> None:
    keys = [story.pk for story in newsroom.stories[:3]]
    assert list(m.Story.objects.in_bulk([*keys, 10**6])) == keys
    assert m.Story.objects.in_bulk([]) == {}


def test_only_and_defer_load_the_rest_when_asked_for_all_rows_at_once(m: Any, newsroom: Any) -> None:
    with newsroom.database.counted() as queries:
        stories = list(m.Story.objects.only("title"))
        assert [story.title for story in stories][:2] == ["Story 0", "Story 1"]
        assert len(queries) == 1
        assert [story.slug for story in stories][:2] == ["story-0", "story-1"]
        assert len(queries) == 2
        assert stories[0].section_id == newsroom.sections[0].pk
        assert [story.section.slug for story in stories][:2] == ["section-0", "section-1"]
    assert len(queries) == 4
    assert m.Story.objects.defer("title").first().title == "Story 0"


def test_what_is_excluded_may_be_either_but_not_both(m: Any, newsroom: Any) -> None:
    """NULL in a negated side of ^ is no more true inside of exclude() than outside of it."""
    one_of_two = Q(editor__name="Author 1") ^ ~Q(editor=newsroom.authors[3])
    met = {story.pk for story in m.Story.objects.filter(one_of_two)}
    assert met == {story.pk for n, story in enumerate(newsroom.stories) if n % 4 in (0, 2)}
    assert {story.pk for story in m.Story.objects.exclude(one_of_two)} == {s.pk for s in newsroom.stories} - met
    assert {story.pk for story in m.Story.objects.exclude(~one_of_two)} == met


def test_iterator_gives_every_row_once_whatever_is_written_meanwhile(m: Any, newsroom: Any) -> None:
    seen = []
    for story in m.Story.objects.order_by("weight", "pk").iterator(chunk_size=4):
        seen.append(story.slug)
        m.Story.objects.filter(pk=story.pk).update(weight=F("weight") + 100)
        if story.slug == "story-5":
            newsroom.stories[19].tags.clear()
            newsroom.stories[19].bylines.all().delete()
            m.Story.objects.filter(slug="story-19").delete()
    expected = sorted((s for s in newsroom.stories[:19]), key=lambda s: (s.weight, s.pk))
    assert seen == [s.slug for s in expected]
    assert list(m.Story.objects.values_list("slug", flat=True).iterator())[:1] == ["story-0"]


def test_select_related_takes_single_objects_along_and_adds_up(m: Any, newsroom: Any) -> None:
    with newsroom.database.counted() as queries:
        story = m.Story.objects.select_related("section").select_related("editor").get(slug="story-1")
        assert (story.section.slug, story.editor.slug) == ("section-1", "author-1")
        assert m.Comment.objects.select_related("story__section").count() == 0
    assert len(queries) == 2
    m.Comment.objects.create(story=story, text="first")
    with newsroom.database.counted() as queries:
        comment = m.Comment.objects.select_related("story__section", "parent").get()
        assert (comment.story.section.slug, comment.parent) == ("section-1", None)
    assert len(queries) == 1


def test_querysets_of_the_model_chain_with_the_common_questions(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.weighty().filter(status="live").count() == 15
    assert m.Story.objects.filter(status="live").weighty().count() == 15
    assert newsroom.sections[0].stories.weighty().count() == 5
    with pytest.raises(AttributeError, match="StoryQuerySet of Story has no 'wieghty'"):
        m.Story.objects.wieghty()


@pytest.mark.usefixtures("first_keys")
def test_a_queryset_shows_its_rows_or_what_it_is_of(m: Any, newsroom: Any) -> None:
    assert repr(m.Tag.objects.filter(slug__in=["tag-0", "tag-1"])) == "<QuerySet [<Tag: Tag 1>, <Tag: Tag 2>]>"
    token = current.set(None)
    try:
        assert repr(m.Tag.objects.all()) == "<QuerySet of Tag>"
        with pytest.raises(DeclarationError, match="there is no current site"):
            m.Tag.objects.count()
    finally:
        current.reset(token)


def test_a_queryset_can_be_copied(m: Any, newsroom: Any) -> None:
    assert copy.copy(m.Tag.objects.all()).count() == 5
    with pytest.raises(AttributeError, match="has no 'model'"):
        m.Tag.objects.__class__.__new__(m.Tag.objects.__class__).model  # noqa: B018 - the read is the test


def test_the_manager_belongs_to_the_class(m: Any, newsroom: Any) -> None:
    with pytest.raises(AttributeError, match="objects belongs to the class Tag"):
        newsroom.tags[0].objects  # noqa: B018 - the read is the test


def test_a_site_that_is_not_prepared_says_so(m: Any) -> None:
    from toolkit.database import Database
    from toolkit.trace import Scope, entered

    with entered(Scope(None, Database("sqlite://"))), pytest.raises(DeclarationError, match=r"Call site\.prepare"):
        m.Tag.objects.count()


def test_instances_are_equal_by_key_and_hashable_once_saved(m: Any, newsroom: Any) -> None:
    again = m.Tag.objects.get(pk=newsroom.tags[0].pk)
    assert again == newsroom.tags[0] and again is not newsroom.tags[0]
    assert len({again, newsroom.tags[0]}) == 1
    assert again != m.Author(pk=again.pk)
    assert m.Tag() != m.Tag()
    with pytest.raises(TypeError, match="unsaved Tag"):
        hash(m.Tag())
    assert again in m.Tag.objects.all()


def test_instances_are_pickled_with_their_loaded_relations_even_in_a_circle(
    m: Any, newsroom: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys
    from types import ModuleType

    module = ModuleType(m.Story.__module__)
    module.__dict__.update(Story=m.Story, Section=m.Section, Author=m.Author)
    monkeypatch.setitem(sys.modules, m.Story.__module__, module)
    story = m.Story.objects.get(slug="story-1")
    assert next(iter(story.section.stories.all())).section.slug == "section-1"
    again = pickle.loads(pickle.dumps(story))
    assert again == story
    assert again.section.slug == "section-1"
    assert again._peers is None
    assert again._row == story._row


def test_rows_of_many_columns_have_each_its_own_in_their_order(m: Any, newsroom: Any) -> None:
    names = [field.attname for field in m.Everything._meta.fields if not field.is_heavy]
    assert len(names) > MOST_IN_LITERAL
    for number in range(3):
        m.Everything.objects.create(char=f"row {number}", big=number)
    rows = m.Everything.objects.annotate(twice=F("big") * 2).order_by("pk")
    assert [list(vars(row))[:-1] for row in rows] == [[*names, "twice"]] * 3  # the last tells what was left out
    assert [(row.char, row.big, row.twice, row.text) for row in rows] == [
        ("row 0", 0, 0, None),
        ("row 1", 1, 2, None),
        ("row 2", 2, 4, None),
    ]


def test_f_names_a_field_of_the_row_or_along_the_same_path(m: Any, newsroom: Any) -> None:
    stories = {story.pk: story for story in newsroom.stories}
    heavier = m.Story.objects.filter(section__position__lt=F("weight"))
    assert {s.pk for s in heavier} == {pk for pk, s in stories.items() if s.section.position < s.weight}
    sections = m.Section.objects.filter(stories__weight=F("position"), stories__published__gt=F("stories__expires"))
    assert list(sections) == []
    found = m.Section.objects.filter(stories__weight=F("position"), stories__status=F("stories__status"))
    assert {s.pk for s in found} == {s.section_id for s in stories.values() if s.weight == s.section.position}
    tags = m.Tag.objects.filter(stories__bylines__position=F("stories__weight"))
    assert {t.slug for t in tags} == {t.slug for b in m.Byline.objects.all() if b.position == b.story.weight
                                      for t in b.story.tags.all()}  # fmt: skip


# what Django has beside the common questions


def test_aliases_filter_and_order_and_are_not_given(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.alias(double=F("weight") * 2, n=Count("tags")).filter(double__gt=6, n=2)
    assert {story.weight for story in stories} == {4}
    assert not hasattr(stories[0], "double")
    assert "double" not in stories.values()[0]
    assert stories.order_by("-double", "pk").annotate(shown=F("double"))[0].shown == 8
    assert stories.values_list("double", flat=True)[0] == 8


def test_the_first_row_of_each_value(m: Any, newsroom: Any) -> None:
    newest = m.Story.objects.order_by("section", "-published").distinct("section")
    assert [s.slug for s in newest] == ["story-0", "story-1", "story-2"]
    assert newest.count() == 3 and newest.exists()
    assert [s.slug for s in newest[1:]] == ["story-1", "story-2"]
    by_weight = m.Story.objects.order_by("-published").distinct("weight")
    assert [s.slug for s in by_weight] == [f"story-{n}" for n in range(5)]
    assert [s.slug for s in by_weight.filter(weight__gt=2)] == ["story-3", "story-4"]
    assert [s.slug for s in by_weight.reverse()] == [f"story-{n}" for n in range(19, 14, -1)]
    assert m.Story.objects.filter(pk__in=by_weight).count() == 5
    assert list(m.Story.objects.order_by("section__slug", "pk").distinct("section__slug").values_list("slug")) == [
        ("story-0",), ("story-1",), ("story-2",)
    ]  # fmt: skip
    with pytest.raises(FieldError, match=r"distinct\('weight'\) is of rows of Story, not of groups or pairs"):
        list(m.Story.objects.distinct("weight").values("tags__slug"))


def test_a_relation_orders_as_its_model_does(m: Any, newsroom: Any) -> None:
    m.Section.objects.filter(slug="section-0").update(position=9)
    assert [s.slug for s in m.Story.objects.order_by("section", "pk")[:2]] == ["story-1", "story-4"]
    assert [s.slug for s in m.Story.objects.order_by("-section", "pk")[:2]] == ["story-0", "story-3"]
    assert [s.slug for s in m.Story.objects.order_by("section_id", "pk")[:2]] == ["story-0", "story-3"]
    assert [s.slug for s in m.Story.objects.order_by("section__pk", "pk")[:2]] == ["story-0", "story-3"]
    byline = m.Byline.objects.order_by("story").first()
    assert byline.story.slug == "story-0"


@pytest.mark.parametrize(
    "stories",
    [
        lambda m: m.Story.objects.values("section").distinct().order_by("published"),
        lambda m: m.Story.objects.values("section").annotate(n=Count("pk")).order_by("published"),
    ],
)
def test_what_is_no_longer_there_orders_nothing(m: Any, newsroom: Any, stories: Any) -> None:
    with pytest.raises(FieldError, match="cannot be ordered by 'published', which is not among them"):
        list(stories(m))


def test_slices_with_a_step_are_lists(m: Any, newsroom: Any) -> None:
    stories = m.Story.objects.order_by("pk")
    assert [s.slug for s in stories[1:8:3]] == ["story-1", "story-4", "story-7"]
    assert isinstance(stories[::2], list)
    with pytest.raises(TypeError, match="indexed with a number or a slice, not with 'x'"):
        stories["x"]


def test_a_queryset_that_changed_its_rows_is_asked_anew(m: Any, newsroom: Any) -> None:
    tags = m.Tag.objects.filter(slug__in=["tag-1", "tag-2"])
    assert [tag.name for tag in tags] == ["Tag 1", "Tag 2"]
    tags.update(name="Same")
    assert [tag.name for tag in tags] == ["Same", "Same"]
    tags.delete()
    assert list(tags) == [] and not tags


def test_a_manager_deletes_nothing(m: Any, newsroom: Any) -> None:
    with pytest.raises(FieldError, match=r"it would be every Tag that it gives. Write all\(\).delete\(\)"):
        m.Tag.objects.delete()
    assert m.Tag.objects.count() == 5


def test_an_error_names_values_without_a_question(m: Any, newsroom: Any) -> None:
    section, many = newsroom.sections[0], m.Section.objects.filter(position__gt=0)
    with newsroom.database.counted() as queries:
        for asked, told in (
            ({"section": section}, rf"section=<Section {section.pk}>, slug='gone'$"),
            ({"section__in": many}, r"section__in=<QuerySet of Section>, slug='gone'$"),
            ({"section__in": [section]}, rf"section__in=\[<Section {section.pk}>\], slug='gone'$"),
            ({"pk__in": list(range(5000))}, r"pk__in=\[0, 1, .{150,200}…, slug='gone'$"),
        ):
            with pytest.raises(m.Story.DoesNotExist, match=told):
                m.Story.objects.get(**asked, slug="gone")
        with pytest.raises(m.Story.DoesNotExist, match=r"\(section=<QuerySet of Section>\)$"):
            m.Story.objects.filter(slug="gone").get(Q(section=many[:1]))
    assert len(queries) == 5


def test_contains_asks_for_one_row(m: Any, newsroom: Any) -> None:
    story = newsroom.stories[4]
    with newsroom.database.counted() as queries:
        assert m.Story.objects.filter(weight=4).contains(story)
        assert not m.Story.objects.filter(weight=3).contains(story)
        assert "LIMIT" in queries[0]
        assert not m.Story.objects.contains(newsroom.tags[0])
    assert len(queries) == 2
    assert m.Story.objects.order_by("pk")[:5].contains(story) and not m.Story.objects.order_by("pk")[:4].contains(story)
    for wrong, told in ((m.Story(), "unsaved Story"), (3, "no instance")):
        with pytest.raises(FieldError, match=told):
            m.Story.objects.contains(wrong)
    with pytest.raises(FieldError, match=r"cannot follow values\(\)"):
        m.Story.objects.values("pk").contains(story)


def test_in_bulk_by_another_unique_field(m: Any, newsroom: Any) -> None:
    assert set(m.Tag.objects.in_bulk()) == {tag.pk for tag in newsroom.tags}
    assert m.Tag.objects.in_bulk(["tag-1", "gone"], field_name="slug") == {"tag-1": newsroom.tags[1]}
    with pytest.raises(FieldError, match="two rows of Tag may share a value"):
        m.Tag.objects.in_bulk(["Tag 1"], field_name="name")
    assert set(m.Story.objects.order_by("weight").distinct("weight").in_bulk(field_name="weight")) == set(range(5))


def test_in_bulk_gives_values_by_key_after_values(m: Any, newsroom: Any) -> None:
    tags, second = m.Tag.objects.order_by("pk"), newsroom.tags[1].pk
    assert tags.values("name").in_bulk([second]) == {second: {"name": "Tag 1"}}
    assert tags.values("pk", up=Upper("slug")).in_bulk([second]) == {second: {"pk": second, "up": "TAG-1"}}
    assert tags.values_list("name", "slug").in_bulk(["tag-1"], field_name="slug") == {"tag-1": ("Tag 1", "tag-1")}
    assert tags.values_list("name", flat=True).in_bulk() == {tag.pk: tag.name for tag in newsroom.tags}
    assert tags.values_list("name", named=True).in_bulk([second, 10**6])[second].name == "Tag 1"
    assert tags.values("name").in_bulk([]) == {}
    groups = m.Story.objects.order_by().values("status").annotate(n=Count("pk"))
    with pytest.raises(FieldError, match="pk"):
        groups.in_bulk()


def test_latest_by_several_fields(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.latest("weight", "-published").slug == "story-19"
    assert m.Story.objects.latest("weight", "published").slug == "story-4"
    assert m.Story.objects.earliest("-weight", "published").slug == "story-19"
    for ask in (lambda s: s.latest(), lambda s: s.last(), lambda s: s.earliest("pk"), lambda s: s.reverse()):
        with pytest.raises(FieldError, match="a sliced queryset cannot be changed"):
            ask(m.Story.objects.all()[:5])
    assert m.Story.objects.order_by("pk")[3:4].get().slug == "story-3"


def test_the_database_explains_itself(m: Any, newsroom: Any) -> None:
    told = m.Story.objects.filter(slug="story-3").explain()
    assert "news_story" in told
    if newsroom.database.dialect == "sqlite":
        assert "INDEX" in told
        with pytest.raises(FieldError, match="SQLite does not measure"):
            m.Story.objects.explain(analyze=True)
    else:
        assert m.Story.objects.explain(format="JSON").lstrip()[0] in "[{"
        assert m.Story.objects.explain(analyze=True)
    with pytest.raises(FieldError, match="does not know this format"):
        m.Story.objects.explain(format="text; DROP TABLE news_tag")


def test_a_question_tells_its_sql_and_its_database(m: Any, newsroom: Any) -> None:
    with newsroom.database.counted() as queries:
        stories = m.Story.objects.filter(weight=4, status="live")[:3]
        text = str(stories.query)
        assert stories.db == "default"
        assert not queries
        list(stories)
    sql, _, values = text.partition("\n-- ")
    assert [sql] == queries and values.startswith("4, 'live'")
    assert "--" not in m.Story.objects.order_by("pk").query


def test_a_condition_may_be_given_as_a_mapping(m: Any, newsroom: Any) -> None:
    """As ``limit_choices_to`` takes it."""
    stories = m.Story.objects.filter(section=newsroom.sections[0])
    for given in ({"weight__gt": 1, "status": "live"}, Q(weight__gt=1, status="live")):
        assert set(stories.complex_filter(given)) == set(stories.filter(weight__gt=1, status="live"))
    assert set(stories.complex_filter({})) == set(stories.complex_filter(Q())) == set(stories)
    with pytest.raises(FieldError, match=r"Did you mean 'weight'"):
        stories.complex_filter({"wieght": 1})
    with pytest.raises(FieldError, match="not 3"):
        stories.complex_filter(3)


@pytest.mark.parametrize("connect", [or_, and_, xor])
def test_an_empty_condition_says_nothing(m: Any, newsroom: Any, connect: Any) -> None:
    """``found = Q()`` before a loop of ``found |= ...`` does not let every row through, and ``~Q()`` keeps none."""
    for empty in (Q(), ~Q(), Q(Q()), Q(Q(), ~Q())):
        for condition in (connect(empty, Q(weight=1)), connect(Q(weight=1), empty), Q(empty, weight=1)):
            assert {story.weight for story in m.Story.objects.filter(condition)} == {1}
            assert m.Story.objects.exclude(condition).count() == 16
        assert m.Story.objects.filter(empty).count() == m.Story.objects.exclude(empty).count() == 20
    assert m.Story.objects.exclude().count() == 20
    assert m.Story.objects.exclude(~Q(), weight=1).count() == 16
