"""HTTP headers by path: the one list that the server answers by and that every host is given in its own form."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from toolkit.errors import Problems, SettingError, ToolkitError
from toolkit.http.compression import split_compressed
from toolkit.text.media_types import content_type

SECURITY: tuple[tuple[str, str], ...] = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
)
"""Sent with everything."""

REVALIDATE = "no-cache"
"""Keep it, but ask each time: the answer is a 304 without a body, and never stale."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""The name changes with the content."""

REVOCABLE = "public, max-age=31536000, s-maxage=0, immutable"
"""As ``IMMUTABLE`` for browsers, whose reader had it; caches between ask each time if it is still there.

Source: RFC 9111 §5.2.2.10.
"""

SANDBOX = ("Content-Security-Policy", "sandbox")
"""Keeps scripts in a file that somebody uploaded from running as the site's own."""

ACTIVE_TYPES = ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml")
"""Types of files in which scripts can be."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_RESERVED = {
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "etag",
    "location",
}


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """Headers of the paths that a pattern fits.

    Args:
        pattern: A path, with at most one ``*`` that stands for any text: ``/fonts/*``, ``/*.pdf``.
        headers: (name, value); an empty value takes a header away that an earlier rule gave.
    """

    pattern: str
    headers: tuple[tuple[str, str], ...]

    def fits(self, path: str) -> bool:
        """Whether it speaks of a path (percent-decoded)."""
        before, star, after = self.pattern.partition("*")
        if not star:
            return path == before
        return len(path) >= len(before) + len(after) and path.startswith(before) and path.endswith(after)


class HeaderRules:
    """Rules in order: a later one wins where two give one header.

    Args:
        given: What every site sends.
        own: What this site's settings say.
    """

    def __init__(self, given: Iterable[HeaderRule], own: Iterable[HeaderRule] = ()) -> None:
        self.given = tuple(given)
        self.own = tuple(own)

    @cached_property
    def all(self) -> tuple[HeaderRule, ...]:
        """Every rule, in order."""
        return (*self.given, *self.own)

    def of(self, path: str) -> dict[str, str]:
        """The headers of a path (percent-decoded), by name."""
        return _merged({}, self.all, path)

    def below(self, base_path: str) -> HeaderRules:
        """The same rules with a path before each pattern."""
        given, own = (
            [replace(rule, pattern=base_path + rule.pattern) for rule in rules] for rules in (self.given, self.own)
        )
        return HeaderRules(given, own)

    def apply(self, path: str, headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Headers of an answer at a path, changed as the site's own rules say."""
        if not any(rule.fits(path) for rule in self.own):
            return list(headers)
        return list(_merged(dict(headers), self.own, path).items())


def published_headers(path: str, paths: Container[str], rules: HeaderRules, *, kind: str = "") -> dict[str, str]:
    """The headers of a published file, by name. A compressed one beside a text has those of the text, and its coding.

    Args:
        path: Of the file.
        paths: Of all files.
        rules: Of the site.
        kind: The media type of the file, or of the text; by its name if not given.
    """
    plain, coding = split_compressed(path, paths)
    found = {"Content-Type": kind or content_type(plain), **rules.of(url_of(plain))}
    return {**found, "Content-Encoding": coding} if coding else found


def url_of(path: str) -> str:
    """The URL path of a file, not encoded: ``/town/`` of ``town/index.html``."""
    return f"/{path.removesuffix('index.html')}" if f"/{path}".endswith("/index.html") else f"/{path}"


def stored_headers(content_type: str) -> tuple[tuple[str, str], ...]:
    """Headers of a file of a file field, which somebody may have uploaded."""
    return (SANDBOX,) if content_type.partition(";")[0] in ACTIVE_TYPES else ()


def _merged(found: dict[str, str], rules: Iterable[HeaderRule], path: str) -> dict[str, str]:
    spelled = {name.lower(): name for name in found}
    for rule in rules:
        if not rule.fits(path):
            continue
        for name, value in rule.headers:
            found.pop(spelled.get(name.lower(), name), None)
            if value:
                spelled[name.lower()] = name
                found[name] = value
    return found


def site_headers(site: Any) -> HeaderRules:
    """The rules of a site: what the server sends by itself, and what the setting ``headers`` says.

    Raises:
        Problems: Patterns and headers that cannot be.
    """
    peek = site.settings.peek
    given = [
        HeaderRule("/*", (*SECURITY, ("Cache-Control", REVALIDATE))),
        HeaderRule(f"{peek('static_url')}*", (("Cache-Control", IMMUTABLE),)),
        HeaderRule(f"{peek('renditions_url')}*", (("Cache-Control", IMMUTABLE),)),
    ]
    return HeaderRules(given, _own_rules(peek("headers")))


def _own_rules(declared: Mapping[str, Mapping[str, Any]]) -> list[HeaderRule]:
    problems: list[ToolkitError] = []
    rules = []
    for pattern, headers in declared.items():
        if not pattern.startswith("/") or pattern.count("*") > 1 or re.search(r"[\s\x00-\x1f]", pattern):
            problems.append(
                SettingError(
                    f"headers: {pattern!r} is no path", hint="Write /path, with at most one * that stands for any text."
                )
            )
        for name, value in headers.items():
            wrong = _wrong_header(name, value)
            if wrong:
                problems.append(SettingError(f"headers: {pattern!r}: {name} = {value!r}: {wrong}"))
        rules.append(HeaderRule(pattern, tuple((name, str(value)) for name, value in headers.items())))
    if problems:
        raise Problems(problems)
    return rules


def _wrong_header(name: str, value: object) -> str:
    if not _NAME.fullmatch(name):
        return "that is no name of a header"
    if name.lower() in _RESERVED:
        return "this header follows from the file, and is not to be set"
    if not isinstance(value, str):
        return "expected text"
    if not value.isascii() or re.search(r"[\x00-\x1f\x7f]", value) or value != value.strip():
        return "a header has printable ASCII, and no spaces around it"
    return ""
