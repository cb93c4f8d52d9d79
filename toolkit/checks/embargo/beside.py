"""The static files and renditions that hidden pages use, and no page that was published."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from toolkit.errors import ToolkitError
from toolkit.server.cache import Entry
from toolkit.server.named import NamedFiles
from toolkit.server.pages import Pages
from toolkit.server.uses import ASSET, uses_of
from toolkit.trace import PREVIEW


def files_of_hidden_pages(site: Any, pages: Iterable[str], published: Collection[str]) -> Iterator[str]:
    """URL paths of files that readers have no page for.

    The pages are rendered as an editor's preview shows them, which is also what would make a server know of their
    renditions. Files that templates name are the site's own, and nobody's secret.

    Args:
        site: The site.
        pages: URL paths (percent-decoded) of hidden pages.
        published: Paths of files that were built, below the output folder.
    """
    preview, named = Pages(site, viewer=PREVIEW, preview=True), NamedFiles(site)
    found: dict[str, None] = {}
    for path in pages:
        with suppress(ToolkitError):  # what cannot be rendered shows nothing
            entry = preview.find(path)
            if isinstance(entry, Entry):
                for kind, name in sorted(uses_of(site, entry.rendering.trace)):
                    if kind != ASSET:
                        found.setdefault(f"{site.images.options.url_prefix}{quote(name)}")
                    elif not named.has(name):
                        found.setdefault(f"/{quote(site.assets.published(name)[0])}")
    yield from (url for url in found if url.lstrip("/") not in published)
