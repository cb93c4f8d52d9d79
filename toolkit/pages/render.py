"""The one renderer. The build writes what it gives to a file, the server sends it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from toolkit.errors import DeclarationError, NotFound, ToolkitError
from toolkit.lazily import LazyModule
from toolkit.models.batches import note_row
from toolkit.pages.context import PageView, SiteView
from toolkit.pages.listings import Listing, split_result
from toolkit.pages.plan import Plan
from toolkit.pages.rendering import Rendering, Work
from toolkit.pages.routes import Page, Route
from toolkit.pages.subjects import call_function
from toolkit.pages.urls import find_url
from toolkit.text.media_types import HTML, content_type
from toolkit.trace import READER, Scope, Trace, Viewer, entered

if TYPE_CHECKING:
    from toolkit.pages import failures, syndication
else:
    syndication = LazyModule("toolkit.pages.syndication")
    failures = LazyModule("toolkit.pages.failures")


def render(
    site: Any,
    page: Page,
    subject: Any = None,
    *,
    plan: Plan | None = None,
    viewer: Viewer = READER,
    moment: datetime | None = None,
) -> Rendering:
    """Render one page: a function of its subject, its locale, the viewer and the moment.

    Args:
        site: A prepared site.
        page: Which page.
        subject: Its subject, loaded for this viewer, locale and moment; None for a page without one.
        plan: All pages, for the same viewer and moment; made as needed if not given.
        viewer: Who looks.
        moment: When; None means now.

    Raises:
        ToolkitError: Whatever went wrong, with the page's URL.
    """
    route: Route = site.routes_by_id[page.route]
    plan = plan or Plan(site, viewer=viewer, moment=moment)
    trace = Trace()
    scope: Scope = site.scope(viewer=viewer, locale=page.locale, moment=moment, trace=trace)
    work = Work(plan, page, route, subject)
    scope.rendering = work
    _record_basics(trace, site, plan, page, route)
    try:
        with entered(scope):
            if hasattr(subject, "_meta"):
                note_row(trace, subject)
            body, kind, attachments = _RENDERERS[route.kind](scope, work)
    except ToolkitError as error:
        error.url = error.url or page.url
        failures.locate(error, route)
        raise
    except Exception as error:
        raise failures.function_failed(error, route, url=page.url) from error
    return Rendering(body, kind, trace, route.status, attachments)


EVERY_PAGE = ("locales", "raw_html", "precompress")
"""Settings that decide about things on any page: the default language, URLs, what Markdown may do, files beside it."""

Rendered = tuple[bytes, str, tuple[tuple[str, bytes], ...]]


def _record_basics(trace: Trace, site: Any, plan: Plan, page: Page, route: Route) -> None:
    """What every page is made of, whatever it does."""
    site.record_code(trace)
    for name in EVERY_PAGE:
        trace.record("setting", (name,), site.settings.digest_of(name))
    if route.is_given:
        plan.objects(route, page.locale).note(trace, route, page.key, page.locale)


def _page(scope: Scope, work: Work) -> Rendered:
    route = work.route
    given = call_function(route, work.subject)
    if isinstance(given, str | bytes):
        body = given.encode() if isinstance(given, str) else given
        return body, content_type(work.page.url), ()
    if given is not None and not isinstance(given, Mapping):
        raise DeclarationError(
            f"the page function {route.name}() must return a dict for its template, or text, "
            f"not {type(given).__name__}",
            path=route.declared_at[0],
            line=route.declared_at[1],
        )
    return _template(scope, work, dict(given or {})), content_type(work.page.url), ()


def _listing(scope: Scope, work: Work) -> Rendered:
    route, page = work.route, work.page
    result, extra = split_result(call_function(route, work.subject))

    def url_of(number: int) -> str | None:
        url = find_url(scope, route, work.subject, locale=page.locale, number=number)
        return None if url is None else scope.site.public_path(url)

    if page.number > 1 and url_of(page.number) is None:
        raise NotFound(f"there is no such page of {url_of(1)}", hint=f"It has {page.url!r} no more, or never had.")

    def pages_of() -> int:
        return work.plan.pages_of(route, page.locale, work.subject)

    listing = Listing(result, route, number=page.number, url_of=url_of, pages_of=pages_of)
    return _template(scope, work, {"listing": listing, **extra}), content_type(page.url), ()


def _template(scope: Scope, work: Work, context: dict[str, Any]) -> bytes:
    route = work.route
    if route.template is None:
        raise DeclarationError(
            f"the page {route.name!r} has no template and returned no text",
            path=route.declared_at[0],
            line=route.declared_at[1],
            hint='Give it template="name.html", or return the text of the page.',
        )
    names = {**template_names(scope, work), **context}
    scope.strict = scope.site.settings.peek("strict_queries")
    try:
        text: str = scope.site.environment.render(route.template, names, url=work.page.url)
    finally:
        scope.strict = False
    if "html" in scope.site.settings.minify and content_type(work.page.url) == HTML:
        text = scope.site.minifier.page(text)
    return text.encode()


def template_names(scope: Scope, work: Work) -> dict[str, Any]:
    """The names that every page's template has."""
    names: dict[str, Any] = {
        "page": PageView(scope, work),
        "site": SiteView(scope.site),
        "locale": scope.locale,
        "viewer": scope.viewer,
    }
    for function in scope.site.context_functions:
        names.update(function())
    route = work.route
    if route.each is not None:
        if isinstance(work.subject, Mapping):
            names.update(work.subject)
        else:
            names[route.subject_name] = work.subject
    return names


def _feed(scope: Scope, work: Work) -> Rendered:
    body, kind = syndication.render_feed(scope, work, call_function(work.route, work.subject))
    return body, f"{kind}; charset=utf-8", ()


def _sitemap(scope: Scope, work: Work) -> Rendered:
    body, parts = syndication.render_sitemap(scope, work)
    return body, "application/xml; charset=utf-8", parts


def _robots(scope: Scope, work: Work) -> Rendered:
    return syndication.render_robots(scope, work), "text/plain; charset=utf-8", ()


_RENDERERS: Mapping[str, Any] = {
    "page": _page,
    "error": _page,
    "listing": _listing,
    "feed": _feed,
    "sitemap": _sitemap,
    "robots": _robots,
}
