"""Which partner a condition is about: one and the same for all that one ``filter()`` says of a relation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.models.conftest import KINDS, URLS, look
from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.errors import FieldError
from toolkit.models import Count, F, Max, Q, RowNumber, StringAgg, Sum, Window
from toolkit.trace import READER, entered


@pytest.fixture
def desk(m: Any, scope: Any) -> Any:
    """Ann is first author of "flood" and second of "storm", Ben the other way round; "calm" has neither."""
    section = m.Section.objects.create(name="News", slug="news")
    ann, ben = (m.Author.objects.create(name=name, slug=name.lower()) for name in ("Ann", "Ben"))
    for weight, slug in enumerate(("flood", "storm", "calm")):
        m.Story.objects.create(title=slug.title(), slug=slug, section=section, published=m.NOON, weight=weight)
    flood, storm = m.Story.objects.filter(slug__in=["flood", "storm"]).order_by("weight")
    for story, author, position in [(flood, ann, 1), (flood, ben, 2), (storm, ben, 1), (storm, ann, 2)]:
        m.Byline.objects.create(story=story, author=author, position=position)
    for story, score in [(flood, 3), (flood, 0), (storm, 1)]:
        m.Comment.objects.create(story=story, text="?", score=score)
    return scope.database


def slugs(rows: Any) -> list[str]:
    return sorted(row.slug for row in rows)


# the rows of a table between, and the partners behind them


def test_partners_and_the_rows_between_that_lead_to_them_are_one_matter(m: Any, desk: Any) -> None:
    assert slugs(m.Story.objects.filter(authors__name="Ann", bylines__position=1)) == ["flood"]
    assert slugs(m.Story.objects.filter(bylines__position=2, authors__name="Ann")) == ["storm"]
    assert slugs(m.Author.objects.filter(stories__slug="flood", bylines__position=2)) == ["ben"]
    assert slugs(m.Story.objects.filter(Q(authors__name="Ann") & (Q(bylines__position=1) | Q(weight=7)))) == ["flood"]
    assert slugs(m.Story.objects.exclude(authors__name="Ann", bylines__position=1)) == ["calm", "storm"]
    assert slugs(m.Story.objects.filter(authors=F("bylines__author"))) == ["flood", "storm"]


def test_two_filters_may_be_about_two_rows_between(m: Any, desk: Any) -> None:
    assert slugs(m.Story.objects.filter(authors__name="Ann").filter(bylines__position=1)) == ["flood", "storm"]
    assert slugs(m.Story.objects.filter(Q(authors__name="Ann") | Q(bylines__position=1))) == ["flood", "storm"]


@pytest.mark.parametrize("said", ["authors", "authors__pk", "authors__in"])
def test_a_path_that_ends_at_the_partners_goes_by_the_rows_between_too(m: Any, desk: Any, said: str) -> None:
    ann = m.Author.objects.get(slug="ann")
    given = {"authors": ann, "authors__pk": ann.pk, "authors__in": m.Author.objects.filter(name="Ann")}[said]
    assert slugs(m.Story.objects.filter(**{said: given}, bylines__position=1)) == ["flood"]
    assert slugs(m.Story.objects.filter(authors__isnull=True, bylines__isnull=True)) == ["calm"]
    assert slugs(m.Story.objects.filter(authors__isnull=True, bylines__position=1)) == []


def test_it_holds_behind_other_relations(m: Any, desk: Any) -> None:
    found = m.Comment.objects.filter(story__authors__name="Ann", story__bylines__position=2)
    assert [comment.score for comment in found] == [1]
    found = m.Section.objects.filter(stories__authors__name="Ann", stories__bylines__position=2, stories__weight=0)
    assert not found.exists()


def test_aggregates_count_the_partners_of_the_rows_between_that_are_meant(m: Any, desk: Any) -> None:
    stories = m.Story.objects.order_by("weight")
    firsts = stories.annotate(names=StringAgg("authors__name", ", ", filter=Q(bylines__position=1)))
    assert [story.names for story in firsts] == ["Ann", "Ben", None]
    places = stories.annotate(place=Max("bylines__position", filter=Q(authors__name="Ann")))
    assert [story.place for story in places] == [1, 2, None]
    ordered = stories.annotate(names=StringAgg("authors__name", ", ", order_by="-bylines__position"))
    assert [story.names for story in ordered] == ["Ben, Ann", "Ann, Ben", None]


def test_values_and_groups_join_them_once(m: Any, desk: Any) -> None:
    pairs = m.Story.objects.filter(slug="flood").values_list("authors__name", "bylines__position")
    assert sorted(pairs) == [("Ann", 1), ("Ben", 2)]
    groups = m.Author.objects.values("name").annotate(n=Count("stories", filter=Q(bylines__position=1)))
    assert [(group["name"], group["n"]) for group in groups.order_by("name")] == [("Ann", 1), ("Ben", 1)]
    total = m.Story.objects.aggregate(n=Sum("bylines__position", filter=Q(authors__name="Ben")))
    assert total == {"n": 3}


# fields of partners on the right


def test_a_value_may_be_compared_with_that_of_a_partner(m: Any, desk: Any) -> None:
    assert slugs(m.Story.objects.filter(weight__lt=F("comments__score"))) == ["flood"]
    assert slugs(m.Story.objects.filter(weight=F("comments__score"))) == ["flood", "storm"]
    assert slugs(m.Story.objects.filter(weight__range=(F("comments__score") - 1, F("comments__score")))) == [
        "flood",
        "storm",
    ]
    assert slugs(m.Story.objects.filter(weight__in=[F("comments__score"), 2])) == ["calm", "flood", "storm"]
    assert slugs(m.Story.objects.exclude(weight=F("comments__score"))) == ["calm"]


def test_it_is_the_partner_of_whom_the_other_conditions_speak(m: Any, desk: Any) -> None:
    assert slugs(m.Story.objects.filter(weight=F("comments__score"), comments__score__gt=0)) == ["storm"]
    assert slugs(m.Story.objects.filter(comments__score__gt=0, weight=F("comments__score"))) == ["storm"]
    assert slugs(m.Story.objects.filter(weight=F("comments__score")).filter(comments__score__gt=0)) == [
        "flood",
        "storm",
    ]
    assert slugs(m.Story.objects.filter(bylines__position__lt=F("comments__score"))) == ["flood"]


def test_a_mistyped_name_on_the_right_is_told(m: Any, desk: Any) -> None:
    with pytest.raises(FieldError, match=r"Comment has no field 'scor'.*Did you mean 'score'"):
        list(m.Story.objects.filter(weight__lt=F("comments__scor")))
    with pytest.raises(FieldError, match="a condition on groups speaks of 'weight'"):
        list(m.Story.objects.values("status").annotate(n=Count("pk")).filter(n__range=(F("weight"), 3)))


def test_a_window_may_stand_in_a_list(m: Any, desk: Any) -> None:
    rows = m.Story.objects.annotate(place=Window(RowNumber(), order_by="-weight"))
    assert slugs(rows.filter(weight__in=[F("place"), 0])) == ["flood"]
    assert slugs(rows.filter(weight__range=(F("place"), 9))) == ["calm"]


# what readers see


class Person(models.Model):
    name = models.CharField(max_length=20)
    shown = models.BooleanField(default=True)

    class Meta:
        public = Q(shown=True)


class Album(models.Model):
    title = models.CharField(max_length=20)
    players = models.ManyToManyField(Person, related_name="albums", through="Part")


class Part(models.Model):
    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="parts")
    player = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="parts")
    weight = models.IntegerField()


@pytest.mark.parametrize("url", URLS, ids=KINDS)
def test_partners_whom_a_reader_may_not_see_are_not_found_by_the_rows_between(url: str) -> None:
    database = opened_with(url, resolved({"music": [Person, Album, Part]}))
    with entered(look(database)):
        ann, eve = (Person.objects.create(name=name, shown=name == "Ann") for name in ("Ann", "Eve"))
        album = Album.objects.create(title="First")
        for weight, player in enumerate((ann, eve), 1):
            Part.objects.create(album=album, player=player, weight=weight)
    with entered(look(database, READER)):
        assert Album.objects.filter(players=ann, parts__weight=1).count() == 1
        for said in ({"players": eve.pk}, {"players__in": [eve.pk]}, {"players__name": "Eve"}, {"players": None}):
            assert not Album.objects.filter(**said, parts__weight=2).exists()
        heavy = Q(parts__weight__gt=0)
        (found,) = Album.objects.annotate(n=Count("players", filter=heavy), w=Sum("parts__weight"))
        assert (found.n, found.w) == (1, 3)
        assert list(Album.objects.values_list("players__name", "parts__weight")) == [("Ann", 1)]
    database.drop()
