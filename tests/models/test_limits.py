"""How large a question may be: what a database does not take, or plans for hours, is refused before it is asked."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any
from uuid import UUID

import pytest

from toolkit.errors import DatabaseError, FieldError
from toolkit.models import Exists, F, Q, Sum, Value


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


def test_more_querysets_than_a_database_combines_are_refused(m: Any, newsroom: Any) -> None:
    rows = m.Story.objects.union(*[m.Story.objects.filter(weight=3)] * 500)
    if newsroom.database.dialect == "sqlite":
        with pytest.raises(FieldError, match=r"Story: union\(\) of 501 querysets, and the database takes 500"):
            list(rows)


def test_thousands_of_conditions_stand_side_by_side(m: Any, newsroom: Any) -> None:
    """SQLite takes a list of a thousand for a tree a thousand levels deep."""
    count = 1010 if newsroom.database.dialect == "sqlite" else 250
    either = reduce(operator.or_, (Q(weight=number) for number in range(count) if number != 3))
    assert m.Story.objects.filter(either).count() == 16
    both = reduce(operator.and_, (~Q(weight=number) for number in range(3, 210)))
    assert m.Story.objects.filter(both).count() == 12
    assert m.Story.objects.filter(weight__in=range(100_000)).count() == 20


def test_a_long_list_is_read_once_and_not_for_each_row(m: Any, newsroom: Any) -> None:
    """MariaDB does so where it can keep the list in a table of its own, with the collation of the column."""
    slugs = ["story-3", "story-3 ", "STORY-4", "story-5" + "x" * 300, "é\N{GRINNING FACE}", *map(str, range(2000))]
    uuids = [UUID(int=number) for number in range(2000)]
    m.Everything.objects.bulk_create([m.Everything(uuid=UUID(int=number)) for number in (1999, 2000)])
    for found, others in (
        (m.Story.objects.filter(slug__in=slugs), m.Story.objects.exclude(slug__in=slugs)),
        (m.Everything.objects.filter(uuid__in=uuids), m.Everything.objects.exclude(uuid__in=uuids)),
    ):
        assert (found.count(), others.count()) == (1, found.model.objects.count() - 1)
        if newsroom.database.dialect == "mysql":
            assert "DEPENDENT" not in found.explain() + others.explain()
    m.Everything.objects.filter(uuid__in=uuids).delete()
    assert m.Everything.objects.get().uuid == UUID(int=2000)


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
        lambda m, tower, formula: list(m.Story.objects.filter(weight=F("weight") + formula)),
        lambda m, tower, formula: m.Story.objects.aggregate(x=Sum(formula)),
    ],
)
def test_what_is_nested_more_deeply_than_python_follows_is_refused(m: Any, newsroom: Any, ask: Any) -> None:
    tower = reduce(lambda below, number: ~(below | Q(weight=number)), range(400), Q(weight=1))
    with pytest.raises(FieldError, match=r"nested too deeply.*in parts, or in Python"):
        ask(m, tower, sum([Value(1)] * 2000, Value(1)))
