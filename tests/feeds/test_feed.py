from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from toolkit.errors import DeclarationError, FeedError, Problems
from toolkit.feeds import FORMATS, Entry, Feed, discovery_link, feed_paths, tag_uri


class Rows:
    """Behaves as a query does: sliced, it loads no more than it must."""

    def __init__(self, count: int) -> None:
        self.asked: list[slice] = []
        self.count = count

    def __getitem__(self, which: slice) -> list[int]:
        self.asked.append(which)
        return list(range(self.count))[which]

    def __iter__(self) -> None:  # type: ignore[misc]
        raise AssertionError("all rows were loaded")


def test_items_become_entries_in_their_order(story: Entry) -> None:
    feed = Feed("News", [1, story, 3])
    entries = feed.entries(lambda number: replace(story, title=f"Story {number}"))
    assert [entry.title for entry in entries] == ["Story 1", story.title, "Story 3"]


def test_a_feeds_own_conversion_goes_first(story: Entry) -> None:
    feed = Feed("News", ["a"], entry=lambda name: replace(story, title=name))
    assert [entry.title for entry in feed.entries(lambda _: story)] == ["a"]


def test_a_limit_slices_a_query_and_stops_an_iterator(story: Entry) -> None:
    rows = Rows(9)
    assert len(Feed("News", rows, limit=2).entries(lambda _: story)) == 2  # type: ignore[arg-type]
    assert rows.asked == [slice(None, 2, None)]
    assert len(Feed("News", iter(range(9)), limit=3).entries(lambda _: story)) == 3


def test_summaries_alone_can_be_published(story: Entry) -> None:
    assert Feed("News", [story], full_content=False).entries(lambda _: story)[0].content == ""


def test_a_conversion_that_returns_something_else_is_named(story: Entry) -> None:
    with pytest.raises(FeedError, match=r"feed 'News' made str 'x' of 1. entry= must return"):
        Feed("News", [1]).entries(lambda _: "x")  # type: ignore[arg-type, return-value]
    with pytest.raises(Problems, match="2 items of the feed 'News' cannot be entries"):
        Feed("News", [1, 2]).entries(lambda _: None)  # type: ignore[arg-type, return-value]


def test_formats_have_paths_beside_each_other() -> None:
    assert feed_paths("/news/feed.xml", ("rss", "atom")) == {
        "rss": "/news/feed.xml",
        "atom": "/news/feed.atom",
    }
    assert feed_paths("/feed", ("atom", "json")) == {"atom": "/feed", "json": "/feed.json"}
    with pytest.raises(DeclarationError, match=r"'atm' is not a feed format .* Did you mean 'atom'"):
        feed_paths("/feed.xml", ("atm",))
    with pytest.raises(DeclarationError, match="each named once"):
        feed_paths("/feed.xml", ("rss", "rss"))


def test_pages_can_point_at_their_feed() -> None:
    link = discovery_link("https://courier.example/feed.xml?a=1&b", FORMATS["rss"], title='"News"')
    assert link == (
        '<link rel="alternate" type="application/rss+xml" title="&quot;News&quot;" '
        'href="https://courier.example/feed.xml?a=1&amp;b">'
    )


def test_tag_uris_follow_rfc_4151() -> None:
    assert tag_uri("Courier.example", date(2026, 3, 1), "story/41") == "tag:courier.example,2026-03-01:story/41"
    assert tag_uri("desk@courier.example", "2026-03", "ñ ?#") == "tag:desk@courier.example,2026-03:%C3%B1%20?%23"
    with pytest.raises(FeedError, match=r"'courier.example:8000' cannot be the authority"):
        tag_uri("courier.example:8000", "2026", "x")
    with pytest.raises(FeedError, match="'2026-13' is not a day of a tag URI"):
        tag_uri("courier.example", "2026-13", "x")
