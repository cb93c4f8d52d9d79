"""A finished build, open for checking: its pages, its files, and what a URL leads to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from toolkit.builder import Builder, Manifest
from toolkit.builder.records import FileRecord, PageRecord
from toolkit.checks.documents import parse, read_ids
from toolkit.errors import BuildError
from toolkit.pages.patterns import output_path

HTML = "text/html"
_IGNORED_SCHEMES = ("mailto:", "tel:", "sms:", "data:", "javascript:", "about:", "blob:", "geo:", "webcal:")
_XML_ID = re.compile(r"""\bid\s*=\s*["']([^"']+)["']""")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL of the site leads.

    Args:
        url: The URL path, without query and fragment.
        fragment: As it is written, without the ``#``.
        path: The file, below the output folder.
    """

    url: str
    fragment: str
    path: str


class Built:
    """A build.

    Args:
        site: The site.
        output: The folder it was built to.

    Raises:
        BuildError: There is no build there.
    """

    def __init__(self, site: Any, output: Path) -> None:
        self.site = site
        self.output = output
        builder = Builder(site, output=output)
        if not builder.manifest_path.exists():
            raise BuildError(f"{output} was not built yet", hint="Run: toolkit build.")
        self.manifest_path = builder.manifest_path
        manifest = Manifest(self.manifest_path)
        try:
            self.pages: list[PageRecord] = list(manifest.pages().values())
            self.files: dict[str, FileRecord] = manifest.files()
            self.moment = manifest.moment
        finally:
            manifest.close()
        self.base_url: str = site.settings.peek("base_url").rstrip("/")
        self._base = urlsplit(self.base_url)
        self._resolved: dict[str, Target | None] = {}

    def read(self, path: str) -> bytes:
        """A built file; empty if it is not there, which another check tells."""
        try:
            return (self.output / path).read_bytes()
        except OSError:
            return b""

    @cached_property
    def page_of(self) -> dict[str, PageRecord]:
        """The pages, by file."""
        return {page.path: page for page in self.pages}

    def public(self, path: str) -> str:
        """A URL path from the site's own root as browsers know it."""
        found: str = self.site.public_path(path)
        return found

    def route_of(self, page: PageRecord) -> Any:
        """The route of a page, or None."""
        return self.site.routes_by_id.get(page.identity[0])

    # what a URL leads to

    def resolve(self, url: str, base: str) -> Target | None:
        """Where a URL leads within the site; None if it leads out of it.

        Args:
            url: As written in a page.
            base: The URL path of that page as browsers know it (see ``public``), or what its ``<base>`` says.
        """
        fixed = base.startswith("/") and not base.startswith("//") and url.startswith(("/", "http://", "https://"))
        if fixed and url in self._resolved:
            return self._resolved[url]
        found = self._resolve(url, base)
        if fixed:
            self._resolved[url] = found
        return found

    def _resolve(self, url: str, base: str) -> Target | None:
        if url.lower().startswith(_IGNORED_SCHEMES):
            return None
        try:
            inside = self._without_base(urljoin(base, url))
            parts = urlsplit(inside or "")
        except ValueError:  # http://[::1
            return Target(url, "", "")
        if inside is None:
            return None
        path = parts.path or "/"
        return Target(path, parts.fragment, output_path(path))

    def _without_base(self, url: str) -> str | None:
        """A URL from the site's own root; None if it is of another site."""
        parts = urlsplit(url)
        has_host = parts.scheme or parts.netloc
        if has_host and (parts.netloc != self._base.netloc or parts.scheme not in ("", "http", "https")):
            return None
        prefix = self._base.path.rstrip("/")
        if prefix and parts.path != prefix and not parts.path.startswith(f"{prefix}/"):
            return None
        return parts._replace(scheme="", netloc="", path=parts.path[len(prefix) :] or "/").geturl()

    def has_file(self, path: str) -> bool:
        """Whether the build has this file."""
        return path in self.files

    def redirect_to(self, target: Target) -> str:
        """The URL that a host would redirect this one to; empty if to none."""
        record = self.files.get(target.path)
        if record is not None and record.owner == "redirect":
            found = re.search(rb'http-equiv="refresh" content="0; url=([^"]+)"', self.read(target.path))
            return unescape(found[1].decode()) if found else ""
        if not target.url.endswith("/") and f"{target.path}/index.html" in self.files:
            return f"{target.url}/"
        return ""

    def is_view(self, url: str) -> bool:
        """Whether only the server answers this URL."""
        path = unquote(url)
        return any(
            self.site.pattern(route, locale).match(path) is not None
            for route in self.site.routes
            if route.kind == "view"
            for locale in self.site.route_locales(route)
        )

    def ids_of(self, path: str) -> frozenset[str] | None:
        """The ids in a file; None if it is no kind of file that has any."""
        if path.endswith(".html"):
            return frozenset(read_ids(parse(self.read(path)))[0])
        if path.endswith((".svg", ".xml")):
            return frozenset(_XML_ID.findall(self.read(path).decode("utf-8", "replace")))
        return None

    def stylesheets(self) -> Iterator[tuple[str, str]]:
        """(file, text) of the stylesheets."""
        for path in sorted(self.files):
            if path.endswith(".css"):
                yield path, self.read(path).decode("utf-8", "replace")
