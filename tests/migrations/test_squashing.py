"""One migration in the place of many, for new databases, for old ones, and for those in between."""

from __future__ import annotations

import pytest

from toolkit import migrations, models
from toolkit.database import Database
from toolkit.errors import MigrationError, Problems
from toolkit.migrations.tables.comparing import read_table


def title(**options):
    return models.CharField(max_length=80, **options)


FUNCTION = """
import string

LETTERS = string.ascii_lowercase


def first(text):
    return text[:1] if text[:1].lower() in LETTERS else ""


def fill_initials(models, database):
    for story in models("news.Story").objects.all():
        story.initial = first(story.headline)
        story.save()


def clear(models, database):
    models("news.Story").objects.update(initial="")


class Migration(migrations.Migration):
    dependencies = [("news", "0003_rename_story_title_headline")]
    operations = [
        migrations.RunPython(fill_initials, reverse_code=clear),
        migrations.RunSQL("SELECT 1", reverse_sql="", elidable=True),
    ]
"""


@pytest.fixture
def history(newsroom, model):
    """Five migrations."""
    newsroom.declare(model("Story", title=title())).make()
    initial = {"initial": models.CharField(max_length=1, default="")}
    newsroom.declare(model("Story", title=title(), **initial), model("Tag", name=title())).make(name="initials")
    newsroom.declare(model("Story", headline=title(), **initial), model("Tag", name=title())).make()
    path = newsroom.app.migrations_folder / "0004_fill_initials.py"
    path.write_text(f"from toolkit import migrations\n{FUNCTION}")
    final = model("Story", headline=title(unique=True), **initial)
    newsroom.declare(final, model("Tag", name=title(), stories=models.ManyToManyField("Story", related_name="tags")))
    newsroom.make(name="last")
    return newsroom


def squash(newsroom, last="0005", first=None, **options):
    return migrations.squash([newsroom.app], "news", first, last, **options)


def files(newsroom):
    return sorted(path.stem for path in newsroom.app.migrations_folder.glob("0*.py"))


def remove(newsroom, *numbers):
    for number in numbers:
        next(newsroom.app.migrations_folder.glob(f"{number}_[!s]*.py")).unlink()


def test_a_squashed_migration_gives_the_same_tables(history):
    history.apply()
    before = {name: read_table(history.database, name) for name in ("news_story", "news_tag", "news_tag_stories")}
    history.apply("news.zero")
    done = squash(history)
    assert history.apply() == ["Apply news.0001_squashed_0005_last"]
    assert {name: read_table(history.database, name) for name in before} == before
    assert history.problems() == []
    assert (done.before, done.after) == (8, 5)
    history.apply("news.zero")
    assert read_table(history.database, "news_story") is None


def test_what_was_done_is_told_and_steps_of_ones_own_are_kept(history):
    done = squash(history)
    assert done.notes == (
        "1 elidable operations are left out",
        "steps of your own are kept and run on a new database too: Run Python: fill_initials. Remove those that only "
        "old rows needed, or give them elidable=True",
    )
    text = done.written.path.read_text()
    assert "import string\n" in text
    assert "def first(text):" in text
    assert "migrations.RunPython(fill_initials, reverse_code=clear)" in text
    assert "SELECT 1" not in text


def test_a_database_that_has_all_of_them_has_it(history):
    history.apply()
    squash(history)
    assert history.apply() == []
    assert history.problems() == []
    remove(history, "0001", "0002", "0003", "0004", "0005")
    assert files(history) == ["0001_squashed_0005_last"]
    assert history.apply() == []
    assert history.problems() == []


def test_a_database_that_has_some_of_them_goes_the_old_way(history):
    history.apply("news.0002")
    squash(history)
    assert history.apply() == [
        "Apply news.0003_rename_story_title_headline",
        "Apply news.0004_fill_initials",
        "Apply news.0005_last",
    ]
    assert history.problems() == []
    (status,) = migrations.show(history.database, [history.app])
    assert (status.name, status.replaces, status.applied_at is None) == ("0001_squashed_0005_last", 5, False)


def test_a_database_that_has_some_of_them_needs_the_files_of_the_others(history):
    history.apply("news.0002")
    squash(history)
    remove(history, "0004", "0005")
    message = (
        r"0001_squashed_0005_last stands for 5 migrations, of which this database has applied 0001_initial, "
        r"0002_initials; the files of the others are gone: 0004_fill_initials, 0005_last. Restore"
    )
    with pytest.raises(Problems, match=message):
        history.apply()
    assert "the files of the others are gone" in history.problems()[0]


def test_squashed_migrations_are_squashed_again(history, model):
    squash(history, "0003")
    history.apply()
    again = squash(history, "0005")
    assert again.written.name == "0001_squashed_0005_last"
    assert [name[:4] for name in again.replaced] == ["0001", "0002", "0003", "0004", "0005"]
    assert history.apply() == []
    assert history.problems() == []
    remove(history, "0001", "0002", "0003", "0004", "0005")
    (history.app.migrations_folder / "0001_squashed_0003_rename_story_title_headline.py").unlink()
    assert history.apply() == []
    assert history.problems() == []
    history.apply("news.zero")
    assert history.apply() == ["Apply news.0001_squashed_0005_last"]


def test_a_nested_squash_that_is_half_applied_goes_the_old_way(history):
    squash(history, "0003")
    squash(history, "0005")
    fresh = migrations.plan(history.database, [history.app])
    assert [str(step) for step in fresh] == ["Apply news.0001_squashed_0005_last"]
    history.apply("news.zero")
    for name in ("0001_initial", "0002_initials"):
        history.database.execute(f"INSERT INTO toolkit_migration VALUES ('news', '{name}', '2026-01-01 00:00:00')")
    steps = migrations.plan(history.database, [history.app])
    assert [step.migration.name for step in steps] == [
        "0003_rename_story_title_headline",
        "0004_fill_initials",
        "0005_last",
    ]


def test_a_part_in_the_middle_is_squashed_and_later_migrations_follow_it(history):
    squash(history, first="0002", last="0003")
    assert history.apply() == [
        "Apply news.0001_initial",
        "Apply news.0002_squashed_0003_rename_story_title_headline",
        "Apply news.0004_fill_initials",
        "Apply news.0005_last",
    ]
    assert history.problems() == []


def test_one_migration_is_no_part_of_the_history(history):
    with pytest.raises(MigrationError, match="0002_initials is not before 0002_initials"):
        squash(history, first="0002", last="0002")


def test_functions_of_one_name_in_two_files_are_refused(history):
    (history.app.migrations_folder / "0006_more.py").write_text(
        "from toolkit import migrations\n\n\ndef clear(models, database):\n    pass\n\n\n"
        "class Migration(migrations.Migration):\n    dependencies = [('news', '0005_last')]\n"
        "    operations = [migrations.RunPython(clear)]\n"
    )
    with pytest.raises(
        MigrationError, match=r"0006_more.py:4: two of the migrations have different things called 'clea"
    ):
        squash(history, "0006")


def test_the_name_in_head_is_that_of_the_squashed_migration(history):
    squash(history)
    assert (history.app.migrations_folder / "HEAD").read_text() == "0001_squashed_0005_last\n"
    assert migrations.check_files([history.app]) == []


def test_a_new_migration_depends_on_the_squashed_one(history, model):
    squash(history)
    history.declare(*history.app.models, model("Desk", name=title()))
    (made,) = history.make()
    assert made.name == "0006_desk"
    assert '("news", "0001_squashed_0005_last")' in made.text
    history.apply()
    other = Database(history.database.url)
    assert migrations.check(other, [history.app]) == []
    other.close()


def test_keys_and_parents_that_change_are_kept_as_they_were(newsroom, model):
    """They are no part of the making of a model: what lies before them stays before them."""

    def declared(kind):
        text = models.CharField(max_length=9)
        parents = {"inherits": model("Item", title=text)} if kind == "child" else {"title": text}
        slug = models.SlugField(primary_key=kind == "natural", max_length=20)
        story = model("Story", {}, slug=slug, **parents)
        note = model("Note", story=models.ForeignKey(story, on_delete=models.CASCADE, related_name="+"))
        return [*([parents["inherits"]] if kind == "child" else []), story, note]

    for kind in ("", "child"):
        newsroom.migrate(*declared(kind))
    newsroom.migrate(*declared("natural"), ask=lambda question: False)
    (last,) = [made.name for made in newsroom.app.migrations_folder.glob("0003*.py")]
    migrations.squash([newsroom.app], "news", "0001", last.removesuffix(".py"))
    assert newsroom.problems() == []
    newsroom.apply("news.zero")
    newsroom.apply()
    assert newsroom.problems() == []


def test_a_key_that_changes_is_a_part_of_the_making_of_its_model(newsroom, model):
    """And what has nothing to do with it is put together across it."""

    def declared(natural, hues):
        slug = models.SlugField(primary_key=natural, unique=True, max_length=20)
        more = {"hue": models.CharField(max_length=9, default="")} if hues else {}
        return [model("Section", slug=slug), model("Tag", name=title(), **more)]

    for natural, hues in ((False, False), (True, False), (True, True)):
        newsroom.migrate(*declared(natural, hues), ask=lambda question: False)
    (last,) = [made.stem for made in newsroom.app.migrations_folder.glob("0003*.py")]
    squashed = migrations.squash([newsroom.app], "news", "0001", last)
    assert squashed.written.summary == ("Create model Section", "Create model Tag")
    newsroom.apply("news.zero")
    newsroom.apply()
    assert newsroom.problems() == []


def test_a_parent_is_a_part_of_the_making_of_a_model_that_comes_after_it(newsroom, model):
    def declared(inherits):
        item = model("Item", name=title())
        return item, model("Story", {}, inherits=item) if inherits else model("Story", name=title())

    newsroom.declare(declared(inherits=False)[0]).make()
    for inherits in (False, True, False):
        newsroom.migrate(*declared(inherits))
    (last,) = [made.stem for made in newsroom.app.migrations_folder.glob("0004*.py")]
    three = migrations.squash(
        [newsroom.app], "news", "0001", next(newsroom.app.migrations_folder.glob("0003*.py")).stem
    )
    assert three.written.summary == ("Create model Item", "Create model Story")
    again = migrations.squash([newsroom.app], "news", three.written.name, last)
    assert again.written.summary == ("Create model Item", "Create model Story")
    newsroom.apply("news.zero")
    newsroom.apply()
    assert newsroom.problems() == []
