"""Compiled questions: how lists of keys stand in their text."""

from __future__ import annotations

from toolkit.models.shapes import KEYS, KEYS_MARK, Bind, Statement

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
