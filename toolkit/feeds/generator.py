"""feedgen, made right.

feedgen 1.0 writes valid elements but leaves the rest to its caller: it stamps the wall clock on feeds and
entries, formats RSS dates by switching the locale of the whole process, loses rel, type and length of an
entry's links in Atom, names the last enclosure instead of the first, drops authors without an e-mail address,
and knows no links but ``self`` in RSS. The repairs enter through its own door for guests, the extension:
``extend_rss`` and ``extend_atom`` are handed the element and finish it.
"""

from __future__ import annotations

from typing import Any

from toolkit.feeds.clean import CleanFeed
from toolkit.feeds.dates import format_rfc822
from toolkit.feeds.entry import Deleted, Entry
from toolkit.feeds.formats import RSS_TYPE
from toolkit.feeds.info import FeedInfo
from toolkit.text import escape_attribute, escape_html

GENERATOR = "publishing-toolkit"
"""What feeds name as their generator: without a version, so that an update does not change every feed."""

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
GEORSS = "http://www.georss.org/georss"
MEDIA = "http://search.yahoo.com/mrss/"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def make_generator(feed: CleanFeed, *, type: str, deleted: tuple[Deleted, ...] = ()) -> Any:
    """A ``feedgen.feed.FeedGenerator`` with a feed's facts and entries and the repairs.

    Args:
        feed: The checked feed.
        type: ``RSS_TYPE`` or ``ATOM_TYPE``: what will be written.
        deleted: Withdrawn entries (Atom only).
    """
    from feedgen.feed import FeedGenerator

    info = feed.info
    generator = FeedGenerator()
    generator.id(info.id)
    generator.title(info.title)
    generator.updated(feed.updated)
    # feedgen would write it through locale.setlocale, which changes the whole process; _FeedRepair writes it.
    generator._FeedGenerator__rss_lastBuildDate = None
    generator.generator(GENERATOR)
    if info.description or type == RSS_TYPE:  # RSS demands one
        generator.description(info.description or info.title)
    _add_options(generator, info)
    generator.link(_links(info, type))
    generator.register_extension("repair", lambda: _FeedRepair(feed, type, deleted), None)
    make_entry = _rss_entry if type == RSS_TYPE else _atom_entry
    for entry in feed.entries:
        generator.add_entry(make_entry(entry), order="append")
    return generator


def add_stylesheet(body: bytes, url: str) -> bytes:
    """Name the stylesheet that browsers show the feed with; nothing to do without one.

    Source: "Associating Style Sheets with XML documents" 1.0 (second edition).
    """
    if not url:
        return body
    kind = "text/css" if url.partition("?")[0].endswith(".css") else "text/xsl"
    instruction = f'<?xml-stylesheet type="{kind}" href="{escape_attribute(url)}"?>\n'
    return body.replace(b"?>\n", b"?>\n" + instruction.encode(), 1)


def _add_options(generator: Any, info: FeedInfo) -> None:
    if info.language:
        generator.language(info.language)
    if info.copyright:
        generator.copyright(info.copyright)
    if info.icon:
        generator.icon(info.icon)
    if info.logo:
        generator.image(url=info.logo, title=info.title, link=info.url)
    if info.ttl_minutes is not None:
        generator.ttl(info.ttl_minutes)
    for author in info.authors:
        generator.author(_author(author.name, author.email, author.url))


def _author(name: str, email: str, url: str) -> dict[str, str]:
    return {key: value for key, value in (("name", name), ("email", email), ("uri", url)) if value}


def _links(info: FeedInfo, type: str) -> list[dict[str, str]]:
    """The page comes last: feedgen takes the last link for RSS's ``link``."""
    return [
        {"href": info.feed_url, "rel": "self", "type": type},
        *({"href": hub, "rel": "hub"} for hub in info.hubs),
        *({"href": url, "rel": relation} for relation, url in info.pages),
        {"href": info.url, "rel": "alternate", "type": "text/html"},
    ]


def _rss_entry(entry: Entry) -> Any:
    made = _new_entry(entry)
    if entry.summary:
        made.description(escape_html(entry.summary), isSummary=True)  # RSS descriptions are read as HTML
    return made


def _atom_entry(entry: Entry) -> Any:
    made = _new_entry(entry)
    if entry.summary:
        made.summary(entry.summary)
    for author in entry.authors:
        made.author(_author(author.name, author.email, author.url))
    return made


def _new_entry(entry: Entry) -> Any:
    from feedgen.entry import FeedEntry

    made = FeedEntry()
    made.title(entry.title)
    made.guid(entry.id, permalink=entry.id == entry.url)
    made.updated(entry.updated)
    made.link(href=entry.url, rel="alternate")
    if entry.content:
        made.content(entry.content, type="html")
    for name in entry.categories:
        made.category(term=name)
    made.register_extension("repair", lambda: _EntryRepair(entry))
    return made


class _FeedRepair:
    """What feedgen's feeds lack."""

    def __init__(self, feed: CleanFeed, type: str, deleted: tuple[Deleted, ...]) -> None:
        self.feed = feed
        self.is_rss = type == RSS_TYPE
        self.deleted = deleted

    def extend_ns(self) -> dict[str, str]:
        """Prefixes of the namespaces that are used in this feed, and no others."""
        entries = self.feed.entries
        used = {
            "dc": (DC, self.is_rss and any(entry.authors or entry.language for entry in entries)),
            "georss": (GEORSS, any(entry.point for entry in entries)),
            "media": (MEDIA, self.is_rss and any(len(entry.enclosures) > 1 for entry in entries)),
            "at": (TOMBSTONES, bool(self.deleted)),
        }
        return {prefix: name for prefix, (name, is_used) in used.items() if is_used}

    def extend_rss(self, root: Any) -> Any:
        channel = root[0]
        info = self.feed.info
        _add(channel, "lastBuildDate", format_rfc822(self.feed.updated))
        for relation, url in (*(("hub", hub) for hub in info.hubs), *info.pages):
            _add(channel, f"{{{ATOM}}}link", "", rel=relation, href=url)
        return root

    def extend_atom(self, root: Any) -> Any:
        info = self.feed.info
        if not info.authors and not all(entry.authors for entry in self.feed.entries):
            # RFC 4287 §4.1.1: an author in the feed, or in each of its entries.
            author = _add(root, "author", "")
            _add(author, "name", info.title)
            _add(author, "uri", info.url)
        for gone in self.deleted:
            _add(root, f"{{{TOMBSTONES}}}deleted-entry", "", ref=gone.id, when=gone.when.isoformat())
        return root


class _EntryRepair:
    """What feedgen's entries lack."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def extend_rss(self, item: Any) -> Any:
        entry = self.entry
        _add(item, "pubDate", format_rfc822(entry.published or entry.updated))
        _add(item, f"{{{ATOM}}}updated", entry.updated.isoformat())
        for author in entry.authors:
            _add(item, f"{{{DC}}}creator", author.name)  # RSS's author is an e-mail address; a name needs none
        if entry.language:
            _add(item, f"{{{DC}}}language", entry.language)
        for number, file in enumerate(entry.enclosures):
            if number == 0:  # RSS readers expect one at most (RSS Advisory Board, Best Practices Profile)
                _add(item, "enclosure", "", url=file.url, length=str(file.length_bytes), type=file.type)
            else:
                _add(
                    item,
                    f"{{{MEDIA}}}content",
                    "",
                    url=file.url,
                    fileSize=str(file.length_bytes),
                    type=file.type,
                )
        return self._add_point(item)

    def extend_atom(self, element: Any) -> Any:
        page = element.find("link")
        page.set("rel", "alternate")
        page.set("type", "text/html")
        if self.entry.language:
            element.set(_XML_LANG, self.entry.language)
        if self.entry.published is not None:
            _add(element, "published", self.entry.published.isoformat())
        for file in self.entry.enclosures:
            link = _add(element, "link", "", rel="enclosure", type=file.type, length=str(file.length_bytes))
            link.set("href", file.url)
        return self._add_point(element)

    def _add_point(self, element: Any) -> Any:
        if self.entry.point is not None:
            longitude, latitude = self.entry.point
            _add(element, f"{{{GEORSS}}}point", f"{latitude:.7f} {longitude:.7f}")  # latitude first; 1 cm
        return element


def _add(parent: Any, tag: str, text: str, **attributes: str) -> Any:
    from lxml import etree

    element = etree.SubElement(parent, tag, attributes)
    element.text = text or None
    return element
