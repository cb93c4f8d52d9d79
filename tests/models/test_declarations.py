"""Declaring models: what is inherited, what is refused, and that every problem is reported."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest

from toolkit import models
from toolkit.errors import DeclarationError, FieldError, ValidationError
from toolkit.models import Q
from toolkit.models.resolve import resolve_models


def declare(name: str, /, *bases: type, **namespace: Any) -> Any:
    return type(models.Model)(name, bases or (models.Model,), {"__module__": __name__, **namespace})


def problems_of(*found: Any) -> list[str]:
    """What is wrong with models, without the place: here they are made by one line."""
    return [f"{problem.message}. {problem.hint}" for problem in resolve_models({"town": found})[1]]


def test_an_abstract_model_gives_its_fields_and_meta() -> None:
    class Dated(models.Model):
        day = models.DateField(db_index=True)

        class Meta:
            abstract = True
            ordering = ["-day"]
            get_latest_by = "day"

    class Event(Dated):
        name = models.CharField(max_length=9)

    class Fair(Dated):
        class Meta(Dated.Meta):
            verbose_name = "town fair"

    assert [field.name for field in Event._meta.fields] == ["id", "day", "name"]
    assert (Event._meta.ordering, Event._meta.get_latest_by, Event._meta.abstract) == (["-day"], "day", False)
    assert (Fair._meta.ordering, Fair._meta.verbose_name, Fair._meta.abstract) == (["-day"], "town fair", False)
    assert Event._meta.by_name["day"] is not Fair._meta.by_name["day"]
    assert (Event._meta.pk_index, Event._meta.pk.name) == (0, "id")


def test_a_model_is_named_as_people_would() -> None:
    live_blog = declare("LiveBlog")
    assert live_blog._meta.verbose_name == "live blog"
    assert live_blog._meta.verbose_name_plural == "live blogs"


@pytest.mark.parametrize(
    ("namespace", "told"),
    [
        ({"a__b": models.IntegerField()}, "a field cannot be called 'a__b'"),
        ({"pk": models.IntegerField()}, "a field cannot be called 'pk'"),
        ({"id": models.IntegerField()}, "'id' is the name of the key that is added"),
        (
            {"a": models.IntegerField(primary_key=True), "b": models.IntegerField(primary_key=True)},
            "has 2 primary keys: a, b",
        ),
        ({"Meta": type("Meta", (), {"odering": []})}, "unknown option 'odering'. Did you mean 'ordering'"),
        ({"Meta": type("Meta", (), {"untranslated": "maybe"})}, "Use 'hide' or 'show'"),
        ({"Meta": type("Meta", (), {"public": {"a": 1}})}, "is not a Q"),
        (
            {"Meta": type("Meta", (), {"unique_together": []})},
            r"unknown option 'unique_together'\. Say constraints = \[",
        ),
        ({"Meta": type("Meta", (), {"ordering": "-a"})}, r"ordering = '-a' is one text, and no list\. Write \['-a'\]"),
        ({"save": models.IntegerField()}, "a field cannot be called 'save', for that is what models have themselves"),
        ({"a": models.CharField(max_length=3, choices="abc")}, "choices = 'abc' are no pairs of a value and its label"),
        ({"a": models.IntegerField(validators=["even"])}, "validators has 'even', which is no function"),
        ({"a": models.ForeignKey("B", on_delete="CASCADE")}, "on_delete = 'CASCADE' is no rule"),
        ({"related": models.Similar("tags")}, r"Similar\('tags'\) needs a many-to-many field"),
    ],
)
def test_a_declaration_that_cannot_stand_is_refused(namespace: dict[str, Any], told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        declare("Wrong", **namespace)


def test_every_problem_with_relations_is_reported_with_the_nearest_name() -> None:
    author = declare("Author")
    story = declare(
        "Story",
        author=models.ForeignKey("Auther", on_delete=models.CASCADE),
        tags=models.ManyToManyField("Tag"),
    )
    first, second = problems_of(author, story)
    assert first.startswith(
        "town.Story.author refers to 'Auther', which is no model of this site. Did you mean 'town.Author'"
    )
    assert "town.Story.tags refers to 'Tag'" in second


def test_a_field_of_a_class_that_is_no_model_is_refused() -> None:
    class Named:
        name = models.CharField(max_length=9)

    told = (
        "Story inherits the field 'name' from Named, which is no model. Let Named inherit from models.Model, with abs"
    )
    with pytest.raises(DeclarationError, match=told):

        class Story(Named, models.Model):
            pass


def test_a_model_is_no_dataclass_and_has_its_key_once() -> None:
    with pytest.raises(DeclarationError, match=r"Note is made a dataclass, whose __init__ would .* Remove @dataclass"):

        @dataclass
        class Note(models.Model):
            text = models.TextField()

    class Letter(models.Model):
        text = models.TextField()

    with pytest.raises(FieldError, match=r"Letter: 'pk' was given by another name, too\. Give one of the two"):
        Letter(pk=1, id=2)


def test_a_question_about_what_python_computes_says_so() -> None:
    story = declare("Story", name=models.CharField(max_length=9), shout=property(lambda row: row.name.upper()))
    with pytest.raises(
        FieldError, match=r"Story has no field 'shout'\. Python computes it, and the database knows fields"
    ):
        story._meta.get_field("shout")


def test_a_relation_to_an_abstract_model_is_refused() -> None:
    base = declare("Base", Meta=type("Meta", (), {"abstract": True}))
    story = declare("Story", base=models.ForeignKey(base, on_delete=models.CASCADE))
    told = "town.Story.base refers to Base, which is abstract: it has no rows. Name a model that inherits from it."
    assert problems_of(story) == [told]


def test_relations_that_share_a_name_on_the_other_side_are_refused() -> None:
    author = declare("Author")
    story = declare(
        "Story",
        writer=models.ForeignKey(author, on_delete=models.CASCADE, related_name="stories"),
        editor=models.ForeignKey(author, on_delete=models.CASCADE, related_name="stories"),
    )
    (problem,) = problems_of(author, story)
    assert problem == (
        "town.Story.editor: Author already has Story.writer under 'stories'. Give it a related_name of its own."
    )


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({"ordering": ["-nmae"]}, "town.Story.Meta.ordering: Story has no field 'nmae'. Did you mean 'name'?"),
        ({"ordering": ["author__nmae"]}, "town.Story.Meta.ordering: Author has no field 'nmae'. Did you mean 'name'?"),
        ({"public": Q(statsu="live")}, "town.Story.Meta.public: Story has no field 'statsu'"),
        ({"public": Q(author__visibel=True)}, "town.Story.Meta.public: Author has no field 'visibel'"),
        (
            {"public": Q(name__strtswith="A")},
            "Story.name__strtswith: there is no lookup 'strtswith'. Did you mean 'startswith'",
        ),
        (
            {"public": Q(author__name__contians="A")},
            "town.Story.Meta.public: Author.name__contians: there is no lookup 'contians'. Did you mean 'contains'",
        ),
        ({"ordering": ["name__lowr"]}, "town.Story.Meta.ordering: Story.name__lowr: there is no lookup 'lowr'"),
        ({"untranslated": "hide"}, "untranslated = 'hide', but no field is translated"),
        ({"indexes": [models.Index(fields=["-nmae"], name="x")]}, "town.Story.Meta.indexes: Story has no field 'nmae'"),
        (
            {"constraints": [models.UniqueConstraint(fields=["nmae"], name="x")]},
            "town.Story.Meta.constraints: Story has no field 'nmae'",
        ),
    ],
)
def test_names_in_meta_are_followed(meta: dict[str, Any], told: str) -> None:
    author = declare("Author", name=models.CharField(max_length=9))
    story = declare(
        "Story",
        name=models.CharField(max_length=9),
        author=models.ForeignKey(author, on_delete=models.CASCADE),
        Meta=type("Meta", (), meta),
    )
    (problem,) = problems_of(author, story)
    assert told in problem


@pytest.mark.parametrize("limit", [{"nme": "Ann"}, Q(nme="Ann") | Q(name="Bob")])
def test_what_limits_a_choice_names_fields_of_the_other_side(limit: Any) -> None:
    author = declare("Author", name=models.CharField(max_length=9))
    story = declare("Story", author=models.ForeignKey(author, on_delete=models.CASCADE, limit_choices_to=limit))
    (problem,) = resolve_models({"a": [author, story]})[1]
    assert "a.Story.author: limit_choices_to: Author has no field 'nme'. Did you mean 'name'" in str(problem)


def test_names_in_meta_that_are_lookups_pass() -> None:
    author = declare("Author", name=models.CharField(max_length=9))
    story = declare(
        "Story",
        author=models.ForeignKey(author, on_delete=models.CASCADE, null=True),
        Meta=type(
            "Meta", (), {"public": Q(author__name__startswith="A") & Q(author__isnull=False), "ordering": ["author"]}
        ),
    )
    assert problems_of(author, story) == []


def test_constraints_are_written_with_their_values(m: Any) -> None:
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable

    from toolkit.models.schema import Schema

    event = declare(
        "Event",
        name=models.CharField(max_length=9),
        starts=models.IntegerField(),
        ends=models.IntegerField(null=True),
        Meta=type(
            "Meta",
            (),
            {
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(ends__gte=models.F("starts")) | Q(ends__isnull=True), name="in_order"
                    ),
                    models.UniqueConstraint(fields=["name", "starts"], name="once"),
                    models.UniqueConstraint(
                        fields=["name"], name="open_once", condition=Q(ends=None) & ~Q(name="it's")
                    ),
                ],
                "indexes": [models.Index(fields=["-starts"], name="newest")],
            },
        ),
    )
    found, problems = resolve_models({"town": [event]})
    assert not problems
    (table,) = Schema(found, "sqlite").metadata.sorted_tables
    sql = " ".join(str(CreateTable(table).compile(dialect=sqlite.dialect())).split())
    assert "CONSTRAINT in_order CHECK (ends >= starts OR ends IS NULL)" in sql
    assert "CONSTRAINT once UNIQUE (name, starts)" in sql
    indexes = sorted(" ".join(str(CreateIndex(i).compile(dialect=sqlite.dialect())).split()) for i in table.indexes)
    assert indexes == [
        "CREATE INDEX newest ON town_event (starts DESC)",
        "CREATE UNIQUE INDEX open_once ON town_event (name) WHERE ends IS NULL AND name != 'it''s'",
    ]


def test_two_sites_may_share_the_same_models(m: Any) -> None:
    again, problems = resolve_models({"news": [m.Section, m.Author, m.Tag]})
    assert problems == []
    assert m.Story._meta.translation in m.MODELS
    assert m.Section._meta.translation in again


def test_names_that_a_database_would_cut_or_take_for_one_are_refused() -> None:
    """PostgreSQL cuts names without a word: two models whose names begin alike would share a table."""

    def told(**options: Any) -> list[str]:
        class Page(models.Model):
            title = models.CharField(max_length=9, db_column=options.pop("column", None))
            Title = models.CharField(max_length=9, db_column=options.pop("other", "second"))

            class Meta:
                db_table = options.pop("table", None)
                managed = options.pop("managed", True)

        return [str(problem) for problem in resolve_models({"news": [Page]})[1]]

    assert told() == told(column="é" * 31, table="é" * 31) == []
    assert "news.Page: the name 'éé" in told(table="é" * 32)[0]
    assert "is longer than databases keep, 63 bytes. Give it a shorter Meta.db_table." in told(table="é" * 32)[0]
    assert "Give it a shorter db_column." in told(column="x" * 64)[0]
    (equal,) = told(other="TITLE")
    assert "test_declarations.py:" in equal and equal.endswith(
        "news.Page.title and news.Page.Title have the columns 'title' and 'TITLE', which most databases take for one. "
        "Give one another db_column."
    )
    assert told(other="TITLE", table="x" * 64, managed=False) == []


# what code that knows no model by name can ask


def test_a_model_tells_its_fields_and_the_relations_to_it(m: Any) -> None:
    meta = m.Author._meta
    assert (meta.label_lower, meta.db_table) == ("news.author", "news_author")
    assert list(meta.concrete_fields) == list(meta.fields)
    every = {field.name: field for field in meta.get_fields()}
    assert list(every) == ["id", "name", "slug", "profile", "edited", "stories", "bylines"]
    assert [relation.name for relation in meta.related_objects] == ["profile", "edited", "stories", "bylines"]
    assert [each.get_accessor_name() for each in meta.related_objects] == ["profile", "edited", "stories", "bylines"]
    assert {name for name, field in every.items() if field.one_to_many} == {"edited", "bylines"}
    assert {name for name, field in every.items() if field.many_to_many} == {"stories"}
    assert {name for name, field in every.items() if field.one_to_one} == {"profile"}
    assert every["bylines"].related_model is m.Byline
    own = [field.name for field in meta.get_fields() if field.concrete and not field.auto_created]
    assert own == ["id", "name", "slug"]
    assert [field.name for field in meta.get_fields() if field.auto_created and not field.concrete] == list(every)[3:]
    assert (m.Byline._meta.auto_created, m.Story.tags.through._meta.auto_created) == (False, True)


def test_a_field_tells_what_it_refers_to(m: Any, newsroom: Any) -> None:
    story, fields = newsroom.stories[0], {field.name: field for field in m.Story._meta.get_fields()}
    kinds = ("many_to_one", "one_to_one", "many_to_many", "one_to_many")
    assert {name: [kind for kind in kinds if getattr(fields[name], kind)] for name in ("title", "section", "tags")} == {
        "title": [],
        "section": ["many_to_one"],
        "tags": ["many_to_many"],
    }
    profile = m.Profile._meta.get_field("author")
    assert (profile.one_to_one, profile.many_to_one) == (True, False)
    assert [fields[name].related_model for name in ("title", "section", "tags")] == [None, m.Section, m.Tag]
    assert fields["section"].value_from_object(story) == story.section_id
    assert fields["tags"].value_from_object(story) == list(story.tags.all())
    assert fields["tags"].value_from_object(m.Story()) == []
    assert fields["status"].flatchoices == [("draft", "Draft"), ("live", "Live")] and fields["title"].flatchoices == []
    assert (fields["status"].has_default(), fields["title"].has_default()) == (True, False)


def test_choices_may_be_in_groups() -> None:
    given = [("Good", [(1, "One"), (2, "Two")]), (3, "Three")]
    rating = declare("Review", rating=models.IntegerField(choices=given))._meta.get_field("rating")
    assert rating.choices == given
    assert rating.flatchoices == [(1, "One"), (2, "Two"), (3, "Three")]
    assert rating.clean(2) == 2 and rating.display(3) == "Three"
    with pytest.raises(ValidationError, match="4 is not one of the choices"):
        rating.clean(4)


def test_a_copy_of_a_field_has_no_default_either() -> None:
    copied = copy.deepcopy(models.IntegerField())
    assert copied.default is copied.db_default is models.IntegerField().default
