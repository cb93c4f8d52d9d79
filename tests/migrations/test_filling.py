"""Two steps on one field become one when rows end with the same: fills and defaults are of the kind they are for."""

from __future__ import annotations

import uuid

import pytest

from toolkit import migrations, models

KNOWN = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
ONE = uuid.UUID(KNOWN)


def count(**options):
    return models.IntegerField(**options)


def text(**options):
    return models.CharField(**{"max_length": 40} | options)


CASES = {
    "nothing until the second fills it": ([count(null=True), count()], {1: 7}, 7, 1),
    "nothing, and another kind filled": ([count(null=True), models.UUIDField()], {1: KNOWN}, ONE, 1),
    "a fill of the first kind is converted": ([count(), text()], {0: 7}, "7", 2),
    "a default of the first kind is converted": ([count(default=7), text(default="none")], {}, "7", 2),
    "one kind keeps its fill": ([count(), count(null=True)], {0: 7}, 7, 1),
    "and its default, when that changes": ([count(default=7), count(default=8)], {}, 7, 1),
    "and when there is none later": ([count(default=7), count()], {}, 7, 1),
    "nothing stays nothing": ([count(null=True, default=None), count(null=True, default=8)], {}, None, 1),
    "text grows": ([text(), text(max_length=60)], {0: "seven"}, "seven", 1),
    "empty text": ([text(blank=True), models.TextField(blank=True)], {}, "", 2),
    "a third step": ([count(null=True), count(), text()], {1: 7}, "7", 2),
    "the database's default": ([count(db_default=7), count(db_default=8)], {}, 7, 2),
}


@pytest.mark.parametrize(("fields", "fills", "expected", "steps"), CASES.values(), ids=CASES)
def test_rows_end_with_the_same_by_one_step_or_by_two(newsroom, model, fields, fills, expected, steps):
    newsroom.migrate(model("Story", title=text()))
    for number, field in enumerate(fields):
        newsroom.declare(model("Story", title=text(), extra=field))
        given = {"news.Story.extra": fills[number]} if number in fills else {}
        made = newsroom.make(fills=given)
        assert made or number  # a default alone is no migration
    names = sorted(path.stem for path in newsroom.app.migrations_folder.glob("0*.py"))

    def walked():
        (story,) = newsroom.app.models
        newsroom.database.execute("INSERT INTO news_story (title) VALUES ('Rain')")
        newsroom.apply()
        assert newsroom.problems() == []
        (value,) = newsroom.values(story, "extra")
        newsroom.database.execute("DELETE FROM news_story")  # a UUID becomes no number on the way back
        newsroom.apply("news.zero")
        return value

    assert walked() == expected
    if len(names) > 2:
        squashed = migrations.squash([newsroom.app], "news", names[1], names[-1])
        assert len(squashed.written.summary) == steps
    newsroom.apply("news.0001")
    assert walked() == expected


ALTERED = {
    "the first fill counts": ([count(null=True), count(), count(null=True), count()], {1: 7, 3: 8}, 7),
    "also where NULL is allowed again": ([count(null=True), count(), count(null=True)], {1: 7}, 7),
    "or its default": ([text(null=True), text(default="a"), text(default="b", max_length=60)], {}, "a"),
    "and is converted": ([count(null=True), count(), text()], {1: 7}, "7"),
    "nothing until the second fills it": ([count(null=True), text(null=True), text()], {2: "7"}, "7"),
}


@pytest.mark.parametrize(("fields", "fills", "expected"), ALTERED.values(), ids=ALTERED)
def test_rows_that_held_nothing_end_with_the_same_by_one_step_or_by_two(newsroom, model, fields, fills, expected):
    for number, field in enumerate(fields):
        newsroom.declare(model("Story", title=text(), extra=field))
        newsroom.make(fills={"news.Story.extra": fills[number]} if number in fills else {})
    names = sorted(path.stem for path in newsroom.app.migrations_folder.glob("0*.py"))
    for squashed in (False, True):
        if squashed:
            migrations.squash([newsroom.app], "news", names[1], names[-1])
        newsroom.apply("news.0001")
        newsroom.database.execute("INSERT INTO news_story (title) VALUES ('Rain')")
        newsroom.apply()
        assert newsroom.values(newsroom.app.models[0], "extra") == [expected]
        newsroom.apply("news.zero")


def test_a_reference_is_filled_with_what_it_holds_at_that_step(sqlite_newsroom, model):
    """A squashed migration does not take the fill of one that refers by another field for a key."""
    newsroom = sqlite_newsroom
    for by in ({"to_field": "sign", "null": True}, {"to_field": "sign"}, {}):
        tag = model("Tag", sign=text(unique=True))
        newsroom.declare(tag, model("Story", tag=models.ForeignKey(tag, on_delete=models.CASCADE, **by)))
        newsroom.make(fills={"news.Story.tag": "sea"})
    names = sorted(path.stem for path in newsroom.app.migrations_folder.glob("0*.py"))
    migrations.squash([newsroom.app], "news", names[1], names[-1])
    newsroom.apply()
    assert newsroom.problems() == []


def test_a_fill_for_the_way_back_is_of_the_kind_that_goes(newsroom, model):
    newsroom.migrate(model("Story", title=text(), extra=text()))
    newsroom.declare(model("Story", title=text(), extra=count())).make()
    (made,) = newsroom.declare(model("Story", title=text())).make()
    told = made.text.replace('name="extra"', 'name="extra", fill=7')
    (newsroom.app.migrations_folder / f"{made.name}.py").write_text(told)
    names = sorted(path.stem for path in newsroom.app.migrations_folder.glob("0*.py"))
    squashed = migrations.squash([newsroom.app], "news", names[1], names[-1])
    newsroom.apply()
    newsroom.database.execute("INSERT INTO news_story (title) VALUES ('Rain')")
    newsroom.apply("news.0001")
    assert newsroom.rows("news_story", "extra") == [("7",)]
    assert len(squashed.written.summary) == 2


def test_what_a_migration_that_failed_left_on_the_connection_is_in_nobodys_way(newsroom, model):
    newsroom.migrate(model("Story", title=text()))
    newsroom.database.execute("INSERT INTO news_story (title) VALUES ('Rain')")
    newsroom.database.execute("CREATE TEMPORARY TABLE toolkit_values (id INTEGER)")
    newsroom.migrate(model("Story", title=text(), code=models.UUIDField(default=uuid.uuid4)))
    assert len(newsroom.values(newsroom.app.models[0], "code")) == 1
