"""A built page, read again as a browser would: its ids, links, images and what its head says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LINK, RESOURCE = "link", "resource"

_ATTRIBUTES: tuple[tuple[str, str, str], ...] = (
    ("a", "href", LINK),
    ("area", "href", LINK),
    ("iframe", "src", LINK),
    ("form", "action", LINK),
    ("img", "src", RESOURCE),
    ("source", "src", RESOURCE),
    ("video", "src", RESOURCE),
    ("video", "poster", RESOURCE),
    ("audio", "src", RESOURCE),
    ("track", "src", RESOURCE),
    ("script", "src", RESOURCE),
    ("embed", "src", RESOURCE),
    ("object", "data", RESOURCE),
    ("input", "src", RESOURCE),
    ("use", "href", RESOURCE),
    ("image", "href", RESOURCE),
)
"""(element, attribute, what it leads to). ``srcset``, ``<link>`` and ``<meta>`` are read apart."""

_RESOURCE_RELS = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "apple-touch-icon", "mask-icon"}
_LINK_RELS = {"next", "prev", "author", "license", "help", "search", "alternate"}
_IMAGE_PROPERTIES = {"og:image", "og:image:url", "twitter:image"}
_MISMATCHED = "HTML_PARSER"
_TAG_ERRORS = ("ERR_TAG_NAME_MISMATCH", "ERR_TAG_NOT_FINISHED", "ERR_GT_REQUIRED", "ERR_ATTRIBUTE_WITHOUT_VALUE")


@dataclass(frozen=True, slots=True)
class Reference:
    """A URL in a page.

    Args:
        url: As it is written.
        kind: ``link`` (somebody may follow it) or ``resource`` (the page needs it).
        element: The element it stands in.
        line: Its line in the built file.
    """

    url: str
    kind: str
    element: str
    line: int


@dataclass(slots=True)
class Document:
    """What the checks want to know of a built page.

    Args:
        url: Its URL path.
        path: Its file below the output folder.
        ids: The ids in it, and names of anchors.
        repeated: Ids that stand twice, with the line of the second.
        references: The URLs in it.
        language: ``lang`` of ``<html>``; empty without.
        direction: ``dir`` of ``<html>``; empty without.
        titles: The texts of ``<title>`` in the head.
        canonicals: Its canonical URLs.
        alternates: (hreflang, URL) of its editions.
        without_alt: (``src``, line) of images without an ``alt`` attribute.
        robots: What it tells robots.
        mistakes: (line, what) of tags that do not fit together.
    """

    url: str
    path: str
    ids: frozenset[str]
    repeated: list[tuple[str, int]]
    references: list[Reference]
    language: str
    direction: str
    titles: list[str]
    canonicals: list[str]
    alternates: list[tuple[str, str]]
    without_alt: list[tuple[str, int]]
    robots: str
    mistakes: list[tuple[int, str]]

    @property
    def is_indexable(self) -> bool:
        """Whether search engines may keep it."""
        return "noindex" not in self.robots


def read_document(body: bytes, *, url: str, path: str) -> Document:
    """Read a built page.

    Args:
        body: The file's content, in UTF-8.
        url: Its URL path.
        path: Its file below the output folder.
    """
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True)
    root: Any = etree.fromstring(body, parser) if body.strip() else None
    if root is None:
        root = etree.Element("html")
    ids, repeated = _ids(root)
    head = root.find("head")
    return Document(
        url=url,
        path=path,
        ids=frozenset(ids),
        repeated=repeated,
        references=list(_references(root)),
        language=(root.get("lang") or "").strip(),
        direction=(root.get("dir") or "").strip().lower(),
        titles=[
            " ".join("".join(title.itertext()).split())
            for title in (head.iterfind("title") if head is not None else ())
        ],
        canonicals=[link.get("href") or "" for link in _links(root, "canonical")],
        alternates=[
            (link.get("hreflang"), link.get("href") or "") for link in _links(root, "alternate") if link.get("hreflang")
        ],
        without_alt=[
            (image.get("src") or "", image.sourceline or 0) for image in root.iter("img") if image.get("alt") is None
        ],
        robots=" ".join(
            (meta.get("content") or "").lower()
            for meta in root.iter("meta")
            if (meta.get("name") or "").lower() == "robots"
        ),
        mistakes=list(_mistakes(parser)),
    )


def _mistakes(parser: Any) -> Iterator[tuple[int, str]]:
    """Tags that do not fit together. That libxml2 does not know HTML's newer elements is no mistake."""
    for entry in parser.error_log:
        if entry.type_name in _TAG_ERRORS:
            yield entry.line, entry.message


def _links(root: Any, rel: str) -> Iterator[Any]:
    for link in root.iter("link"):
        if rel in (link.get("rel") or "").lower().split():
            yield link


def _ids(root: Any) -> tuple[set[str], list[tuple[str, int]]]:
    seen: set[str] = set()
    repeated = []
    for element in root.iter():
        name = element.get("id") if isinstance(element.tag, str) else None
        if name:
            if name in seen:
                repeated.append((name, element.sourceline or 0))
            seen.add(name)
    return seen | {anchor.get("name") for anchor in root.iter("a") if anchor.get("name")}, repeated


def _references(root: Any) -> Iterator[Reference]:
    for element, attribute, kind in _ATTRIBUTES:
        for found in root.iter(element):
            value = found.get(attribute) or (
                found.get("{http://www.w3.org/1999/xlink}href") if attribute == "href" else None
            )
            if value is None and attribute == "href":
                value = found.get("xlink:href")
            if value is not None:
                yield Reference(value.strip(), kind, element, found.sourceline or 0)
    for element in ("img", "source"):
        for found in root.iter(element):
            for url in srcset_urls(found.get("srcset") or ""):
                yield Reference(url, RESOURCE, element, found.sourceline or 0)
    yield from _head_references(root)


def _head_references(root: Any) -> Iterator[Reference]:
    for link in root.iter("link"):
        rels = set((link.get("rel") or "").lower().split())
        href = (link.get("href") or "").strip()
        if href and rels & _RESOURCE_RELS:
            yield Reference(href, RESOURCE, "link", link.sourceline or 0)
        elif href and rels & _LINK_RELS and not link.get("hreflang"):
            yield Reference(href, LINK, "link", link.sourceline or 0)
    for meta in root.iter("meta"):
        name = meta.get("property") or meta.get("name") or ""
        if name in _IMAGE_PROPERTIES and meta.get("content"):
            yield Reference(meta.get("content").strip(), RESOURCE, "meta", meta.sourceline or 0)


def srcset_urls(value: str) -> list[str]:
    """The URLs of a ``srcset``. Source: HTML, "srcset attributes": a URL runs to white space, and may hold commas."""
    urls = []
    rest = value.strip().lstrip(", \t\n")
    while rest:
        url, _, rest = _split_space(rest)
        if url.endswith(","):
            urls.append(url.rstrip(","))
        else:
            urls.append(url)
            rest = re.sub(r"^[^,(]*(\([^)]*\)[^,(]*)*,?", "", rest, count=1)
        rest = rest.lstrip(", \t\n\r\f")
    return [url for url in urls if url]


def _split_space(text: str) -> tuple[str, str, str]:
    found = re.match(r"(\S+)(\s*)(.*)", text, re.DOTALL)
    return (found[1], found[2], found[3]) if found else ("", "", "")


_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_URL = re.compile(
    r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"'\s]+))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE
)


def css_urls(text: str) -> list[str]:
    """The URLs in a stylesheet, comments left out. Source: CSS Syntax 3, url() and @import."""
    plain = _CSS_COMMENT.sub("", text)
    return [next(group for group in found.groups() if group is not None) for found in _CSS_URL.finditer(plain)]
