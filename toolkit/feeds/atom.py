"""Atom 1.0."""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.feeds.clean import clean_deleted, clean_feed
from toolkit.feeds.entry import Deleted, Entry
from toolkit.feeds.formats import ATOM_TYPE
from toolkit.feeds.generator import add_stylesheet, make_generator
from toolkit.feeds.info import FeedInfo


def write_atom(info: FeedInfo, entries: Iterable[Entry], *, deleted: Iterable[Deleted] = ()) -> bytes:
    """A feed as Atom 1.0; the same feed always gives the same bytes.

    Args:
        info: The feed's own facts.
        entries: In the order they shall have, newest first.
        deleted: Withdrawn entries, announced so that readers remove them too.

    Raises:
        FeedError: The feed could not be read, see ``clean_feed``; ``Problems`` for several reasons at once.

    Source: RFC 4287; RFC 5005 (pages), RFC 6721 (withdrawn entries).
    """
    feed = clean_feed(info, entries)
    gone = clean_deleted(deleted, info.feed_url)
    body: bytes = make_generator(feed, type=ATOM_TYPE, deleted=gone).atom_str(pretty=True)
    return add_stylesheet(body, feed.info.stylesheet_url)
