"""SVG: what could run or fetch something is taken out; the drawing is passed on as it is.

Browsers run no script of an SVG that stands in an ``<img>``; but it has a URL of its own, and whoever opens that
opens a document of the site.
"""

from __future__ import annotations

import math
import re
from typing import Any

from toolkit.errors import ImageError

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

_START = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?:\s|<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\])?>)*<(?:\w+:)?svg\b", re.DOTALL
)
_LENGTH = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)(px|pt|mm|cm|in|)\s*")
_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_FORBIDDEN = frozenset({
    "script", "foreignObject", "iframe", "object", "embed", "audio", "video", "canvas", "handler", "listener",
})  # fmt: skip
_URL = re.compile(r"url\(\s*(['\"]?)(?!\s*#)(?!\s*data:image/(?:png|jpeg|gif|webp|avif);)[^)]*\1\s*\)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?)?")
_IMPORT = re.compile(r"@import[^;]*;?", re.IGNORECASE)
_SAFE_LINK = re.compile(r"\s*(#|data:image/(png|jpeg|gif|webp|avif);base64,)", re.IGNORECASE)
MOST_BYTES = 10_000_000


def is_svg(body: bytes) -> bool:
    """Whether a file is an SVG by its content."""
    return _START.match(body[:4096]) is not None


def svg_size(body: bytes, label: str) -> tuple[int, int]:
    """Width and height in CSS pixels: those that are written, or those of the view box.

    Raises:
        ImageError: It cannot be read, or says neither.
    """
    root = _parse(body, label)
    width, height = _length(root.get("width")), _length(root.get("height"))
    box = re.split(r"[\s,]+", (root.get("viewBox") or "").strip())
    if len(box) == 4:
        try:
            across, down = float(box[2]), float(box[3])
        except ValueError:
            across = down = 0.0
        if across > 0 and down > 0 and math.isfinite(across) and math.isfinite(down):
            if not width and not height:
                width, height = across, down
            width = width or height * across / down
            height = height or width * down / across
    if not width or not height:
        raise ImageError(
            f"{label} says neither its size nor its view box", hint='Give its <svg> a viewBox="0 0 WIDTH HEIGHT".'
        )
    return max(1, round(width)), max(1, round(height))


def clean_svg(body: bytes, label: str) -> bytes:
    """The drawing without scripts, handlers, animations of links, and references to anything outside.

    Raises:
        ImageError: It cannot be read.
    """
    from lxml import etree

    root = _parse(body, label)
    for element in list(root.iter()):
        if not isinstance(element.tag, str):  # comments, processing instructions, entities
            _drop(element)
            continue
        name = etree.QName(element)
        if name.localname in _FORBIDDEN or name.namespace not in (SVG, None):
            _drop(element)
        elif name.localname == "a":
            _clean_attributes(element)
            _unlink(element)
        else:
            _clean_attributes(element)
            if name.localname == "style":
                element.text = _clean_style("".join(element.itertext()))
                for child in list(element):
                    element.remove(child)
    if root.tag != f"{{{SVG}}}svg":
        raise ImageError(f"{label} is no SVG: its <svg> is of the namespace {etree.QName(root).namespace!r}")
    return bytes(etree.tostring(root, encoding="utf-8"))


def _parse(body: bytes, label: str) -> Any:
    from lxml import etree

    if len(body) > MOST_BYTES:
        raise ImageError(f"{label} has {len(body)} bytes: an SVG of at most {MOST_BYTES} is allowed")
    if b"<!ENTITY" in body:
        raise ImageError(f"{label} defines entities, which can grow without end", hint="Save it without them.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise ImageError(f"{label} is no SVG that can be read: {error}") from error


def _length(text: str | None) -> float:
    match = _LENGTH.fullmatch(text or "")
    return float(match[1]) * _UNITS[match[2]] if match else 0.0


def _drop(element: Any) -> None:
    """Remove an element, and keep the text after it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _unlink(element: Any) -> None:
    """A link leads out of the picture: it becomes a group."""
    element.tag = f"{{{SVG}}}g"
    for name in ("href", f"{{{XLINK}}}href", "target"):
        element.attrib.pop(name, None)


def _clean_attributes(element: Any) -> None:
    from lxml import etree

    for name, value in list(element.attrib.items()):
        plain = etree.QName(name).localname.lower()
        if plain.startswith("on") or (plain in ("href", "src", "base") and not _SAFE_LINK.match(value)):
            del element.attrib[name]
        elif plain == "attributename" and value.rpartition(":")[2].lower().startswith(("href", "on")):
            element.attrib[name] = "none"
        elif "url(" in value.lower() or plain == "style":
            element.attrib[name] = _clean_style(value)


def _unescaped(match: re.Match[str]) -> str:
    number = int(match[1], 16) if match[1] else 0
    return chr(number) if 0x20 <= number < 0xD800 else ""


def _clean_style(text: str) -> str:
    if "\\" in text:  # an escape could hide any of the words that are looked for
        text = _ESCAPE.sub(_unescaped, text)
    return _URL.sub("none", _IMPORT.sub("", text))
