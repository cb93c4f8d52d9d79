"""Reading all pages of a build, by several processes: what each has to itself, and what only all together show.

Pages stream through: a page's tree is gone before the next is read, and of all pages only this is kept: where links
lead, which fragments they want, editions, and stand-ins for titles and descriptions.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from toolkit.builder.records import PageRecord
from toolkit.checks.built import HTML, Built
from toolkit.checks.documents import Document, read_document
from toolkit.checks.findings import Finding
from toolkit.checks.links import LinkReader, Wanted
from toolkit.checks.pages import check_document
from toolkit.checks.weights import Scales
from toolkit.cores import usable_cores
from toolkit.errors import BuildError
from toolkit.trace import digest

BATCH = 50
"""Pages that a process reads at a time."""

FEW_PAGES = 200
"""Up to so many pages, forking costs more than it saves."""

Progress = Callable[[int, int], None]


class Edition(NamedTuple):
    """What a page says of the editions of it.

    Args:
        url: Its URL path.
        language: Its own language, as its ``<html>`` says.
        alternates: (hreflang, URL) of all that it names.
    """

    url: str
    language: str
    alternates: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Sheet:
    """What one page tells.

    Attributes:
        page: Its URL path, its file and its locale.
        findings: What is wrong with it by itself.
        linked: Files that it links to.
        wanted: Fragments of other pages that it links to.
        external: (URL, line) of its links to other hosts.
        edition: What it says of its editions.
        title: Its title; empty for an error page, or one that search engines should not keep.
        description: The same of its description.
        is_indexable: Whether search engines may keep it.
        listing: What it is a further page of, if it is one.
    """

    page: tuple[str, str, str]
    findings: list[Finding]
    linked: frozenset[str]
    wanted: list[Wanted]
    external: list[tuple[str, int]]
    edition: Edition
    title: str
    description: str
    is_indexable: bool
    listing: str


@dataclass
class Survey:
    """What all pages tell together.

    Attributes:
        linked: Files that some other page links to.
        wanted: File to the fragments of it that are linked to, each with the first link and how many there are.
        external: URL of another host to the first link to it, and how many there are.
        editions: File to what the page says of its editions.
        hidden: Files of pages that search engines should not keep.
        titles: Stands for (locale, title) to the first page with it, and how many more there are.
        descriptions: The same of descriptions.
    """

    linked: set[str] = field(default_factory=set)
    wanted: dict[str, dict[str, tuple[Wanted, int]]] = field(default_factory=dict)
    external: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    editions: dict[str, Edition] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    titles: dict[bytes, list[str]] = field(default_factory=dict)
    descriptions: dict[bytes, list[str]] = field(default_factory=dict)

    def add(self, sheet: Sheet) -> None:
        """Take up what a page tells."""
        url, path, locale = sheet.page
        self.linked |= sheet.linked - {path}
        for one in sheet.wanted:
            known = self.wanted.setdefault(one.path, {})
            first, count = known.get(one.fragment, (one, 0))
            known[one.fragment] = (first, count + 1)
        for found, line in sheet.external:
            where, at, count = self.external.get(found, (url, line, 0))
            self.external[found] = (where, at, count + 1)
        self.editions[path] = sheet.edition
        if not sheet.is_indexable:
            self.hidden.add(path)
        _note(self.titles, locale, sheet.title, sheet.listing, url)
        _note(self.descriptions, locale, sheet.description, sheet.listing, url)


def _note(known: dict[bytes, list[str]], locale: str, text: str, listing: str, url: str) -> None:
    """Note whose text this is; the further pages of a listing may repeat its title."""
    if text:
        pages = known.setdefault(digest([locale, text]), [])
        if listing and listing in pages:
            return
        pages.append(listing or url)


def survey_pages(
    built: Built, survey: Survey, *, workers: int | None = None, progress: Progress | None = None
) -> Iterator[Finding]:
    """Read every page that is HTML.

    Args:
        built: The build.
        survey: Is told what only all pages together show.
        workers: Processes; one for each core by default.
        progress: Told (done, total).

    Yields:
        What is wrong with single pages, in the order of pages.
    """
    pages = [page for page in built.pages if page.content_type.startswith(HTML)]
    done = 0
    for sheets in _read(built, pages, workers or usable_cores()):
        for sheet in sheets:
            survey.add(sheet)
            yield from sheet.findings
        done += len(sheets)
        if progress is not None:
            progress(done, len(pages))


def _read(built: Built, pages: Sequence[PageRecord], workers: int) -> Iterator[list[Sheet]]:
    reader = SheetReader(built)
    if workers == 1 or len(pages) <= FEW_PAGES:
        for page in pages:
            yield [reader.read(page)]
        return
    _here.reader, _here.pages = reader, pages
    starts = range(0, len(pages), BATCH)
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"))
    try:
        waiting: deque[Future[list[Sheet]]] = deque()
        for start in starts:
            waiting.append(pool.submit(_read_batch, start))
            if len(waiting) > workers * 3:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        _here.reader = None


@dataclass
class _Here:
    """What the processes inherit."""

    reader: SheetReader | None = None
    pages: Sequence[PageRecord] = ()


def _read_batch(start: int) -> list[Sheet]:
    reader = _here.reader
    if reader is None:
        raise BuildError("a process was asked to read files before it was set up")
    return [reader.read(page) for page in _here.pages[start : start + BATCH]]


class SheetReader:
    """Reads pages of one build.

    Args:
        built: The build.
    """

    def __init__(self, built: Built) -> None:
        self.built = built
        self.links = LinkReader(built)
        self.scales = Scales(built)

    def read(self, page: PageRecord) -> Sheet:
        """Read one page."""
        built = self.built
        document = read_document(built.read(page.path), url=page.url, path=page.path, served_at=built.public(page.url))
        links = self.links.read(document)
        findings = [*check_document(built, document, page), *links.findings, *self.scales.check(document, page)]
        counts = document.is_indexable and page.status == 200
        edition = Edition(document.url, document.language, tuple(document.alternates))
        return Sheet(
            (page.url, page.path, page.identity[2]),
            findings,
            links.linked,
            links.wanted,
            links.external,
            edition,
            document.titles[0] if counts and document.titles else "",
            document.description if counts else "",
            document.is_indexable,
            _listing(built, document, page),
        )


def _listing(built: Built, document: Document, page: PageRecord) -> str:
    route = built.route_of(page)
    if route is None or route.kind != "listing":
        return ""
    return document.url if page.identity[3] == 1 else document.url.rpartition("page/")[0]


_here = _Here()
