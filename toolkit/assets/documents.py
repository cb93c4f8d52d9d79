"""The files that SVG drawings and web manifests refer to.

Source: SVG 2 §17 (links are of readers, other references are of files); Web Application Manifest §1.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from itertools import chain

from toolkit.assets.references import Reference
from toolkit.assets.stylesheets import iter_references
from toolkit.text.patterns import deferred

_COMMENT = deferred(r"<!--[\s\S]*?-->|<!\[CDATA\[")
_ELEMENT = deferred(
    r"<(?:image|use|feImage|mpath|textPath|linearGradient|radialGradient|pattern|filter|script|tref)\b[^>]*>"
    r"|<\?xml-stylesheet\b[^>]*\?>",
    re.IGNORECASE,
)
_HREF = deferred(r"""\s(?:xlink:)?href\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')""")
_STYLED = deferred(r"""<style\b[^>]*>(?P<sheet>[\s\S]*?)</style>|\s[\w-]+\s*=\s*"(?P<value>[^"]*url\([^"]*)\"""")
_SOURCE = deferred(r'"src"\s*:\s*"(?P<url>(?:[^"\\]|\\.)*)"')


def iter_drawing_references(text: str) -> Iterator[Reference]:
    """Everything an SVG refers to, in order; fragments of itself included, links for readers not."""
    plain = _COMMENT.sub(lambda match: " " * len(match[0]), text)
    found = chain(_hrefs(plain), _styles(plain))
    yield from sorted(found, key=lambda reference: reference.start)


def _hrefs(text: str) -> Iterator[Reference]:
    for element in _ELEMENT.finditer(text):
        for match in _HREF.finditer(text, element.start(), element.end()):
            name = "double" if match["double"] is not None else "single"
            yield _reference(text, html.unescape(match[name]), match.start(name), match.end(name), "attribute")


def _styles(text: str) -> Iterator[Reference]:
    for match in _STYLED.finditer(text):
        name = "sheet" if match["sheet"] is not None else "value"
        for inner in iter_references(match[name]):
            start, end = match.start(name) + inner.start, match.start(name) + inner.end
            if text[start] in "\"'":
                start, end = start + 1, end - 1
            yield _reference(text, html.unescape(inner.url), start, end, "attribute")


def iter_manifest_references(text: str) -> Iterator[Reference]:
    """The icons and screenshots of a web manifest."""
    for match in _SOURCE.finditer(text):
        url = json.loads(f'"{match["url"]}"')
        yield _reference(text, url, match.start("url"), match.end("url"), "json")


def _reference(text: str, url: str, start: int, end: int, style: str) -> Reference:
    return Reference(url, text.count("\n", 0, start) + 1, start, end, style)
