"""Where what is wrong in a built page was written: in a content file, or in a template that made the page.

A built page stands in no repository, so a finding in it is shown beside nobody's change. The trace knows the templates,
and the database the file that gave the page's row; in these the text of the finding is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from html import escape, unescape
from pathlib import Path, PurePosixPath
from typing import Any

from toolkit.builder import Manifest
from toolkit.builder.records import PageRecord
from toolkit.checks.built import Built
from toolkit.checks.findings import Finding
from toolkit.content.sharing import find_givers
from toolkit.pages.subjects import plain_key
from toolkit.site.images import SUFFIXES
from toolkit.trace import entered

_OF_TEMPLATES = ("canonical.", "hreflang.", "weight.", "html.lang", "html.dir", "html.title", "html.json-ld", "parity.")
"""Findings about what no text of a row brings along."""

_FINGERPRINT = re.compile(r"\.[0-9a-f]{12}(?=\.)")
_WORDS = re.compile(r"""(?:href|src|id|name|alt)\s*=\s*(?:"([^"]+)"|'([^']+)')|>([^<>]{4,})<|^([^<>]{4,})$""")


class Origins:
    """Finds the sources of findings.

    Args:
        built: The build in which they were found.
    """

    def __init__(self, built: Built) -> None:
        self.built = built
        self._texts: dict[Path, list[str]] = {}
        self._givers: dict[str, dict[Any, str]] = {}

    def told(self, findings: Iterable[Finding]) -> list[Finding]:
        """The same findings; those in built pages say where that was written, as far as it can be known."""
        return [self._told(finding) if finding.is_in_output else finding for finding in findings]

    def _told(self, finding: Finding) -> Finding:
        page = self._pages.get(finding.url or "")
        if page is None:
            return finding
        templates = list(self._templates_of(page))
        content = [] if finding.id.startswith(_OF_TEMPLATES) else list(self._content_of(page))
        places = [*templates, *content] if finding.others else [*content, *templates]
        for words in self._words(finding, page):
            for place in places:
                line = self._line(place, words)
                if line:
                    hint = self._beside(finding, place) or finding.hint
                    return replace(finding, source=str(place), source_line=line, hint=hint)
        return replace(finding, source=str(places[0])) if places else finding

    @cached_property
    def _pages(self) -> dict[str, PageRecord]:
        return {page.url: page for page in self.built.pages}

    def _beside(self, finding: Finding, place: Path) -> str | None:
        """How an image that lies beside the content file is named: from the folder of the source."""
        site = self.built.site
        if finding.id != "assets.missing" or not finding.written or not place.is_relative_to(site.folder):
            return None
        file = (place.parent / finding.written).resolve()
        if file.suffix.lower() not in SUFFIXES or not file.is_file():
            return None
        folders = [site.folder.resolve() / source.folder for app in site.apps for source in app.sources]
        names = [file.relative_to(folder) for folder in folders if file.is_relative_to(folder)]
        return f"It lies in a folder below that of the source: write {names[0].as_posix()}." if names else None

    # where it may have been written

    def _templates_of(self, page: PageRecord) -> Iterator[Path]:
        """The site's own templates that the page was made of, that of its route first."""
        route, folders = self.built.route_of(page), self.built.site.environment.folders
        names = [self._templates[number] for number in page.inputs if number in self._templates]
        own = [route.template] if route is not None and route.template in names else []
        for name in dict.fromkeys([*own, *names]):
            source = folders.read(name)
            if source is not None and source.path.is_relative_to(self.built.site.folder):
                yield source.path

    @cached_property
    def _templates(self) -> dict[int, str]:
        manifest = Manifest(self.built.manifest_path)
        try:
            return {number: str(key[0]) for number, (_, key, _) in manifest.inputs(kinds={"template"}).items()}
        finally:
            manifest.close()

    def _content_of(self, page: PageRecord) -> Iterator[Path]:
        """The file that gave the page's row and no other, its translation first."""
        route = self.built.route_of(page)
        if route is None or route.model is None:
            return
        given = self._files_of(route.model).get(page.identity[1])
        if given is not None:
            path = PurePosixPath(given)
            for name in (path.with_suffix(f".{page.identity[2]}{path.suffix}"), path):
                if (self.built.site.folder / name).is_file():
                    yield self.built.site.folder / name

    def _files_of(self, model: Any) -> dict[Any, str]:
        """Key of a row to its file, where that has no other row: of a table's file nobody knows which line."""
        label = model._meta.label
        if label not in self._givers:
            with entered(self.built.site.scope()) as scope:
                givers = find_givers(scope.database, model)
            paths = [giver.path for giver in givers.values()]
            alone = {path for path in paths if paths.count(path) == 1} if len(set(paths)) < len(paths) else set(paths)
            self._givers[label] = {plain_key(pk): one.path for pk, one in givers.items() if one.path in alone}
        return self._givers[label]

    # what is looked for

    def _words(self, finding: Finding, page: PageRecord) -> Iterator[str]:
        """What may stand in the source as it does in the page, and is what the finding is about; the longest first."""
        if finding.written:
            yield self._as_given(finding.written)
        lines = self._read(self.built.output / page.path)
        line = lines[finding.line - 1] if finding.line and finding.line <= len(lines) else ""
        found = ("".join(match.groups("")).strip() for match in _WORDS.finditer(line.strip()))
        named = {unescape(words) for words in found if len(words) > 3 and words in finding.message}
        yield from map(self._as_given, sorted(named, key=lambda words: (-len(words), words)))

    def _as_given(self, url: str) -> str:
        """The path that ``asset()`` was given for a URL; what is none stays as it is."""
        prefix = self.built.site.settings.peek("static_url")
        return _FINGERPRINT.sub("", url.removeprefix(prefix)) if url.startswith(prefix) else url

    def _line(self, place: Path, words: str) -> int:
        """The first line with these words, from 1; 0 if there is none."""
        begin = "" if words.startswith("#") else r"(?<![\w/])"
        pattern = re.compile("|".join(rf"{begin}{re.escape(one)}(?![\w/])" for one in (words, escape(words))))
        lines: Sequence[str] = self._read(place)
        return next((number for number, line in enumerate(lines, 1) if pattern.search(line)), 0)

    def _read(self, place: Path) -> list[str]:
        if place not in self._texts:
            try:
                self._texts[place] = place.read_text("utf-8", "replace").split("\n")
            except OSError:
                self._texts[place] = []
        return self._texts[place]
