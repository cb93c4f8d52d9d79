"""Reading the manifest of the last build: what pages are there, and what they read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from toolkit.builder.manifest import Manifest, PageRecord, decode_key
from toolkit.builder.targets import FolderTarget
from toolkit.errors import BuildError, NotFound, did_you_mean

Input = tuple[str, tuple[Any, ...]]
_CHUNK = 500


@contextmanager
def open_manifest(site: Any, output: Path | None = None) -> Iterator[Manifest]:
    """The manifest of the site's last build.

    Args:
        site: A prepared site.
        output: Another output folder than the site's.

    Raises:
        BuildError: There is none.
    """
    target = FolderTarget(output or site.folder / site.settings.peek("output"))
    if not target.manifest_path.exists():
        raise BuildError(f"{target.title} was not built yet", hint="Run: toolkit build.")
    manifest = Manifest(target.manifest_path, reading=True)
    try:
        yield manifest
    finally:
        manifest.close()


def inputs_of(manifest: Manifest, numbers: Iterable[int]) -> list[Input]:
    """(kind, key) of inputs by number; only these are read."""
    wanted = list(numbers)
    found: list[Input] = []
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        marks = ", ".join("?" * len(chunk))
        sql = f"SELECT kind, key FROM inputs WHERE id IN ({marks})"  # noqa: S608 - placeholders
        found += [(kind, decode_key(key)) for kind, key in manifest.connection.execute(sql, chunk)]
    return found


def url_path(site: Any, given: str) -> str:
    """What somebody typed, as the URL path of a page: a whole URL, a path, or the path of a built file."""
    base = site.settings.peek("base_url").rstrip("/")
    text = given.strip()
    if text.startswith(base):
        text = text[len(base) :]
    elif text.startswith(("http://", "https://")):
        text = urlsplit(text).path
    text = f"/{text.lstrip('/')}".removesuffix("index.html")
    return quote(unquote(text.partition("?")[0].partition("#")[0]), safe="/:@!$&'()*+,;=~-._")


def find_page(site: Any, manifest: Manifest, given: str) -> PageRecord:
    """The page that somebody named.

    Raises:
        NotFound: There is none; says what is there instead, or what may have been meant.
    """
    path = url_path(site, given)
    for url in (path, f"{path}/"):
        page = manifest.find_page(url)
        if page is not None:
            return page
    file = unquote(path).lstrip("/")
    sql = "SELECT owner FROM files WHERE path IN (?, ?)"
    owner = manifest.connection.execute(sql, (file, f"{file}index.html")).fetchone()
    if owner is not None:
        raise NotFound(f"{unquote(path)} is no page, but a file of the kind {owner[0]!r}")
    view = next((route for route in site.routes if route.kind == "view" and _matches(site, route, path)), None)
    if view is not None:
        raise NotFound(f"{unquote(path)} is answered by the view {view.id} ({view.where}); no build has it")
    urls = [unquote(row[0]) for row in manifest.connection.execute("SELECT url FROM pages")]
    hint = did_you_mean(unquote(path), _near_first(unquote(path), urls))
    raise NotFound(
        f"the last build has no page at {unquote(path)}", hint=hint or "Ask 'toolkit routes' for what there is."
    )


def _matches(site: Any, route: Any, path: str) -> bool:
    return any(site.pattern(route, locale).match(unquote(path)) is not None for locale in site.route_locales(route))


def _near_first(path: str, urls: list[str]) -> list[str]:
    """Comparing with ten thousand URLs takes a second; those that share a segment, or a length, will do."""
    if len(urls) <= 1000:
        return urls
    segments = {segment for segment in path.split("/") if segment}
    near = [url for url in urls if segments.intersection(url.split("/"))]
    return near[:2000] or [url for url in urls if abs(len(url) - len(path)) <= 2][:2000]
