"""Tables follow their models, and rows survive: on SQLite and on PostgreSQL."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from toolkit import models
from toolkit.errors import IntegrityError, MigrationError
from toolkit.models import Q
from toolkit.trace import Scope, entered

KINDS = {
    "char": (lambda **o: models.CharField(max_length=20, **o), "Flood"),
    "text": (lambda **o: models.TextField(**o), "A long story"),
    "slug": (lambda **o: models.SlugField(**o), "flood"),
    "email": (lambda **o: models.EmailField(**o), "desk@example.org"),
    "url": (lambda **o: models.URLField(**o), "https://example.org/"),
    "integer": (lambda **o: models.IntegerField(**o), -(2**63)),
    "positive": (lambda **o: models.PositiveIntegerField(**o), 7),
    "float": (lambda **o: models.FloatField(**o), 0.1),
    "decimal": (lambda **o: models.DecimalField(max_digits=9, decimal_places=2, **o), Decimal("19.90")),
    "boolean": (lambda **o: models.BooleanField(**o), True),
    "date": (lambda **o: models.DateField(**o), date(2026, 11, 3)),
    "datetime": (lambda **o: models.DateTimeField(**o), datetime(2026, 11, 3, 21, 5, tzinfo=UTC)),
    "json": (lambda **o: models.JSONField(**o), {"a": [1, None, "ü"]}),
    "uuid": (lambda **o: models.UUIDField(**o), UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")),
    "binary": (lambda **o: models.BinaryField(**o), b"\x00\xff"),
    "markdown": (lambda **o: models.MarkdownField(**o), "# Head"),
}


def title(**options):
    return models.CharField(max_length=80, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_each_kind_is_added_renamed_loosened_and_removed_and_keeps_its_values(newsroom, model, kind):
    make, value = KINDS[kind]
    newsroom.migrate(model("Story", title=title()))
    newsroom.save(newsroom.app.models[0], title="one")

    newsroom.migrate(model("Story", title=title(), extra=make()), fills={"news.Story.extra": value})
    assert newsroom.values(newsroom.app.models[0], "extra") == [value]

    newsroom.migrate(model("Story", title=title(), other=make()))
    assert newsroom.questions == ["Was the field news.Story.extra renamed to other?"]
    assert newsroom.values(newsroom.app.models[0], "other") == [value]

    newsroom.migrate(model("Story", title=title(), other=make(null=True)))
    newsroom.save(newsroom.app.models[0], title="two")
    assert newsroom.values(newsroom.app.models[0], "other")[0] == value

    newsroom.migrate(model("Story", title=title()))
    assert newsroom.rows("news_story", "id, title") == [(1, "one"), (2, "two")]

    newsroom.apply("news.0004")
    assert newsroom.rows("news_story", "id, title, other")[0] == (1, "one", None)


def test_rows_get_the_default_of_a_new_field(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    newsroom.save(newsroom.app.models[0], title="one")
    newsroom.migrate(
        model("Story", title=title(), weight=models.IntegerField(default=5), note=models.TextField(blank=True))
    )
    assert newsroom.rows("news_story", "title, weight, note") == [("one", 5, "")]


def test_each_row_gets_its_own_value_from_a_default_that_is_a_function(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    for name in "abc":
        newsroom.save(newsroom.app.models[0], title=name)
    newsroom.migrate(model("Story", title=title(), key=models.UUIDField(default=uuid4, unique=True)))
    keys = newsroom.values(newsroom.app.models[0], "key")
    assert len(set(keys)) == 3
    assert all(isinstance(key, UUID) for key in keys)


def test_null_is_replaced_when_it_is_no_longer_allowed(newsroom, model):
    newsroom.migrate(model("Story", title=title(null=True)))
    newsroom.save(newsroom.app.models[0], title=None)
    newsroom.save(newsroom.app.models[0], title="two")
    newsroom.migrate(model("Story", title=title()), fills={"news.Story.title": "Untitled"})
    assert newsroom.rows("news_story", "id, title") == [(1, "Untitled"), (2, "two")]


class Hidden(models.TextField):
    """Text that stands in its column backwards."""

    def db_writer(self, dialect):
        return lambda text: text[::-1]

    def db_reader(self, dialect):
        return lambda text: text[::-1]


def test_text_that_shall_stand_in_its_column_in_another_form_is_written_so(newsroom, model):
    newsroom.migrate(model("Source", name=models.TextField()))
    newsroom.save(newsroom.app.models[0], name="Ann")
    newsroom.migrate(model("Source", name=Hidden()))
    assert newsroom.rows("news_source", "name") == [("nnA",)]
    assert newsroom.values(newsroom.app.models[0], "name") == ["Ann"]
    newsroom.apply("news.0001")
    assert newsroom.rows("news_source", "name") == [("Ann",)]


class Sealed(models.TextField):
    """Text in a form that can be told from others."""

    def db_writer(self, dialect):
        return lambda text: f"sealed:{text[::-1]}"

    def db_reader(self, dialect):
        def read(stored):
            if not stored.startswith("sealed:"):
                raise LookupError("no seal")
            return stored.removeprefix("sealed:")[::-1]

        return read


def test_text_that_stands_in_that_form_already_is_not_written_in_it_twice(newsroom, model):
    newsroom.migrate(model("Source", name=models.TextField()))
    for name in ("sealed:nnA", "Bob"):
        newsroom.save(newsroom.app.models[0], name=name)
    newsroom.declare(model("Source", name=Sealed()))
    newsroom.make()
    with pytest.raises(
        MigrationError, match=r"(?s)1 value does not fit.*row 1, name: Sealed can read what stands there"
    ):
        newsroom.apply()
    assert newsroom.rows("news_source", "name") == [("Bob",), ("sealed:nnA",)]
    newsroom.database.execute("UPDATE news_source SET name = 'Ann' WHERE id = 1")
    newsroom.apply()
    assert newsroom.rows("news_source", "name") == [("sealed:boB",), ("sealed:nnA",)]


def test_a_column_of_a_new_kind_converts_its_values(newsroom, model):
    newsroom.migrate(
        model(
            "Story",
            number=title(),
            day=models.DateTimeField(),
            live=models.IntegerField(),
            flag=models.BooleanField(),
            key=title(),
        )
    )
    key = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    moment = datetime(2026, 11, 3, tzinfo=UTC)
    newsroom.save(newsroom.app.models[0], number="42", day=moment, live=1, flag=True, key=key)
    newsroom.migrate(
        model(
            "Story",
            number=models.IntegerField(),
            day=models.DateField(),
            live=models.BooleanField(),
            flag=models.IntegerField(),
            key=models.UUIDField(),
        )
    )
    story = newsroom.app.models[0]
    found = [newsroom.values(story, name)[0] for name in ("number", "day", "live", "flag", "key")]
    assert found == [42, date(2026, 11, 3), True, 1, UUID(key)]


def test_a_conversion_that_loses_something_needs_a_word(newsroom, model):
    newsroom.migrate(model("Story", day=models.DateTimeField(), price=models.FloatField()))
    newsroom.save(newsroom.app.models[0], day=datetime(2026, 11, 3, 21, 5, tzinfo=UTC), price=1.0)
    newsroom.declare(model("Story", day=models.DateField(), price=models.FloatField()))
    (made,) = newsroom.make()
    with pytest.raises(
        MigrationError, match=r"row 1, day: 2026-11-03 21:05:00\+00:00 would become 2026-11-03.*lossy=Tr"
    ):
        newsroom.apply()
    made.path.write_text(made.text.replace("field=", "lossy=True, field="))
    newsroom.apply()
    assert newsroom.values(newsroom.app.models[0], "day") == [date(2026, 11, 3)]


def test_values_that_cannot_be_converted_stop_the_migration_and_nothing_is_changed(newsroom, model):
    newsroom.migrate(model("Story", number=title()))
    newsroom.save(newsroom.app.models[0], number="forty-two")
    newsroom.declare(model("Story", number=models.IntegerField()))
    newsroom.make()
    with pytest.raises(MigrationError, match=r"(?s)0002.*Alter field number of Story.*forty-two"):
        newsroom.apply()
    assert newsroom.rows("news_story", "number") == [("forty-two",)]
    assert "news.0002_alter_story_number is not applied" in newsroom.problems()[0]


def test_texts_that_are_too_long_for_a_shorter_field_stop_the_migration(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    newsroom.save(newsroom.app.models[0], title="x" * 30)
    newsroom.declare(model("Story", title=models.CharField(max_length=20)))
    newsroom.make()
    with pytest.raises(MigrationError, match=r"30 characters, 20 are allowed|too long for type"):
        newsroom.apply()
    assert newsroom.rows("news_story", "title") == [("x" * 30,)]


def test_unique_is_added_and_removed(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    newsroom.save(newsroom.app.models[0], title="one")
    newsroom.migrate(model("Story", title=title(unique=True)))
    with pytest.raises(IntegrityError, match="already exists"):
        newsroom.save(newsroom.app.models[0], title="one")
    newsroom.migrate(model("Story", title=title()))
    newsroom.save(newsroom.app.models[0], title="one")
    assert len(newsroom.rows("news_story")) == 2


def test_unique_is_refused_while_rows_are_equal(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    for _ in range(2):
        newsroom.save(newsroom.app.models[0], title="one")
    newsroom.declare(model("Story", title=title(unique=True)))
    newsroom.make()
    with pytest.raises(MigrationError, match=r"(?i)unique"):
        newsroom.apply()
    assert len(newsroom.rows("news_story")) == 2


def test_a_unique_field_that_was_renamed_can_stop_being_unique(newsroom, model):
    """SQLite keeps a constraint's old name in its text; it is known by what it says."""
    newsroom.migrate(model("Story", slug=models.SlugField(unique=True)))
    newsroom.migrate(model("Story", path=models.SlugField(unique=True)))
    newsroom.migrate(model("Story", path=models.SlugField()))
    for _ in range(2):
        newsroom.save(newsroom.app.models[0], path="same")


def test_constraints_and_indexes_come_and_go(newsroom, model):
    live = Q(status="live") | ~Q(status="it's 100% x:y")
    meta = {
        "constraints": [
            models.CheckConstraint(condition=Q(weight__gte=0) & Q(weight__lte=10), name="weight_range"),
            models.UniqueConstraint(fields=["status", "weight"], name="one_weight"),
            models.UniqueConstraint(fields=["weight"], name="one_live", condition=Q(status="live")),
        ],
        "indexes": [models.Index(fields=["-weight", "status"], name="by_weight", condition=live)],
    }
    fields = {"status": lambda: title(), "weight": lambda: models.IntegerField()}

    def story(options):
        return model("Story", options, **{name: make() for name, make in fields.items()})

    newsroom.migrate(story({}))
    newsroom.migrate(story(meta))
    with pytest.raises(IntegrityError, match=r"weight_range"):
        newsroom.save(newsroom.app.models[0], status="live", weight=11)
    newsroom.migrate(story({}))
    newsroom.save(newsroom.app.models[0], status="live", weight=9)
    newsroom.apply("news.0001")
    newsroom.apply("news")
    assert newsroom.rows("news_story", "weight") == [(9,)]


def test_a_renamed_model_keeps_rows_links_translations_and_the_keys_that_point_to_it(newsroom, model):
    def declare(name, *, related):
        tag = model("Tag", name=title())
        story = model(name, title=title(translated=True), tags=models.ManyToManyField(tag, related_name=related))
        note = model("Note", story=models.ForeignKey(story, on_delete=models.CASCADE))
        return tag, story, note

    tag, story, note = declare("Story", related="stories")
    newsroom.migrate(tag, story, note)
    one, flood = newsroom.save(tag, name="one"), newsroom.save(story, title="Flood")
    newsroom.save(note, story=flood)
    newsroom.save(story.tags.through, story=flood, tag=one)
    newsroom.save(story._meta.translation, source=flood, locale="es", title="Riada")

    newsroom.migrate(*declare("Article", related="articles"))
    assert newsroom.questions == ["Was the model news.Story renamed to Article?"]
    assert newsroom.rows("news_article", "id, title") == [(1, "Flood")]
    assert newsroom.rows("news_article_tags", "id, article_id, tag_id") == [(1, 1, 1)]
    assert newsroom.rows("news_article_translation", "id, source_id, title") == [(1, 1, "Riada")]
    assert newsroom.rows("news_note", "id, story_id") == [(1, 1)]

    newsroom.apply("news.0001")
    assert newsroom.rows("news_story_tags", "id, story_id, tag_id") == [(1, 1, 1)]


def test_a_renamed_translated_field_takes_its_translations_along(newsroom, model):
    newsroom.migrate(model("Story", title=title(translated=True)))
    story = newsroom.app.models[0]
    newsroom.save(story._meta.translation, source=newsroom.save(story, title="Flood"), locale="es", title="Riada")
    newsroom.migrate(model("Story", headline=title(translated=True)))
    assert newsroom.questions == ["Was the field news.Story.title renamed to headline?"]
    assert newsroom.rows("news_story_translation", "id, headline") == [(1, "Riada")]


@pytest.mark.parametrize("also", [{}, {"lead": True}], ids=["the only one", "one of two"])
def test_translations_of_a_field_that_stays_are_not_dropped_unasked(newsroom, model, also):
    """The last translated field takes the table with it, another its column."""

    def declare(**titled):
        return model("Story", title=title(**titled), **{name: title(translated=True, blank=True) for name in also})

    newsroom.migrate(declare(translated=True))
    story = newsroom.app.models[0]
    row, translation = newsroom.save(story, title="Flood"), story._meta.translation
    for locale, text in (("es", "Riada"), ("fr", "Crue"), ("it", "")):
        newsroom.save(translation, source=row, locale=locale, title=text)
    newsroom.declare(declare())
    (made,) = newsroom.make()
    with pytest.raises(
        MigrationError,
        match=r"news\.Story\.title: its translations would be lost, 1 in 'es', 1 in 'fr'.*"
        r"Copy what shall stay in a RunPython before, and write lossy=True into the operation",
    ):
        newsroom.apply()
    assert newsroom.rows("news_story_translation", "title") == [("",), ("Crue",), ("Riada",)]
    assert made.path.name in {"0002_delete_storytranslation.py", "0002_remove_storytranslation_title.py"}
    made.path.write_text(re.sub(r"(DeleteModel|RemoveField)\(", r"\1(lossy=True, ", made.text))
    newsroom.apply()
    assert newsroom.problems() == [] and newsroom.rows("news_story", "title") == [("Flood",)]


def test_translations_go_with_their_field_and_where_there_are_none(newsroom, model):
    newsroom.migrate(model("Story", name=title(), title=title(translated=True)))
    story = newsroom.app.models[0]
    newsroom.save(
        story._meta.translation, source=newsroom.save(story, name="x", title="Flood"), locale="es", title="Riada"
    )
    newsroom.migrate(model("Story", name=title()), ask=lambda question: False)
    newsroom.migrate(model("Story", name=title(translated=True)))
    newsroom.migrate(model("Story", name=title()))
    newsroom.migrate(model("Story", name=title(translated=True)))
    story = newsroom.app.models[0]
    newsroom.save(story._meta.translation, source=newsroom.save(story, name="x"), locale="es", name="y")
    made = newsroom.migrate(model("Tag", name=title()), ask=lambda question: False)
    assert newsroom.rows("news_tag") == [] and "lossy=True" in made.text


def test_a_field_that_is_renamed_and_translated_no_more_loses_nothing_unasked(newsroom, model):
    newsroom.migrate(model("Story", title=title(translated=True)))
    story = newsroom.app.models[0]
    newsroom.save(story._meta.translation, source=newsroom.save(story, title="Flood"), locale="es", title="Riada")
    newsroom.declare(model("Story", headline=title()))
    newsroom.make()
    with pytest.raises(MigrationError, match=r"news\.Story\.title: its translations would be lost, 1 in 'es'"):
        newsroom.apply()
    assert newsroom.questions == ["Was the field news.Story.title renamed to headline?"]


def test_models_that_refer_to_each_other_are_made_and_removed(newsroom, model):
    story = model("Story", lead=models.ForeignKey("Author", on_delete=models.CASCADE, null=True, related_name="+"))
    author = model("Author", best=models.ForeignKey("Story", on_delete=models.CASCADE, related_name="+"))
    newsroom.migrate(story, author)
    newsroom.migrate(model("Tag", name=title()), ask=lambda question: False)
    newsroom.apply("news.zero")
    assert newsroom.apply() == ["Apply news.0001_initial", newsroom_second(newsroom)]


def newsroom_second(newsroom):
    return f"Apply news.{sorted(newsroom.app.migrations_folder.glob('0002*'))[0].stem}"


def test_a_foreign_key_is_added_repointed_and_removed(newsroom, model):
    def declare(target):
        desk, section = model("Desk", name=title()), model("Section", name=title())
        fields = {} if target is None else {"home": models.ForeignKey(target, on_delete=models.CASCADE, null=True)}
        return desk, section, model("Story", title=title(), **fields)

    newsroom.migrate(*declare(None))
    newsroom.save(newsroom.app.models[2], title="one")
    newsroom.migrate(*declare("Desk"))
    desk, _, story = newsroom.app.models
    newsroom.save(story, title="two", home=newsroom.save(desk, name="City"))
    newsroom.declare(*declare("Section"))
    newsroom.make()
    with pytest.raises(MigrationError, match=r"row 2: home_id refers to rows of news_section that are not there"):
        newsroom.apply()
    newsroom.save(newsroom.app.models[1], name="News")
    newsroom.apply()
    assert newsroom.rows("news_story", "id, home_id") == [(1, None), (2, 1)]
    newsroom.migrate(*declare(None))


def test_a_table_gets_a_name_of_its_own(newsroom, model):
    newsroom.migrate(model("Story", title=title(unique=True, db_index=True)))
    newsroom.save(newsroom.app.models[0], title="one")
    newsroom.migrate(model("Story", {"db_table": "archive"}, title=title(unique=True, db_index=True)))
    assert newsroom.rows("archive", "title") == [("one",)]
    newsroom.apply("news.0001")
    assert newsroom.rows("news_story", "title") == [("one",)]


def test_bytes_do_not_become_text_by_themselves(newsroom, model):
    newsroom.migrate(model("Story", title=title()))
    newsroom.declare(model("Story", title=models.BinaryField()))
    newsroom.make()
    with pytest.raises(MigrationError, match=r"cannot become a BinaryField by itself.*RunPython"):
        newsroom.apply()


def test_names_that_must_be_quoted_are(newsroom, model):
    def declare(table, column, length):
        order = model(
            "Order",
            {"db_table": table, "indexes": [models.Index(fields=["group", "-select"], name="by group")]},
            group=models.CharField(max_length=length, unique=True),
            select=models.IntegerField(db_index=True, db_column=column),
        )
        return order, model("Item", order=models.ForeignKey(order, on_delete=models.CASCADE))

    newsroom.migrate(*declare("or der", 'we"ird', 5))
    order, item = newsroom.app.models
    newsroom.save(item, order=newsroom.save(order, group="a", select=1))
    newsroom.migrate(*declare("Order", "select", 4))
    order = newsroom.app.models[0]
    assert newsroom.values(order, "group") == ["a"]
    newsroom.apply("news.0001")
    assert newsroom.rows("news_item", "order_id") == [(1,)]


def test_names_longer_than_postgresql_keeps_are_cut_the_same_way_each_time(newsroom, model):
    def declare(name, **options):
        field = models.CharField(max_length=5, unique=True, db_index=True, **options)
        return model("AModelWithANameThatIsRatherLongForATable", **{name: field})

    newsroom.migrate(declare("a_field_with_a_name_that_is_rather_long"))
    newsroom.migrate(declare("a_field_with_a_name_that_is_rather_longer"))
    newsroom.migrate(declare("a_field_with_a_name_that_is_rather_longer", null=True))
    newsroom.apply("news.zero")


@pytest.mark.parametrize(
    ("before", "after", "value"),
    [
        (models.BigIntegerField, models.SmallIntegerField, 70_000),
        (models.TextField, models.JSONField, "{no"),
        (models.PositiveBigIntegerField, models.PositiveSmallIntegerField, 2**40),
    ],
)
def test_values_that_do_not_fit_are_found_though_sqlite_has_one_type_for_both(newsroom, model, before, after, value):
    newsroom.migrate(model("Page", held=before()))
    newsroom.save(newsroom.app.models[0], held=value)
    newsroom.declare(model("Page", held=after())).make()
    with pytest.raises(MigrationError, match="1 value does not fit the field as it shall be"):
        newsroom.apply()
    assert newsroom.rows("news_page", "held") == [(value,)]


def test_a_table_between_with_a_long_name_is_told_from_others_and_follows_a_rename(newsroom, model):
    def declare(name):
        links = {f"{name}_{end}": models.ManyToManyField("self", related_name="+") for end in ("one", "two")}
        return model("AModelWithANameThatIsRatherLong", **links)

    newsroom.migrate(declare("a_relation_with_a_name_that_is_long"))
    first = newsroom.app.models[0]
    row = newsroom.save(first)
    with entered(Scope(None, newsroom.database)):
        row.a_relation_with_a_name_that_is_long_one.add(row)
        assert not row.a_relation_with_a_name_that_is_long_two.exists()
    newsroom.migrate(declare("another_relation_with_a_name_that_is_long"))
    with entered(Scope(None, newsroom.database)):
        row = newsroom.app.models[0].objects.get()
        assert row.another_relation_with_a_name_that_is_long_one.exists()
    newsroom.apply("news.0001")
    newsroom.apply("news.zero")


def test_a_table_whose_name_changes_its_case_alone_keeps_its_rows(newsroom, model):
    def declare(table):
        return model("Page", {"db_table": table}, title=models.CharField(max_length=9, unique=True))

    newsroom.migrate(declare("press"))
    newsroom.save(newsroom.app.models[0], title="One")
    newsroom.migrate(declare("PRESS"))
    assert newsroom.values(newsroom.app.models[0], "title") == ["One"]
    newsroom.apply("news.0001")
    assert newsroom.rows("press", "title") == [("One",)]


def test_a_key_that_is_a_uuid_or_another_rows_key_follows_renames(newsroom, model):
    def declare(name):
        parent = model(
            name,
            id=models.UUIDField(primary_key=True),
            up=models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="down"),
            peers=models.ManyToManyField("self", related_name="+"),
        )
        return parent, model("Kid", of=models.OneToOneField(parent, on_delete=models.CASCADE, primary_key=True))

    newsroom.migrate(*declare("Father"))
    parent, kid = newsroom.app.models
    key = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
    newsroom.save(kid, of=newsroom.save(parent, id=key))
    newsroom.migrate(*declare("Parent"))
    assert newsroom.values(newsroom.app.models[1], "of") == [key]
    newsroom.apply("news.0001")
    assert len(newsroom.rows("news_kid")) == 1
