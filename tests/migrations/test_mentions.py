"""Rows that name a model, for a generic reference, name it by its new name once it is renamed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.migrations.conftest import FakeApp, Newsroom
from toolkit import migrations, models
from toolkit.database import Database
from toolkit.migrations.describing import with_hidden
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


class ModelName(models.ModelNameField):
    """A field of somebody's own."""


def note(model: Any, **fields: Any) -> Any:
    named = {"content_type": models.ModelNameField(), "object_id": models.IntegerField()}
    return model("Note", **named, subject=models.GenericForeignKey(), **fields)


def labelled(model: Any, name: str, **fields: Any) -> Any:
    return model(name, label=models.CharField(max_length=20), **fields)


def subjects(newsroom: Newsroom) -> list[Any]:
    """What the notes are about."""
    of_notes = next(model for model in newsroom.app.models if model.__name__ == "Note")
    with entered(Scope(None, newsroom.database)):
        return [
            one.subject and (type(one.subject).__name__, one.subject.label) for one in of_notes.objects.order_by("pk")
        ]


@pytest.fixture
def stories(newsroom: Newsroom, model: Any) -> Newsroom:
    """A story and a section, with a note on each."""
    newsroom.migrate(labelled(model, "Story"), labelled(model, "Section"), note(model))
    story, section, of_notes = newsroom.app.models
    for one in (newsroom.save(story, label="flood"), newsroom.save(section, label="sea")):
        newsroom.save(of_notes, content_type=type(one), object_id=one.pk)
    return newsroom


def test_a_generic_reference_follows_the_model_forwards_and_back(stories, model):
    stories.migrate(labelled(model, "Article"), labelled(model, "Section"), note(model))
    assert subjects(stories) == [("Article", "flood"), ("Section", "sea")]
    stories.apply("news.0001")
    assert stories.rows("news_note", "content_type") == [("news.Section",), ("news.Story",)]


def test_the_name_is_told_in_the_sql_of_the_migration(stories, model):
    stories.declare(labelled(model, "Article"), labelled(model, "Section"), note(model)).make()
    told = "\n".join(migrations.sql(stories.database, [stories.app], "news.0002")).replace("`", '"')
    assert """UPDATE "news_note" SET "content_type" = 'news.Article' WHERE "content_type" = 'news.Story';""" in told


def test_a_field_of_ones_own_and_a_column_of_another_name_follow_too(newsroom, model):
    about = {"about": ModelName(db_column="100% about", null=True)}
    newsroom.migrate(labelled(model, "Story"), model("Mark", **about))
    newsroom.save(newsroom.app.models[1], about="news.Story")
    newsroom.migrate(labelled(model, "Article"), model("Mark", **about))
    assert newsroom.values(newsroom.app.models[1], "about") == ["news.Article"]


def test_a_squash_puts_no_rename_before_a_fill_that_names_the_model(stories, model):
    """The two renames alone would be one."""
    more = {"other": models.ModelNameField()}
    steps = [("Report", {}, {}), ("Report", more, {"news.Note.other": "news.Report"}), ("Article", more, {})]
    for name, fields, fills in steps:
        declared = [labelled(model, name), labelled(model, "Section"), note(model, **fields)]
        (last,) = stories.declare(*declared).make(fills=fills)
    migrations.squash([stories.app], "news", "0002", last.name)
    stories.apply()
    assert stories.values(stories.app.models[2], "other") == ["news.Article", "news.Article"]


class Publisher:
    """Stories in one database, and rows that name them: in another, and in an app without migrations."""

    def __init__(self, folder: Path, model: Any) -> None:
        self.model = model
        self.databases = [
            Database(f"sqlite:///{folder / f'{alias}.db'}", alias=alias) for alias in ("default", "archive")
        ]
        self.apps = [FakeApp(label, [], folder / label / "migrations") for label in ("news", "desk")]
        self.apps.append(FakeApp("marks", [], None))

    def migrate(self, name: str, *, about: bool = True) -> list[Any]:
        """Declare with the story's model under a name, make and apply; other rows name it or do not."""
        fields = {"about": models.ModelNameField()} if about else {}
        declared = [
            labelled(self.model, name),
            self.model("Memo", {"database": "archive"}, **fields),
            self.model("Mark", **fields),
        ]
        assert resolve_models({app.label: [one] for app, one in zip(self.apps, declared, strict=True)})[1] == []
        for app, one in zip(self.apps, declared, strict=True):
            app.models = [one]
        made = migrations.make(self.apps, lambda question: True)
        for database in self.databases:
            database.schema = Schema(with_hidden(declared), database.dialect)
            migrations.apply(database, self.apps)
        return made


def test_rows_of_another_database_and_of_an_app_without_migrations_follow(tmp_path, model):
    publisher = Publisher(tmp_path, model)
    own, archive = publisher.databases
    with closing(own), closing(archive):
        publisher.migrate("Story")
        migrations.create_tables(own, publisher.apps[2].models)
        own.execute("INSERT INTO marks_mark (about) VALUES ('news.Story')")
        archive.execute("INSERT INTO desk_memo (about) VALUES ('news.Story')")
        publisher.migrate("Article")
        assert own.fetch("SELECT about FROM marks_mark") == [("news.Article",)]
        assert archive.fetch("SELECT about FROM desk_memo") == [("news.Article",)]


def test_a_rename_comes_after_the_apps_whose_rows_may_name_the_model(tmp_path, model):
    """And a table of an app without migrations need not be there yet."""
    publisher = Publisher(tmp_path, model)
    with closing(publisher.databases[0]), closing(publisher.databases[1]):
        publisher.migrate("Story")
        (made,) = publisher.migrate("Article")
    assert '("desk", "0001_initial")' in made.path.read_text()


def test_the_sql_of_a_migration_is_for_what_comes_before_it_when_all_are_applied(tmp_path, model):
    """Another app's field is gone by then, though no dependency says so."""
    publisher = Publisher(tmp_path, model)
    archive = publisher.databases[1]
    with closing(publisher.databases[0]), closing(archive):
        publisher.migrate("Story")
        (made,) = publisher.migrate("Article")
        publisher.migrate("Article", about=False)
        told = migrations.sql(archive, publisher.apps, f"news.{made.name}")
    assert told == ["-- Rename model Story to Article", "-- (in another database)"]
