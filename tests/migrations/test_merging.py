"""Neighbouring steps on one table are done at once, and mean the same."""

from __future__ import annotations

from toolkit import models
from toolkit.migrations import AddField, AddIndex, AlterField, RemoveField, RunSQL
from toolkit.migrations.operations.merging import merged


def text():
    return models.TextField(default="")


def described(*operations):
    return [operation.describe() for operation in merged(operations)]


def test_steps_on_one_model_are_put_together():
    index = models.Index(fields=["note"], name="i")
    assert described(AddField("Story", "note", text()), AddIndex("Story", index), RemoveField("Story", "old")) == [
        "Add field note to Story; Add index i to Story; Remove field old from Story"
    ]


def test_another_model_or_a_step_of_your_own_ends_the_run():
    steps = described(
        AddField("Story", "a", text()), AddField("Tag", "a", text()), RunSQL("X"), AddField("Tag", "b", text())
    )
    assert steps == ["Add field a to Story", "Add field a to Tag", "Run SQL: X", "Add field b to Tag"]


def test_a_field_that_is_removed_and_added_again_is_another_field():
    steps = described(RemoveField("Story", "a"), AddField("Story", "a", text()), AlterField("Story", "b", text()))
    assert steps == ["Remove field a from Story", "Add field a to Story; Alter field b of Story"]


def test_many_changes_of_a_table_copy_it_once(sqlite_newsroom, model):
    newsroom = sqlite_newsroom
    fields = {name: (lambda: models.CharField(max_length=9, blank=True)) for name in "abc"}
    newsroom.migrate(model("Story", **{name: make() for name, make in fields.items()}))
    newsroom.save(newsroom.app.models[0], a="1", b="2", c="3")
    options = {"constraints": [models.UniqueConstraint(fields=["a", "b"], name="pair")]}
    newsroom.declare(
        model(
            "Story",
            options,
            a=models.IntegerField(),
            b=models.CharField(max_length=5, blank=True),
            d=models.IntegerField(default=7),
        )
    ).make(ask=lambda question: False)
    with newsroom.database.counted() as statements:
        newsroom.apply()
    assert sum('INSERT INTO "toolkit_new_' in statement for statement in statements) == 1
    assert newsroom.rows("news_story", "a, b, d") == [(1, "2", 7)]
    newsroom.apply("news.0001")
    assert newsroom.rows("news_story", "a, b, c") == [("1", "2", "")]
