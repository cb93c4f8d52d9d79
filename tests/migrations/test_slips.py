"""The mistakes that everybody makes once in a migration: told with its file, and nothing is done."""

from __future__ import annotations

import pytest

from toolkit import models
from toolkit.errors import MigrationError, Problems

FILE = """
from toolkit import migrations, models


def step():
    pass


class Migration(migrations.Migration):
    dependencies = {dependencies}
    operations = {operations}
"""
AFTER = "[('news', '0001_initial')]"
NEW = "migrations.AddField(model_name='Story', name='kicker', field={}, fill={!r})"


@pytest.fixture
def story(newsroom, model):
    """A newsroom with a story, and its first migration applied."""
    made = model("Story", title=models.CharField(max_length=80))
    newsroom.migrate(made)
    newsroom.save(made, title="Flood")
    return made


def write(newsroom, operations, dependencies=AFTER):
    path = newsroom.folder / "news" / "migrations" / "0002_slip.py"
    path.write_text(FILE.format(operations=operations, dependencies=dependencies), "utf-8")
    (path.parent / "HEAD").write_text("0002_slip\n", "utf-8")


READ = [
    ("migrations.RunSQL('SELECT 1')", AFTER, r"operations = <.*> is no list of operations. .*in brackets"),
    ("['SELECT 1']", AFTER, r"operations = \['SELECT 1'\] is no list of operations"),
    ("[]", "['0001_initial']", r"dependencies = \['0001_initial'\] is no list of pairs. Such as \[\("),
    (
        "[migrations.AddField(model='Story', name='a', field=None)]",
        AFTER,
        "11: AddField has no option 'model'. Did you mean 'model_name'",
    ),
    ("[migrations.RemoveField(name='a')]", AFTER, "11: RemoveField needs model_name="),
    (
        "[migrations.RunPython(step)]",
        AFTER,
        r"11: RunPython: 'step' cannot be called with .*def name\(models, database\)",
    ),
]


@pytest.mark.parametrize(("operations", "dependencies", "told"), READ)
def test_a_file_that_says_it_wrongly_is_told_by_its_line(sqlite_newsroom, model, operations, dependencies, told):
    sqlite_newsroom.migrate(model("Story", title=models.CharField(max_length=80)))
    write(sqlite_newsroom, operations, dependencies)
    with pytest.raises(Problems, match=rf"(?s)0002_slip\.py:(?:\d+: )?.*{told}"):
        sqlite_newsroom.apply()


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ("migrations.RemoveField(model_name='Storry', name='title')", "no model news.Storry .*Did you mean"),
        ("migrations.RemoveField(model_name='Story', name='titel')", "no field 'titel' .*Did you mean 'title'"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_the_file(newsroom, story, operation, told):
    write(newsroom, f"[{operation}]")
    with pytest.raises(MigrationError, match=rf"0002_slip\.py: .*{told}"):
        newsroom.apply()


@pytest.mark.parametrize(
    ("field", "fill", "told"),
    [
        ("models.IntegerField()", "ten", "'ten' is not a whole number"),
        ("models.CharField(max_length=3)", "toolong", "at most 3"),
        ("models.SmallIntegerField()", 40_000, "32,?767"),
    ],
)
def test_a_value_for_old_rows_that_the_field_cannot_hold_is_refused(newsroom, story, field, fill, told):
    """SQLite would keep it, and nobody could read the rows any more."""
    write(newsroom, f"[{NEW.format(field, fill)}]")
    with pytest.raises(MigrationError, match=rf"0002_slip\.py: .*{told}"):
        newsroom.apply()
    assert newsroom.values(story, "title") == ["Flood"]
    assert [name for name, *_ in newsroom.rows("toolkit_migration", "name")] == ["0001_initial"]


def test_a_value_for_what_is_no_field_is_refused(newsroom, story, model):
    newsroom.declare(model("Story", title=models.CharField(max_length=80), kicker=models.IntegerField()))
    with pytest.raises(MigrationError, match=r"'news\.Story\.kickr', which is no field. .*'news\.Story\.kicker'"):
        newsroom.make(fills={"news.Story.kickr": 1})


def test_steps_written_in_djangos_words_find_their_models(newsroom, story):
    write(newsroom, "[migrations.RunPython(shout)]")
    path = newsroom.folder / "news" / "migrations" / "0002_slip.py"
    text = path.read_text("utf-8").replace(
        "def step():\n    pass",
        "def shout(apps, schema_editor):\n    apps.get_model('news', 'Story').objects.update(title='FLOOD')",
    )
    path.write_text(text, "utf-8")
    newsroom.apply()
    assert newsroom.values(story, "title") == ["FLOOD"]
