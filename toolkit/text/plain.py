"""The text of a piece of HTML, without its tags."""

from __future__ import annotations

import re
from html.parser import HTMLParser

BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "dialog", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "head", "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "option", "p",
    "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr",
    "ul",
})  # fmt: skip
"""Elements that end a line of text."""

REPLACED = frozenset({"img", "picture", "video", "audio", "svg", "canvas", "input", "button", "select", "textarea"})
"""Elements that part words without ending a line."""

HIDDEN = frozenset({"script", "style", "template", "noscript", "iframe", "object"})
"""Elements whose content nobody reads."""

_UNFINISHED_TAG = re.compile("<[A-Za-z/!?]")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self.hidden.append(tag)
        else:
            self.pieces.append(_gap(tag))

    def handle_endtag(self, tag: str) -> None:
        if self.hidden and tag == self.hidden[-1]:
            self.hidden.pop()
        else:
            self.pieces.append(_gap(tag))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pieces.append(_gap(tag))

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.pieces.append(data)


def plain_text(html: str) -> str:
    """What a reader sees of HTML, one line a block, white space collapsed.

    Args:
        html: A fragment or a document; it need not be well formed. Scripts and styles are left out.
    """
    if "<" not in html and "&" not in html:
        return " ".join(html.split())
    parser = _Text()
    parser.feed(html)
    if not is_unfinished(parser):
        parser.close()
    lines = (" ".join(line.split()) for line in re.split("\n+", "".join(_keep_lines(parser.pieces))))
    return "\n".join(line for line in lines if line)


def is_unfinished(parser: HTMLParser) -> bool:
    """Whether the input ended inside a tag: browsers drop ``<a hr``, closing the parser would make it text."""
    return _UNFINISHED_TAG.match(parser.rawdata) is not None


def _gap(tag: str) -> str:
    """What a tag puts between the texts before and after it."""
    return "\n" if tag in BLOCKS else " " if tag in REPLACED else ""


def _keep_lines(pieces: list[str]) -> list[str]:
    """Only blocks make lines; a line end in the source of the HTML is a space."""
    return [piece if piece == "\n" else re.sub(r"\s+", " ", piece) for piece in pieces]
