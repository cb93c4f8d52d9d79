"""Scripts without comments and spaces that mean nothing. No name is changed, and no statement.

Where a line ends, JavaScript may put a semicolon, so a line's end stays unless one of its neighbours says that the
statement goes on. The tokens are those of the script, each as it was written: a result that reads otherwise is not
taken.

Source: ECMAScript 2025 §12.10 (automatic semicolon insertion), Annex B.1.1 (comments of HTML).
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.assets.tokens import Token, iter_tokens
from toolkit.text.patterns import deferred

_KEPT = deferred(r"/\*(?:!|(?=(?:(?!\*/)[\s\S])*?@(?:license|preserve)\b))[\s\S]*?\*/")
_LINE_ENDS = frozenset("\n\r\u2028\u2029")
_GO_ON_AFTER = frozenset({"{", "(", "[", ",", ";", "=", "=>", "?", ":", "%", "^", "~", "&", "|"})
_GO_ON_BEFORE = frozenset({")", "]", "}", ",", ";", ".", "?.", ":", "=", "%", "^", "&", "|"})
_HTML_COMMENTS = ("<!--", "-->")


def condense(text: str) -> str:
    """A script that does the same in fewer letters; as it is where it cannot be read.

    Args:
        text: A script or a module.
    """
    if any(mark in text for mark in _HTML_COMMENTS):  # comments to a script, and none to a module
        return text
    first, rest = _interpreter(text)
    tokens = list(iter_tokens(rest))
    if not _is_whole(tokens):
        return text
    condensed = "".join(_pieces(rest, tokens))
    same = [token.text for token in iter_tokens(condensed)] == [token.text for token in tokens]
    return first + condensed if same else text


def _interpreter(text: str) -> tuple[str, str]:
    """The line ``#!/usr/bin/env node``, and what comes after it."""
    if not text.startswith("#!"):
        return "", text
    line, end, rest = text.partition("\n")
    return line + end, rest


def _is_whole(tokens: list[Token]) -> bool:
    """Whether all strings and templates are closed: else nothing is sure."""
    open_templates = 0
    for token in tokens:
        if token.kind == "template" and (len(token.text) < 2 or not token.text.endswith("`")):
            return False
        if token.kind == "other":
            opens, goes_on = token.text.startswith("`"), token.text.endswith("${")
            if not (opens or token.text.startswith("}")) or not (goes_on or token.text.endswith("`")):
                return False
            open_templates += opens - (not goes_on)
    return open_templates == 0


def _pieces(text: str, tokens: list[Token]) -> Iterator[str]:
    last: Token | None = None
    for token in tokens:
        gap = text[last.start + len(last.text) if last else 0 : token.start]
        if gap:
            yield from (match[0] for match in _KEPT.finditer(gap))
            yield _between(last, token, gap) if last else ""
        yield token.text
        last = token
    end = text[last.start + len(last.text) if last else 0 :]
    yield from (match[0] for match in _KEPT.finditer(end))


def _between(last: Token, token: Token, gap: str) -> str:
    """What has to stand between two tokens: nothing, a space, or the end of a line."""
    if not _LINE_ENDS.isdisjoint(gap) and not _goes_on(last, token):
        return "\n"
    return " " if _would_join(last, token) else ""


def _goes_on(last: Token, token: Token) -> bool:
    """Whether no semicolon can be meant between two tokens."""
    if last.kind == "mark" and last.text in _GO_ON_AFTER:
        return True
    return token.kind == "mark" and token.text in _GO_ON_BEFORE


def _would_join(last: Token, token: Token) -> bool:
    """Whether two tokens would be read as others if nothing stood between them."""
    before, after = last.text[-1], token.text[0]
    if _is_letter(before) and _is_letter(after):
        return True
    if last.kind == "regex" and (_is_letter(after) or after in "/*"):
        return True
    if after == ".":
        return last.kind == "number" or before in "?."
    return before + after in ("++", "--", "//", "/*", "<!", "!-", "->")


def _is_letter(letter: str) -> bool:
    return letter.isalnum() or letter in "_$#@\\" or letter > "\x7f"
