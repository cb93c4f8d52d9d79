"""The filters every template may use, beside Jinja's own; each is a plain function too.

What depends on a language or a time zone takes those of the current scope, unless they are given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date as Date
from datetime import datetime as DateTime
from datetime import time as Time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from toolkit.errors import TemplateError
from toolkit.i18n import formats
from toolkit.lazily import LazyModule
from toolkit.text import absolute_url as join_url
from toolkit.text import below, json_for_html, plain_text, reading_time_minutes, slugify
from toolkit.text import truncate_chars as cut_chars
from toolkit.text import truncate_html as cut_html
from toolkit.text import truncate_words as cut_words
from toolkit.trace import Scope, current

from .clock import read_clock_for
from .markdown import Markdown
from .rendered import Rendered
from .typography import smarten_html, smarten_text, spell_number

if TYPE_CHECKING:
    from toolkit.text import searching
else:
    searching = LazyModule("toolkit.text.searching")


Number = int | float | Decimal

_URL = re.compile(
    r"""(?P<url>\bhttps?://[^\s<>"']+|\bwww\.[^\s<>"']+\.[^\s<>"']+)"""
    r"""|(?P<mail>\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b)"""
)
_BLANK_LINES = re.compile(r"\n\s*\n")
_plain_markdown = Markdown()


def _scope() -> Scope | None:
    return current.get()


def _locale(given: str | None) -> str:
    scope = _scope()
    return given or (scope.locale if scope is not None else "en")


def _timezone(given: str | None) -> str | None:
    scope = _scope()
    settings = getattr(scope.site, "settings", None) if scope is not None else None
    return given or getattr(settings, "timezone", None)


# -- dates and numbers


@lru_cache(maxsize=8192)
def _formatted(kind: str, value: Any, format: str, locale: str, timezone: str | None) -> str:
    """A date or time in words. A list of stories says the same few dates over and over."""
    say = {"date": formats.format_date, "time": formats.format_time, "datetime": formats.format_datetime}[kind]
    said: str = say(value, format, locale=locale, timezone=timezone)
    return said


def date(
    value: Date | DateTime | None,
    format: str = "long",
    *,
    locale: str | None = None,
    timezone: str | None = None,
) -> str:
    """A day in the reader's language: ``{{ story.published|date("d MMM y")}}``. None is nothing.

    Args:
        value: A date, or a moment whose date in the site's time zone is meant.
        format: ``short``, ``medium``, ``long``, ``full``, or a CLDR pattern.
        locale: BCP 47 tag; the page's by default.
        timezone: IANA name; the site's by default.
    """
    if value is None:
        return ""
    return _formatted("date", value, format, _locale(locale), _timezone(timezone))


def time(
    value: Time | DateTime | None,
    format: str = "short",
    *,
    locale: str | None = None,
    timezone: str | None = None,
) -> str:
    """A time of day in the reader's language and the site's time zone. See :func:`date`."""
    if value is None:
        return ""
    return _formatted("time", value, format, _locale(locale), _timezone(timezone))


def datetime(
    value: DateTime | None, format: str = "long", *, locale: str | None = None, timezone: str | None = None
) -> str:
    """A moment in the reader's language and the site's time zone. See :func:`date`."""
    if value is None:
        return ""
    return _formatted("datetime", value, format, _locale(locale), _timezone(timezone))


def timesince(value: DateTime | None, now: DateTime | None = None, *, locale: str | None = None) -> str:
    """How long ago: "3 days ago", "in 2 hours".

    Without ``now`` it reads the page's clock, which makes the page depend on it: by the day, hour or minute,
    depending on the age.
    """
    if value is None:
        return ""
    return formats.timesince(value, now=now or read_clock_for(value), locale=_locale(locale))


def number(value: Number | None, format: str | None = None, *, locale: str | None = None) -> str:
    """A number with the language's separators; ``|number("0.0")`` takes a CLDR pattern. None is nothing."""
    return "" if value is None else formats.format_number(value, format, locale=_locale(locale))


def intcomma(value: Number | None, *, locale: str | None = None) -> str:
    """A number with the language's separators (Django's name for :func:`number`)."""
    return number(value, locale=locale)


def percent(value: Number | None, format: str | None = None, *, locale: str | None = None) -> str:
    """A share: 0.25 is "25%"."""
    return "" if value is None else formats.format_percent(value, format, locale=_locale(locale))


def currency(value: Number | None, code: str, *, format: str | None = None, locale: str | None = None) -> str:
    """An amount: ``{{ price|currency("EUR") }}``."""
    return "" if value is None else formats.format_currency(value, code, locale=_locale(locale), format=format)


def spell(value: int, *, locale: str | None = None) -> str:
    """A number from 0 to 9 in words where we know the language's, else in digits (Django's ``apnumber``)."""
    chosen = _locale(locale)
    return spell_number(value, locale=chosen) or formats.format_number(value, locale=chosen)


def listed(items: Iterable[object], *, style: str = "standard", locale: str | None = None) -> Markup:
    """Several things in a sentence: "Ana, Rui and Zé"; ``style="or"`` for a choice. Items may be HTML."""
    safe = [str(escape(item)) for item in items]
    joined = formats.format_list(safe, locale=_locale(locale), style="or" if style == "or" else "standard")
    return Markup(joined)  # noqa: S704 - each item was escaped


def pluralize(value: object, suffixes: str = "s") -> str:
    """English plural endings, as Django's: ``vote{{ n|pluralize }}``, ``cherr{{ n|pluralize("y,ies") }}``.

    In texts that are translated use ``{% pluralize %}`` inside ``{% trans count=n %}``.
    """
    singular, comma, plural = suffixes.partition(",")
    if not comma:
        singular, plural = "", suffixes
    count = len(value) if hasattr(value, "__len__") and not isinstance(value, str) else float(str(value))
    return singular if count == 1 else plural


# -- text


def markdown(value: str | Rendered | None) -> Markup:
    """Markdown as safe HTML, without hooks; an environment's own ``markdown`` knows shortcodes and links."""
    return markdown_filter(_plain_markdown)(value)


def markdown_filter(reader: Markdown) -> Callable[[str | Rendered | None], Markup]:
    """A filter that reads texts with these options and hooks."""

    def markdown(value: str | Rendered | None) -> Markup:
        if not value:
            return Markup("")
        return value.html if isinstance(value, Rendered) else reader.render(str(value)).html

    return markdown


def truncate_words(value: object, count: int = 30, end: str = "…") -> str:
    """At most this many words of plain text."""
    return cut_words(str(value), count, end=end)


def truncate_chars(value: object, length: int = 120, end: str = "…") -> str:
    """At most this many characters of plain text, ``end`` included."""
    return cut_chars(str(value), length, end=end)


def highlight(
    value: object, query: str, *, words: int | None = None, language: str | None = None, end: str = "…"
) -> Markup:
    """A plain text, with what a search for ``query`` found in ``<mark>``.

    With ``words``, only the stretch of so many words that has most of it.
    """
    if not isinstance(query, str):
        raise TemplateError(f"highlight takes a text of words, not {query!r:.200}", hint='Of none, "" marks nothing.')
    if words is not None and words < 1:
        raise TemplateError(f"highlight(words={words!r:.200}) shows nothing", hint="Give a number above 0.")
    text, language = str(value), _locale(language)
    asked = searching.parse_query(query, language)
    marks = searching.find_marks(text, asked, language)
    start, stop = (0, len(text)) if words is None else searching.find_excerpt(text, marks, words)
    pieces, at = [escape(end) if start > 0 else Markup("")], start
    for first, last in marks:
        if start <= first and last <= stop:
            pieces += [escape(text[at:first]), Markup("<mark>{}</mark>").format(text[first:last])]
            at = last
    pieces += [escape(text[at:stop]), escape(end) if stop < len(text) else Markup("")]
    return Markup("").join(pieces)


def truncate_html(value: object, count: int = 30, end: str = "…") -> Markup | str:
    """At most this many words of HTML, its tags closed. What was safe stays safe; what was not, is text."""
    if not hasattr(value, "__html__"):
        return cut_words(str(value), count, end=end)
    return Markup(cut_html(str(escape(value)), count, end=str(escape(end))))  # noqa: S704 - it was safe before


def striptags(value: object) -> str:
    """HTML as plain text: tags gone, entities read, blocks on lines of their own."""
    return plain_text(str(value))


def slug(value: object, *, allow_unicode: bool = False, locale: str | None = None) -> str:
    """The words of a text as they stand in a URL."""
    return slugify(str(value), allow_unicode=allow_unicode, locale=_locale(locale), default="")


def linebreaks(value: object) -> Markup:
    """Plain text as HTML: paragraphs at blank lines, ``<br>`` at single ones."""
    text = str(escape(value)).replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    paragraphs = [part.strip("\n").replace("\n", "<br>\n") for part in _BLANK_LINES.split(text)]
    return Markup("\n\n".join(f"<p>{part}</p>" for part in paragraphs if part.strip()))  # noqa: S704 - escaped above


def linebreaksbr(value: object) -> Markup:
    """Plain text with ``<br>`` at the end of each line."""
    text = str(escape(value)).replace("\r\n", "\n").replace("\r", "\n")
    return Markup(text.replace("\n", "<br>\n"))  # noqa: S704 - escaped


def urlize(value: object, *, nofollow: bool = False, trim: int | None = None) -> Markup:
    """Plain text with its web and mail addresses made links.

    Args:
        value: Text; it is escaped, unless it is HTML, which is returned as it is.
        nofollow: Whether search engines are told not to follow (for readers' texts).
        trim: Longest address shown, in characters.
    """
    if hasattr(value, "__html__"):
        return escape(value)
    pieces: list[str] = []
    done = 0
    text = str(value)
    for match in _URL.finditer(text):
        address = _without_trailing(match[0])
        pieces += [
            str(escape(text[done : match.start()])),
            _anchor(address, bool(match["mail"]), nofollow, trim),
        ]
        done = match.start() + len(address)
    return Markup("".join([*pieces, str(escape(text[done:]))]))  # noqa: S704 - all escaped


def smarten(value: object, *, locale: str | None = None) -> Markup | str:
    """Typographic quotes, dashes and spaces of the page's language; HTML keeps its tags and code."""
    chosen = _locale(locale)
    if hasattr(value, "__html__"):
        return Markup(smarten_html(str(escape(value)), locale=chosen))  # noqa: S704 - it was safe before
    return smarten_text(str(value), locale=chosen)


def reading_time(value: object, *, locale: str | None = None) -> int:
    """Minutes that reading a text takes, at least 1. Markdown, HTML or plain text."""
    text = value.text if isinstance(value, Rendered) else plain_text(str(value))
    return max(1, reading_time_minutes(text, locale=_locale(locale)))


# -- addresses and data


def absolute_url(value: str, base: str | None = None) -> str:
    """An address with scheme and host, for feeds, metadata and mail.

    Args:
        value: An address on this site, such as ``/news/``, with the path of ``base_url`` before it or without.
        base: Absolute URL it is relative to; the site's ``base_url`` setting by default.

    Raises:
        TemplateError: There is no base, or the address is none.
    """
    scope = _scope()
    settings = getattr(scope.site, "settings", None) if scope is not None else None
    own = getattr(settings, "base_url", None)
    if not (base or own):
        raise TemplateError("absolute_url needs the site's base URL", hint="Set base_url in toolkit.toml.")
    written = str(value)
    if not base and not written.startswith(f"{_base_path()}/"):
        written = below(_base_path(), written)
    url = join_url(written, base or str(own))
    if url is None:
        raise TemplateError(f"{value!r} is not an address")
    return url


def relative_url(value: str) -> str:
    """A path from the site's own root as browsers ask for it, where ``base_url`` has a path: ``/blog/feed.xml``.

    ``url_for`` and ``asset`` give such paths by themselves; this is for those that are written out.

    Args:
        value: Such as ``/feed.xml``. Other addresses stay as they are.
    """
    return below(_base_path(), str(value))


def _base_path() -> str:
    scope = _scope()
    return str(getattr(scope.site, "base_path", "")) if scope is not None else ""


def json_script(value: object, element_id: str | None = None) -> Markup:
    """Data for scripts, as ``<script type="application/json">`` that nothing in the data can end."""
    name = Markup(' id="{}"').format(element_id) if element_id else Markup("")
    body = Markup(json_for_html(value, default=_jsonable))  # noqa: S704 - it escapes <, > and &
    return Markup('<script{} type="application/json">{}</script>').format(name, body)


def geojson(value: Any, **properties: object) -> Markup:
    """GeoJSON of anything with ``__geo_interface__``, or of many of them as a FeatureCollection (RFC 7946).

    Args:
        value: A geometry, a feature, or an iterable of them.
        properties: Properties of the feature that one geometry becomes.

    Raises:
        TemplateError: Something in it has no geometry.
    """
    if hasattr(value, "__geo_interface__"):
        shape = _interface(value)
        shape = _feature(shape, dict(properties)) if properties else shape
    else:
        shape = {"type": "FeatureCollection", "features": [_feature(_interface(item), {}) for item in value]}
    return Markup(json_for_html(shape, default=_jsonable))  # noqa: S704 - it escapes <, > and &


def _interface(value: Any) -> dict[str, Any]:
    shape = getattr(value, "__geo_interface__", None)
    if shape is None:
        raise TemplateError(f"{type(value).__name__} has no geometry", hint="It needs __geo_interface__.")
    return dict(shape)


def _feature(shape: dict[str, Any], properties: dict[str, object]) -> dict[str, Any]:
    if shape.get("type") == "Feature":
        return {**shape, "properties": {**(shape.get("properties") or {}), **properties}}
    return {"type": "Feature", "geometry": shape, "properties": properties}


def _jsonable(value: object) -> object:
    if isinstance(value, (Date, Time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if hasattr(value, "__geo_interface__"):
        return value.__geo_interface__
    if isinstance(value, Iterable):
        return list(value)
    if type(value).__str__ is not object.__str__:
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _without_trailing(address: str) -> str:
    """An address without the punctuation of the sentence it ends: ``(see https://x.example/a_(b)).``"""
    while address and (address[-1] in ".,:;!?'*" or (address[-1] == ")" and address.count(")") > address.count("("))):
        address = address[:-1]
    return address


def _anchor(address: str, is_mail: bool, nofollow: bool, trim: int | None) -> str:
    href = f"mailto:{address}" if is_mail else address if "://" in address else f"https://{address}"
    shown = address if trim is None else cut_chars(address, trim)
    rel = ' rel="nofollow ugc"' if nofollow and not is_mail else ""
    return f'<a href="{escape(href)}"{rel}>{escape(shown)}</a>'


FILTERS: dict[str, Callable[..., Any]] = {
    "absolute_url": absolute_url,
    "relative_url": relative_url,
    "currency": currency,
    "date": date,
    "datetime": datetime,
    "geojson": geojson,
    "intcomma": intcomma,
    "json_script": json_script,
    "highlight": highlight,
    "linebreaks": linebreaks,
    "linebreaksbr": linebreaksbr,
    "listed": listed,
    "markdown": markdown,
    "number": number,
    "percent": percent,
    "pluralize": pluralize,
    "reading_time": reading_time,
    "slugify": slug,
    "smarten": smarten,
    "spell": spell,
    "striptags": striptags,
    "time": time,
    "timesince": timesince,
    "truncate_chars": truncate_chars,
    "truncate_html": truncate_html,
    "truncate_words": truncate_words,
    "urlize": urlize,
}
"""Name to function. An environment gets a copy."""
