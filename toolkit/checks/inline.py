"""What the styles and scripts that stand in a page itself name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from toolkit.assets.scripts import iter_script_references
from toolkit.assets.stylesheets import iter_references

_MODULE, _IMPORT_MAP = "module", "importmap"
_SCRIPTS = ("", _MODULE, "text/javascript", "application/javascript")


def css_urls(text: str) -> list[str]:
    """The URLs of a stylesheet or of an attribute ``style``; source maps, which only debuggers ask for, left out."""
    return [one.url for one in iter_references(text) if not one.optional]


def style_urls(element: Any) -> Iterator[str]:
    """What a ``<style>``, or the attribute ``style`` of an element, names; its own fragments left out."""
    text = (element.text if element.tag == "style" else element.get("style")) or ""
    if "url(" in text or "@import" in text or "image-set(" in text:
        yield from (url for url in map(str.strip, css_urls(text)) if not url.startswith("#"))


def script_urls(script: Any) -> Iterator[str]:
    """What a ``<script>`` without ``src`` imports, or maps names of packages to.

    Source: HTML, "Import maps", "Resolving module specifiers".
    """
    kind, text = (script.get("type") or "").strip().lower(), script.text or ""
    if script.get("src") is not None or kind not in (*_SCRIPTS, _IMPORT_MAP):
        return
    urls = _mapped(text) if kind == _IMPORT_MAP else [one.url for one in iter_script_references(text) if one.bare]
    for url in urls:
        if url.startswith(("./", "../", "/", "http://", "https://")) and not url.endswith("/"):
            yield url


def _mapped(text: str) -> list[str]:
    try:
        found = msgspec.json.decode(text.strip().encode())
        maps = [found.get("imports", {}), *found.get("scopes", {}).values()]
        return [url for one in maps for url in one.values() if isinstance(url, str)]
    except (msgspec.DecodeError, AttributeError):  # browsers take none of it
        return []
