"""The site: settings, apps, database, templates and locales, joined. Nothing here is global.

Declaring fills apps; ``site.prepare()`` resolves names, checks everything, reports every problem at once, and
freezes. Models, templates and pages do not know each other: they meet here.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolkit.apps import App
from toolkit.assets import Minifier
from toolkit.database import DEFAULT, Database
from toolkit.errors import NoSuchPage, ToolkitError
from toolkit.feeds.formats import FORMATS
from toolkit.folders import STATE_FOLDER, find_folder
from toolkit.lazily import LazyModule
from toolkit.pages.patterns import Pattern
from toolkit.pages.plan import Plan
from toolkit.pages.render import render
from toolkit.pages.routes import Page, Route
from toolkit.pages.urls import unknown_route
from toolkit.settings import Settings, load_settings
from toolkit.signals import Receivers
from toolkit.site.code import code_digest, code_folders, record_code, told_at_import
from toolkit.site.databases import Databases
from toolkit.site.moved import find_redirect
from toolkit.site.preparing import prepare
from toolkit.site.redirecting import SiteRedirects
from toolkit.site.themes import make_assets, make_catalogs, make_templates
from toolkit.stamps import KeptDigests
from toolkit.text import below
from toolkit.trace import EDITOR, Scope, Trace, Viewer, current, entered

if TYPE_CHECKING:
    from toolkit.i18n.catalogs import Catalogs
    from toolkit.images import Images
    from toolkit.pages import matching
    from toolkit.pages.rendering import Rendering
    from toolkit.site import images
    from toolkit.storage import Storages, registry
else:
    registry = LazyModule("toolkit.storage.registry")
    images = LazyModule("toolkit.site.images")
    matching = LazyModule("toolkit.pages.matching")


class Site:
    """One publication.

    Args:
        file: ``__file__`` of the module that makes it; the site's folder is the nearest one above with a
            ``toolkit.toml``.
        apps: The apps it is made of; earlier ones win over later ones where both have a template or message.
        converters: Names of path converters, to Werkzeug converter classes.
        filters: Further template filters.
        router: Says in which database a model is read and written; see ``toolkit.models.Router``.
        settings: Settings said in code; they win over ``toolkit.toml`` and the environment.
    """

    def __init__(
        self,
        file: str | Path,
        *,
        apps: Sequence[App],
        converters: Mapping[str, Any] | None = None,
        filters: Mapping[str, Callable[..., Any]] | None = None,
        settings: Mapping[str, Any] | None = None,
        router: Any = None,
    ) -> None:
        self.folder = find_folder(Path(file))
        self.apps = list(apps)
        self.converters = dict(converters or {})
        self.filters = dict(filters or {})
        self.feed_formats = dict(FORMATS)
        self.router = router
        self.overrides = dict(settings or {})
        self._prepared = False
        self._lock = threading.RLock()
        self._patterns: dict[tuple[str, str], Pattern] = {}
        self.read_at_import: dict[tuple[str, tuple[Any, ...]], bytes] = {}
        self.read_late: dict[tuple[str, tuple[Any, ...]], bytes] = {}
        self.receivers = Receivers()
        self.routes: list[Route] = []
        self.models: list[Any] = []

    def __repr__(self) -> str:
        return f"<Site in {self.folder}>"

    # settings and parts, made when first asked for

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked."""
        return load_settings(self.folder, overrides=self.overrides)

    def override(self, settings: Mapping[str, Any]) -> None:
        """Let settings win over all others, as those do that the code says."""
        self.overrides.update(settings)
        self.__dict__.pop("settings", None)

    @cached_property
    def database(self) -> Database:
        """The main database."""
        return self.databases.named(DEFAULT)

    @cached_property
    def databases(self) -> Databases:
        """All databases, by alias."""
        settings = self.settings
        try:
            return Databases(
                settings.peek("database"),
                settings.peek("databases"),
                folder=self.folder,
                router=self.router,
                atomic_requests=settings.peek("atomic_requests"),
            )
        except ToolkitError as error:
            self._locate(error)
            raise

    def _locate(self, error: ToolkitError) -> None:
        """Give an error about a database the line of the setting that names it."""
        name = "databases" if error.message.startswith("databases.") else "database"
        file, _, line = self.settings.source(name).partition(":")
        if error.path is None and line:
            error.path, error.line = self.folder / file, int(line)

    @cached_property
    def has_databases(self) -> bool:
        """Whether there are others beside the main one."""
        return len(self.databases) > 1

    def find_database(self, alias: str) -> Database | None:
        """The database of this alias, or None."""
        return self.databases.get(alias)

    def database_for(self, scope: Scope, model: Any, *, writing: bool) -> Database:
        """Where a model is read or written in a scope."""
        return self.databases.choose(scope, model, writing=writing)

    @cached_property
    def catalogs(self) -> Catalogs:
        """The message catalogs: the site's own, then each app's, then the toolkit's."""
        return make_catalogs(self)

    @cached_property
    def environment(self) -> Any:
        """The template environment."""
        return make_templates(self)

    @cached_property
    def assets(self) -> Any:
        """The static files."""
        return make_assets(self)

    @cached_property
    def minifier(self) -> Minifier:
        """Makes pages, stylesheets and scripts smaller, where the settings say so."""
        return Minifier(
            tuple(self.settings.peek("minify")),
            browsers=tuple(self.settings.peek("css_browsers")),
            store=self.state_folder / "assets",
        )

    @cached_property
    def images(self) -> Images:
        """The images, in the sizes and formats that pages show."""
        return images.make_images(self)

    @cached_property
    def redirects(self) -> SiteRedirects:
        """The redirects that people wrote down."""
        return SiteRedirects(self)

    @cached_property
    def storages(self) -> Storages:
        """Where the files of file fields are kept."""
        return registry.Storages(
            self.settings.peek("storages"), self.folder, digests=self.digests, base_path=self.base_path
        )

    @cached_property
    def digests(self) -> KeptDigests:
        """Digests of files that are published as they are, kept between builds."""
        return KeptDigests(self.state_folder / "digests-1")

    @property
    def state_folder(self) -> Path:
        """Where derived files are kept."""
        return self.folder / STATE_FOLDER

    @cached_property
    def code_folders(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Where the apps' and the site's own code is: beginnings of file names, as written and with links resolved."""
        return code_folders(self)

    @property
    def code_digest(self) -> bytes:
        """Stands for all Python sources of the site and the toolkit, and the versions of the libraries."""
        return code_digest(self)

    @property
    def told_at_import(self) -> list[tuple[Any, ...]]:
        """What the modules were told while they were imported, and nobody can ask again."""
        return told_at_import(self)

    def record_code(self, trace: Trace) -> None:
        """Have in a trace what every page and every list of pages is made by."""
        record_code(trace, self)

    # preparing

    def prepare(self) -> Site:
        """Resolve names, check every declaration, freeze. Does nothing the second time.

        Raises:
            Problems: Everything that is wrong with the declarations.
        """
        with self._lock:
            if not self._prepared:
                prepare(self)
                self._prepared = True
        return self

    # scopes

    def scope(
        self,
        *,
        viewer: Viewer = EDITOR,
        locale: str | None = None,
        moment: datetime | None = None,
        trace: Trace | None = None,
    ) -> Scope:
        """A scope of this site; ``with entered(scope)`` makes it the current one."""
        default = self.settings.peek("locales")[0]
        return Scope(self, self.database, viewer, locale or default, default, moment, trace)

    def __enter__(self) -> Site:
        self.prepare()
        around = current.get()
        is_page = around is not None and around.site is self and around.trace is not None
        # what a page's function does within is the page's: seen with a reader's eyes, and remembered
        manager: AbstractContextManager[Scope] = entered(around if around is not None and is_page else self.scope())
        manager.__enter__()
        _entered_managers(self).append(manager)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _entered_managers(self).pop().__exit__(kind, error, traceback)

    # routes

    @cached_property
    def context_functions(self) -> list[Callable[[], Mapping[str, Any]]]:
        """What gives every template its common names; earlier apps win."""
        return [function for app in reversed(self.apps) for function in app.context_functions]

    @cached_property
    def routes_by_id(self) -> dict[str, Route]:
        """Route id to route."""
        return {route.id: route for route in self.routes}

    @cached_property
    def routes_by_weight(self) -> list[tuple[Route, str]]:
        """Every route with each of its locales, the most specific pattern first."""
        pairs = [(route, locale) for route in self.routes for locale in self.route_locales(route)]
        return sorted(pairs, key=lambda pair: matching.weight(self.locale_prefix(pair[1]) + pair[0].path))

    @cached_property
    def feed_routes(self) -> list[Route]:
        """The routes that are feeds."""
        return [route for route in self.routes if route.kind == "feed"]

    @cached_property
    def _subject_routes(self) -> dict[Any, Route]:
        """Model to the route that gives its rows a page of their own: the first declared."""
        found: dict[Any, Route] = {}
        for route in self.routes:
            if route.kind in ("page", "listing") and route.model is not None:
                found.setdefault(route.model, route)
        return found

    @cached_property
    def _routes_of_kinds(self) -> dict[type[Any], Route | None]:
        """Class of a subject to its route, also where that is declared for one that it inherits from; as met."""
        return {}

    def route_locales(self, route: Route) -> list[str]:
        """The locales a route is published in."""
        locales: list[str] = self.settings.peek("locales")
        if route.locales is None:
            return locales
        return [locale for locale in locales if locale in route.locales] or locales[:1]

    @cached_property
    def base_path(self) -> str:
        """The path of ``base_url``, such as ``/blog``; empty for a site at the root of its host."""
        path: str = urlsplit(self.settings.peek("base_url")).path
        return path.rstrip("/")

    def public_path(self, url: str) -> str:
        """What browsers ask for: a path from the site's own root, below ``base_path``. Other addresses stay."""
        return below(self.base_path, url)

    def locale_prefix(self, locale: str) -> str:
        """What URLs of a locale begin with: nothing for the default one."""
        return "" if locale == self.settings.peek("locales")[0] else f"/{locale}"

    @cached_property
    def alias_patterns(self) -> list[tuple[Route, str, Pattern]]:
        """(route, locale, pattern) of every alias."""
        return [
            (route, locale, self.path_pattern(path, locale))
            for route in self.routes
            for locale in self.route_locales(route)
            for path in route.aliases
        ]

    def pattern(self, route: Route, locale: str) -> Pattern:
        """The path of a route in a locale."""
        return self.path_pattern(route.path, locale)

    def path_pattern(self, path: str, locale: str) -> Pattern:
        """A path in a locale.

        Raises:
            DeclarationError: It cannot be a pattern.
        """
        found = self._patterns.get((path, locale))
        if found is None:
            prefix = self.locale_prefix(locale)
            found = self._patterns[path, locale] = Pattern(path, prefix=prefix, converters=self.converters)
        return found

    @cached_property
    def _routes_by_name(self) -> dict[str, list[Route]]:
        named: dict[str, list[Route]] = {}
        for route in self.routes:
            named.setdefault(route.name, []).append(route)
        return named

    def find_route(self, name: str) -> Route:
        """The route of this name, or ``app:name``.

        Raises:
            NoSuchPage: There is none, or several apps have one.
        """
        if name in self.routes_by_id:
            return self.routes_by_id[name]
        found = self._routes_by_name.get(name, ())
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(route.id for route in found)
            raise NoSuchPage(f"several apps have a page {name!r}", hint=f"Say which: {choices}.")
        raise unknown_route(name, {route.name: route for route in self.routes})

    def find_route_of(self, subject: Any) -> Route | None:
        """The route that gives a row its page, or None."""
        kind = type(subject)
        if kind not in self._routes_of_kinds:
            known = self._subject_routes
            self._routes_of_kinds[kind] = next((known[each] for each in kind.__mro__ if each in known), None)
        return self._routes_of_kinds[kind]

    def route_of(self, subject: Any) -> Route:
        """The route that gives a row its page.

        Raises:
            NoSuchPage: No route is declared for its model.
        """
        found = self.find_route_of(subject)
        if found is None:
            kind = type(subject).__name__
            raise NoSuchPage(
                f"no page is declared for {kind} objects", hint=f"Declare one with each={kind}.objects.all()."
            )
        return found

    def view_url(self, route: Route, values: Mapping[str, Any]) -> str:
        """The URL of a view, in the current scope's locale."""
        scope = current.get()
        locale = scope.locale if scope is not None and scope.locale in self.route_locales(route) else None
        return self.pattern(route, locale or self.route_locales(route)[0]).build(values)

    def find_redirect(self, plan: Plan, path: str) -> str | None:
        """Where an alias, or the old URL of a page that is elsewhere now, leads today; None for any other path."""
        return find_redirect(plan, path)

    # rendering

    def render(self, name: str, *, locale: str | None = None, number: int = 1, **lookups: Any) -> Rendering:
        """Render one page by its route's name: ``site.render("story", slug="flood")``.

        Args:
            name: The route's name.
            locale: The default locale if not given.
            number: Which page of a listing, as for ``url_for``.
            lookups: Which subject.
        """
        self.prepare()
        route = self.find_route(name)
        plan = Plan(self)
        scope = plan.scope(locale or self.route_locales(route)[0])
        with self.databases.snapshot():
            with entered(scope):
                subject = route.each.get(**lookups) if route.model is not None else (lookups or None)
            planned = plan.find(route, scope.locale, subject)
            if planned is None:
                raise NoSuchPage(f"{name!r} has no page for {lookups!r} in {scope.locale!r}")
            page = Page(route.id, planned.key, scope.locale, number, route.page_url(planned.url, number))
            return render(self, page, subject, plan=plan)

    def asset(self, path: str) -> str:
        """The URL path of an asset, with its fingerprint."""
        url: str = self.assets.asset(path)
        return url

    def markdown(self, text: str) -> Any:
        """Markdown as HTML, with the site's links and shortcodes."""
        return self.environment.filters["markdown"](text)

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """The WSGI application, for any WSGI server. What answers is the setting ``server_application``."""
        return self._application(environ, start_response)

    @cached_property
    def _application(self) -> Any:
        module, _, name = self.settings.peek("server_application").partition(":")
        make = getattr(importlib.import_module(module), name)
        return make(self.prepare())


def _entered_managers(site: Site) -> list[Any]:
    """The scopes that this thread entered with ``with site:``."""
    local = site.__dict__.setdefault("_entered", threading.local())
    if not hasattr(local, "managers"):
        local.managers = []
    managers: list[Any] = local.managers
    return managers
