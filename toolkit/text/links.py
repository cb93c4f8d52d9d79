"""Links in HTML that leaves the site: every address absolute, nothing that runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from toolkit.errors import ValidationError
from toolkit.text.escaping import xml_text

LINKING = frozenset({"href", "src", "poster", "cite", "data", "longdesc", "background", "action", "formaction"})
"""Attributes whose value is one URL."""

_LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms", "geo", "xmpp", "ftp", "magnet", "webcal"})
_MEDIA_SCHEMES = frozenset({"http", "https"})
_SAFE_IN_URI = "!#$%&'()*+,/:;=?@[]~"
_DATA_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/=]*", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NOT_IN_HOST = re.compile(r"""[\s<>"{}|\\^`\x00-\x1f]""")
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_IGNORED_IN_URL = re.compile("[\t\n\r]")

_TAGS = frozenset({
    "a", "abbr", "article", "aside", "audio", "b", "bdi", "bdo", "blockquote", "br", "caption", "cite",
    "code", "col", "colgroup", "data", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption",
    "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i", "img", "ins",
    "kbd", "li", "main", "mark", "nav", "ol", "p", "picture", "pre", "q", "rp", "rt", "ruby", "s", "samp",
    "section", "small", "source", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "time", "tr", "track", "u", "ul", "var", "video", "wbr",
})  # fmt: skip
_DROPPED_WITH_CONTENT = frozenset({
    "script", "style", "iframe", "form", "object", "embed", "applet", "svg", "math", "template", "noscript",
    "button", "select", "textarea", "input", "dialog", "title", "head", "frameset", "noframes", "plaintext",
    "xmp", "canvas", "map",
})  # fmt: skip
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"id", "class", "lang", "dir", "title"},
    "a": {"href", "hreflang", "rel", "type"},
    "img": {"src", "srcset", "sizes", "alt", "width", "height", "loading"},
    "source": {"src", "srcset", "sizes", "type", "media", "width", "height"},
    "video": {"src", "poster", "controls", "width", "height", "loop", "muted", "preload"},
    "audio": {"src", "controls", "loop", "muted", "preload"},
    "track": {"src", "kind", "srclang", "label", "default"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "del": {"cite", "datetime"},
    "ins": {"cite", "datetime"},
    "time": {"datetime"},
    "data": {"value"},
    "ol": {"start", "reversed", "type"},
    "li": {"value"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope", "abbr"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
}


def is_absolute(url: str) -> bool:
    """Whether a URL stands on its own: it has a scheme, and a host where its scheme has hosts."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return bool(parts.scheme)
    return bool(parts.hostname) and not _NOT_IN_HOST.search(parts.netloc)


def absolute_url(url: str, base_url: str) -> str | None:
    """A link as it is read from ``base_url``; None when it is no URL at all.

    Args:
        url: What stands in the attribute, spaces around it included.
        base_url: Absolute URL of the page that holds it.

    Source: RFC 3986 §5.2; WHATWG URL Standard (tabs and line ends inside a URL are ignored).
    """
    cleaned = _IGNORED_IN_URL.sub("", url).strip("\0\x01 \x0b\x0c\x1f")
    try:
        joined = urljoin(base_url, cleaned)
        return joined if is_absolute(joined) else None
    except ValueError:
        return None


def to_uri(iri: str) -> str:
    """A URL in ASCII: other letters percent-encoded, the host in Punycode. What is encoded already stays.

    Raises:
        ValidationError: The host is no host name.

    Source: RFC 3987 §3.1; sitemaps.org and RSS 2.0 ask for URIs.
    """
    try:
        parts = urlsplit(iri)
        host = parts.netloc if parts.netloc.isascii() else _ascii_netloc(parts.netloc)
    except (ValueError, UnicodeError) as error:
        raise ValidationError(f"{iri!r} is not a URL: {error}", code="url") from error
    path, query, fragment = (_encode(part) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, host, path, query, fragment))


def below(base_path: str, url: str) -> str:
    """A path from the site's own root as browsers ask for it, below the path of ``base_url``; other URLs stay.

    Args:
        base_path: Such as ``/blog``; empty at the root of a host.
        url: Such as ``/news/``.
    """
    return f"{base_path}{url}" if url.startswith("/") and not url.startswith("//") else url


def absolute_links(html: str, base_url: str) -> str:
    """HTML for readers elsewhere (feeds, mail): absolute links, and nothing that runs, frames or asks.

    Links, images with their ``srcset``, video and audio are kept and made absolute; scripts, styles, forms,
    frames, event handlers and dangerous URLs are dropped, and so is every tag that is not known to be
    harmless (its text stays). The result holds no character that XML forbids.

    Args:
        html: A fragment; it need not be well formed.
        base_url: Absolute URL of the page it was written for.

    Raises:
        ValidationError: ``base_url`` is not absolute.
    """
    if not is_absolute(base_url):
        raise ValidationError(
            f"base_url {base_url!r} is not absolute", code="url", hint="Put https:// and a host first."
        )
    if "<" not in html and "&" not in html:
        return xml_text(html).replace(">", "&gt;").replace("\xa0", "&nbsp;")  # as the parser would write it
    import nh3  # an HTML5 parser in Rust: what browsers see is what gets cleaned

    cleaned = nh3.clean(
        xml_text(html),
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute_filter(base_url),
        link_rel=None,
        url_schemes=set(_LINK_SCHEMES | {"data"}),
    )
    return xml_text(cleaned)  # "&#8;" was four harmless characters before it was parsed


def relative_links(html: str) -> list[str]:
    """Every address in HTML that depends on the page it stands on, in order; empty when all are absolute."""
    finder = _Links()
    finder.feed(html)
    finder.close()
    return [url for url in finder.urls if not _SCHEME.match(url.strip())]


def iter_srcset(srcset: str) -> Iterator[tuple[str, str]]:
    """The candidates of a ``srcset``: URL and descriptor (``"2x"``, ``"640w"`` or nothing).

    Source: HTML Living Standard, "Parsing a srcset attribute": commas may be part of a URL.
    """
    rest = srcset.lstrip(" \t\n\f\r,")
    while rest:
        match = re.match(r"\S+", rest)
        url = match[0] if match else rest
        rest = rest[len(url) :]
        descriptor = ""
        if not url.endswith(","):
            descriptor, _, rest = rest.partition(",")
        yield url.rstrip(","), " ".join(descriptor.split())
        rest = rest.lstrip(" \t\n\f\r,")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "srcset":
                self.urls += [url for url, _ in iter_srcset(value or "")]
            elif name in LINKING:
                self.urls.append(value or "")


def _attribute_filter(base_url: str) -> Callable[[str, str, str], str | None]:
    """What the cleaner asks for each attribute. It must not raise: nh3 would go on regardless."""

    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "srcset":
            return _absolute_srcset(value, base_url)
        if name in LINKING:
            return _checked(tag, name, absolute_url(value, base_url))
        return value

    return keep


def _absolute_srcset(srcset: str, base_url: str) -> str | None:
    candidates = []
    for url, descriptor in iter_srcset(srcset):
        checked = _checked("source", "src", absolute_url(url, base_url))
        if checked is not None:
            candidates.append(f"{checked} {descriptor}".strip())
    return ", ".join(candidates) or None


def _checked(tag: str, name: str, url: str | None) -> str | None:
    """The URL if its scheme is harmless where it stands."""
    if url is None:
        return None
    scheme = url.partition(":")[0].lower()
    if scheme == "data":
        return url if tag == "img" and _DATA_IMAGE.fullmatch(url) else None
    return url if scheme in (_LINK_SCHEMES if name in ("href", "cite") else _MEDIA_SCHEMES) else None


def _ascii_netloc(netloc: str) -> str:
    user, at, place = netloc.rpartition("@")
    host, colon, port = place.partition(":")
    return f"{_encode(user)}{at}{host.encode('idna').decode('ascii')}{colon}{port}"


def _encode(part: str) -> str:
    return _BAD_ESCAPE.sub("%25", quote(part, safe=_SAFE_IN_URI, errors="replace"))
