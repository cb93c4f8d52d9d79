"""Columns that depend on others, and keys that the database follows: changed together, and renamed."""

from __future__ import annotations

from copy import copy

import pytest

from tests.migrations.conftest import FakeApp
from toolkit import migrations, models
from toolkit.errors import IntegrityError
from toolkit.models import F
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, entered


def title(**options):
    return models.CharField(max_length=80, **options)


def doubled(name="count", kind=models.IntegerField, **options):
    return models.GeneratedField(expression=F(name) * 2, output_field=kind(), db_persist=True, **options)


@pytest.fixture
def counted(newsroom, model):
    """A column that is computed from another, with an index and a condition."""
    newsroom.migrate(counting(model))
    newsroom.save(newsroom.app.models[0], count=3)
    return newsroom


def counting(model, name="count", kind=models.IntegerField, **more):
    meta = {
        "indexes": [models.Index(fields=["twice"], name="by_twice")],
        "constraints": [models.CheckConstraint(condition=models.Q(**{f"{name}__gt": 0}), name="some")],
    }
    return model("Story", meta, **{name: kind()}, twice=doubled(name, kind), **more)


def test_a_field_that_another_is_computed_from_is_renamed(counted, model):
    counted.migrate(counting(model, "number"))
    assert counted.questions == ["Was the field news.Story.count renamed to number?"]
    assert counted.rows("news_story", "number, twice") == [(3, 6)]
    counted.apply("news.0001")
    assert counted.rows("news_story", "count, twice") == [(3, 6)]


def test_a_field_that_another_is_computed_from_changes_its_kind(counted, model):
    counted.migrate(counting(model, kind=models.BigIntegerField))
    assert counted.rows("news_story", "count, twice") == [(3, 6)]
    counted.migrate(counting(model, kind=models.FloatField))
    assert counted.rows("news_story", "count, twice") == [(3.0, 6.0)]
    counted.apply("news.0001")
    assert counted.rows("news_story", "count, twice") == [(3, 6)]


def test_both_go_at_once_and_come_back(counted, model):
    counted.migrate(model("Story", title=title(default="none")))
    assert counted.rows("news_story", "title") == [("none",)]
    counted.database.execute("DELETE FROM news_story")
    counted.apply("news.0001")
    counted.declare(counting(model))
    counted.save(counted.app.models[0], count=4)
    assert counted.rows("news_story", "count, twice") == [(4, 8)]


def test_a_computed_column_becomes_an_ordinary_one_and_computed_again(counted, model):
    counted.migrate(model("Story", count=models.IntegerField(), twice=models.IntegerField(default=0)))
    counted.migrate(counting(model))
    assert counted.rows("news_story", "count, twice") == [(3, 6)]


def test_the_model_of_a_computed_column_is_renamed(counted, model):
    renamed = counting(model)
    meta = {"indexes": list(renamed._meta.indexes), "constraints": list(renamed._meta.constraints)}
    counted.migrate(model("Article", meta, count=models.IntegerField(), twice=doubled()))
    assert counted.rows("news_article", "count, twice") == [(3, 6)]


@pytest.mark.parametrize("rule", [models.DB_CASCADE, models.DB_SET_NULL])
def test_what_the_database_does_with_references_comes_and_goes(newsroom, model, rule):
    def declare(on_delete):
        desk = models.ForeignKey("Desk", on_delete=on_delete, null=True)
        return model("Desk", name=title()), model("Story", title=title(), desk=desk)

    newsroom.migrate(*declare(models.CASCADE))
    desk, story = newsroom.app.models
    newsroom.save(story, title="one", desk=newsroom.save(desk, name="City"))
    newsroom.migrate(*declare(rule))
    assert newsroom.rows("news_story", "title, desk_id") == [("one", 1)]
    newsroom.database.execute("DELETE FROM news_desk")
    assert newsroom.rows("news_story", "desk_id") == ([] if rule == models.DB_CASCADE else [(None,)])
    desk, story = newsroom.app.models
    newsroom.save(story, title="two", desk=newsroom.save(desk, name="Sport"))
    newsroom.apply("news.0001")
    assert newsroom.rows("news_story", "title")[-1] == ("two",)
    with pytest.raises(IntegrityError, match=r"news_story.* refers to|FOREIGN KEY|news_story_desk_id_fkey"):
        newsroom.database.execute("DELETE FROM news_desk")
    newsroom.migrate(*declare(models.PROTECT))
    assert newsroom.rows("news_story", "title")[-1] == ("two",)


def test_parents_proxies_and_keys_of_several_fields_are_migrated(newsroom, model):
    place = model("Place", name=title())
    cafe = model("Cafe", inherits=place, seats=models.IntegerField(default=2))
    shown = model("Shown", {"proxy": True}, inherits=place)

    def declare_line():
        place = models.ForeignKey("Place", on_delete=models.CASCADE)
        return model(
            "Line", number=models.IntegerField(), place=place, pk=models.CompositePrimaryKey("place", "number")
        )

    line = declare_line()
    newsroom.migrate(place, cafe, shown, line)
    with entered(Scope(None, newsroom.database)):
        made = cafe.objects.create(name="Harbour")
        line.objects.create(place=made, number=1)
    place = model("Place", title=title(), town=title(null=True))
    cafe = model("Cafe", inherits=place, seats=models.BigIntegerField(default=2))
    newsroom.migrate(place, cafe, declare_line())
    assert newsroom.rows("news_cafe") == [(1, 2)]
    assert newsroom.rows("news_place", "title") == [("Harbour",)]
    newsroom.apply("news.zero")


def test_a_table_that_is_searched_keeps_its_index_through_a_rebuild(sqlite_newsroom, model):
    newsroom = sqlite_newsroom

    def story(**more):
        return model("Story", title=title(), search=models.Search(title=1), **more)

    newsroom.migrate(story())
    newsroom.save(newsroom.app.models[0], title="Flood in the harbour")
    newsroom.migrate(story(rank=models.IntegerField(default=1)))
    newsroom.save(newsroom.app.models[0], title="A ferry in the harbour", rank=2)
    with entered(Scope(None, newsroom.database)):
        found = [one.title for one in newsroom.app.models[0].objects.search("harbour").order_by("pk")]
    assert found == ["Flood in the harbour", "A ferry in the harbour"]


def test_a_key_that_refers_to_another_field_follows_its_new_name(newsroom, model):
    def declare(name):
        desk = model("Desk", **{name: title(unique=True)})
        return desk, model("Story", desk=models.ForeignKey("Desk", on_delete=models.CASCADE, to_field=name))

    newsroom.migrate(*declare("code"))
    desk, story = newsroom.app.models
    newsroom.save(story, desk=newsroom.save(desk, code="city"))
    made = newsroom.migrate(*declare("slug"))
    assert made.summary == ("Rename field code of Desk to slug",)
    assert newsroom.rows("news_story", "desk_id") == [("city",)]


@pytest.mark.parametrize(
    ("before", "after", "value", "becomes"),
    [
        (title(unique=True), models.CharField(max_length=120, unique=True), "city", "city"),
        (models.IntegerField(unique=True), title(unique=True), 7, "7"),
        (title(unique=True), models.IntegerField(unique=True), "7", 7),
    ],
    ids=["longer", "text", "a number"],
)
def test_what_refers_to_a_field_becomes_what_the_field_becomes(newsroom, model, before, after, value, becomes):
    """Stories have the code of their desk, desks that of the desk above; something else of desks changes, too."""

    def declare(code, **more):
        link = {"on_delete": models.CASCADE, "to_field": "code", "null": True}
        desk = model("Desk", code=copy(code), **more, above=models.ForeignKey("self", related_name="+", **link))
        return desk, model("Story", desk=models.ForeignKey("Desk", **link), other=models.IntegerField(default=1))

    newsroom.migrate(*declare(before))
    desk, story = newsroom.app.models
    city = newsroom.save(desk, code=value)
    newsroom.save(story, desk=newsroom.save(desk, code=value * 2, above=city))
    newsroom.migrate(*declare(after, floor=models.IntegerField(default=1)))
    assert [row[0] for row in newsroom.rows("news_desk", "above_id")] in ([None, becomes], [becomes, None])
    desk, story = newsroom.app.models
    newsroom.save(story, desk=newsroom.save(desk, code=type(becomes)(5)))
    with pytest.raises(IntegrityError):
        newsroom.database.execute("UPDATE news_story SET desk_id = '99'")
    newsroom.apply("news.0001")
    assert value in [row[0] for row in newsroom.rows("news_desk", "above_id")]


def test_what_refers_to_a_field_of_another_app_becomes_what_the_field_becomes(newsroom, model, tmp_path):
    def declare(length):
        desk = model("Desk", code=models.CharField(max_length=length, unique=True))
        story = model("Story", desk=models.ForeignKey("desks.Desk", on_delete=models.CASCADE, to_field="code"))
        resolve_models({"news": [story], "desks": [desk]})
        return story, desk

    apps = [newsroom.app, FakeApp("desks", [], tmp_path / "desks" / "migrations")]
    for length in (20, 40):
        for app, one in zip(apps, declare(length), strict=True):
            app.models = [one]
        migrations.make(apps)
        migrations.apply(newsroom.database, apps)
        assert [str(problem) for problem in migrations.check(newsroom.database, apps)] == []
