"""Shorter texts: by words, by characters, and of HTML without breaking it."""

from __future__ import annotations

import bisect
import html as html_entities
import itertools
import unicodedata
from html.parser import HTMLParser
from typing import NamedTuple

from toolkit.text.plain import BLOCKS, HIDDEN, REPLACED, is_unfinished
from toolkit.text.words import iter_words

ELLIPSIS = "…"

_DANGLING = " \t\n\r\f\v,;:.-–—([{«“‘¿¡/،؛、。，；：（「『"
_CHUNK = 4096  # characters parsed at a time: a teaser need not read the whole story
_JOINER = "\u200d"
_PARTING = BLOCKS | REPLACED
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
})  # fmt: skip
# Left open at the end of their parent, these go on after it (HTML Standard, "reconstruct the active formatting
# elements").
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
# Elements whose end tag HTML lets writers leave out: what ends them, beside the end of their parent.
_ENDED_BY = {
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "option": {"option", "optgroup"},
    "td": {"td", "th", "tr", "tbody", "tfoot"},
    "th": {"td", "th", "tr", "tbody", "tfoot"},
    "tr": {"tr", "tbody", "tfoot"},
    "thead": {"tbody", "tfoot"},
    "tbody": {"tbody", "tfoot"},
    "p": BLOCKS - {"br", "caption", "legend", "tbody", "td", "tfoot", "th", "thead", "tr", "body", "head", "title"},
}

_ENDING = frozenset().union(*_ENDED_BY.values())


def truncate_words(text: str, count: int, *, end: str = ELLIPSIS) -> str:
    """At most ``count`` words of plain text, and ``end`` if there were more.

    The text keeps its own white space; ideographs and kana count as words (see ``word_count``).

    Args:
        text: Plain text.
        count: Words to keep, at least 0.
        end: What says that there is more.
    """
    words = list(itertools.islice(iter_words(text), count + 1))
    if len(words) <= count:
        return text
    return text[: words[count - 1].end].rstrip(_DANGLING) + end if count > 0 else end


def truncate_chars(text: str, length: int, *, end: str = ELLIPSIS) -> str:
    """At most ``length`` characters of plain text, ``end`` included if something was cut.

    Never parts a letter from its marks, nor an emoji from what it is joined to.

    Args:
        text: Plain text.
        length: Longest answer, in code points. Shorter than ``end``, the answer is the start of ``end``.
        end: What says that there is more.
    """
    if len(text) <= length:
        return text
    cut = max(length - len(end), 0)
    while cut > 0 and _holds_together(text, cut):
        cut -= 1
    return (text[:cut].rstrip(_DANGLING) + end)[:length]


def truncate_html(html: str, words: int, *, end: str = ELLIPSIS) -> str:
    """At most ``words`` words of HTML, its tags closed, and ``end`` after the last word if there were more.

    Everything before the cut is as it was, character for character: no tag or entity is cut, and nothing is
    rewritten. Scripts, styles and comments are not counted.

    Args:
        html: A fragment; it need not be well formed. It is not cleaned.
        words: Words of text to keep, at least 0.
        end: Plain text or HTML that says that there is more.
    """
    cutter = _Cutter(html, words)
    for start in range(0, len(html), _CHUNK):
        cutter.feed(html[start : start + _CHUNK])
        if cutter.is_over:
            break
    else:
        if not is_unfinished(cutter):
            cutter.close()
        cutter.finish_run()
    if not cutter.is_over:
        return html
    closing = "".join(f"</{tag}>" for tag in reversed(cutter.open_at_cut))
    return html[: cutter.cut].rstrip() + end + closing


def _holds_together(text: str, cut: int) -> bool:
    """Whether cutting before ``text[cut]`` would part what is read as one character."""
    after = text[cut]
    return (
        unicodedata.combining(after) != 0
        or unicodedata.category(after) in ("Mn", "Mc", "Me")
        or after == _JOINER
        or text[cut - 1] == _JOINER
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or ("\U0001f1e6" <= after <= "\U0001f1ff" and _flags_before(text, cut) % 2 == 1)
    )


def _flags_before(text: str, cut: int) -> int:
    """How many regional indicators stand before the cut: two make a flag."""
    before = text[:cut]
    return len(before) - len(before.rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))


class _Piece(NamedTuple):
    """Part of a run of text.

    Args:
        text: The characters a reader sees.
        start: Where it starts in the HTML.
        end: Where it ends in the HTML.
        is_entity: It is one character reference, which cannot be cut.
        open: The elements it stands in.
    """

    text: str
    start: int
    end: int
    is_entity: bool
    open: tuple[str, ...]


class _Cutter(HTMLParser):
    """Walks HTML, counting words, and remembers the place after the last one that fits.

    A word may go on through inline tags (``<b>D</b>rop caps``); a block or an image ends it.

    Attributes:
        cut: Where to cut the source.
        open_at_cut: The elements that are open there.
        is_over: Whether a further word came after the cut.
    """

    def __init__(self, source: str, words: int) -> None:
        super().__init__(convert_charrefs=False)
        self.words_left = words
        self.cut = 0
        self.open_at_cut: tuple[str, ...] = ()
        self.is_over = False
        self._source = source
        self._open: list[str] = []
        self._run: list[_Piece] = []
        self._line_starts = [0, *(place + 1 for place, char in enumerate(source) if char == "\n")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _PARTING:
            self.finish_run()
        while (ended := self._ended_by(tag)) is not None:
            self._close(ended)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # "<i/>" opens an element in HTML; only in SVG and MathML does the slash close it.
        if not {"svg", "math"}.intersection((tag, *self._open)):
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _PARTING:
            self.finish_run()
        if tag in self._open:
            self._close(len(self._open) - 1 - self._open[::-1].index(tag))

    def _ended_by(self, tag: str) -> int | None:
        """The open element that a start tag ends, as its place among the open ones."""
        if tag not in _ENDING:
            return None
        for place in range(len(self._open) - 1, -1, -1):
            if tag in _ENDED_BY.get(self._open[place], ()):
                return place
            if self._open[place] not in _FORMATTING:
                return None
        return None

    def _close(self, place: int) -> None:
        """Take out one open element and what ends with it; of a misnested ``<b><p></b>`` the paragraph stays."""
        closed = self._open.pop(place)
        if closed not in _FORMATTING:
            self._open[place:] = [tag for tag in self._open[place:] if tag in _FORMATTING]

    def handle_data(self, data: str) -> None:
        self._add(data, len(data), is_entity=False)

    def handle_entityref(self, name: str) -> None:
        self._add_entity(f"&{name}")

    def handle_charref(self, name: str) -> None:
        self._add_entity(f"&#{name}")

    def _add_entity(self, reference: str) -> None:
        start = self._here() + len(reference)
        semicolon = self._source[start : start + 1] == ";"  # HTML lets writers leave it out
        self._add(html_entities.unescape(reference + ";"), len(reference) + semicolon, is_entity=True)

    def _add(self, text: str, length: int, *, is_entity: bool) -> None:
        if not HIDDEN.intersection(self._open):
            start = self._here()
            self._run.append(_Piece(text, start, start + length, is_entity, tuple(self._open)))

    def _here(self) -> int:
        line, column = self.getpos()
        return self._line_starts[line - 1] + column

    def finish_run(self) -> None:
        """Count the words of the text read since the last block began or ended."""
        run, self._run = self._run, []
        if self.is_over or not run:
            return
        text = "".join(piece.text for piece in run)
        for word in iter_words(text):
            if self.words_left == 0:
                self.is_over = True
                return
            self.words_left -= 1
            if self.words_left == 0:
                self._cut_after(len(text[: word.end].rstrip(_DANGLING)) or word.end, run)

    def _cut_after(self, index: int, run: list[_Piece]) -> None:
        """Set the cut after so many characters of the run."""
        ends = list(itertools.accumulate(len(piece.text) for piece in run))
        piece = run[bisect.bisect_left(ends, index)]
        left_over = ends[bisect.bisect_left(ends, index)] - index
        self.cut = piece.end if piece.is_entity else piece.end - left_over
        self.open_at_cut = piece.open
