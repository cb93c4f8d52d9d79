"""Deleting takes along what ``on_delete`` says, and says what it took."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from toolkit import models
from toolkit.database import Database
from toolkit.errors import IntegrityError, ProtectedError, ValidationError
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import READER, Scope, entered


def test_a_delete_lists_exactly_the_rows_that_go(m: Any, newsroom: Any) -> None:
    story = newsroom.stories[0]
    first = m.Comment.objects.create(story=story, text="first")
    m.Comment.objects.create(story=newsroom.stories[1], parent=first, text="answer elsewhere")
    m.Comment.objects.create(story=newsroom.stories[1], text="stays")
    gone = {label: count for label, count in story.delete().items() if count}
    assert gone == {"news.Story": 1, "news.Byline": 1, "news.Story_tags": 2, "news.Comment": 2}
    assert m.Comment.objects.get().text == "stays"
    assert m.Story.objects.count() == 19
    assert m.Tag.objects.count() == 5


def test_a_protected_row_stays_and_the_rows_that_protect_it_are_named(m: Any, newsroom: Any) -> None:
    told = r"Section cannot be deleted: Story\.section refers to it \(Story 0, .* and 2 more"
    with pytest.raises(ProtectedError, match=told) as refusal:
        newsroom.sections[0].delete()
    assert refusal.value.objects == newsroom.stories[0::3]
    assert not refusal.value.plan.allowed
    with pytest.raises(ProtectedError, match="Delete those first"):
        m.Section.objects.all().delete()
    assert m.Section.objects.count() == 3


def test_set_null_lets_go(m: Any, newsroom: Any) -> None:
    newsroom.authors[1].delete()
    assert m.Story.objects.filter(editor=None).count() == 15
    assert m.Byline.objects.count() == 15


def test_rows_that_refer_to_each_other_in_a_circle_go_together(m: Any, newsroom: Any) -> None:
    story = newsroom.stories[0]
    first = m.Comment.objects.create(story=story, text="first")
    second = m.Comment.objects.create(story=story, parent=first, text="second")
    m.Comment.objects.filter(pk=first.pk).update(parent=second)
    assert first.delete() == {"news.Comment": 2}


def test_a_whole_question_is_deleted(m: Any, newsroom: Any) -> None:
    gone = m.Story.objects.filter(weight=0).delete()
    assert gone["news.Story"] == 4
    assert m.Story.objects.count() == 16
    assert m.Story.objects.none().delete() == {}


def test_many_rows_are_deleted_in_statements_that_a_database_takes(m: Any, scope: Any) -> None:
    m.Tag.objects.bulk_create([m.Tag(name="t", slug=f"t{n}") for n in range(1234)])
    assert m.Tag.objects.all().delete() == {"news.Tag": 1234}


def test_a_deleted_instance_can_be_saved_again(m: Any, scope: Any) -> None:
    tag = m.Tag.objects.create(name="t", slug="t")
    tag.delete()
    tag.save()
    assert m.Tag.objects.get() == tag


def test_hidden_rows_go_along_too(m: Any, newsroom: Any) -> None:
    with entered(m.look(newsroom.database, READER)):
        m.Tag.objects.get(slug="tag-2").delete()
    assert m.Story.objects.get(slug="story-7").tags.count() == 1


@pytest.fixture
def house() -> Any:
    """Models with the other forms of on_delete."""

    class House(models.Model):
        name = models.CharField(max_length=9)

    class Room(models.Model):
        house = models.ForeignKey(House, on_delete=models.CASCADE)

    class Lamp(models.Model):
        room = models.ForeignKey(Room, on_delete=models.RESTRICT)
        house = models.ForeignKey(House, on_delete=models.CASCADE, null=True)

    class Guest(models.Model):
        house = models.ForeignKey(House, on_delete=models.SET_DEFAULT, default=1)

    class Letter(models.Model):
        house = models.ForeignKey(House, on_delete=models.DO_NOTHING)

    everything, problems = resolve_models({"town": [House, Room, Lamp, Guest, Letter]})
    assert not problems
    database: Any = Database("sqlite://")
    database.schema = Schema(everything, "sqlite")
    database.schema.metadata  # noqa: B018 - makes the tables
    from sqlalchemy.schema import CreateTable

    for table in database.schema.metadata.sorted_tables:
        database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
    with entered(Scope(None, database)):
        first = House.objects.create(name="first")
        yield SimpleNamespace(
            House=House, Room=Room, Lamp=Lamp, Guest=Guest, Letter=Letter, first=first, database=database,
            second=House.objects.create(name="second"),
        )  # fmt: skip
    database.close()


def test_a_restricting_row_may_go_along_but_not_stay(house: Any) -> None:
    room = house.Room.objects.create(house=house.second)
    lamp = house.Lamp.objects.create(room=room)
    with pytest.raises(ProtectedError, match=r"Room cannot be deleted: Lamp\.room refers to it"):
        house.second.delete()
    lamp.house = house.second
    lamp.save()
    assert house.second.delete() == {"town.House": 1, "town.Room": 1, "town.Lamp": 1}


def test_set_default_gives_the_default(house: Any) -> None:
    guest = house.Guest.objects.create(house=house.second)
    house.second.delete()
    guest.refresh_from_db()
    assert guest.house == house.first


def test_do_nothing_leaves_it_to_the_database_which_refuses_and_names_the_row(house: Any) -> None:
    letter = house.Letter.objects.create(house=house.second)
    with pytest.raises(IntegrityError, match=f"row {letter.pk} of town_letter refers to a row of town_house that"):
        house.second.delete()
    assert house.House.objects.count() == 2


def test_a_row_without_a_key_is_not_deleted_silently(m: Any, scope: Any) -> None:
    with pytest.raises(ValidationError, match="this Section has no key, so there is no row to delete"):
        m.Section(name="Town").delete()
