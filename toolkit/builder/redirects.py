"""The redirects of a build: of moved pages, of aliases, and those that people wrote down; each straight to its end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from toolkit.builder.history import free_redirects, redirect_page
from toolkit.pages.patterns import output_path
from toolkit.site.redirects import Redirect, collapsed
from toolkit.text import below

MOVED, ALIAS = "moved", "alias"


class BuildRedirects:
    """All redirects of a site at one moment.

    Args:
        site: A prepared site.
        moved: Old URL to the one that the same page has now.
        aliases: Alias URL to the page's.
        paths: Files that the site publishes.
        written: What people wrote down; without it the site is asked.
        moment: The build's.
        base_path: The path below which the site is published; without it the site is asked.

    Raises:
        Problems: The file of redirects has rows that cannot stand, or some lead round in a circle.
    """

    def __init__(
        self,
        site: Any,
        *,
        moved: Mapping[str, str],
        aliases: Mapping[str, str],
        paths: Iterable[str],
        written: Sequence[Redirect] | None = None,
        moment: datetime | None = None,
        base_path: str | None = None,
    ) -> None:
        self.site = site
        self.base_path: str = site.base_path if base_path is None else base_path
        self.moved = moved
        self.aliases = aliases
        self.paths = set(paths)
        self.written = site.redirects.read(moment).redirects if written is None else written
        taken = {one.source for one in self.written if not one.query}
        implied = [Redirect(url, target, where=ALIAS) for url, target in aliases.items() if url not in taken]
        taken |= aliases.keys()
        implied += [Redirect(url, target, where=MOVED) for url, target in moved.items() if url not in taken]
        self.all = collapsed([*self.written, *implied], self.is_published)

    def is_published(self, url: str) -> bool:
        """Whether a file of the site answers at an encoded path."""
        return output_path(url) in self.paths

    def files(self) -> dict[str, str]:
        """URL to target of the redirects that can be files: of single pages, where no other file is."""
        plain = {one.source: one.target for one in self.all if not (one.is_prefix or one.query) and one.target}
        wanted = {url: target for url, target in plain.items() if url not in self.aliases}
        found = free_redirects(wanted, self.paths)
        return {**found, **{url: plain.get(url, target) for url, target in self.aliases.items()}}

    def page(self, target: str) -> bytes:
        """The HTML that leads browsers to a target."""
        return redirect_page(below(self.base_path, target))

    def notices(self) -> list[str]:
        """Redirects that never happen, or lead nowhere."""
        found = []
        for one in self.written:
            if not one.is_prefix and not one.query and self.is_published(one.source):
                found.append(f"{one.where}: {one.source} is published, so it redirects nobody")
        for one in self.all:
            target = one.target.partition("#")[0].partition("?")[0]
            if one.where in (MOVED, ALIAS) or one.is_external or one.is_prefix or not target:
                continue
            if not self.is_published(target) and not self._is_view(target):
                found.append(f"{one.where}: {one.source} leads to {one.target}, where nothing is published")
        return found

    def _is_view(self, url: str) -> bool:
        views = [route for route in self.site.routes if route.kind == "view"]
        path = unquote(url)
        return any(
            self.site.pattern(route, locale).match(path) is not None
            for route in views
            for locale in self.site.route_locales(route)
        )

    def told(self) -> dict[str, Any]:
        """What they are made of, for whoever merges shards."""
        written = [astuple(one) for one in self.written]
        return {"moved": self.moved, "aliases": self.aliases, "written": written, "base_path": self.base_path}

    def meta(self) -> dict[str, str]:
        """What the manifest keeps, for deploys."""
        files = {output_path(url): target for url, target in self.files().items()}
        return {
            "redirects": json.dumps([astuple(one) for one in self.all], ensure_ascii=False),
            "redirect_files": json.dumps(files, ensure_ascii=False),
        }
