"""Which pages there are: for each route and locale the subjects, their URLs and how many pages each has.

A unit of the plan is one route in one locale. It is made by a query, and traced like a page, so that a build knows
whether it still holds without making it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from toolkit.errors import Collision, Problems, RouteError, ToolkitError
from toolkit.pages.listings import count_pages
from toolkit.pages.patterns import Pattern, folded_path, numbered, output_path
from toolkit.pages.routes import Page, Route
from toolkit.trace import ABSENT, READER, Scope, Trace, Viewer, digest, entered

SUBJECT_BATCH = 500


@dataclass(frozen=True, slots=True)
class Planned:
    """One subject of a unit.

    Args:
        key: Its key; None for a route without subjects.
        url: The URL of its first page.
        pages: How many pages it has.
    """

    key: Any
    url: str
    pages: int = 1


@dataclass
class Unit:
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
    by_key: dict[Any, Planned] = field(init=False)

    def __post_init__(self) -> None:
        self.by_key = {item.key: item for item in self.planned}

    def pages(self) -> Iterator[Page]:
        """Every page of the unit."""
        for item in self.planned:
            for number in range(1, item.pages + 1):
                yield Page(self.route.id, item.key, self.locale, number, numbered(item.url, number))

    @property
    def digest(self) -> bytes:
        """Stands for all subjects and URLs."""
        return digest([[_plain(item.key), item.url, item.pages] for item in self.planned])


def _plain(key: Any) -> Any:
    return list(key) if isinstance(key, tuple) else key


class Plan:
    """All pages of a site for one viewer at one moment, found as they are asked for.

    Args:
        site: A prepared site.
        viewer: Who looks.
        moment: When; None means now.
    """

    def __init__(
        self,
        site: Any,
        *,
        viewer: Viewer = READER,
        moment: datetime | None = None,
    ) -> None:
        self.site = site
        self.viewer = viewer
        self.moment = moment
        self._units: dict[tuple[str, str], Unit] = {}
        self._found: dict[tuple[str, str, Any], Planned | None] = {}

    def scope(self, locale: str, trace: Trace | None = None) -> Scope:
        """A scope of this plan's viewer and moment."""
        scope: Scope = self.site.scope(viewer=self.viewer, locale=locale, moment=self.moment, trace=trace)
        scope.rendering = _Planning(self)
        return scope

    def unit(self, route: Route, locale: str) -> Unit:
        """All pages of one route in one locale."""
        key = (route.id, locale)
        if key not in self._units:
            self._units[key] = make_unit(self, route, locale)
        return self._units[key]

    def adopt(self, unit: Unit) -> None:
        """Take up a unit that is known from elsewhere."""
        self._units[(unit.route.id, unit.locale)] = unit

    def routes(self) -> Iterator[tuple[Route, str]]:
        """Every published route with each of its locales, in the order of declaration."""
        for route in self.site.routes:
            if route.is_static:
                for locale in self.site.route_locales(route):
                    yield route, locale

    def find(self, route: Route, locale: str, subject: Any) -> Planned | None:
        """The planned pages of one subject, or None if it has none in this locale.

        Subjects that were loaded together are looked up together.
        """
        if locale not in self.site.route_locales(route):
            return None
        unit = self._units.get((route.id, locale))
        key = subject_key(route, subject)
        if unit is not None:
            return unit.by_key.get(key)
        if route.model is not None and isinstance(subject, Mapping):
            return None
        if route.each is None or route.model is None:
            return self.unit(route, locale).by_key.get(key)
        asked = (route.id, locale, key)
        if asked not in self._found:
            self._find_peers(route, locale, subject, key)
        return self._found[asked]

    def _find_peers(self, route: Route, locale: str, subject: Any, key: Any) -> None:
        peers = getattr(subject, "_peers", None) or ()
        keys = [key, *(peer.pk for peer in peers[:SUBJECT_BATCH] if type(peer) is type(subject) and peer.pk != key)]
        with entered(self.scope(locale)):
            found = {item.key: item for item in _plan_rows(self.site, route, locale, route.each.filter(pk__in=keys))}
        for one in keys:
            self._found[(route.id, locale, one)] = found.get(one)

    def pages_of(self, route: Route, locale: str, subject: Any) -> int:
        """How many pages a subject has in a locale; 0 if none."""
        planned = self.find(route, locale, subject)
        if planned is None:
            return 0
        if route.kind != "listing" or (route.id, locale) in self._units:
            return planned.pages
        with entered(self.scope(locale)):
            return count_pages(call_function(route, self._load(route, locale, planned.key)), route.per_page)

    def _load(self, route: Route, locale: str, key: Any) -> Any:
        if route.model is None:
            return key
        return route.each.filter(pk=key).first()


@dataclass(frozen=True)
class _Planning:
    """Stands where a rendering would, while the plan itself runs page functions."""

    plan: Plan
    page: Page | None = None


def subject_key(route: Route, subject: Any) -> Any:
    """What identifies a subject: its primary key, or the values of the route's placeholders."""
    if subject is None or route.each is None:
        return None
    if hasattr(subject, "_meta"):
        return subject.pk
    if isinstance(subject, Mapping):
        return tuple(subject[name] for name in sorted(subject))
    return subject


def subject_values(pattern: Pattern, subject: Any) -> dict[str, Any]:
    """The values of a path's placeholders for a subject that is no row: a mapping, or an object with attributes."""
    values = {}
    for name in pattern.names:
        value = subject
        for part in name.split("__"):
            value = value[part] if isinstance(value, Mapping) else getattr(value, part)
        values[name] = value
    return values


def call_function(route: Route, subject: Any) -> Any:
    """Call the user's function with its subject."""
    function = route.function
    if function is None:
        return {}
    if route.each is None:
        return function()
    if isinstance(subject, Mapping):
        return function(**subject)
    return function(subject)


def make_unit(plan: Plan, route: Route, locale: str) -> Unit:
    """Find all pages of a route in a locale."""
    trace = Trace()
    with entered(plan.scope(locale, trace)):
        if route.each is None:
            planned = [_single(plan, route, locale)]
        elif route.kind == "listing":
            planned = list(_plan_listing(plan.site, route, locale))
        elif route.model is not None:
            planned = list(_plan_rows(plan.site, route, locale, route.each))
        else:
            planned = list(_plan_objects(plan.site, route, locale))
    trace.record("code", (), plan.site.code_digest)
    return Unit(route, locale, planned, trace)


def _single(plan: Plan, route: Route, locale: str) -> Planned:
    url = plan.site.pattern(route, locale).build({})
    if route.kind != "listing":
        return Planned(None, url)
    return Planned(None, url, count_pages(call_function(route, None), route.per_page))


def _plan_rows(site: Any, route: Route, locale: str, rows: Any) -> Iterator[Planned]:
    """The subjects of a queryset; their URLs come from one query, without making instances."""
    pattern = site.pattern(route, locale)
    for key, *found in rows.values_list("pk", *pattern.names):
        yield Planned(key, _build(route, pattern, dict(zip(pattern.names, found, strict=True)), key))


def _build(route: Route, pattern: Pattern, values: Mapping[str, Any], key: Any) -> str:
    try:
        return pattern.build(values)
    except RouteError as error:
        raise RouteError(f"page {route.name!r} of {route.model and route.model.__name__} {key}: {error.message}", hint=error.hint) from error


def _plan_listing(site: Any, route: Route, locale: str) -> Iterator[Planned]:
    urls = {item.key: item.url for item in _plan_rows(site, route, locale, route.each)} if route.model else None
    pattern = site.pattern(route, locale)
    for subject in iter_subjects(route):
        key = subject_key(route, subject)
        pages = count_pages(call_function(route, subject), route.per_page)
        if pages or route.options.get("allow_empty", True):
            url = urls[key] if urls is not None else pattern.build(subject_values(pattern, subject))
            yield Planned(key, url, max(pages, 1))


def _plan_objects(site: Any, route: Route, locale: str) -> Iterator[Planned]:
    pattern = site.pattern(route, locale)
    for subject in iter_subjects(route):
        yield Planned(subject_key(route, subject), pattern.build(subject_values(pattern, subject)))


def iter_subjects(route: Route) -> Iterator[Any]:
    """All subjects of a route in the current scope."""
    each = route.each() if callable(route.each) else route.each
    return iter(each)


def load_subjects(route: Route, keys: Sequence[Any]) -> dict[Any, Any]:
    """Subjects by key, loaded together, so that their relations load together too. For the current scope."""
    if route.each is None:
        return {None: None}
    if route.model is not None:
        found = {row.pk: row for row in route.each.filter(pk__in=list(keys))}
    else:
        found = {subject_key(route, subject): subject for subject in iter_subjects(route)}
    return found


def check_collisions(pages: Iterable[Page], routes: Mapping[str, Route]) -> None:
    """Refuse two pages for one file.

    Raises:
        Problems: Every pair of pages that want one file, or files that some file systems take for the same.
    """
    taken: dict[str, Page] = {}
    problems: list[ToolkitError] = []
    for page in pages:
        path = output_path(page.url)
        other = taken.setdefault(folded_path(path), page)
        if other is page:
            continue
        same = output_path(other.url) == path
        how = f"both are published at {page.url}" if same else f"{other.url} and {page.url} differ only by case or form"
        first, second = routes[other.route], routes[page.route]
        problems.append(
            Collision(
                f"{_named(first, other)} ({first.where}) and {_named(second, page)} ({second.where}): {how}",
                hint="Change a path or a slug.",
            )
        )
    if problems:
        raise Problems(problems)


def _named(route: Route, page: Page) -> str:
    return f"page {route.name!r}" + (f" of {page.key!r}" if page.key is not None else "")


def url_digest(planned: Planned | None, number: int = 1) -> bytes:
    """What a trace records of a page's URL."""
    if planned is None or number > planned.pages:
        return ABSENT
    return digest(numbered(planned.url, number))
