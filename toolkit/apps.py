"""Apps: reusable bundles of models, pages, templates, static files, catalogs and content sources."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from toolkit.content import Source
from toolkit.errors import DeclarationError, FrozenError
from toolkit.feeds.formats import feed_paths
from toolkit.pages.routes import Route
from toolkit.signals import Signal
from toolkit.sitemaps import Sitemap

F = TypeVar("F", bound=Callable[..., Any])

MODULES = ("models", "receivers", "pages")
"""Modules of an app's package that are imported when a site is prepared."""


class DeclaredReceiver(msgspec.Struct, frozen=True):
    """A function that is to hear signals.

    Args:
        signals: Which.
        function: The function.
        sender: A model, its name, or None for any.
        path: Where it was declared.
        line: In which line.
    """

    signals: tuple[Signal, ...]
    function: Callable[..., Any]
    sender: Any
    path: str
    line: int


class DeclaredRedirects(msgspec.Struct, frozen=True):
    """A function that gives redirects.

    Args:
        function: It.
        label: As messages name it.
        path: Where it was declared.
        line: In which line.
    """

    function: Callable[[], Iterable[Any]]
    label: str
    path: str
    line: int


class App:
    """A bundle that a site is made of.

    Args:
        label: A short name, unique among the site's apps; begins the names of its tables.
        package: The package it lives in; by default the one that makes the App.

    Attributes:
        routes: Its routes, in order of declaration.
        sources: Its content sources.
        receivers: What hears signals, in order of declaration.
        redirect_functions: What gives redirects, in order of declaration.
    """

    def __init__(self, label: str, *, package: str | None = None) -> None:
        if not label.isidentifier():
            raise DeclarationError(f"App({label!r}): a label is a name, such as 'newsroom'")
        self.label = label
        self.package = package or _calling_package()
        self.routes: list[Route] = []
        self.sources: list[Source] = []
        self.receivers: list[DeclaredReceiver] = []
        self.redirect_functions: list[DeclaredRedirects] = []
        self.filters: dict[str, Callable[..., Any]] = {}
        self.globals: dict[str, Any] = {}
        self.context_functions: list[Callable[[], Mapping[str, Any]]] = []
        self.models: list[Any] = []
        self._frozen = False

    def __repr__(self) -> str:
        return f"<App {self.label}>"

    # declaring

    def page(
        self,
        path: str,
        *,
        each: Any = None,
        template: str | None = None,
        name: str | None = None,
        sitemap: Sitemap | bool = True,
        locales: Sequence[str] | None = None,
        aliases: Sequence[str] = (),
    ) -> Callable[[F], F]:
        """Declare a page: its path, and the subjects it is published for.

        Args:
            path: With placeholders that name lookups on the subject: ``/<section__slug>/<slug>/``.
            each: A queryset, or a function that gives subjects; None for a single page.
            template: The template that gets what the function returns; without one, the function returns text.
            name: The route's name; the function's by default.
            sitemap: How the pages stand in the sitemap; False leaves them out.
            locales: Only these locales; all by default.
            aliases: Other paths, with the same placeholders, that redirect here.
        """
        options = {"each": each, "template": template, "locales": locales, "aliases": tuple(aliases)}
        return self._declare("page", path, name=name, sitemap=_sitemap(sitemap), **options)

    def listing(
        self,
        path: str,
        *,
        each: Any = None,
        template: str | None = None,
        per_page: int = 20,
        name: str | None = None,
        sitemap: Sitemap | bool = True,
        locales: Sequence[str] | None = None,
        allow_empty: bool = True,
        stable: bool = True,
    ) -> Callable[[F], F]:
        """Declare a listing: the function gives a queryset or a list, published in pages.

        Args:
            path: As for a page; it must end in a slash. Further pages are at ``path`` + ``page/1/`` and so on.
            each: As for a page.
            template: Gets ``listing``.
            per_page: Items on a page.
            name: As for a page.
            sitemap: As for a page.
            locales: As for a page.
            allow_empty: Publish a listing that has no items.
            stable: Number the pages from the oldest, at ``page/1/``; the newest items, between ``per_page`` and twice
                as many, stand at ``path``. A new item then changes the first page only. Say False where new items do
                not come first, as in a list by name: the pages are then numbered from the first, on to ``page/2/``.
        """
        if per_page < 1:
            raise DeclarationError(f"listing {path!r}: per_page = {per_page} must be above 0")
        options = {"each": each, "template": template, "locales": locales, "per_page": per_page, "stable": stable}
        return self._declare(
            "listing", path, name=name, sitemap=_sitemap(sitemap), options={"allow_empty": allow_empty}, **options
        )

    def feed(
        self,
        path: str,
        *,
        each: Any = None,
        name: str | None = None,
        formats: Sequence[str] = ("rss", "atom"),
        locales: Sequence[str] | None = None,
    ) -> Callable[[F], F]:
        """Declare a feed: the function returns a ``Feed``, published in each of the formats.

        Args:
            path: Where the first format is; others stand beside it with their own ending.
            each: As for a page.
            name: As for a page.
            formats: ``rss``, ``atom``, ``json``.
            locales: As for a page.
        """

        def decorate(function: F) -> F:
            base = name or function.__name__
            for number, (kind, where) in enumerate(feed_paths(path, formats).items()):
                route_name = base if number == 0 else f"{base}_{kind}"
                declare = self._declare("feed", where, name=route_name, each=each, locales=locales, feed_format=kind)
                declare(function)
            return function

        return decorate

    def view(self, path: str, *, methods: Sequence[str] = ("GET",), name: str | None = None) -> Callable[[F], F]:
        """Declare a view: a function of a request, answered by the server only.

        Args:
            path: With placeholders, which become arguments.
            methods: HTTP methods; HEAD comes with GET.
            name: As for a page.
        """
        return self._declare("view", path, name=name, methods=tuple(methods))

    def sitemap(self, path: str = "/sitemap.xml", *, news: bool = False) -> None:
        """Publish a sitemap of all pages (with ``news``, of the stories of two days) at this path."""
        name = "news_sitemap" if news else "sitemap"
        self._add(
            Route(name, self.label, "sitemap", path, None, locales=(), declared_at=_caller(), options={"news": news})
        )

    def robots(self, path: str = "/robots.txt") -> None:
        """Publish robots.txt, which points at the sitemaps."""
        self._add(Route("robots", self.label, "robots", path, None, locales=(), declared_at=_caller()))

    def error_page(self, status: int, *, template: str) -> None:
        """The page for an HTTP error: published as ``/404.html``, and sent by the server with its status.

        Args:
            status: 404 or 500, for example.
            template: Gets ``status``.
        """
        self._add(
            Route(
                f"error_{status}",
                self.label,
                "error",
                f"/{status}.html",
                lambda: {"status": status},
                template=template,
                status=status,
                declared_at=_caller(),
            )
        )

    def source(self, pattern: str, *, model: Any, key: str = "slug", **options: Any) -> None:
        """Load rows of a model from files.

        Args:
            pattern: Files below the site's folder, such as ``content/stories/**/*.md``.
            model: The model.
            key: The field that names a row for relations.
            options: See ``toolkit.content.Source``.
        """
        self._check_open(f"source {pattern!r}")
        path, line = _caller()
        self.sources.append(Source(pattern, model=model, key=key, declared_at=f"{path}:{line}", **options))

    def receiver(self, *signals: Signal, sender: Any = None) -> Callable[[F], F]:
        """Let a function hear signals: ``@app.receiver(post_save, sender=Story)``.

        Args:
            signals: Of ``toolkit.signals``, or an app's own.
            sender: Only of this model, or of the model of this name (``"Story"``, ``"newsroom.Story"``); of any by
                default.
        """
        wrong = next((each for each in signals if not isinstance(each, Signal)), None)
        if wrong is not None:
            raise DeclarationError(f"receiver({wrong!r}): that is no signal", hint="Such as @app.receiver(post_save).")
        self._check_open(f"a receiver of {', '.join(signal.name for signal in signals)}")

        def decorate(function: F) -> F:
            code = inspect.unwrap(function).__code__
            self.receivers.append(DeclaredReceiver(signals, function, sender, code.co_filename, code.co_firstlineno))
            return function

        return decorate

    def redirects(self, function: F) -> F:
        """Let a function give redirects besides those of ``redirects.csv``, such as the rows of a model.

        It takes nothing and gives ``(from, to)`` or ``(from, to, status)``, each as the file has it:
        ``OldAddress.objects.values_list("old", "new", "status")``. Rows that readers do not see redirect nobody.
        """
        self._check_open(f"the redirects {function.__name__!r}")
        code = inspect.unwrap(function).__code__
        label = f"{self.label}.{function.__name__}"
        self.redirect_functions.append(DeclaredRedirects(function, label, code.co_filename, code.co_firstlineno))
        return function

    def filter(self, name: str | None = None) -> Callable[[F], F]:
        """Give templates a filter."""
        return self._register(self.filters, name)

    def template_global(self, name: str | None = None) -> Callable[[F], F]:
        """Give templates a function."""
        return self._register(self.globals, name)

    def context_processor(self, function: F) -> F:
        """Give every template the names that a function returns: ``{"sections": Section.objects.all()}``.

        It takes nothing: a page sees no request. Querysets are asked only where a template uses them.
        """
        self._check_open(f"{function.__name__!r}")
        self.context_functions.append(function)
        return function

    def _register(self, table: dict[str, Any], name: str | None) -> Callable[[F], F]:
        def decorate(function: F) -> F:
            self._check_open(f"{function.__name__!r}")
            table[name or function.__name__] = function
            return function

        return decorate

    def _declare(self, kind: str, path: str, *, name: str | None, **options: Any) -> Callable[[F], F]:
        def decorate(function: F) -> F:
            code = inspect.unwrap(function).__code__
            where = (code.co_filename, code.co_firstlineno)
            route = Route(name or function.__name__, self.label, kind, path, function, declared_at=where, **options)
            self._add(route)
            return function

        return decorate

    def _add(self, route: Route) -> None:
        self._check_open(f"{route.kind} {route.name!r}")
        self.routes.append(route)

    def _check_open(self, what: str) -> None:
        if self._frozen:
            path, line = _caller()
            raise FrozenError(
                f"{what} was declared after the site was prepared",
                path=path,
                line=line,
                hint="Import its module from your app's package, so that it is declared in time.",
            )

    # used by the site

    def freeze(self) -> None:
        """Refuse further declarations."""
        self._frozen = True

    @property
    def folder(self) -> Path:
        """The folder of the app's package."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise DeclarationError(f"App({self.label!r}): {self.package!r} is not a package")
        return Path(next(iter(spec.submodule_search_locations)))

    @property
    def migrations_folder(self) -> Path | None:
        """The folder of its migrations, if it has one."""
        folder = self.folder / "migrations"
        return folder if folder.is_dir() else None

    def import_modules(self) -> list[Any]:
        """Import the modules that declare things, and give them."""
        found = []
        for name in MODULES:
            module = f"{self.package}.{name}"
            if module in sys.modules or importlib.util.find_spec(module) is not None:
                found.append(importlib.import_module(module))
        return found


def _sitemap(given: Sitemap | bool) -> Sitemap | bool | None:
    return given or None


def _calling_package() -> str:
    """The package whose code makes the App."""
    frame = sys._getframe(2)
    package: str = frame.f_globals.get("__package__") or frame.f_globals.get("__name__", "")
    return package


def _caller() -> tuple[str, int]:
    """File and line of the nearest caller outside this module."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
