"""Paths as patterns, in both directions: values to a URL, and a URL to values. Werkzeug's rules do the work.

Paths without converters are most, those with whole numbers most of the rest, and what Werkzeug makes of them is
simple: they are checked and built here, so that a build need neither import it nor compile a rule for each. Who
matches needs the rule.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from typing import Any
from urllib.parse import quote, unquote

from toolkit.errors import DeclarationError, RouteError

PAGE_SEGMENT = "page"
"""Between a listing's URL and the number of its page: ``/town/page/2/``."""

LONGEST_SEGMENT = 255
"""Bytes in the name of a file or folder, on all file systems of today."""

_UNFIT = re.compile(r"[\x00-\x1f\x7f\\]")
_VALUE = re.compile(r"<(?:(int)(?:\(fixed_digits=([0-9])\))?:)?([A-Za-z_][A-Za-z0-9_]*)>")
_PLAIN = re.compile(rf"/(?:[A-Za-z0-9_.~/-]|{_VALUE.pattern})*")
_SAFE = "!$&'()*+,/:;=@"
"""What Werkzeug leaves as it is in a part of a path (WHATWG URL, URL-path-segment string)."""
_PLACEHOLDER = re.compile(r"<(?:[^<>:]+(?:\([^<>]*\))?:)?([A-Za-z_][A-Za-z0-9_]*)>")


@lru_cache(maxsize=1024)
def placeholders(path: str) -> tuple[str, ...]:
    """The names in a path, in order: a pure function, asked for every subject."""
    return tuple(_PLACEHOLDER.findall(path))


class Pattern:
    """One route's path in one locale.

    Args:
        path: With placeholders.
        prefix: The locale's prefix, such as ``/es``; empty for the default locale.
        converters: Name to Werkzeug converter class.

    Raises:
        DeclarationError: The path cannot be a pattern.
    """

    def __init__(self, path: str, *, prefix: str = "", converters: Mapping[str, Any] | None = None) -> None:
        if not path.startswith("/"):
            raise DeclarationError(f"the path {path!r} does not begin with a slash", hint=f"Write /{path}.")
        self.path = path
        self.prefix = prefix
        self.names = placeholders(path)
        twice = next((name for name in self.names if self.names.count(name) > 1), None)
        if twice is not None:
            raise DeclarationError(f"the path {path!r} has <{twice}> twice", hint="Give each placeholder its own name.")
        self._converters = converters or {}
        self._is_plain = (
            self._converters.keys().isdisjoint({"default", "int"}) and _PLAIN.fullmatch(prefix + path) is not None
        )
        isolated = self._is_plain or all(each.part_isolating for each in self._rule._converters.values())
        self._slashes = re.sub("<[^<>]*>", "", prefix + path).count("/") if isolated else None

    @cached_property
    def _rule(self) -> Any:
        from werkzeug.routing import Map, Rule

        try:
            rule = Rule(self.prefix + self.path, endpoint="page", strict_slashes=True)
            Map([rule], converters={"re": _regex_converter(), **self._converters})
        except (LookupError, ValueError, re.error) as error:
            raise DeclarationError(
                f"the path {self.path!r} cannot be read: {error}",
                hint="Placeholders are written <name> or <converter:name>.",
            ) from error
        return rule

    @cached_property
    def _adapter(self) -> Any:
        return self._rule.map.bind("site.invalid")

    def build(self, values: Mapping[str, Any]) -> str:
        """The URL path of these values, percent-encoded.

        Raises:
            RouteError: A value is missing, empty, or none the converter takes.
        """
        for name in self.names:
            if values.get(name) in (None, ""):
                raise RouteError(
                    f"{self.path}: the value of <{name}> is empty",
                    hint=f"Give the subject a {name.replace('__', '.')}.",
                )
        try:
            url = self._build_plain(values) if self._is_plain else self._build_by_rule(values)
        except Exception as error:
            raise RouteError(f"{self.path}: {dict(values)!r} cannot be in a URL: {error}") from error
        if wrong := self._wrong(url):
            raise RouteError(f"{self.path}: {dict(values)!r} cannot be in a URL: {wrong}", hint="Change the slug.")
        return url

    def _build_plain(self, values: Mapping[str, Any]) -> str:
        def built(found: re.Match[str]) -> str:
            kind, digits, name = found.groups()
            value = values[name]
            return str(int(value)).zfill(int(digits or 0)) if kind else quote(str(value), safe=_SAFE)

        return _VALUE.sub(built, self.prefix + self.path)

    def _build_by_rule(self, values: Mapping[str, Any]) -> str:
        built = self._rule.build(values, append_unknown=False)
        if built is None:
            raise ValueError("a value is missing")
        url: str = built[1]
        return url

    def _wrong(self, url: str) -> str:
        """Why a URL could be no file, or another than it says; empty if it can."""
        path = unquote(url) if "%" in url or "." in url else url
        if self._slashes is not None and path.count("/") != self._slashes:
            return "a value has a slash in it"
        if _UNFIT.search(path):
            return "it has a control character or a backslash in it"
        if "//" in path:
            return "a part of it is empty, which file systems pass over"
        segments = path.split("/")
        if "." in segments or ".." in segments:
            return f"{url!r} would leave its folder"
        if len(url) > LONGEST_SEGMENT and any(len(part.encode()) > LONGEST_SEGMENT for part in segments):
            return f"a part of it is longer than {LONGEST_SEGMENT} bytes, which file systems do not take"
        return ""

    def match(self, path: str) -> dict[str, Any] | None:
        """The values in a URL path (percent-decoded), or None if it is no such path."""
        from werkzeug.exceptions import HTTPException
        from werkzeug.routing import RequestRedirect

        try:
            _, values = self._adapter.match(path, method="GET")
        except (RequestRedirect, HTTPException):
            return None
        return dict(values)


@cache
def _regex_converter() -> Any:
    from werkzeug.routing import BaseConverter

    class RegexConverter(BaseConverter):
        """``<re("[0-9]{4}"):year>``"""

        def __init__(self, url_map: Any, pattern: str) -> None:
            super().__init__(url_map)
            self.regex = pattern
            self.part_isolating = "/" not in pattern

    return RegexConverter


def numbered(url: str, shown: int) -> str:
    """The URL of a listing's page beside the first: ``/town/page/2/``."""
    return f"{url}{PAGE_SEGMENT}/{shown}/"


def split_number(path: str) -> tuple[str, int]:
    """A URL path without its page number, and the number: the reverse of ``numbered``; 0 if it has none."""
    found = re.fullmatch(rf"(.*/){PAGE_SEGMENT}/([1-9][0-9]*)/", path)
    return (found[1], int(found[2])) if found else (path, 0)


def output_path(url: str) -> str:
    """The file of a URL path, below the output folder: ``/town/`` is ``town/index.html``."""
    path = unquote(url)  # in the very form the URL has: static hosts compare bytes
    return posixpath.join(path.lstrip("/"), "index.html") if path.endswith("/") else path.lstrip("/")


def fits_file_systems(path: str) -> bool:
    """Whether a path in the output stands for one file, there and nowhere else."""
    segments = path.split("/")
    return {"", ".", ".."}.isdisjoint(segments) and all(len(part.encode()) <= LONGEST_SEGMENT for part in segments)


def folded_path(path: str) -> str:
    """Equal for two paths that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def check_static_path(path: str) -> str:
    """What is wrong with a path for a page that becomes a file; empty if nothing is."""
    if path.endswith("/") or "." in path.rpartition("/")[2]:
        return ""
    return f"the path {path!r} ends in neither a slash nor a file name, so static hosts would not find it"
