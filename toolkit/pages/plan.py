"""Which pages there are: for each route and locale the subjects, their URLs and how many pages each has.

A unit of the plan is one route in one locale. It is made by a query, and traced like a page, so that a build knows
whether it still holds without making it again.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from toolkit.errors import Problems, RouteError, ToolkitError
from toolkit.lazily import LazyModule
from toolkit.models.fetching import iter_neighbours
from toolkit.pages.listings import count_pages
from toolkit.pages.routes import Page, Route
from toolkit.pages.subjects import (
    _row_keys,
    call_function,
    is_row,
    iter_subjects,
    load_subjects,
    plain_key,
    subject_key,
    subject_values,
    subjects_by_key,
)
from toolkit.trace import ABSENT, READER, Scope, Trace, Viewer, digest, entered

if TYPE_CHECKING:
    from toolkit.pages import failures, given
    from toolkit.pages.given import Objects
else:
    failures = LazyModule("toolkit.pages.failures")
    given = LazyModule("toolkit.pages.given")


LINKS_KEPT = 8192
"""Links that a plan remembers, some 3 MB: those of a masthead stand on every page, a story's on a few in a row."""


class Planned(NamedTuple):
    """One subject of a unit.

    Args:
        key: Its key; None for a route without subjects.
        url: The URL of its first page.
        pages: How many pages it has.
    """

    key: Any
    url: str
    pages: int = 1


class Link(msgspec.Struct, frozen=True):
    """One subject's pages as a page that links to them reads them.

    Args:
        planned: The pages; None if the subject has none.
        read: Kind and key of the input.
        digest: What a trace records of it.
    """

    planned: Planned | None
    read: tuple[str, tuple[Any, ...]]
    digest: bytes


class Unit(msgspec.Struct, dict=True):
    """One route in one locale.

    Args:
        route: The route.
        locale: The locale.
        planned: Its subjects, in order.
        trace: What the plan was made of.
    """

    route: Route
    locale: str
    planned: list[Planned]
    trace: Trace

    @cached_property
    def by_key(self) -> dict[Any, Planned]:
        """The subjects by key."""
        return {item.key: item for item in self.planned}

    def pages(self, keys: Container[Any] | None = None) -> Iterator[Page]:
        """Every page of the unit, or those of some subjects."""
        for item in self.planned if keys is None else [item for item in self.planned if item.key in keys]:
            for number in range(1, item.pages + 1):
                yield Page(self.route.id, item.key, self.locale, number, self.route.page_url(item.url, number))

    @property
    def digest(self) -> bytes:
        """Stands for all subjects and URLs."""
        return digest(self.planned)


class Plan:
    """All pages of a site for one viewer at one moment, found as they are asked for.

    Args:
        site: A prepared site.
        viewer: Who looks.
        moment: When; None means now.
        passing: It is asked for one page and thrown away, so that looking up its subject's neighbours is for nothing.
    """

    def __init__(
        self,
        site: Any,
        *,
        viewer: Viewer = READER,
        moment: datetime | None = None,
        passing: bool = False,
    ) -> None:
        self.site = site
        self.passing = passing
        self.viewer = viewer
        self.moment = moment
        self._units: dict[tuple[str, str], Unit] = {}
        self._objects: dict[tuple[str, str], Objects] = {}
        self._making: set[tuple[str, str]] = set()
        self._found: dict[tuple[str, str, Any], Planned | None] = {}
        self._links: dict[tuple[str, str, Any], Link] = {}
        self._counts: dict[tuple[str, str, Any], int] = {}

    def scope(self, locale: str, trace: Trace | None = None) -> Scope:
        """A scope of this plan's viewer and moment."""
        scope: Scope = self.site.scope(viewer=self.viewer, locale=locale, moment=self.moment, trace=trace)
        scope.rendering = _Planning(self)
        return scope

    def unit(self, route: Route, locale: str) -> Unit:
        """All pages of one route in one locale."""
        key = (route.id, locale)
        if key not in self._units:
            self.adopt(self._make(key, route, locale))
        return self._units[key]

    def drop(self, route: Route, locale: str) -> None:
        """Forget a unit, so that it is found anew."""
        self._units.pop((route.id, locale), None)
        self._objects.pop((route.id, locale), None)
        self._links.clear()

    def _make(self, key: tuple[str, str], route: Route, locale: str) -> Unit:
        if key in self._making:
            raise RouteError(
                f"which pages {route.name!r} has depends on its own URLs",
                path=route.declared_at[0],
                line=route.declared_at[1],
                hint="Ask for URLs in the template, not where subjects or items are found.",
            )
        self._making.add(key)
        try:
            return make_unit(self, route, locale)
        finally:
            self._making.discard(key)

    def objects(self, route: Route, locale: str) -> Objects:
        """The subjects of a route that are no rows, found once."""
        key = (route.id, locale)
        if key not in self._objects:
            trace = Trace()
            with entered(self.scope(locale, trace)):
                found = subjects_by_key(route, iter_subjects(route))
            self._objects[key] = given.Objects(found, trace)
        return self._objects[key]

    def adopt(self, unit: Unit) -> None:
        """Take up a unit that is known from elsewhere."""
        self._units[(unit.route.id, unit.locale)] = unit
        self._links.clear()

    def routes(self) -> Iterator[tuple[Route, str]]:
        """Every published route with each of its locales, in the order of declaration."""
        for route in self.site.routes:
            if route.is_static:
                for locale in self.site.route_locales(route):
                    yield route, locale

    def find_link(self, route: Route, locale: str, subject: Any) -> Link:
        """The pages of a subject in a locale, and what a trace records of them."""
        key = subject_key(route, subject)
        asked = (route.id, locale, key)
        known = self._links.get(asked)
        if known is not None and is_row(subject):
            return known
        planned = self.find(route, locale, subject)
        found = Link(planned, ("url", (route.id, key, locale, 1)), url_digest(planned))
        if (route.id, locale) in self._units and is_row(subject):
            if len(self._links) >= LINKS_KEPT:
                self._links.clear()
            self._links[asked] = found
        return found

    def find(self, route: Route, locale: str, subject: Any) -> Planned | None:
        """The planned pages of one subject, or None if it has none in this locale.

        Subjects that were loaded together are looked up together.
        """
        if locale not in self.site.route_locales(route):
            return None
        key = subject_key(route, subject)
        if isinstance(subject, Mapping) and route.model is not None:
            return None
        together = hasattr(subject, "_peers") and not self.passing
        return self.find_key(route, locale, key, peers=iter_neighbours(subject) if together else ())

    def find_key(self, route: Route, locale: str, key: Any, *, peers: Iterable[Any] = ()) -> Planned | None:
        """The planned pages of the subject with this key, or None.

        Args:
            route: The route.
            locale: One of its locales.
            key: See ``subject_key``.
            peers: Instances whose pages will be asked for too.
        """
        unit = self._units.get((route.id, locale))
        if unit is not None:
            return unit.by_key.get(key)
        if route.each is None or route.model is None:
            return self.unit(route, locale).by_key.get(key)
        asked = (route.id, locale, key)
        if asked not in self._found:
            self._find_peers(route, locale, key, peers)
        return self._found[asked]

    def _find_peers(self, route: Route, locale: str, key: Any, peers: Iterable[Any]) -> None:
        same = [plain_key(peer.pk) for peer in peers if isinstance(peer, route.model)]
        keys = list(dict.fromkeys([key, *same]))
        with entered(self.scope(locale)):
            rows = route.each.filter(pk__in=_row_keys(route, keys))
            found = {item.key: item for item in _plan_rows(self.site, route, locale, rows)}
            if not route.options.get("allow_empty", True):
                found = _without_empty(route, found)
        for one in keys:
            self._found[(route.id, locale, one)] = found.get(one)

    def pages_of(self, route: Route, locale: str, subject: Any) -> int:
        """How many pages a subject has in a locale; 0 if none."""
        planned = self.find(route, locale, subject)
        if planned is None:
            return 0
        if route.kind != "listing" or (route.id, locale) in self._units:
            return planned.pages
        asked = (route.id, locale, planned.key)
        if asked not in self._counts:
            with entered(self.scope(locale)):
                self._counts[asked] = count_pages(call_function(route, self._load(route, locale, planned.key)), route)
        return self._counts[asked]

    def _load(self, route: Route, locale: str, key: Any) -> Any:
        if route.each is None:
            return None
        if route.model is None:
            return self.objects(route, locale).by_key[key]
        return load_subjects(route, [key]).get(key)


def _without_empty(route: Route, found: Mapping[Any, Planned]) -> dict[Any, Planned]:
    """The subjects whose listing has any items, as the whole plan would have them."""
    subjects = load_subjects(route, list(found))
    return {
        key: item
        for key, item in found.items()
        if key in subjects and count_pages(call_function(route, subjects[key]), route)
    }


class _Planning(msgspec.Struct, frozen=True):
    """Stands where a rendering would, while the plan itself runs page functions."""

    plan: Plan
    page: Page | None = None


def make_unit(plan: Plan, route: Route, locale: str) -> Unit:
    """Find all pages of a route in a locale.

    Raises:
        ToolkitError: A URL cannot be built, or the user's function failed.
    """
    trace = Trace()
    try:
        with entered(plan.scope(locale, trace)):
            if route.each is None:
                planned = _single(plan, route, locale)
            elif route.kind == "listing":
                planned = list(_plan_listing(plan, route, locale, trace))
            elif route.model is not None:
                planned = _plan_rows(plan.site, route, locale, route.each)
            else:
                planned = list(_plan_objects(plan, route, locale, trace))
    except ToolkitError:
        raise
    except Exception as error:
        raise failures.function_failed(error, route) from error
    plan.site.record_code(trace)
    trace.record("setting", ("locales",), plan.site.settings.digest_of("locales"))
    return Unit(route, locale, planned, trace)


def _single(plan: Plan, route: Route, locale: str) -> list[Planned]:
    url = plan.site.pattern(route, locale).build({})
    if route.kind != "listing":
        return [Planned(None, url)]
    pages = count_pages(call_function(route, None), route)
    return [Planned(None, url, max(pages, 1))] if pages or route.options.get("allow_empty", True) else []


def _plan_rows(site: Any, route: Route, locale: str, rows: Any) -> list[Planned]:
    """The subjects of a queryset; their URLs come from one query, without making instances."""
    pattern = site.pattern(route, locale)
    planned: list[Planned] = []
    problems: list[ToolkitError] = []
    for key, *found in rows.values_list("pk", *pattern.names):
        try:
            planned.append(Planned(plain_key(key), pattern.build(dict(zip(pattern.names, found, strict=True)))))
        except RouteError as error:
            problems.append(_unbuildable(route, key, error))
    if problems:
        raise problems[0] if len(problems) == 1 else Problems(problems)
    return planned


def _unbuildable(route: Route, key: Any, error: RouteError) -> RouteError:
    what = f"{route.model.__name__} {key}" if route.model is not None else repr(key)
    message = f"page {route.name!r} of {what}: {error.message}"
    return RouteError(message, path=route.declared_at[0], line=route.declared_at[1], hint=error.hint)


def _plan_listing(plan: Plan, route: Route, locale: str, trace: Trace) -> Iterator[Planned]:
    if route.model is not None:
        urls = {item.key: item.url for item in _plan_rows(plan.site, route, locale, route.each)}
        subjects = ((subject_key(route, subject), subject) for subject in iter_subjects(route))
    else:
        urls = {item.key: item.url for item in _plan_objects(plan, route, locale, trace)}
        subjects = ((key, subject) for key, subject in plan.objects(route, locale).by_key.items())
    for key, subject in subjects:
        pages = count_pages(call_function(route, subject), route)
        if pages or route.options.get("allow_empty", True):
            yield Planned(key, urls[key], max(pages, 1))


def _plan_objects(plan: Plan, route: Route, locale: str, trace: Trace) -> Iterator[Planned]:
    pattern = plan.site.pattern(route, locale)
    objects = plan.objects(route, locale)
    trace.merge(objects.trace)
    for key, subject in objects.by_key.items():
        try:
            yield Planned(key, pattern.build(subject_values(pattern.names, subject)))
        except RouteError as error:
            raise _unbuildable(route, key, error) from error


def url_digest(planned: Planned | None, number: int = 1) -> bytes:
    """What a trace records of a page's URL."""
    if planned is None or number > planned.pages:
        return ABSENT
    return digest(planned.url if number == 1 else [planned.url, number])
