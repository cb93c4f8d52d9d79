"""Going to a point of the history and back, steps of your own, and what is refused."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from toolkit import migrations, models
from toolkit.errors import MigrationError, Problems
from toolkit.migrations.executor import Executor, Step
from toolkit.migrations.graph import Graph
from toolkit.migrations.loader import load_graph
from toolkit.migrations.state import ProjectState


def title(**options):
    return models.CharField(max_length=80, **options)


def write(newsroom, name, body, *, dependencies=()):
    """A migration file of one's own."""
    folder = newsroom.app.migrations_folder
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    (folder / f"{name}.py").write_text(
        "from toolkit import migrations, models\n\n\n"
        f"{FUNCTIONS}\n\n\n"
        "class Migration(migrations.Migration):\n"
        f"    dependencies = {list(dependencies)!r}\n"
        f"    operations = [\n{lines}    ]\n"
    )


FUNCTIONS = """
def shout(models, database):
    story = models["news.Story"]
    for found in story.objects.order_by("pk"):
        found.title = found.title.upper()
        found.save()


def whisper(models, database):
    for found in models["news.Story"].objects.all():
        found.title = found.title.lower()
        found.save()


def ask_for_another(models, database):
    models["news.Storry"]
"""


@pytest.fixture
def stories(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    for name in ("one", "two"):
        newsroom.save(newsroom.app.models[0], title=name)
    return newsroom


def test_a_database_goes_to_any_point_of_its_history(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    newsroom.migrate(model("Story", title=title(), note=models.TextField(null=True)))
    newsroom.migrate(
        model("Story", title=title(), note=models.TextField(null=True), rank=models.IntegerField(null=True))
    )
    assert newsroom.apply("news.0001") == ["Reverse news.0003_story_rank", "Reverse news.0002_story_note"]
    assert newsroom.apply("news.0002_story") == ["Apply news.0002_story_note"]
    assert newsroom.apply("news") == ["Apply news.0003_story_rank"]
    with newsroom.database.counted() as statements:
        assert newsroom.apply() == []
    assert [each for each in statements if not each.startswith("SELECT")] == []  # and nothing waits for a lock
    assert len(newsroom.apply("news.zero")) == 3
    with pytest.raises(Exception, match="news_story"):
        newsroom.rows("news_story")


def test_a_long_history_is_gone_through_once(sqlite_newsroom, monkeypatch):
    """Each migration went through all that come before it, and linked all files twice."""
    for _ in range(6):
        sqlite_newsroom.make(empty=["news"])
    graph = load_graph([sqlite_newsroom.app])
    executor = Executor(sqlite_newsroom.database, graph, start=ProjectState())
    asked, state = [], Graph.state
    monkeypatch.setattr(Graph, "state", lambda self, *args, **more: asked.append(more) or state(self, *args, **more))
    assert len(executor.run(executor.plan())) == 6
    assert asked == [{"upto": set()}]
    assert executor.graph.for_database([]).order is graph.order


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("news.0007", r"no migration begins with '0007' in news"),
        ("news.000", r"2 migrations begin with '000' in news"),
        ("newz", r"the app 'newz' has no migrations. Did you mean 'news'\?"),
    ],
)
def test_a_target_that_is_not_there_is_explained(stories, model, target, message):
    stories.migrate(model("Story", title=title(), note=models.TextField(null=True)))
    with pytest.raises(MigrationError, match=message):
        stories.apply(target)


def test_show_tells_what_was_applied_and_when(stories, model):
    stories.declare(model("Story", title=title(), note=models.TextField(null=True))).make()
    first, second = migrations.show(stories.database, [stories.app])
    assert (first.name, second.name, second.applied_at) == ("0001_initial", "0002_story_note", None)
    assert abs((datetime.now(UTC) - first.applied_at).total_seconds()) < 60
    (stories.app.migrations_folder / "0001_initial.py").rename(stories.folder / "kept.py")
    (stories.app.migrations_folder / "0002_story_note.py").unlink()
    assert [(one.name, one.missing) for one in migrations.show(stories.database, [stories.app])] == [
        ("0001_initial", True)
    ]


def test_python_runs_with_the_models_of_that_moment_and_is_undone(stories, model):
    body = "migrations.RunPython(shout, reverse_code=whisper),"
    write(stories, "0002_shout", body, dependencies=[("news", "0001_initial")])
    stories.migrate(model("Story", headline=title()))
    assert stories.rows("news_story", "id, headline") == [(1, "ONE"), (2, "TWO")]
    stories.apply("news.0001")
    assert stories.rows("news_story", "id, title") == [(1, "one"), (2, "two")]


def test_python_and_tables_change_in_one_migration(stories, model):
    """PostgreSQL alters no table with checks waiting."""
    body = (
        "migrations.RunPython(shout, reverse_code=whisper),\n"
        'migrations.AlterField(model_name="Story", name="title", field=models.CharField(max_length=90)),'
    )
    write(stories, "0002_both", body, dependencies=[("news", "0001_initial")])
    stories.declare(model("Story", title=models.CharField(max_length=90)))
    stories.apply()
    assert stories.rows("news_story", "title") == [("ONE",), ("TWO",)]
    assert stories.problems() == []


def test_sql_of_your_own_runs_and_is_undone(stories):
    body = (
        "migrations.RunSQL(\"UPDATE news_story SET title = '100% one' WHERE id = 1\",\n"
        "    reverse_sql=[\"UPDATE news_story SET title = replace(title, '100% ', '')\"]),"
    )
    write(stories, "0002_sql", body, dependencies=[("news", "0001_initial")])
    stories.apply()
    assert stories.rows("news_story", "title") == [("100% one",), ("two",)]
    stories.apply("news.0001")
    assert stories.rows("news_story", "title") == [("one",), ("two",)]


def test_sql_may_say_what_it_means_for_the_models(stories, model):
    body = (
        'migrations.RunSQL("ALTER TABLE news_story ADD COLUMN note DATE",\n'
        '    state_operations=[migrations.AddField("Story", "note", models.DateField(null=True))]),'
    )
    write(stories, "0002_sql", body, dependencies=[("news", "0001_initial")])
    stories.declare(model("Story", title=title(), note=models.DateField(null=True)))
    assert stories.make() == []
    stories.apply()
    assert stories.problems() == []


def test_a_step_without_a_way_back_is_refused_before_anything_is_undone(stories):
    body = 'migrations.RunSQL("DELETE FROM news_story"),'
    write(stories, "0002_sql", body, dependencies=[("news", "0001_initial")])
    stories.apply()
    with pytest.raises(
        MigrationError, match=r"0002_sql cannot be reversed: 'Run SQL: DELETE FROM.*Give it reverse_sql"
    ):
        stories.apply("news.0001")
    assert [one.applied_at is None for one in migrations.show(stories.database, [stories.app])] == [False, False]


def test_a_migration_that_fails_halfway_leaves_nothing_behind(stories):
    body = (
        'migrations.AddField("Story", "note", models.TextField(null=True)),\n'
        "migrations.RunPython(shout),\n"
        'migrations.RunSQL("SELECT nonsense FROM nowhere"),'
    )
    write(stories, "0002_broken", body, dependencies=[("news", "0001_initial")])
    with pytest.raises(MigrationError, match=r"0002_broken was not applied: Run SQL: SELECT nonsense.*nowhere"):
        stories.apply()
    if stories.database.dialect != "mysql":  # which takes back no change of a table: test_interruptions.py
        assert stories.rows("news_story") == [(1, "one"), (2, "two")]


def test_a_model_that_is_not_there_at_that_moment_is_explained(stories):
    write(stories, "0002_x", "migrations.RunPython(ask_for_another),", dependencies=[("news", "0001_initial")])
    with pytest.raises(MigrationError, match=r"no model 'news.Storry' at this point.*Did you mean 'news.Story'"):
        stories.apply()


def test_an_operation_that_does_not_fit_is_named_with_its_file(stories):
    body = 'migrations.RemoveField(model_name="Story", name="titel"),'
    write(stories, "0002_x", body, dependencies=[("news", "0001_initial")])
    message = r"0002_x.py: Remove field titel from Story: news.Story has no field 'titel'.*mean 'title'"
    assert len(stories.problems()) == 1
    with pytest.raises(MigrationError, match=message):
        stories.make()


def test_a_record_that_contradicts_the_files_is_refused(stories, model):
    stories.migrate(model("Story", title=title(), note=models.TextField(null=True)))
    stories.database.execute("DELETE FROM toolkit_migration WHERE name = '0001_initial'")
    with pytest.raises(
        MigrationError, match=r"0002_story_note is applied, and news.0001_initial, which it depends on, is"
    ):
        stories.apply()


def test_a_column_that_lacks_values_cannot_come_back_while_there_are_rows(newsroom, model):
    newsroom.migrate(model("Story", title=title(), code=title()))
    newsroom.migrate(model("Story", title=title()))
    newsroom.apply("news.0001")
    newsroom.apply("news")
    newsroom.save(newsroom.app.models[0], title="one")
    with pytest.raises(MigrationError, match=r"not reversed: .*news.Story.code: 1 rows have no value.*fill="):
        newsroom.apply("news.0001")


def test_migrations_do_not_run_inside_a_transaction(stories):
    with stories.database.atomic(), pytest.raises(MigrationError, match=r"inside a transaction\. Call it outside"):
        stories.apply("news.zero")


def test_two_processes_apply_a_migration_once(stories, model):
    stories.declare(model("Story", title=title(), note=models.TextField(null=True))).make()
    done: list[list[Step]] = []
    gate = threading.Barrier(2)

    def run():
        executor = Executor(stories.database, load_graph([stories.app]), start=ProjectState())
        steps = executor.plan()
        gate.wait()
        done.append(executor.run(steps))
        stories.database.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(steps) for steps in done) == [0, 1]
    assert stories.problems() == []


@pytest.mark.parametrize(
    ("before", "planned", "meanwhile", "told"),
    [
        ("0001", "zero", "0002", r"0001_initial was not reversed: it comes before news\.0002_desk, applied meanwhile"),
        ("0001", "0002", "zero", r"0002_desk was not applied: it comes after news\.0001_initial, reversed meanwhile"),
    ],
)
def test_a_process_that_another_one_met_on_its_way_stops(stories, model, before, planned, meanwhile, told):
    """It did what it had planned: 0001 was reversed below 0002, and no command would go on from there."""
    stories.declare(*stories.app.models, model("Desk", name=title())).make()
    stories.apply(f"news.{before}")
    executor = Executor(stories.database, load_graph([stories.app]), start=ProjectState())
    steps = executor.plan(f"news.{planned}")
    stories.apply(f"news.{meanwhile}")
    with pytest.raises(MigrationError, match=told):
        executor.run(steps)
    stories.apply()
    assert stories.problems() == []


def test_a_database_of_another_kind_is_refused_by_name(stories):
    other = SimpleNamespace(dialect="db2", transaction=None, has_table=lambda name: False)
    executor = Executor(other, load_graph([stories.app]), start=ProjectState())
    with pytest.raises(MigrationError, match=r"do not know db2 yet\. Use one of: sqlite"):
        executor.run([])


def test_tables_that_are_there_and_are_right_are_taken_over(newsroom, model):
    """A site that began without migrations begins to have them."""
    newsroom.declare(model("Story", title=title()))
    assert migrations.create_tables(newsroom.database, newsroom.app.models) == ["news_story"]
    newsroom.save(newsroom.app.models[0], title="one")
    newsroom.make()
    newsroom.apply()
    assert newsroom.rows("news_story") == [(1, "one")]
    assert newsroom.problems() == []


def test_a_proxy_has_no_table_to_make(newsroom, model):
    story = model("Story", title=title())
    newsroom.declare(model("Live", {"proxy": True}, inherits=story), story)
    assert migrations.create_tables(newsroom.database, newsroom.app.models) == ["news_story"]
    assert migrations.create_tables(newsroom.database, newsroom.app.models) == []


def test_tables_that_are_there_and_differ_are_not_taken_over(newsroom, model):
    newsroom.declare(model("Story", title=title()))
    migrations.create_tables(newsroom.database, newsroom.app.models)
    newsroom.declare(model("Story", title=title(), code=models.SlugField())).make()
    with pytest.raises(
        MigrationError, match=r"(?s)the table news_story is there already and differs.*no column 'code'"
    ):
        newsroom.apply()


def test_nothing_to_check_in_the_database_when_none_is_given(stories, model):
    assert migrations.check(None, [stories.app]) == []
    stories.declare(model("Story", title=title(), code=models.SlugField()))
    (problem,) = migrations.check(None, [stories.app])
    assert str(problem) == (
        "news: the models changed and no migration says so: Add field code to Story. Run: toolkit migrations make."
    )


def test_files_that_were_applied_and_are_gone_are_told(stories):
    (stories.app.migrations_folder / "0001_initial.py").unlink()
    stories.app.models = []
    assert stories.problems() == [
        "news.0001_initial was applied, and its file is gone. Restore it from version control, or forget it: "
        "toolkit migrations apply --prune."
    ]


def test_two_ends_are_a_problem_not_a_crash(stories, model):
    for name in ("0002_a", "0002_b"):
        write(stories, name, 'migrations.RunSQL("SELECT 1"),', dependencies=[("news", "0001_initial")])
    assert "news has two ends" in stories.problems()[0]
    with pytest.raises(Problems, match="the migrations do not fit together"):
        stories.apply()


def test_a_query_that_was_asked_often_is_answered_after_its_table_changed(stories, model):
    """PostgreSQL refuses a prepared plan whose result has another type now."""
    for _ in range(10):
        stories.rows("news_story")
    stories.declare(model("Story", title=title(), note=models.TextField(default="")))
    stories.make()
    stories.apply()
    assert stories.rows("news_story") == [(1, "one", ""), (2, "two", "")]
