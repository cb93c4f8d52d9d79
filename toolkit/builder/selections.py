"""Parts of a site: a shard, of which others make the rest, and a segment, of which the rest stays as it is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import Any
from urllib.parse import unquote

import msgspec

from toolkit.builder.names import views_at
from toolkit.errors import BuildError, Problems, near_names
from toolkit.pages.plan import Plan
from toolkit.pages.routes import Page, Route
from toolkit.pages.subjects import plain_key
from toolkit.trace import digest, entered

Has = Callable[[Page], bool]


class Shard(msgspec.Struct, frozen=True):
    """One of several parts that together are the site. A page is always in the same one, whatever else there is.

    Args:
        number: Which, from 1.
        count: Of how many.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``2/5``.

        Raises:
            BuildError: It is no shard.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise BuildError(f"{text!r} is no shard", hint="Write 2/5 for the second of five.")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def is_first(self) -> bool:
        """Whether it publishes what belongs to no page: public and stored files."""
        return self.number == 1

    def bind(self, plan: Plan) -> Has:
        """The test for pages."""
        return self.has

    def has(self, page: Page) -> bool:
        """Whether a page is in it: by a digest of its identity, so that all shards have about as much to do."""
        return int.from_bytes(digest(page.identity)[:8]) % self.count == self.number - 1


class Segment(msgspec.Struct, frozen=True):
    """What ``--only`` names. Several of one kind add up; each further kind narrows.

    Args:
        rules: Kind to what was said: ``route``, ``locale``, ``path`` and ``changed-since``.
    """

    rules: dict[str, tuple[str, ...]]

    @classmethod
    def parse(cls, only: Sequence[str], site: Any) -> Segment:
        """Read what the command was given.

        Args:
            only: ``story`` or ``app:story``, ``/town/`` or a pattern such as ``/town/*/``, ``locale:es``,
                ``changed-since:2026-05-01T06:00Z``.
            site: The prepared site.

        Raises:
            BuildError: A locale, a pattern or an instant is none.
            NoSuchPage: A route is none.
        """
        rules: dict[str, list[str]] = defaultdict(list)
        for text in only:
            kind, value = _read(text, site)
            rules[kind].append(value)
        return cls({kind: tuple(values) for kind, values in rules.items()})

    def check_paths(self, urls: Iterable[str], site: Any) -> None:
        """Refuse a path, or a pattern, at which no page is or was.

        Args:
            urls: Of all pages of the site, and of those that are gone.
            site: Whose views answer paths that no page has.

        Raises:
            Problems: A path matches none of them; the nearest are named.
        """
        patterns = self.rules.get("path", ())
        known = set(urls) if patterns else set()
        lost = [pattern for pattern in patterns if not any(_matches(url, pattern) for url in known)]
        if lost:
            raise Problems([_no_page(pattern, map(unquote, known), views_at(site, pattern)) for pattern in lost])

    def bind(self, plan: Plan) -> Has:
        """The test for pages; what has to be asked of the database is asked once."""
        tests: dict[str, Callable[[Sequence[str]], Has]] = {
            "route": lambda values: lambda page: page.route in values,
            "locale": lambda values: lambda page: page.locale in values,
            "path": lambda values: lambda page: any(_matches(page.url, pattern) for pattern in values),
            "changed-since": partial(_changed, plan),
        }
        found = [tests[kind](values) for kind, values in self.rules.items()]
        return lambda page: all(test(page) for test in found)


def _read(text: str, site: Any) -> tuple[str, str]:
    kind, _, value = text.partition(":")
    if text.startswith("/"):
        return "path", text
    if kind == "locale":
        if value not in site.settings.peek("locales"):
            known = ", ".join(site.settings.peek("locales"))
            raise BuildError(f"--only {text}: the site has no locale {value!r}", hint=f"It has: {known}.")
        return kind, value
    if kind == "changed-since":
        _instant(text, value)
        return kind, value
    route = site.find_route(text)
    if route.kind == "view":
        raise BuildError(
            f"--only {text}: that is a view ({route.where}), which answers when it is asked",
            hint="Builds leave views out: ask the server for it.",
        )
    return "route", route.id


def _instant(text: str, value: str) -> datetime:
    try:
        when = datetime.fromisoformat(value)
        if when.tzinfo is not None:
            when = when.astimezone(UTC)
    except (ValueError, OverflowError):
        when = datetime.min  # noqa: DTZ901 - refused in the next line
    if when.tzinfo is None:
        raise BuildError(f"--only {text}: {value!r} is no instant", hint="Write it as 2026-05-01T06:00+02:00.")
    return when


def _matches(url: str, pattern: str) -> bool:
    """A path stands for itself and all below; with ``*`` it is a pattern for whole URLs. Both as written or encoded."""
    if "*" in pattern:
        return fnmatchcase(url, pattern) or ("%" in url and fnmatchcase(unquote(url), pattern))
    url, pattern = unquote(url), unquote(pattern)
    return url == pattern or url.startswith(pattern.rstrip("/") + "/")


def _folders(url: str) -> Iterator[str]:
    """The paths above a URL: ``/town/`` of ``/town/flood/``."""
    end = url.rstrip("/").rfind("/")
    while end > 0:
        yield url[: end + 1]
        end = url.rfind("/", 0, end)


def _no_page(pattern: str, urls: Iterable[str], views: Sequence[str]) -> BuildError:
    """What to say of a path at which there is nothing. Folders of pages may have been meant, too."""
    if views:
        return BuildError(
            f"--only {pattern}: no page is there, but the view {views[0]}, which answers when it is asked",
            hint="Builds leave views out: ask the server for it.",
        )
    near: list[str] = []
    if "*" not in pattern:
        wanted = unquote(pattern).rstrip("/") + "/"
        near = near_names(wanted, sorted({folder for url in urls for folder in (url, *_folders(url))}))
    hint = f"Did you mean {' or '.join(near)}?" if near else "toolkit routes lists the paths that pages have."
    return BuildError(f"--only {pattern}: no page is there", hint=hint)


def _changed(plan: Plan, values: Sequence[str]) -> Has:
    """Pages of rows that changed since the earliest of these instants, by what their sitemap or field says.

    Raises:
        BuildError: No model tells when its rows changed.
    """
    since = min(_instant(value, value) for value in values)
    keys: dict[tuple[str, str], set[Any]] = {}
    for route, locale in plan.routes():
        name = changed_field(route)
        if name is not None:
            with entered(plan.scope(locale)):
                rows = route.each.filter(**{f"{name}__gte": since}).values_list("pk", flat=True)
                keys[route.id, locale] = {plain_key(key) for key in rows}
    if not keys:
        raise BuildError(
            "--only changed-since: no model says when its rows changed",
            hint="Give one a DateTimeField(auto_now=True), or its route sitemap=Sitemap(lastmod=...).",
        )
    return lambda page: page.key in keys.get((page.route, page.locale), ())


def changed_field(route: Route) -> str | None:
    """The field that says when a route's subjects changed: the sitemap's ``lastmod``, or one set at each save."""
    if route.model is None:
        return None
    lastmod = getattr(route.sitemap, "lastmod", None)
    if isinstance(lastmod, str):
        return lastmod
    return next((field.name for field in route.model._meta.fields if field.auto_now), None)
