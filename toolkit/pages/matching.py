"""From a URL to a page: the server's direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from toolkit.errors import ImpossibleValue
from toolkit.pages.patterns import split_number
from toolkit.pages.plan import Plan
from toolkit.pages.routes import Page, Route
from toolkit.pages.subjects import iter_subjects, subject_key, subject_values
from toolkit.trace import entered


class Match(msgspec.Struct, frozen=True):
    """What stands at a URL.

    Args:
        page: The page; None for a view.
        route: Its route.
        subject: Its subject, loaded.
        values: The values in the path, for a view.
    """

    page: Page | None
    route: Route
    subject: Any = None
    values: dict[str, Any] | None = None


def match_url(plan: Plan, path: str) -> Match | None:
    """The page at a URL path, or None.

    Every route whose pattern fits is tried, the most specific first, until one has a subject for these values.

    Args:
        plan: For the viewer and moment of the request.
        path: The path, percent-decoded.
    """
    site = plan.site
    for route, locale, values, number in _candidates(site, path):
        if route.kind == "view":
            return Match(None, route, values=values)
        found = _match_route(plan, route, locale, values, number)
        if found is not None:
            return found
    return None


def _candidates(site: Any, path: str) -> Iterator[tuple[Route, str, dict[str, Any], int]]:
    base, shown = split_number(path)
    for route, locale in site.routes_by_weight:
        pattern = site.pattern(route, locale)
        values = pattern.match(path)
        if values is not None:
            yield route, locale, values, 1
        elif route.kind == "listing" and (number := route.number_at(shown)) > 1 and shown:
            values = pattern.match(base)
            if values is not None:
                yield route, locale, values, number


def _match_route(plan: Plan, route: Route, locale: str, values: dict[str, Any], number: int) -> Match | None:
    with entered(plan.scope(locale)):
        if route.each is None:
            subject = None
        else:
            subject = _find_subject(plan.site, route, locale, values)
            if subject is None:
                return None
    planned = plan.find(route, locale, subject)
    if planned is None or (number > 1 and number > plan.pages_of(route, locale, subject)):
        return None
    url = route.page_url(planned.url, number)
    return Match(Page(route.id, subject_key(route, subject), locale, number, url), route, subject)


def match_alias(plan: Plan, path: str) -> str | None:
    """The URL of the page that an alias leads to, or None.

    Args:
        plan: For the viewer and moment of the request.
        path: The path, percent-decoded.
    """
    for route, locale, pattern in plan.site.alias_patterns:
        values = pattern.match(path)
        found = _match_route(plan, route, locale, values, 1) if values is not None else None
        if found is not None and found.page is not None:
            return found.page.url
    return None


def _find_subject(site: Any, route: Route, locale: str, values: dict[str, Any]) -> Any:
    """The subject whose URL has these values, or None."""
    if route.model is not None:
        try:
            return route.each.filter(**values).first()
        except ImpossibleValue:  # a number of more digits than any row has
            return None
    names = site.pattern(route, locale).names
    for subject in iter_subjects(route):
        if subject_values(names, subject) == values:
            return subject
    return None


def weight(path: str) -> tuple[int, ...]:
    """Sorts patterns, the most specific first: fixed segments before placeholders, longer before shorter."""
    segments = path.strip("/").split("/")
    return (-len(segments), *(1 if "<" in segment else 0 for segment in segments))
