"""The other files of a build: feeds, sitemaps, and all files as such."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from toolkit.builder.records import PageRecord
from toolkit.checks.built import Built
from toolkit.checks.findings import Finding
from toolkit.checks.survey import Survey
from toolkit.feeds.validation import validate
from toolkit.http.compression import is_compressed
from toolkit.pages.patterns import folded_path
from toolkit.trace import digest_bytes

_SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_MOST_URLS = 50_000
_MOST_BYTES = 50 * 1024 * 1024
"""Source: sitemaps.org, "Sitemap file limits"."""
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?")
"""Source: W3C, "Date and Time Formats"."""


def check_feeds(built: Built) -> Iterator[Finding]:
    """Every feed, by the rules of its format."""
    for page in built.pages:
        route = built.route_of(page)
        if route is not None and route.kind == "feed":
            for problem in validate(built.read(page.path)):
                yield Finding("feeds.invalid", problem, url=page.url)


def check_sitemaps(built: Built, survey: Survey) -> Iterator[Finding]:
    """The sitemaps name the public pages that search engines may keep: all of them, and nothing else."""
    for page in built.pages:
        route = built.route_of(page)
        if route is not None and route.kind == "sitemap":
            yield from _check_sitemap(built, survey, page, news=bool(route.options.get("news")))


def _check_sitemap(built: Built, survey: Survey, page: PageRecord, *, news: bool) -> Iterator[Finding]:
    named: set[str] = set()
    paths = [path for path in (page.path, *page.attachments) if not is_compressed(path, built.files)]
    for path in paths:
        body = built.read(path)
        try:
            root = _parse_sitemap(body)
        except ValueError as error:
            yield Finding("sitemap.invalid", f"{path}: {error}", url=page.url)
            continue
        for problem in _rules(root, len(body)):
            yield Finding("sitemap.invalid", f"{path}: {problem}", url=page.url)
        named |= {(found.text or "").strip() for child in root for found in child.iterfind(f"{_SITEMAP}loc")}
    parts = {f"{built.base_url}/{path}" for path in paths[1:]}
    wanted = {f"{built.base_url}{one.url}" for one in built.pages if _belongs(built, survey, one)}
    for url in sorted(named - parts - wanted):
        yield Finding("sitemap.extra", f"it names {unquote(url)}, {_why_not(built, survey, url)}", url=page.url)
    for url in sorted(wanted - named) if not news else ():
        hint = "Say sitemap=False at its route if it is to be left out."
        yield Finding("sitemap.missing", f"{unquote(url)} is not in it", url=page.url, hint=hint)


def _belongs(built: Built, survey: Survey, page: PageRecord) -> bool:
    route = built.route_of(page)
    return route is not None and route.sitemap is not None and page.status == 200 and page.path not in survey.hidden


def _why_not(built: Built, survey: Survey, url: str) -> str:
    target = built.resolve(url, "/")
    page = built.page_of.get(target.path) if target is not None else None
    if page is None:
        return "which is no page"
    return "which tells robots not to index it" if page.path in survey.hidden else "which is to be left out"


def _parse_sitemap(body: bytes) -> Any:
    """The root of a sitemap, or of an index of sitemaps."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root: Any = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"this is not XML: {error.msg}") from error
    if root.tag not in (f"{_SITEMAP}urlset", f"{_SITEMAP}sitemapindex"):
        raise ValueError(f"<{root.tag}> begins no sitemap")
    return root


def _rules(root: Any, size: int) -> Iterator[str]:
    """What breaks the protocol."""
    if len(root) > _MOST_URLS:
        yield f"it names {len(root):,} URLs, and may name {_MOST_URLS:,}"
    if size > _MOST_BYTES:
        yield f"it has {size:,} bytes, and may have {_MOST_BYTES:,}"
    for found in root.iter(f"{_SITEMAP}lastmod"):
        if not _DATE.fullmatch((found.text or "").strip()):
            yield f"lastmod {(found.text or '')[:40]!r} is no date, such as 2026-03-01"
            return


def check_files(built: Built) -> Iterator[Finding]:
    """The files are as the build left them, and no two are one to a file system that ignores case."""
    for path, record in sorted(built.files.items()):
        try:
            body = (built.output / path).read_bytes()
        except OSError:
            yield Finding("files.changed", "the file is not there", path=str(built.output / path), hint="Build again.")
            continue
        if digest_bytes(body) != record.digest:
            message = "the file is not as the build left it"
            yield Finding("files.changed", message, path=str(built.output / path), hint="Build again.")
    taken: dict[str, str] = {}
    for path in sorted(
        found.relative_to(built.output).as_posix() for found in built.output.rglob("*") if found.is_file()
    ):
        other = taken.setdefault(folded_path(path), path)
        if other != path:
            message = f"{other} and {path} are one file where case or Unicode form is not told apart"
            yield Finding("files.case", message, path=str(built.output / path), hint="Rename one of them.")
