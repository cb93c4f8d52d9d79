"""Sorting words as a language's dictionaries do.

Babel has no collation and ICU is a heavy dependency, so this is an approximation of the Unicode Collation
Algorithm (UTS #10) that is right for people's names and headlines: letters first, then accents, then case.
Each language's own letters come where its alphabet has them (``å ä ö`` after ``z`` in Swedish, ``ñ`` after
``n`` in Spanish, ``ch`` after ``h`` in Czech, ``č`` after ``c`` in Croatian). Scripts follow one another as
in CLDR's root order. What it does not do: Chinese by stroke or pinyin, Japanese kanji by reading, Thai vowels
by position, French accents from the end.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

SortKey = tuple[tuple[int, ...], tuple[str, ...], tuple[int, ...], str]

_LATIN = "a b c d e f g h i j k l m n o p q r s t u v w x y z"
# Letters that a language adds to A to Z, as "after: letters". Source: CLDR 46, collation tailorings.
_TAILORINGS: dict[str, str] = {
    "az": "c:ç e:ə g:ğ h:x h:ı i:i o:ö s:ş u:ü",
    "bs": "c:č,ć d:dž,đ l:lj n:nj s:š z:ž",
    "cs": "c:č h:ch r:ř s:š z:ž",
    "cy": "c:ch d:dd f:ff g:ng l:ll p:ph r:rh t:th",
    "da": "z:æ,ø,å",
    "eo": "c:ĉ g:ĝ h:ĥ j:ĵ s:ŝ u:ŭ",
    "es": "n:ñ",
    "et": "s:š,z,ž w:õ,ä,ö,ü",
    "fi": "z:å,ä,ö",
    "fo": "d:ð z:æ,ø",
    "gl": "n:ñ",
    "hr": "c:č,ć d:dž,đ l:lj n:nj s:š z:ž",
    "hu": "c:cs d:dz,dzs g:gy l:ly n:ny o:ö s:sz t:ty u:ü z:zs",
    "is": "a:á d:ð e:é i:í o:ó u:ú y:ý z:þ,æ,ö",
    "lt": "c:č s:š z:ž",
    "lv": "c:č g:ģ k:ķ l:ļ n:ņ s:š z:ž",
    "mt": "b:ċ f:ġ g:għ h:ħ y:ż",
    "nb": "z:æ,ø,å",
    "nn": "z:æ,ø,å",
    "no": "z:æ,ø,å",
    "pl": "a:ą c:ć e:ę l:ł n:ń o:ó s:ś z:ź,ż",
    "ro": "a:ă,â i:î s:ș t:ț",
    "se": "z:á,č,đ,ŋ,š,ŧ,ž",
    "sk": "a:ä c:č h:ch o:ô s:š z:ž",
    "sl": "c:č,ć d:đ s:š z:ž",
    "sq": "c:ç d:dh e:ë g:gj l:ll n:nj r:rr s:sh t:th x:xh z:zh",
    "sv": "z:å,ä,ö",
    "tr": "c:ç g:ğ h:ı o:ö s:ş u:ü",
    "vi": "a:ă,â d:đ e:ê o:ô,ơ u:ư",
}
_EQUAL = {language: {"aa": "å"} for language in ("da", "nb", "nn", "no")} | {
    "sv": {"ü": "y"},
    "fi": {"ü": "y"},
}
_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "GEORGIAN", "ARMENIAN", "HEBREW", "ARABIC", "DEVANAGARI", "HANGUL")
_BASES = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ł": "l",
    "ħ": "h",
    "ı": "i",
    "þ": "th",
}
_IGNORED = frozenset("'’‘ʼ-‐‑\u00ad\u200c\u200d\u200e\u200f\u2066\u2067\u2068\u2069ـ")
_LETTERS = 1_000_000
"""Ranks: blanks and punctuation below digits, digits below letters."""


def sort_key(locale: str) -> Callable[[str], SortKey]:
    """A ``key`` for ``sorted``: ``sorted(names, key=sort_key("sv"))``.

    Args:
        locale: BCP 47 tag.
    """
    return _key_function(locale.split("-")[0].lower())


@lru_cache(maxsize=64)
def _key_function(language: str) -> Callable[[str], SortKey]:
    ranks = _ranks(language)
    longest = max(map(len, ranks))

    def key(text: str) -> SortKey:
        composed = unicodedata.normalize("NFC", text)
        letters: list[int] = []
        accents: list[str] = []
        position, folded = 0, _fold(composed, language)
        while position < len(folded):
            length, found, accent = _next_letter(folded, position, ranks, longest)
            letters += found
            if found:
                accents.append(accent)
            position += length
        return tuple(letters), tuple(accents), tuple(map(str.isupper, composed)), composed

    return key


def _fold(text: str, language: str) -> str:
    """Lower case; Turkish and Azeri tell I from İ."""
    if language in ("tr", "az"):
        text = text.replace("I", "ı").replace("İ", "i")
    return unicodedata.normalize("NFC", text.lower())


def _next_letter(text: str, at: int, ranks: dict[str, int], longest: int) -> tuple[int, list[int], str]:
    """(characters taken, ranks, accents) of the letter at a position."""
    for length in range(longest, 0, -1):
        rank = ranks.get(text[at : at + length])
        if rank is not None and at + length <= len(text):
            return length, [rank], ""
    char = text[at]
    if char in _IGNORED or unicodedata.combining(char):
        return 1, [], ""
    decomposed = unicodedata.normalize("NFKD", _BASES.get(char, char))
    accent = "".join(mark for mark in decomposed if unicodedata.combining(mark))
    base = [part for part in decomposed if not unicodedata.combining(part)]
    return 1, [_rank(part, ranks) for part in base], accent or ("*" if char in _BASES else "")


def _rank(char: str, ranks: dict[str, int]) -> int:
    if char in ranks:
        return ranks[char]
    if char.isspace():
        return 0
    if char.isdecimal():
        return 500_000 + unicodedata.decimal(char)
    if not char.isalpha():
        return 1 + min(ord(char), 400_000)
    script = unicodedata.name(char, "").split(" ", 1)[0]
    place = _SCRIPTS.index(script) if script in _SCRIPTS else len(_SCRIPTS)
    return _LETTERS * (2 + place) + ord(char)


def _ranks(language: str) -> dict[str, int]:
    """The alphabet of a language: letter, or letters that count as one, to its place."""
    alphabet = _LATIN.split()
    for rule in _TAILORINGS.get(language, "").split():
        after, _, added = rule.partition(":")
        letters = added.split(",")
        alphabet = [letter for letter in alphabet if letter not in letters]
        at = alphabet.index(after) + 1
        alphabet[at:at] = letters
    ranks = {letter: 2 * _LETTERS + place for place, letter in enumerate(alphabet)}
    return {**ranks, **{other: ranks[letter] for other, letter in _EQUAL.get(language, {}).items()}}
