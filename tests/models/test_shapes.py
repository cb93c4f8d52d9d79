"""Compiled questions: how lists of keys stand in their text."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from toolkit.models.scopes import find_shape
from toolkit.models.shapes import CONSTANT, KEYS, KEYS_MARK, SLOT, Bind, Statement, make_binder
from toolkit.models.sqltext import narrowed
from toolkit.trace import READER, Scope, entered

PLAN = [Bind(KEYS)]


def test_lists_of_keys_are_as_long_as_a_power_of_two() -> None:
    statement = Statement(f"SELECT name FROM tag WHERE id IN ({KEYS_MARK})", PLAN, "?")
    assert statement.for_keys([3, 5, 8]) == ("SELECT name FROM tag WHERE id IN (?, ?, ?, ?)", [3, 5, 8, 8])
    assert statement.for_keys([3]) == ("SELECT name FROM tag WHERE id IN (?)", [3])


def test_whole_numbers_are_one_value_where_a_database_has_lists() -> None:
    statement = Statement(f"SELECT name FROM tag WHERE id IN ({KEYS_MARK})", PLAN, "%s", 1, "%s::bigint[]")
    assert statement.for_keys([3, -5, 8]) == ("SELECT name FROM tag WHERE id = ANY (%s::bigint[])", ["{3,-5,8}"])


def test_other_keys_are_values_of_their_own_everywhere() -> None:
    statement = Statement(f"SELECT name FROM tag WHERE slug IN ({KEYS_MARK})", PLAN, "%s", 1, "%s::bigint[]")
    assert statement.for_keys(["sea", "},{"]) == ("SELECT name FROM tag WHERE slug IN (%s, %s)", ["sea", "},{"])


def test_keys_of_several_columns_are_rows() -> None:
    statement = Statement(f"SELECT 1 FROM page WHERE (book, n) IN ({KEYS_MARK})", PLAN, "%s", 2, "%s::bigint[]")
    text, given = statement.for_keys([(1, 2), (1, 3), (2, 1)])
    assert text == "SELECT 1 FROM page WHERE (book, n) IN ((%s, %s), (%s, %s), (%s, %s), (%s, %s))"
    assert given == [1, 2, 1, 3, 2, 1, 2, 1]


def test_what_a_reader_may_see_is_worked_out_once_for_a_list_and_its_trace(scope: Scope, m: SimpleNamespace) -> None:
    with entered(m.look(scope.database, READER)) as reader:
        shape = find_shape(reader, m.Story.objects.filter(weight=3)._query("instances")[0])
    assert shape.statement.sql != shape.identity.sql
    assert "moment" in [bind.source for bind in shape.statement.plan]
    assert shape.statement.plan is shape.identity.plan


@pytest.mark.parametrize("asked", ["plain", "along", "sliced", "locked"])
def test_what_names_the_rows_is_the_same_select_of_fewer_columns(scope: Scope, m: SimpleNamespace, asked: str) -> None:
    questions = {
        "plain": m.Story.objects.filter(weight=3, section__slug="sea"),
        "along": m.Story.objects.select_related("section").order_by("section__slug"),
        "sliced": m.Story.objects.order_by("slug")[3:8],
        "locked": m.Story.objects.select_for_update().order_by("slug"),
    }
    shape = find_shape(scope, questions[asked]._query("instances")[0])
    (named, _, same), (every, _, rest) = (s.sql.partition(" \nFROM ") for s in (shape.identity, shape.statement))
    assert (named, same) == ("SELECT news_story.id", rest.removesuffix(" FOR UPDATE"))
    assert every.startswith("SELECT news_story.id, news_story.title, ")


def test_columns_are_chosen_in_the_text_where_all_are_plain() -> None:
    rest = "town LEFT OUTER JOIN b ON (1, 2) = (b.x, b.y) \nWHERE (SELECT 1 \nFROM b) ORDER BY town.name"
    text = f"SELECT town.id, town.`name`, b.y \nFROM {rest}"
    assert narrowed(text, 3, [0]) == f"SELECT town.id \nFROM {rest}"
    assert narrowed(text, 3, [2, 0]) == f"SELECT b.y, town.id \nFROM {rest}"


@pytest.mark.parametrize(
    ("columns", "count"),
    [
        ("DISTINCT town.id, town.name", 2),
        ("TOP 3 town.id, town.name", 2),
        ("town.id, town.id AS id_1", 2),
        ("town.id, lower(town.name)", 2),
        ("town.id, coalesce(town.name, town.slug)", 2),
        ("town.id, 'a, b'", 2),
        ('town.id, town."a, b"', 2),
    ],
)
def test_others_are_compiled(columns: str, count: int) -> None:
    assert narrowed(f"SELECT {columns} \nFROM town", count, [0]) is None


def test_statements_that_bind_alike_share_the_code_that_does() -> None:
    plan = [Bind(CONSTANT, "live"), Bind(SLOT, 0)]
    live, one = make_binder(plan), make_binder([Bind(CONSTANT, 1), Bind(SLOT, 0)])
    assert (live([3], None, []), one([3], None, [])) == (["live", 3], [1, 3])
    assert live.__code__ is one.__code__
