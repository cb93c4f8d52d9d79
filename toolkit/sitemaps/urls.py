"""One URL of a sitemap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from toolkit.errors import RouteError, ValidationError
from toolkit.text import is_absolute, to_uri

CHANGE_FREQUENCIES = ("always", "hourly", "daily", "weekly", "monthly", "yearly", "never")
"""What ``changefreq`` may say (sitemaps.org)."""

LONGEST_URL = 2047
"""Characters a ``loc`` may have (sitemaps.org: "must be less than 2,048 characters")."""

X_DEFAULT = "x-default"

# Nearly every URL of a site is like this, and need not be taken apart to be known as one.
_PLAIN = re.compile(r"https?://[a-z0-9][a-z0-9.-]*(:[0-9]+)?/[A-Za-z0-9._~/-]*")


@dataclass(frozen=True, slots=True)
class NewsItem:
    """What a news sitemap says of a story.

    Args:
        publication: Name of the newspaper, exactly as search engines know it.
        language: Language tag of the story, such as ``"es"``.
        title: Headline, plain text.
        published: When it first appeared, aware.

    Source: developers.google.com, "Create a Google News sitemap".
    """

    publication: str
    language: str
    title: str
    published: datetime


@dataclass(frozen=True, slots=True)
class SitemapURL:
    """A page that search engines should know.

    Args:
        loc: Absolute URL.
        lastmod: When its content last changed: a day or an aware moment; None where it is not known. Never
            the moment of the build: engines stop believing sites that say so.
        alternates: (hreflang, absolute URL) of all editions, this one included; see ``hreflang_alternates``.
        images: Absolute URLs of the page's images.
        news: What a news sitemap says of it.
        changefreq: One of ``CHANGE_FREQUENCIES``.
        priority: From 0.0 to 1.0, within the site.

    Source: sitemaps.org/protocol.html.
    """

    loc: str
    lastmod: date | datetime | None = None
    alternates: tuple[tuple[str, str], ...] = ()
    images: tuple[str, ...] = ()
    news: NewsItem | None = None
    changefreq: str | None = None
    priority: float | None = None


def hreflang_alternates(editions: Mapping[str, str], *, default: str | None = None) -> tuple[tuple[str, str], ...]:
    """The editions of a page as ``hreflang`` links; empty when there is only one.

    Args:
        editions: Locale (``"es"``, ``"es_MX"``) to absolute URL, in the order they shall have.
        default: Locale that readers of no listed language get (``x-default``), if it has an edition.

    Source: developers.google.com, "Tell Google about localized versions of your page".
    """
    if len(editions) < 2:
        return ()
    links = [(locale.replace("_", "-"), url) for locale, url in editions.items()]
    if default is not None and default in editions:
        links.append((X_DEFAULT, editions[default]))
    return tuple(links)


def checked_loc(url: str, name: str, page: str) -> str:
    """An absolute URL as ASCII, short enough for a sitemap.

    Args:
        url: The URL.
        name: How an error calls it.
        page: URL of the page it is listed with.

    Raises:
        RouteError: It is not absolute, is no URL, or is too long.
    """
    if _PLAIN.fullmatch(url):
        uri = url
    else:
        if not url.lower().startswith(("http://", "https://")) or not is_absolute(url):
            raise RouteError(f"{name} {url!r} is not absolute", url=page, hint="Set base_url, with https://.")
        try:
            uri = to_uri(url)
        except ValidationError as error:
            raise RouteError(f"{name}: {error.message}", url=page) from error
    if len(uri) > LONGEST_URL:
        raise RouteError(f"{name} has {len(uri)} characters, a sitemap allows {LONGEST_URL}", url=page)
    return uri


def format_w3c(moment: date | datetime, page: str) -> str:
    """A day as ``2026-03-01``, a moment in UTC as ``2026-03-01T08:00:00+00:00``.

    Raises:
        RouteError: The moment has no time zone.

    Source: W3C Note "Date and Time Formats".
    """
    if not isinstance(moment, datetime):
        return moment.isoformat()
    if moment.tzinfo is None:
        raise RouteError(f"the date {moment} has no time zone", url=page, hint="Use aware datetimes.")
    return moment.astimezone(UTC).isoformat(timespec="seconds")
