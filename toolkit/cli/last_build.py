"""The last build, to be asked about: its manifest and its settings, without the site's code.

Importing a site with its models and templates takes several times as long as any answer here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from toolkit.builder.names import Names
from toolkit.builder.reader import ManifestReader, manifest_path
from toolkit.builder.records import PageRecord, decode_key
from toolkit.cli.invocation import invocation
from toolkit.cli.sites import open_site
from toolkit.errors import BuildError, NotFound, did_you_mean
from toolkit.folders import find_folder
from toolkit.settings import load_settings

Input = tuple[str, tuple[Any, ...]]
_CHUNK = 500


class LastBuild:
    """What the last build left behind.

    Args:
        folder: The site's folder.
        manifest: The manifest.
        output: The folder it was built to.
    """

    def __init__(self, folder: Path, manifest: ManifestReader, output: Path) -> None:
        self.folder = folder
        self.manifest = manifest
        self.output = output

    @cached_property
    def names(self) -> Names:
        """What its models, tables and routes are called."""
        return self.manifest.names

    def inputs_of(self, numbers: Iterable[int]) -> list[Input]:
        """(kind, key) of inputs by number; only these are read."""
        wanted = list(numbers)
        found: list[Input] = []
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ", ".join("?" * len(chunk))
            joined = "inputs i JOIN topics t ON t.id = i.topic"
            sql = f"SELECT t.kind, i.key FROM {joined} WHERE i.id IN ({marks})"  # noqa: S608 - placeholders
            found += [(kind, decode_key(key)) for kind, key in self.manifest.connection.execute(sql, chunk)]
        return found

    def find_page(self, given: str) -> PageRecord | None:
        """The page that somebody named by its URL, its path or its file, or None."""
        path = self.url_path(given)
        found = self.manifest.find_page(path) or self.manifest.find_page(f"{path}/")
        file = Path(given).absolute()
        if found is None and file.is_relative_to(self.output.absolute()):
            found = self.manifest.find_page(self.url_path(file.relative_to(self.output.absolute()).as_posix()))
        return found

    def url_path(self, given: str) -> str:
        """What somebody typed, as the URL path of a page."""
        base = self.names.base_url.rstrip("/")
        text = given.strip()
        if text.startswith(base):
            text = text[len(base) :]
        elif text.startswith(("http://", "https://")):
            text = urlsplit(text).path
        elif (below := urlsplit(base).path) and text.startswith(f"{below}/"):
            text = text[len(below) :]
        text = f"/{text.lstrip('/')}".removesuffix("index.html")
        return quote(unquote(text.partition("?")[0].partition("#")[0]), safe="/:@!$&'()*+,;=~-._")

    def no_page(self, path: str, views: Iterable[str]) -> NotFound:
        """A letter about a path that is no page of the build.

        Args:
            path: See ``url_path``.
            views: The views that answer it, as people name them.
        """
        file = unquote(path).lstrip("/")
        sql = "SELECT owner FROM files WHERE path IN (?, ?)"
        owner = self.manifest.connection.execute(sql, (file, f"{file}index.html")).fetchone()
        if owner is not None:
            return NotFound(f"{unquote(path)} is no page, but a file of the kind {owner[0]!r}")
        for view in views:
            return NotFound(f"{unquote(path)} is answered by the view {view}; no build has it")
        urls = [unquote(row[0]) for row in self.manifest.connection.execute("SELECT url FROM pages")]
        hint = did_you_mean(unquote(path), _near_first(unquote(path), urls))
        return NotFound(
            f"the last build has no page at {unquote(path)}", hint=hint or "Ask 'toolkit routes' for what there is."
        )


@contextmanager
def last_build(output: Path | None = None) -> Iterator[LastBuild]:
    """The last build of the site of the call at hand.

    Args:
        output: Another output folder than the one that ``toolkit.toml`` or the environment names.

    Raises:
        BuildError: There is none.
    """
    asked = invocation()
    folder = asked.folder = find_folder(asked.folder)
    path = manifest_path(output or folder / load_settings(folder).peek("output"))
    if not path.exists() and output is None:  # the site's code may say another
        path = manifest_path(folder / open_site().settings.peek("output"))
    place = path.with_name(path.name.removesuffix(".manifest.db"))
    if not path.exists():
        raise BuildError(f"{place} was not built yet", hint="Run: toolkit build.")
    manifest = ManifestReader(path)
    try:
        if manifest.meta("names") is None:
            raise BuildError(f"{place} was not built yet: no build succeeded", hint="Run: toolkit build.")
        yield LastBuild(folder, manifest, place)
    finally:
        manifest.close()


def _near_first(path: str, urls: list[str]) -> list[str]:
    """Comparing with ten thousand URLs takes a second; those that share a segment, or a length, will do."""
    if len(urls) <= 1000:
        return urls
    segments = {segment for segment in path.split("/") if segment}
    near = [url for url in urls if segments.intersection(url.split("/"))]
    return near[:2000] or [url for url in urls if abs(len(url) - len(path)) <= 2][:2000]
