"""Defaults of the database, computed columns, comments, and fields of other packages in migrations."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from toolkit import models
from toolkit.models import F, Now, Value

MORE_KINDS = {
    "small": (lambda **o: models.SmallIntegerField(**o), -(2**15)),
    "positive_small": (lambda **o: models.PositiveSmallIntegerField(**o), 7),
    "time": (lambda **o: models.TimeField(**o), time(12, 30)),
    "duration": (lambda **o: models.DurationField(**o), timedelta(days=-1, microseconds=3)),
    "address": (lambda **o: models.GenericIPAddressField(protocol="IPv6", **o), "2001:db8::1"),
    "text": (lambda **o: models.CharField(**o), "of any length"),
}


def title(**options):
    return models.CharField(max_length=80, **options)


@pytest.mark.parametrize("kind", MORE_KINDS)
def test_a_field_of_each_kind_is_added_and_loosened_and_keeps_its_values(newsroom, model, kind):
    make, value = MORE_KINDS[kind]
    newsroom.migrate(model("Story", title=title()))
    newsroom.save(newsroom.app.models[0], title="one")
    newsroom.migrate(model("Story", title=title(), extra=make()), fills={"news.Story.extra": value})
    newsroom.migrate(model("Story", title=title(), extra=make(null=True)))
    assert newsroom.values(newsroom.app.models[0], "extra") == [value]


def test_a_default_of_the_database_fills_the_rows_that_are_there(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    newsroom.save(newsroom.app.models[0], title="one")
    newsroom.migrate(
        model(
            "Story",
            title=title(),
            count=models.IntegerField(db_default=3),
            made=models.DateTimeField(db_default=Now(), null=True),
            note=models.CharField(max_length=9, db_default=Value("it's"), db_comment='what "they" say'),
        )
    )
    assert newsroom.values(newsroom.app.models[0], "count") == [3]
    assert newsroom.values(newsroom.app.models[0], "note") == ["it's"]
    newsroom.migrate(model("Story", title=title(), count=models.IntegerField(db_default=4)))
    newsroom.save(newsroom.app.models[0], title="two")
    assert newsroom.values(newsroom.app.models[0], "count") == [3, 4]
    newsroom.migrate(model("Story", title=title(), count=models.IntegerField(default=5)))
    assert newsroom.values(newsroom.app.models[0], "count") == [3, 4]


def test_a_computed_column_is_added_changed_and_removed(newsroom, model):
    def story(expression, **more):
        made = models.GeneratedField(expression=expression, output_field=models.IntegerField(), **more)
        return model("Story", title=title(), count=models.IntegerField(default=3), twice=made)

    newsroom.migrate(model("Story", title=title(), count=models.IntegerField(default=3)))
    newsroom.save(newsroom.app.models[0], title="one")
    made = newsroom.migrate(story(F("count") * 2))
    assert "models.GeneratedField(" in made.path.read_text()
    assert newsroom.values(newsroom.app.models[0], "twice") == [6]
    newsroom.declare(story(F("count") * 2))
    assert newsroom.make() == []
    newsroom.migrate(story(Value(7) + F("count")))
    assert newsroom.values(newsroom.app.models[0], "twice") == [10]
    newsroom.apply("news.0002")
    newsroom.apply()
    newsroom.migrate(model("Story", title=title(), count=models.IntegerField(default=3)))
    assert newsroom.rows("news_story", "title, count") == [("one", 3)]
