"""How large a question may be: what a database does not take, or plans for hours, is refused before it is asked."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

import pytest

from toolkit.errors import DatabaseError, FieldError
from toolkit.models import Exists, F, Q, Value


def with_tags(m: Any, count: int) -> Any:
    """Stories that meet so many conditions, each on a tag of its own."""
    return reduce(lambda stories, n: stories.filter(tags__name=f"Tag {n % 2}"), range(count), m.Story.objects)


def test_many_conditions_on_partners_are_planned_in_time(m: Any, newsroom: Any) -> None:
    """MariaDB weighed every order of twenty tables, for more than half an hour."""
    if newsroom.database.dialect == "mysql":
        newsroom.database.execute("SET max_statement_time = 20")
    assert with_tags(m, 15).count() == 4


def test_too_many_conditions_on_partners_are_refused(m: Any, newsroom: Any) -> None:
    with pytest.raises(FieldError, match=r"Story: more than 60 conditions on partners.*pk__in=\[\.\.\.\]"):
        with_tags(m, 61).count()
    found = Exists(m.Tag.objects.all())
    with pytest.raises(FieldError, match="Section: more than 60"):
        reduce(lambda rows, _: rows.filter(found), range(61), m.Section.objects).count()


def test_querysets_are_nested_so_deep_and_no_deeper(m: Any, newsroom: Any) -> None:
    def nested(depth: int) -> Any:
        return reduce(lambda rows, _: m.Section.objects.filter(pk__in=rows), range(depth), m.Section.objects.all())

    assert nested(11).count() == 3
    with pytest.raises(FieldError, match=r"Section: querysets are nested more than (11|40) deep.*values_list\('pk'"):
        nested(41).count()


def test_tables_beyond_those_that_a_database_joins_are_refused(m: Any, newsroom: Any) -> None:
    rows = m.Comment.objects.select_related("__".join(["parent"] * 65))
    if newsroom.database.dialect == "postgresql":
        assert list(rows) == []
        return
    with pytest.raises(FieldError, match=r"Comment: the question is about 66 tables at once, and .* joins 6[14]"):
        list(rows)


def test_thousands_of_conditions_stand_side_by_side(m: Any, newsroom: Any) -> None:
    """SQLite takes a list of a thousand for a tree a thousand levels deep."""
    count = 1010 if newsroom.database.dialect == "sqlite" else 250
    either = reduce(operator.or_, (Q(weight=number) for number in range(count) if number != 3))
    assert m.Story.objects.filter(either).count() == 16
    both = reduce(operator.and_, (~Q(weight=number) for number in range(3, 210)))
    assert m.Story.objects.filter(both).count() == 12
    assert m.Story.objects.filter(weight__in=range(100_000)).count() == 20


def test_what_the_database_finds_too_large_is_told_as_that(m: Any, newsroom: Any) -> None:
    mixed = reduce(lambda q, n: Q(weight=n) | (Q(weight__gt=0) & q), range(60), Q(weight=1))
    if newsroom.database.dialect == "sqlite":
        with pytest.raises(DatabaseError, match=r"larger than the database takes: parser stack overflow.*less deeply"):
            m.Story.objects.filter(mixed).count()
    if newsroom.database.dialect != "mysql":
        with pytest.raises(DatabaseError, match=r"larger than the database takes: t.*fewer columns"):
            newsroom.database.fetch(f"SELECT {', '.join(['1'] * 2100)}")


@pytest.mark.parametrize(
    "ask",
    [
        lambda m, tower, formula: m.Story.objects.filter(tower).update(weight=1),
        lambda m, tower, formula: m.Story.objects.filter(tower).delete(),
        lambda m, tower, formula: m.Story.objects.update(weight=F("weight") + formula),
        lambda m, tower, formula: m.Section.objects.create(name="x", slug="x", position=formula),
        lambda m, tower, formula: m.Section.objects.bulk_create([m.Section(name="x", slug="x", position=formula)]),
        lambda m, tower, formula: list(m.Story.objects.annotate(x=formula)),
    ],
)
def test_what_is_nested_more_deeply_than_python_follows_is_refused(m: Any, newsroom: Any, ask: Any) -> None:
    tower = reduce(lambda below, number: ~(below | Q(weight=number)), range(400), Q(weight=1))
    with pytest.raises(FieldError, match=r"nested too deeply.*in parts, or in Python"):
        ask(m, tower, sum([Value(1)] * 2000, Value(1)))
