"""A build as it lies on disk: its files with digests, and its pages where a manifest tells."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from toolkit.builder.records import FORMAT
from toolkit.errors import BuildError
from toolkit.trace import digest_bytes

_FILES = """
SELECT files.path, files.size, files.digest, files.owner, pages.route, pages.url
FROM files LEFT JOIN pages ON pages.path = files.path ORDER BY files.path
"""
_MOVED = """
SELECT here.path, there.path FROM main.pages AS here JOIN other.pages AS there
USING (route, key, locale, number) WHERE here.path <> there.path
"""


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file of a build.

    Args:
        path: Below the build's folder.
        size: In bytes.
        digest: Of its content, if the manifest told; else it is found when it is needed.
        owner: Who has it: ``page``, ``asset`` and so on; empty without a manifest.
        route: The page's route, if it is one and a manifest tells.
        page_url: The page's URL, likewise.
    """

    path: str
    size: int
    digest: bytes
    owner: str
    route: str = ""
    page_url: str = ""

    @property
    def is_html(self) -> bool:
        """Whether it is a page with text."""
        return self.path.endswith((".html", ".htm"))


class Tree:
    """One build.

    Args:
        folder: Its folder. A manifest beside it is used, if this version of the toolkit wrote it; it is only read.

    Raises:
        BuildError: There is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.is_dir():
            raise BuildError(f"there is no folder {folder}", hint="Name two folders that builds were written to.")
        self._place = folder.with_name(f"{folder.name}.manifest.db")
        self._manifest = _open(self._place)

    def close(self) -> None:
        """Close the manifest."""
        if self._manifest is not None:
            self._manifest.close()

    def files(self) -> Iterator[TreeFile]:
        """Every file, in the order of the paths, one after the other."""
        if self._manifest is None:
            yield from self._walk(self.folder, "")
            return
        for path, size, digest, owner, route, url in self._manifest.execute(_FILES):
            yield TreeFile(path, size, digest, owner, route or "", url or "")

    def _walk(self, folder: Path, prefix: str) -> Iterator[TreeFile]:
        """In the order of whole paths: a folder sorts with its slash, as it does in the paths below it."""
        entries = sorted(os.scandir(folder), key=lambda entry: f"{entry.name}/" if entry.is_dir() else entry.name)
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path), f"{path}/")
            elif entry.is_file():
                yield TreeFile(path, entry.stat().st_size, b"", "")

    def read(self, path: str) -> bytes:
        """A file's content.

        Raises:
            BuildError: It cannot be read.
        """
        try:
            return (self.folder / path).read_bytes()
        except OSError as error:
            raise BuildError(f"{self.folder / path} cannot be read: {error.strerror}", hint="Build again.") from error

    def digest_of(self, file: TreeFile) -> bytes:
        """The digest of a file's content."""
        return file.digest or digest_bytes(self.read(file.path))

    def moved_pages(self, other: Tree) -> dict[str, str]:
        """Path here to path there of pages that are the same and lie elsewhere; only those are held."""
        if self._manifest is None or other._manifest is None:
            return {}
        self._manifest.execute("ATTACH ? AS other", (f"{other._place.resolve().as_uri()}?mode=ro",))
        try:
            return dict(self._manifest.execute(_MOVED))
        finally:
            self._manifest.execute("DETACH other")

    def redirects(self) -> dict[str, str]:
        """Path of a file that only redirects, to where it leads."""
        if self._manifest is None:
            return {}
        found = self._manifest.execute("SELECT value FROM meta WHERE name = 'redirect_files'").fetchone()
        return dict(json.loads(found[0])) if found else {}


def _open(place: Path) -> sqlite3.Connection | None:
    """A manifest of this version, to be read; None if there is no such."""
    if not place.is_file():
        return None
    connection = sqlite3.connect(f"{place.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        found = connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
    except sqlite3.Error:
        found = None
    if found is None or found[0] != FORMAT:
        connection.close()
        return None
    return connection


def url_path(path: str) -> str:
    """The URL path of a file, for people."""
    return unquote(f"/{path.removesuffix('index.html')}" if f"/{path}".endswith("/index.html") else f"/{path}")
