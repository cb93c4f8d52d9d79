"""RSS 2.0."""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.feeds.clean import clean_feed
from toolkit.feeds.entry import Entry
from toolkit.feeds.formats import RSS_TYPE
from toolkit.feeds.generator import add_stylesheet, make_generator
from toolkit.feeds.info import FeedInfo


def write_rss(info: FeedInfo, entries: Iterable[Entry]) -> bytes:
    """A feed as RSS 2.0 with content, Dublin Core, Atom, Media RSS and GeoRSS elements where there is need.

    The same feed always gives the same bytes: no clock, and dates come from the entries.

    Args:
        info: The feed's own facts.
        entries: In the order they shall have, newest first.

    Raises:
        FeedError: The feed could not be read, see ``clean_feed``; ``Problems`` for several reasons at once.

    Source: RSS 2.0.11 (rssboard.org), RSS Best Practices Profile.
    """
    feed = clean_feed(info, entries)
    body: bytes = make_generator(feed, type=RSS_TYPE).rss_str(pretty=True)
    return add_stylesheet(body, feed.info.stylesheet_url)
