"""Where a path leads at which nothing is: by the redirects that people wrote down, and by where pages moved to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from toolkit.errors import RouteError
from toolkit.server.answers import Answer, redirect_answer
from toolkit.server.paths import location
from toolkit.site.redirects import Found, Redirect, RedirectList, follow

_SECONDS = 1.0

_log = logging.getLogger("toolkit.server")


class Redirects:
    """The redirects of a site, in the order of the hosts: single paths, pages that moved, everything below a path.

    Args:
        site: A prepared site.
        find_moved: The URL of the page that once was at an encoded path, or None.
        is_published: Whether something is at an encoded path.

    Raises:
        Problems: Some redirects cannot stand.
    """

    def __init__(self, site: Any, find_moved: Callable[[str], str | None], is_published: Callable[[str], bool]) -> None:
        self.site = site
        self._find_moved = find_moved
        self._is_published = is_published
        self._read_at = time.monotonic()
        self._list: RedirectList = site.redirects.read()

    def find(self, path: str, query: str) -> Found | None:
        """Where an encoded path leads, to the end of the chain; None if nowhere."""
        listed = self._read()
        ways = [path] if path.endswith("/") else [path, f"{path}/"]
        for way in ways:
            one = self._speaking(listed, way, query)
            if one is None:
                continue
            first = Redirect(way, one.target_of(way), one.status, where=one.where)
            carried = "" if one.query else query

            def step(at: str) -> Redirect | None:
                nonlocal carried
                following = None if self._is_published(at) else self._speaking(listed, at, carried)
                carried = "" if following is not None and following.query else carried
                return following

            try:
                last, _ = follow(first, step)
            except RouteError as error:
                _log.error("%s: %s", path, error)
                return None
            return Found(last.status, first.with_query(last.target, carried))
        return None

    def _read(self) -> RedirectList:
        """What they are now; rows are asked for once a second at most, however often nothing is found."""
        now = time.monotonic()
        if self.site.redirects.functions and now - self._read_at < _SECONDS:
            return self._list
        self._read_at = now
        try:
            self._list = self.site.redirects.read()
        except Exception as error:  # noqa: BLE001 - readers go on with what is in memory
            _log.error("%s\nThe redirects stay as they were.", error)
        return self._list

    def _speaking(self, listed: RedirectList, path: str, query: str) -> Redirect | None:
        exact = listed.find_rule(path, query, prefixes=False)
        if exact is not None:
            return exact
        moved = self._find_moved(path)
        if moved is not None:
            return Redirect(path, moved, where="moved")
        return listed.find_rule(path, query, exact=False)


def answer_of(found: Found, environ: Mapping[str, Any]) -> Answer:
    """A redirect to where it leads."""
    if not found.target.startswith("/"):
        return redirect_answer(found.status, found.target)
    return redirect_answer(found.status, location({**environ, "QUERY_STRING": ""}, found.target))
