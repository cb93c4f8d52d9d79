"""HTML that strangers wrote, cut down to what is harmless; and addresses that are."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Any

LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms", "geo", "xmpp", "irc", "ftp", "webcal"})
"""Where a link may lead."""

MEDIA_SCHEMES = frozenset({"http", "https"})
"""Where an image, sound or film may come from."""

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_IGNORED = dict.fromkeys([*range(0x21), 0x7F, 0xAD, 0x200B, 0x2060, 0xFEFF])
_DATA_IMAGE = re.compile(r"data:image/(?:png|gif|jpeg|webp|avif);base64,[A-Za-z0-9+/=]*", re.IGNORECASE)
_CLASSES = re.compile(
    r"(?:language-[\w+#.-]+|markdown-alert-(?:note|tip|important|warning|caution)|footnote-reference"
    r"|footnote-definition|footnote-definition-label|align-(?:left|center|right))"
)
_TAGS = {"details", "figure", "figcaption", "input", "picture", "source", "audio", "video", "track"}
_TAGS |= {"section"}
_ATTRIBUTES = {
    "*": {"lang", "dir", "title"},
    "a": {"href", "hreflang"},
    "img": {"src", "alt", "width", "height", "loading", "srcset", "sizes"},
    "source": {"src", "srcset", "sizes", "type", "media"},
    "video": {"src", "poster", "controls", "width", "height", "preload"},
    "audio": {"src", "controls", "preload"},
    "track": {"src", "kind", "srclang", "label", "default"},
    "ol": {"start", "reversed", "type"},
    "th": {"colspan", "rowspan", "scope", "class", "style"},
    "td": {"colspan", "rowspan", "class", "style"},
    "details": {"open"},
    "time": {"datetime"},
    "data": {"value"},
    "input": {"checked"},
    "code": {"class"},
    "blockquote": {"cite", "class"},
    "q": {"cite"},
    "ins": {"cite", "datetime"},
    "del": {"cite", "datetime"},
    "sup": {"class"},
    "div": {"class", "id"},
    "col": {"span"},
    "colgroup": {"span"},
    **{f"h{level}": {"id", "class"} for level in range(1, 7)},
}


def scheme_of(url: str) -> str:
    """The scheme a browser will see in an address, in small letters; empty when there is none.

    Browsers drop control characters and white space from addresses: ``java\\nscript:`` is ``javascript:``.

    Source: WHATWG URL Standard, "basic URL parser".
    """
    if ":" not in url:
        return ""
    match = _SCHEME.match(url.translate(_IGNORED))
    return match[1].lower() if match else ""


def is_safe_link(url: str) -> bool:
    """Whether following an address runs nothing."""
    scheme = scheme_of(url)
    return not scheme or scheme in LINK_SCHEMES


def is_safe_media(url: str) -> bool:
    """Whether showing what is at an address runs nothing."""
    scheme = scheme_of(url)
    return not scheme or scheme in MEDIA_SCHEMES or _DATA_IMAGE.fullmatch(url.strip()) is not None


def clean_html(markup: str) -> str:
    """HTML without anything that runs, frames, asks or restyles the page: an allow-list, through ammonia
    (nh3).

    What is kept is what Markdown itself makes and what writers of texts need; ``id`` only where Markdown sets
    it.
    """
    return str(_cleaner().clean(markup))


@lru_cache(maxsize=1)
def _cleaner() -> Any:
    import nh3

    return nh3.Cleaner(
        tags=set(nh3.ALLOWED_TAGS) | _TAGS,
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_kept_attribute,
        # One attribute only: nh3 adds several in another order in each process.
        set_tag_attribute_values={"input": {"disabled": ""}},
        tag_attribute_values={"input": {"type": {"checkbox"}}},
        filter_style_properties={"text-align"},
        url_schemes=set(LINK_SCHEMES),
        link_rel=None,
        strip_comments=True,
    )


def _kept_attribute(tag: str, name: str, value: str) -> str | None:
    """What the cleaner asks for each attribute. It must not raise: nh3 would go on regardless."""
    if name == "class":
        return " ".join(word for word in value.split() if _CLASSES.fullmatch(word)) or None
    if name in ("src", "poster"):
        return value if is_safe_media(value) else None
    if name == "srcset":
        return value if all(is_safe_media(part) for part in value.split(",")) else None
    return value


def unescape(value: str) -> str:
    """The text that an attribute's value stands for."""
    return html.unescape(value) if "&" in value else value
