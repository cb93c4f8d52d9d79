"""Templates, assets and catalogs of a site: its own folders first, then each app's, then the toolkit's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from toolkit.assets import Assets, Commands, read_made
from toolkit.errors import RouteError, did_you_mean
from toolkit.i18n.locales import get_locale
from toolkit.lazily import LazyModule
from toolkit.pages.urls import find_url, url_for
from toolkit.templates.clock import now
from toolkit.templates.environment import make_environment
from toolkit.templates.filters import markdown_filter
from toolkit.templates.folders import TemplateFolder
from toolkit.templates.markdown import Markdown, MarkdownOptions
from toolkit.templates.rendered import Image
from toolkit.templates.shortcodes import template_shortcodes
from toolkit.trace import ABSENT, current, entered, record

if TYPE_CHECKING:
    from toolkit import gis
    from toolkit.assets import tags
    from toolkit.i18n import catalogs
    from toolkit.i18n.catalogs import Catalogs
    from toolkit.site import images
else:
    gis = LazyModule("toolkit.gis")
    catalogs = LazyModule("toolkit.i18n.catalogs")
    images = LazyModule("toolkit.site.images")
    tags = LazyModule("toolkit.assets.tags")

PACKAGE = Path(__file__).parent.parent
BUNDLED = ("gis",)
"""Parts of the toolkit that bring templates and static files along."""


def make_templates(site: Any) -> Any:
    """The template environment of a site."""
    folders = [TemplateFolder(site.folder / site.settings.peek("templates"), "site")]
    folders += [
        TemplateFolder(folder, f"app {app.label}") for app in site.apps if (folder := app.folder / "templates").is_dir()
    ]
    folders += [TemplateFolder(PACKAGE / name / "templates", f"toolkit {name}") for name in BUNDLED]
    environment = make_environment(
        folders,
        cache_folder=site.state_folder / "templates",
        globals=_globals(site),
        filters={**{k: v for app in reversed(site.apps) for k, v in app.filters.items()}, **site.filters},
    )
    markdown = Markdown(
        MarkdownOptions(trusted=site.settings.peek("raw_html")),
        base_path=site.base_path,
        resolve_link=partial(resolve_link, site),
        resolve_web=False,
        resolve_image=partial(_resolve_image, site),
        render_image=partial(_render_image, site),
        shortcode=template_shortcodes(environment),
    )
    environment.filters.setdefault("markdown", markdown_filter(markdown))
    if "markdown" not in site.filters:
        environment.filters["markdown"] = markdown_filter(markdown)
    return environment


def _globals(site: Any) -> dict[str, Any]:
    names: dict[str, Any] = {
        "url_for": url_for,
        "now": partial(_now, site),
        "asset": lambda path: site.assets.asset(path),
        "integrity": lambda path: site.assets.integrity(path),
        "script": lambda path, **options: tags.script(site.assets, path, **options),
        "stylesheet": lambda path, **options: tags.stylesheet(site.assets, path, **options),
        "image": lambda image, **options: site.images.picture(image, **options),
        "locale_name": lambda code: get_locale(code).autonym,
        "locator_map": _in_current_locale(lambda *places, **options: gis.locator_map(*places, **options)),
        "interactive_map": _in_current_locale(lambda *places, **options: gis.interactive_map(*places, **options)),
        "D": lambda *amount, **units: gis.D(*amount, **units),
    }
    for app in reversed(site.apps):
        names.update(app.globals)
    return names


def _now(site: Any, unit: str = "minute") -> datetime:
    """``now()``, and ``now("year")`` as it begins in the site's time zone."""
    return now(unit) if unit == "minute" else now(unit, timezone=site.settings.timezone)


def _in_current_locale(draw: Callable[..., Any]) -> Callable[..., Any]:
    """A map function that speaks the page's language unless told otherwise."""

    def drawn(*arguments: Any, **options: Any) -> Any:
        scope = current.get()
        options.setdefault("locale", scope.locale if scope is not None else "en")
        return draw(*arguments, **options)

    return drawn


def make_assets(site: Any) -> Assets:
    """The static files of a site."""
    folders = [("", site.folder / site.settings.peek("static"))]
    folders += [("", folder) for app in site.apps if (folder := app.folder / "static").is_dir()]
    folders += [("", PACKAGE / name / "static") for name in BUNDLED]
    return Assets(
        folders,
        url_prefix=site.settings.peek("static_url"),
        base_path=site.base_path,
        made=read_made(site.settings.peek("made_assets")),
        commands=Commands(site.folder, site.state_folder / "assets", bundler=site.settings.peek("bundler")),
        minifier=site.minifier,
        bundles=site.settings.peek("bundle_css"),
        digests=site.digests,
    )


def make_catalogs(site: Any) -> Catalogs:
    """The message catalogs of a site."""
    folders = [("messages", site.folder / site.settings.peek("locale_folder"))]
    folders += [("messages", folder) for app in site.apps if (folder := app.folder / "locale").is_dir()]
    folders.append(("messages", PACKAGE / "locale"))
    return catalogs.Catalogs(folders, site.settings.peek("locales"), cache_folder=site.state_folder / "catalogs")


# links in Markdown


def resolve_link(site: Any, url: str) -> str:
    """``story:flood`` is the URL of that story's page: in this language if it has an edition, else in the first.

    A story that is there but hidden, before its embargo or after its expiry, has no URL: the link's words stay, as
    plain text, until it has one. So an embargo that is lifted or a story that expires breaks no other page.

    Returns:
        The URL; empty for a hidden row.

    Raises:
        RouteError: There is no such row, or it has no page.
    """
    name, separator, slug = url.partition(":")
    model = _model_of_scheme(site, name) if separator and not slug.startswith("//") else None
    if model is None:
        return url
    slug, hash_, fragment = slug.partition("#")
    scope = current.get()
    if scope is None:
        return url
    subject = _find_by_slug(scope, model, slug)
    route = site.find_route_of(subject) if subject is not None else None
    if route is not None:
        for locale in (scope.locale, scope.default_locale):
            found = find_url(scope, route, subject, locale=locale)
            if found is not None:
                return f"{site.public_path(found)}{hash_}{fragment}"
    if subject is None and model.objects.unrestricted().filter(slug=slug).exists():
        return ""
    known = list(model.objects.values_list("slug", flat=True)) if subject is None else []
    raise RouteError(
        f"the link {url!r} leads to no published {model.__name__.lower()}", hint=did_you_mean(slug, known) or None
    )


def _model_of_scheme(site: Any, name: str) -> Any:
    for model in site.models:
        if model._meta.model_name == name and "slug" in model._meta.by_name:
            return model
    return None


def _find_by_slug(scope: Any, model: Any, slug: str) -> Any:
    """By the row's own slug, whatever the language of the page."""
    plain = scope.site.scope(viewer=scope.viewer, locale=scope.default_locale, moment=scope.moment, trace=scope.trace)
    plain.rendering = scope.rendering
    with entered(plain):
        return model.objects.filter(slug=slug).first()


def _is_picture(site: Any, path: str) -> bool:
    """Whether an image in Markdown is shown in the sizes that browsers want, and not as the file that it is."""
    source = images.find_image(site, path)
    if source is None or source.kind == "file":
        return source is not None
    raster = PurePosixPath(path).suffix.lower() in images.SUFFIXES - {".svg"}
    return raster and bool(site.settings.markdown_images)


def _render_image(site: Any, image: Image) -> str | None:
    """``<picture>`` for what :func:`_resolve_image` left as a path of the site; other images stay as they are."""
    if "://" in image.src or image.src.startswith(("/", "data:", "#")) or not _is_picture(site, image.src):
        return None
    title = {"title": image.title} if image.title else {}
    return str(site.images.picture(image.src, alt=image.alt, **title))


def _resolve_image(site: Any, url: str) -> str:
    """A path in the static folder becomes its fingerprinted URL; other addresses stay for the checks to judge."""
    if "://" in url or url.startswith(("/", "data:", "#")):
        return url
    path = url.partition("#")[0].partition("?")[0]
    if _is_picture(site, path):
        return path
    if site.assets.digest_of(path) == ABSENT:
        record("asset", (path,), ABSENT)
        return url
    return str(site.assets.asset(url))
