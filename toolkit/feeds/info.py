"""What a feed says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from toolkit.feeds.entry import Person

PAGE_RELATIONS = ("first", "previous", "next", "last", "prev-archive", "next-archive", "current")
"""Links between the pages of a long feed (RFC 5005)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedInfo:
    """A feed's own facts, handed to the writers with its entries.

    Args:
        id: Names the feed for ever (a tag URI or another absolute URI).
        title: Plain text.
        url: Absolute URL of the page it is the feed of.
        feed_url: Absolute URL of the feed in the format being written: its self link.
        description: Plain text; the title stands in when it is empty, since RSS demands one.
        language: Language tag, such as ``"es"``.
        copyright: Plain text.
        updated: What to say for a feed without entries. With entries, the newest one's ``updated`` is said,
            never the wall clock.
        authors: Whose publication it is. Atom needs somebody: without, the title stands in where entries
            have no author of their own.
        icon: Absolute URL of a small square image.
        logo: Absolute URL of an image for the head (PNG, JPEG or GIF; RSS: at most 144 pixels wide).
        ttl_minutes: How long readers may wait before they ask again (RSS).
        hubs: WebSub hubs, absolute URLs.
        pages: (relation, absolute URL) of the neighbouring pages of a paged or archived feed.
        stylesheet_url: Where browsers find how to show the feed.
    """

    id: str
    title: str
    url: str
    feed_url: str
    description: str = ""
    language: str = ""
    copyright: str = ""
    updated: datetime | None = None
    authors: tuple[Person, ...] = ()
    icon: str = ""
    logo: str = ""
    ttl_minutes: int | None = None
    hubs: tuple[str, ...] = ()
    pages: tuple[tuple[str, str], ...] = ()
    stylesheet_url: str = ""
