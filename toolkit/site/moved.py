"""URLs that lead to where a page is: its aliases, and those that it was published under before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

from toolkit.lazily import LazyModule
from toolkit.pages.patterns import Pattern
from toolkit.pages.plan import Plan
from toolkit.pages.routes import Route
from toolkit.pages.subjects import plain_key, subject_values
from toolkit.site.history import find_history
from toolkit.trace import entered

if TYPE_CHECKING:
    from toolkit.pages import matching
else:
    matching = LazyModule("toolkit.pages.matching")


def find_redirect(plan: Plan, path: str) -> str | None:
    """Where an alias, or the old URL of a page that is elsewhere now, leads today; None for any other path.

    Args:
        plan: For the viewer and moment of the request.
        path: The path, as it came.
    """
    alias = matching.match_alias(plan, unquote(path))
    if alias is not None:
        return alias
    site = plan.site
    found = find_history(site.database, path)
    if found is None:
        return None
    route_id, subject, locale = found
    route = site.routes_by_id.get(route_id)
    if route is None or locale not in site.route_locales(route):
        return None
    key = json.loads(subject)
    planned = plan.find_key(route, locale, tuple(key) if isinstance(key, list) else key)
    return planned.url if planned is not None and planned.url != path else None


def alias_urls(plan: Plan) -> dict[str, str]:
    """Alias URL to the URL of the page that it leads to."""
    found: dict[str, str] = {}
    for route, locale in plan.routes():
        for path in route.aliases:
            found.update(_alias_urls(plan, route, locale, plan.site.path_pattern(path, locale)))
    return found


def _alias_urls(plan: Plan, route: Route, locale: str, pattern: Pattern) -> dict[str, str]:
    """The URLs of one alias path, for every subject, with those of the pages they lead to."""
    urls = {item.key: item.url for item in plan.unit(route, locale).planned}
    if route.each is None:
        return {pattern.build({}): urls[None]}
    if route.model is None:
        subjects = plan.objects(route, locale).by_key
        return {pattern.build(subject_values(pattern.names, subjects[key])): url for key, url in urls.items()}
    with entered(plan.scope(locale)):
        rows = list(route.each.values_list("pk", *pattern.names))
    found = {plain_key(key): dict(zip(pattern.names, values, strict=True)) for key, *values in rows}
    return {pattern.build(found[key]): url for key, url in urls.items()}
