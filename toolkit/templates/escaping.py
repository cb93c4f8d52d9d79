"""What each place in the HTML asks of a value, and the extension that sees to it when a template is compiled.

The places are told apart by :mod:`toolkit.templates.contexts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from jinja2 import TemplateSyntaxError, Undefined
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup, escape
from msgspec.structs import replace

from toolkit.text import json_for_html

from .contexts import Place, escaping_for, follow
from .sanitizing import is_safe_link, is_safe_media
from .translations import bind_filters

UNSAFE_URL = "about:invalid#unsafe"
"""What stands in the place of an address that would run something."""

UNSAFE_CSS = "unset"
"""What stands in the place of a style that is more than a plain value."""

MARKED_UP = (".html", ".htm", ".xhtml", ".svg")
"""Templates with other suffixes (text, JSON, feeds) are not followed; they are HTML-escaped like all."""

_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[1-6]")
_ATTRIBUTE_NAMES = re.compile(r"\s*(?:[A-Za-z_:][\w:.-]*\s*)*")
_CSS_VALUE = re.compile(r"[\w\s#%.,+*/()-]*")
_CSS_LOADS = re.compile(r"/\*|(?:url|src|image|image-set|element|expression|cross-fade|attr)\s*\(", re.IGNORECASE)
_NOT_IN_CSS_URL = str.maketrans({character: f"%{ord(character):02X}" for character in "\"'()\\<>{} \t\n\r\f"})
_NOT_PLAIN_IN_SCRIPT = re.compile(r"[^\w .,;:!?@$#*+-]")
_RUNS = frozenset({"script", "style", "iframe", "object", "embed", "base", "link", "meta"})


class ContextualEscaping(Extension):
    """Adds to each ``{{ … }}`` the filter that its place needs."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Follow the template's text, branch by branch, and wrap expressions."""
        if stream.name is not None and not stream.name.endswith(MARKED_UP):
            yield from stream
            return
        yield from _Follower(stream).tokens()


class _Follower:
    """Where one is, over the branches of a template."""

    def __init__(self, stream: TokenStream) -> None:
        self.stream = stream
        self.place = Place()
        self.branches: list[tuple[str, Place, list[Place]]] = []

    def tokens(self) -> Iterator[Token]:
        for token in self.stream:
            if token.type == "data":
                self.place = follow(self.place, token.value)
            elif token.type == "block_begin":
                self._enter(self.stream.current.value)
            elif token.type == "variable_begin":
                yield from self._wrapped(token)
                continue
            yield token
            if token.type == "block_begin" and self.stream.current.test("name:trans"):
                yield from self._translated()

    def _translated(self) -> Iterator[Token]:
        """All of ``{% trans %}`` after its ``{%``; the filters of its variables go into the opening tag."""
        opening = list(self._until("block_end"))
        body: list[Token] = [next(self.stream)]
        needed: dict[str, str] = {}
        while not (body[-1].type == "block_begin" and self.stream.current.test("name:endtrans")):
            if self.stream.current.type == "eof":
                break
            token = next(self.stream)
            body.append(token)
            if token.type == "data":
                self.place = follow(self.place, token.value)
            elif token.type == "variable_begin":
                self._note(needed, self.stream.current)
        yield from bind_filters(opening, needed) if needed else opening
        yield from body

    def _note(self, needed: dict[str, str], variable: Token) -> None:
        """Remember the filter that a variable of a translated text needs."""
        name = self._needed(variable.lineno)
        self.place = replace(self.place, written=self.place.written + "\0")
        if not name:
            return
        if name not in ("_url", "_media_url") or needed.get(variable.value, name) != name:
            raise self._refusal("a value inside {% trans %} may stand in text and attributes only", variable.lineno)
        needed[variable.value] = name

    def _until(self, kind: str) -> Iterator[Token]:
        while self.stream.current.type not in (kind, "eof"):
            yield next(self.stream)

    def _wrapped(self, begin: Token) -> Iterator[Token]:
        """``{{ x }}`` as ``{{ (x) | filter }}``."""
        line = begin.lineno
        name = self._needed(line)
        self.place = replace(self.place, written=self.place.written + "\0")
        yield begin
        if name:
            yield Token(line, "lparen", "(")
        for token in self.stream:
            if token.type == "variable_end":
                if name:
                    line = token.lineno
                    yield from (Token(line, "rparen", ")"), Token(line, "pipe", "|"), Token(line, "name", name))
                yield token
                return
            yield token

    def _needed(self, line: int) -> str:
        try:
            return escaping_for(self.place)
        except ValueError as error:
            raise self._refusal(str(error), line) from None

    def _refusal(self, message: str, line: int) -> TemplateSyntaxError:
        return TemplateSyntaxError(message, line, self.stream.name, self.stream.filename)

    def _enter(self, tag: str) -> None:
        """Branches begin where their tag stands; what is defined elsewhere begins as text."""
        if tag in ("if", "for"):
            self.branches.append((tag, self.place, []))
        elif tag in ("elif", "else") and self.branches:
            _, start, ends = self.branches[-1]
            ends.append(self.place)
            self.place = start
        elif tag in ("macro", "call"):
            self.branches.append((tag, self.place, []))
            self.place = Place()
        elif tag in ("endif", "endfor", "endmacro", "endcall") and self.branches:
            self._leave()

    def _leave(self) -> None:
        """After a branch: where it ended; of an address, as little written as any branch wrote."""
        tag, start, ends = self.branches.pop()
        if tag in ("macro", "call"):
            self.place = start
            return
        ends += [self.place, start]
        ends = [end for end in ends if end.mode == self.place.mode]
        self.place = replace(self.place, written=min((end.written for end in ends), key=len, default=""))


# -- what a value becomes


def safe_url(value: Any) -> Any:
    """An address to follow, or ``about:invalid#unsafe`` when following it would run something."""
    if type(value) is str and value[:1] == "/":  # nearly all of them
        return value
    return value if _is_trusted(value) or is_safe_link(str(value)) else UNSAFE_URL


def safe_media_url(value: Any) -> Any:
    """An address of an image, a sound or a film; the same."""
    return value if _is_trusted(value) or is_safe_media(str(value)) else UNSAFE_URL


def script_value(value: Any) -> Markup:
    """A value as JSON that nothing in it can end: text gets its quotation marks."""
    if _is_trusted(value):
        return Markup(value)  # noqa: S704 - marked as right for its place
    return Markup(json_for_html(_known(value), default=_jsonable))  # noqa: S704 - it escapes <, > and &


def script_attribute(value: Any) -> str:
    """The same inside ``onclick="…"``, where HTML escaping follows."""
    return str(script_value(value)) if not _is_trusted(value) else str(value)


def script_string(value: Any) -> Markup:
    """Text inside a string of a script: everything but plain characters as ``\\uXXXX``."""
    return Markup(_NOT_PLAIN_IN_SCRIPT.sub(_escaped, str(_known(value))))  # noqa: S704 - only plain characters


def css_value(value: Any) -> Any:
    """A plain value of a style (``red``, ``2px``, ``var(--ink)``), or ``unset`` for what could load or end it."""
    if _is_trusted(value):
        return value
    text = str(value)
    return text if _CSS_VALUE.fullmatch(text) and not _CSS_LOADS.search(text) else UNSAFE_CSS


def css_url(value: Any) -> str:
    """An address inside ``url(…)`` of a style, which it cannot end."""
    return str(safe_media_url(str(value))).translate(_NOT_IN_CSS_URL)


def document_in_attribute(value: Any) -> str:
    """Text in ``srcdoc``, which is read as HTML once more."""
    return str(escape(value))


def tag_name(value: Any) -> Any:
    """A part of a tag's name that makes no element which runs something (``<h{{ level }}>``)."""
    if _is_trusted(value):  # attributes right after the name: <p{{ attributes|xmlattr }}>
        return value
    name = str(value)
    if not _TAG_NAME.fullmatch(name) or name.lower() in _RUNS:
        raise ValueError(f"{name!r} cannot be a tag's name here")
    return name


def attribute_names(value: Any) -> Any:
    """Names of attributes without values (``checked``); ``xmlattr`` and ``Markup`` bring values."""
    if _is_trusted(value):
        return value
    names = str(value)
    if not _ATTRIBUTE_NAMES.fullmatch(names) or any(name.lower().startswith("on") for name in names.split()):
        raise ValueError(f"{names!r} cannot stand between attributes; use the xmlattr filter")
    return names


def _is_trusted(value: Any) -> bool:
    return hasattr(value, "__html__") and not isinstance(value, Undefined)


def _known(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)  # strict: it raises
        return None
    return value


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _jsonable(value: object) -> object:
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)) or hasattr(value, "__html__"):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


ESCAPING_FILTERS: dict[str, Callable[[Any], Any]] = {
    "_url": safe_url,
    "_media_url": safe_media_url,
    "_js": script_value,
    "_js_attribute": script_attribute,
    "_js_string": script_string,
    "_css": css_value,
    "_css_url": css_url,
    "_srcdoc": document_in_attribute,
    "_tag_name": tag_name,
    "_attribute_name": attribute_names,
    "_attributes": attribute_names,
}
"""The filters that :class:`ContextualEscaping` adds; templates do not name them."""
