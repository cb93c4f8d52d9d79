"""What the rules of all feed formats share: the report, dates, names and links."""

from __future__ import annotations

import re
from typing import Any

from toolkit.feeds.dates import is_rfc822, is_rfc3339
from toolkit.text import is_absolute, relative_links

ATOM = "http://www.w3.org/2005/Atom"
XHTML = "http://www.w3.org/1999/xhtml"

EXTENSIONS = {
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://purl.org/rss/1.0/modules/slash/": "slash",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.georss.org/georss": "georss",
    "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "https://podcastindex.org/namespace/1.0": "podcast",
    "http://purl.org/syndication/thread/1.0": "thr",
    "http://purl.org/syndication/history/1.0": "fh",
    "http://purl.org/atompub/tombstones/1.0": "at",
    "http://wellformedweb.org/CommentAPI/": "wfw",
    "http://a9.com/-/spec/opensearch/1.1/": "opensearch",
    "http://creativecommons.org/ns#": "cc",
}
"""Namespaces that feed readers know, and their usual prefixes."""

_LANGUAGE = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


class Report:
    """The problems found in one feed, each with its line."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def add(self, place: Any, message: str) -> None:
        """Note a problem.

        Args:
            place: An element of lxml, whose line is named, or words.
            message: What is wrong.
        """
        where = place if isinstance(place, str) else f"line {place.sourceline}"
        self.problems.append(f"{where}: {message}")

    def absolute(self, place: Any, name: str, url: str | None) -> None:
        """A URL must stand on its own."""
        if not is_absolute(url or ""):
            self.add(place, f"{name} {url!r} is not an absolute URL")

    def rfc3339(self, place: Any, name: str, text: str | None) -> None:
        """A date as Atom and JSON Feed write it."""
        if not is_rfc3339(text or ""):
            self.add(place, f"{name} {text!r} is not a date of RFC 3339 (2026-03-01T08:00:00Z)")

    def rfc822(self, place: Any, name: str, text: str | None) -> None:
        """A date as RSS writes it."""
        if not is_rfc822(text or ""):
            self.add(place, f"{name} {text!r} is not a date of RFC 822 (Sun, 01 Mar 2026 08:00:00 +0000)")

    def language(self, place: Any, tag: str | None) -> None:
        """A language tag (RFC 5646, its shape only)."""
        if tag is not None and not _LANGUAGE.fullmatch(tag):
            self.add(place, f"language {tag!r} is not a language tag")

    def content(self, place: Any, html: str | None) -> None:
        """Links in content are read far from the page: none may be relative."""
        for url in dict.fromkeys(relative_links(html or "")):
            self.add(place, f"the content has the relative link {url!r}")

    def unique(self, place: Any, seen: dict[str, str], name: str, value: str, title: str) -> None:
        """An id must be used once; ``seen`` remembers whose it was."""
        other = seen.setdefault(value, title)
        if other is not title:
            self.add(place, f"{name} {value!r} of {title!r} is used before, by {other!r}")


def namespace_and_name(element: Any) -> tuple[str, str]:
    """An element's namespace (or nothing) and its name in it."""
    tag: str = element.tag
    if tag.startswith("{"):
        namespace, _, name = tag[1:].partition("}")
        return namespace, name
    return "", tag


def text_of(element: Any) -> str:
    """An element's text, without the spaces around it; empty for no element."""
    return (element.text or "").strip() if element is not None else ""
