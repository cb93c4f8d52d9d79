"""Two branches that both add a migration: git stops at HEAD, the conflict is explained, and one follows the other."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from toolkit import migrations, models
from toolkit.errors import MigrationError, Problems
from toolkit.migrations.heads import read_head


def title(**options):
    return models.CharField(max_length=80, **options)


def git(folder, *arguments, status=0):
    names = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
    environment = os.environ | dict.fromkeys(names, "Desk")
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def repository(sqlite_newsroom, model):
    """A newsroom in git, with a first migration."""
    newsroom = sqlite_newsroom
    newsroom.declare(model("Story", title=title())).make()
    git(newsroom.folder, "init", "--initial-branch=main")
    (newsroom.folder / ".gitignore").write_text("site.db*\n")
    commit(newsroom, "Begin")
    return newsroom


def commit(newsroom, message):
    git(newsroom.folder, "add", ".")
    git(newsroom.folder, "commit", "-m", message)


def branch(newsroom, name, *declared):
    """A branch from the first commit that changes the models."""
    git(newsroom.folder, "switch", "-c", name, git(newsroom.folder, "rev-list", "--max-parents=0", "HEAD").strip())
    newsroom.declare(*declared)
    (made,) = newsroom.make(ask=lambda question: False)
    commit(newsroom, name)
    return made.name


def names(newsroom):
    return sorted(path.stem for path in newsroom.app.migrations_folder.glob("0*.py"))


def head(newsroom):
    return read_head(newsroom.app.migrations_folder)


@pytest.fixture
def diverged(repository, model):
    """A branch ``kicker`` and a branch ``rank``; the latter is where we are."""
    branch(repository, "kicker", model("Story", title=title(), kicker=title(default="")))
    branch(repository, "rank", model("Story", title=title(), rank=models.IntegerField(default=0)))
    repository.declare(model("Story", title=title(), kicker=title(default=""), rank=models.IntegerField(default=0)))
    return repository


def test_the_name_of_the_last_migration_is_kept_in_a_file(repository):
    assert (repository.app.migrations_folder / "HEAD").read_text() == "0001_initial\n"


def test_git_stops_where_both_branches_add_a_migration(diverged):
    told = git(diverged.folder, "merge", "kicker", status=1)
    assert "CONFLICT (content): Merge conflict in news/migrations/HEAD" in told
    assert (head(diverged).ours, head(diverged).theirs) == ("0002_story_rank", "0002_story_kicker")


def test_the_conflict_is_explained_by_every_command(diverged):
    git(diverged.folder, "merge", "kicker", status=1)
    said = (
        r"news has two ends, made side by side: 0002_story_kicker \(Add field kicker to Story\) and 0002_story_rank "
        r"\(Add field rank to Story\). Neither touches what the other does.*Run: toolkit migrations rebase"
    )
    for ask in (diverged.make, diverged.apply):
        with pytest.raises(Problems, match=said):
            ask()
    assert len(diverged.problems()) == 1


def test_after_a_merge_our_migration_follows_theirs(diverged):
    git(diverged.folder, "merge", "kicker", status=1)
    (moved,) = migrations.rebase([diverged.app])
    assert str(moved) == "news.0002_story_rank is now 0003_story_rank"
    assert names(diverged) == ["0001_initial", "0002_story_kicker", "0003_story_rank"]
    assert head(diverged).name == "0003_story_rank"
    diverged.apply()
    assert diverged.problems() == []
    commit(diverged, "Merge")


def test_in_a_rebase_the_migration_that_is_put_on_top_follows(diverged):
    git(diverged.folder, "rebase", "kicker", status=1)
    migrations.rebase([diverged.app])
    assert names(diverged) == ["0001_initial", "0002_story_kicker", "0003_story_rank"]
    git(diverged.folder, "add", ".")
    git(diverged.folder, "-c", "core.editor=true", "rebase", "--continue")
    assert "0003_story_rank" in git(diverged.folder, "show", "--stat", "HEAD")


def test_a_conflict_in_head_that_somebody_settled_by_hand_names_the_last(diverged):
    git(diverged.folder, "merge", "kicker", status=1)
    (diverged.app.migrations_folder / "HEAD").write_text("0002_story_kicker\n")
    migrations.rebase([diverged.app])
    assert names(diverged) == ["0001_initial", "0002_story_rank", "0003_story_kicker"]


def test_a_migration_that_was_applied_under_its_old_name_counts_as_applied(diverged, model):
    diverged.declare(model("Story", title=title(), rank=models.IntegerField(default=0)))
    diverged.apply()
    git(diverged.folder, "merge", "kicker", status=1)
    migrations.rebase([diverged.app], database=diverged.database)
    diverged.declare(model("Story", title=title(), kicker=title(default=""), rank=models.IntegerField(default=0)))
    assert diverged.apply() == ["Apply news.0002_story_kicker"]
    assert diverged.problems() == []


def test_one_that_another_database_applied_under_its_old_name_is_not_done_again(diverged):
    """Nobody asked that database when the migration got its number; steps of one's own would be run twice."""
    diverged.apply()
    git(diverged.folder, "merge", "kicker", status=1)
    (moved,) = migrations.rebase([diverged.app])
    said = 'replaces = [("news", "0002_story_rank")]'
    with pytest.raises(
        MigrationError, match=rf"0002_story_rank is, which has no file.*number.*{re.escape(said)}.*prune"
    ):
        diverged.apply()
    assert diverged.rows("toolkit_migration", "name") == [("0001_initial",), ("0002_story_rank",)]
    text = moved.path.read_text().replace("    dependencies", f"    {said}\n    dependencies", 1)
    moved.path.write_text(text)
    assert diverged.apply() == ["Apply news.0002_story_kicker"]


def test_several_migrations_of_a_side_keep_their_order_and_what_depends_on_them_follows(diverged, model):
    folder = diverged.app.migrations_folder
    (folder / "0003_more.py").write_text(
        "from toolkit import migrations\n\n\nclass Migration(migrations.Migration):\n"
        "    dependencies = [('news', '0002_story_rank')]\n    operations = []\n"
    )
    commit(diverged, "More")
    git(diverged.folder, "merge", "kicker", status=1)
    migrations.rebase([diverged.app])
    assert names(diverged) == ["0001_initial", "0002_story_kicker", "0003_story_rank", "0004_more"]
    assert "('news', '0003_story_rank')" in (folder / "0004_more.py").read_text()
    assert diverged.apply()[-1] == "Apply news.0004_more"


def test_both_may_be_kept_under_a_third(diverged):
    git(diverged.folder, "merge", "kicker", status=1)
    (made,) = migrations.merge([diverged.app])
    assert made.name == "0003_merge_story_kicker_story_rank"
    assert diverged.apply()[-1] == "Apply news.0003_merge_story_kicker_story_rank"
    assert diverged.problems() == []
    assert migrations.check_files([diverged.app]) == []


@pytest.fixture
def contradicting(repository, model):
    """A branch that renames what the other one alters."""
    branch(repository, "shorter", model("Story", title=models.CharField(max_length=40)))
    git(repository.folder, "switch", "-c", "headline", "main")
    repository.declare(model("Story", headline=title()))
    repository.make()
    commit(repository, "Rename")
    git(repository.folder, "merge", "shorter", status=1)
    return repository


def test_sides_whose_order_matters_are_not_put_in_line_by_themselves(contradicting):
    said = r"order matters: after 0002_rename_story_title_headline, 0002_alter_story_title cannot be done: Alter field"
    with pytest.raises(MigrationError, match=said + r".*news.Story has no field 'title'.*--anyway"):
        migrations.rebase([contradicting.app])
    with pytest.raises(MigrationError, match="order matters"):
        migrations.merge([contradicting.app])
    assert names(contradicting) == ["0001_initial", "0002_alter_story_title", "0002_rename_story_title_headline"]


def test_edits_of_one_field_are_told_with_what_each_would_leave(repository, model):
    """Both sides alter the same field: whoever comes last decides, so somebody must."""
    start = repository.app.migrations_folder
    last = sorted(start.glob("0*.py"))[-1].stem
    for name, length in (("0100_longer", 50), ("0100_shorter", 20)):
        (start / f"{name}.py").write_text(
            "from toolkit import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
            f'    dependencies = [("news", "{last}")]\n'
            f'    operations = [migrations.AlterField("Story", "title", models.CharField(max_length={length}))]\n'
        )
    told = (
        r"news\.Story\.title would be models\.CharField\(max_length=50\) if 0100_longer comes last, and "
        r"models\.CharField\(max_length=20\) if 0100_shorter does"
    )
    with pytest.raises(MigrationError, match=told):
        migrations.merge([repository.app])
    assert migrations.merge([repository.app], anyway=True)


def test_they_are_when_somebody_says_so(contradicting):
    migrations.rebase([contradicting.app], last="news.0002_rename", anyway=True)
    assert names(contradicting)[1:] == ["0002_alter_story_title", "0003_rename_story_title_headline"]
    assert len(contradicting.apply()) == 3


def test_a_step_of_ones_own_may_matter(diverged):
    folder = diverged.app.migrations_folder
    text = (folder / "0002_story_rank.py").read_text()
    (folder / "0002_story_rank.py").write_text(
        text.replace("operations = [", 'operations = [\n        migrations.RunSQL("SELECT 1"),')
    )
    commit(diverged, "Own")
    git(diverged.folder, "merge", "kicker", status=1)
    with pytest.raises(
        MigrationError, match=r"0002_story_rank has a step of its own \(Run SQL: SELECT 1\), and nobody"
    ):
        migrations.rebase([diverged.app])


def test_a_name_that_is_in_no_side_is_explained(diverged):
    git(diverged.folder, "merge", "kicker", status=1)
    with pytest.raises(
        MigrationError, match=r"no migration of the sides .* begins with '0002_rang'.*mean '0002_story_ra"
    ):
        migrations.rebase([diverged.app], last="news.0002_rang")


def test_a_head_that_names_another_migration_is_told(repository):
    (repository.app.migrations_folder / "HEAD").write_text("0000_nothing\n")
    (problem,) = migrations.check_files([repository.app])
    assert "HEAD says 0000_nothing, and the last migration is 0001_initial" in str(problem)
    migrations.rebase([repository.app])
    assert migrations.check_files([repository.app]) == []


def dated(model, *, composite):
    """Stories that have a number for a key, or are known by title and day."""
    key = {"pk": models.CompositePrimaryKey("title", "day")} if composite else {}
    return model("Story", title=title(), day=models.IntegerField(default=0), **key)


def referring(model, *, new):
    """A page that refers to a story, and a note that does: both new to the table of stories."""
    if not new:
        return [model("Page", text=title())]
    to = models.ForeignKey("Story", on_delete=models.CASCADE, null=True)
    return [
        model("Page", text=title(), story=to),
        model("Note", story=models.ForeignKey("Story", on_delete=models.CASCADE)),
    ]


@pytest.mark.parametrize("last", ["key", "reference"])
def test_a_key_of_several_fields_and_a_new_reference_to_it_go_in_either_order(newsroom, model, last):
    newsroom.declare(dated(model, composite=False), *referring(model, new=False)).make()
    git(newsroom.folder, "init", "--initial-branch=main")
    (newsroom.folder / ".gitignore").write_text("site.db*\n")
    commit(newsroom, "Begin")
    ends = {
        "key": branch(newsroom, "key", dated(model, composite=True), *referring(model, new=False)),
        "reference": branch(newsroom, "reference", dated(model, composite=False), *referring(model, new=True)),
    }
    git(newsroom.folder, "merge", "key", status=1)
    newsroom.declare(dated(model, composite=True), *referring(model, new=True))
    (told,) = newsroom.problems()
    assert "has two ends" in told
    assert "Neither touches what the other does" in told
    migrations.rebase([newsroom.app], last=f"news.{ends[last]}")
    newsroom.apply()
    assert newsroom.make() == []
    assert newsroom.problems() == []
    story, page, note = newsroom.app.models
    flood = newsroom.save(story, title="Flood", day=3)
    newsroom.save(page, text="1", story=flood)
    newsroom.save(note, story=flood)
    assert newsroom.rows("news_page", "story_title, story_day") == [("Flood", 3)]
    newsroom.apply("news.0001")


PYTHON = """from toolkit import migrations, models


def fill(models, database):
    models("news.Story").objects.update({name}={value!r})


class Migration(migrations.Migration):
    dependencies = [("news", "{after}")]
    operations = [migrations.RunPython(fill, reverse_code=migrations.RunPython.noop)]
"""


def add_python(newsroom, number, *, after, name, value):
    """A migration of one's own behind another."""
    folder = newsroom.app.migrations_folder
    (folder / f"{number}.py").write_text(PYTHON.format(after=after, name=name, value=value))
    (folder / "HEAD").write_text(f"{number}\n")


@pytest.fixture
def filling(repository, model):
    """Two sides that each add a field and fill it with Python."""
    for side, field, value in (
        ("kicker", title(default=""), "sea"),
        ("rank", models.IntegerField(default=0), 7),
    ):
        made = branch(repository, side, model("Story", title=title(), **{side: field}))
        add_python(repository, f"0003_fill_{side}", after=made, name=side, value=value)
        commit(repository, f"Fill {side}")
    git(repository.folder, "merge", "kicker", status=1)
    repository.declare(model("Story", title=title(), kicker=title(default=""), rank=models.IntegerField(default=0)))
    return repository


def test_steps_of_ones_own_on_both_sides_are_all_named(filling):
    (told,) = filling.problems()
    for name in ("0003_fill_kicker", "0003_fill_rank"):
        assert f"{name} has a step of its own (Run Python: fill), and nobody can tell" in told


@pytest.mark.parametrize("last", ["kicker", "rank"])
def test_python_of_both_sides_runs_in_the_order_that_somebody_chose(filling, last):
    moved = migrations.rebase([filling.app], last=f"news.0003_fill_{last}", anyway=True)
    assert [one.new for one in moved] == [
        f"0004_story_{last}",
        f"0005_fill_{last}",
    ]
    filling.apply("news.0001")
    filling.database.execute("INSERT INTO news_story (title) VALUES ('Flood')")
    filling.apply()
    assert filling.rows("news_story", "title, kicker, rank") == [("Flood", "sea", 7)]
    assert filling.problems() == []
    filling.apply("news.zero")


def test_python_of_both_sides_runs_under_a_third(filling):
    migrations.merge([filling.app], anyway=True)
    filling.apply("news.0001")
    filling.database.execute("INSERT INTO news_story (title) VALUES ('Flood')")
    filling.apply()
    assert filling.rows("news_story", "title, kicker, rank") == [("Flood", "sea", 7)]
    assert filling.problems() == []


def test_a_contradiction_is_told_though_there_are_steps_of_ones_own(contradicting):
    folder = contradicting.app.migrations_folder
    add_python(contradicting, "0003_fill", after="0002_alter_story_title", name="title", value="x")
    with pytest.raises(MigrationError, match=r"no field 'title'.*0003_fill has a step of its own"):
        migrations.rebase([contradicting.app])
    assert (folder / "0003_fill.py").exists()


def test_one_that_gets_another_number_twice_counts_as_applied_under_every_name(diverged, model):
    """Some databases have it under its first name, some under its second."""
    diverged.apply()
    git(diverged.folder, "merge", "kicker", status=1)
    migrations.rebase([diverged.app], database=diverged.database)
    diverged.apply()
    diverged.declare(model("Story", title=title(), kicker=title(default=""), rank=models.IntegerField(default=0)))
    folder = diverged.app.migrations_folder
    (folder / "0003_later.py").write_text(
        (folder / "0002_story_kicker.py")
        .read_text()
        .replace("kicker", "note")
        .replace("0001_initial", "0002_story_kicker")
    )
    migrations.rebase([diverged.app], database=diverged.database, last="news.0003_story_rank", anyway=True)
    text = (folder / "0004_story_rank.py").read_text()
    assert 'replaces = [("news", "0003_story_rank"), ("news", "0002_story_rank")]' in text
    assert diverged.apply() == ["Apply news.0003_later"]
