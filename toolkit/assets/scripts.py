"""The files a script refers to: ``import``, ``export … from``, ``import()``, ``new URL("…", import.meta.url)``.

Source: ECMAScript 2025 §12 (lexical grammar), §16.2 (modules); HTML Standard, "Resolving module specifiers". Strings,
templates, comments and regular expressions are read as such: what stands in them refers to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from toolkit.assets.references import Reference
from toolkit.text.patterns import deferred

_TOKEN = deferred(
    r"""
      (?P<space>\s+)
    | (?P<comment>//[^\n\r\u2028\u2029]*|/\*[\s\S]*?(?:\*/|\Z))
    | (?P<string>"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')
    | (?P<template>`)
    | (?P<number>\.?[0-9][\w.]*)
    | (?P<word>[#\w$\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
    | (?P<mark>=>|\+\+|--|\?\.|\.\.\.|[{}()\[\];,<>=+\-*/%&|^!~?:.@\\])
    | (?P<other>.)
    """,
    re.VERBOSE,
)
_REGEX = deferred(r"/(?![*/])(?:[^/\\\[\n\r]|\\.|\[(?:[^\]\\\n\r]|\\.)*\])+/[\w$]*")
_TEMPLATE_PART = deferred(r"(?:[^`\\$]|\\[\s\S]|\$(?!\{))*")
_SOURCE_MAP = deferred(r"//[#@]\s*sourceMappingURL=(?P<map>\S+)\s*\Z")
_ESCAPE = deferred(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))")
_MAY_REFER = deferred(r"\bimport\b|\bexport\b|sourceMappingURL")

_BEFORE_EXPRESSION = frozenset({
    "return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else", "await",
    "yield", "default", "extends",
})  # fmt: skip
_HEADS = frozenset({"if", "while", "for", "with"})
_NAMES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a script that means something.

    Args:
        kind: ``string``, ``template`` (without substitutions), ``word``, ``mark``, ``number``, ``regex`` or ``other``.
        text: As written.
        start: Where it begins.
    """

    kind: str
    text: str
    start: int


def iter_script_references(text: str) -> Iterator[Reference]:
    """Everything a script refers to, in order; packages and other hosts included."""
    if not _MAY_REFER.search(text):
        return
    tokens = list(_tokens(text))
    found: list[tuple[Token, bool]] = []
    for index, token in enumerate(tokens):
        if token.kind != "word" or (index and tokens[index - 1].text in (".", "?.")):
            continue
        if token.text == "import":
            found += _imported(tokens, index)
        elif token.text == "export":
            found += _exported(tokens, index)
        elif token.text == "new":
            found += _located(tokens, index)
    lines = _Lines(text)
    yield from (_reference(token, lines, bare=bare) for token, bare in sorted(found, key=lambda pair: pair[0].start))
    source_map = _SOURCE_MAP.search(text)
    if source_map:
        start, end = source_map.span("map")
        yield Reference(source_map["map"], lines.of(start), start, end, "plain", optional=True)


def is_module(text: str) -> bool:
    """Whether a script imports or exports at its top, and so cannot stand within another."""
    depth = 0
    tokens = list(_tokens(text)) if _MAY_REFER.search(text) else []
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


def _imported(tokens: list[Token], index: int) -> Iterator[tuple[Token, bool]]:
    after = _at(tokens, index + 1)
    if after is None or after.text == ".":
        return
    if after.text == "(":
        literal = _at(tokens, index + 2)
        if literal is not None and _is_literal(literal) and _text(tokens, index + 3) in (")", ","):
            yield literal, True
    elif after.kind == "string":
        yield after, True
    else:
        yield from _from(tokens, index + 1)


def _exported(tokens: list[Token], index: int) -> Iterator[tuple[Token, bool]]:
    if _text(tokens, index + 1) in ("*", "{"):
        yield from _from(tokens, index + 1)


def _from(tokens: list[Token], index: int) -> Iterator[tuple[Token, bool]]:
    """The string after ``from``, at the end of a list of names."""
    braces = 0
    for place in range(index, len(tokens)):
        token = tokens[place]
        if token.text in ("{", "}") and token.kind == "mark":
            braces += 1 if token.text == "{" else -1
        elif token.text == "from" and not braces and place > index:
            literal = _at(tokens, place + 1)
            if literal is not None and literal.kind == "string":
                yield literal, True
                return
        elif not (token.kind in ("word", "string") or token.text in ("*", ",")):
            return
        if braces == 0 and token.text == "}" and _text(tokens, place + 1) not in ("from", ","):
            return


def _located(tokens: list[Token], index: int) -> Iterator[tuple[Token, bool]]:
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
        yield literal, False


def _at(tokens: list[Token], index: int) -> Token | None:
    return tokens[index] if index < len(tokens) else None


def _text(tokens: list[Token], index: int) -> str:
    token = _at(tokens, index)
    return token.text if token is not None and token.kind in ("word", "mark") else ""


def _is_literal(token: Token) -> bool:
    return token.kind in ("string", "template")


def _reference(token: Token, lines: _Lines, *, bare: bool) -> Reference:
    url = _ESCAPE.sub(_unescaped, token.text[1:-1])
    end = token.start + len(token.text) - 1
    return Reference(url, lines.of(token.start), token.start + 1, end, "script", bare=bare)


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


# tokens


@dataclass(slots=True)
class _Opened:
    """A bracket that is open: whether a regular expression may follow its end, and whether it is a template's."""

    regex_after: bool
    template: bool = False


def _tokens(text: str) -> Iterator[Token]:
    """The tokens of a script, without spaces and comments."""
    place, opened = 0, [_Opened(True)]
    last: Token | None = None
    regex = True  # whether a slash here begins a regular expression
    while place < len(text):
        if regex and text[place] == "/":
            match = _REGEX.match(text, place)
            if match is not None:
                last, place, regex = Token("regex", match[0], place), match.end(), False
                yield last
                continue
        match = _TOKEN.match(text, place)
        if match is None:
            return
        kind = match.lastgroup or "other"
        start, place = place, match.end()
        if kind in ("space", "comment"):
            continue
        if kind == "template":
            place, whole = _template(text, place, opened)
            token = Token("template" if whole else "other", text[start:place], start)
            regex = not whole
        elif match[0] == "}" and opened[-1].template:
            opened.pop()
            place, ended = _template(text, place, opened)
            token, regex = Token("other", text[start:place], start), not ended
        else:
            token = Token(kind, match[0], start)
            regex = _bracket(token, last, opened, regex) if kind == "mark" else _regex_after(token, last)
        last = token
        yield token


def _template(text: str, place: int, opened: list[_Opened]) -> tuple[int, bool]:
    """Where the part of a template ends, and whether the template does; else a substitution begins there."""
    part = _TEMPLATE_PART.match(text, place)
    end = part.end() if part else place
    if text.startswith("${", end):
        opened.append(_Opened(False, template=True))
        return end + 2, False
    return min(end + 1, len(text)), True


def _regex_after(token: Token, last: Token | None) -> bool:
    return token.kind == "word" and token.text in _BEFORE_EXPRESSION and (last is None or last.text not in (".", "?."))


def _bracket(token: Token, last: Token | None, opened: list[_Opened], regex: bool) -> bool:
    """Whether a regular expression may follow a mark; brackets remember what they stand for."""
    if token.text == "(":
        opened.append(_Opened(last is not None and last.kind == "word" and last.text in _HEADS))
        return True
    if token.text == "[":
        opened.append(_Opened(False))
        return True
    if token.text == "{":
        value = regex and last is not None and last.text not in (";", "{", "}", ")", "=>", "else", "do")
        opened.append(_Opened(not value))
        return True
    if token.text in (")", "]", "}"):
        return opened.pop().regex_after if len(opened) > 1 else True
    return token.text not in ("++", "--")
