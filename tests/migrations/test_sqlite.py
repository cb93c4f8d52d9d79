"""Rebuilding a SQLite table keeps everything that hangs on it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import toolkit
from toolkit import gis, models
from toolkit.database import install_tokens, read_tokens
from toolkit.errors import MigrationError
from toolkit.gis import geopackage


def title(**options):
    return models.CharField(max_length=80, **options)


def objects(newsroom, kind):
    return dict(newsroom.database.fetch("SELECT name, sql FROM sqlite_master WHERE type = ?", (kind,)))


@pytest.fixture
def newsroom(sqlite_newsroom, model):
    """One model with rows; migrating to ``narrow`` takes a rebuild."""
    sqlite_newsroom.migrate(model("Story", title=title(), weight=models.IntegerField(default=1)))
    for name in ("one", "two"):
        sqlite_newsroom.save(sqlite_newsroom.app.models[0], title=name)
    return sqlite_newsroom


@pytest.fixture
def narrow(model):
    return model("Story", title=models.CharField(max_length=60), weight=models.IntegerField(default=1))


def test_triggers_and_indexes_that_others_made_survive_a_rebuild(newsroom, narrow):
    run = newsroom.database.execute
    run("CREATE TABLE log (entry TEXT)")
    run("CREATE TRIGGER loud AFTER INSERT ON news_story BEGIN INSERT INTO log VALUES (NEW.title); END")
    run("CREATE INDEX by_length ON news_story (length(title)) WHERE weight > 0")
    before = objects(newsroom, "trigger"), objects(newsroom, "index")
    newsroom.migrate(narrow)
    assert (objects(newsroom, "trigger"), objects(newsroom, "index")) == before
    newsroom.save(narrow, title="three")
    assert newsroom.rows("log") == [("three",)]


def test_generated_columns_extra_columns_checks_and_collations_survive_a_rebuild(newsroom, narrow):
    run = newsroom.database.execute
    run("ALTER TABLE news_story ADD COLUMN length INTEGER GENERATED ALWAYS AS (length(title)) VIRTUAL")
    run("ALTER TABLE news_story ADD COLUMN source TEXT COLLATE NOCASE DEFAULT 'wire, agency' CHECK (source <> ',')")
    run("UPDATE news_story SET source = 'Desk' WHERE id = 2")
    newsroom.migrate(narrow)
    assert newsroom.rows("news_story", "id, length, source") == [(1, 3, "wire, agency"), (2, 3, "Desk")]
    assert newsroom.rows("news_story WHERE source = 'DESK'", "id") == [(2,)]
    with pytest.raises(Exception, match="CHECK constraint failed"):
        run("UPDATE news_story SET source = ','")


def test_views_survive_a_rebuild(newsroom, narrow):
    newsroom.database.execute("CREATE VIEW titles AS SELECT title FROM news_story")
    newsroom.migrate(narrow)
    assert newsroom.rows("titles") == [("one",), ("two",)]


def test_rows_of_other_tables_that_refer_to_a_rebuilt_one_stay(sqlite_newsroom, model):
    """Dropping the old table with foreign keys on would delete or break them."""

    def declare(length):
        story = model(
            "Story",
            title=models.CharField(max_length=length),
            parent=models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+"),
        )
        return story, model("Note", story=models.ForeignKey(story, on_delete=models.CASCADE))

    newsroom = sqlite_newsroom
    newsroom.migrate(*declare(80))
    story, note = newsroom.app.models
    first = newsroom.save(story, title="one")
    newsroom.save(story, title="two", parent=first)
    newsroom.save(note, story=first)
    newsroom.migrate(*declare(60))
    assert newsroom.rows("news_story", "id, parent_id") == [(1, None), (2, 1)]
    assert newsroom.rows("news_note", "id, story_id") == [(1, 1)]
    assert newsroom.database.fetch("PRAGMA foreign_keys") == [(1,)]
    with pytest.raises(Exception, match="row 2 of news_note refers to a row of news_story that does not exist"):
        newsroom.database.execute("INSERT INTO news_note (story_id) VALUES (99)")


def test_full_text_tables_still_find_rows_of_a_table_without_a_whole_number_key(sqlite_newsroom, model):
    """They refer to the hidden rowid, which a plain copy would number anew."""
    newsroom = sqlite_newsroom
    newsroom.migrate(model("Story", code=models.SlugField(primary_key=True), title=title()))
    run = newsroom.database.execute
    for code in "zya":
        newsroom.save(newsroom.app.models[0], code=code, title=f"title {code}")
    run("DELETE FROM news_story WHERE code = 'z'")
    run("CREATE VIRTUAL TABLE search USING fts5(title, content='news_story')")
    run("INSERT INTO search(search) VALUES ('rebuild')")
    newsroom.migrate(model("Story", code=models.SlugField(primary_key=True), title=models.TextField()))
    found = "SELECT code FROM news_story WHERE rowid IN (SELECT rowid FROM search WHERE search MATCH 'a')"
    assert newsroom.database.fetch(found) == [("a",)]


def test_a_changed_table_has_lost_its_token_and_keeps_the_triggers_that_take_it_away(newsroom, narrow):
    install_tokens(newsroom.database, ["news_story", "toolkit_migration"])
    before = read_tokens(newsroom.database, ["news_story"])
    newsroom.migrate(narrow)
    assert read_tokens(newsroom.database, ["news_story"]) == {}
    install_tokens(newsroom.database, ["news_story"])
    assert read_tokens(newsroom.database, ["news_story"]).keys() == before.keys()
    newsroom.save(narrow, title="three")
    assert read_tokens(newsroom.database, ["news_story"]) == {}


def test_a_renamed_table_does_not_keep_triggers_that_name_the_old_one(newsroom, model):
    install_tokens(newsroom.database, ["news_story"])
    newsroom.migrate(model("Article", title=title(), weight=models.IntegerField(default=1)))
    assert objects(newsroom, "trigger") == {}
    install_tokens(newsroom.database, ["news_article"])
    newsroom.save(newsroom.app.models[0], title="three")
    assert read_tokens(newsroom.database, ["news_article"]) == {}


def test_a_trigger_that_uses_a_removed_column_is_named(newsroom, model):
    newsroom.database.execute("CREATE TRIGGER heavy AFTER UPDATE ON news_story WHEN NEW.weight > 9 BEGIN SELECT 1; END")
    newsroom.declare(model("Story", title=title()))
    newsroom.make()
    with pytest.raises(MigrationError, match=r"still uses weight: error in trigger heavy.*RunSQL"):
        newsroom.apply()
    assert newsroom.rows("news_story", "title, weight") == [("one", 1), ("two", 1)]


def test_a_field_that_may_be_null_is_added_without_a_rebuild(newsroom, model):
    with newsroom.database.counted() as statements:
        newsroom.migrate(
            model("Story", title=title(), weight=models.IntegerField(default=1), note=models.TextField(null=True))
        )
    assert not any("toolkit_new_" in statement for statement in statements)


def test_a_spatial_index_follows_its_table_through_rebuilds_and_renames(sqlite_newsroom, model):
    newsroom = sqlite_newsroom

    def place(name="Place", column="spot", length=80):
        return model(name, title=models.CharField(max_length=length), **{column: gis.PointField()})

    newsroom.migrate(place())
    newsroom.save(newsroom.app.models[0], title="pier", spot=(3.0, 4.0))
    check = lambda: geopackage.check(newsroom.database.connection)  # noqa: E731
    for declared, table, column in [
        (place(length=60), "news_place", "spot"),
        (place("Site", length=60), "news_site", "spot"),
        (place("Site", "point", length=60), "news_site", "point"),
    ]:
        newsroom.migrate(declared)
        newsroom.save(declared, title="buoy", **{column: (5.0, 6.0)})
        boxes = newsroom.rows(f"rtree_{table}_{column}", "id, minx")
        assert boxes == [(key, 3.0 if key == 1 else 5.0) for (key,) in newsroom.rows(table, "id")]
        assert check() == []
    newsroom.apply("news.zero")
    left = objects(newsroom, "table").keys()
    assert not [name for name in left if name.startswith("rtree_")]


def test_the_rebuild_does_not_leave_legacy_behaviour_on(newsroom, narrow):
    newsroom.migrate(narrow)
    assert newsroom.database.fetch("PRAGMA legacy_alter_table") == [(0,)]


VICTIM = """
import os, signal, sys, threading
sys.path.insert(0, {root!r})
from pathlib import Path
from toolkit import migrations
from toolkit.database import Database

class App:
    label, models, migrations_folder = "news", [], Path({folder!r})

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def watch(sql):
    if sql.startswith({moment!r}):
        print("reached", flush=True)
        die() if not {delay} else threading.Timer({delay}, die).start()

database = Database({url!r})
database.on_query.append(watch)
migrations.apply(database, [App], "news.0002")
die()
"""

MOMENTS = [
    ('CREATE TABLE "toolkit_new_', 0),
    ('INSERT INTO "toolkit_new_', 0),
    ('INSERT INTO "toolkit_new_', 0.01),
    ("DROP TABLE", 0),
    ("DROP TABLE", 0.004),
    ('ALTER TABLE "toolkit_new_', 0),
    ("INSERT INTO toolkit_migration", 0),
    ("COMMIT", 0),
    ("COMMIT", 0.002),
    ("PRAGMA foreign_keys = ON", 0),
]


@pytest.mark.parametrize(("moment", "delay_seconds"), MOMENTS)
def test_killed_at_any_instant_of_a_rebuild_the_table_is_the_old_or_the_new_one_with_all_rows(
    newsroom, narrow, moment, delay_seconds
):
    newsroom.database.execute(
        "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) "
        "INSERT INTO news_story (id, title, weight) SELECT i, 'story ' || i, 1 FROM n"
    )
    newsroom.database.execute("CREATE TRIGGER kept AFTER DELETE ON news_story BEGIN SELECT 1; END")
    newsroom.declare(narrow)
    newsroom.make()
    newsroom.database.close()
    root, folder = str(Path(toolkit.__path__[0]).parent), str(newsroom.app.migrations_folder)
    url = newsroom.database.url
    source = VICTIM.format(root=root, folder=folder, url=url, moment=moment, delay=delay_seconds)
    victim = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert (victim.returncode, "reached" in victim.stdout) == (-signal.SIGKILL, True), victim.stderr
    connection = sqlite3.connect(newsroom.database.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*), count(DISTINCT title) FROM news_story").fetchone() == (30000, 30000)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert "kept" in names
    assert not [name for name in names if name.startswith("toolkit_new_")]
    newsroom.apply()
    assert newsroom.problems() == []
    assert len(newsroom.rows("news_story", "id")) == 30000


def test_the_counter_of_keys_survives_a_rebuild_and_a_rename(newsroom, narrow, model):
    """Else a new row would get the key of one that is gone, and what is kept by key elsewhere with it."""
    newsroom.database.execute("DELETE FROM news_story WHERE id = 2")
    newsroom.migrate(narrow)
    newsroom.save(narrow, title="three")
    newsroom.migrate(model("Article", title=models.CharField(max_length=60), weight=models.IntegerField(default=1)))
    newsroom.database.execute("DELETE FROM news_article")
    newsroom.apply("news.0001_initial")
    newsroom.database.execute("INSERT INTO news_story (title, weight) VALUES ('four', 1)")
    assert newsroom.rows("news_story", "id, title") == [(4, "four")]


def test_a_table_of_before_is_taken_as_it_is_and_counts_once_it_is_made_anew(sqlite_newsroom, model, narrow):
    newsroom, run = sqlite_newsroom, sqlite_newsroom.database.execute
    run(
        "CREATE TABLE news_story (id INTEGER NOT NULL, title VARCHAR(80) NOT NULL, weight INTEGER NOT NULL, "
        "PRIMARY KEY (id))"
    )
    newsroom.migrate(model("Story", title=title(), weight=models.IntegerField(default=1)))
    run("INSERT INTO news_story VALUES (1, 'one', 1), (2, 'two', 1)")
    newsroom.migrate(narrow)
    assert newsroom.rows("news_story", "id, title") == [(1, "one"), (2, "two")]
    run("DELETE FROM news_story WHERE id = 2")
    run("INSERT INTO news_story (title, weight) VALUES ('three', 1)")
    assert newsroom.rows("news_story", "id, title") == [(1, "one"), (3, "three")]


@pytest.mark.parametrize("options", [{"to_field": "code"}, {"on_delete": models.DB_CASCADE}, {"db_constraint": False}])
def test_a_reference_that_is_added_in_place_says_what_one_in_a_new_table_says(sqlite_newsroom, model, options):
    """``ADD COLUMN`` takes no constraint of the table: the column has to say it."""
    desk = model("Desk", code=models.CharField(max_length=20, unique=True))
    sqlite_newsroom.migrate(desk, model("Story", title=models.CharField(max_length=20)))
    row = sqlite_newsroom.save(desk, code="city")
    link = models.ForeignKey("Desk", **({"on_delete": models.CASCADE, "null": True} | options))
    story = model("Story", title=models.CharField(max_length=20), desk=link)
    sqlite_newsroom.migrate(desk, story)
    sqlite_newsroom.save(story, title="Flood", desk=row)
    assert sqlite_newsroom.rows("news_story", "desk_id") == [("city" if "to_field" in options else row.pk,)]
