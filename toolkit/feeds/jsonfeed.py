"""JSON Feed 1.1."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from toolkit.feeds.clean import clean_feed
from toolkit.feeds.entry import Entry, Person
from toolkit.feeds.info import FeedInfo

VERSION = "https://jsonfeed.org/version/1.1"


def write_json(info: FeedInfo, entries: Iterable[Entry]) -> bytes:
    """A feed as JSON Feed 1.1; the same feed always gives the same bytes.

    Args:
        info: The feed's own facts.
        entries: In the order they shall have, newest first.

    Raises:
        FeedError: The feed could not be read, see ``clean_feed``; ``Problems`` for several reasons at once.

    Source: https://www.jsonfeed.org/version/1.1/
    """
    feed = clean_feed(info, entries)
    top = feed.info
    document = _without_empty(
        version=VERSION,
        title=top.title,
        home_page_url=top.url,
        feed_url=top.feed_url,
        description=top.description,
        icon=top.logo,
        favicon=top.icon,
        authors=_authors(top.authors),
        language=top.language,
        next_url=dict(top.pages).get("next"),
        hubs=[{"type": "WebSub", "url": hub} for hub in top.hubs],
    )
    document["items"] = [_item(entry) for entry in feed.entries]
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _item(entry: Entry) -> dict[str, Any]:
    item = _without_empty(
        id=entry.id,
        url=entry.url,
        title=entry.title,
        content_html=entry.content,
        # One of the two contents must be there.
        content_text="" if entry.content else entry.summary or entry.title,
        summary=entry.summary,
        date_published=_date(entry.published or entry.updated),
        date_modified=_date(entry.updated),
        authors=_authors(entry.authors),
        tags=list(entry.categories),
        language=entry.language,
        attachments=[
            {"url": file.url, "mime_type": file.type, "size_in_bytes": file.length_bytes} for file in entry.enclosures
        ],
    )
    if entry.point is not None:
        # Extensions of JSON Feed begin with an underscore; the value is a GeoJSON geometry (RFC 7946).
        item["_geometry"] = {"type": "Point", "coordinates": list(entry.point)}
    return item


def _authors(people: Iterable[Person]) -> list[dict[str, Any]]:
    return [_without_empty(name=person.name, url=person.url) for person in people]


def _date(moment: datetime) -> str:
    return moment.isoformat()


def _without_empty(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
