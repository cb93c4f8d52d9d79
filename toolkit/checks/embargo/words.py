"""Texts as rows of words: the same words whatever marks, accents, case and escapes stand around them."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f\u00ad\u200b-\u200f\u2060\ufeff]"
)
"""Accents and vowel signs that some write and others do not; and what is there to be invisible."""

BREAK = "\x1f"
"""Stands between texts that only follow each other, such as two items of a list; a word that nobody writes."""

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts that are written without spaces: each sign counts as a word."""

_UNSPACED = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(rf"[^\W_]+|{BREAK}")
_WORD_OR_SIGN = re.compile(f"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\\W_])+|{BREAK}")


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    folded = fold(text)
    if not folded.isascii() and _UNSPACED.search(folded):
        return _WORD_OR_SIGN.findall(folded)
    return _WORD.findall(folded)


def fold(text: str) -> str:
    """A text without accents, invisible marks and capital letters."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text).casefold())


def is_sign(word: str) -> bool:
    """Whether a word is a sign of a script without spaces."""
    return len(word) == 1 and _UNSPACED.match(word) is not None
