"""A built page, read again as a browser would: its ids, links, images and what its head says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import msgspec

from toolkit.checks.inline import script_urls, style_urls
from toolkit.checks.markup import Mistake, find_mistakes

LINK, RESOURCE = "link", "resource"

_ATTRIBUTES: tuple[tuple[str, str, str], ...] = (
    ("a", "href", LINK),
    ("area", "href", LINK),
    ("iframe", "src", LINK),
    ("form", "action", LINK),
    ("button", "formaction", LINK),
    ("input", "formaction", LINK),
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
_CONNECTING_RELS = {"preconnect", "dns-prefetch", "prefetch", "prerender"}
_XLINK = "{http://www.w3.org/1999/xlink}href"
_REFRESH = re.compile(r"""\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?["']?(.+?)["']?\s*$""", re.IGNORECASE)
"""What a page is to be exchanged for. Source: HTML, "shared declarative refresh steps"."""

_FIELDS = ("input", "select", "textarea")
_UNLABELLED = {"hidden", "submit", "button", "reset", "image"}
"""Kinds of ``<input>`` that need no label."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A URL in a page.

    Args:
        url: As it is written.
        kind: ``link`` (somebody may follow it) or ``resource`` (the page needs it).
        is_image: It is shown as an image.
        element: The element it stands in.
        line: Its line in the built file.
    """

    url: str
    kind: str
    element: str
    line: int
    is_image: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with one element.

    Args:
        check: Which check says so.
        line: Its line in the built file.
        what: In words.
    """

    check: str
    line: int
    what: str


@dataclass(slots=True)
class Document:
    """What the checks want to know of a built page.

    Args:
        url: Its URL path.
        path: Its file below the output folder.
        base: What its URLs are relative to: its URL path, or what ``<base>`` says.
        ids: The ids in it, and names of anchors.
        repeated: Ids that stand twice, with the line of the second.
        references: The URLs in it.
        hosts: URLs of other hosts that its head tells the browser to connect to.
        language: ``lang`` of ``<html>``; empty without.
        direction: ``dir`` of ``<html>``; empty without.
        titles: The texts of ``<title>`` in the head.
        description: Its description for search engines; empty without.
        canonicals: Its canonical URLs.
        alternates: (hreflang, URL) of its editions.
        robots: What it tells robots.
        faults: What is wrong with single elements.
        mistakes: What is wrong with its tags.
    """

    url: str
    path: str
    base: str
    ids: frozenset[str]
    repeated: list[tuple[str, int]]
    references: list[Reference]
    hosts: list[Reference]
    language: str
    direction: str
    titles: list[str]
    description: str
    canonicals: list[str]
    alternates: list[tuple[str, str]]
    robots: str
    faults: list[Fault]
    mistakes: list[Mistake]

    @property
    def is_indexable(self) -> bool:
        """Whether search engines may keep it."""
        return "noindex" not in self.robots


def read_document(body: bytes, *, url: str, path: str, served_at: str = "") -> Document:
    """Read a built page.

    Args:
        body: The file's content, in UTF-8.
        url: Its URL path.
        path: Its file below the output folder.
        served_at: Its URL path as browsers know it, where the site is published below a path.
    """
    root = parse(body)
    ids, repeated = read_ids(root)
    base = next((found.get("href") or "" for found in root.iter("base") if found.get("href")), "")
    head = root.find("head")
    return Document(
        url=url,
        path=path,
        base=urljoin(served_at or url, base.strip()),
        ids=frozenset(ids),
        repeated=repeated,
        references=list(_references(root)),
        hosts=list(_connections(root)),
        language=(root.get("lang") or "").strip(),
        direction=(root.get("dir") or "").strip().lower(),
        titles=[_text(title) for title in (head.iterfind("title") if head is not None else ())],
        description=_meta(root, "description"),
        canonicals=[link.get("href") or "" for link in _links(root, "canonical")],
        alternates=[
            (link.get("hreflang"), link.get("href") or "") for link in _links(root, "alternate") if link.get("hreflang")
        ],
        robots=_meta(root, "robots").lower(),
        faults=[*_images(root), *_ids(root), *_controls(root), *_labels(root), *_headings(root), *_json_ld(root)],
        mistakes=find_mistakes(body.decode("utf-8", "replace")) if body else [],
    )


def parse(body: bytes) -> Any:
    """The root of a page's tree, as browsers would see it; an empty ``<html>`` for an empty file."""
    from lxml import etree

    root: Any = None
    if body.strip():
        root = etree.fromstring(body, etree.HTMLParser(encoding="utf-8", huge_tree=True))
    if root is None:
        return etree.Element("html")
    for template in list(root.iter("template")):  # a document of its own: browsers show nothing of it
        for child in list(template):
            template.remove(child)
    return root


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _meta(root: Any, name: str) -> str:
    """What the ``<meta>`` of this name say."""
    return " ".join(
        (meta.get("content") or "") for meta in root.iter("meta") if (meta.get("name") or "").lower() == name
    )


def _images(root: Any) -> Iterator[Fault]:
    for image in root.iter("img"):
        source, line = image.get("src") or "", image.sourceline or 0
        if image.get("alt") is None:
            yield Fault("html.alt", line, f"the image {source} has no alt")
        if not (image.get("width") and image.get("height")) and not source.startswith("data:"):
            yield Fault("html.image-size", line, f"the image {source} has no width and height")
    for kind in ("input", "area"):
        for found in root.iter(kind):
            is_image = (
                (found.get("type") or "").lower() == "image" if kind == "input" else found.get("href") is not None
            )
            if is_image and not (found.get("alt") or "").strip():  # both lead somewhere, so they have to say where
                yield Fault("html.alt", found.sourceline or 0, f"<{kind}> has no alt, and is to be followed")


def _ids(root: Any) -> Iterator[Fault]:
    """Source: HTML, "The id attribute": at least one character, and no white space."""
    for element in root.iter():
        name = element.get("id") if isinstance(element.tag, str) else None
        if name is not None and (not name or re.search(r"\s", name)):
            what = f"the id {name!r} has white space in it" if name else f"<{element.tag}> has an empty id"
            yield Fault("html.ids", element.sourceline or 0, what)


def _controls(root: Any) -> Iterator[Fault]:
    """Links and buttons that say nothing."""
    for link in root.iter("a"):
        if link.get("href") is not None and not _is_named(link):
            yield Fault("html.empty-link", link.sourceline or 0, f"the link to {link.get('href')} has no text")
    for button in root.iter("button"):
        if not _is_named(button):
            yield Fault("html.empty-button", button.sourceline or 0, "a button has no text")


def _is_named(element: Any) -> bool:
    """Whether somebody who listens to the page is told what this is. Source: "Accessible Name Computation"."""
    if any((element.get(name) or "").strip() for name in ("aria-label", "aria-labelledby", "title")):
        return True
    if element.get("aria-hidden") == "true" or any(text.strip() for text in element.itertext()):
        return True
    inner = (one for kind in ("img", "svg", "input") for one in element.iter(kind))
    return any((one.get("alt") or one.get("aria-label") or one.get("title") or "").strip() for one in inner)


def _labels(root: Any) -> Iterator[Fault]:
    labelled = {label.get("for") for label in root.iter("label")}
    for kind in _FIELDS:
        for field in root.iter(kind):
            if kind == "input" and (field.get("type") or "text").lower() in _UNLABELLED:
                continue
            said = any(field.get(name) for name in ("aria-label", "aria-labelledby", "title"))
            if said or (field.get("id") and field.get("id") in labelled) or _is_within(field, "label"):
                continue
            yield Fault("html.label", field.sourceline or 0, f"the field {field.get('name') or kind} has no label")


def _is_within(element: Any, name: str) -> bool:
    return next(element.iterancestors(name), None) is not None


def _headings(root: Any) -> Iterator[Fault]:
    last = 0
    for heading in root.iter("h1", "h2", "h3", "h4", "h5", "h6"):
        level = int(heading.tag[1])
        if not _is_named(heading):
            yield Fault("html.headings", heading.sourceline or 0, f"an <h{level}> is empty")
        if last and level > last + 1:
            what = f"an <h{level}> follows an <h{last}>: {_text(heading)[:40]!r}"
            yield Fault("html.headings", heading.sourceline or 0, what)
        last = level


def _json_ld(root: Any) -> Iterator[Fault]:
    """Source: JSON-LD 1.1, "Embedding JSON-LD in HTML Documents"."""
    for script in root.iter("script"):
        if (script.get("type") or "").lower() != "application/ld+json":
            continue
        line = script.sourceline or 0
        try:
            found = msgspec.json.decode((script.text or "").strip().encode())
        except msgspec.DecodeError as error:
            yield Fault("html.json-ld", line, f"the JSON-LD is no JSON: {error}")
            continue
        things = found if isinstance(found, list) else [found]
        if not all(isinstance(thing, dict) and ("@type" in thing or "@graph" in thing) for thing in things):
            yield Fault("html.json-ld", line, "the JSON-LD does not say what it describes: it has no @type")
        elif not all("@context" in thing for thing in things):
            yield Fault("html.json-ld", line, "the JSON-LD has no @context, such as https://schema.org")


def _links(root: Any, rel: str) -> Iterator[Any]:
    for link in root.iter("link"):
        if rel in (link.get("rel") or "").lower().split():
            yield link


def read_ids(root: Any) -> tuple[set[str], list[tuple[str, int]]]:
    """The ids in a tree, with names of anchors; and (id, line) of those that stand twice."""
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
            value = found.get(attribute)
            if value is None and attribute == "href":
                value = found.get(_XLINK) or found.get("xlink:href")
            if value is not None:
                yield Reference(value.strip(), kind, element, found.sourceline or 0, element in ("img", "image"))
    for element, attribute in (("img", "srcset"), ("source", "srcset"), ("link", "imagesrcset")):
        for found in root.iter(element):
            for url in srcset_urls(found.get(attribute) or ""):
                yield Reference(url, RESOURCE, element, found.sourceline or 0)
    yield from _inline(root)
    yield from _head_references(root)


def _inline(root: Any) -> Iterator[Reference]:
    """What styles and scripts in the page name."""
    for found in root.iter():
        if isinstance(found.tag, str):
            urls = script_urls(found) if found.tag == "script" else style_urls(found)
            yield from (Reference(url, RESOURCE, found.tag, found.sourceline or 0) for url in urls)


def _connections(root: Any) -> Iterator[Reference]:
    for link in root.iter("link"):
        if _CONNECTING_RELS & set((link.get("rel") or "").lower().split()):
            yield Reference((link.get("href") or "").strip(), RESOURCE, "link", link.sourceline or 0)


def _head_references(root: Any) -> Iterator[Reference]:
    for link in root.iter("link"):
        rels = set((link.get("rel") or "").lower().split())
        href = (link.get("href") or "").strip()
        if href and rels & _RESOURCE_RELS:
            yield Reference(href, RESOURCE, "link", link.sourceline or 0)
        elif href and rels & _LINK_RELS and not link.get("hreflang"):
            yield Reference(href, LINK, "link", link.sourceline or 0)
    for meta in root.iter("meta"):
        if (meta.get("http-equiv") or "").lower() == "refresh" and (found := _REFRESH.match(meta.get("content") or "")):
            yield Reference(found[1], LINK, "meta", meta.sourceline or 0)
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
