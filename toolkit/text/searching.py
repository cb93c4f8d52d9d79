"""Words as a search sees them: the same for what is indexed, for what is asked, and for what is marked in the answer.

A word is folded (Unicode NFKC, case, and marks above and below letters where writers leave them out) and cut down to
its stem by the Snowball algorithm of its language. Scripts that are written without spaces are cut into pairs of
characters. Since this is done here and not by the database, every database finds the same.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from threading import Lock
from typing import NamedTuple

import msgspec

from toolkit.text.patterns import deferred

STEMMERS: Mapping[str, str] = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali",
    "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Languages that have a stemmer; words of others are only folded. Source: snowballstem.org."""

WORDS_KEPT = 200_000
"""Stems remembered: a newsroom's vocabulary."""

LONGEST_WORD = 60
"""Characters of a word that count; longer ones are encoded data, not words."""


class Token(NamedTuple):
    """A word of a text.

    Attributes:
        word: Folded and stemmed.
        start: Where it begins in the text.
        end: Where it ends.
    """

    word: str
    start: int
    end: int


def tokens(text: str, language: str) -> Iterator[Token]:
    """The words of a text, in order.

    Args:
        text: Plain text.
        language: Such as ``"en"`` or ``"pt-BR"``.
    """
    stem = stemmer(language)
    for found in _pattern().finditer(text):
        piece, start = found[0], found.start()
        if _is_spaceless(piece[0]):
            yield from (pair for pair in _pairs(piece, start) if pair.word)  # some characters mean nothing yet
        else:
            word = stem(piece)
            if word:
                yield Token(word, start, found.end())


def _pairs(piece: str, start: int) -> Iterator[Token]:
    """A run of a script without spaces, as overlapping pairs of characters."""
    if len(piece) == 1:
        yield Token(fold(piece), start, start + 1)
    for index in range(len(piece) - 1):
        yield Token(fold(piece[index : index + 2]), start + index, start + index + 2)


def words_of(text: str, language: str) -> list[str]:
    """The folded and stemmed words of a text."""
    if not text.isascii() and _special().search(text):
        return [token.word for token in tokens(text, language)]
    return [word for word in map(stemmer(language), _PLAIN_WORD.findall(text)) if word]


_PLAIN_WORD = deferred(r"[^\W_]+")
"""A word, where no scripts without spaces and no marks are met: half the time goes into looking out for them."""


@cache
def stemmer(language: str) -> Callable[[str], str]:
    """A function from a word as written to its folded stem."""
    return _Stems(STEMMERS.get(language.replace("_", "-").partition("-")[0].lower())).__getitem__


class _Stems(dict[str, str]):
    """Stems by word, made when first asked for: a hit costs a lookup in a dict and no call."""

    def __init__(self, algorithm: str | None) -> None:
        super().__init__()
        self._cut = _snowball(algorithm) if algorithm else None

    def __missing__(self, word: str) -> str:
        folded = fold(word)[:LONGEST_WORD]
        stem = folded if self._cut is None else fold(self._cut(folded)) or folded
        if len(self) < WORDS_KEPT:
            self[word] = stem
        return stem


def _snowball(name: str) -> Callable[[str], str]:
    """A stemmer keeps the word at hand in itself, so that one thread at a time may use it."""
    import snowballstemmer

    cut, lock = snowballstemmer.stemmer(name).stemWord, Lock()

    def stem(word: str) -> str:
        with lock:
            return str(cut(word))

    return stem


_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i"}
)
"""Letters that are no other letter with a mark above it, and that people type without: ``Lodz``, ``oeuvre``."""


def fold(word: str) -> str:
    """A word without regard to case, to compatibility forms, and to marks that writers leave out."""
    if word.isascii():
        return word.lower()
    folded = unicodedata.normalize("NFKC", word).casefold()
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", folded) if not _is_left_out(mark))
    bare = bare.translate(_LETTERS)
    return "".join(part for part in unicodedata.normalize("NFC", bare) if unicodedata.category(part)[0] in "LNM")


def _is_left_out(character: str) -> bool:
    """Accents of Latin, Greek and Cyrillic letters, points of Hebrew and Arabic, the lengthening of Arabic."""
    number = ord(character)
    return (
        0x300 <= number <= 0x36F
        or 0x591 <= number <= 0x5C7
        or 0x610 <= number <= 0x61A
        or 0x640 <= number <= 0x640
        or 0x64B <= number <= 0x65F
        or number == 0x670
        or 0x6D6 <= number <= 0x6ED
    )


_SPACELESS = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip
"""Thai and Lao, Burmese, Khmer, Kana, Han."""


def _is_spaceless(character: str) -> bool:
    number = ord(character)
    return number >= 0xE00 and any(first <= number <= last for first, last in _SPACELESS)


_UNSEEN = "\u00ad\u200c\u200d\u2060\ufeff"
"""Soft hyphens and joiners, which stand inside of words and are none of their letters. Source: Unicode Standard Annex
29, rule WB4."""


@cache
def _classes() -> tuple[str, str]:
    """(scripts without spaces, marks that belong to letters or are not seen) as members of a character class."""
    spaceless = "".join(f"{chr(first)}-{chr(last)}" for first, last in _SPACELESS)
    marks = "".join(
        chr(number)
        for number in range(0x300, 0xABFF)
        if unicodedata.category(chr(number)) in ("Mn", "Mc") and not _is_spaceless(chr(number))
    )
    return spaceless, marks + _UNSEEN


@cache
def _pattern() -> re.Pattern[str]:
    """Runs of letters, digits and the marks that belong to them."""
    spaceless, marks = _classes()
    letter = rf"[^\W_{spaceless}]"
    return re.compile(rf"[{spaceless}]+|{letter}(?:{letter}|[{marks}])*")


@cache
def _special() -> re.Pattern[str]:
    return re.compile("[{}{}]".format(*_classes()))


# what is asked


class Term(msgspec.Struct, frozen=True):
    """Words that stand side by side: one word, or a phrase.

    Args:
        words: Folded and stemmed.
        is_prefix: The last word may go on.
    """

    words: tuple[str, ...]
    is_prefix: bool = False


class SearchQuery(msgspec.Struct, frozen=True):
    """What somebody looks for.

    Args:
        wanted: All of these, and of each at least one term.
        unwanted: None of these.
    """

    wanted: tuple[tuple[Term, ...], ...]
    unwanted: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything can be found."""
        return bool(self.wanted)

    @property
    def terms(self) -> list[Term]:
        """All terms that are wanted."""
        return [term for terms in self.wanted for term in terms]


_PART = deferred(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))')


def parse_query(text: str, language: str) -> SearchQuery:
    """What somebody typed, as a query. Every text is one.

    Words are all wanted, with or without ``AND`` between; ``"words in quotes"`` in this order; ``-word`` is not;
    ``one OR other`` at least one; ``prefix*`` any word that begins so.

    Args:
        text: As typed.
        language: Whose stems.
    """
    wanted: list[list[Term]] = []
    unwanted: list[Term] = []
    joins = False
    for found in _PART.finditer(text):
        if found["word"] in ("AND", "OR") and not found["minus"]:
            joins = found["word"] == "OR" and bool(wanted)
            continue
        term = _term(found, language)
        if term is None:
            continue
        if found["minus"]:
            unwanted.append(term)
        elif joins:
            wanted[-1].append(term)
        else:
            wanted.append([term])
        joins = False
    return SearchQuery(tuple(map(tuple, wanted)), tuple(unwanted))


def _term(found: re.Match[str], language: str) -> Term | None:
    text = found["phrase"] if found["phrase"] is not None else found["word"]
    is_prefix = found["phrase"] is None and text.endswith("*")
    parts = list(tokens(text, language))
    if not parts:
        return None
    words = [part.word for part in parts]
    if is_prefix:  # the stem may have lost or changed what was typed: look for what both begin with
        words[-1] = _common_start(words[-1], fold(text[parts[-1].start : parts[-1].end]))
    return Term(tuple(words), is_prefix)


def _common_start(one: str, other: str) -> str:
    length = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:length] or other


# what is shown


def find_marks(text: str, query: SearchQuery, language: str) -> list[tuple[int, int]]:
    """Where a text has what a query looks for: (start, end) in order, not overlapping.

    It takes as long for a thousand terms as for one: visitors type what they like.
    """
    found = list(tokens(text, language))
    words = [token.word for token in found]
    whole = {term.words for term in query.terms if not term.is_prefix}
    begun = {term.words for term in query.terms if term.is_prefix}
    counts = {len(term) for term in whole}
    shapes = {(len(term), len(term[-1])) for term in begun}
    spans: list[tuple[int, int]] = []
    for index, token in enumerate(found):
        met = [count for count in counts if tuple(words[index : index + count]) in whole]
        for count, letters in shapes:
            *before, last = words[index : index + count]
            if (*before, last[:letters]) in begun:
                met.append(count)
        spans += [(token.start, found[index + count - 1].end) for count in met]
    return _merged(spans)


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def find_excerpt(text: str, marks: Sequence[tuple[int, int]], words: int) -> tuple[int, int]:
    """The stretch of so many words that has most of the marks: (start, end); the first of equals.

    Args:
        text: Plain text.
        marks: What ``find_marks`` gave.
        words: How many words to show.
    """
    bounds = [found.span() for found in re.finditer(r"\S+", text)]
    if len(bounds) <= words:
        return 0, len(text)
    starts = [start for start, _ in marks]
    has_mark = [bisect_left(starts, first) < bisect_left(starts, last) for first, last in bounds]
    best = count = sum(has_mark[:words])
    at = 0
    for first in range(1, len(bounds) - words + 1):
        count += has_mark[first + words - 1] - has_mark[first - 1]
        if count > best:
            best, at = count, first
    if best:  # some words before the first mark, rather than all after it
        first_mark = next(n for n in range(at, at + words) if has_mark[n])
        last_mark = next(n for n in range(at + words - 1, at - 1, -1) if has_mark[n])
        at = max(0, min(len(bounds) - words, (first_mark + last_mark + 1) // 2 - words // 2))
    return bounds[at][0], bounds[at + words - 1][1]
