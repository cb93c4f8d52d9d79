"""Compiled questions: how lists of keys stand in their text."""

from __future__ import annotations

import operator
from types import SimpleNamespace

from toolkit.models.scopes import find_shape
from toolkit.models.shapes import CONSTANT, KEYS, KEYS_MARK, SLOT, Bind, Statement, make_binder
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
    assert all(map(operator.is_, shape.statement.plan, shape.identity.plan))


def test_statements_that_bind_alike_share_the_code_that_does() -> None:
    plan = [Bind(CONSTANT, "live"), Bind(SLOT, 0)]
    live, one = make_binder(plan), make_binder([Bind(CONSTANT, 1), Bind(SLOT, 0)])
    assert (live([3], None, []), one([3], None, [])) == (["live", 3], [1, 3])
    assert live.__code__ is one.__code__
