"""Languages: tags, names, writing direction.

A locale is named by its BCP 47 tag, ``"pt-BR"``, everywhere: in settings, URLs, ``<html lang>`` and traces.
Only catalog folders spell it gettext's way, ``pt_BR``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from toolkit.errors import ValidationError

if TYPE_CHECKING:
    import babel

# RFC 5646 §2.1, without the grandfathered tags, which §2.2.8 replaces by ordinary ones.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<territory>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*)"
    r"(?P<private>-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE,
)
_RTL_SCRIPTS = frozenset(
    ["Adlm", "Arab", "Aran", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa", "Yezi"]
)

FIRST_STRONG_ISOLATE, LEFT_TO_RIGHT_ISOLATE, RIGHT_TO_LEFT_ISOLATE = "\u2068", "\u2066", "\u2067"
POP_ISOLATE = "\u2069"


@dataclass(frozen=True, slots=True)
class Locale:
    """A language as the site speaks of it.

    Attributes:
        tag: Canonical BCP 47 tag.
        language: Language subtag, ``"pt"``.
        script: Script subtag, ``"Hant"``, or None when the tag has none.
        territory: Region subtag, ``"BR"``, or None.
        direction: ``"ltr"`` or ``"rtl"``, for ``<html dir>``.
        autonym: The language's name in itself, ``"العربية"``: what a language chooser shows.
        english_name: Its name in English.
        first_week_day: 0 for Monday to 6 for Sunday.
    """

    tag: str
    language: str
    script: str | None
    territory: str | None
    direction: str
    autonym: str
    english_name: str
    first_week_day: int

    @property
    def parents(self) -> tuple[str, ...]:
        """The tags to fall back to, nearest first: ``zh-Hant-TW`` has ``zh-Hant`` and ``zh``."""
        return parents(self.tag)

    @property
    def is_rtl(self) -> bool:
        """Written from right to left."""
        return self.direction == "rtl"

    def __str__(self) -> str:
        return self.tag


def validate_tag(tag: str) -> str:
    """The canonical spelling of a language tag (RFC 5646 §2.1.1): ``"pt-br"`` becomes ``"pt-BR"``.

    Raises:
        ValidationError: It is not a BCP 47 tag.
    """
    match = _TAG.fullmatch(tag)
    if match is None:
        dashed = tag.replace("_", "-").split(".")[0]
        good = "_" in tag and _TAG.fullmatch(dashed)
        hint = f"Write it as {validate_tag(dashed)!r}." if good else "Examples: 'en', 'pt-BR', 'zh-Hant'."
        raise ValidationError(f"{tag!r} is not a language tag (BCP 47)", code="language_tag", hint=hint)
    parts = [match["language"].lower()]
    if match["script"]:
        parts.append(match["script"].title())
    if match["territory"]:
        parts.append(match["territory"].upper())
    rest = match["variants"] + match["extensions"] + (match["private"] or "")
    return "-".join(parts) + rest.lower()


@lru_cache(maxsize=512)
def get_locale(tag: str) -> Locale:
    """What is known of a language.

    Raises:
        ValidationError: ``tag`` is not a BCP 47 tag.
    """
    canonical = validate_tag(tag)
    language, script, territory = _subtags(canonical)
    known = babel_locale(canonical)
    named = is_known(canonical)
    return Locale(
        tag=canonical,
        language=language,
        script=script,
        territory=territory,
        direction=direction(canonical),
        autonym=_capital(_name(known, known)) if named else canonical,
        english_name=(known.get_display_name("en") or canonical) if named else canonical,
        first_week_day=known.first_week_day,
    )


def _subtags(tag: str) -> tuple[str, str | None, str | None]:
    """Language, script and territory of a canonical tag."""
    match = _TAG.fullmatch(tag)
    return (match["language"], match["script"], match["territory"]) if match else (tag, None, None)


def _name(locale: babel.Locale, language: babel.Locale) -> str:
    return locale.get_display_name(language) or str(locale)


def _capital(name: str) -> str:
    """With a capital, for a chooser: CLDR spells names for the middle of a sentence."""
    return name[:1].upper() + name[1:]


@lru_cache(maxsize=512)
def direction(tag: str) -> str:
    """``"rtl"`` or ``"ltr"``: by the script where the tag names one, else by the language's usual script."""
    _, script, _ = _subtags(tag.replace("_", "-"))
    if script:
        return "rtl" if script.title() in _RTL_SCRIPTS else "ltr"
    return "rtl" if _usual_script(tag.replace("_", "-")) in _RTL_SCRIPTS else "ltr"


def _usual_script(tag: str) -> str:
    """The script that CLDR finds likely for a language: ``Arab`` for ``ps``; Latin if unknown."""
    from babel.core import get_global

    likely = get_global("likely_subtags")
    language, _, rest = tag.partition("-")
    for candidate in (f"{language}_{rest.upper()}", language.lower()):
        full = likely.get(candidate)
        if full is not None:
            return str(full.split("_")[1])
    return "Latn"


def parents(tag: str) -> tuple[str, ...]:
    """The tags that a locale falls back to, nearest first (RFC 4647 §3.4): ``("pt",)`` for ``"pt-BR"``."""
    parts = tag.split("-")
    found = []
    while len(parts) > 1:
        parts.pop()
        if len(parts[-1]) > 1:  # "en-x" is no tag
            found.append("-".join(parts))
    return tuple(found)


def is_known(tag: str) -> bool:
    """Whether CLDR has data for the language, so that dates and numbers can be written in it."""
    return _find_babel_locale(tag) is not None


@lru_cache(maxsize=512)
def babel_locale(tag: str) -> babel.Locale:
    """Babel's data for the tag or the nearest parent that has some; English's root data when none has."""
    import babel

    return _find_babel_locale(tag) or babel.Locale("en")


def _find_babel_locale(tag: str) -> babel.Locale | None:
    import babel

    for candidate in (tag, *parents(tag)):
        try:
            return babel.Locale.parse(candidate, sep="-")
        except (babel.UnknownLocaleError, ValueError):
            continue
    return None


def folder_name(tag: str) -> str:
    """The name of a locale's catalog folder, gettext's way: ``"pt-BR"`` to ``"pt_BR"``."""
    return tag.replace("-", "_")


def isolate(text: str, *, direction: str | None = None) -> str:
    """Text that keeps its own direction inside a text of another one (Unicode Bidirectional Algorithm, UAX
    #9).

    For plain text: titles, feeds, ``alt``. In HTML prefer ``<bdi>``.

    Args:
        text: A name or a title whose language is not that of the text around it.
        direction: ``"ltr"``, ``"rtl"``, or None to go by its first strong letter.
    """
    starts = {None: FIRST_STRONG_ISOLATE, "ltr": LEFT_TO_RIGHT_ISOLATE, "rtl": RIGHT_TO_LEFT_ISOLATE}
    return f"{starts[direction]}{text}{POP_ISOLATE}"
