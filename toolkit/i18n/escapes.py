"""Strings as PO files quote them: C's escapes between double quotes."""

from __future__ import annotations

import re

_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPED = {**{char: f"\\{letter}" for letter, char in _NAMED.items()}, "\\": "\\\\", '"': '\\"'}
_NEEDS_ESCAPE = re.compile(r'[\\"\n\t\r\a\b\f\v]')
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*\Z')


def quote(text: str) -> str:
    """Text between double quotes."""
    return '"' + _NEEDS_ESCAPE.sub(lambda match: _ESCAPED[match[0]], text) + '"'


def unquote(quoted: str) -> str | None:
    """The text of one quoted string; None when the quotes are not right."""
    match = _QUOTED.match(quoted)
    if match is None:
        return None
    inner = match[1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner else inner


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _NAMED.get(code, code)


def quote_lines(keyword: str, text: str) -> list[str]:
    """The lines of a keyword and its text, broken after each newline and nowhere else.

    No other wrapping: a word more in a paragraph then changes one line of a diff, and no tool's idea of a
    width ever moves the breaks.
    """
    parts = _LINE.findall(text)
    if len(parts) <= 1:
        return [f"{keyword} {quote(text)}"]
    return [f'{keyword} ""', *map(quote, parts)]
