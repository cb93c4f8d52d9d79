"""robots.txt: where the sitemaps are, and what crawlers should leave alone."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.errors import RouteError
from toolkit.sitemaps.urls import checked_loc


def write_robots(*, sitemaps: Sequence[str], disallow: Sequence[str] = (), allow_all: bool = True) -> str:
    """The text of robots.txt.

    Args:
        sitemaps: Absolute URLs of sitemaps or indexes.
        disallow: Paths that crawlers should not fetch, such as ``/admin/``. (A page that must not be *found*
            needs ``noindex`` instead: a crawler that may not fetch it cannot read that.)
        allow_all: False shuts crawlers out of everything, as on a preview host, and names no sitemap.

    Raises:
        RouteError: A sitemap is not absolute, or a path does not begin with ``/`` or has a line end.

    Source: RFC 9309; sitemaps.org, "Submitting your Sitemap".
    """
    if not allow_all:
        return "User-agent: *\nDisallow: /\n"
    rules = [f"Disallow: {_checked_path(path)}" for path in disallow] or ["Allow: /"]
    places = [f"Sitemap: {checked_loc(url, 'sitemap', url)}" for url in sitemaps]
    return "\n".join(["User-agent: *", *rules, *([""] if places else []), *places]) + "\n"


def _checked_path(path: str) -> str:
    if not path.startswith("/") or path != "".join(path.split()) or "#" in path:
        raise RouteError(
            f"robots.txt cannot disallow {path!r}", hint="A path begins with / and has no spaces and no #."
        )
    return path
