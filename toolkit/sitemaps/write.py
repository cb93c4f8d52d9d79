"""Sitemaps as files, split where the protocol says they must be."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import Any

from toolkit.errors import RouteError
from toolkit.sitemaps.urls import NewsItem, SitemapURL, checked_loc, format_w3c
from toolkit.text import escape_html, xml_text

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"
IMAGE = "http://www.google.com/schemas/sitemap-image/1.1"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"

MOST_URLS = 50_000
MOST_BYTES = 50 * 1024 * 1024

_NAMESPACES = {None: SITEMAP, "xhtml": XHTML, "image": IMAGE}
_MOST_PARTS = 50_000
_PLAIN = re.compile(r"[A-Za-z0-9._~/:-]+")
_HEAD_BYTES = 512  # declaration, root element with its namespaces, end tag
_URL_BYTES = len(
    "<url><loc></loc><lastmod>2026-03-01T08:00:00+00:00</lastmod>"
    "<changefreq>monthly</changefreq><priority>0.0</priority></url>\n"
)
_IMAGE_BYTES = len("<image:image><image:loc></image:loc></image:image>")
_LINK_BYTES = len('<xhtml:link rel="alternate" hreflang="" href=""></xhtml:link>')
_NEWS_BYTES = len(
    "<news:news><news:publication><news:name></news:name><news:language></news:language></news:publication>"
    "<news:publication_date>2026-03-01T08:00:00+00:00</news:publication_date><news:title></news:title></news:news>"
)


def write_sitemaps(
    urls: Iterable[SitemapURL],
    *,
    base_url: str,
    path: str = "/sitemap.xml",
    limit: int = MOST_URLS,
    max_bytes: int = MOST_BYTES,
) -> Iterator[tuple[str, bytes]]:
    """A site's sitemap: one file, or an index at ``path`` with parts beside it (``/sitemap-1.xml``).

    Reads and writes as a stream: two parts are in memory at most. The same URLs in the same order always give
    the same files. What ``news`` says is left to ``write_news_sitemaps``, so that these files do not change
    when a story is no longer new.

    Args:
        urls: The pages, in the order they shall have.
        base_url: The site's absolute URL, for the index.
        path: Where the sitemap, or the index, is published.
        limit: URLs in one file.
        max_bytes: Bytes of one file, uncompressed.

    Yields:
        (path, body) of each file, the index last.

    Raises:
        RouteError: A URL is relative, is listed twice, is too long or has a date without time zone.

    Source: sitemaps.org/protocol.html.
    """
    yield from write_parts(
        urls, _NAMESPACES, with_news=False, base_url=base_url, path=path, limit=limit, max_bytes=max_bytes
    )


def write_parts(
    urls: Iterable[SitemapURL],
    namespaces: Mapping[str | None, str],
    *,
    with_news: bool,
    base_url: str,
    path: str,
    limit: int,
    max_bytes: int,
) -> Iterator[tuple[str, bytes]]:
    """Both kinds of sitemap; see ``write_sitemaps``."""
    part = _Part(namespaces, with_news=with_news)
    written: list[tuple[str, str]] = []  # URL and lastmod of each part
    seen: set[str] = set()
    for url in urls:
        if url.loc in seen:
            raise RouteError("this URL is listed twice in the sitemap", url=url.loc)
        seen.add(url.loc)
        size = _most_bytes(url)
        if part.count == limit or (part.count and part.size + size > max_bytes):
            name = _part_path(path, len(written) + 1)
            written.append((_join(base_url, name), part.lastmod))
            yield name, part.finish()
            part = _Part(namespaces, with_news=with_news)
        part.add(url, size)
    if not written:
        yield path, part.finish()
        return
    name = _part_path(path, len(written) + 1)
    written.append((_join(base_url, name), part.lastmod))
    yield name, part.finish()
    yield path, _write_index(written)


class _Part:
    """One file, being written.

    Attributes:
        count: URLs in it.
        size: At most so many bytes.
        lastmod: The newest of its URLs' dates, or nothing.
    """

    def __init__(self, namespaces: Mapping[str | None, str], *, with_news: bool) -> None:
        from lxml import etree

        self.count = 0
        self.size = _HEAD_BYTES
        self.lastmod = ""
        self._with_news = with_news
        self._body = io.BytesIO()
        self._open = ExitStack()
        self._file: Any = self._open.enter_context(etree.xmlfile(self._body, encoding="UTF-8"))
        self._file.write_declaration()
        self._open.enter_context(self._file.element(f"{{{SITEMAP}}}urlset", nsmap=dict(namespaces)))
        self._file.write("\n")

    def add(self, url: SitemapURL, size: int) -> None:
        """Write one URL, of at most so many bytes. Elements are in the order of sitemap.xsd."""
        file = self._file
        with file.element(f"{{{SITEMAP}}}url"):
            self._text(SITEMAP, "loc", checked_loc(url.loc, "loc", url.loc))
            if url.lastmod is not None:
                lastmod = format_w3c(url.lastmod, url.loc)
                self.lastmod = max(self.lastmod, lastmod)
                self._text(SITEMAP, "lastmod", lastmod)
            if url.changefreq is not None:
                self._text(SITEMAP, "changefreq", url.changefreq)
            if url.priority is not None:
                self._text(SITEMAP, "priority", f"{url.priority:.1f}")
            self._extensions(url)
        file.write("\n")
        self.count += 1
        self.size += size

    def _extensions(self, url: SitemapURL) -> None:
        if self._with_news and url.news is not None:
            self._news(url.news, url.loc)
            return
        for image in url.images:
            with self._file.element(f"{{{IMAGE}}}image"):
                self._text(IMAGE, "loc", checked_loc(image, "image", url.loc))
        for hreflang, href in url.alternates:
            alternate = checked_loc(href, f"alternate {hreflang}", url.loc)
            attributes = {"rel": "alternate", "hreflang": hreflang, "href": alternate}
            with self._file.element(f"{{{XHTML}}}link", attributes):
                pass

    def _news(self, news: NewsItem, page: str) -> None:
        with self._file.element(f"{{{NEWS}}}news"):
            with self._file.element(f"{{{NEWS}}}publication"):
                self._text(NEWS, "name", xml_text(news.publication))
                self._text(NEWS, "language", news.language.replace("_", "-"))
            self._text(NEWS, "publication_date", format_w3c(news.published, page))
            self._text(NEWS, "title", " ".join(xml_text(news.title).split()))

    def _text(self, namespace: str, name: str, text: str) -> None:
        with self._file.element(f"{{{namespace}}}{name}"):
            self._file.write(text)

    def finish(self) -> bytes:
        """Close the file and return it."""
        self._open.close()
        return self._body.getvalue() + b"\n"


def _write_index(parts: list[tuple[str, str]]) -> bytes:
    from lxml import etree

    if len(parts) > _MOST_PARTS:
        raise RouteError(f"the sitemap has {len(parts)} parts, an index allows {_MOST_PARTS}")
    body = io.BytesIO()
    with etree.xmlfile(body, encoding="UTF-8") as file:
        file.write_declaration()
        with file.element(f"{{{SITEMAP}}}sitemapindex", nsmap={None: SITEMAP}):
            file.write("\n")
            for url, lastmod in parts:
                with file.element(f"{{{SITEMAP}}}sitemap"):
                    with file.element(f"{{{SITEMAP}}}loc"):
                        file.write(url)
                    if lastmod:
                        with file.element(f"{{{SITEMAP}}}lastmod"):
                            file.write(lastmod)
                file.write("\n")
    return body.getvalue() + b"\n"


def _most_bytes(url: SitemapURL) -> int:
    """At most so many bytes, from its own data: where files are split must not depend on the serializer."""
    size = _URL_BYTES + _most_uri_bytes(url.loc)
    for image in url.images:
        size += _IMAGE_BYTES + _most_uri_bytes(image)
    for hreflang, href in url.alternates:
        size += _LINK_BYTES + len(hreflang) + _most_uri_bytes(href)
    if url.news is not None:
        text = url.news.title + url.news.publication + url.news.language
        size += _NEWS_BYTES + len(escape_html(text).encode(errors="replace"))
    return size


def _most_uri_bytes(uri: str) -> int:
    """Of a plain URI its length; of others what percent-encoding all of it would take, or Punycode."""
    if _PLAIN.fullmatch(uri):
        return len(uri)
    return 12 * len(uri)  # four UTF-8 bytes of three characters each, at worst


def _part_path(path: str, number: int) -> str:
    suffix = PurePosixPath(path).suffix
    return f"{path[: len(path) - len(suffix)]}-{number}{suffix}"


def _join(base_url: str, path: str) -> str:
    return checked_loc(base_url.rstrip("/") + path, "base_url", base_url)
