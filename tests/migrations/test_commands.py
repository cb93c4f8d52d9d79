"""What may be asked of migrations besides making and applying them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

import pytest

from tests.migrations.conftest import fresh_database
from toolkit import migrations, models
from toolkit.errors import MigrationError, Problems
from toolkit.migrations.editors.scripts import split_script
from toolkit.migrations.renames import never
from toolkit.migrations.tables.comparing import read_table
from toolkit.trace import Scope, entered


def title(**options):
    return models.CharField(max_length=80, **options)


@pytest.fixture
def stories(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    for name in ("one", "two"):
        newsroom.save(newsroom.app.models[0], title=name)
    return newsroom


def write(newsroom, name, operations, *, after, head="", functions=""):
    """A migration file of one's own."""
    folder = newsroom.app.migrations_folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(
        f"from toolkit import migrations, models\n\n\n{functions}\n\n\nclass Migration(migrations.Migration):\n{head}"
        f"    dependencies = [('news', '{after}')]\n    operations = [{operations}]\n"
    )


# make


@pytest.mark.parametrize("name", ["Article", "Story"], ids=["new", "old"])
def test_a_rename_may_be_told_beforehand_and_nobody_is_asked(stories, model, name):
    """A field of a model that is renamed, too, is told under either name of that."""
    stories.declare(model("Article", headline=models.CharField(max_length=90)))
    renames = {"news.Story": "Article", f"news.{name}.title": "headline"}
    (made,) = stories.make(renames=renames)
    assert made.summary == (
        "Rename model Story to Article",
        "Rename field title of Article to headline",
        "Alter field headline of Article",
    )
    assert stories.questions == []
    stories.apply()
    assert stories.rows("news_article", "headline") == [("one",), ("two",)]


def declare_tags(newsroom, model, *, own):
    """Stories with tags, by a table between that is made for them or by a model of one's own."""
    tag = model("Tag", name=title())
    if not own:
        newsroom.declare(tag, model("Story", tags=models.ManyToManyField(tag)))
        return
    keys = {name: models.ForeignKey(name.title(), on_delete=models.CASCADE) for name in ("story", "tag")}
    story = model("Story", tags=models.ManyToManyField(tag, through="Tagging"))
    newsroom.declare(tag, story, model("Tagging", **keys, position=models.IntegerField(default=7)))


def test_links_are_kept_when_a_model_of_ones_own_has_them_from_now_on(newsroom, model):
    declare_tags(newsroom, model, own=False)
    newsroom.make()
    newsroom.apply()
    newsroom.database.execute("INSERT INTO news_tag VALUES (1, 'sea')")
    newsroom.database.execute("INSERT INTO news_story VALUES (1)")
    newsroom.database.execute("INSERT INTO news_story_tags (story_id, tag_id) VALUES (1, 1)")
    declare_tags(newsroom, model, own=True)
    told = r"news\.Story_tags would be lost.*--rename news\.Story_tags=Tagging.*news\.Story_tags= to let them go"
    with pytest.raises(MigrationError, match=told):
        newsroom.make(ask=never)
    newsroom.make(ask=never, renames={"news.Story_tags": "Tagging"})
    newsroom.apply()
    assert newsroom.rows("news_tagging", "story_id, tag_id, position") == [(1, 1, 7)]
    declare_tags(newsroom, model, own=False)
    with pytest.raises(
        MigrationError, match=r"the links in news\.Tagging would be lost.*--rename news\.Tagging=Story_tags"
    ):
        newsroom.make(ask=never)
    newsroom.make()
    assert newsroom.questions == ["Was the model news.Tagging renamed to Story_tags?"]
    newsroom.apply()
    assert newsroom.rows("news_story_tags", "story_id, tag_id") == [(1, 1)]


@pytest.mark.parametrize("end", ["Story", "Tag"])
def test_links_are_kept_when_one_end_is_renamed_along_with_that(newsroom, model, end):
    """There and back again: the model of one's own has more fields than not, and is nothing like the table between."""

    def declare(*, own):
        story, tag = ("Article" if own and end == "Story" else "Story"), ("Topic" if own and end == "Tag" else "Tag")
        options = {"through": "Tagging"} if own else {}
        topic = model(tag, name=title())
        article = model(story, body=title(), tags=models.ManyToManyField(topic, related_name="+", **options))
        keys = {one.lower(): models.ForeignKey(one, on_delete=models.CASCADE, related_name="+") for one in (story, tag)}
        beside = {name: models.IntegerField(default=7) for name in ("position", "weight", "height")}
        newsroom.declare(topic, article, *([model("Tagging", **keys, **beside)] if own else []))

    declare(own=False)
    newsroom.make()
    newsroom.apply()
    newsroom.database.execute("INSERT INTO news_tag VALUES (1, 'sea')")
    newsroom.database.execute("INSERT INTO news_story (id, body) VALUES (1, 'B')")
    newsroom.database.execute("INSERT INTO news_story_tags (story_id, tag_id) VALUES (1, 1)")
    declare(own=True)
    new = "Article" if end == "Story" else "Topic"
    with pytest.raises(MigrationError, match=r"news\.Story_tags would be lost.*--rename news\.Story_tags=Tagging"):
        newsroom.make(ask=never, renames={f"news.{end}": new})
    (made,) = newsroom.make()
    assert newsroom.questions[1:] == ["Was the model news.Story_tags renamed to Tagging?"]
    assert made.summary[:2] == (f"Rename model {end} to {new}", "Rename model Story_tags to Tagging")
    newsroom.apply()
    columns = ("article_id, tag_id" if end == "Story" else "story_id, topic_id") + ", position"
    assert newsroom.rows("news_tagging", columns) == [(1, 1, 7)]
    declare(own=False)
    back = {f"news.{new}": end}
    with pytest.raises(MigrationError, match=r"news\.Tagging would be lost.*--rename news\.Tagging=Story_tags"):
        newsroom.make(ask=never, renames=back)
    newsroom.make(ask=never, renames={**back, "news.Tagging": "Story_tags"})
    newsroom.apply()
    assert newsroom.rows("news_story_tags", "story_id, tag_id") == [(1, 1)]
    newsroom.apply("news.zero")


def test_a_many_to_many_field_may_be_renamed_along_with_its_target(sqlite_newsroom, model):
    newsroom = sqlite_newsroom
    declare_tags(newsroom, model, own=False)
    newsroom.make()
    topic = model("Topic", name=title())
    newsroom.declare(topic, model("Story", topics=models.ManyToManyField(topic)))
    (made,) = newsroom.make(write=False)
    assert newsroom.questions[1:] == ["Was the model news.Story_tags renamed to Story_topics?"]
    told = ("Rename model Tag to Topic", "Rename model Story_tags to Story_topics")
    assert made.summary == (*told, "Rename field tag of Story_topics to topic", *made.summary[3:])


def test_a_many_to_many_field_is_renamed_by_its_name(newsroom, model):
    """Its links are in a table of its own, which need not be known to whoever says so."""
    declare_tags(newsroom, model, own=False)
    newsroom.make()
    tag = model("Tag", name=title())
    newsroom.declare(tag, model("Story", topics=models.ManyToManyField(tag)))
    (made,) = newsroom.make(ask=never, renames={"news.Story.tags": "topics"}, write=False)
    assert made.summary[0] == "Rename model Story_tags to Story_topics"
    (made,) = newsroom.make(renames={"news.Story.tags": ""}, write=False)
    assert made.summary == ("Create model Story_topics", "Delete model Story_tags")
    assert newsroom.questions == []


def test_links_may_go(newsroom, model):
    declare_tags(newsroom, model, own=False)
    newsroom.make()
    declare_tags(newsroom, model, own=True)
    (made,) = newsroom.make(ask=never, renames={"news.Story_tags": ""})
    assert made.summary == ("Create model Tagging", "Delete model Story_tags")


def test_renames_are_told_when_the_last_migration_is_written_again_too(newsroom, model):
    declare_tags(newsroom, model, own=False)
    newsroom.make()
    declare_tags(newsroom, model, own=True)
    with pytest.raises(MigrationError, match="would be lost"):
        migrations.update([newsroom.app])
    made = migrations.update([newsroom.app], renames={"news.Story_tags": "Tagging"})
    assert 'name="Tagging"' in made.text
    assert "Story_tags" not in made.text


def test_that_nothing_was_renamed_may_be_told_beforehand_too(stories, model):
    """An empty answer is a no, and nobody is asked: of a field, and of a model."""
    stories.declare(model("Story", headline=title()))
    (made,) = stories.make(renames={"news.Story.title": ""}, fills={"news.Story.headline": "none"}, write=False)
    assert made.summary == ("Add field headline to Story", "Remove field title from Story")
    stories.declare(model("Article", title=title()))
    (made,) = stories.make(renames={"news.Story": ""}, write=False)
    assert made.summary == ("Create model Article", "Delete model Story")
    assert stories.questions == []
    (made,) = stories.make(write=False)
    assert made.summary == ("Rename model Story to Article",) and len(stories.questions) == 1


def test_a_rename_that_is_none_is_refused(stories, model):
    stories.declare(model("Story", headline=title()))
    with pytest.raises(MigrationError, match=r"told of a rename that is none: news.Story.titel to headline"):
        stories.make(renames={"news.Story.titel": "headline"}, fills={"news.Story.headline": "x"})


@pytest.mark.parametrize(
    ("names", "renames", "told"),
    [
        (("A", "Story"), {"news.Stori": "A"}, r"; news\.Stori was no model\. Did you mean 'news\.Story'"),
        (("Article",), {"news.Story": "Articel"}, r"; news\.Articel is no model\. Did you mean 'news\.Article'"),
        (
            ("Story", "Tag"),
            {"news.Story": "Tag", "news.Tag": "Story"},
            r"; news\.Story and news\.Tag were models, and are\. One name after the other",
        ),
        (("Tag",), {"news.Story": "Tag"}, r"; news\.Tag was a model already\. Remove that one"),
        (("Story", "Tag", "New"), {"news.Story": "New"}, r"news\.Story is still a model, and news\.New another\. One"),
    ],
)
def test_why_a_model_was_not_renamed_so_is_told(newsroom_class, tmp_path, model, names, renames, told):
    newsroom = newsroom_class(None, tmp_path)
    newsroom.database = SimpleNamespace(dialect="sqlite")
    newsroom.declare(model("Story", title=title()), model("Tag", title=title())).make()
    newsroom.declare(*(model(name, title=title()) for name in names))
    with pytest.raises(MigrationError, match=told):
        newsroom.make(ask=never, renames=renames)


def test_somebody_may_be_asked_for_a_value(stories, model):
    asked = []
    stories.declare(model("Story", title=title(), rank=models.IntegerField()))
    (made,) = stories.make(ask_value=lambda question: asked.append(question) or 7)
    assert asked == ["news.Story.rank may not be null and has no default. What do the rows that are there get?"]
    assert "fill=7" in made.text
    stories.apply()
    assert stories.rows("news_story", "title, rank") == [("one", 7), ("two", 7)]


def test_an_empty_migration_is_made_to_be_filled_in(stories):
    (made,) = stories.make(empty=["news"], name="slugs")
    assert made.name == "0002_slugs"
    assert "operations = []" in made.text
    assert stories.apply() == ["Apply news.0002_slugs"]


@pytest.mark.parametrize("name", ["../slugs", "a/b", "a.b", "a b", ""])
def test_a_name_that_no_file_beside_the_others_can_have_is_refused(sqlite_newsroom, model, name):
    sqlite_newsroom.migrate(model("Story", title=title()))
    told = f"{name!r} cannot be the name of a migration. Take letters, digits and underscores"
    with pytest.raises(MigrationError, match=re.escape(told)):
        sqlite_newsroom.make(empty=["news"], name=name)
    with pytest.raises(MigrationError, match=re.escape(told)):
        migrations.squash([sqlite_newsroom.app], "news", None, "0001", name=name)


def test_sql_of_ones_own_may_have_nothing_to_undo(stories):
    operations = "migrations.RunSQL(\"UPDATE news_story SET title = 'x'\", reverse_sql=migrations.RunSQL.noop)"
    write(stories, "0002_own", operations, after="0001_initial")
    stories.apply()
    assert stories.apply("news.0001") == ["Reverse news.0002_own"]
    assert stories.rows("news_story", "title") == [("x",), ("x",)]


def test_changes_go_into_the_last_migration_while_nobody_has_it(newsroom, model):
    newsroom.declare(model("Story", title=title())).make()
    newsroom.declare(model("Story", title=title(), rank=models.IntegerField(default=0)))
    path = newsroom.app.migrations_folder / "0001_initial.py"
    for write in (False, True):
        made = migrations.update([newsroom.app], databases=[newsroom.database], write=write)
        assert (made.name, made.summary) == ("0001_initial", ("Create model Story",))
        assert (path.read_text() == made.text) == write
    newsroom.apply()
    assert newsroom.problems() == []
    assert migrations.update([newsroom.app], databases=[newsroom.database]) is None


def test_changes_go_into_no_migration_that_a_database_has(newsroom, model):
    newsroom.declare(model("Story", title=title())).make()
    newsroom.apply()
    newsroom.declare(model("Story", title=title(), rank=models.IntegerField(default=0)))
    before = (newsroom.app.migrations_folder / "0001_initial.py").read_text()
    with pytest.raises(MigrationError, match=r"news\.0001_initial is applied in .*without --update; or undo it first"):
        migrations.update([newsroom.app], databases=[newsroom.database])
    assert (newsroom.app.migrations_folder / "0001_initial.py").read_text() == before


def test_changes_go_into_no_migration_that_stands_for_others(sqlite_newsroom, model):
    sqlite_newsroom.migrate(model("Story", title=title()))
    write(
        sqlite_newsroom,
        "0002_note",
        'migrations.AddField("Story", "note", models.TextField(default=""))',
        after="0001_initial",
    )
    migrations.squash([sqlite_newsroom.app], "news", None, "0002")
    sqlite_newsroom.declare(
        model("Story", title=title(), note=models.TextField(default=""), rank=models.IntegerField(default=0))
    )
    with pytest.raises(
        MigrationError, match=r"0001_squashed_0002_note stands for others, and a database that has those"
    ):
        migrations.update([sqlite_newsroom.app])


# apply


def test_a_migration_may_only_be_noted(stories, model):
    stories.declare(model("Story", title=title(), rank=models.IntegerField(null=True))).make()
    stories.database.execute("ALTER TABLE news_story ADD COLUMN rank_ INTEGER")
    steps = migrations.apply(stories.database, [stories.app], fake=True)
    assert [str(step) for step in steps] == ["Apply news.0002_story_rank (only noted)"]
    assert "rank" not in read_table(stories.database, "news_story").columns
    migrations.apply(stories.database, [stories.app], "news.0001", fake=True)
    assert [one.applied_at is None for one in migrations.show(stories.database, [stories.app])] == [False, True]


def test_a_first_migration_is_only_noted_where_its_tables_are_there(newsroom, model):
    newsroom.declare(model("Story", title=title()))
    migrations.create_tables(newsroom.database, newsroom.app.models)
    newsroom.database.execute("CREATE INDEX by_hand ON news_story (title)")
    newsroom.make()
    (step,) = migrations.apply(newsroom.database, [newsroom.app], fake_initial=True)
    assert step.faked
    newsroom.apply("news.zero")
    (step,) = migrations.apply(newsroom.database, [newsroom.app], fake_initial=True)
    assert not step.faked


def test_a_first_migration_is_not_noted_where_tables_or_columns_are_missing(newsroom, model):
    newsroom.declare(model("Story", title=title()), model("Note", text=title()), model("Tag", text=title())).make()
    story = newsroom.app.models[0]
    migrations.create_tables(newsroom.database, [story])
    newsroom.database.execute("CREATE TABLE news_note (id INTEGER)")
    told = (
        r"(?s)first migrations cannot be noted as done; nothing was changed.*"
        r"news\.0001_initial makes the table news_note with text, and the one that is there has none.*"
        r"news\.0001_initial makes the table news_tag, which is not there, while news_story is\. Mend the tables; or"
    )
    with pytest.raises(Problems, match=told):
        migrations.apply(newsroom.database, [newsroom.app], fake_initial=True)
    assert migrations.show(newsroom.database, [newsroom.app])[0].applied_at is None
    newsroom.database.execute("ALTER TABLE news_note ADD COLUMN text VARCHAR(20)")
    newsroom.database.execute("CREATE TABLE news_tag (id INTEGER, text TEXT)")
    (step,) = migrations.apply(newsroom.database, [newsroom.app], fake_initial=True)
    assert step.faked


def test_what_was_applied_and_has_no_file_any_more_is_forgotten(stories):
    write(stories, "0002_gone", "", after="0001_initial")
    stories.apply()
    (stories.app.migrations_folder / "0002_gone.py").unlink()
    assert "news.0002_gone was applied, and its file is gone" in stories.problems()[0]
    assert migrations.prune(stories.database, [stories.app]) == ["news.0002_gone"]
    assert stories.problems() == []


def test_a_migration_may_ask_to_come_before_another(stories):
    write(stories, "0002_late", "migrations.RunSQL(\"UPDATE news_story SET title = 'late'\")", after="0001_initial")
    head = "    run_before = [('news', '0002_late')]\n"
    write(stories, "0001_early", "", after="0001_initial", head=head)
    assert stories.apply() == ["Apply news.0001_early", "Apply news.0002_late"]


def test_the_first_and_the_last_of_an_app_may_be_named_so(stories):
    write(stories, "0002_late", "", after="__first__")
    assert stories.apply() == ["Apply news.0002_late"]


FAILING = "migrations.AddField('Story', 'note', models.TextField(null=True)), migrations.RunPython(fail)"


def test_a_migration_that_is_not_atomic_keeps_what_was_done_and_goes_on_there(stories, tmp_path):
    marker = tmp_path / "mended"
    function = (
        "from pathlib import Path\n\nfrom toolkit.errors import ValidationError\n\n\ndef fail(models, database):\n"
        f"    if not Path({str(marker)!r}).exists():\n        raise ValidationError('not yet')"
    )
    write(stories, "0002_parts", FAILING, after="0001_initial", head="    atomic = False\n", functions=function)
    with pytest.raises(MigrationError, match=r"Run Python: fail: not yet.*1.* stands?"):
        stories.apply()
    assert "note" in read_table(stories.database, "news_story").columns
    assert "news.0002_parts is half applied: 1 of its operations are done" in "\n".join(stories.problems())
    marker.touch()
    assert stories.apply() == ["Apply news.0002_parts"]
    assert stories.apply() == []


def test_state_and_database_may_go_different_ways(stories, model):
    operation = (
        "migrations.SeparateDatabaseAndState(\n"
        "    database_operations=[migrations.RunSQL('ALTER TABLE news_story ADD COLUMN day DATE',\n"
        "        reverse_sql='ALTER TABLE news_story DROP COLUMN day')],\n"
        "    state_operations=[migrations.AddField('Story', 'day', models.DateField(null=True))])"
    )
    write(stories, "0002_both", operation, after="0001_initial")
    stories.declare(model("Story", title=title(), day=models.DateField(null=True)))
    assert stories.make() == []
    stories.apply()
    assert stories.problems() == []
    stories.apply("news.0001")
    assert "day" not in read_table(stories.database, "news_story").columns


def test_each_part_of_it_is_whole_in_a_migration_that_is_not_atomic(newsroom, model):
    """SQLite would delete what refers to a table that is made anew outside of a transaction."""

    def declare(length):
        desk = model("Desk", name=models.CharField(max_length=length))
        return desk, model("Story", desk=models.ForeignKey(desk, on_delete=models.DB_CASCADE))

    newsroom.migrate(*declare(20))
    desk, story = newsroom.app.models
    newsroom.save(story, desk=newsroom.save(desk, name="City"))
    longer = "[migrations.AlterField('Desk', 'name', models.CharField(max_length=30))]"
    operation = f"migrations.SeparateDatabaseAndState(database_operations={longer}, state_operations={longer})"
    write(newsroom, "0002_both", operation, after="0001_initial", head="    atomic = False\n")
    newsroom.declare(*declare(30)).apply()
    assert newsroom.problems() == []
    newsroom.apply("news.0001")
    assert newsroom.rows("news_story", "desk_id") == [(1,)]


def test_old_models_are_queried_saved_and_linked_and_it_is_undone(newsroom, model):
    def declare_story():
        return model("Story", title=title(), tags=models.ManyToManyField("Tag", related_name="stories"))

    story = declare_story()
    newsroom.migrate(model("Tag", name=title()), story)
    newsroom.save(story, title="one")
    functions = (
        "def label(models, database):\n"
        "    Story, Tag = models('news.Story'), models('news.Tag')\n"
        "    for story in Story.objects.filter(title__startswith='o'):\n"
        "        story.tags.add(Tag.objects.create(name=story.title.upper()))\n\n\n"
        "def unlabel(models, database):\n"
        "    models('news.Tag').objects.all().delete()\n"
    )
    write(
        newsroom,
        "0002_label",
        "migrations.RunPython(label, reverse_code=unlabel)",
        after="0001_initial",
        functions=functions,
    )
    newsroom.migrate(model("Tag", label=title()), declare_story())
    assert newsroom.rows("news_tag") == [(1, "ONE")]
    assert len(newsroom.rows("news_story_tags")) == 1
    newsroom.apply("news.0001")
    assert newsroom.rows("news_tag") == []


# sql, optimize


def test_the_sql_of_a_migration_is_printed_and_nothing_is_run(stories, model):
    stories.declare(
        model("Story", title=models.CharField(max_length=90, unique=True), rank=models.IntegerField(default=3))
    )
    stories.make()
    forwards = "\n".join(migrations.sql(stories.database, [stories.app], "news.0002"))
    assert "-- Add field rank to Story" in forwards
    assert "rank" in forwards.replace("-- Add field rank", "")
    assert "-- Undo: Add field rank to Story" in "\n".join(
        migrations.sql(stories.database, [stories.app], "news.0002", backwards=True)
    )
    assert stories.rows("news_story") == [(1, "one"), (2, "two")]


def test_the_sql_says_where_python_converts_or_makes_values(stories, model):
    """A script that left it out would lose the values where somebody else runs it."""
    fields = {"title": models.IntegerField(), "code": models.UUIDField(default=uuid4)}
    stories.declare(model("Story", **fields)).make()
    told = sorted(line for line in migrations.sql(stories.database, [stories.app], "news.0002") if "Python" in line)
    made_on_sqlite = "-- (toolkit_migrate_1 is a function in Python, which only the toolkit has)"
    made_by_hand = [
        "-- (Python gives each row a code of its own)",
        "-- (Python writes the converted values of title into toolkit_new_title)",
    ]
    assert told == ([made_on_sqlite] * 2 if stories.database.dialect == "sqlite" else made_by_hand)


ODD = "it's \\ \"q\" \\' \\n\n\ttab \N{GRINNING FACE} %s %% 50% ? ; -- x"


def test_the_sql_that_is_printed_writes_what_the_migration_writes(stories, model):
    fields = {
        "note": models.CharField(max_length=90, default=ODD),
        "kind": models.CharField(max_length=90, db_default=ODD),
        "data": models.BinaryField(default=b"\0'\\%s\xff"),
        "price": models.DecimalField(max_digits=5, decimal_places=2, default=Decimal("1.50")),
        "seen": models.DateTimeField(default=datetime(2026, 3, 1, tzinfo=UTC)),
    }
    stories.declare(model("Story", title=models.CharField(max_length=90, unique=True), **fields)).make()
    for line in migrations.sql(stories.database, [stories.app], "news.0002"):
        if not line.startswith("--"):
            stories.database.connection.cursor().execute(line)  # as a client would: nothing stands for a value
    stories.database.changed()
    with entered(Scope(None, stories.database)):
        found = stories.app.models[0].objects.values_list(*fields)
        assert list(found) == [(ODD, ODD, b"\0'\\%s\xff", Decimal("1.50"), datetime(2026, 3, 1, tzinfo=UTC))] * 2


def test_sql_of_ones_own_is_printed_and_python_is_named(stories):
    functions = "def act(models, database):\n    pass"
    operations = "migrations.RunSQL(\"DELETE FROM news_story WHERE title = '%'\"), migrations.RunPython(act)"
    write(stories, "0002_own", operations, after="0001_initial", functions=functions)
    assert migrations.sql(stories.database, [stories.app], "news.0002") == [
        "-- Run SQL: DELETE FROM news_story WHERE title = '%'",
        "DELETE FROM news_story WHERE title = '%';",
        "-- Run Python: act",
        "-- (Python, which is no SQL)",
    ]
    assert len(stories.rows("news_story")) == 2


def test_a_statement_with_others_inside_is_printed_as_mariadbs_client_takes_it(stories):
    if stories.database.dialect != "mysql":
        pytest.skip("its client knows where such a statement ends")
    trigger = "CREATE TRIGGER t BEFORE INSERT ON news_story FOR EACH ROW BEGIN SET NEW.title = 'a'; SET @b = 1; END"
    write(stories, "0002_own", f"migrations.RunSQL({trigger!r})", after="0001_initial")
    lines = migrations.sql(stories.database, [stories.app], "news.0002")
    assert lines[1:] == [f"DELIMITER $$\n{trigger}$$\nDELIMITER ;"]


SCRIPT = """
-- the first; of several
INSERT INTO news_story (title) VALUES ('a;b');
INSERT INTO news_story (title) VALUES ('it''s; 5 %'); /* ; */ ;
-- nothing more;
"""


def test_a_script_of_several_statements_is_run(stories):
    write(stories, "0002_own", f"migrations.RunSQL({SCRIPT!r}, reverse_sql='')", after="0001_initial")
    assert migrations.sql(stories.database, [stories.app], "news.0002")[1:] == [
        "-- the first; of several\nINSERT INTO news_story (title) VALUES ('a;b');",
        "INSERT INTO news_story (title) VALUES ('it''s; 5 %');",
    ]
    stories.apply()
    assert [title for _, title in stories.rows("news_story")][2:] == ["a;b", "it's; 5 %"]


@pytest.mark.parametrize(
    ("sql", "dialect", "statements"),
    [
        ("SELECT 1", "sqlite", ["SELECT 1"]),
        (" ; \n-- no\n", "sqlite", []),
        ("SELECT 'a;' ; SELECT \";\"; SELECT `;`", "sqlite", ["SELECT 'a;'", 'SELECT ";"', "SELECT `;`"]),
        ("DO $x$ a; b $x$; SELECT $$;$$", "postgresql", ["DO $x$ a; b $x$", "SELECT $$;$$"]),
        (r"SELECT '\'; SELECT ';'", "postgresql", [r"SELECT '\'", "SELECT ';'"]),
        (r"SELECT '\';'; SELECT 2", "mysql", [r"SELECT '\';'", "SELECT 2"]),
        (
            "# it's;\nSELECT 2 --1; /*!40101 SET @x = 1 */; -- ;",
            "mysql",
            ["# it's;\nSELECT 2 --1", "/*!40101 SET @x = 1 */"],
        ),
        ("CREATE TRIGGER t BEGIN a; b; END;", "sqlite", ["CREATE TRIGGER t BEGIN a; b; END;"]),
        ("UPDATE t SET beginning = 1; SELECT 1", "sqlite", ["UPDATE t SET beginning = 1", "SELECT 1"]),
    ],
)
def test_statements_end_where_their_database_ends_them(sql, dialect, statements):
    assert split_script(sql, dialect) == statements


SAID = """
from toolkit import migrations, models

class Migration(migrations.Migration):
    replaces = [("news", "0002_old")]
    run_before = [("news", "0009_later")]
    dependencies = [("news", "0001_initial")]
    atomic = False
    operations = [
        migrations.AddField("Story", "note", models.TextField(default="")),
        migrations.RenameField("Story", "note", "remark"),
    ]
"""


@pytest.fixture
def said(stories, model):
    """A migration that says all that a migration can, and one that it wants to come before."""
    folder = stories.app.migrations_folder
    (folder / "0002_new.py").write_text(SAID)
    (folder / "0009_later.py").write_text(
        SAID.replace("    replaces", "    # ").replace("    run_before", "    # ").replace('"note"', '"other"')
        .replace('"remark"', '"more"')
    )  # fmt: skip
    stories.declare(model("Story", title=models.CharField(max_length=20), remark=models.TextField(default="")))
    return stories


def test_what_a_migration_says_is_kept_when_it_is_written_again(said):
    migrations.optimized([said.app], "news.0002")
    text = (said.app.migrations_folder / "0002_new.py").read_text()
    for line in ("replaces = [", "run_before = [", "atomic = False", '("news", "0009_later")', '("news", "0002_old")'):
        assert line in text
    migrations.update([said.app], lambda question: False)
    text = (said.app.migrations_folder / "0009_later.py").read_text()
    assert "atomic = False" in text and "RemoveField" not in text and '"0001_initial"' in text
    assert "0002_new" not in text  # that one asked for its place, and still does
    assert said.problems() == [] or said.apply()


def test_what_migrations_say_is_kept_when_they_are_squashed(said):
    done = migrations.squash([said.app], "news", "0001", "0002")
    text = done.written.path.read_text()
    assert "run_before = [" in text and "atomic = False" in text
    assert "it is not atomic, since 0002_new is not" in done.notes
    said.apply()
    assert {one.name for one in migrations.show(said.database, [said.app])} >= {done.written.name, "0009_later"}


def test_a_migration_is_written_again_with_fewer_operations(stories):
    operations = (
        "migrations.AddField('Story', 'note', models.TextField(null=True)),"
        "migrations.RenameField('Story', 'note', 'remark'),"
        "migrations.AddField('Story', 'gone', models.TextField(null=True)),"
        "migrations.RemoveField('Story', 'gone'),"
    )
    write(stories, "0002_long", operations, after="0001_initial")
    written, before = migrations.optimized([stories.app], "news.0002")
    assert (before, written.summary) == (4, ("Add field remark to Story",))
    assert migrations.optimized([stories.app], "news.0002") is None
    stories.apply()
    assert "remark" in read_table(stories.database, "news_story").columns


def test_indexes_are_renamed_and_not_made_again(stories, model):
    def declare(name):
        return model("Story", {"indexes": [models.Index(fields=["title"], name=name)]}, title=title())

    stories.migrate(declare("by_title"))
    made = stories.migrate(declare("by_name"))
    assert made.summary == ("Rename index by_title of Story to by_name",)
    stories.apply("news.0002")
    assert list(read_table(stories.database, "news_story").indexes) == ["by_title"]


# rows in the way


def test_rows_that_are_the_same_are_named_before_they_must_differ(stories, model):
    for name in ("one", "three"):
        stories.save(stories.app.models[0], title=name)
    stories.declare(model("Story", title=title(unique=True), rank=models.IntegerField(default=0))).make()
    before = read_table(stories.database, "news_story")
    with pytest.raises(MigrationError, match=r"news_story, rows 1, 3 all have title = 'one', which must be unique"):
        stories.apply()
    assert read_table(stories.database, "news_story") == before
    assert len(stories.rows("news_story")) == 4


def test_a_unique_column_for_which_all_rows_would_get_one_value_is_refused(stories, model):
    stories.declare(model("Story", title=title(), code=title(default="x", unique=True))).make()
    with pytest.raises(MigrationError, match=r"rows 1, 2 would all have code = 'x', which must be unique"):
        stories.apply()


def test_rows_that_do_not_meet_a_new_condition_are_named(stories, model):
    check = models.CheckConstraint(condition=models.Q(title__gt="oz"), name="late_in_the_alphabet")
    stories.declare(model("Story", {"constraints": [check]}, title=title())).make()
    with pytest.raises(MigrationError, match=r"row 1 does not meet the condition"):
        stories.apply()


def test_a_target_of_an_unknown_app_is_explained(stories):
    with pytest.raises(MigrationError, match=r"the app 'newz' has no migrations. Did you mean 'news'"):
        migrations.sql(stories.database, [stories.app], "newz.0001")
    with pytest.raises(Problems, match=r"depends on \('news', '0001_inital'\)"):
        write(stories, "0002_x", "", after="0001_inital")
        stories.apply()


def test_rows_are_looked_at_as_they_shall_be_before_anything_is_done(tmp_path, newsroom_class, model):
    """With other columns, converted and filled: MariaDB would stop half way."""

    def declare(**fields):
        return [model("Desk", code=models.CharField(max_length=9, unique=True)), model("Story", **fields)]

    def text():
        return models.CharField(max_length=9)

    def desk(**options):
        return models.ForeignKey("Desk", on_delete=models.CASCADE, related_name="+", **options)

    with fresh_database("mysql", tmp_path) as database:
        newsroom = newsroom_class(database, tmp_path)
        kept = desk(null=True, db_constraint=False)
        newsroom.migrate(*declare(moved=models.IntegerField(), converted=text(), same=text(), kept=kept, number=text()))
        for number in ("7", "07"):
            newsroom.save(newsroom.app.models[1], moved=8, converted="8", same="gone", number=number)
        fields = {"moved": desk(), "converted": desk(), "same": desk(to_field="code")}
        filled = {"kept": desk(default=9), "made": desk(default=9)}
        newsroom.declare(*declare(**fields, **filled, number=models.IntegerField(unique=True))).make()
        with pytest.raises(MigrationError, match="nothing of it stands") as refused:
            newsroom.apply()
        for column in ("moved_id", "converted_id", "same_id", "kept_id", "made_id"):
            assert f"rows 1, 2: {column} would refer to rows of news_desk that are not there" in str(refused.value)
        assert "rows 1, 2 would all have number = 7, which must be unique" in str(refused.value)


# tables of others


def test_a_table_that_becomes_somebody_elses_stays_and_comes_back(stories, model):
    stories.declare(model("Story", {"managed": False}, title=title()))
    (made,) = stories.make()
    assert made.summary == ("Do nothing in the database, and Delete model Story in the models",)
    stories.apply()
    assert stories.rows("news_story", "title") == [("one",), ("two",)]
    assert stories.problems() == []
    stories.migrate(model("Story", title=title()))
    assert stories.rows("news_story", "title") == [("one",), ("two",)]
