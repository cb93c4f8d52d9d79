"""The checks on one translation, each with its id.

A check is a function from what is translated to sentences about what is wrong. It is silenced for one message
by the flag ``#, ignore-<id>``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .catalog import Message
from .placeholders import (
    ATTRIBUTE,
    TAG,
    URL,
    brace_fields,
    has_bare_percent,
    percent_fields,
    words_only,
)

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One translated text and the source text it is for.

    Args:
        message: The message.
        source: Its msgid, or its plural for a form that goes with many numbers.
        text: The translation.
        locale: BCP 47 tag.
        is_exact: The form goes with one number only, and so may leave it out ("one story").
    """

    message: Message
    source: str
    text: str
    locale: str
    is_exact: bool = False


Checker = Callable[[Pair], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Check:
    """A named check.

    Args:
        id: Stable name, as in the flag ``ignore-<id>``.
        severity: ``error``: readers would get a broken page; ``warning``: probably wrong; ``info``: look.
        about: What it finds, for the reference.
        find: The function.
    """

    id: str
    severity: Severity
    about: str
    find: Checker


_NUMBER = re.compile(r"\d+(?:[.,٫٬’\u00a0\u202f]\d+)*")
_ENDINGS = {
    "full stop": ".。।۔።։",
    "question mark": "?？؟;;՞",
    "exclamation mark": "!！՜",
    "colon": ":：",
    "ellipsis": "…",
    "comma": ",،、，",
    "semicolon": ";؛；",
}
_CLOSERS = "\"'”’»«“)]）」』\u200e\u200f\u2069\u202c"
_NO_FULL_STOP = frozenset({"th", "lo", "km", "my", "bo"})
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"), ("（", "）"), ("「", "」"), ("『", "』"))
_BIDI_OPEN = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
_BIDI_CLOSE = frozenset("\u202c\u2069")
_MOJIBAKE = re.compile("\ufffd|[ÃÂ][\u0080-\u00bf]|â\u0080[\u0090-\u00af]")


def find_placeholders(pair: Pair) -> Iterator[str]:
    """``%(name)s`` and ``{name}``: one too many breaks the page, one too few loses what it stands for."""
    for fields in (percent_fields, brace_fields):
        wanted, found = Counter(fields(pair.source)), Counter(fields(pair.text))
        if fields is brace_fields and not (wanted or "python-brace-format" in pair.message.flags):
            continue  # braces in prose
        known = {name for source in pair.message.sources for name in fields(source)}
        for name in sorted(found.keys() - known):
            yield f"{name} is not in the source text"
        for name in sorted(wanted.keys() - found.keys()):
            if not pair.is_exact:
                yield f"{name} is missing"
        positional = [name for name in wanted if "(" not in name and wanted[name] != found[name] and found[name]]
        if positional and fields is percent_fields:
            yield f"{positional[0]} is there {found[positional[0]]} times instead of {wanted[positional[0]]}"


def find_percent(pair: Pair) -> Iterator[str]:
    """A ``%`` alone in a text that templates format."""
    is_prose = any(has_bare_percent(source) for source in pair.message.sources)
    only_python = all(location.endswith(".py") for location in pair.message.locations)
    formats = "python-format" in pair.message.flags or not only_python
    if formats and not is_prose and has_bare_percent(pair.text):
        yield "a % that is no placeholder has to be written %%"


def find_tags(pair: Pair) -> Iterator[str]:
    """HTML tags, as many and as named as in the source."""
    wanted, found = _tags(pair.source), _tags(pair.text)
    for name in sorted((wanted - found).keys()):
        yield f"<{name}> is missing"
    for name in sorted((found - wanted).keys()):
        yield f"<{name}> is not in the source text"


def _tags(text: str) -> Counter[str]:
    return Counter(match["close"] + match["name"].lower() for match in TAG.finditer(text))


def find_attributes(pair: Pair) -> Iterator[str]:
    """An attribute that the source has not: a way to smuggle in ``onclick``."""
    known = {name for source in pair.message.sources for name in _attributes(source)}
    for name in sorted(_attributes(pair.text) - known):
        yield f"the attribute {name} is not in the source text"


def _attributes(text: str) -> set[str]:
    return {name[1].lower() for tag in TAG.finditer(text) for name in ATTRIBUTE.finditer(tag["attributes"])}


def find_newlines(pair: Pair) -> Iterator[str]:
    """Newlines at the ends, which gettext's own tools insist on."""
    for place, method in (("begin", str.startswith), ("end", str.endswith)):
        if method(pair.source, "\n") != method(pair.text, "\n"):
            yield f"source and translation must both {place} with a newline, or neither"


def find_leading_space(pair: Pair) -> Iterator[str]:
    """Blanks at the beginning."""
    if _edge(pair.source, start=True) != _edge(pair.text, start=True):
        yield "the blanks at the beginning are not those of the source text"


def find_trailing_space(pair: Pair) -> Iterator[str]:
    """Blanks at the end."""
    if _edge(pair.source, start=False) != _edge(pair.text, start=False):
        yield "the blanks at the end are not those of the source text"


def _edge(text: str, *, start: bool) -> str:
    inner = text.strip("\n")
    stripped = inner.lstrip() if start else inner.rstrip()
    return inner[: len(inner) - len(stripped)] if start else inner[len(stripped) :]


def find_punctuation(pair: Pair) -> Iterator[str]:
    """How the text ends, in the marks of its language."""
    wanted, found = _ending(pair.source), _ending(pair.text)
    if wanted == found or (wanted == "full stop" and pair.locale.split("-")[0] in _NO_FULL_STOP):
        return
    if pair.locale.split("-")[0] == "el" and {wanted, found} == {"question mark", "semicolon"}:
        return
    yield f"the source text ends with {_with_article(wanted)}, the translation with {_with_article(found)}"


def _with_article(mark: str) -> str:
    return f"{'an' if mark[:1] in 'ae' else 'a'} {mark}" if mark else "none"


def _ending(text: str) -> str:
    stripped = text.rstrip().rstrip(_CLOSERS).rstrip()
    if stripped.endswith("..."):
        return "ellipsis"
    last = stripped[-1:]
    return next((name for name, marks in _ENDINGS.items() if last and last in marks), "")


def find_unchanged(pair: Pair) -> Iterator[str]:
    """A translation that is its source text."""
    words = words_only(pair.source)
    if pair.text == pair.source and sum(map(str.isalpha, words)) > 1:
        yield "the translation is the source text"


def find_urls(pair: Pair) -> Iterator[str]:
    """Addresses."""
    for url in sorted(set(URL.findall(pair.text)) - set(URL.findall(pair.source))):
        yield f"{url} is not in the source text"


def find_numbers(pair: Pair) -> Iterator[str]:
    """Numbers, in whatever digits and grouping."""
    if pair.is_exact:
        return
    digits = "".join(_numbers(pair.text))  # "1,234" may be "1 234": grouping is the language's
    for number in _numbers(pair.source):
        if number not in digits:
            yield f"the number {number} is missing"


def _numbers(text: str) -> list[str]:
    """The numbers of a text in the digits 0 to 9, without separators."""
    found = _NUMBER.findall(words_only(text))
    return ["".join(str(unicodedata.decimal(char)) for char in number if char.isdecimal()) for number in found]


def find_brackets(pair: Pair) -> Iterator[str]:
    """Brackets that open and never close."""
    for opening, closing in _BRACKETS:
        if pair.source.count(opening) != pair.source.count(closing):
            continue
        if pair.text.count(opening) != pair.text.count(closing):
            yield f"{opening} and {closing} are not as many"


def find_bidi(pair: Pair) -> Iterator[str]:
    """Direction marks that open and never close: they turn the rest of the page."""
    depth = 0
    for char in pair.text:
        depth += (char in _BIDI_OPEN) - (char in _BIDI_CLOSE)
        if depth < 0:
            break
    if depth:
        yield "a direction mark (U+202A to U+202E, U+2066 to U+2069) is not closed, or closed twice"


def find_controls(pair: Pair) -> Iterator[str]:
    """Characters that nobody can see and HTML does not allow."""
    strange = {char for char in pair.text if unicodedata.category(char) == "Cc" and char not in "\n\t"}
    for char in sorted(strange - set(pair.source)):
        yield f"the control character U+{ord(char):04X} is in it"


def find_encoding(pair: Pair) -> Iterator[str]:
    """Text that was read in the wrong charset somewhere: "JosÃ©"."""
    match = _MOJIBAKE.search(pair.text)
    if match and not _MOJIBAKE.search(pair.source):
        yield f"{match[0]!r} looks like text read in a wrong charset"


def find_length(pair: Pair) -> Iterator[str]:
    """The limit of a flag ``max-length:40``."""
    for flag in pair.message.flags:
        name, _, limit = flag.partition(":")
        if name == "max-length" and limit.strip().isdigit() and len(pair.text) > int(limit):
            yield f"{len(pair.text)} characters; at most {int(limit)} have room"


def find_double_space(pair: Pair) -> Iterator[str]:
    """Two blanks where the source has one."""
    if "  " in pair.text.strip() and "  " not in pair.source:
        yield "two blanks follow each other"


def find_doubled_word(pair: Pair) -> Iterator[str]:
    """The same short word twice, as it comes of editing."""
    doubled = re.compile(r"\b(\w{2,})\s+\1\b", re.IGNORECASE)
    match = doubled.search(words_only(pair.text))
    if match and not doubled.search(pair.source):
        yield f"{match[1]!r} is there twice in a row"


CHECKS: tuple[Check, ...] = (
    Check("placeholders", "error", "placeholders differ from the source text's", find_placeholders),
    Check("percent", "error", "a bare % in a text that is formatted", find_percent),
    Check("tags", "error", "HTML tags differ", find_tags),
    Check("attributes", "error", "an HTML attribute that the source text has not", find_attributes),
    Check("newlines", "error", "a newline at one end differs", find_newlines),
    Check("bidi", "error", "a direction mark is not closed", find_bidi),
    Check("controls", "error", "control characters", find_controls),
    Check("encoding", "error", "text read in a wrong charset", find_encoding),
    Check("length", "error", "longer than its max-length flag allows", find_length),
    Check("leading-space", "warning", "blanks at the beginning differ", find_leading_space),
    Check("trailing-space", "warning", "blanks at the end differ", find_trailing_space),
    Check("punctuation", "warning", "ends with another punctuation mark", find_punctuation),
    Check("urls", "warning", "an address that the source text has not", find_urls),
    Check("numbers", "warning", "a number is missing", find_numbers),
    Check("brackets", "warning", "brackets are not balanced", find_brackets),
    Check("double-space", "warning", "two blanks in a row", find_double_space),
    Check("doubled-word", "info", "a word is there twice in a row", find_doubled_word),
    Check("unchanged", "info", "the translation is the source text", find_unchanged),
)
"""The checks on one text; those on a whole message or catalog are in :mod:`toolkit.i18n.check`."""
