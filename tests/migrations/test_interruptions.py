"""A migration that is interrupted anywhere is continued, or leaves nothing behind: no half table, no row less."""

from __future__ import annotations

import os
import random
import signal
import time
import uuid

import pytest

from toolkit import migrations, models
from toolkit.database import Database
from toolkit.errors import DatabaseUnavailable, MigrationError
from toolkit.migrations.editors.sessions import note_before, was_taken
from toolkit.migrations.tables.comparing import read_table
from toolkit.trace import Scope, entered


class Killed(BaseException):
    """Nothing catches it."""


def title(**options):
    return models.CharField(max_length=80, **options)


def before(model):
    return model("Desk", name=title()), model("Story", headline=title(null=True), rank=title(), old=title())


def after(model):
    desk = model("Desk", name=title(unique=True))
    story = model(
        "Story",
        {"indexes": [models.Index(fields=["headline"], name="by_headline")]},
        headline=title(),
        rank=models.IntegerField(),
        key=models.UUIDField(null=True),
        note=models.TextField(default="none"),
        desk=models.ForeignKey("Desk", on_delete=models.CASCADE, null=True),
        older=title(),
    )
    return desk, story


def prepare(newsroom, model):
    newsroom.migrate(*before(model))
    desk, story = newsroom.app.models
    newsroom.save(desk, name="City")
    for number in range(3):
        newsroom.save(story, headline=f"t{number}" if number else None, rank=str(number), old="x")
    newsroom.declare(*after(model))
    newsroom.make(fills={"news.Story.headline": "Untitled"})


def kill_at(database, number, *, done):
    """Be killed at the statement of this number: before it, or when it is done."""
    execute, count = database.execute, iter(range(10_000))

    def counted(sql, parameters=()):
        due = next(count) == number
        if due and not done:
            raise Killed
        result = execute(sql, parameters)
        if due:
            raise Killed
        return result

    database.execute = counted


def rows(newsroom):
    return newsroom.rows("news_story", "id, headline, rank, note, older")


EXPECTED = [(1, "Untitled", 0, "none", "x"), (2, "t1", 1, "none", "x"), (3, "t2", 2, "none", "x")]


@pytest.mark.parametrize("done", [False, True], ids=["before", "behind"])
def test_wherever_it_is_killed_applying_again_finishes_it(newsroom, model, done):
    prepare(newsroom, model)
    url, number, kills = newsroom.database.url, 0, 0
    while True:
        newsroom.database = Database(url)
        kill_at(newsroom.database, number, done=done)
        try:
            newsroom.apply()
            newsroom.database.close_all()
            break
        except Killed:
            kills += 1
            newsroom.database.close_all()
            number += 7 if newsroom.database.dialect == "mysql" else 5
    assert kills > 3
    newsroom.database = Database(url)
    assert rows(newsroom) == EXPECTED
    assert newsroom.problems() == []
    newsroom.apply("news.0001")
    assert newsroom.rows("news_story", "id, headline, rank, old") == [
        (1, "Untitled", "0", "x"),
        (2, "t1", "1", "x"),
        (3, "t2", "2", "x"),
    ]
    newsroom.database.close_all()


@pytest.mark.parametrize("text", ["CREATE TABLE news_story", "CREATE INDEX by_headline"])
def test_a_step_whose_answer_is_lost_with_the_connection_was_taken_or_not(newsroom, model, text):
    """On MariaDB its tables tell, when it is gone on with: the table was taken for another's that lacks an index."""
    newsroom.declare(*after(model))
    newsroom.make()
    execute = newsroom.database.execute

    def lost(sql, parameters=()):
        execute(sql, parameters)
        if text in sql:
            newsroom.database.execute = execute
            raise DatabaseUnavailable("the connection was lost")

    newsroom.database.execute = lost
    with pytest.raises(MigrationError, match=r"the connection was lost"):
        newsroom.apply()
    assert newsroom.apply() == ["Apply news.0001_initial"]
    assert newsroom.problems() == []


STATEMENTS = [
    ("ALTER TABLE `Odd``_100%%` ADD COLUMN b INT", "ALTER TABLE other ADD COLUMN b INT"),
    ("CREATE INDEX by_a ON other (a)", "ALTER TABLE `Odd``_100%%` ADD COLUMN c INT"),
    ("CREATE TABLE more (a INT)", "ALTER TABLE other ADD COLUMN c INT"),
    ("ALTER TABLE more ADD FOREIGN KEY (a) REFERENCES other (a)", "ALTER TABLE t1 ADD COLUMN b INT"),
    ("ALTER TABLE more RENAME TO most", "ALTER TABLE t1 ADD COLUMN c INT"),
    ("CREATE TRIGGER t AFTER INSERT ON most FOR EACH ROW DELETE FROM other", "ALTER TABLE t1 ADD COLUMN d INT"),
    ("DROP TRIGGER t", "ALTER TABLE other ADD COLUMN d INT"),
    (
        "ALTER TABLE t1 ADD COLUMN t2 INT, ADD COLUMN t3 INT, ADD COLUMN t4 INT, ADD COLUMN t5 INT, ADD COLUMN t6 INT",
        "",
    ),
    ("DROP TABLE most", "ALTER TABLE t1 ADD COLUMN e INT"),
]
"""What a migration runs on MariaDB, and what somebody else does to another table before it is gone on with."""


def test_the_note_before_a_statement_tells_whether_it_was_run(server):
    """Of more tables than its marks have room for, and where nobody knows which, all are noted."""
    if server.dialect != "mysql":
        pytest.skip("this database takes back what it cannot finish")
    for name in ("`Odd``_100%%`", "other", *(f"t{number}" for number in range(1, 7))):
        server.execute(f"CREATE TABLE {name} (a INT PRIMARY KEY)")
    for statement, other in STATEMENTS:
        note, whole = note_before(server, statement), note_before(server, "")
        assert max(len(note), len(whole)) <= 80
        assert (note == whole) == (not other)
        if other:
            server.execute(other)
        assert not was_taken(server, note)
        whole = note_before(server, "")
        server.execute(statement)
        assert was_taken(server, note)
        assert was_taken(server, whole)


def keyed(model, kind=""):
    """Desks with a number for a key, or another, or that of a place; and stories that refer to them."""
    place = model("Place", name=title()) if kind == "parent" else None
    desk = (
        model("Desk", {}, inherits=place, floor=models.IntegerField(default=1))
        if place
        else model(
            "Desk",
            name=title(primary_key=kind == "natural"),
            floor=models.IntegerField(default=1),
            **KEYS.get(kind, {}),
        )
    )
    desks = models.ForeignKey(desk, on_delete=models.CASCADE, related_name="+")
    return *([place] if place else []), desk, model("Story", headline=title(), desk=desks)


KEYS = {"uuid": {"id": models.UUIDField(primary_key=True, default=uuid.uuid4)}}
NAMES = {
    "": "news_desk d ON d.id = s.desk_id",
    "uuid": "news_desk d ON d.id = s.desk_id",
    "natural": "news_desk d ON d.name = s.desk_id",
    "parent": "news_desk e ON e.place_ptr_id = s.desk_id JOIN news_place d ON d.id = e.place_ptr_id",
}


def desks_of(newsroom, kind):
    told = f"SELECT s.headline, d.name FROM news_story s JOIN {NAMES[kind]} ORDER BY 1"
    return [tuple(row) for row in newsroom.database.fetch(told)]


def apply_and_be_killed_often(newsroom, target=None):
    """Go somewhere, killed at every third statement and begun again; how often."""
    url, kills = newsroom.database.url, 0
    newsroom.database.close_all()
    while True:
        newsroom.database = Database(url)
        kill_at(newsroom.database, 3 * kills, done=bool(kills % 2))
        try:
            newsroom.apply(target)
        except Killed:
            kills += 1
            newsroom.database.close_all()
        else:
            newsroom.database.close_all()
            break
    newsroom.database = Database(url)
    return kills


@pytest.mark.parametrize("kind", ["uuid", "natural", "parent"])
def test_a_key_that_changes_is_old_or_new_everywhere_wherever_it_is_killed(newsroom, model, kind):
    newsroom.migrate(*keyed(model))
    desk, story = newsroom.app.models
    for name in ("City", "Sport"):
        newsroom.save(story, headline=f"of {name}", desk=newsroom.save(desk, name=name))
    newsroom.declare(*keyed(model, kind)).make()
    expected = [("of City", "City"), ("of Sport", "Sport")]
    assert apply_and_be_killed_often(newsroom) > 3
    assert newsroom.problems() == []
    assert desks_of(newsroom, kind) == expected
    assert apply_and_be_killed_often(newsroom, "news.0001") > 3
    assert desks_of(newsroom, "") == expected
    assert "toolkit_keys" not in newsroom.database.table_names()
    newsroom.database.close_all()


def test_a_field_that_others_refer_to_is_old_or_new_everywhere_wherever_it_is_killed(newsroom, model):
    def declared(code):
        link = models.ForeignKey("Desk", on_delete=models.CASCADE, to_field="code", related_name="+")
        return model("Desk", code=code), model("Story", headline=title(), desk=link)

    newsroom.migrate(*declared(models.IntegerField(unique=True)))
    desk, story = newsroom.app.models
    for code in (7, 9):
        newsroom.save(story, headline=f"of {code}", desk=newsroom.save(desk, code=code))
    newsroom.declare(*declared(title(unique=True))).make()
    assert apply_and_be_killed_often(newsroom) > 3
    assert newsroom.problems() == []
    assert newsroom.rows("news_story", "headline, desk_id") == [("of 7", "7"), ("of 9", "9")]
    assert apply_and_be_killed_often(newsroom, "news.0001") > 3
    assert newsroom.rows("news_story", "headline, desk_id") == [("of 7", 7), ("of 9", 9)]
    newsroom.database.close_all()


def apply_and_be_killed_behind(newsroom, text):
    """Apply, killed when a statement is done that has a text in it; and again, to the end."""
    database = newsroom.database
    execute = database.execute

    def watched(sql, parameters=()):
        found = execute(sql, parameters)
        if text in sql:
            raise Killed
        return found

    database.execute = watched
    with pytest.raises(Killed):
        newsroom.apply()
    database.close_all()
    del database.execute
    newsroom.apply()


def mentioning(model, name):
    about = {"about": models.ModelNameField(db_index=True), "rank": models.IntegerField(unique=True)}
    return model(name, **about, again=models.ForeignKey(name, on_delete=models.CASCADE, null=True, related_name="+"))


@pytest.mark.parametrize("text", ["UPDATE", "RENAME TO"])
def test_a_renamed_model_whose_rows_name_it_has_all_its_new_names(newsroom, model, text):
    newsroom.migrate(mentioning(model, "Note"))
    note = newsroom.app.models[0]
    newsroom.save(note, about=note, rank=1)
    newsroom.declare(mentioning(model, "Remark")).make()
    apply_and_be_killed_behind(newsroom, text)
    assert newsroom.rows("news_remark", "about") == [("news.Remark",)]
    if newsroom.database.dialect == "mysql":
        assert "news_note" not in newsroom.database.fetch("SHOW CREATE TABLE news_remark")[0][1]


SCRIPTS = {
    "sqlite": ["UPDATE news_story SET rank = rank + 1; -- done"],
    "postgresql": ["/* ; */ UPDATE news_story SET rank = rank + 1"],
    "mysql": [
        "SET @step = 2; UPDATE news_story SET rank = rank + 7",
        "SELECT 1 INTO @less; # it's more\n-- ;\n/* ; */ UPDATE news_story SET rank = rank + @step;"
        "UPDATE news_story SET rank = rank --@less - 9;",
    ],
}
"""Of MariaDB, what each connection has to be told again, in the same operation and in one that is done."""


@pytest.mark.parametrize("text", ["rank + @step", "--@less"])
def test_sql_of_ones_own_that_changes_rows_is_run_once(newsroom, model, text):
    newsroom.migrate(model("Story", rank=models.IntegerField()))
    newsroom.save(newsroom.app.models[0], rank=1)
    scripts = SCRIPTS[newsroom.database.dialect]
    steps = ", ".join(f"migrations.RunSQL({script!r})" for script in scripts)
    (newsroom.app.migrations_folder / "0002_more.py").write_text(
        "from toolkit import migrations\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [('news', '0001_initial')]\n    operations = [{steps}]\n"
    )
    apply_and_be_killed_behind(newsroom, text if text in scripts[-1] else "UPDATE")
    assert newsroom.rows("news_story", "rank") == [(2,)]


@pytest.fixture
def halved(newsroom, model):
    """A migration on MariaDB whose third step could not be done."""
    if newsroom.database.dialect != "mysql":
        pytest.skip("this database takes back what it cannot finish")
    prepare(newsroom, model)
    path = newsroom.app.migrations_folder / "0003_more.py"
    path.write_text(
        "from toolkit import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [('news', {newsroom.app.migrations_folder.glob('0002*').__next__().stem!r})]\n"
        "    operations = [\n"
        "        migrations.AddField('Desk', 'town', models.TextField(null=True)),\n"
        "        migrations.RunSQL('INSERT INTO elsewhere VALUES (1)', reverse_sql=''),\n"
        "        migrations.AddField('Desk', 'land', models.TextField(null=True)),\n"
        "    ]\n"
    )
    with pytest.raises(MigrationError, match=r"elsewhere.*operation 1 of 3 stands.*goes on there"):
        newsroom.apply()
    return newsroom


def test_what_stands_is_told_and_the_rest_is_done_once_the_cause_is_mended(halved):
    problem = next(one for one in halved.problems() if "half" in one)
    assert "news.0003_more is half applied: 1 of its operations are done; the next is 'Run SQL: INSERT INTO" in problem
    halved.database.execute("CREATE TABLE elsewhere (number INT)")
    assert halved.apply() == ["Apply news.0003_more"]
    assert halved.rows("elsewhere") == [(1,)]
    assert halved.rows("news_desk", "id, town, land") == [(1, None, None)]


def test_nothing_else_is_done_before_it_is_whole(halved):
    with pytest.raises(MigrationError, match=r"news.0003_more is half applied.*Finish it"):
        halved.apply("news.0001")


def test_one_that_is_only_noted_is_not_half_applied_any_more(halved):
    """Somebody did the rest by hand."""
    (step,) = migrations.apply(halved.database, [halved.app], fake=True)
    assert str(step) == "Apply news.0003_more (only noted)"
    assert not any("half" in problem for problem in halved.problems())
    halved.apply("news.0003")


def test_an_operation_that_was_begun_may_not_be_another_now(halved):
    path = halved.app.migrations_folder / "0003_more.py"
    path.write_text(path.read_text().replace("migrations.RunSQL", "migrations.RunSQL('SELECT 1'), #"))
    with pytest.raises(MigrationError, match=r"half applied.*that operation is now 'Run SQL: SELECT 1'.*Restore"):
        halved.apply()


# kill -9

KILLS = int(os.environ.get("TOOLKIT_TEST_KILLS", "15"))
PACE = {False: 0.8, True: 1.1}
"""What the time that a run is thought to take is multiplied with after one that was over, and one that was killed: the
machine may be slower or quicker from one moment to the next."""


def apply_and_be_killed(newsroom, *, seconds, target=None):
    """Apply in a process that is killed after a while; whether it was, before it had finished."""
    newsroom.database.close_all()
    child = os.fork()
    if child == 0:
        try:
            migrations.apply(Database(newsroom.database.url), [newsroom.app], target)
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_killed_at_any_instant_the_table_is_the_old_or_the_new_one_and_no_row_is_lost(newsroom, model):
    newsroom.migrate(*before(model))
    _, story = newsroom.app.models
    with entered(Scope(None, newsroom.database)):
        story.objects.bulk_create([story(headline=f"t{n}", rank=str(n), old="x") for n in range(1000)])
    newsroom.declare(*after(model)).make(fills={"news.Story.headline": "Untitled"})
    began = time.monotonic()
    newsroom.apply()
    takes = time.monotonic() - began
    newsroom.apply("news.0001")
    randomness, kills = random.Random(12), 0
    for _ in range(KILLS):
        was_killed = apply_and_be_killed(newsroom, seconds=takes * randomness.uniform(0.1, 1))
        kills, takes = kills + was_killed, takes * PACE[was_killed]
        assert newsroom.rows("news_story", "count(*)") == [(1000,)]
        if newsroom.database.dialect != "mysql":  # whose half-done migrations are continued below
            assert set(read_table(newsroom.database, "news_story").columns) in (OLD, NEW)
        if not migrations.plan(newsroom.database, [newsroom.app]):
            newsroom.apply("news.0001")
    newsroom.apply()
    assert kills > KILLS / 4
    assert newsroom.rows("news_story", "count(*), min(headline), sum(length(headline))") == [(1000, "t0", 3890)]
    assert newsroom.problems() == []


def fill_desks(newsroom, number):
    """Desks, and a story for each; of places as many, which have the same keys."""
    with entered(Scope(None, newsroom.database)):
        for model in newsroom.app.models:
            if model._meta.object_name == "Story":
                desks = list(newsroom.app.models[-2].objects.order_by("pk"))
                model.objects.bulk_create([model(headline=f"of {desk.name}", desk=desk) for desk in desks])
            else:
                kind = model._meta.object_name
                model.objects.bulk_create([model(name=f"{kind} {n}") for n in range(number)])


@pytest.mark.parametrize("kind", ["uuid", "natural", "parent"])
def test_a_key_that_changes_is_killed_at_any_instant_and_nothing_is_lost(newsroom, model, kind):
    """Forward and back, however often it is killed; it always goes on in the direction in which it went."""
    places = [model("Place", name=title())] if kind == "parent" else []
    newsroom.migrate(*places, *keyed(model))
    fill_desks(newsroom, 400)
    newsroom.declare(*keyed(model, kind)).make()
    expected = sorted((f"of Desk {n}", f"Desk {n}") for n in range(400))
    began = time.perf_counter()
    newsroom.apply()
    took = time.perf_counter() - began
    randomness, kills = random.Random(kind), 0
    target, stands = "news.0001", ""
    for _ in range(KILLS):
        seconds = randomness.uniform(0.1, 1.2) * took
        was_killed = apply_and_be_killed(newsroom, seconds=seconds, target=target)
        kills, took = kills + was_killed, took * PACE[was_killed]
        if not was_killed:
            assert sorted(desks_of(newsroom, stands)) == expected
            assert "toolkit_keys" not in newsroom.database.table_names()
            target, stands = (None, kind) if target else ("news.0001", "")
        elif newsroom.database.dialect != "mysql":  # where half of it may be done
            is_new = not migrations.plan(newsroom.database, [newsroom.app])
            assert sorted(desks_of(newsroom, kind if is_new else "")) == expected
    newsroom.apply(target)
    assert sorted(desks_of(newsroom, stands)) == expected
    newsroom.apply()
    assert newsroom.problems() == []
    assert sorted(desks_of(newsroom, kind)) == expected
    assert kills > KILLS / 4
    if kind == "parent":
        assert newsroom.rows("news_place", "count(*)") == [(800,)]


OLD = {"id", "headline", "rank", "old"}
NEW = {"id", "headline", "rank", "key", "note", "desk_id", "older"}
