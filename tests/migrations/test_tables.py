"""Tables made straight from models, and how a table that differs is told."""

from __future__ import annotations

import pytest

from toolkit import migrations, models
from toolkit.errors import MigrationError, Problems
from toolkit.migrations.tables.comparing import differences
from toolkit.models import Q
from toolkit.models.schema import Schema


def title(**options):
    return models.CharField(max_length=80, **options)


def story(model, **extra):
    return model("Story", title=title(), **extra)


def differ(newsroom, changed, sql=()):
    newsroom.declare(changed)
    for statement in sql:
        newsroom.database.execute(statement)
    return [str(problem) for problem in differences(newsroom.database, newsroom.app.models)]


@pytest.fixture
def made(newsroom, model):
    newsroom.declare(
        story(model, rank=models.PositiveIntegerField(), slug=models.SlugField(unique=True, db_index=True))
    )
    migrations.create_tables(newsroom.database, newsroom.app.models)
    return newsroom


def same(model, **changes):
    fields = {"rank": models.PositiveIntegerField(), "slug": models.SlugField(unique=True, db_index=True)} | changes
    return story(model, **fields)


def test_missing_tables_are_made_and_others_are_left_alone(newsroom, model):
    author = model("Author", best=models.ForeignKey("Story", on_delete=models.CASCADE, null=True, related_name="+"))
    text = story(
        model,
        by=models.ForeignKey("Author", on_delete=models.CASCADE),
        tags=models.ManyToManyField("Author", related_name="tagged"),
    )
    newsroom.declare(author, text)
    schema = newsroom.database.schema
    assert migrations.create_tables(newsroom.database, schema) == ["news_author", "news_story", "news_story_tags"]
    assert migrations.create_tables(newsroom.database, schema) == []
    assert differences(newsroom.database, schema) == []


def test_a_table_that_differs_is_told_by_column_and_nothing_is_made(made, model):
    made.declare(same(model, code=models.SlugField()), model("Tag", name=title()))
    with pytest.raises(Problems, match=r"news_story:code: the table has no column 'code', and news.Story does. Mend"):
        migrations.create_tables(made.database, made.app.models)
    with pytest.raises(Exception, match="news_tag"):
        made.rows("news_tag")


def test_a_column_of_another_type_is_told(made, model):
    (problem,) = differ(
        made,
        model(
            "Story",
            title=models.TextField(),
            rank=models.PositiveIntegerField(),
            slug=models.SlugField(unique=True, db_index=True),
        ),
    )
    assert "news_story:title: the column is" in problem
    assert "TEXT" in problem.partition("news.Story wants")[2].upper()


def test_a_column_that_refuses_null_is_told(made, model):
    (problem,) = differ(made, same(model, rank=models.PositiveIntegerField(null=True)))
    assert problem.startswith("news_story:rank: the column refuses NULL, and news.Story wants it")


def test_a_column_that_nobody_knows_is_told_only_if_rows_need_a_value_for_it(made, model):
    add = "ALTER TABLE news_story ADD COLUMN"
    assert differ(made, same(model), [f"{add} note TEXT", f"{add} kind TEXT NOT NULL DEFAULT 'x'"]) == []
    without = model("Story", title=title(), slug=models.SlugField(unique=True, db_index=True))
    found = differ(made, without)
    assert any("'rank' that needs a value, and news.Story does not know it" in problem for problem in found)


def test_constraints_and_indexes_that_differ_are_told(made, model):
    changed = model(
        "Story",
        {
            "constraints": [
                models.CheckConstraint(condition=Q(rank__lt=5), name="small"),
            ],
            "indexes": [models.Index(fields=["rank", "title"], name="by_rank")],
        },
        title=title(unique=True),
        rank=models.IntegerField(),
        slug=models.SlugField(),
    )
    found = "\n".join(differ(made, changed)).replace(" ", "").replace("((", "(").lower()
    assert "lackstheconstraintunique(title)" in found
    assert "hastheconstraintunique(slug)" in found
    assert "lackstheconstraintcheck(rank<5)" in found
    assert "hastheconstraintcheck(rank>=0)" in found
    assert "lackstheindexby_rank" in found


def test_an_index_that_somebody_added_is_nobodys_business(made, model):
    assert differ(made, same(model), ["CREATE INDEX by_title ON news_story (title)"]) == []


def test_a_dropped_table_is_told(newsroom, model):
    newsroom.migrate(story(model))
    newsroom.database.execute("DROP TABLE news_story")
    (problem,) = newsroom.problems()
    assert problem.startswith("the table news_story of news.Story is not there. Was it dropped by hand?")


def test_a_foreign_key_that_somebody_dropped_is_told(sqlite_newsroom, model):
    newsroom = sqlite_newsroom
    newsroom.database.execute("CREATE TABLE news_author (id INTEGER NOT NULL PRIMARY KEY)")
    newsroom.database.execute("CREATE TABLE news_note (id INTEGER NOT NULL PRIMARY KEY, by_id INTEGER NOT NULL)")
    newsroom.declare(model("Author"), model("Note", by=models.ForeignKey("Author", on_delete=models.CASCADE)))
    found = [str(problem) for problem in differences(newsroom.database, newsroom.app.models)]
    assert any("lacks the constraint FOREIGNKEY(by_id)REFERENCESnews_author(id)" in problem for problem in found)
    assert any("lacks the index news_note_by_id_idx" in problem for problem in found)


def test_a_key_that_is_the_number_of_the_row_is_never_null(sqlite_newsroom, model):
    """As sqlite-utils and people write it. A key of another kind holds NULL in SQLite, and so does a descending one."""
    newsroom = sqlite_newsroom
    for name, key in (("author", "INTEGER PRIMARY KEY"), ("note", "INTEGER PRIMARY KEY DESC")):
        newsroom.database.execute(f"CREATE TABLE news_{name} (id {key}, name TEXT NOT NULL)")
    newsroom.declare(model("Author", name=models.TextField()), model("Note", name=models.TextField()))
    (problem,) = [str(problem) for problem in differences(newsroom.database, newsroom.app.models)]
    assert problem.startswith("news_note:id: the column allows NULL, and news.Note does not")


def test_tables_of_an_app_without_migrations_may_not_be_there_yet(newsroom, model):
    newsroom.declare(story(model))
    newsroom.app.migrations_folder = None
    assert newsroom.problems() == []


def test_comparing_leaves_nothing_behind_inside_a_transaction_or_outside(made, model):
    with made.database.atomic():
        assert differences(made.database, made.app.models) == []
        made.save(made.app.models[0], title="kept", rank=1, slug="kept")
    assert differences(made.database, made.app.models) == []
    assert made.rows("news_story", "title") == [("kept",)]


def test_a_constraint_that_repeats_the_key_is_known(newsroom, model):
    unique = models.UniqueConstraint(fields=["code"], name="code_once")
    newsroom.migrate(model("Story", {"constraints": [unique]}, code=models.IntegerField(primary_key=True)))
    newsroom.migrate(model("Story", code=models.IntegerField(primary_key=True)))


def test_two_models_exchange_their_tables(newsroom, model):
    def declared(first, second):
        return [
            model("One", {"db_table": first}, one=models.CharField(max_length=9)),
            model("Two", {"db_table": second}, two=models.CharField(max_length=9)),
        ]

    newsroom.migrate(*declared("a", "b"))
    newsroom.save(newsroom.app.models[0], one="1")
    newsroom.migrate(*declared("b", "a"))
    assert newsroom.rows("b") == [(1, "1")]
    newsroom.migrate(declared("a", "b")[0])
    assert newsroom.rows("a") == [(1, "1")]
    newsroom.apply("news.0001")
    assert newsroom.rows("a") == [(1, "1")]


def test_the_sql_of_keys_and_parents_is_told_without_rows(server, newsroom_class, model, tmp_path):
    newsroom = newsroom_class(server, tmp_path)
    newsroom.migrate(model("Story", title=models.CharField(max_length=9)))
    item = model("Item", title=models.CharField(max_length=9))
    made = newsroom.migrate(item, model("Story", {}, inherits=item))
    for backwards in (False, True):
        told = migrations.sql(newsroom.database, [newsroom.app], f"news.{made.name}", backwards=backwards)
        assert any("toolkit_keys" in line for line in told)


SWAP = """
from toolkit import migrations


class Migration(migrations.Migration):
    dependencies = [("news", "0001_initial")]
    operations = [
        migrations.RenameModel("Ant", "Other"),
        migrations.RenameModel("Bee", "Ant"),
        migrations.RenameModel("Other", "Bee"),
        migrations.RenameField("Ant", "one", "other"),
        migrations.RenameField("Ant", "two", "one"),
        migrations.RenameField("Ant", "other", "two"),
    ]
"""


@pytest.mark.parametrize("squashed", [False, True])
def test_two_models_and_two_fields_exchange_their_names(newsroom, model, squashed):
    """By way of a third name, with references among them."""
    ant = model("Ant", text=models.CharField(max_length=9))
    related = {"on_delete": models.CASCADE, "related_name": "+"}
    newsroom.migrate(ant, model("Bee", one=models.IntegerField(unique=True), two=models.ForeignKey(ant, **related)))
    (newsroom.app.migrations_folder / "0002_swap.py").write_text(SWAP)
    (newsroom.app.migrations_folder / "HEAD").write_text("0002_swap\n")
    bee = model("Bee", text=models.CharField(max_length=9))
    after = (bee, model("Ant", one=models.ForeignKey(bee, **related), two=models.IntegerField(unique=True)))
    if squashed:
        newsroom.apply("news.zero")
        migrations.squash([newsroom.app], "news", None, "0002")
        newsroom.declare(*after)
        newsroom.apply()
    else:
        newsroom.save(newsroom.app.models[1], one=3, two=newsroom.save(newsroom.app.models[0], text="a"))
        newsroom.declare(*after)
        newsroom.apply()
        assert newsroom.rows("news_ant", "id, one_id, two") == [(1, 1, 3)]
        assert newsroom.rows("news_bee", "id, text") == [(1, "a")]
    assert newsroom.problems() == []
    assert newsroom.make() == []
    if not squashed:
        newsroom.apply("news.0001")
        assert newsroom.rows("news_bee", "id, one, two_id") == [(1, 3, 1)]
    newsroom.apply("news.zero")


def test_an_index_gets_a_name_of_which_mariadb_kept_statistics(newsroom, model):
    """It gathers them in the background, perhaps when the index has another name already."""
    if newsroom.database.dialect != "mysql":
        pytest.skip("of MariaDB alone")
    newsroom.migrate(
        model("Bee", one=models.IntegerField(unique=True, null=True), two=models.IntegerField(db_index=True))
    )
    database = newsroom.database
    names = database.fetch(
        "SELECT DISTINCT index_name FROM information_schema.statistics "
        "WHERE table_schema = database() AND table_name = 'news_bee' AND index_name <> 'PRIMARY'"
    )
    for (name,) in names:
        later = name.replace("one", "first").replace("two", "second")
        database.execute(
            "INSERT INTO mysql.innodb_index_stats (database_name, table_name, index_name, stat_name, stat_value, "
            "stat_description) VALUES (database(), 'news_bee', %s, 'size', 1, 'left')",
            (later,),
        )
    newsroom.migrate(
        model("Bee", first=models.IntegerField(unique=True, null=True), second=models.IntegerField(db_index=True))
    )
    assert newsroom.rows("news_bee") == []
    newsroom.apply("news.0001")
    newsroom.apply()
    database.execute("DELETE FROM mysql.innodb_index_stats WHERE database_name = database()")


def test_each_of_the_models_that_refer_to_one_another_is_made_a_table_of_once(newsroom, model, monkeypatch):
    made = []
    make = Schema._make
    monkeypatch.setattr(Schema, "_make", lambda schema, model: made.append(model._meta.label) or make(schema, model))
    declared = [model("Section", name=title())]
    for name in ("Story", "Comment", "Answer"):
        declared.append(model(name, above=models.ForeignKey(declared[-1], models.CASCADE, related_name="+")))
    newsroom.declare(*declared)
    migrations.create_tables(newsroom.database, newsroom.app.models)
    assert differences(newsroom.database, newsroom.app.models) == []
    assert sorted(made) == ["news.Answer", "news.Comment", "news.Section", "news.Story"]


def test_a_view_that_stands_in_the_way_is_told_with_what_to_do(newsroom, model):
    newsroom.migrate(story(model))
    newsroom.database.execute("CREATE VIEW titles AS SELECT title FROM news_story")
    newsroom.declare(model("Story", title=models.TextField()))
    newsroom.make()
    if newsroom.database.dialect == "postgresql":
        with pytest.raises(
            MigrationError, match=r"view titles depends on .*Drop what is named before, .*RunSQL\. The data"
        ):
            newsroom.apply()
        newsroom.database.execute("DROP VIEW titles")
    newsroom.apply()
    assert newsroom.problems() == []
