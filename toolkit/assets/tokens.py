"""The tokens of a script. Strings, templates and regular expressions are read as such.

Source: ECMAScript 2025 §12 (lexical grammar).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

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

_BEFORE_EXPRESSION = frozenset({
    "return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else", "await",
    "yield", "default", "extends",
})  # fmt: skip
_HEADS = frozenset({"if", "while", "for", "with"})
_STATEMENT_BEFORE = frozenset({";", "{", "}", ")", "else", "do", "default", "export"})
"""What a declaration of a function follows; after anything else that begins an expression it is a value."""


class Token(msgspec.Struct, frozen=True):
    """A part of a script that means something.

    Args:
        kind: ``string``, ``template`` (without substitutions), ``word``, ``mark``, ``number``, ``regex`` or ``other``.
        text: As written.
        start: Where it begins.
    """

    kind: str
    text: str
    start: int


def iter_tokens(text: str) -> Iterator[Token]:
    """The tokens of a script, without spaces and comments.

    Args:
        text: The script.
    """
    return _Reader(text).read()


class _Opened(msgspec.Struct):
    """A bracket that is open.

    Args:
        regex_after: Whether a regular expression may follow its end.
        template: Whether it is a substitution of a template.
        function: Whether the parameters of a function that is a value stand in it.
    """

    regex_after: bool
    template: bool = False
    function: bool = False


class _Reader:
    """Reads tokens, and knows at each whether a slash begins a regular expression there or divides."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.opened = [_Opened(True)]
        self.last: Token | None = None
        self.regex = True
        self.function = False  # the last parentheses were those of a function that is a value, or will be

    def read(self) -> Iterator[Token]:
        place = 0
        while place < len(self.text):
            token, place = self._next(place)
            if token is not None:
                self.last = token
                yield token

    def _next(self, place: int) -> tuple[Token | None, int]:
        if self.regex and self.text[place] == "/":
            found = _REGEX.match(self.text, place)
            if found is not None:
                self.regex = False
                return Token("regex", found[0], place), found.end()
        match = _TOKEN.match(self.text, place)
        if match is None:
            return None, len(self.text)
        kind = match.lastgroup or "other"
        if kind in ("space", "comment"):
            return None, match.end()
        if kind == "template":
            end, whole = self._template(match.end())
            self.regex = not whole
            return Token("template" if whole else "other", self.text[place:end], place), end
        if match[0] == "}" and self.opened[-1].template:
            self.opened.pop()
            end, ended = self._template(match.end())
            self.regex = not ended
            return Token("other", self.text[place:end], place), end
        token = Token(kind, match[0], place)
        self.regex = self._after_mark(token.text) if kind == "mark" else self._after_word(token)
        return token, match.end()

    def _template(self, place: int) -> tuple[int, bool]:
        """Where the part of a template ends, and whether the template does; else a substitution begins there."""
        part = _TEMPLATE_PART.match(self.text, place)
        end = part.end() if part else place
        if self.text.startswith("${", end):
            self.opened.append(_Opened(False, template=True))
            return end + 2, False
        return min(end + 1, len(self.text)), True

    def _after_word(self, token: Token) -> bool:
        before = self.last.text if self.last is not None else ";"
        if token.text == "function":
            self.function = self.regex and before not in _STATEMENT_BEFORE
        return token.kind == "word" and token.text in _BEFORE_EXPRESSION and before not in (".", "?.")

    def _after_mark(self, mark: str) -> bool:
        """Whether a regular expression may follow a mark; brackets remember what they stand for."""
        last = self.last
        if mark == "(":
            head = last is not None and last.kind == "word" and last.text in _HEADS
            self.opened.append(_Opened(head, function=self.function))
            self.function = False
            return True
        if mark == "[":
            self.opened.append(_Opened(False))
            return True
        if mark == "{":
            value = self.regex and last is not None and last.text not in _STATEMENT_BEFORE | {"=>"}
            self.opened.append(_Opened(not (value or self.function)))
            self.function = False
            return True
        if mark in (")", "]", "}"):
            closed = self.opened.pop() if len(self.opened) > 1 else _Opened(True)
            self.function = closed.function
            return closed.regex_after
        if mark != "*":  # function*
            self.function = False
        return mark not in ("++", "--")
