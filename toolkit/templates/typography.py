"""Typographic niceties by language: quotation marks, the spaces of French, small numbers in words."""

from __future__ import annotations

import re

_QUOTES = {
    "en": "“”‘’",
    "es": "«»“”",
    "fr": "«»“”",
    "de": "„“‚‘",
    "it": "«»“”",
    "pt": "“”‘’",
    "pt-PT": "«»“”",
    "ar": "«»“”",
    "ru": "«»„“",
    "uk": "«»„“",
    "pl": "„”«»",
    "cs": "„“‚‘",
    "sv": "””’’",
    "fi": "””’’",
    "da": "”“’‘",
    "nl": "“”‘’",
    "el": "«»“”",
    "de-CH": "«»‹›",
}
"""Outer and inner quotation marks (CLDR, "delimiters"; Swiss German by the Federal Chancellery)."""

_NARROW, _WIDE = "\u202f", "\u00a0"
_TAG = re.compile(
    r"(<!--.*?-->|<(script|style|code|pre|kbd|samp|textarea)\b.*?</\2\s*>|<[^>]*>)", re.DOTALL | re.IGNORECASE
)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|cite|code|data|del|dfn|em|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|time|u|var)"
    r"(?=[\s>])",
    re.IGNORECASE,
)
_ENTITY = re.compile("&quot;|&#34;|&#39;")
_INLINE_SEAM, _SEAM = "\ue000", "\ue001"
_SEAMS = re.compile("[\ue000\ue001]")

_SPELLED = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    "de": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    "it": ("zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"),
    "pt": ("zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"),
    "ar": ("صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"),
}


def spell_number(value: int, *, locale: str) -> str | None:
    """A number from 0 to 9 in words, as newspapers' stylebooks ask; None for others and unknown languages."""
    words = _SPELLED.get(_language(locale))
    return words[value] if words and 0 <= value < len(words) else None


def smarten_text(text: str, *, locale: str) -> str:
    """Plain text with the quotation marks, apostrophes, dashes and spaces of its language.

    ``"`` and ``'`` become the language's marks, ``--`` and ``---`` dashes, ``...`` an ellipsis. French gets
    its narrow no-break space before ``; ! ?`` and a no-break space before ``:`` and inside guillemets.
    """
    marks = _QUOTES.get(locale) or _QUOTES.get(_language(locale)) or _QUOTES["en"]
    text = text.replace("---", "—").replace("--", "–").replace("...", "…")
    text = _quoted(text, marks)
    return _french(text) if _language(locale) == "fr" else text


def smarten_html(html: str, *, locale: str) -> str:
    """The same for HTML: tags, code and what scripts hold are left alone.

    A quotation may span inline tags: the text before a tag decides whether the mark after it opens. Any other
    tag begins anew.
    """
    pieces = _TAG.split(html)
    tags = [*pieces[1::3], ""]
    joint = "".join(
        _ENTITY.sub(_mark, _SEAMS.sub("", text)) + (_INLINE_SEAM if _INLINE.match(tag) else _SEAM)
        for text, tag in zip(pieces[::3], tags, strict=True)
    )
    smart = _SEAMS.split(smarten_text(joint, locale=locale))
    return "".join(text + tag for text, tag in zip(smart, tags, strict=False))


def _mark(match: re.Match[str]) -> str:
    return "'" if match[0] == "&#39;" else '"'


def _quoted(text: str, marks: str) -> str:
    pieces: list[str] = []
    before = ""
    for character in text:
        if character in "\"'":
            opens = not before or before.isspace() or before in "([{—–-/«“„‘‚"
            outer = character == '"'
            pieces.append(marks[(0 if outer else 2) + (not opens)] if outer or opens else "’")
        else:
            pieces.append(character)
        if character != _INLINE_SEAM:
            before = "" if character == _SEAM else character
    return "".join(pieces)


def _french(text: str) -> str:
    text = re.sub(rf"[ {_WIDE}{_NARROW}]+([;!?])", rf"{_NARROW}\1", text)
    text = re.sub(rf"[ {_WIDE}{_NARROW}]+(:)(?=[\s»]|$)", rf"{_WIDE}\1", text)
    text = re.sub(r"(?<=\w)([!?])(?=\s|$|»)", rf"{_NARROW}\1", text)
    text = re.sub(rf"«[ {_WIDE}{_NARROW}]*", f"«{_WIDE}", text)
    return re.sub(rf"[ {_WIDE}{_NARROW}]*»", f"{_WIDE}»", text)


def _language(locale: str) -> str:
    return locale.replace("_", "-").partition("-")[0].lower()
