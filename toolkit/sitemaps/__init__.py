"""Sitemaps, news sitemaps and robots.txt: what search engines are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.sitemaps.declarations import News, Sitemap
    from toolkit.sitemaps.news import next_news_change, recent_news, write_news_sitemaps
    from toolkit.sitemaps.robots import write_robots
    from toolkit.sitemaps.urls import NewsItem, SitemapURL, hreflang_alternates
    from toolkit.sitemaps.write import write_sitemaps

__all__ = [
    "News",
    "NewsItem",
    "Sitemap",
    "SitemapURL",
    "hreflang_alternates",
    "next_news_change",
    "recent_news",
    "write_news_sitemaps",
    "write_robots",
    "write_sitemaps",
]

__getattr__ = names_from(
    __name__,
    {
        "declarations": ["News", "Sitemap"],
        "news": ["next_news_change", "recent_news", "write_news_sitemaps"],
        "robots": ["write_robots"],
        "urls": ["NewsItem", "SitemapURL", "hreflang_alternates"],
        "write": ["write_sitemaps"],
    },
)
