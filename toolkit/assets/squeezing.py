"""Pages of HTML made smaller: what browsers do not show is left out, and the document that they make is the same.

Comments go, and runs of spaces become one; at the edges of blocks none is left. Tags, scripts, styles, ``<pre>``,
``<textarea>`` and elements that ask for it in their own attributes stay as they are. Between blocks
one space stays: a style sheet may have set them in a line.

Two libraries were tried instead. minify-html 0.18 takes the space from between two links in a ``<div>``, so that the
words run together; tdewolff-minify 2.24 is right, but its Go runtime does not survive the fork of the workers.
"""

from __future__ import annotations

import re

from toolkit.text.patterns import deferred

_PART = deferred(
    r"""
      (?P<comment><!--(?!>|->).*?(?:-->|\Z))
    | (?P<raw><(?P<name>script|style|textarea|title|xmp|iframe|noembed|listing)\b(?:"[^"]*"|'[^']*'|[^'">])*+>
        .*?</(?P=name)[\s>/])
    | (?P<tag></?(?P<element>[a-zA-Z][^\s/>]*)(?:"[^"]*"|'[^']*'|[^'">])*+>)
    | (?P<text>[^<]+)
    | (?P<other><)
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_SPACES = deferred(r"[ \t\n\r\f]+")
_KEEPS = deferred(
    r"""\sxml:space\s*=\s*["']?preserve|\sstyle\s*=\s*(?:"[^"]*|'[^']*|[^\s>]*)\bwhite-space\s*:\s*(?:pre|break-spaces)""",
    re.IGNORECASE,
)
"""What an element says of itself when its spaces are to be seen."""
_KEPT = deferred(r"<!--(?:\[if|#|!|<!\[endif|/?(?:esi|noindex|googleo))", re.IGNORECASE)
"""Comments that somebody reads: conditions, server side includes, marks of search engines."""

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "center", "dd", "details", "dialog", "dir", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header",
    "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "search", "section", "summary",
    "table", "ul",
})  # fmt: skip

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)


def squeeze(text: str) -> str:
    """A page without the spaces and comments that no reader sees."""
    page = _Page(asks="white-space" in text or "xml:space" in text)
    for part in _PART.finditer(text):
        if part["comment"] is not None:
            if page.preformatted or _KEPT.match(part["comment"]):
                page.add(part["comment"])
        elif part["text"] is not None:
            page.add_text(part["text"])
        elif part["raw"] is not None:
            page.add_tag(part["raw"], part["name"].lower(), raw=True)
        elif part["tag"] is not None:
            page.add_tag(part["tag"], part["element"].lower())
        else:
            page.add(part[0])
    return "".join(page.pieces)


class _Page:
    """A page as it is put together."""

    def __init__(self, *, asks: bool) -> None:
        self._asks = asks  # whether any element says in an attribute that its spaces are to be seen
        self.pieces: list[str] = []
        self.preformatted = 0  # how many elements are open in which spaces are seen
        self._keeper = ""  # the outermost of them
        self._in_head = False
        self._eats_space = False  # whether a space that comes now is not seen
        self._ends_in_space = False  # whether the last piece is text and ends in one

    def add(self, piece: str) -> None:
        """What is neither text nor tag."""
        self.pieces.append(piece)
        self._eats_space = self._ends_in_space = False

    def add_text(self, words: str) -> None:
        """A text."""
        if self.preformatted:
            self.add(words)
            return
        words = _SPACES.sub(" ", words)
        words = words.lstrip(" ") if self._eats_space or self._ends_in_space else words
        if words and not (self._in_head and words == " "):
            self.pieces.append(words)
            self._eats_space, self._ends_in_space = False, words.endswith(" ")

    def add_tag(self, tag: str, name: str, *, raw: bool = False) -> None:
        """A tag, or a whole element whose content stays as it is."""
        closes = tag.startswith("</")
        if name == "head":
            self._in_head = not closes
        elif name == "body":
            self._in_head = False
        if name == (self._keeper or "pre") or (
            not self._keeper and not raw and name not in _VOID and _KEEPS.search(tag)
        ):
            self._keep(name, tag, closes=closes)
        if closes and name in _BLOCKS and self._ends_in_space:
            self.pieces[-1] = self.pieces[-1][:-1]
        self.pieces.append(tag)
        self._eats_space = name in _BLOCKS and not raw and (not closes or name == "br") and not self.preformatted
        self._ends_in_space = False

    def _asks_for_it(self, tag: str, name: str, *, raw: bool) -> bool:
        return not self._keeper and not raw and name not in _VOID and _KEEPS.search(tag) is not None

    def _keep(self, name: str, tag: str, *, closes: bool) -> None:
        """Count the elements of one name that are open from that on in which spaces are seen."""
        if not closes and not tag.endswith("/>"):
            self.preformatted += 1
        elif closes:
            self.preformatted = max(0, self.preformatted - 1)
        self._keeper = name if self.preformatted else ""
