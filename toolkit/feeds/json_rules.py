"""The rules of JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

from __future__ import annotations

from typing import Any

from toolkit.feeds.rules import Report

_VERSIONS = ("https://jsonfeed.org/version/1.1", "https://jsonfeed.org/version/1")
_URLS_OF_FEED = ("home_page_url", "feed_url", "next_url", "icon", "favicon")
_URLS_OF_ITEM = ("url", "external_url", "image", "banner_image")


def check_json(document: Any, report: Report) -> None:
    """Report what breaks JSON Feed 1.1.

    Args:
        document: The parsed feed.
        report: Where problems go.
    """
    if not isinstance(document, dict):
        report.add("feed", "a JSON Feed is an object")
        return
    if document.get("version") not in _VERSIONS:
        report.add("feed", f"version {document.get('version')!r} is not {_VERSIONS[0]!r}")
    if not _is_text(document.get("title")):
        report.add("feed", "the title is missing")
    if not document.get("feed_url"):
        report.add("feed", "the feed does not say where it is: no feed_url")
    _check_urls("feed", document, _URLS_OF_FEED, report)
    report.language("feed", document.get("language"))
    items = document.get("items")
    if not isinstance(items, list):
        report.add("feed", "items must be a list")
        return
    seen: dict[str, str] = {}
    for number, item in enumerate(items):
        _check_item(f"item {number + 1}", item, seen, report)


def _check_item(place: str, item: Any, seen: dict[str, str], report: Report) -> None:
    if not isinstance(item, dict):
        report.add(place, "an item is an object")
        return
    if not _is_text(item.get("id")):
        report.add(place, "the id is missing or no text")
    else:
        report.unique(place, seen, "id", item["id"], f"{place} {item.get('title', '')}")
    if "content_html" not in item and "content_text" not in item:
        report.add(place, "there is neither content_html nor content_text")
    report.content(place, item.get("content_html"))
    _check_urls(place, item, _URLS_OF_ITEM, report)
    for name in ("date_published", "date_modified"):
        if name in item:
            report.rfc3339(place, name, item[name])
    report.language(place, item.get("language"))
    for file in item.get("attachments", ()):
        report.absolute(place, "attachment", file.get("url"))
        if "/" not in str(file.get("mime_type")):
            report.add(place, f"attachment has the mime_type {file.get('mime_type')!r}, not a media type")


def _check_urls(place: str, owner: dict[str, Any], names: tuple[str, ...], report: Report) -> None:
    for name in names:
        if name in owner:
            report.absolute(place, name, owner[name])


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
