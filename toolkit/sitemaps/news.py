"""The news sitemap: the stories of the last two days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from toolkit.errors import RouteError
from toolkit.sitemaps.urls import NewsItem, SitemapURL
from toolkit.sitemaps.write import MOST_BYTES, NEWS, SITEMAP, write_parts

WINDOW = timedelta(hours=48)
"""How long a story is news."""

MOST_NEWS = 1000
"""Stories that one file may list."""

_NAMESPACES = {None: SITEMAP, "news": NEWS}


def recent_news(urls: Iterable[SitemapURL], *, moment: datetime) -> list[SitemapURL]:
    """The URLs whose story appeared in the 48 hours before a moment, newest first.

    Args:
        urls: Any pages; those without ``news`` are passed over.
        moment: The moment of the build, aware.

    Raises:
        RouteError: A story's date has no time zone.

    Source: developers.google.com, "Create a Google News sitemap".
    """
    recent = [(news, url) for url, news in _with_news(urls) if timedelta(0) <= moment - news.published < WINDOW]
    recent.sort(key=lambda pair: (-pair[0].published.timestamp(), pair[1].loc))
    return [url for _, url in recent]


def next_news_change(urls: Iterable[SitemapURL], *, moment: datetime) -> datetime | None:
    """When ``recent_news`` will next answer otherwise, if nothing is edited: a story appears, or ages out.

    This is what a build records as its clock, so that stories leave by schedule and not by luck.

    Args:
        urls: The same pages.
        moment: The moment of the build, aware.
    """
    changes = [
        change
        for _, news in _with_news(urls)
        for change in (news.published, news.published + WINDOW)
        if change > moment
    ]
    return min(changes, default=None)


def write_news_sitemaps(
    urls: Iterable[SitemapURL],
    *,
    base_url: str,
    moment: datetime,
    path: str = "/sitemap-news.xml",
    limit: int = MOST_NEWS,
) -> Iterator[tuple[str, bytes]]:
    """The news sitemap; more than a thousand stories in two days make an index with parts.

    Args:
        urls: Any pages; those that are news at this moment are listed, newest first.
        base_url: The site's absolute URL, for the index.
        moment: The moment of the build, aware.
        path: Where the sitemap, or the index, is published.
        limit: Stories in one file.

    Yields:
        (path, body) of each file, the index last. Without news, one file that lists nothing.

    Raises:
        RouteError: A URL is relative or listed twice, or a date has no time zone.
    """
    yield from write_parts(
        recent_news(urls, moment=moment),
        _NAMESPACES,
        with_news=True,
        base_url=base_url,
        path=path,
        limit=limit,
        max_bytes=MOST_BYTES,
    )


def _with_news(urls: Iterable[SitemapURL]) -> Iterator[tuple[SitemapURL, NewsItem]]:
    for url in urls:
        if url.news is None:
            continue
        if url.news.published.tzinfo is None:
            raise RouteError(
                f"the date {url.news.published} of {url.news.title!r} has no time zone",
                url=url.loc,
                hint="Use aware datetimes.",
            )
        yield url, url.news
