"""From rows and the plan to feeds, sitemaps and robots.txt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from toolkit.errors import FeedError
from toolkit.feeds import Entry, Feed, FeedInfo, Person, tag_uri
from toolkit.models import MarkdownField
from toolkit.pages.lean_rows import LeanRows
from toolkit.pages.plan import Planned, Unit
from toolkit.pages.rendering import Work
from toolkit.pages.routes import Route
from toolkit.pages.subjects import load_subjects
from toolkit.pages.urls import find_url
from toolkit.sitemaps import News, SitemapURL, hreflang_alternates, write_news_sitemaps, write_robots, write_sitemaps
from toolkit.templates.clock import read_clock
from toolkit.trace import Scope, entered

FIRST_DAY = date(2000, 1, 1)
"""The day in tag URIs. It names who may mint them, not when; one day for ever keeps ids for ever."""

Attachments = tuple[tuple[str, bytes], ...]


def render_feed(scope: Scope, work: Work, feed: Any) -> tuple[bytes, str]:
    """The bytes and the media type of a feed."""
    route, page = work.route, work.page
    if not isinstance(feed, Feed):
        raise FeedError(
            f"the feed {route.name!r} must return a Feed, not {type(feed).__name__}",
            hint="return Feed(title=..., items=...)",
        )
    site = scope.site
    base = site.settings.base_url.rstrip("/")
    home = feed.link or _home(scope, work.subject, base)
    info = FeedInfo(
        id=tag_uri(_authority(base), FIRST_DAY, _specific(page.route.replace(":", "/"), page.key, page.locale)),
        title=feed.title,
        url=home,
        feed_url=base + page.url,
        description=feed.description,
        language=feed.language or scope.locale,
        copyright=feed.copyright,
        updated=feed.updated or datetime(2000, 1, 1, tzinfo=UTC),
        authors=feed.authors,
        icon=feed.icon,
        logo=feed.logo,
        ttl_minutes=feed.ttl_minutes,
        hubs=feed.hubs,
        stylesheet_url=feed.stylesheet_url,
    )
    kind = site.feed_formats[route.feed_format]
    entries = feed.entries(lambda item: make_entry(scope, item, base, content=feed.full_content))
    return kind.write(info, entries), kind.type


def _authority(base: str) -> str:
    return base.partition("://")[2].partition("/")[0].partition(":")[0]


def _specific(*parts: Any) -> str:
    flat = [one for part in parts for one in (part if isinstance(part, tuple) else (part,))]
    return "/".join(str(part) for part in flat if part is not None)


def _home(scope: Scope, subject: Any, base: str) -> str:
    """The page that the feed is of: its subject's, or the home page."""
    if subject is not None:
        own = scope.site.find_route_of(subject)
        url = find_url(scope, own, subject, locale=scope.locale) if own is not None else None
        if url is not None:
            return base + url
    prefix = scope.site.locale_prefix(scope.locale)
    return f"{base}{prefix}/"


def make_entry(scope: Scope, item: Any, base: str, *, content: bool) -> Entry:
    """A feed's entry from a row, by the names that stories usually have."""
    site = scope.site
    route = site.find_route_of(item)
    url = find_url(scope, route, item, locale=scope.locale) if route is not None else None
    if url is None:
        raise FeedError(
            f"{item!r} has no page, so it cannot be in a feed", hint="Declare a page for it, or leave it out."
        )
    published = _first(item, "published", "created", "date")
    updated = _first(item, "updated", "modified") or published
    if updated is None:
        raise FeedError(
            f"{item!r} has no date, so it cannot be in a feed",
            hint="Give it 'published' or 'updated', or use Feed(entry=...).",
        )
    meta = item._meta
    return Entry(
        id=tag_uri(
            _authority(base), FIRST_DAY, _specific(meta.label.lower().replace(".", "/"), item.pk, _edition(scope))
        ),
        url=base + url,
        title=str(_first(item, "title", "headline", "name") or item),
        updated=_moment(updated),
        published=_moment(published) if published is not None else None,
        summary=str(_first(item, "summary", "description", "excerpt") or ""),
        content=_content(site, item) if content else "",
        authors=tuple(_people(item)),
        categories=tuple(_categories(item)),
    )


def _edition(scope: Scope) -> str | None:
    """Editions in other languages are other entries."""
    return None if scope.locale == scope.default_locale else scope.locale


def _moment(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def _first(item: Any, *names: str) -> Any:
    """The first of these attributes that the item has and that is not empty."""
    for name in names:
        value = getattr(item, name, None)
        if value not in (None, ""):
            return value
    return None


def _content(site: Any, item: Any) -> str:
    for field in item._meta.fields:
        if isinstance(field, MarkdownField):
            return str(site.markdown(getattr(item, field.name)))
    return ""


def _people(item: Any) -> Iterator[Person]:
    if "authors" in item._meta.by_name:
        for author in item.authors.all():
            yield Person(name=str(author), email=getattr(author, "email", "") or "")
    elif "author" in item._meta.by_name and item.author is not None:
        yield Person(name=str(item.author), email=getattr(item.author, "email", "") or "")


def _categories(item: Any) -> Iterator[str]:
    if "section" in item._meta.by_name and item.section is not None:
        yield str(item.section)
    if "tags" in item._meta.by_name:
        yield from (str(tag) for tag in item.tags.all())


# sitemaps


def render_sitemap(scope: Scope, work: Work) -> tuple[bytes, Attachments]:
    """The sitemap (an index, when there are parts), and its parts."""
    site, route = scope.site, work.route
    base = site.settings.base_url.rstrip("/")
    urls = iter_sitemap_urls(scope, work, base)
    if route.options.get("news"):
        end = read_clock("minute") + timedelta(minutes=1)  # stories grow too old without any row changing
        files = list(write_news_sitemaps(urls, base_url=base, path=route.path, moment=end))
    else:
        files = list(write_sitemaps(urls, base_url=base, path=route.path))
    bodies = dict(files)
    main = bodies.pop(route.path)
    return main, tuple(bodies.items())


def iter_sitemap_urls(scope: Scope, work: Work, base: str) -> Iterator[SitemapURL]:
    """Every page that search engines should know, with its editions and its real date of change."""
    only_news = bool(work.route.options.get("news"))
    for route, locale in work.plan.routes():
        if route.sitemap is None or (only_news and not isinstance(route.sitemap, News)):
            continue
        unit = work.plan.unit(route, locale)
        if scope.trace is not None:
            scope.trace.record("plan", (route.id, locale), unit.digest)
        yield from _unit_urls(scope, work, unit, base)


def _unit_urls(scope: Scope, work: Work, unit: Unit, base: str) -> Iterator[SitemapURL]:
    route = unit.route
    others = [(locale, _noted_unit(scope, work, route, locale)) for locale in scope.site.route_locales(route)]
    subjects = _subjects(scope, work, unit)
    for item in unit.planned:
        editions = {locale: base + o.by_key[item.key].url for locale, o in others if item.key in o.by_key}
        alternates = hreflang_alternates(editions, default=scope.default_locale)
        yield from _item_urls(scope, route, unit.locale, item, base, subjects.get(item.key), alternates)
    if isinstance(subjects, LeanRows):
        subjects.note(scope)


def _noted_unit(scope: Scope, work: Work, route: Route, locale: str) -> Unit:
    unit = work.plan.unit(route, locale)
    if scope.trace is not None:
        scope.trace.record("plan", (route.id, locale), unit.digest)
    return unit


def _item_urls(
    scope: Scope,
    route: Route,
    locale: str,
    item: Planned,
    base: str,
    subject: Any,
    alternates: tuple[tuple[str, str], ...],
) -> Iterator[SitemapURL]:
    sitemap = route.sitemap
    for number in range(1, item.pages + 1):
        editions = alternates if number == 1 else ()
        loc = base + route.page_url(item.url, number)
        if sitemap is True or subject is None:
            yield SitemapURL(loc, None, editions)
            continue
        url = sitemap.make_url(
            subject, loc, alternates=editions, resolve_image=lambda path: urljoin(f"{base}/", scope.site.asset(path))
        )
        if isinstance(sitemap, News):
            news = sitemap.make_news(subject, publication=scope.site.settings.title, language=locale)
            url = replace(url, news=news)
        yield url


def _subjects(scope: Scope, work: Work, unit: Unit) -> dict[Any, Any]:
    """By key, what the sitemap's declaration needs of each subject; empty when it needs nothing."""
    route = unit.route
    sitemap = route.sitemap
    if sitemap is True or route.each is None or not sitemap.fields:
        return {}
    plain = route.model is not None and all(_is_field(route.model, name) for name in sitemap.fields)
    if not plain and route.model is not None and LeanRows.suits(route):
        return LeanRows(work.plan, route, unit.locale, scope)
    with entered(work.plan.scope(unit.locale, scope.trace)):
        if not plain:
            return load_subjects(route, [item.key for item in unit.planned])
        names = sitemap.fields
        rows = route.each.values_list("pk", *names)
        return {key: FieldValues(dict(zip(names, values, strict=True))) for key, *values in rows}


def _is_field(model: Any, name: str) -> bool:
    """Whether the database has it, rather than a property of the class."""
    return name.partition("__")[0] in model._meta.by_name


class FieldValues:
    """Values by field name, as attributes; ``section__updated`` is found as ``.section.updated``."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        below = {
            key.removeprefix(f"{name}__"): value for key, value in self._values.items() if key.startswith(f"{name}__")
        }
        if not below:
            raise AttributeError(name)
        return FieldValues(below)


def render_robots(scope: Scope, work: Work) -> bytes:
    """robots.txt: everything to everybody on the public site, nothing on a preview."""
    site = scope.site
    base = site.settings.base_url.rstrip("/")
    sitemaps = [base + route.path for route in site.routes if route.kind == "sitemap"]
    preview = scope.viewer.name == "preview"
    return write_robots(sitemaps=[] if preview else sitemaps, allow_all=not preview).encode()
