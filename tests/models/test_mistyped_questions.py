"""What a mistyped name, or a thing of another kind, is answered with: where it is, and the nearest that there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.errors import FieldError, ImpossibleValue, ValidationError
from toolkit.models import Count, F, Prefetch, Subquery, Sum, Value

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
