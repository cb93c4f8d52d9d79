"""Feeds: one declaration, written as RSS 2.0, Atom 1.0 and JSON Feed 1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.feeds.atom import write_atom
    from toolkit.feeds.entry import Deleted, Enclosure, Entry, Person
    from toolkit.feeds.feed import Feed
    from toolkit.feeds.formats import FORMATS, FeedFormat, discovery_link, feed_paths
    from toolkit.feeds.ids import tag_uri
    from toolkit.feeds.info import FeedInfo
    from toolkit.feeds.jsonfeed import write_json
    from toolkit.feeds.rss import write_rss
    from toolkit.feeds.validation import validate

__all__ = [
    "FORMATS",
    "Deleted",
    "Enclosure",
    "Entry",
    "Feed",
    "FeedFormat",
    "FeedInfo",
    "Person",
    "discovery_link",
    "feed_paths",
    "tag_uri",
    "validate",
    "write_atom",
    "write_json",
    "write_rss",
]

__getattr__ = names_from(
    __name__,
    {
        "atom": ["write_atom"],
        "entry": ["Deleted", "Enclosure", "Entry", "Person"],
        "feed": ["Feed"],
        "formats": ["FORMATS", "FeedFormat", "discovery_link", "feed_paths"],
        "ids": ["tag_uri"],
        "info": ["FeedInfo"],
        "jsonfeed": ["write_json"],
        "rss": ["write_rss"],
        "validation": ["validate"],
    },
)
