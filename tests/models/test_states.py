"""The state of whole tables: what changed since, column by column."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from toolkit.database import install_tokens
from toolkit.models.states import TableState, capture, crossed
from toolkit.trace import Scope

TABLES = ["news_story", "news_tag"]


def changed(scope: Any, before: Any) -> dict[str, set[str]]:
    after = capture(scope, TABLES, before)
    return {table: after[table].changed_since(before[table]) for table in TABLES}


def test_nothing_changed(newsroom: Any, scope: Any) -> None:
    before = capture(scope, TABLES, {})
    assert before["news_story"].scanned
    assert changed(scope, before) == {"news_story": set(), "news_tag": set()}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("UPDATE news_story SET title = 'x' WHERE slug = 'story-3'", {"title"}),
        ("UPDATE news_story SET weight = weight + 1, status = 'draft'", {"weight", "status"}),
        ("UPDATE news_story SET expires = NULL", {"expires"}),
        ("UPDATE news_story SET title = 'Story 3' WHERE slug = 'story-3'", set()),
    ],
)
def test_a_change_shows_in_its_columns(newsroom: Any, scope: Any, sql: str, columns: set[str]) -> None:
    before = capture(scope, TABLES, {})
    scope.database.execute(sql)
    assert changed(scope, before) == {"news_story": columns, "news_tag": set()}


def test_a_row_that_comes_or_goes_changes_every_column(m: Any, newsroom: Any, scope: Any) -> None:
    before = capture(scope, TABLES, {})
    m.Tag.objects.create(name="x", slug="x")
    assert changed(scope, before)["news_tag"] == {"id", "name", "slug"}


def test_two_rows_that_swap_a_value_are_a_change(m: Any, newsroom: Any, scope: Any) -> None:
    before = capture(scope, TABLES, {})
    m.Tag.objects.filter(slug="tag-0").update(name="Tag 1")
    m.Tag.objects.filter(slug="tag-1").update(name="Tag 0")
    assert changed(scope, before)["news_tag"] == {"name"}


def test_a_table_never_seen_counts_as_changed(newsroom: Any, scope: Any) -> None:
    state = capture(scope, ["news_tag"], {})["news_tag"]
    assert state.changed_since(None) == {"id", "name", "slug"}
    assert state.changed_since(TableState("", {})) == {"id", "name", "slug"}


def test_a_table_whose_token_stands_is_not_read(m: Any, newsroom: Any, scope: Any) -> None:
    if scope.database.dialect != "sqlite":
        pytest.skip("tokens are SQLite's, for now")
    install_tokens(scope.database, TABLES)
    before = capture(scope, TABLES, {})
    m.Tag.objects.filter(slug="tag-0").update(name="x")
    after = capture(scope, TABLES, before)
    assert [after[table].scanned for table in TABLES] == [False, True]
    assert after["news_story"].changed_since(before["news_story"]) == set()
    assert after["news_tag"].changed_since(before["news_tag"]) == {"name"}
    for table in TABLES:
        for event in ("insert", "update", "delete"):
            scope.database.execute(f"DROP TRIGGER toolkit_changed_{table}_{event}")
    scope.database.execute("DROP TABLE toolkit_token")


def test_an_instant_that_the_clock_crossed_is_found(m: Any, newsroom: Any, scope: Any) -> None:
    def between(first: Any, last: Any) -> bool:
        return crossed(Scope(None, scope.database, moment=last), "news_story", "published", first)

    published = newsroom.stories[0].published
    tick = timedelta(microseconds=1)
    assert not between(published - timedelta(hours=2), published - tick)
    assert between(published - tick, published)
    assert between(published, published + tick)
    assert between(published + tick, published - tick)
    assert not between(published, published)
    assert not between(published + tick, published + timedelta(days=9))
