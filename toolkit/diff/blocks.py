"""A page as people read it: blocks of text, and what changed from one list of blocks to another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr",
    "legend", "li", "main", "nav", "ol", "option", "p", "pre", "search", "section", "select", "summary", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
}  # fmt: skip
_SKIPPED = {"script", "style", "template", "noscript", "head"}
_MARKS = {
    "h1": "# ",
    "h2": "## ",
    "h3": "### ",
    "h4": "#### ",
    "h5": "##### ",
    "h6": "###### ",
    "li": "- ",
    "blockquote": "> ",
}
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")

MOST_BLOCKS = 4000
"""Beyond so many, blocks are compared only between the common beginning and the common end."""


def page_blocks(body: bytes) -> list[str]:
    """The blocks of an HTML page: title, description, then what is in its body.

    Args:
        body: The page.
    """
    from lxml import etree, html

    if not body.strip():
        return []
    try:
        root = html.document_fromstring(body, parser=html.HTMLParser(encoding="utf-8"))
    except (etree.ParserError, ValueError):
        return [body.decode("utf-8", "replace")]
    blocks = [*_head(root)]
    page = root.find("body")
    if page is not None:
        reader = _Reader()
        reader.read(page, "")
        reader.end()
        blocks += reader.blocks
    return blocks


def _head(root: Any) -> Iterator[str]:
    title = root.findtext("head/title")
    if title and title.strip():
        yield f"title: {_squeezed(title)}"
    for meta in root.iterfind("head/meta"):
        name = meta.get("name") or meta.get("property") or ""
        if meta.get("content") and name:
            yield f"{name}: {_squeezed(meta.get('content'))}"
    for link in root.iterfind("head/link"):
        if link.get("rel") in ("canonical", "alternate"):
            language = f" {link.get('hreflang')}" if link.get("hreflang") else ""
            yield f"{link.get('rel')}{language}: {link.get('href')}"


class _Reader:
    """Collects blocks while it walks through a page."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self._parts: list[str] = []
        self._mark = ""

    def read(self, node: Any, mark: str) -> None:
        tag = node.tag if isinstance(node.tag, str) else ""
        if not tag or tag in _SKIPPED:
            self._say(node.tail)
            return
        if tag in _BLOCKS:
            self.end()
            self._mark = mark = _MARKS.get(tag, mark)
        self._say(_opening(node, tag))
        self._say(node.text)
        for child in node:
            self.read(child, mark)
        self._say(_closing(node, tag))
        if tag in _BLOCKS:
            self.end()
        self._say(node.tail)

    def end(self) -> None:
        text = _squeezed("".join(self._parts))
        if text:
            self.blocks.append(self._mark + text)
            self._mark = ""
        self._parts = []

    def _say(self, text: str | None) -> None:
        if text:
            self._parts.append(text)


def _opening(node: Any, tag: str) -> str:
    if tag == "img":
        return f"![{node.get('alt') or ''}]({node.get('src') or ''})"
    if tag == "a" and node.get("href"):
        return "["
    if tag == "input":
        return f"<{node.get('type') or 'text'} {node.get('name') or ''}>"
    return " " if tag == "br" else ""


def _closing(node: Any, tag: str) -> str:
    return f"]({node.get('href')})" if tag == "a" and node.get("href") else ""


def _squeezed(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Change:
    """Blocks that were there and blocks that are there instead.

    Args:
        old: Blocks of the first page.
        new: Blocks of the second.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """(old, new) block by block; one of them is empty where there is none."""
        for number in range(max(len(self.old), len(self.new))):
            yield (
                self.old[number] if number < len(self.old) else "",
                self.new[number] if number < len(self.new) else "",
            )


def block_changes(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """What changed between two lists of blocks, in order."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(left), len(right)) > MOST_BLOCKS:
        return [Change(tuple(left), tuple(right))]
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return [
        Change(tuple(left[i1:i2]), tuple(right[j1:j2]))
        for kind, i1, i2, j1, j2 in matcher.get_opcodes()
        if kind != "equal"
    ]


def word_changes(old: str, new: str) -> list[tuple[str, str]]:
    """(kind, text) of the words of two blocks: ``same``, ``old`` or ``new``."""
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    found: list[tuple[str, str]] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("same", "".join(left[i1:i2])))
            continue
        if i1 < i2:
            found.append(("old", "".join(left[i1:i2])))
        if j1 < j2:
            found.append(("new", "".join(right[j1:j2])))
    return found


def is_akin(old: str, new: str) -> bool:
    """Whether two blocks are one that was edited, rather than two."""
    if not old or not new:
        return False
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    return SequenceMatcher(None, left, right, autojunk=False).quick_ratio() > 0.4
