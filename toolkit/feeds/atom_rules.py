"""The rules of Atom 1.0 (RFC 4287)."""

from __future__ import annotations

import re
from typing import Any

from toolkit.feeds.rules import ATOM, EXTENSIONS, XHTML, Report, namespace_and_name, text_of

_FEED = frozenset(
    {
        "author",
        "category",
        "contributor",
        "generator",
        "icon",
        "id",
        "link",
        "logo",
        "rights",
        "subtitle",
        "title",
    }
    | {"updated", "entry"}
)
_ENTRY = frozenset(
    {"author", "category", "content", "contributor", "id", "link", "published", "rights", "source", "summary"}
    | {"title", "updated"}
)
_REQUIRED = ("id", "title", "updated")
_ONCE_IN_FEED = ("generator", "icon", "logo", "rights", "subtitle")
_ONCE_IN_ENTRY = ("content", "published", "rights", "source", "summary")
_PERSON = frozenset({"name", "uri", "email"})
_TEXT_TYPES = ("text", "html", "xhtml")
_MEDIA_TYPE = re.compile(r"[^\s/;]+/[^\s/;]+(\s*;.*)?")
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def check_atom(root: Any, report: Report) -> None:
    """Report what breaks RFC 4287 in a feed document.

    Args:
        root: Its ``feed`` element, of lxml.
        report: Where problems go.
    """
    _check_children(root, _FEED, _ONCE_IN_FEED, report)
    report.language(root, root.get(_XML_LANG))
    if not any(link.get("rel") == "self" for link in _all(root, "link")):
        report.add(root, "the feed does not say where it is: no link with rel=self (§4.1.1)")
    entries = _all(root, "entry")
    if not _all(root, "author"):
        for entry in entries:
            if not _all(entry, "author"):
                report.add(entry, f"{_title(entry)} has no author, nor has the feed (§4.1.1)")
    seen: dict[str, str] = {}
    for entry in entries:
        _check_entry(entry, seen, report)


def _check_entry(entry: Any, seen: dict[str, str], report: Report) -> None:
    _check_children(entry, _ENTRY, _ONCE_IN_ENTRY, report)
    report.unique(entry, seen, "id", text_of(entry.find(f"{{{ATOM}}}id")), _title(entry))
    report.language(entry, entry.get(_XML_LANG))
    content = entry.find(f"{{{ATOM}}}content")
    links = [link for link in _all(entry, "link") if link.get("rel", "alternate") == "alternate"]
    if content is None and not links:
        report.add(entry, f"{_title(entry)} has neither content nor an alternate link (§4.1.2)")
    if content is not None:
        _check_content(content, report)


def _check_content(content: Any, report: Report) -> None:
    """RFC 4287 §4.1.3."""
    kind = content.get("type", "text")
    if kind not in _TEXT_TYPES and not _MEDIA_TYPE.fullmatch(kind):
        report.add(content, f"content has the type {kind!r}, which is none of text, html, xhtml or a media type")
    if content.get("src") is not None:
        report.absolute(content, "content src", content.get("src"))
    elif kind == "html":
        report.content(content, content.text)
    elif kind == "xhtml" and [child.tag for child in content] != [f"{{{XHTML}}}div"]:
        report.add(content, "content of type xhtml must hold one XHTML div")


def _check_children(parent: Any, known: frozenset[str], once: tuple[str, ...], report: Report) -> None:
    for name in _REQUIRED:
        if len(_all(parent, name)) != 1:
            report.add(parent, f"{_title(parent)} must have one <{name}>, it has {len(_all(parent, name))}")
    for name in once:
        if len(_all(parent, name)) > 1:
            report.add(parent, f"{_title(parent)} may have one <{name}>, it has {len(_all(parent, name))}")
    for child in parent.iterchildren("*"):
        namespace, name = namespace_and_name(child)
        if namespace == ATOM and name not in known:
            report.add(child, f"<{name}> is no element of an Atom {namespace_and_name(parent)[1]}")
        elif namespace == ATOM:
            _check_child(child, name, report)
        elif namespace not in EXTENSIONS:
            report.add(child, f"<{name}> is in the namespace {namespace!r}, which feed readers do not know")
    _check_alternates(parent, report)


def _check_child(child: Any, name: str, report: Report) -> None:
    if name in ("id", "icon", "logo"):
        report.absolute(child, name, text_of(child))
    elif name in ("updated", "published"):
        report.rfc3339(child, name, text_of(child))
    elif name in ("author", "contributor"):
        _check_person(child, name, report)
    elif name == "link":
        report.absolute(child, "link", child.get("href"))
        if child.get("rel") == "enclosure" and not (child.get("length") or "0").isdigit():
            report.add(child, f"enclosure has the length {child.get('length')!r}, not a number of bytes")
    elif name == "category" and not child.get("term"):
        report.add(child, "category has no term (§4.2.2)")
    elif name in ("title", "subtitle", "summary", "rights") and child.get("type", "text") not in _TEXT_TYPES:
        report.add(child, f"{name} has the type {child.get('type')!r}, which is none of text, html, xhtml (§3.1)")
    if name == "title" and not "".join(child.itertext()).strip():
        report.add(child, "title is empty")


def _check_person(person: Any, kind: str, report: Report) -> None:
    """RFC 4287 §3.2."""
    names = [namespace_and_name(child)[1] for child in person.iterchildren(f"{{{ATOM}}}*")]
    if names.count("name") != 1:
        report.add(person, f"{kind} must have one <name>, it has {names.count('name')}")
    for extra in sorted(set(names) - _PERSON):
        report.add(person, f"<{extra}> is no element of an {kind}")
    for uri in person.iterchildren(f"{{{ATOM}}}uri"):
        report.absolute(uri, "uri", text_of(uri))


def _check_alternates(parent: Any, report: Report) -> None:
    """At most one alternate link of one type and language (§4.1.1, §4.1.2)."""
    kinds = [
        (link.get("type"), link.get("hreflang"))
        for link in _all(parent, "link")
        if link.get("rel", "alternate") == "alternate"
    ]
    for kind in dict.fromkeys(kinds):
        if kinds.count(kind) > 1:
            report.add(parent, f"{_title(parent)} has {kinds.count(kind)} alternate links of one type and language")


def _all(parent: Any, name: str) -> list[Any]:
    found: list[Any] = parent.findall(f"{{{ATOM}}}{name}")
    return found


def _title(element: Any) -> str:
    kind = namespace_and_name(element)[1]
    return f"{kind} {text_of(element.find(f'{{{ATOM}}}title'))!r}"
