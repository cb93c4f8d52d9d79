from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from toolkit.errors import RouteError
from toolkit.sitemaps import (
    NewsItem,
    SitemapURL,
    next_news_change,
    recent_news,
    write_news_sitemaps,
    write_sitemaps,
)

BASE = "https://courier.example"
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
NS = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "n": "http://www.google.com/schemas/sitemap-news/0.9",
}


def story(name: str, *, hours_ago: float) -> SitemapURL:
    item = NewsItem("The Courier & Co", "es_MX", f"Story <{name}>\x08", NOON - timedelta(hours=hours_ago))
    return SitemapURL(f"{BASE}/{name}/", NOON, news=item)


def test_stories_are_news_for_exactly_48_hours() -> None:
    urls = [
        story("old", hours_ago=48),
        story("older", hours_ago=47.99),
        story("new", hours_ago=0),
        story("future", hours_ago=-1),
        SitemapURL(f"{BASE}/about/"),
    ]
    assert [url.loc for url in recent_news(urls, moment=NOON)] == [f"{BASE}/new/", f"{BASE}/older/"]


def test_the_next_change_is_known_beforehand() -> None:
    urls = [story("a", hours_ago=40), story("b", hours_ago=-9), story("gone", hours_ago=90)]
    change = next_news_change(urls, moment=NOON)
    assert change == NOON + timedelta(hours=8)
    before, after = recent_news(urls, moment=change - timedelta(seconds=1)), recent_news(urls, moment=change)
    assert [url.loc for url in before] == [f"{BASE}/a/"] and after == []
    assert next_news_change([story("gone", hours_ago=90)], moment=NOON) is None


def test_the_news_sitemap_has_what_engines_ask_for() -> None:
    [(path, body)] = write_news_sitemaps([story("flood", hours_ago=1)], base_url=BASE, moment=NOON)
    assert path == "/sitemap-news.xml"
    news = etree.fromstring(body).find("s:url/n:news", NS)
    assert news is not None
    assert news.findtext("n:publication/n:name", None, NS) == "The Courier & Co"
    assert news.findtext("n:publication/n:language", None, NS) == "es-MX"
    assert news.findtext("n:publication_date", None, NS) == "2026-03-03T11:00:00+00:00"
    assert news.findtext("n:title", None, NS) == "Story <flood>"


def test_more_than_a_thousand_stories_are_split_and_none_is_lost() -> None:
    urls = [story(f"s{number}", hours_ago=1) for number in range(1001)]
    files = dict(write_news_sitemaps(urls, base_url=BASE, moment=NOON))
    assert {path: body.count(b"<news:news>") for path, body in files.items()} == {
        "/sitemap-news-1.xml": 1000,
        "/sitemap-news-2.xml": 1,
        "/sitemap-news.xml": 0,
    }
    assert files["/sitemap-news.xml"].count(b"<loc>") == 2


def test_the_main_sitemap_does_not_change_when_a_story_is_no_longer_new() -> None:
    with_news = story("flood", hours_ago=1)
    without = SitemapURL(with_news.loc, with_news.lastmod)
    assert list(write_sitemaps([with_news], base_url=BASE)) == list(write_sitemaps([without], base_url=BASE))


def test_a_story_without_time_zone_is_named() -> None:
    item = NewsItem("Courier", "en", "Flood", datetime(2026, 3, 3))  # noqa: DTZ001  # the mistake under test
    with pytest.raises(RouteError, match=r"courier.example/f/: the date .* of 'Flood' has no time zone"):
        recent_news([SitemapURL(f"{BASE}/f/", news=item)], moment=NOON)
