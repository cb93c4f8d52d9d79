"""Slugs: the words of a title as they stand in a URL."""

from __future__ import annotations

import re
import unicodedata

from toolkit.errors import ValidationError

# Letters that Unicode does not decompose into a plain letter and a mark.
_LATIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i",
    "ĸ": "k", "ŋ": "n", "ŧ": "t", "ƒ": "f", "ə": "e", "ɛ": "e", "ɔ": "o", "ɖ": "d", "ɗ": "d",
    "ɓ": "b", "ƙ": "k",
    "ɣ": "g", "ʉ": "u", "ɨ": "i", "ǝ": "e", "ƴ": "y", "ȷ": "j", "ꝥ": "th", "ȝ": "y", "ƿ": "w",
}  # fmt: skip
# Greek by ELOT 743 and Cyrillic by BGN/PCGN, without their diacritics and apostrophes.
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k",
    "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ":
    "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "к": "k", "л":
    "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х":
    "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ы": "y", "э": "e", "ю": "yu", "я": "ya",
    "ъ": "", "ь": "", "й": "y", "ё": "yo", "є": "ye", "і": "i", "ї": "yi", "ґ": "g", "ђ": "dj", "ј": "j",
    "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz", "ў": "w", "ѓ": "gj", "ѕ": "dz", "ќ": "kj",
}  # fmt: skip
_LETTERS = {**_LATIN, **_GREEK, **_CYRILLIC}

# What a language's own readers write where they have only plain letters.
_BY_LANGUAGE: dict[str, dict[str, str]] = {
    "de": {"ä": "ae", "ö": "oe", "ü": "ue"},
    "da": {"ø": "oe", "å": "aa"},
    "nb": {"ø": "oe", "å": "aa"},
    "nn": {"ø": "oe", "å": "aa"},
    "no": {"ø": "oe", "å": "aa"},
    "is": {"ö": "o", "æ": "ae"},
    "et": {"ä": "ae", "ö": "oe", "ü": "ue", "õ": "o"},
    "uk": {"г": "h", "и": "y", "і": "i", "ї": "i", "й": "i", "є": "ie", "ю": "iu", "я": "ia"},
    "bg": {"щ": "sht", "ъ": "a", "х": "h", "ц": "ts"},
    "sr": {"ж": "z", "ч": "c", "ш": "s", "ц": "c", "х": "h"},
}
_ELIDING = frozenset({"fr", "it", "ca", "oc"})  # "l'été" is two words, "don't" is one

_APOSTROPHES = "'’‘ʼ`´ʻ"
_TATWEEL = "\u0640"
_VOWEL_SIGNS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0591-\u05bd\u05bf-\u05c7]")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u034f]")
_NOT_ASCII_SLUG = re.compile("[^a-z0-9_]+")


def slugify(
    text: str,
    *,
    allow_unicode: bool = False,
    locale: str | None = None,
    max_length: int | None = None,
    default: str | None = None,
) -> str:
    """The words of a text in small letters, joined by hyphens: ``"Über Ñandú!"`` is ``"uber-nandu"``.

    The same text always gives the same slug, and a slug is its own slug. Underscores are kept, as in Django.

    Args:
        text: A title or name.
        allow_unicode: Keep letters of all scripts (``"فيضان-النهر"``) instead of rewriting them in a to z.
            Arabic and Hebrew vowel signs, the tatweel and invisible direction marks are dropped.
        locale: Language of the text: in ``"de"`` an ä is "ae", in ``"fr"`` an apostrophe parts words.
        max_length: Cut to so many characters, after a whole word where there is one.
        default: What to answer when nothing is left, instead of raising.

    Raises:
        ValidationError: No letter or digit is left, and no default was given.
    """
    language = (locale or "").replace("_", "-").partition("-")[0].lower()
    words = _unicode_words(text, language) if allow_unicode else _ascii_words(text, language)
    slug = words.strip("-_")
    if max_length is not None and len(slug) > max_length:
        slug = _cut(slug, max_length)
    return slug or _nothing_left(text, allow_unicode=allow_unicode, default=default)


def _ascii_words(text: str, language: str) -> str:
    if text.isascii():
        return _NOT_ASCII_SLUG.sub("-", _part_apostrophes(text, language).lower())
    small = unicodedata.normalize("NFC", _lower(text, language))
    letters = {**_LETTERS, **_BY_LANGUAGE.get(language, {})}
    pieces = (letters.get(character) or _plain(character, letters) for character in small)
    plain = _part_apostrophes("".join(pieces), language)
    return _NOT_ASCII_SLUG.sub("-", plain.lower())


def _plain(character: str, letters: dict[str, str]) -> str:
    """A character without its marks, in a to z where it has such a form; itself otherwise."""
    if character in letters:
        return letters[character]
    decomposed = unicodedata.normalize("NFKD", character)
    if decomposed == character:
        return "" if _is_silent(character) else character
    return "".join(letters.get(part, part) for part in decomposed if not _is_silent(part))


def _unicode_words(text: str, language: str) -> str:
    small = unicodedata.normalize("NFKC", _lower(unicodedata.normalize("NFKC", text), language))
    small = unicodedata.normalize("NFKC", small.lower())  # a few letters only find their small form now
    small = _SELECTORS.sub("", _VOWEL_SIGNS.sub("", small)).replace(_TATWEEL, "")
    pieces: list[str] = []
    for character in _part_apostrophes(small, language):
        category = unicodedata.category(character)
        if category[0] == "L" or category == "Nd" or character == "_":
            pieces.append(character)
        elif category[0] == "M":
            # A mark belongs to the letter before it; after anything else it would be a slug of nothing.
            if pieces and pieces[-1] not in "-_":
                pieces.append(character)
        elif category != "Cf" or character == "\u200c":  # the non-joiner parts the halves of Persian words
            pieces.append("-")
    return re.sub("-+", "-", "".join(pieces))


def _lower(text: str, language: str) -> str:
    if language in ("tr", "az"):
        text = text.replace("I", "ı")
    return text.replace("İ", "i").replace("ẞ", "ß").lower()


def _part_apostrophes(text: str, language: str) -> str:
    replacement = "-" if language in _ELIDING else ""
    return "".join(replacement if character in _APOSTROPHES else character for character in text)


def _is_silent(character: str) -> bool:
    """Marks and invisible characters leave no trace in a to z."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf")


def _cut(slug: str, length: int) -> str:
    if slug[length] in "-_":
        return slug[:length].strip("-_")
    whole, hyphen, _ = slug[:length].rpartition("-")
    return (whole if hyphen else slug[:length]).strip("-_")


def _nothing_left(text: str, *, allow_unicode: bool, default: str | None) -> str:
    if default is not None:
        return default
    hint = "Give a slug by hand, or a default"
    if not allow_unicode and any(character.isalpha() for character in text):
        hint += ", or allow_unicode=True to keep letters of this script"
    raise ValidationError(f"no slug can be made of {text!r}", code="slug", hint=hint + ".")
