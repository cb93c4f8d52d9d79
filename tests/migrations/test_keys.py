"""Primary keys that become keys of another kind, and everything that refers to them."""

from __future__ import annotations

import uuid

import pytest

from toolkit import models
from toolkit.errors import IntegrityError, MigrationError


def newsroom_models(model, **key):
    """Stories with a section (kept in order), tags, a translation, a child with a table of its own, a composite key."""
    section = model("Section", name=models.CharField(max_length=20, unique=True), **key)
    story = model(
        "Story",
        title=models.CharField(max_length=20, translated=True),
        section=models.ForeignKey(section, on_delete=models.CASCADE, null=True, related_name="+"),
        sections=models.ManyToManyField(section, related_name="+"),
    )
    front = model("Front", {}, inherits=section, height=models.IntegerField(default=0))
    note = model("Note", front=models.ForeignKey(front, on_delete=models.CASCADE, related_name="+"))
    place = model(
        "Place",
        pk=models.CompositePrimaryKey("section", "number"),
        section=models.ForeignKey(section, on_delete=models.CASCADE, related_name="+"),
        number=models.IntegerField(),
    )
    return [section, story, front, note, place]


def fill(newsroom):
    section, story, front, note, place = newsroom.app.models
    made = [newsroom.save(section, name=name) for name in ("sea", "sky")]
    home = newsroom.save(front, name="home", height=3)
    for number, one in enumerate([*made, home, None]):
        newsroom.save(story, title=f"about {one.name if one else 'nothing'}", section=one)
        if one is not None:
            newsroom.save(place, section=one, number=number)
    newsroom.save(note, front=home)
    database, through = newsroom.database, story._meta.get_field("sections").through
    (first,) = [pk for pk, title in newsroom.rows("news_story", "id, title") if title == "about sea"]
    for one in made:
        newsroom.save(through, story_id=first, section_id=one.pk)
    database.execute(f"INSERT INTO news_story_translation (source_id, locale, title) VALUES ({first}, 'es', 'mar')")


def told(newsroom, key="id"):
    """What the rows say, without their keys."""

    def names(sql: str) -> list[tuple[object, ...]]:
        return sorted(tuple(row) for row in newsroom.database.fetch(sql))

    return {
        "stories": names(
            f"SELECT t.title, s.name FROM news_story t LEFT JOIN news_section s ON s.{key} = t.section_id"
            " WHERE t.section_id IS NOT NULL"
        ),
        "none": names("SELECT title FROM news_story WHERE section_id IS NULL"),
        "links": names(
            "SELECT t.title, s.name FROM news_story_sections l JOIN news_story t ON t.id = l.story_id"
            f" JOIN news_section s ON s.{key} = l.section_id"
        ),
        "fronts": names(f"SELECT s.name, f.height FROM news_front f JOIN news_section s ON s.{key} = f.section_ptr_id"),
        "notes": names(f"SELECT s.name FROM news_note n JOIN news_section s ON s.{key} = n.front_id"),
        "places": names(f"SELECT s.name, p.number FROM news_place p JOIN news_section s ON s.{key} = p.section_id"),
        "translated": names("SELECT locale, title FROM news_story_translation"),
    }


KEYS = {
    "uuid": lambda: {"id": models.UUIDField(primary_key=True, default=uuid.uuid4)},
    "small": lambda: {"id": models.SmallAutoField(primary_key=True)},
    "integer": lambda: {"id": models.IntegerField(primary_key=True)},
    "text": lambda: {"id": models.CharField(primary_key=True, max_length=40)},
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_becomes_one_of_another_kind_and_all_that_refers_to_it_follows(newsroom, model, kind):
    newsroom.migrate(*newsroom_models(model))
    fill(newsroom)
    before = told(newsroom)
    made = newsroom.migrate(*newsroom_models(model, **KEYS[kind]()))
    assert made.summary == ("Alter field id of Section",)
    assert told(newsroom) == before
    section = newsroom.app.models[0]
    with pytest.raises(IntegrityError), newsroom.database.atomic():
        newsroom.save(newsroom.app.models[1], title="lost", section_id=KEYS_OF_NOTHING[kind])
    extra = {} if kind in ("uuid", "small") else {"id": 99 if kind == "integer" else "ninety"}
    newsroom.save(section, name="new", **extra)
    newsroom.database.execute("DELETE FROM news_section WHERE name = 'new'")
    newsroom.apply("news.0001")
    assert told(newsroom) == before
    newsroom.declare(*newsroom_models(model))
    newsroom.save(newsroom.app.models[0], name="newer")
    newsroom.apply()
    newsroom.apply("news.zero")


KEYS_OF_NOTHING = {"uuid": uuid.uuid4(), "small": 99, "integer": 99, "text": "none"}


def test_a_key_may_get_another_name_too(newsroom, model):
    newsroom.migrate(*newsroom_models(model))
    fill(newsroom)
    before = told(newsroom)
    key = {"code": models.UUIDField(primary_key=True, default=uuid.uuid4)}
    made = newsroom.migrate(*newsroom_models(model, **key))
    assert made.summary == ("Rename field id of Section to code", "Alter field code of Section")
    assert told(newsroom, key="code") == before
    newsroom.apply("news.0001")
    assert told(newsroom) == before


def test_keys_come_from_a_function_that_the_operation_names(newsroom, model):
    newsroom.migrate(*newsroom_models(model))
    fill(newsroom)
    before = told(newsroom)
    newsroom.declare(*newsroom_models(model, id=models.CharField(primary_key=True, max_length=40)))
    (made,) = newsroom.make()
    text = made.path.read_text()
    text = text.replace("max_length=40, primary_key=True", "primary_key=True, max_length=40")
    text = text.replace("primary_key=True, max_length=40)", "primary_key=True, max_length=40), fill=key")
    text = text.replace("class Migration", "import itertools\n\nNUMBERS = itertools.count(1)\n\n\n"
        "def key():\n    return f'k{next(NUMBERS)}'\n\n\nclass Migration")  # fmt: skip
    made.path.write_text(text)
    newsroom.apply()
    assert told(newsroom) == before
    assert all(pk.startswith("k") for (pk,) in newsroom.rows("news_section", "id"))


def test_keys_that_the_new_kind_cannot_hold_are_named_and_nothing_is_changed(newsroom, model):
    def story(key):
        return model("Story", id=key)

    newsroom.migrate(story(models.CharField(primary_key=True, max_length=10)))
    newsroom.save(newsroom.app.models[0], id="seven")
    newsroom.declare(story(models.IntegerField(primary_key=True))).make()
    with pytest.raises(MigrationError, match=r"row seven, id: 'seven' is not a whole number"):
        newsroom.apply()
    assert newsroom.rows("news_story") == [("seven",)]
    newsroom.database.execute("UPDATE news_story SET id = '7'")
    newsroom.apply()
    assert newsroom.rows("news_story") == [(7,)]


def test_a_uuid_without_a_default_is_asked_for(newsroom, model):
    newsroom.migrate(model("Story", title=models.CharField(max_length=9)))
    newsroom.save(newsroom.app.models[0], title="a")
    newsroom.declare(model("Story", title=models.CharField(max_length=9), id=models.UUIDField(primary_key=True))).make()
    with pytest.raises(MigrationError, match="numbers cannot become UUIDField keys by themselves"):
        newsroom.apply()
    assert newsroom.rows("news_story") == [(1, "a")]


def test_a_table_that_was_inherited_from_is_left(newsroom, model):
    """The link to the parent becomes a key of one's own: rows stay what they are, but for what the parent had."""
    parent = model("Place", name=models.CharField(max_length=9))
    bar = model("Bar", {}, inherits=parent, stools=models.IntegerField(default=0))
    note = model("Note", bar=models.ForeignKey(bar, on_delete=models.CASCADE, related_name="+"))
    newsroom.migrate(parent, bar, note)
    newsroom.save(parent, name="park")
    newsroom.save(note, bar=newsroom.save(bar, name="Luce", stools=4))
    parent = model("Place", name=models.CharField(max_length=9))
    bar = model("Bar", stools=models.IntegerField(default=0))
    note = model("Note", bar=models.ForeignKey(bar, on_delete=models.CASCADE, related_name="+"))
    made = newsroom.migrate(parent, bar, note)
    assert made.summary == ("Rename field place_ptr of Bar to id", "Let Bar inherit no more")
    assert newsroom.rows("news_bar", "id, stools") == [(2, 4)]
    assert newsroom.rows("news_note", "bar_id") == [(2,)]
    newsroom.apply("news.0001")
    assert newsroom.rows("news_bar", "place_ptr_id, stools") == [(2, 4)]
    assert newsroom.rows("news_place") == [(1, "park"), (2, "Luce")]


def test_references_to_nothing_stand_in_the_way(sqlite_newsroom, model):
    newsroom = sqlite_newsroom
    newsroom.migrate(*newsroom_models(model))
    fill(newsroom)
    newsroom.database.execute("PRAGMA foreign_keys = OFF")
    newsroom.database.execute("UPDATE news_story SET section_id = 77 WHERE title = 'about sea'")
    newsroom.database.execute("PRAGMA foreign_keys = ON")
    newsroom.declare(*newsroom_models(model, **KEYS["uuid"]())).make()
    with pytest.raises(MigrationError, match="section_id refers to rows that are not there, in 1 rows"):
        newsroom.apply()


def test_a_reference_to_keys_of_another_kind_is_not_guessed(newsroom, model):
    def declared(to):
        desk = model("Desk")
        paper = model("Paper", id=models.UUIDField(primary_key=True, default=uuid.uuid4))
        target = {"Desk": desk, "Paper": paper}[to]
        return desk, paper, model("Note", to=models.ForeignKey(target, on_delete=models.CASCADE, related_name="+"))

    newsroom.migrate(*declared("Desk"))
    desk, _, note = newsroom.app.models
    newsroom.save(note, to=newsroom.save(desk))
    newsroom.declare(*declared("Paper")).make()
    with pytest.raises(MigrationError, match=r"row 1, to: it refers to row 1 of news\.Desk.*keys of another kind"):
        newsroom.apply()
    newsroom.database.execute("DELETE FROM news_note")
    newsroom.apply()
    assert newsroom.problems() == []
    newsroom.apply("news.zero")
