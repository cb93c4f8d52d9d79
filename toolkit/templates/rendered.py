"""What Markdown becomes: HTML, and what was met on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup, escape

from toolkit.text import plain_text, reading_time_minutes, truncate_words, word_count
from toolkit.text.patterns import deferred

ATTRIBUTES = r"""(?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*"""
"""Of a tag that pyromark wrote."""

HEADING = deferred(rf"<h([1-6])({ATTRIBUTES})>(.*?)</h\1>", re.DOTALL)
_PARAGRAPH = deferred(r"<p>(.*?)</p>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a text: its level (1 to 6), its id and its words."""

    level: int
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a text: its address, the words in its stead and its title."""

    src: str
    alt: str = ""
    title: str = ""


@dataclass(frozen=True)
class Rendered:
    """A text as HTML, and what was met on the way.

    Args:
        html: The HTML, safe to print.
        headings: Its headings in order (the table of contents).
        links: The addresses it links to, as resolved, in order.
        images: Its images, as resolved, in order.
        refused: Addresses that were dropped because following them would run something.
    """

    html: Markup
    headings: tuple[Heading, ...] = ()
    links: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    refused: tuple[str, ...] = ()

    def __html__(self) -> str:
        return str(self.html)

    def __str__(self) -> str:
        return str(self.html)

    @cached_property
    def text(self) -> str:
        """What a reader sees, one line a block."""
        return plain_text(str(self.html))

    @cached_property
    def word_count(self) -> int:
        """How many words it has; ideographs count one by one."""
        return word_count(self.text)

    @property
    def reading_time_minutes(self) -> int:
        """How long reading it takes, at least one minute."""
        return reading_time_minutes(self.text)

    @property
    def first_paragraph(self) -> str:
        """The plain text of the first paragraph that has any."""
        paragraphs = (plain_text(match[1]) for match in _PARAGRAPH.finditer(str(self.html)))
        return next((paragraph for paragraph in paragraphs if paragraph), "")

    def excerpt(self, words: int = 40) -> str:
        """Its first words as plain text, headings left out, for lists and metadata."""
        body = HEADING.sub("", str(self.html))
        return truncate_words(" ".join(plain_text(body).split()), words)

    def toc(self, *, deepest: int = 3) -> Markup:
        """The headings as a nested list of links, down to this level; empty when there are none."""
        return _nested([heading for heading in self.headings if heading.level <= deepest])


def _nested(headings: list[Heading]) -> Markup:
    """A nested list; a level that is skipped (h2, then h4) is one step deeper, not two."""
    pieces: list[str] = []
    levels: list[int] = []
    for heading in headings:
        while levels and levels[-1] > heading.level:
            levels.pop()
            pieces.append("</li></ul>")
        if levels and levels[-1] == heading.level:
            pieces.append("</li>")
        else:
            levels.append(heading.level)
            pieces.append("<ul>")
        pieces.append(f'<li><a href="#{escape(heading.id)}">{escape(heading.text)}</a>')
    pieces += ["</li></ul>"] * len(levels)
    return Markup("".join(pieces))  # noqa: S704 - escaped above
