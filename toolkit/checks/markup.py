"""The tags of a page, one after the other with their places: what is not closed, not opened, or not allowed there.

A reader of tags rather than of trees: a browser mends what is wrong and says nothing, so its tree shows no fault.
Source: HTML, "Writing HTML documents" (optional tags, void elements) and the content models of "Elements".
"""

from __future__ import annotations

import html.entities
import re
from collections.abc import Iterator
from typing import NamedTuple

_ATTRIBUTES = r"""(?:[^"'>]++|"[^"]*+"|'[^']*+')*+"""
_TOKEN = re.compile(
    rf"""
    <!--(?P<comment>.*?)(?:-->|--!>|(?P<unfinished>\Z))
    | <(?P<raw>script|style|textarea|title|iframe|noframes|xmp)(?=[\s/>])(?P<rawattributes>{_ATTRIBUTES})>
      .*? </(?P=raw)\s*+>
    | </(?P<end>[a-z][^\s/>]*+)[^>]*+>
    | <(?P<start>[a-z][^\s/>]*+)(?P<attributes>{_ATTRIBUTES})>
    | <!(?P<declaration>[^>]*+)>
    | <(?P<stray>[a-z/?!])
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_NAMES = re.compile(r"""([^\s"'>/=]+)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?""")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
"""What no page may have, written out or as it is. Source: HTML, "Preprocessing the input stream"."""
_REFERENCE = re.compile(r"&([a-zA-Z][a-zA-Z0-9]*);")
_SLASH_OF_A_VALUE = re.compile(r"""=\s*[^\s"'>][^\s"'>]*/\Z""")
"""``<a href=/news/>``: a value without quotes runs to the end of the tag, its slash included."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID = _words("area base br col embed hr img input link meta source track wbr")
"""Elements without content, and without an end tag."""

OBSOLETE = _words(
    "acronym applet basefont bgsound big blink center dir font frame frameset isindex marquee nobr noframes plaintext "
    "strike tt xmp"
)
"""Elements that HTML no longer has."""

OPTIONAL_END = _words("html head body li dt dd p rt rp optgroup option colgroup caption thead tbody tfoot tr td th")
"""Elements whose end tag may be left out."""

_BLOCKS = _words(
    "address article aside blockquote details dialog div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hgroup hr main menu nav ol p pre search section table ul"
)
_ENDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "menu"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "option": (frozenset({"option"}), frozenset({"select", "datalist", "optgroup"})),
    "optgroup": (frozenset({"option", "optgroup"}), frozenset({"select"})),
    "tr": (frozenset({"tr", "td", "th", "caption", "colgroup"}), frozenset({"table", "tbody", "thead", "tfoot"})),
    "td": (frozenset({"td", "th"}), frozenset({"tr"})),
    "th": (frozenset({"td", "th"}), frozenset({"tr"})),
    "tbody": (frozenset({"tbody", "thead", "tfoot", "tr", "td", "th", "caption", "colgroup"}), frozenset({"table"})),
    "thead": (frozenset({"caption", "colgroup"}), frozenset({"table"})),
    "tfoot": (frozenset({"tbody", "thead", "tr", "td", "th", "caption", "colgroup"}), frozenset({"table"})),
    "rt": (frozenset({"rt", "rp"}), frozenset({"ruby"})),
    "rp": (frozenset({"rt", "rp"}), frozenset({"ruby"})),
    "body": (frozenset({"head"}), frozenset({"html"})),
}
"""Element to (those that its start tag ends, those beyond which it ends none)."""

_PARENTS: dict[str, frozenset[str]] = {
    "li": frozenset({"ul", "ol", "menu"}),
    "dt": frozenset({"dl", "div"}),
    "dd": frozenset({"dl", "div"}),
    "tr": frozenset({"table", "thead", "tbody", "tfoot"}),
    "td": frozenset({"tr"}),
    "th": frozenset({"tr"}),
    "figcaption": frozenset({"figure"}),
    "summary": frozenset({"details"}),
    "legend": frozenset({"fieldset"}),
    "option": frozenset({"select", "datalist", "optgroup"}),
}
"""Element to those in which it stands; or at the top of a template."""

_CHILDREN: dict[str, frozenset[str]] = {
    "ul": frozenset({"li", "script", "template"}),
    "ol": frozenset({"li", "script", "template"}),
    "tr": frozenset({"td", "th", "script", "template"}),
    "table": frozenset({"caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "script", "template"}),
}
"""Element to those that alone may stand in it."""

_NOT_WITHIN_ITSELF = frozenset({"a", "button", "form", "label"})


class Mistake(NamedTuple):
    """Something a page's tags should not do.

    Args:
        line: From 1.
        column: From 1.
        what: In words.
        obsolete: It is an element that HTML no longer has, and nothing worse.
    """

    line: int
    column: int
    what: str
    obsolete: bool = False


def find_mistakes(text: str) -> list[Mistake]:
    """What is wrong with the tags of a page.

    Args:
        text: A whole document.
    """
    return list(_Reader(text).read())


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.open: list[tuple[str, int]] = []
        self.foreign = 0

    def read(self) -> Iterator[Mistake]:
        text, last = self.text, 0
        if not re.match(r"(?:\s|<!--.*?-->)*<!doctype html", text, re.IGNORECASE | re.DOTALL):
            yield self._mistake(0, "the page does not begin with <!doctype html>, so browsers guess how to show it")
        for control in _CONTROL.finditer(text):
            yield self._mistake(control.start(), f"the control character U+{ord(control[0]):04X} is not allowed")
        for token in _TOKEN.finditer(text):
            place = token.start()
            if place > last and text.find("&", last, place) >= 0:
                yield from self._references(last, place)
            last = token.end()
            kind = token.lastgroup
            if token["start"]:
                yield from self._start(token["start"].lower(), token["attributes"], place)
            elif token["end"]:
                yield from self._end(token["end"].lower(), place)
            elif token["raw"]:
                yield from self._repeated(token["raw"].lower(), token["rawattributes"], place)
            elif kind == "unfinished":
                yield self._mistake(place, "a comment is not closed")
            elif token["stray"]:
                yield self._mistake(place, f"a tag is not finished: {text[place : place + 30].split(chr(10))[0]!r}")
                last = place + 1
        yield from self._references(last, len(text))
        for name, place in self.open:
            if name not in OPTIONAL_END:
                yield self._mistake(place, f"<{name}> is not closed")

    def _mistake(self, place: int, what: str, *, obsolete: bool = False) -> Mistake:
        line = self.text.count("\n", 0, place) + 1
        return Mistake(line, place - self.text.rfind("\n", 0, place), what, obsolete)

    def _references(self, start: int, end: int) -> Iterator[Mistake]:
        for found in _REFERENCE.finditer(self.text, start, end):
            if f"{found[1]};" not in html.entities.html5:
                yield self._mistake(found.start(), f"there is no character {found[0]}")

    def _start(self, name: str, attributes: str, place: int) -> Iterator[Mistake]:
        yield from self._repeated(name, attributes, place)
        closed = attributes.endswith("/") and not _SLASH_OF_A_VALUE.search(attributes)
        if self.foreign:
            if not closed:
                self._push(name, place)
            return
        if name in OBSOLETE:
            yield self._mistake(place, f"<{name}> is no element of HTML any more", obsolete=True)
        if name in _NOT_WITHIN_ITSELF and name in self._around():
            yield self._mistake(place, f"<{name}> stands within another <{name}>")
        self._imply_ends(name)
        yield from self._misplaced(name, place)
        if name in VOID:
            return
        if closed and name not in ("svg", "math"):
            yield self._mistake(place, f"<{name}/> does not close itself: HTML takes it for <{name}>")
        if not closed or name not in ("svg", "math"):
            self._push(name, place)

    def _around(self) -> list[str]:
        """The elements that are open, as far as a template, whose content is a document of its own."""
        names = [one for one, _ in self.open]
        return names[len(names) - names[::-1].index("template") :] if "template" in names else names

    def _push(self, name: str, place: int) -> None:
        if name in ("svg", "math"):
            self.foreign += 1
        self.open.append((name, place))

    def _imply_ends(self, name: str) -> None:
        """End the elements whose end tag may be left out before this start tag."""
        if name in _BLOCKS and self.open and self.open[-1][0] == "p":
            self.open.pop()
        ends, beyond = _ENDS.get(name, (frozenset(), frozenset()))
        for depth in range(len(self.open) - 1, -1, -1):
            one = self.open[depth][0]
            if not ends or one in beyond or one not in OPTIONAL_END:
                break
            if one in ends and all(other not in ends for other, _ in self.open[:depth][-1:]):
                del self.open[depth:]
                break

    def _misplaced(self, name: str, place: int) -> Iterator[Mistake]:
        parent = self.open[-1][0] if self.open else ""
        wanted = _PARENTS.get(name)
        if wanted is not None and parent not in wanted and parent != "template":
            there = f"<{parent}>" if parent else "nothing"
            yield self._mistake(place, f"<{name}> stands in {there}, and belongs in <{'> or <'.join(sorted(wanted))}>")
        elif parent in _CHILDREN and name not in _CHILDREN[parent]:
            allowed = ">, <".join(sorted(_CHILDREN[parent] - {"script", "template"}))
            yield self._mistake(place, f"<{name}> stands in <{parent}>, which takes <{allowed}> alone")

    def _end(self, name: str, place: int) -> Iterator[Mistake]:
        names = [one for one, _ in self.open]
        if name in VOID and not self.foreign:
            yield self._mistake(place, f"<{name}> has no end tag, so </{name}> is one too many")
            return
        if name not in names:
            if name in ("html", "head", "body"):  # their start tags may be left out
                return
            why = " (a block within a paragraph ends it)" if name == "p" else ""
            yield self._mistake(place, f"</{name}> closes nothing that is open{why}")
            return
        depth = len(names) - 1 - names[::-1].index(name)
        for one, where in self.open[depth + 1 :]:
            if one not in OPTIONAL_END:
                yield self._mistake(where, f"<{one}> is not closed before </{name}>")
        self.foreign -= sum(one in ("svg", "math") for one in names[depth:])
        del self.open[depth:]

    def _repeated(self, name: str, attributes: str, place: int) -> Iterator[Mistake]:
        """Attributes that are written twice: browsers take the first."""
        if attributes.count("=") < 2:
            return
        names = [found.lower() for found in _NAMES.findall(attributes)]
        if len(set(names)) < len(names):
            twice = next(one for one in names if names.count(one) > 1)
            yield self._mistake(place, f"<{name}> has the attribute {twice} twice")
