"""What a feed is made of: entries, their people and their media."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who wrote.

    Args:
        name: As readers know them.
        email: Published in Atom only, and only if given.
        url: Absolute URL of their page.
    """

    name: str
    email: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that belongs to an entry: a recording, a film, a document.

    Args:
        url: Absolute URL.
        type: Media type, such as ``"audio/mpeg"``.
        length_bytes: Its size. RSS 2.0 demands it, and players plan downloads with it.
    """

    url: str
    type: str
    length_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One story in a feed. All text is plain but ``content``.

    Args:
        id: Names the story for ever, whatever becomes of its URL or title: a tag URI (see ``tag_uri``), a
            UUID or another absolute URI. RFC 4287 §4.2.6.
        url: Absolute URL of its page.
        title: Plain text.
        updated: When it last changed in a way that readers should hear of, aware. RFC 4287 §4.2.15.
        published: When it first appeared, aware. RFC 4287 §4.2.9.
        summary: Plain text.
        content: HTML; the writers make its links absolute and take out what runs.
        authors: Who wrote it.
        categories: Section and tag names, plain text.
        enclosures: Files that belong to it. RSS carries the first as ``enclosure``, others as Media RSS.
        language: If it is not the feed's, such as ``"ar"``.
        point: Where it happened: (longitude, latitude) in degrees, WGS 84.
    """

    id: str
    url: str
    title: str
    updated: datetime
    published: datetime | None = None
    summary: str = ""
    content: str = ""
    authors: tuple[Person, ...] = ()
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    language: str | None = None
    point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """A story that was in the feed and has been withdrawn.

    Args:
        id: The id its entry had.
        when: When it was withdrawn, aware.

    Source: RFC 6721, "The Atom deleted-entry Element".
    """

    id: str
    when: datetime
