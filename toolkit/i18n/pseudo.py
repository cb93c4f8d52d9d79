"""Pseudo-localisation: what a site looks like in a language that nobody had to translate.

``en-XA`` gives every message accents, brackets and a third more length: text that shows without them never
went through ``gettext``, text cut off has no room for German. ``ar-XB`` turns its words right to left: a
layout that does not follow shows at once. The tags are those of Android and ICU.
"""

from __future__ import annotations

import re
from dataclasses import replace

from .catalog import Catalog, Message
from .placeholders import OPAQUE
from .plurals import PluralForms, plural_forms
from .update import new_catalog

ACCENTS = "en-XA"
RIGHT_TO_LEFT = "ar-XB"
PSEUDO_LOCALES = (ACCENTS, RIGHT_TO_LEFT)

_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ACCENTED = str.maketrans(_PLAIN, "åƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORD = re.compile(r"[^\W\d_]+")
_RLO, _PDF, _RLM = "\u202e", "\u202c", "\u200f"


def pseudo(text: str, locale: str = ACCENTS) -> str:
    """The text as the pseudo-language has it; placeholders, tags, entities and addresses stay as they are.

    Args:
        text: Source text.
        locale: ``"en-XA"`` or ``"ar-XB"``.
    """
    if not text.strip():
        return text
    start, middle, end = _split_blanks(text)
    turn = _accented if locale == ACCENTS else _reversed
    pieces: list[str] = []
    last = 0
    for match in OPAQUE.finditer(middle):
        pieces += [turn(middle[last : match.start()]), match[0]]
        last = match.end()
    pieces.append(turn(middle[last:]))
    whole = "".join(pieces)
    return start + (f"[{whole}{_padding(middle)}]" if locale == ACCENTS else whole) + end


def _split_blanks(text: str) -> tuple[str, str, str]:
    """Blanks at both ends apart: a translation must keep them."""
    middle = text.strip()
    at = text.index(middle)
    return text[:at], middle, text[at + len(middle) :]


def _accented(text: str) -> str:
    return text.translate(_ACCENTED)


def _reversed(text: str) -> str:
    """Each word between marks that make a browser show it from right to left."""
    return _WORD.sub(lambda match: f"{_RLM}{_RLO}{match[0]}{_PDF}{_RLM}", text)


def _padding(text: str) -> str:
    """Words that make the text about 40 % longer, as English grows in German or Finnish."""
    wanted = round(len(OPAQUE.sub("", text)) * 0.4)
    padding = ""
    for number in range(wanted):
        if len(padding) >= wanted:
            break
        padding += " " + _NUMBERS[number % len(_NUMBERS)]
    return padding


def pseudo_catalog(template: Catalog, locale: str = ACCENTS) -> Catalog:
    """A catalog of the pseudo-language, made of a template: to be written like any other."""
    catalog = new_catalog(locale, template=template)
    forms = plural_forms(locale)
    return catalog.with_messages(tuple(_translated(message, forms, locale) for message in template.active))


def _translated(message: Message, forms: PluralForms, locale: str) -> Message:
    """The message in all its forms: the singular in the form of 1, the plural in the others."""
    if message.plural is None:
        return replace(message, translations=(pseudo(message.msgid, locale),))
    one, many = pseudo(message.msgid, locale), pseudo(message.plural, locale)
    texts = [one if index == forms.compile()(1) else many for index in range(forms.count)]
    return replace(message, translations=tuple(texts) if forms.count > 1 else (many,))
