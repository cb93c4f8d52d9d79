"""Rows are inserted, and changed, with values that the database computes, and these are read back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from toolkit.errors import FieldError
from toolkit.models import Case, Exists, F, Now, OuterRef, Q, Subquery, Value, When
from toolkit.models.functions import Concat, Lower, Upper
from toolkit.trace import entered


def test_a_row_is_saved_with_expressions_for_values(m: Any, scope: Any) -> None:
    with entered(m.look(scope.database)):
        row = m.Everything(char=Lower(Value("ABC")), integer=Value(2) + 3, instant=Now() - timedelta(hours=1), text="x")
        row.save()
        assert (row.char, row.integer, row.instant, row.text) == ("abc", 5, m.NOON - timedelta(hours=1), "x")
        assert m.Everything.objects.get(char="abc").pk == row.pk
        row.char = Upper("char")
        row.save()
        assert row.char == "ABC"


def test_a_row_with_a_key_of_its_own_is_inserted_or_changed(m: Any, scope: Any) -> None:
    row = m.Everything(pk=77, text=Concat(Value("a"), Value("b")))
    row.save()
    assert (row.pk, row.text) == (77, "ab")
    again = m.Everything(pk=77, text=Concat("text", Value("!")))
    again.save()
    assert again.text == "ab!"


def test_create_and_get_or_create_take_expressions(m: Any, newsroom: Any) -> None:
    heaviest = m.Story.objects.order_by("-weight").values("weight")[:1]
    made = m.Story.objects.create(
        title=Concat(Value("St"), Value("orm")),
        slug="storm",
        section=newsroom.sections[0],
        published=Now(),
        weight=Subquery(heaviest),
    )
    assert (made.title, made.weight) == ("Storm", 4)
    found, created = m.Tag.objects.get_or_create(slug="new", defaults={"name": Upper(Value("new"))})
    assert (found.name, created) == ("NEW", True)


def test_many_rows_are_inserted_with_some_expressions(m: Any, scope: Any) -> None:
    rows = [m.Everything(char="p"), m.Everything(char=Upper(Value("q"))), m.Everything(pk=900, char=Lower(Value("R")))]
    m.Everything.objects.bulk_create(rows)
    assert [row.char for row in rows] == ["p", "Q", "r"]
    assert [row.pk for row in rows] == [m.Everything.objects.get(char=char).pk for char in ("p", "Q", "r")]
    m.Tag.objects.create(slug="a", name="old")
    tags = [m.Tag(slug="a", name=Upper(Value("new"))), m.Tag(slug="b", name="b")]
    m.Tag.objects.bulk_create(tags, update_conflicts=True, update_fields=["name"], unique_fields=["slug"])
    assert dict(m.Tag.objects.values_list("slug", "name")) == {"a": "NEW", "b": "b"}
    m.Tag.objects.bulk_create([m.Tag(slug="a", name=Lower(Value("X")))], ignore_conflicts=True)
    assert m.Tag.objects.get(slug="a").name == "NEW"


def test_nothing_is_made_of_a_row_that_is_not_there_yet(m: Any, scope: Any) -> None:
    for value in (
        F("positive"),
        Case(When(text="x", then=1), default=0),
        Exists(m.Tag.objects.filter(pk=OuterRef("pk"))),
    ):
        with pytest.raises(
            FieldError, match=r"Everything\.integer cannot be made of (positive|text|pk): the row is not"
        ):
            m.Everything(integer=value).save()
        with pytest.raises(FieldError, match="the row is not there yet"):
            m.Everything.objects.bulk_create([m.Everything(integer=1), m.Everything(integer=value)])
    assert not m.Everything.objects.exists()


def test_an_update_takes_conditions_choices_and_questions(m: Any, newsroom: Any) -> None:
    last = m.Story.objects.filter(section=OuterRef("pk")).order_by("-published").values("slug")
    assert m.Section.objects.update(visible=Q(position__gt=0), name=Subquery(last[:1])) == 3
    assert list(m.Section.objects.values_list("visible", "name")) == [
        (False, "story-0"),
        (True, "story-1"),
        (True, "story-2"),
    ]
    m.Section.objects.update(name=m.Tag.objects.order_by("-slug").values("name")[:1], position=F("position") * 2)
    assert set(m.Section.objects.values_list("name", "position")) == {("Tag 4", 0), ("Tag 4", 2), ("Tag 4", 4)}
    with entered(m.look(newsroom.database)):
        m.Story.objects.filter(slug="story-3").update(expires=Now() + timedelta(days=1))
        assert m.Story.objects.get(slug="story-3").expires == m.NOON + timedelta(days=1)
