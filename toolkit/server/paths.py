"""The path of a request: decoded, judged, and written again for a redirect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_KEPT = "!$&'()*+,/:;=@~"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_INDEX = "index.html"


class BadPath(ValueError):
    """A path that can be no URL of ours."""


def request_path(environ: Mapping[str, Any]) -> str:
    """The path of a request, percent-decoded, as text.

    WSGI gives bytes dressed as Latin-1 (PEP 3333, "Unicode Issues").

    Raises:
        BadPath: It is not UTF-8, or has control characters, NUL among them.
    """
    raw: str = environ.get("PATH_INFO", "") or "/"
    try:
        path = raw if raw.isascii() else raw.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError) as error:
        raise BadPath(f"{raw!r} is not UTF-8") from error
    if _CONTROL.search(path):
        raise BadPath(f"{raw!r} has control characters")
    return path if path.startswith("/") else f"/{path}"


def from_root(environ: dict[str, Any], base_path: str) -> dict[str, Any] | None:
    """A request as one to the site's own root: the path below which the site is published becomes its mount point.

    The path may be part of what is asked for, or where the WSGI server mounted the site, or in part each.

    Args:
        environ: The request's.
        base_path: The path of ``base_url``, without a slash at its end.

    Returns:
        None for a path that is not below it.
    """
    if not base_path:
        return environ
    whole = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    if not whole.startswith(f"{base_path}/"):
        return None
    return {**environ, "SCRIPT_NAME": base_path, "PATH_INFO": whole[len(base_path) :]}


def location(environ: Mapping[str, Any], url: str) -> str:
    """A ``Location`` on this site: below the mount point, with the query of the request.

    Args:
        environ: The request's.
        url: A percent-encoded path.
    """
    mount = quote(str(environ.get("SCRIPT_NAME", "")).encode("latin-1", "replace"), safe=_KEPT)
    query = _CONTROL.sub("", str(environ.get("QUERY_STRING", "")))
    target = "/" + f"{mount}{url}".lstrip("/\\")  # "//host/" would be another site
    return f"{target}?{quote(query, safe=_KEPT + '?%')}" if query else target


def encoded(path: str) -> str:
    """A path, percent-encoded."""
    return quote(path, safe=_KEPT)


def tidier_paths(path: str) -> list[str]:
    """Where static hosts would look for a path that is not there: ``/a`` at ``/a/``, ``/a/index.html`` at ``/a/``."""
    if path.endswith(f"/{_INDEX}"):
        return [path.removesuffix(_INDEX)]
    return [] if path.endswith("/") else [f"{path}/"]


def locale_of(path: str, locales: list[str]) -> str:
    """The language of a path: that of its first segment, or the site's first."""
    first = path.lstrip("/").partition("/")[0]
    return first if first in locales[1:] else locales[0]
