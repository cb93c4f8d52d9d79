"""URLs of pages: ``url_for(story)``, ``url_for("home")``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.errors import DeclarationError, NoSuchPage, did_you_mean
from toolkit.pages.plan import Plan, Planned, url_digest
from toolkit.pages.routes import Route
from toolkit.trace import Scope, current


def current_plan(scope: Scope) -> Plan:
    """The plan of the rendering at hand, or a new one of the scope's viewer and moment."""
    if scope.rendering is not None:
        plan: Plan = scope.rendering.plan
        return plan
    return Plan(scope.site, viewer=scope.viewer, moment=scope.moment, passing=True)


def url_for(target: Any, *, locale: str | None = None, number: int = 1, absolute: bool = False, **values: Any) -> str:
    """The URL of a page, below the path of ``base_url``.

    Args:
        target: A model instance, which has a page of its own; or a route's name.
        locale: Another locale than the current one.
        number: Which page of a listing: 1 is the one at the listing's own URL. In a stable listing 2 is the oldest.
        absolute: With scheme and host.
        values: For a route without a model: the values of its placeholders, or ``subject=``.

    Raises:
        NoSuchPage: There is none, or not for this viewer in this locale.
    """
    scope = current.get()
    if scope is None:
        raise DeclarationError("url_for needs a current site", hint="Enter one: 'with site:'.")
    site = scope.site
    if isinstance(target, str):
        route = site.find_route(target)
        subject = _named_subject(route, values)
        if route.kind == "view":
            return _absolute(site, site.view_url(route, values), absolute)
    else:
        route, subject = site.route_of(target), target
    url = find_url(scope, route, subject, locale=locale or scope.locale, number=number)
    if url is None:
        raise no_page(scope, route, subject, locale or scope.locale)
    return _absolute(site, url, absolute)


def _named_subject(route: Route, values: dict[str, Any]) -> Any:
    """The subject that lookups name: ``url_for("section", slug="town")``."""
    if "subject" in values:
        return values.pop("subject")
    if route.model is None or route.kind == "view" or not values:
        return values or None
    subject = route.each.filter(**values).first()
    return values if subject is None else subject


def _absolute(site: Any, url: str, absolute: bool) -> str:
    return f"{site.settings.base_url.rstrip('/')}{url}" if absolute else f"{site.base_path}{url}"


def find_url(scope: Scope, route: Route, subject: Any, *, locale: str, number: int = 1) -> str | None:
    """The URL of a subject's page from the site's own root, or None; recorded either way."""
    plan = current_plan(scope)
    link = plan.find_link(route, locale, subject)
    if scope.trace is not None:
        scope.trace.own.setdefault(link.read, link.digest)
    planned = link.planned
    if planned is None or number == 1:
        return None if planned is None else planned.url
    pages = plan.pages_of(route, locale, subject)
    if scope.trace is not None:
        counted = Planned(planned.key, planned.url, pages)
        scope.trace.record("url", (*link.read[1][:3], number), url_digest(counted, number))
    return route.page_url(planned.url, number) if number <= pages else None


def no_page(scope: Scope, route: Route, subject: Any, locale: str) -> NoSuchPage:
    """The error that says which page is missing, and why it may be."""
    what = f"{subject!r}" if subject is not None else f"{route.name!r}"
    if isinstance(subject, Mapping):
        what = f"{route.name!r} with {dict(subject)!r}"
    hint = f"It is published by the route {route.name!r} ({route.where}), for what its each= gives"
    if locale != scope.default_locale:
        hint += f", and must have an edition in {locale!r}"
    return NoSuchPage(f"{what} has no page in {locale!r}", hint=f"{hint}.")


def unknown_route(name: str, known: Mapping[str, Route]) -> NoSuchPage:
    """The error for a name that no route has."""
    hint = did_you_mean(name, known)
    near = next((route for key, route in known.items() if hint and f"'{key}'" in hint), None)
    if near is not None:
        needs = near.subject_name if near.model is not None else "nothing"
        hint += f" It takes {needs}."
    return NoSuchPage(f"there is no page {name!r}", hint=hint)
