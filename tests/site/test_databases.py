"""Several databases at once: rows of another file in the same template, copies for reading, a router."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from toolkit.builder import Builder
from toolkit.errors import DatabaseError, FieldError, Problems, ToolkitError, ValidationError
from toolkit.testing import temporary_site
from toolkit.trace import READER, Trace, entered

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODELS = """
class Story(models.Model):
    title = models.CharField(max_length=40)
    wire = models.ForeignKey(
        "Wire", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="stories"
    )


class Wire(models.Model):
    text = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        database = "archive"
        managed = False
        db_table = "wires"
        ordering = ["pk"]
        public = models.Q(at__lte=models.Now())


class Note(models.Model):
    text = models.CharField(max_length=40)

    class Meta:
        database = "desk"
"""
PAGES = """
from .models import Note, Story, Wire

@app.page("/", template="home.html")
def home():
    return {"stories": Story.objects.order_by("pk"), "wires": Wire.objects.all()}

@app.page("/stories/", template="stories.html")
def stories():
    return {"stories": Story.objects.order_by("pk")}

@app.page("/notes/", template="notes.html")
def notes():
    return {"notes": Note.objects.order_by("pk")}

@app.page("/about/", template="about.html")
def about():
    return {}
"""
TEMPLATES = {
    "templates/home.html": "{% for s in stories %}{{ s.title }}: {{ s.wire.text }};{% endfor %}"
    "{% for w in wires %}{{ w.text }}({{ w.stories.all()|length }}) {% endfor %}",
    "templates/stories.html": "{% for s in stories %}{{ s.title }} {% endfor %}",
    "templates/notes.html": "{% for n in notes %}{{ n.text }} {% endfor %}",
    "templates/about.html": "about",
}
SELECTED = "SELECT id FROM press_story"
DATABASES = """
[databases]
archive = {url = "sqlite:///archive.db", read_only = true}
desk = {url = "sqlite:///desk.db"}
"""
COPIED = f'{DATABASES}copy = {{url = "sqlite:///copy.db", replica_of = "default"}}\n'
ROUTED = """
from toolkit import Site
from . import app

class Desk:
    def db_for_read(self, model, **hints):
        return "archive" if model.__name__ == "Note" else None

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return False if db == "desk" else None

site = Site(__file__, apps=[app], router=Desk())
"""

Make = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(models: str = MODELS, settings: str = DATABASES, **files: str) -> AbstractContextManager[Any]:
        folder = tmp_path / "site"
        folder.mkdir()
        sql(folder, "archive.db", "CREATE TABLE wires (id INTEGER PRIMARY KEY, text TEXT, at TEXT)")
        sql(folder, "archive.db", "INSERT INTO wires VALUES (1, 'flood', '2026-01-01'), (2, 'secret', '2027-01-01')")
        written = {**TEMPLATES, **{f"press/{name}.py": text for name, text in files.items()}}
        return temporary_site(folder, written, models=models, pages=PAGES, settings=settings)

    return make


@pytest.fixture
def site(make: Make) -> Iterator[Any]:
    with make() as made:
        build(made)
        yield made


def sql(folder: Path, name: str, statement: str) -> list[Any]:
    connection = sqlite3.connect(folder / name, isolation_level=None)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def build(site: Any, **options: Any) -> set[str]:
    """The URLs that were rendered."""
    report = Builder(site, moment=options.pop("moment", NOON), workers=1, **options).build()
    return {event.subject for event in report.events if event.kind == "rendered"}


def model(site: Any, name: str) -> Any:
    return next(found for found in site.models if found.__name__ == name)


def read(site: Any, path: str) -> str:
    return (site.folder / "build" / path / "index.html").read_text()


# pages of two databases


def test_rows_of_two_files_stand_in_one_template(site: Any) -> None:
    with site:
        model(site, "Story").objects.create(title="Rain", wire_id=1)
    assert build(site) == {"/", "/stories/"}
    assert read(site, "") == "Rain: flood;flood(1) "


def test_an_edit_in_either_is_seen_and_renders_what_read_it_alone(site: Any) -> None:
    assert build(site) == set()
    sql(site.folder, "archive.db", "UPDATE wires SET text = 'storm' WHERE id = 1")
    assert build(site) == {"/"}
    assert read(site, "") == "storm(0) "
    sql(site.folder, "site.db", "INSERT INTO press_story (id, title, wire_id) VALUES (1, 'Rain', 1)")
    assert build(site) == {"/", "/stories/"}
    sql(site.folder, "desk.db", "INSERT INTO press_note (text) VALUES ('call Ines')")
    assert build(site) == {"/notes/"}
    assert read(site, "notes") == "call Ines "
    assert build(site) == set()


def test_what_is_public_in_another_database_goes_by_the_clock_too(site: Any) -> None:
    assert "secret" not in read(site, "")
    assert build(site, moment=datetime(2027, 1, 2, tzinfo=UTC)) == {"/"}
    assert read(site, "") == "flood(0) secret(0) "


def test_an_incremental_build_equals_a_clean_one(site: Any, tmp_path: Path) -> None:
    sql(site.folder, "archive.db", "UPDATE wires SET text = 'storm'")
    build(site)
    build(site, output=tmp_path / "clean")
    for path in ("", "stories", "notes", "about"):
        assert read(site, path) == (tmp_path / "clean" / path / "index.html").read_text()


def test_a_file_that_is_read_only_stays_as_it_is(site: Any) -> None:
    tables = sql(site.folder, "archive.db", "SELECT name FROM sqlite_master")
    assert tables == [("wires",)]
    with site, pytest.raises(DatabaseError, match=r"readonly database.*databases\.archive says read_only = true"):
        model(site, "Wire").objects.create(text="x", at=NOON)
    with site, site.databases["archive"].atomic():  # of one instant, and without the writer's lock
        assert model(site, "Wire").objects.count() == 2


def test_processes_see_one_snapshot_of_each(make: Make) -> None:
    with make() as site:
        report = Builder(site, moment=NOON, workers=2).build()
        assert report.rendered == 4
        assert Builder(site, moment=NOON, workers=2).build().rendered == 0


def test_a_server_sees_an_edit_in_another_database(site: Any) -> None:
    from werkzeug.test import Client

    client = Client(site.wsgi)
    assert client.get("/").text == "flood(0) "
    assert client.get("/").text == "flood(0) "
    sql(site.folder, "archive.db", "UPDATE wires SET text = 'storm' WHERE id = 1")
    assert client.get("/").text == "storm(0) "


# questions


def test_two_databases_may_have_tables_of_one_name(make: Make) -> None:
    """Those of last year's archive are called as this year's are."""
    models = MODELS.replace("class Note(models.Model):\n    text = models.CharField(max_length=40)\n", NAMESAKES)
    with make(models) as site:
        assert build(site) == {"/", "/stories/", "/notes/", "/about/"}
        with site:
            model(site, "Note").objects.create(text="own")
            assert [one.text for one in model(site, "Wire").objects.all()] == ["flood", "secret"]
        assert build(site) == {"/notes/"}
        assert read(site, "notes") == "own "
        sql(site.folder, "archive.db", "UPDATE wires SET text = 'storm' WHERE id = 1")
        assert build(site) == {"/"}
        with site:
            assert [one.text for one in model(site, "Note").objects.using("archive")] == ["storm", "secret"]
            assert [one.text for one in model(site, "Wire").objects.using("desk").only("text")] == ["own"]


NAMESAKES = """
class Note(models.Model):
    text = models.CharField(max_length=40)

    class Meta:
        database = "desk"
        db_table = "wires"


class Unused(models.Model):
    text = models.CharField(max_length=40)
"""


def test_a_question_cannot_join_two_databases(site: Any) -> None:
    story = model(site, "Story")
    with site:
        with pytest.raises(FieldError, match=r"Wire is in the database 'archive', and .* is asked of 'default'"):
            story.objects.filter(wire__text="flood").count()
        assert story.objects.filter(wire=1).count() == 0
        wires = list(model(site, "Wire").objects.values_list("pk", flat=True))
        assert story.objects.filter(wire__in=wires).count() == 0


def test_each_model_is_written_where_it_lives(site: Any) -> None:
    note = model(site, "Note")
    with site:
        first = note.objects.create(text="a")
        note.objects.bulk_create([note(text="b"), note(text="c")])
        note.objects.filter(text="b").update(text="B")
        note.objects.get_or_create(text="d")
        first.text = "A"
        first.save()
        note.objects.get(text="c").delete()
        assert [found.text for found in note.objects.order_by("pk")] == ["A", "B", "d"]
    assert sql(site.folder, "desk.db", "SELECT text FROM press_note ORDER BY id") == [("A",), ("B",), ("d",)]
    assert sql(site.folder, "site.db", "SELECT count(*) FROM sqlite_master WHERE name = 'press_note'") == [(0,)]


def test_using_asks_the_database_that_is_named_and_saves_there(site: Any) -> None:
    story = model(site, "Story")
    sql(site.folder, "desk.db", "CREATE TABLE press_story (id INTEGER PRIMARY KEY, title TEXT, wire_id INTEGER)")
    with site:
        made = story.objects.using("desk").create(title="Draft")
        assert (story.objects.count(), story.objects.using("desk").count()) == (0, 1)
        found = story.objects.using("desk").get()
        by_hand = [story.objects.using("desk").raw(SELECTED), story.objects.raw(SELECTED).using("desk")]
        assert [each.title for rows in by_hand for each in rows] == ["Draft", "Draft"]
        assert not story.objects.raw(SELECTED)
        found.title = "Better"
        found.save()
        made.refresh_from_db()
        assert made.title == "Better"
        assert [one.title for one in story.objects.using("desk").defer("title")] == ["Better"]
        found.delete()
        assert story.objects.using("desk").count() == 0
        with pytest.raises(DatabaseError, match="there is no database 'dsk'"):
            story.objects.using("dsk").count()
    told = "cannot be asked of the database 'desk' while a page is rendered"
    with entered(site.scope(viewer=READER, trace=Trace())), pytest.raises(DatabaseError, match=told):
        story.objects.using("desk").count()


# copies and routers


@pytest.fixture
def copied(make: Make) -> Iterator[Any]:
    with make(settings=COPIED) as made:
        yield made


def write_apart(site: Any) -> Any:
    """One story in the original and its copy, called by where it is; its model."""
    story = model(site, "Story")
    with site:
        story.objects.create(title="On the main one")
    site.databases.close()
    shutil.copy(site.folder / "site.db", site.folder / "copy.db")
    sql(site.folder, "copy.db", "UPDATE press_story SET title = 'On the copy'")
    return story


def test_a_copy_is_read_until_something_is_written(copied: Any) -> None:
    site, story = copied, write_apart(copied)
    with site:
        assert story.objects.get().title == "On the copy"
        with site.database.atomic():
            assert story.objects.get().title == "On the main one"
        story.objects.create(title="Another")
        assert {one.title for one in story.objects.all()} == {"On the main one", "Another"}
    with site:
        assert story.objects.get().title == "On the copy"
        assert story.objects.using("default").count() == 2
        with pytest.raises(DatabaseError, match="readonly database"):
            story.objects.using("copy").update(title="x")
    with site:  # the copy has no such row yet
        found, created = story.objects.get_or_create(title="Another")
        assert (story.objects.using("default").count(), created) == (2, False)
    with site:
        assert story.objects.update_or_create(title="Another", defaults={"title": "Again"})[0].pk == found.pk
    with site:
        assert sum(story.objects.filter(title="Again").deletion_plan().counts().values()) == 1
    with entered(site.scope(viewer=READER, trace=Trace())):
        assert story.objects.count() == 2  # pages are rendered from the main one
    with site:
        assert story.objects.filter(title="Again").update(title="Going") == 1
    with site:
        assert story.objects.filter(title="Going").delete() == {"press.Story": 1}


def test_a_reference_to_a_row_that_is_not_in_the_other_database_is_told_before_it_is_written(make: Make) -> None:
    """No database can tell. A row that readers do not see is there."""
    with make() as site, site:
        story = model(site, "Story")
        story(title="Secret", wire_id=2).full_clean()
        with pytest.raises(ValidationError, match="there is no wire 9") as caught:
            story(title="Flood", wire_id=9).full_clean()
        assert list(caught.value.errors) == ["wire"]


def test_a_router_is_asked_first(make: Make) -> None:
    with make(site=ROUTED) as site:
        with site, pytest.raises(DatabaseError, match="no such table: press_note"):
            model(site, "Note").objects.count()
        assert sql(site.folder, "desk.db", "SELECT count(*) FROM sqlite_master WHERE name = 'press_note'") == [(0,)]
        sql(site.folder, "desk.db", "CREATE TABLE press_note (id INTEGER PRIMARY KEY, text TEXT)")
        with pytest.raises(ToolkitError, match="the router reads Note from 'archive' while a page is rendered"):
            build(site)


SPLIT = ROUTED.replace(
    'return "archive" if model.__name__ == "Note" else None',
    'return "copy"\n\n    def db_for_write(self, model, **hints):\n        return "default"',
)


def test_what_a_router_reads_elsewhere_is_read_where_it_is_written_inside_a_transaction(make: Make) -> None:
    with make(site=SPLIT, settings=COPIED) as site:
        story = model(site, "Story")
        site.databases.close()
        shutil.copy(site.folder / "site.db", site.folder / "copy.db")
        with site:
            made = story.objects.create(title="Written")
            assert not story.objects.exists()  # of the copy
            with site.database.atomic():
                assert story.objects.get().title == "Written"
            assert story.objects.bulk_update([made], ["title"]) == 1
            assert story.objects.get_or_create(title="Written") == (made, False)
            assert story.objects.filter(title="Written").delete() == {"press.Story": 1}


# what is refused


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            ", on_delete=models.DO_NOTHING, db_constraint=False",
            ", on_delete=models.CASCADE",
            r"press\.Story\.wire refers to press\.Wire, which is in another database.*db_constraint=False",
        ),
        ('database = "desk"', 'database = "dsk"', "Meta.database = 'dsk' is no database of this site"),
    ],
)
def test_a_declaration_that_no_database_can_keep_is_refused(make: Make, old: str, new: str, told: str) -> None:
    with pytest.raises(Problems, match=told), make(MODELS.replace(old, new)):
        pass


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("read_only = true", "databases.desk: there is no url"),
        ('url = "sqlite://", readonly = true', "unknown option 'readonly'. Did you mean 'read_only'"),
        ('url = "sqlite://", replica_of = "defalt"', "replica_of = 'defalt' is no database of this site. Did you"),
        ("url = 7", "databases.desk.url = 7 is no str"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(make: Make, options: str, told: str) -> None:
    settings = DATABASES.replace('desk = {url = "sqlite:///desk.db"}', f"desk = {{{options}}}")
    with pytest.raises(ToolkitError, match=told), make(settings=settings):
        pass


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('database = "site.db"', "names no database that the toolkit knows. Use sqlite:///file.db"),
        ('database = "sqlite:///site.db?sync=normal"', "sync=normal .* is no option of SQLite"),
        (
            'databases.archive = {url = "sqlite:///x.db", readonly = true}',
            "databases.archive: .*Did you mean 'read_only'",
        ),
        (
            'databases.twin = {url = "sqlite:///./site.db"}',
            r"databases\.twin is the file of 'default': .*read_only = true",
        ),
        ('databases.copy = {url = "sqlite:///x.db", replica_of = "main"}', "replica_of = 'main' is no database"),
    ],
)
def test_a_setting_that_names_no_database_is_told_by_its_line(tmp_path: Path, settings: str, told: str) -> None:
    with (
        pytest.raises(ToolkitError, match=rf"toolkit\.toml:\d+: .*{told}") as e,
        temporary_site(tmp_path, models=MODELS.partition("class Wire")[0].partition("    wire")[0], settings=settings),
    ):
        pass
    line = (tmp_path / "toolkit.toml").read_text("utf-8").splitlines()[(e.value.line or 0) - 1]
    assert line == settings


def test_inside_a_snapshot_the_original_is_read_and_not_its_copy(copied: Any) -> None:
    site, story = copied, write_apart(copied)
    with site, site.database.snapshot():
        assert story.objects.get().title == "On the main one"
    with site:
        assert story.objects.get().title == "On the copy"
