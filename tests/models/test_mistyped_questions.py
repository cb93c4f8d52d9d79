"""What a mistyped name, or a thing of another kind, is answered with: where it is, and the nearest that there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.errors import FieldError, ImpossibleValue, ToolkitError, ValidationError
from toolkit.models import (
    Count,
    F,
    IntegerField,
    Now,
    OuterRef,
    Prefetch,
    Q,
    Rank,
    RawSQL,
    Subquery,
    Sum,
    Value,
    Window,
    prefetch_related_objects,
)

SLIPS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an annotation, in filter": (
        lambda m: m.Story.objects.annotate(total=Value(1)).filter(totl=1),
        "Story has no field 'totl'. Did you mean 'total' or 'title'?",
    ),
    "an annotation, in order_by": (
        lambda m: m.Story.objects.annotate(total=Value(1)).order_by("-totl"),
        "Story has no field 'totl'. Did you mean 'total' or 'title'?",
    ),
    "an annotation, in values": (
        lambda m: m.Story.objects.annotate(total=Value(1)).values("totl"),
        "Story has no field 'totl'. Did you mean 'total' or 'title'?",
    ),
    "an annotation, in F": (
        lambda m: m.Story.objects.annotate(total=Value(1)).annotate(more=F("totl") + 1),
        "Story has no field 'totl'. Did you mean 'total' or 'title'?",
    ),
    "an order along a relation": (
        lambda m: m.Story.objects.order_by("-section__nam"),
        "Section has no field 'nam' (in Story.section__nam). Did you mean 'name'?",
    ),
    "values along a relation": (
        lambda m: m.Story.objects.values("section__positon"),
        "Section has no field 'positon' (in Story.section__positon). Did you mean 'position'?",
    ),
    "values across a relation": (
        lambda m: m.Section.objects.values("stories__wieght"),
        "Story has no field 'wieght' (in Section.stories__wieght). Did you mean 'weight'",
    ),
    "a lookup in an order": (lambda m: m.Story.objects.order_by("title__contains"), "'contains' is not a field"),
    "a lookup of text behind a reference": (
        lambda m: m.Story.objects.filter(section__contains="sea"),
        "Story.section__contains: 'contains' is for text, and this leads to rows of Section. Name a field of Section",
    ),
    "a lookup of text behind a reference to this row": (
        lambda m: m.Author.objects.filter(profile__istartswith="sea"),
        "'istartswith' is for text, and this leads to rows of Profile. Name a field of Profile in front of it.",
    ),
    "a lookup of text behind many": (
        lambda m: m.Story.objects.filter(tags__icontains="sea"),
        "Tag has no field 'icontains'. There is: id, name, pk, slug, stories.",
    ),
    "F along a relation": (
        lambda m: m.Story.objects.annotate(x=F("section__nmae")),
        "Section has no field 'nmae' (in Story.section__nmae). Did you mean 'name'?",
    ),
    "an order by F along a relation": (
        lambda m: m.Story.objects.order_by(F("editor__nmae").desc()),
        "Author has no field 'nmae' (in Story.editor__nmae). Did you mean 'name'?",
    ),
    "an aggregate along a relation": (
        lambda m: m.Story.objects.annotate(x=Sum("section__positoin")),
        "Section has no field 'positoin' (in Story.section__positoin). Did you mean 'position'?",
    ),
    "a list of names among values": (
        lambda m: m.Story.objects.values_list(["title"]),
        "values_list() takes names and expressions, not ['title']. Such as \"title\".",
    ),
    "a relation to prefetch": (
        lambda m: m.Section.objects.prefetch_related("storis"),
        "prefetch_related('storis'): Section has no such relation. Did you mean 'stories'?",
    ),
    "objects of another model, to prefetch": (
        lambda m: m.Section.objects.prefetch_related(Prefetch("stories", queryset=m.Tag.objects.all())),
        "Prefetch('stories') leads to Story objects, and its queryset is of Tag objects",
    ),
    "a name in a total": (
        lambda m: [m.Story.objects.aggregate(x=F("section__nmae") + Sum("weight"))],
        "Section has no field 'nmae' (in Story.section__nmae). Did you mean 'name'?",
    ),
    "a total in another": (
        lambda m: [m.Story.objects.aggregate(total=Sum("weight"), x=F("totl") * 2)],
        "Story has no field 'totl'. Did you mean 'total' or 'title'?",
    ),
    "a total that is named later": (
        lambda m: [m.Story.objects.aggregate(x=F("total") * 2, total=Sum("weight"))],
        "Story: aggregate(x=...) speaks of 'total', which is named behind it. Name it first.",
    ),
    "dates of a field": (
        lambda m: m.Story.objects.dates("publishd", "month"),
        "Story has no field 'publishd'. Did you mean 'published'?",
    ),
    "dates along a relation": (
        lambda m: m.Story.objects.dates("section__nmae", "month"),
        "Section has no field 'nmae' (in Story.section__nmae). Did you mean 'name'?",
    ),
    "a name that is near none": (
        lambda m: m.Everything.objects.filter(zzzz=1),
        "Everything has no field 'zzzz'. There is: address, big, binary, boolean, char, date,",
    ),
    "a name near none along a relation": (
        lambda m: m.Comment.objects.filter(story__zzzz=1),
        "Story has no field 'zzzz' (in 'Comment.story__zzzz'). There is: authors, bylines, comments, editor,",
    ),
    "a field behind a key": (
        lambda m: m.Story.objects.filter(section_id__name="x"),
        "Story.section_id__name: 'section_id' is a key, which has no fields. Write section__name.",
    ),
    "the order by a field behind a key": (
        lambda m: m.Story.objects.order_by("section_id__name"),
        "Story.section_id__name: 'section_id' is a key, which has no fields. Write section__name.",
    ),
    "a method that was not called, in a text": (
        lambda m: m.Story.objects.filter(title__contains=m.Story.delete),
        "is not text that can be searched for",
    ),
    "a lookup near none": (
        lambda m: m.Story.objects.filter(title__zzzz=1),
        "Story.title__zzzz: there is no lookup 'zzzz'. There is: contains, endswith, exact,",
    ),
    "objects of another model, on the right": (
        lambda m: m.Story.objects.filter(section__in=m.Author.objects.all()),
        "Story.section is of Section objects, and a queryset of Author objects stands for others. Name in values()",
    ),
    "objects of another model, across many": (
        lambda m: m.Story.objects.filter(tags__in=m.Author.objects.all()[:2]),
        "Tag.id is of Tag objects, and a queryset of Author objects stands for others",
    ),
    "objects of another model, as keys": (
        lambda m: m.Story.objects.filter(pk__in=m.Author.objects.all()),
        "Story.id is of Story objects, and a queryset of Author objects stands for others",
    ),
    "the first object of another model": (
        lambda m: m.Story.objects.filter(section=m.Author.objects.all()[:1]),
        "Story.section is of Section objects, and a queryset of Author objects stands for others",
    ),
    "a Subquery of another model": (
        lambda m: m.Story.objects.filter(section=Subquery(m.Author.objects.all()[:1])),
        "Story.section is of Section objects, and a queryset of Author objects stands for others",
    ),
}


FORMS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a value for parameters": (lambda m: m.Story.objects.raw(RAW, 1), "was given 1, which is neither a list of"),
    "a text for parameters": (lambda m: m.Story.objects.raw(RAW, "7"), "was given '7', which is neither a list of"),
    "a list of translations": (lambda m: m.Story.objects.raw(RAW, [1], ["id"]), "raw(translations=['id']): that gives"),
    "no SQL": (lambda m: m.Story.objects.raw(None), "raw() of Story takes a text of SQL, not None"),
    "a comparison of Python's": (
        lambda m: m.Story.objects.filter(F("weight") > 5),
        "F('weight') cannot be compared with 5 by Python: the database compares. Write filter(weight__gt=5), or Q(",
    ),
    "a text of defaults": (
        lambda m: m.Tag.objects.get_or_create(slug="a", defaults="x"),
        "get_or_create(defaults='x'): that gives no names their values. Write defaults={\"name\": value}.",
    ),
    "a list of defaults": (
        lambda m: m.Tag.objects.update_or_create(slug="a", defaults=[1]),
        "update_or_create(defaults=[1]): that gives no names",
    ),
    "a list of defaults of new rows": (
        lambda m: m.Section(pk=1).stories.update_or_create(slug="a", create_defaults=[1]),
        "update_or_create(create_defaults=[1]): that gives no names",
    ),
    "a list of defaults between": (
        lambda m: m.Story(pk=1).authors.add(1, through_defaults=[1]),
        "add(through_defaults=[1]): that gives no names",
    ),
    "one row to create": (
        lambda m: m.Tag.objects.bulk_create(m.Tag()),
        "bulk_create(rows=<Tag None>): that is no list. Put it in brackets, which makes a list of one.",
    ),
    "one partner to create": (
        lambda m: m.Section(pk=1).stories.bulk_create(m.Story()),
        "bulk_create(rows=<Story None>): that is no list",
    ),
    "one row to update": (
        lambda m: m.Story.objects.bulk_update(m.Story(), "title"),
        "bulk_update(rows=<Story None>): that is no list",
    ),
    "one field to update": (
        lambda m: m.Story.objects.bulk_update([], "title"),
        "bulk_update(fields='title'): that is one text. Write ['title'].",
    ),
    "fields that are no names": (lambda m: m.Story.objects.bulk_update([], [1]), "Story.1 is no column. There is: "),
    "a size that is none": (lambda m: m.Tag.objects.bulk_create([m.Tag()], batch_size="x"), "batch_size = 'x' must be"),
    "one key": (lambda m: m.Story.objects.in_bulk(1), "in_bulk(keys=1): that is no list"),
    "one key that is text": (
        lambda m: m.Tag.objects.in_bulk("tag-1", field_name="slug"),
        "in_bulk(keys='tag-1'): that is one text. Write ['tag-1'].",
    ),
    "values between where nothing is": (
        lambda m: m.Section(pk=1).stories.add(1, through_defaults={"position": 1}),
        "through_defaults is for a table between, and Story.section needs none. Set the fields of Story itself.",
    ),
    "values between for a new row": (
        lambda m: m.Section(pk=1).stories.create(slug="a", through_defaults={"position": 1}),
        "stories: through_defaults is for a table between",
    ),
    "one row to prefetch for": (
        lambda m: prefetch_related_objects(m.Story(pk=1), "tags"),
        "prefetch_related_objects(instances=<Story 1>): that is no list",
    ),
    "one partner": (lambda m: m.Story(pk=1).tags.set(m.Tag(pk=2)), "set(partners=<Tag 2>): that is no list"),
    "a list of partners": (
        lambda m: m.Story(pk=1).tags.add([m.Tag(pk=2)]),
        "tags takes objects or keys, not [<Tag 2>]. Put * before it",
    ),
    "a queryset of partners": (
        lambda m: m.Story(pk=1).tags.remove(m.Tag.objects.all()),
        "tags takes objects or keys, not <QuerySet of Tag>. Put * before it",
    ),
    "a field left out of checks": (
        lambda m: m.Story().full_clean(exclude="title"),
        "full_clean(exclude='title'): that is one text. Write ['title'].",
    ),
    "a field to refresh": (lambda m: m.Story(pk=1).refresh_from_db(1), "refresh_from_db(fields=1): that is no list"),
    "a field to save": (lambda m: m.Story(pk=1).save(update_fields=1), "save(update_fields=1): that is no list"),
    "a pair for a condition": (
        lambda m: m.Story.objects.filter(("weight__gt", 2)),
        "not ('weight__gt', 2). Write weight__gt=2, or **{name: value} where the name is not known before.",
    ),
    "a pair for a Q": (lambda m: Q(weight=1) | ("weight", 2), "not ('weight', 2). Write weight=2, or"),
    "a class for an expression": (
        lambda m: m.Story.objects.annotate(x=Count),
        "Count is a class, and no expression. Write Count(...).",
    ),
    "a class in an expression": (
        lambda m: m.Story.objects.filter(published__lt=F("published") - Now),
        "Now is a class, and no expression. Write Now(...).",
    ),
    "a class over a window": (lambda m: Window(Rank), "Rank is a class, and no expression. Write Rank(...)."),
    "a class for a field": (
        lambda m: m.Story.objects.annotate(x=Value(1, output_field=IntegerField)),
        "is no field. Write IntegerField().",
    ),
    "a text for an annotation": (
        lambda m: m.Story.objects.annotate(x="title"),
        "x='title' is not an expression. For a constant, write x=Value('title'); for a field, x=F('title').",
    ),
    "a number for a field": (lambda m: m.Story.objects.order_by(F(5)), "F(5): a field is named by a text."),
    "a number for a field around": (lambda m: OuterRef(5), "OuterRef(5): a field is named by a text."),
    "a row for a value": (lambda m: Value(m.Tag(pk=2)), "Value(<Tag 2>): a row is no value. Give its pk."),
    "lookups for what is counted": (
        lambda m: m.Section.objects.annotate(x=Count("stories", filter={"weight": 1})),
        "not {'weight': 1}. Put ** before it.",
    ),
    "a comparison that Python made": (
        lambda m: m.Story.objects.filter(F("weight") == 2),
        "not False. Python compared it, not the database. Write name=value",
    ),
    "a value for those of SQL": (
        lambda m: RawSQL("1 + %s", "5"),
        "RawSQL('1 + %s'): params='5' is no list. Write ['5']",
    ),
    "bounds that are no numbers": (
        lambda m: m.Story.objects.all()[1.5:],
        "a queryset is sliced by whole numbers, not by 1.5",
    ),
    "chunks of no number": (lambda m: m.Story.objects.iterator("a"), "iterator(chunk_size='a'): a chunk has at least"),
    "a text of what is locked": (
        lambda m: m.Story.objects.select_for_update(of="self"),
        "select_for_update(of='self'): that is one text. Write ['self'].",
    ),
    "no queryset to prefetch": (lambda m: Prefetch("tags", "x"), "Prefetch('tags'): 'x' is no queryset."),
    "several values for one": (
        lambda m: m.Story.objects.filter(weight=[1, 2]),
        "[1, 2] is not a whole number. For any of several values, put __in behind the name.",
    ),
    "a lookup that others have": (
        lambda m: m.Story.objects.filter(editor__ne=None),
        "Story.editor__ne: there is no lookup 'ne'. Use exclude(), or ~Q(...) beside other conditions.",
    ),
    "lookups in a mapping": (lambda m: m.Story.objects.exclude({"weight": 2}), "not {'weight': 2}. Put ** before it."),
}
"""One thing in place of a list, and other forms."""

RAW = "SELECT id FROM news_story WHERE weight > %s"


@pytest.mark.parametrize("slip", FORMS)
def test_what_has_another_form_is_told(m: Any, scope: Any, slip: str) -> None:
    ask, told = FORMS[slip]
    with pytest.raises(ToolkitError, match=re.escape(told)):
        list(ask(m))
    assert scope.database.transaction is None


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_before_the_database_is_asked(m: Any, newsroom: Any, slip: str) -> None:
    ask, told = SLIPS[slip]
    with newsroom.database.counted() as queries, pytest.raises(FieldError, match=re.escape(told)):
        list(ask(m))
    assert len(queries) == int("prefetch" in slip)  # whose relations are those of the rows that were found


@pytest.mark.parametrize("method", ["select_related", "prefetch_related", "only", "defer", "distinct", "values"])
def test_what_is_no_name_is_told_at_once(m: Any, method: str) -> None:
    with pytest.raises(FieldError, match=rf"{method}\(\) takes names, not 5"):
        getattr(m.Story.objects, method)(5)


def test_an_attribute_to_prefetch_into_has_a_name(m: Any) -> None:
    with pytest.raises(FieldError, match="to_attr='1st' cannot be the name of an attribute"):
        Prefetch("stories", to_attr="1st")


def test_keys_that_are_none_name_the_relation(m: Any, newsroom: Any) -> None:
    with pytest.raises(ValidationError, match=r"^tags: 'sea' is not a whole number"):
        newsroom.stories[0].tags.add("sea")
    with pytest.raises(ImpossibleValue, match=r"Story\.published__year cannot be compared: 'now' is"):
        list(m.Story.objects.filter(published__year="now"))


def test_querysets_of_the_models_that_are_meant_stand_for_their_rows(m: Any, newsroom: Any) -> None:
    first = m.Section.objects.filter(slug="section-0")
    assert m.Story.objects.filter(section__in=first).count() == 7
    assert m.Section.objects.filter(pk__in=first, stories__in=m.Story.objects.all()).count() == 1
    assert m.Story.objects.filter(pk__in=m.Byline.objects.values("story")).count() == 20
    totals = m.Section.objects.annotate(n=Count("stories")).aggregate(Sum("n"))
    assert totals == {"n__sum": 20}


def test_a_wrong_call_is_told_with_what_to_write(m: Any, newsroom: Any) -> None:
    """Of questions that pages ask all the time Python tells itself, by the class that people know."""
    stories, (story, *_) = m.Story.objects, newsroom.stories
    for call, told in (
        (lambda: stories.create({"title": "a"}), "create(**values) cannot be called as create({'title': 'a'}). Give"),
        (lambda: stories.filter(pk=1).update("x"), "update(**values) cannot be called as update('x'). Give values by"),
        (
            lambda: stories.bulk_create([story], 100),
            "100). Options have names: bulk_create(stories, batch_size=500).",
        ),
        (lambda: stories.delete(pk=5), "delete() cannot be called as delete(pk=5). Say which rows first"),
        (lambda: stories.bulk_update([]), "bulk_update(rows, fields, *, batch_size=None) cannot be called"),
        (lambda: story.tags.clear(5), "clear(*, bulk=True) cannot be called as clear(5). It takes all away; remove"),
        (lambda: stories.select_for_update("of"), "Options have names: select_for_update(nowait=True)."),
        (
            lambda: m.Tag.objects.get_or_create({"slug": "a"}),
            "get_or_create({'slug': 'a'}) does not say which row it is. Give",
        ),
        (lambda: stories.aupdate_or_create({"slug": "a"}), "aupdate_or_create({'slug': 'a'}) does not say which row"),
        (lambda: stories.acreate({"title": "a"}), "acreate({'title': 'a'}). Give values by name: create("),
        (lambda: stories.annotate(Count), "needs a name. Write annotate(name=Count(...))."),
    ):
        with pytest.raises(FieldError, match=re.escape(told)):
            call()
    with pytest.raises(TypeError, match=r"^QuerySet\.count\(\) takes 1 positional argument but 2 were given"):
        stories.count("title")
    with pytest.raises(TypeError, match=r"^QuerySet\.get_by_natural_key\(\) got an unexpected keyword argument 'slug'"):
        stories.get_by_natural_key(slug="a")  # of the class that a set of partners has it from
    with pytest.raises(TypeError, match="'sve' is an invalid keyword argument"):  # of what is called inside
        stories.create(title="a", section=newsroom.sections[0], **{"status": Wrong()})
    with pytest.raises(AttributeError, match=r"'Story' has no attribute 'filter'; write Story\.objects\.filter"):
        m.Story.filter(title="a")
    for name, told in (("title", r"Write get\(\)\.title of one, or values_list"), ("sort", r"'sort'\. Write order_by")):
        with pytest.raises(AttributeError, match=told):
            getattr(stories.all(), name)
    assert not hasattr(m.Story, "surely_not")


class Wrong:
    """A value whose reading has a mistake of its own."""

    def __str__(self) -> str:
        return str(print("", sve=1))  # type: ignore[call-overload]  # that is the mistake
