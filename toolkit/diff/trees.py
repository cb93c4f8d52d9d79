"""A build as it lies on disk: its files with digests, and its pages where a manifest tells."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from toolkit.builder.manifest import Manifest
from toolkit.errors import BuildError
from toolkit.trace import digest_bytes


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file of a build.

    Args:
        path: Below the build's folder.
        size: In bytes.
        digest: Of its content, if the manifest told; else it is found when it is needed.
        owner: Who has it: ``page``, ``asset`` and so on; empty without a manifest.
    """

    path: str
    size: int
    digest: bytes
    owner: str

    @property
    def is_html(self) -> bool:
        """Whether it is a page with text."""
        return self.path.endswith((".html", ".htm"))


class Tree:
    """One build.

    Args:
        folder: Its folder. A manifest beside it is used if it is of this very folder.

    Raises:
        BuildError: There is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.is_dir():
            raise BuildError(f"there is no folder {folder}", hint="Name two folders that builds were written to.")
        place = folder.with_name(f"{folder.name}.manifest.db")
        self._manifest = Manifest(place) if place.is_file() else None

    def close(self) -> None:
        """Close the manifest."""
        if self._manifest is not None:
            self._manifest.close()

    @property
    def has_manifest(self) -> bool:
        """Whether pages are known, and not only files."""
        return self._manifest is not None

    def files(self) -> Iterator[TreeFile]:
        """Every file, in the order of the paths, one after the other."""
        if self._manifest is None:
            yield from self._walk(self.folder, "")
            return
        rows = self._manifest.connection.execute("SELECT path, size, digest, owner FROM files ORDER BY path")
        for path, size, digest, owner in rows:
            yield TreeFile(path, size, digest, owner)

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

    def page_of(self, path: str) -> tuple[tuple[Any, ...], str] | None:
        """(identity, as the manifest keeps it; URL) of the page that has a file, or None."""
        if self._manifest is None:
            return None
        row = self._manifest.connection.execute(
            "SELECT route, key, locale, number, url FROM pages WHERE path = ?", (path,)
        ).fetchone()
        if row is None:
            return None
        return (row[0], row[1], row[2], row[3]), row[4]

    def moved_pages(self, other: Tree) -> dict[str, str]:
        """Path here to path there of pages that are the same and lie elsewhere; read route by route."""
        if self._manifest is None or other._manifest is None:
            return {}
        sql = "SELECT route, key, locale, number, path FROM pages ORDER BY route, locale, number"
        old = {(row[0], row[1], row[2], row[3]): row[4] for row in self._manifest.connection.execute(sql)}
        found = {}
        for row in other._manifest.connection.execute(sql):
            before = old.get((row[0], row[1], row[2], row[3]))
            if before is not None and before != row[4]:
                found[before] = row[4]
        return found

    def redirects(self) -> dict[str, str]:
        """Path of a file that only redirects, to where it leads."""
        if self._manifest is None:
            return {}
        return dict(json.loads(self._manifest.meta("redirect_files") or "{}"))


def url_path(path: str) -> str:
    """The URL path of a file, for people."""
    return unquote(f"/{path.removesuffix('index.html')}" if f"/{path}".endswith("/index.html") else f"/{path}")
