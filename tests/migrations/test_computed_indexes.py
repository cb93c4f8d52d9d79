"""Indexes over what is computed, through everything that can happen to their table; on MariaDB they have columns."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit import models
from toolkit.errors import IntegrityError, ToolkitError
from toolkit.models import Lower, Q


def title(**options: Any) -> Any:
    return models.CharField(**{"max_length": 40, **options})


def declare(model: Any, *, name: str = "Story", text: str = "title", **more: Any) -> Any:
    """A model whose title is unique in any case among the rows that are live."""
    label = more.pop("label", "one_title")
    rule = models.UniqueConstraint(Lower(text), condition=Q(live=True), name=label)
    index = models.Index(Lower(text), name=more.pop("index", "by_title"))
    fields = {text: title(**more.pop("options", {})), "live": models.BooleanField(default=True), **more}
    return model(name, {"constraints": [rule], "indexes": [index]}, **fields)


def refuses_twins(newsroom: Any, constraint: str = "one_title", text: str = "title") -> None:
    """The rule holds, for the rows that it speaks of and no others."""
    (story,) = newsroom.app.models
    newsroom.save(story, **{text: "ONE", "live": False})
    with pytest.raises(IntegrityError, match=r"Nothing was written") as refused:
        newsroom.save(story, **{text: "ONE"})
    assert refused.value.constraint == constraint
    newsroom.database.execute(f"DELETE FROM {story._meta.table} WHERE NOT live")


@pytest.fixture
def stories(newsroom, model):
    newsroom.migrate(declare(model))
    newsroom.save(newsroom.app.models[0], title="one")
    refuses_twins(newsroom)
    return newsroom


def test_its_column_is_renamed_and_back(stories, model):
    stories.migrate(declare(model, text="headline"))
    assert stories.rows("news_story", "headline") == [("one",)]
    refuses_twins(stories, text="headline")
    stories.apply("news.0001")
    assert stories.rows("news_story", "title") == [("one",)]


def test_its_table_is_renamed(stories, model):
    stories.migrate(declare(model, name="Article"))
    assert stories.rows("news_article", "title") == [("one",)]
    refuses_twins(stories)


def test_its_column_becomes_longer_and_another_column_comes_and_goes(stories, model):
    stories.migrate(declare(model, options={"max_length": 90}, weight=models.IntegerField(default=3)))
    assert stories.rows("news_story", "title, weight") == [("one", 3)]
    refuses_twins(stories)
    stories.migrate(declare(model))
    refuses_twins(stories)


def test_the_index_gets_another_name(stories, model):
    made = stories.migrate(declare(model, index="by_headline"))
    assert "Rename index by_title of Story to by_headline" in made.summary
    refuses_twins(stories)
    stories.apply("news.0001")


def test_it_goes_and_leaves_nothing_behind(stories, model):
    stories.migrate(model("Story", title=title(), live=models.BooleanField(default=True)))
    stories.save(stories.app.models[0], title="ONE")
    if stories.database.dialect == "mysql":
        found = stories.database.fetch("SHOW CREATE TABLE news_story")[0][1]
        assert "GENERATED" not in found


def test_rows_in_the_way_are_named_before_anything_is_changed(newsroom, model):
    newsroom.migrate(model("Story", title=title(), live=models.BooleanField(default=True)))
    for text in ("one", "ONE", "two"):
        newsroom.save(newsroom.app.models[0], title=text)
    with pytest.raises(ToolkitError, match=r"one_title"):
        newsroom.migrate(declare(model))
    assert [text for (text,) in newsroom.rows("news_story", "title")] == sorted(["one", "ONE", "two"])
