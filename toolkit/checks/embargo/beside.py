"""The static files and renditions that hidden pages use, and no page that was published."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from toolkit.assets.places import places_of
from toolkit.errors import ToolkitError
from toolkit.server.cache import Entry
from toolkit.server.named import NamedFiles
from toolkit.server.pages import Pages
from toolkit.server.uses import ASSET, uses_of
from toolkit.site.verifying import file_digest
from toolkit.trace import ABSENT, PREVIEW, Trace


def files_of_hidden_pages(site: Any, pages: Iterable[str], published: Collection[str]) -> Iterator[str]:
    """URL paths of files that readers have no page for.

    The pages are rendered as an editor's preview shows them, which is also what would make a server know of their
    renditions. Files that templates name are the site's own, and nobody's secret.

    Args:
        site: The site.
        pages: URL paths (percent-decoded) of hidden pages.
        published: Paths of files that were built, below the output folder.
    """
    named, found = NamedFiles(site), dict[str, None]()
    for trace in _traces(site, pages):
        for kind, name in sorted(uses_of(site, trace)):
            if kind != ASSET:
                found.setdefault(f"{site.images.options.url_prefix}{quote(name)}")
            elif not named.has(name):
                found.setdefault(f"/{quote(site.assets.published(name)[0])}")
    yield from (url for url in found if url.lstrip("/") not in published)


def contents_of_hidden_pages(site: Any, pages: Iterable[str], published: Collection[bytes]) -> dict[bytes, str]:
    """Digest of each static file and image that hidden pages alone show, to its name.

    Args:
        site: The site.
        pages: URL paths (percent-decoded) of hidden pages.
        published: Digests of the assets that were built, because readers' pages need them.
    """
    named, found = NamedFiles(site), dict[bytes, str]()
    for trace in _traces(site, pages):
        for name, place in _sources(site, trace):
            value = file_digest(place)
            if value != ABSENT and value not in published and not named.has(name):
                found.setdefault(value, name)
    return found


def _traces(site: Any, pages: Iterable[str]) -> Iterator[Trace]:
    """What pages are made of for an editor; nothing of those that cannot be made."""
    preview = Pages(site, viewer=PREVIEW, preview=True)
    for path in pages:
        with suppress(ToolkitError):
            entry = preview.find(path)
            if isinstance(entry, Entry):
                yield entry.rendering.trace


def _sources(site: Any, trace: Trace) -> Iterator[tuple[str, Path]]:
    """The assets and images of a page, with the places of their files; those of file fields are found by their rows."""
    for (path,) in trace.keys_of("asset"):
        yield from ((path, place) for place in places_of(path, site.assets.folders))
    for kind, _, name, *_ in trace.keys_of("image"):
        if kind == "asset":
            yield from ((name, place) for place in places_of(name, site.assets.folders))
        elif kind != "stored":
            yield name, site.folder / name
