"""The files a script refers to: ``import``, ``export … from``, ``import()``, ``new URL("…", import.meta.url)``,
``import.meta.resolve("…")``, ``importScripts("…")`` of a worker.

Source: ECMAScript 2025 §12 (lexical grammar), §16.2 (modules); HTML Standard, "Resolving module specifiers". Strings,
templates, comments and regular expressions are read as such: what stands in them refers to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from toolkit.assets.references import Reference
from toolkit.assets.tokens import Token, iter_tokens
from toolkit.text.patterns import deferred

_SOURCE_MAP = deferred(
    r"(?:\A|(?<=[\n\r;})]))\s*(?://|(?P<block>/\*))[#@]\s*sourceMappingURL=(?P<map>[^\s\"'*]+)(?(block)\s*\*/)\s*\Z"
)
_ESCAPE = deferred(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))")
_MAY_REFER = deferred(r"\bimport(?:Scripts)?\b|\bexport\b|sourceMappingURL")

_NAMES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def iter_script_references(text: str) -> Iterator[Reference]:
    """Everything a script refers to, in order; packages and other hosts included."""
    if not _MAY_REFER.search(text):
        return
    tokens = list(iter_tokens(text))
    found: list[Found] = []
    for index, token in enumerate(tokens):
        find = _FINDERS.get(token.text) if token.kind == "word" else None
        if find is not None and not (index and tokens[index - 1].text in (".", "?.")):
            found += find(tokens, index)
    lines = _Lines(text)
    yield from (_reference(one, lines) for one in sorted(found, key=lambda one: one.literal.start))
    source_map = _SOURCE_MAP.search(text)
    if source_map:
        start, end = source_map.span("map")
        yield Reference(source_map["map"], lines.of(start), start, end, "plain", optional=True)


def is_module(text: str) -> bool:
    """Whether a script imports or exports at its top, and so cannot stand within another."""
    depth = 0
    tokens = list(iter_tokens(text)) if _MAY_REFER.search(text) else []
    for index, token in enumerate(tokens):
        if token.text in ("{", "(", "[") and token.kind == "mark":
            depth += 1
        elif token.text in ("}", ")", "]") and token.kind == "mark":
            depth -= 1
        elif depth == 0 and token.kind == "word" and not (index and tokens[index - 1].text in (".", "?.")):
            if token.text == "export":
                return True
            if token.text == "import" and _text(tokens, index + 1) != "(":
                return True
    return False


# what refers


class Found(NamedTuple):
    """A string that names a file.

    Args:
        literal: The string.
        bare: Whether ``lit`` names a package here.
        imported: Whether the module cannot begin without it.
        later: Whether it is an ``import()``.
    """

    literal: Token
    bare: bool = True
    imported: bool = False
    later: bool = False


def _imported(tokens: list[Token], index: int) -> Iterator[Found]:
    after = _at(tokens, index + 1)
    if after is None:
        return
    if after.text == ".":
        yield from _resolved(tokens, index)
    elif after.text == "(":
        literal = _at(tokens, index + 2)
        if literal is not None and _is_literal(literal) and _text(tokens, index + 3) in (")", ","):
            yield Found(literal, later=True)
    elif after.kind == "string":
        yield Found(after, imported=True)
    else:
        yield from _from(tokens, index + 1)


def _resolved(tokens: list[Token], index: int) -> Iterator[Found]:
    """``import.meta.resolve("x")``."""
    literal = _at(tokens, index + 6)
    words = [_text(tokens, place) for place in range(index + 1, index + 6)]
    known = words == [".", "meta", ".", "resolve", "("] and _text(tokens, index + 7) in (")", ",")
    if known and literal is not None and _is_literal(literal):
        yield Found(literal)


def _exported(tokens: list[Token], index: int) -> Iterator[Found]:
    if _text(tokens, index + 1) in ("*", "{"):
        yield from _from(tokens, index + 1)


def _from(tokens: list[Token], index: int) -> Iterator[Found]:
    """The string after ``from``, at the end of a list of names."""
    braces = 0
    for place in range(index, len(tokens)):
        token = tokens[place]
        if token.text in ("{", "}") and token.kind == "mark":
            braces += 1 if token.text == "{" else -1
        elif token.text == "from" and not braces and place > index:
            literal = _at(tokens, place + 1)
            if literal is not None and literal.kind == "string":
                yield Found(literal, imported=True)
                return
        elif not (token.kind in ("word", "string") or token.text in ("*", ",")):
            return
        if braces == 0 and token.text == "}" and _text(tokens, place + 1) not in ("from", ","):
            return


def _located(tokens: list[Token], index: int) -> Iterator[Found]:
    """``new URL("x", import.meta.url)``."""
    literal = _at(tokens, index + 3)
    rest = [_text(tokens, place) for place in range(index + 4, index + 10)]
    if (
        [_text(tokens, index + 1), _text(tokens, index + 2)] == ["URL", "("]
        and literal is not None
        and _is_literal(literal)
        and rest == [",", "import", ".", "meta", ".", "url"]
        and _text(tokens, index + 10) in (")", ",")
    ):
        yield Found(literal, bare=False)


def _taken_in(tokens: list[Token], index: int) -> Iterator[Found]:
    """``importScripts("a.js", "b.js")`` of a worker, whose own URL they are relative to."""
    if _text(tokens, index + 1) != "(":
        return
    for place in range(index + 2, len(tokens), 2):
        literal = tokens[place]
        if not _is_literal(literal) or _text(tokens, place + 1) not in (")", ","):
            return
        yield Found(literal, bare=False)
        if _text(tokens, place + 1) == ")":
            return


_FINDERS = {"import": _imported, "export": _exported, "new": _located, "importScripts": _taken_in}


def _at(tokens: list[Token], index: int) -> Token | None:
    return tokens[index] if index < len(tokens) else None


def _text(tokens: list[Token], index: int) -> str:
    token = _at(tokens, index)
    return token.text if token is not None and token.kind in ("word", "mark") else ""


def _is_literal(token: Token) -> bool:
    return token.kind in ("string", "template")


def _reference(found: Found, lines: _Lines) -> Reference:
    token = found.literal
    url = _ESCAPE.sub(_unescaped, token.text[1:-1])
    end = token.start + len(token.text) - 1
    line = lines.of(token.start)
    return Reference(
        url, line, token.start + 1, end, "script", bare=found.bare, imported=found.imported, later=found.later
    )


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
    return _NAMES.get(match[4], match[4])


class _Lines:
    """Line numbers of places in a text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def of(self, place: int) -> int:
        return self._text.count("\n", 0, place) + 1
