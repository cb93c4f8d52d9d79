"""Counting words, in scripts that put spaces between them and in those that do not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from toolkit.text.patterns import deferred

# Ideographs, kana and their extensions: written without spaces, one character counted as one word.
_CJK = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# Dashes and brackets part words even without a space; so does the punctuation of Chinese and Japanese.
_BREAKS = "\\s\u2012-\u2015\u2026/|\u3000-\u3004\u3008-\u303f\uff01-\uff0f\uff1a-\uff20\u200b"
_WORD = deferred(rf"[{_CJK}]|[^\W_][^{_BREAKS}{_CJK}]*")
_IS_CJK = deferred(f"[{_CJK}]")
# Thai, Lao, Burmese and Khmer part sentences, not words, by spaces.
_UNSPACED = deferred("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_UNSPACED_LETTERS_A_WORD = 5

WORDS_A_MINUTE = {
    "ar": 138, "de": 179, "en": 228, "es": 218, "fi": 161, "fr": 195, "he": 187, "it": 188, "nl": 202,
    "pl": 166, "pt": 181, "ru": 184, "sl": 180, "sv": 199, "tr": 166,
}  # fmt: skip
"""Measured reading speeds: Trauzettel-Klosinski and Dietz, "Standardized Assessment of Reading Performance:
The New International Reading Speed Texts IReST", 2012."""

CHARACTERS_A_MINUTE = {"zh": 255, "ja": 357}
"""The same study's speeds for scripts counted by the character."""

_OTHER_WORDS_A_MINUTE = 184  # the study's mean over its languages
_OTHER_CHARACTERS_A_MINUTE = 255


class Word(NamedTuple):
    """A word's place in a text.

    Args:
        start: Index of its first character.
        end: Index after its last.
    """

    start: int
    end: int


def iter_words(text: str) -> Iterator[Word]:
    """The words of plain text in order; each ideograph or kana is one.

    A word begins at a letter or digit. Marks (Arabic vowel signs, Hindi vowels), apostrophes, hyphens and
    decimal points stay inside it.
    """
    for match in _WORD.finditer(text):
        yield Word(*match.span())


def word_count(text: str) -> int:
    """How many words plain text has (use ``plain_text`` first where there are tags).

    Chinese and Japanese are counted by the character; Thai, Lao, Burmese and Khmer, which do not mark words,
    by five letters.
    """
    words: list[str] = _WORD.findall(text)
    if not _UNSPACED.search(text):
        return len(words)
    return sum(max(1, round(len(_UNSPACED.findall(word)) / _UNSPACED_LETTERS_A_WORD)) for word in words)


def reading_time_minutes(text: str, *, locale: str | None = None, words_per_minute: float | None = None) -> int:
    """Minutes that an adult needs to read plain text, rounded up; 0 for a text without words.

    Args:
        text: Plain text.
        locale: Its language, such as ``"ar"`` or ``"es-MX"``: languages are read at different speeds.
        words_per_minute: A speed of your own, instead of the measured one.
    """
    language = (locale or "").replace("_", "-").partition("-")[0].lower()
    characters = len(_IS_CJK.findall(text))
    words = word_count(text) - characters
    speed = words_per_minute or WORDS_A_MINUTE.get(language, _OTHER_WORDS_A_MINUTE)
    character_speed = words_per_minute or CHARACTERS_A_MINUTE.get(language, _OTHER_CHARACTERS_A_MINUTE)
    return math.ceil(words / speed + characters / character_speed)
