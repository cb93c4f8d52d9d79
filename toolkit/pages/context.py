"""What templates see of the page and the site: ``page`` and ``site``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import msgspec

from toolkit.i18n.locales import direction, get_locale
from toolkit.pages.rendering import Work
from toolkit.pages.routes import Route
from toolkit.pages.urls import find_url
from toolkit.text import escape_attribute
from toolkit.trace import Scope

RELOAD_PATH = "/_toolkit/reload.js"
"""The script that a preview adds to its pages."""


class Alternate(msgspec.Struct, frozen=True):
    """An edition of a page.

    Args:
        locale: Its locale.
        url: Its URL path.
        absolute_url: The same with scheme and host.
        autonym: The language's own name for itself.
        current: Whether it is the page at hand.
    """

    locale: str
    url: str
    absolute_url: str
    autonym: str
    current: bool


class SiteView:
    """``site`` in templates: the settings by name, recorded as they are read."""

    def __init__(self, site: Any) -> None:
        self._site = site

    def __getattr__(self, name: str) -> Any:
        return getattr(self._site.settings, name)

    def __dir__(self) -> list[str]:
        return dir(self._site.settings)


class PageView:
    """``page`` in templates. What is costly is found when it is asked for, and recorded then.

    Args:
        scope: The scope of the rendering.
        work: The rendering.
    """

    def __init__(self, scope: Scope, work: Work) -> None:
        self._scope = scope
        self._work = work

    @property
    def url(self) -> str:
        """The URL path, below that of ``base_url``."""
        return f"{self._scope.site.base_path}{self._work.page.url}"

    @property
    def absolute_url(self) -> str:
        """The URL with scheme and host."""
        return self._absolute(self._work.page.url)

    def _absolute(self, url: str) -> str:
        return f"{self._scope.site.settings.base_url.rstrip('/')}{url}"

    @property
    def locale(self) -> str:
        """The language of the page."""
        return self._scope.locale

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return direction(self._scope.locale)

    @property
    def route(self) -> str:
        """The name of the route."""
        return self._work.route.name

    @property
    def number(self) -> int:
        """Which page of a listing."""
        return self._work.page.number

    @property
    def is_error(self) -> bool:
        """Whether it is an error page, which no search engine should keep."""
        return self._work.route.kind == "error"

    @cached_property
    def alternates(self) -> list[Alternate]:
        """The editions of this page that exist, in the order of the site's locales; this one included."""
        scope, work = self._scope, self._work
        if work.route.kind in ("error", "view"):
            return []
        found = []
        for locale in scope.site.settings.locales:
            url = find_url(scope, work.route, work.subject, locale=locale, number=work.page.number)
            if url is not None:
                autonym = get_locale(locale).autonym
                public = scope.site.public_path(url)
                found.append(Alternate(locale, public, self._absolute(url), autonym, locale == work.page.locale))
        return found

    @property
    def head(self) -> Any:
        """The links that belong in ``<head>``: canonical, editions, feeds; in a preview, the reload script."""
        from markupsafe import Markup

        return Markup("\n".join(self._head_lines()))  # noqa: S704 - every value in it is escaped

    def _head_lines(self) -> Iterator[str]:
        if self.is_error:
            yield '<meta name="robots" content="noindex">'
        elif self._work.route.kind != "view":
            yield f'<link rel="canonical" href="{escape_attribute(self.absolute_url)}">'
            yield from self._alternate_lines()
            yield from self._feed_lines()
        if self._scope.viewer.name == "preview":
            yield '<meta name="robots" content="noindex">'
            yield f'<script src="{escape_attribute(self._scope.site.base_path + RELOAD_PATH)}" defer></script>'

    def _alternate_lines(self) -> Iterator[str]:
        if len(self._scope.site.settings.locales) < 2:
            return
        editions = self.alternates
        if len(editions) < 2:
            return
        default = self._scope.default_locale
        for edition in editions:
            url = escape_attribute(edition.absolute_url)
            yield f'<link rel="alternate" hreflang="{edition.locale}" href="{url}">'
            if edition.locale == default:
                yield f'<link rel="alternate" hreflang="x-default" href="{url}">'

    def _feed_lines(self) -> Iterator[str]:
        scope = self._scope
        for route in scope.site.feed_routes:
            subject = self._feed_subject(route)
            if route.each is not None and subject is None:
                continue
            url = find_url(scope, route, subject, locale=scope.locale)
            if url is not None:
                title = self._feed_title(route, subject)
                kind = scope.site.feed_formats[route.feed_format].type
                yield (
                    f'<link rel="alternate" type="{kind}" title="{escape_attribute(title)}" '
                    f'href="{escape_attribute(self._absolute(url))}">'
                )

    def _feed_subject(self, route: Route) -> Any:
        """The page's subject, if the feed is declared for subjects of its kind."""
        subject = self._work.subject
        same = route.model is not None and isinstance(subject, route.model)
        return subject if same else None

    def _feed_title(self, route: Route, subject: Any) -> str:
        title = self._scope.site.settings.title
        return f"{title}: {subject} ({route.feed_format})" if subject is not None else f"{title} ({route.feed_format})"
