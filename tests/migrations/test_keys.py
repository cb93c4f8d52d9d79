"""Primary keys that become keys of another kind, and everything that refers to them."""

from __future__ import annotations

import re
import uuid

import pytest

from toolkit import migrations, models
from toolkit.database import install_tokens, read_tokens
from toolkit.errors import IntegrityError, MigrationError, Problems
from toolkit.migrations.tables.comparing import differences
from toolkit.trace import Scope, entered

KEYS = {
    "uuid": lambda: {"id": models.UUIDField(primary_key=True, default=uuid.uuid4)},
    "small": lambda: {"id": models.SmallAutoField(primary_key=True)},
    "integer": lambda: {"id": models.IntegerField(primary_key=True)},
    "text": lambda: {"id": models.CharField(primary_key=True, max_length=40)},
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_becomes_one_of_another_kind_and_all_that_refers_to_it_follows(newsroom, sections, kind):
    newsroom.migrate(*sections.models())
    sections.fill(newsroom)
    before = sections.told(newsroom)
    made = newsroom.migrate(*sections.models(**KEYS[kind]()))
    assert made.summary == ("Alter field id of Section",)
    assert sections.told(newsroom) == before
    section = newsroom.app.models[0]
    with pytest.raises(IntegrityError), newsroom.database.atomic():
        newsroom.save(newsroom.app.models[1], title="lost", section_id=KEYS_OF_NOTHING[kind])
    extra = {} if kind in ("uuid", "small") else {"id": 99 if kind == "integer" else "ninety"}
    newsroom.save(section, slug="new", **extra)
    newsroom.database.execute("DELETE FROM news_section WHERE slug = 'new'")
    newsroom.apply("news.0001")
    assert sections.told(newsroom) == before
    newsroom.declare(*sections.models())
    newsroom.save(newsroom.app.models[0], slug="newer")
    newsroom.apply()
    newsroom.apply("news.zero")


KEYS_OF_NOTHING = {"uuid": uuid.uuid4(), "small": 99, "integer": 99, "text": "none"}


def test_a_key_may_get_another_name_too(newsroom, sections):
    newsroom.migrate(*sections.models())
    sections.fill(newsroom)
    before = sections.told(newsroom)
    key = {"code": models.UUIDField(primary_key=True, default=uuid.uuid4)}
    made = newsroom.migrate(*sections.models(**key))
    assert made.summary == ("Rename field id of Section to code", "Alter field code of Section")
    assert sections.told(newsroom, key="code") == before
    newsroom.apply("news.0001")
    assert sections.told(newsroom) == before


def test_keys_come_from_a_function_that_the_operation_names(newsroom, sections):
    newsroom.migrate(*sections.models())
    sections.fill(newsroom)
    before = sections.told(newsroom)
    newsroom.declare(*sections.models(id=models.CharField(primary_key=True, max_length=40)))
    (made,) = newsroom.make()
    text = made.path.read_text()
    text = text.replace("max_length=40, primary_key=True", "primary_key=True, max_length=40")
    text = text.replace("primary_key=True, max_length=40)", "primary_key=True, max_length=40), fill=key")
    text = text.replace("class Migration", "import itertools\n\nNUMBERS = itertools.count(1)\n\n\n"
        "def key():\n    return f'k{next(NUMBERS)}'\n\n\nclass Migration")  # fmt: skip
    made.path.write_text(text)
    newsroom.apply()
    assert sections.told(newsroom) == before
    assert all(pk.startswith("k") for (pk,) in newsroom.rows("news_section", "id"))


def test_fields_of_a_key_in_another_order_are_told(newsroom, model):
    """A key of several fields serves the questions about the first of them."""

    def place(*names):
        fields = {"town": models.CharField(max_length=20), "number": models.IntegerField()}
        return model("Place", pk=models.CompositePrimaryKey(*names), **fields)

    newsroom.migrate(place("number", "town"))
    told = differences(newsroom.database, newsroom.declare(place("town", "number")).app.models)
    assert [str(problem).replace(" ", "").partition(")")[0] for problem in told] == [
        "news_place:thetablelackstheconstraintPRIMARYKEY(town,number",
        "news_place:thetablehastheconstraintPRIMARYKEY(number,town",
    ]


def test_a_function_that_makes_keys_is_not_asked_on_the_way_back(newsroom, sections):
    newsroom.migrate(*sections.models())
    sections.fill(newsroom)
    before = sections.told(newsroom)
    newsroom.declare(*sections.models(id=models.UUIDField(primary_key=True, default=uuid.uuid4)))
    (made,) = newsroom.make()
    text = made.path.read_text()
    written = re.sub(r"(models\.UUIDField\(.*?\))", r"\1, fill=uuid.uuid4", text, count=1)
    assert written != text
    made.path.write_text(written)
    newsroom.apply()
    newsroom.apply("news.0001")
    assert sections.told(newsroom) == before
    assert sorted(pk for (pk,) in newsroom.rows("news_section", "id")) == [1, 2, 3]


def test_keys_that_the_new_kind_cannot_hold_are_named_and_nothing_is_changed(newsroom, model):
    def story(key):
        return model("Story", id=key)

    newsroom.migrate(story(models.CharField(primary_key=True, max_length=10)))
    newsroom.save(newsroom.app.models[0], id="seven")
    newsroom.declare(story(models.IntegerField(primary_key=True))).make()
    with pytest.raises(MigrationError, match=r"row seven, id: 'seven' is not a whole number"):
        newsroom.apply()
    assert newsroom.rows("news_story") == [("seven",)]
    newsroom.database.execute("UPDATE news_story SET id = '7'")
    newsroom.apply()
    assert newsroom.rows("news_story") == [(7,)]


def test_a_uuid_without_a_default_is_asked_for(newsroom, model):
    newsroom.migrate(model("Story", title=models.CharField(max_length=9)))
    newsroom.save(newsroom.app.models[0], title="a")
    newsroom.declare(model("Story", title=models.CharField(max_length=9), id=models.UUIDField(primary_key=True))).make()
    with pytest.raises(MigrationError, match="each row needs a key of its own, and nothing makes a UUIDField of row 1"):
        newsroom.apply()
    assert newsroom.rows("news_story") == [(1, "a")]


def test_a_table_that_was_inherited_from_is_left(newsroom, model):
    """The link to the parent becomes a key of one's own: rows stay what they are, but for what the parent had."""
    parent = model("Place", name=models.CharField(max_length=9))
    bar = model("Bar", {}, inherits=parent, stools=models.IntegerField(default=0))
    note = model("Note", bar=models.ForeignKey(bar, on_delete=models.CASCADE, related_name="+"))
    newsroom.migrate(parent, bar, note)
    newsroom.save(parent, name="park")
    newsroom.save(note, bar=newsroom.save(bar, name="Luce", stools=4))
    parent = model("Place", name=models.CharField(max_length=9))
    bar = model("Bar", stools=models.IntegerField(default=0))
    note = model("Note", bar=models.ForeignKey(bar, on_delete=models.CASCADE, related_name="+"))
    made = newsroom.migrate(parent, bar, note)
    assert made.summary == ("Rename field place_ptr of Bar to id", "Let Bar inherit no more")
    assert newsroom.rows("news_bar", "id, stools") == [(2, 4)]
    assert newsroom.rows("news_note", "bar_id") == [(2,)]
    newsroom.apply("news.0001")
    assert newsroom.rows("news_bar", "place_ptr_id, stools") == [(2, 4)]
    assert newsroom.rows("news_place") == [(1, "park"), (2, "Luce")]


def test_references_to_nothing_stand_in_the_way(sqlite_newsroom, sections):
    newsroom = sqlite_newsroom
    newsroom.migrate(*sections.models())
    sections.fill(newsroom)
    newsroom.database.execute("PRAGMA foreign_keys = OFF")
    newsroom.database.execute("UPDATE news_story SET section_id = 77 WHERE title = 'about sea'")
    newsroom.database.execute("PRAGMA foreign_keys = ON")
    newsroom.declare(*sections.models(**KEYS["uuid"]())).make()
    with pytest.raises(MigrationError, match="section_id refers to rows that are not there, in 1 rows"):
        newsroom.apply()


def test_a_reference_to_keys_of_another_kind_is_not_guessed(newsroom, model):
    def declared(to):
        desk = model("Desk")
        paper = model("Paper", id=models.UUIDField(primary_key=True, default=uuid.uuid4))
        target = {"Desk": desk, "Paper": paper}[to]
        return desk, paper, model("Note", to=models.ForeignKey(target, on_delete=models.CASCADE, related_name="+"))

    newsroom.migrate(*declared("Desk"))
    desk, _, note = newsroom.app.models
    newsroom.save(note, to=newsroom.save(desk))
    newsroom.declare(*declared("Paper")).make()
    with pytest.raises(
        MigrationError, match=r"row 1, to: it refers to news\.Desk by id 1, and shall refer to news\.Paper by id"
    ):
        newsroom.apply()
    newsroom.database.execute("DELETE FROM news_note")
    newsroom.apply()
    assert newsroom.problems() == []
    newsroom.apply("news.zero")


def editions(model, key=None, number=models.IntegerField):
    """Editions that are known by their paper and a number, and pages that refer to them."""
    paper = model("Paper", name=models.CharField(max_length=20), **({} if key is None else {"id": key}))
    edition = model(
        "Edition",
        paper=models.ForeignKey("Paper", on_delete=models.CASCADE),
        number=number(),
        pk=models.CompositePrimaryKey("paper", "number"),
    )
    return paper, edition, model("Page", edition=models.ForeignKey("Edition", on_delete=models.CASCADE))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"key": models.UUIDField(primary_key=True, default=uuid.uuid4)},
            "Alter field id of Paper: news.Page.edition refers to the key of news.Edition, which has several fields",
        ),
        (
            {"number": models.TextField},
            r"Alter field number of Edition: news.Edition: the primary key changes from paper \(ForeignKey\), number "
            r"\(IntegerField\) to paper \(ForeignKey\), number \(TextField\)",
        ),
    ],
    ids=["of what it refers to", "of a part"],
)
def test_a_change_inside_a_key_of_several_fields_is_refused_before_a_migration_is_made(
    sqlite_newsroom, model, changed, told
):
    sqlite_newsroom.migrate(*editions(model))
    (later,) = sqlite_newsroom.make(empty=["news"], name="later")
    sqlite_newsroom.declare(*editions(model, **changed))
    for make in (sqlite_newsroom.make, lambda: migrations.update([sqlite_newsroom.app])):
        with pytest.raises(Problems, match=f"(?s)cannot be made.*{told}"):
            make()
    assert later.path.read_text() == later.text
    assert len(list(sqlite_newsroom.app.migrations_folder.glob("0*.py"))) == 2
    assert re.search(told, sqlite_newsroom.problems()[0])


def test_one_in_a_file_is_told_by_the_check_before_it_is_applied(sqlite_newsroom, model):
    sqlite_newsroom.migrate(*editions(model))
    (sqlite_newsroom.app.migrations_folder / "0002_text.py").write_text(
        "from toolkit import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        '    dependencies = [("news", "0001_initial")]\n'
        '    operations = [\n        migrations.AlterField("Edition", "number", models.TextField()),\n'
        '        migrations.AlterField("Page", "edition_number", models.TextField()),\n    ]\n'
    )
    sqlite_newsroom.declare(*editions(model, number=models.TextField))
    (problem,) = [one for one in sqlite_newsroom.problems() if "not applied" not in one]
    assert "0002_text.py: Alter field number of Edition: news.Edition: the primary key changes" in problem


def test_rows_are_written_while_a_table_with_triggers_of_tokens_gets_another_key(newsroom, sections):
    """The triggers speak of the key; on MariaDB nobody could write once it has another name."""
    newsroom.migrate(*sections.models())
    sections.fill(newsroom)
    install_tokens(newsroom.database, ["news_section"])
    before = sections.told(newsroom)
    newsroom.migrate(*sections.models(code=models.CharField(primary_key=True, max_length=40)))
    assert sections.told(newsroom, key="code") == before
    assert read_tokens(newsroom.database, ["news_section"]) == {}
    newsroom.save(newsroom.app.models[0], code="another", slug="another")
    install_tokens(newsroom.database, ["news_section"])
    newsroom.save(newsroom.app.models[0], code="last", slug="last")
    assert read_tokens(newsroom.database, ["news_section"]) == {}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_an_index_of_a_search_goes_with_the_key_that_its_triggers_speak_of(newsroom, model):
    def note(searched=True, **key):
        found = {"search": models.Search("title")} if searched else {}
        return model("Note", **key, title=models.CharField(max_length=50), **found)

    newsroom.migrate(note(id=models.AutoField(primary_key=True)))
    newsroom.save(newsroom.app.models[0], title="Ferry")
    _search(newsroom, "ferry", 1)
    newsroom.migrate(note(code=models.UUIDField(primary_key=True, default=uuid.uuid4)))
    newsroom.save(newsroom.app.models[0], title="Ferries")
    _search(newsroom, "ferry", 2)
    newsroom.declare(note(searched=False, code=models.UUIDField(primary_key=True, default=uuid.uuid4)))
    newsroom.apply()
    assert not newsroom.database.has_table("toolkit_search_news_note")
    newsroom.save(newsroom.app.models[0], title="Boat")


def _search(newsroom, words, count):
    with entered(Scope(None, newsroom.database)):
        assert newsroom.app.models[0].objects.search(words).count() == count
