"""The rules of RSS 2.0 (rssboard.org/rss-specification, 2.0.11) and of its best practices profile."""

from __future__ import annotations

import re
from typing import Any

from toolkit.feeds.rules import ATOM, EXTENSIONS, Report, namespace_and_name, text_of
from toolkit.text import is_absolute

_CHANNEL = frozenset(
    {"title", "link", "description", "language", "copyright", "managingEditor", "webMaster", "pubDate"}
    | {"lastBuildDate", "category", "generator", "docs", "cloud", "ttl", "image", "rating", "textInput"}
    | {"skipHours", "skipDays", "item"}
)
_ITEM = frozenset(
    {
        "title",
        "link",
        "description",
        "author",
        "category",
        "comments",
        "enclosure",
        "guid",
        "pubDate",
        "source",
    }
)
_REPEATABLE = frozenset({"category", "item"})
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+( \(.*\))?", re.DOTALL)


def check_rss(root: Any, report: Report) -> None:
    """Report what breaks RSS 2.0 in a feed document.

    Args:
        root: Its ``rss`` element, of lxml.
        report: Where problems go.
    """
    if root.get("version") != "2.0":
        report.add(root, f"rss has the version {root.get('version')!r}, not '2.0'")
    channels = root.findall("channel")
    if len(channels) != 1:
        report.add(root, f"rss must have one <channel>, it has {len(channels)}")
        return
    _check_channel(channels[0], report)
    seen: dict[str, str] = {}
    for item in channels[0].findall("item"):
        _check_item(item, seen, report)


def _check_channel(channel: Any, report: Report) -> None:
    for name in ("title", "link", "description"):
        if not text_of(channel.find(name)):
            report.add(channel, f"the channel has no <{name}>")
    if not any(link.get("rel") == "self" for link in channel.findall(f"{{{ATOM}}}link")):
        report.add(channel, "the feed does not say where it is: no atom:link with rel=self")
    _check_children(channel, _CHANNEL, report)
    ttl = channel.find("ttl")
    if ttl is not None and not text_of(ttl).isdigit():
        report.add(ttl, f"ttl {text_of(ttl)!r} is not a number of minutes")
    image = channel.find("image")
    if image is not None:
        for name in ("url", "title", "link"):
            if not text_of(image.find(name)):
                report.add(image, f"the image has no <{name}>")


def _check_item(item: Any, seen: dict[str, str], report: Report) -> None:
    title = text_of(item.find("title"))
    if not title and not text_of(item.find("description")):
        report.add(item, "an item has neither title nor description")
    _check_children(item, _ITEM, report)
    guid = item.find("guid")
    if guid is None:
        report.add(item, f"item {title!r} has no guid: readers could not tell whether they have seen it")
    else:
        report.unique(guid, seen, "guid", text_of(guid), title)
        if guid.get("isPermaLink", "true") == "true" and not is_absolute(text_of(guid)):
            report.add(guid, f"guid {text_of(guid)!r} is no URL, but says it is one: set isPermaLink to false")
    for content in item.findall(_CONTENT) or item.findall("description"):
        report.content(content, content.text)


def _check_children(parent: Any, known: frozenset[str], report: Report) -> None:
    counts: dict[str, int] = {}
    for child in parent.iterchildren("*"):
        namespace, name = namespace_and_name(child)
        if namespace:
            _check_extension(child, namespace, name, report)
        elif name not in known:
            report.add(child, f"<{name}> is no element of an RSS {parent.tag}")
        else:
            counts[name] = counts.get(name, 0) + 1
            _check_child(child, name, report)
    for name, count in counts.items():
        if count > 1 and name not in _REPEATABLE:
            report.add(parent, f"{parent.tag} may have one <{name}>, it has {count}")


def _check_child(child: Any, name: str, report: Report) -> None:
    if name in ("link", "comments", "docs"):
        report.absolute(child, name, text_of(child))
    elif name in ("pubDate", "lastBuildDate"):
        report.rfc822(child, name, text_of(child))
    elif name == "language":
        report.language(child, text_of(child))
    elif name in ("author", "managingEditor", "webMaster") and not _EMAIL.fullmatch(text_of(child)):
        report.add(child, f"{name} {text_of(child)!r} is not an e-mail address; use dc:creator for a name")
    elif name == "enclosure":
        _check_enclosure(child, report)


def _check_enclosure(enclosure: Any, report: Report) -> None:
    report.absolute(enclosure, "enclosure", enclosure.get("url"))
    if not (enclosure.get("length") or "").isdigit():
        report.add(enclosure, f"enclosure has the length {enclosure.get('length')!r}, not a number of bytes")
    if "/" not in (enclosure.get("type") or ""):
        report.add(enclosure, f"enclosure has the type {enclosure.get('type')!r}, not a media type")


def _check_extension(child: Any, namespace: str, name: str, report: Report) -> None:
    if namespace == ATOM:
        if name == "link":
            report.absolute(child, "atom:link", child.get("href"))
        elif name in ("updated", "published"):
            report.rfc3339(child, f"atom:{name}", text_of(child))
    elif namespace not in EXTENSIONS:
        report.add(child, f"<{name}> is in the namespace {namespace!r}, which feed readers do not know")
