"""The state of whole tables: what changed since, column by column."""

from __future__ import annotations

from collections.abc import Iterator
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
    assert state.changed_since(TableState("")) == {"id", "name", "slug"}


@pytest.fixture
def guarded(newsroom: Any, scope: Any) -> Iterator[Any]:
    """The scope of a database with tokens."""
    if scope.database.dialect != "sqlite":
        pytest.skip("tests/models/test_tokens.py is about servers")
    install_tokens(scope.database, TABLES)
    yield scope
    for table in TABLES:
        for event in ("insert", "update", "delete"):
            scope.database.execute(f"DROP TRIGGER IF EXISTS toolkit_changed_{table}_{event}")
    for table in ("toolkit_token", "toolkit_bucket"):
        scope.database.execute(f"DROP TABLE {table}")


def test_a_table_whose_token_stands_is_not_read(m: Any, guarded: Any) -> None:
    before = capture(guarded, TABLES, {})
    m.Tag.objects.filter(slug="tag-0").update(name="x")
    with guarded.database.log() as queries:
        after = capture(guarded, TABLES, before)
    assert not [query for query in queries if "news_story" in query.sql]
    assert after["news_story"].changed_since(before["news_story"]) == set()
    assert after["news_tag"].changed_since(before["news_tag"]) == {"name"}


@pytest.fixture
def many(m: Any, guarded: Any) -> dict[str, TableState]:
    """The state of a table with rows in five buckets."""
    m.Tag.objects.bulk_create([m.Tag(id=256 * n + 7, name=f"t{n}", slug=f"t{n}") for n in range(1, 5)])
    install_tokens(guarded.database, TABLES)
    found = capture(guarded, TABLES, {})
    assert set(found["news_tag"].buckets) == set(range(5))
    return found


@pytest.mark.usefixtures("first_keys")
@pytest.mark.parametrize(
    ("sql", "buckets", "columns", "scanned"),
    [
        ("UPDATE news_tag SET name = 'x' WHERE slug = 't2'", {2}, {"name"}, False),
        ("UPDATE news_tag SET name = name WHERE slug = 't2'", set(), set(), False),
        ("UPDATE news_tag SET id = id + 256 * 5 WHERE slug = 't2'", {2, 7}, {"id", "name", "slug"}, False),
        ("INSERT INTO news_tag (name, slug) VALUES ('new', 'new')", {4}, {"id", "name", "slug"}, False),
        ("DELETE FROM news_tag WHERE slug = 't3'", {3}, {"id", "name", "slug"}, False),
        ("UPDATE news_tag SET name = name || 'x'", {0, 1, 2, 3, 4}, {"name"}, True),
        ("REPLACE INTO news_tag (id, name, slug) VALUES (1031, 'x', 't1')", {1, 4}, {"id", "name", "slug"}, True),
        ("UPDATE OR REPLACE news_tag SET slug = 't1' WHERE slug = 't4'", {1, 4}, {"id", "name", "slug"}, True),
    ],
)
def test_of_a_changed_table_only_buckets_are_read_in_which_rows_were_written(
    guarded: Any, many: Any, sql: str, buckets: set[int], columns: set[str], scanned: bool
) -> None:
    guarded.database.execute(sql)
    before, after = many["news_tag"], capture(guarded, TABLES, many)["news_tag"]
    assert after.scanned == scanned
    assert (after.buckets_since(before), after.changed_since(before)) == (buckets, columns)
    whole = capture(guarded, TABLES, {})["news_tag"]
    assert {one: state.digests for one, state in after.buckets.items()} == {
        one: state.digests for one, state in whole.buckets.items()
    }


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
