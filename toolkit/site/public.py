"""The ``public`` folder: which of its files are published as they are. The build and the server agree on it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

WELL_KNOWN = ".well-known"
"""The one name with a dot that is published (RFC 8615)."""


class PublicFolder:
    """The files that are published as they are.

    A link is followed to a file within the folder, and nowhere else: a link to a folder may lead back, and one that
    leads out would publish what nobody put here.

    Args:
        folder: Theirs. It need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[tuple[str, Path]]:
        """(path in the output, file) of everything that is published, sorted."""
        return [(name, path) for name, path in self._named() if path.is_file() and not self._fault(name, path)]

    def left_out(self) -> list[str]:
        """What is not published though it does not look it, and why."""
        faults = ((name, self._fault(name, path)) for name, path in self._named())
        return [f"{self.folder.name}/{_shown(name)} {fault}" for name, fault in faults if fault]

    def _fault(self, name: str, path: Path) -> str:
        """Why something is not published; empty if it can be."""
        if _shown(name) != name:
            return "has a name that is not UTF-8, so it is not published"
        if path.is_symlink() and path.is_dir():
            return "is a link to a folder, so what is in it is not published"
        if path.is_file() and not self._is_inside(path):
            return "is a link out of the folder, so it is not published"
        return ""

    def _named(self) -> Iterator[tuple[str, Path]]:
        """(path below the folder, path) of everything with a name that can be published.

        Raises:
            OSError: A folder cannot be read: without it its files would look as if they were gone.
        """
        found: list[Path] = []
        for place, folders, files in os.walk(self.folder, onerror=_refuse):
            inside = Path(place).relative_to(self.folder)
            named = {name: inside / name for name in (*folders, *files) if _is_plain((*inside.parts, name))}
            folders[:] = named.keys() & set(folders)
            found += named.values()
        for path in sorted(found):
            yield path.as_posix(), self.folder / path

    def find(self, path: str) -> Path | None:
        """The file at a URL path (percent-decoded), or None; ``index.html`` for a folder.

        Nothing outside of the folder is ever found: not by dots, not by backslashes, not by a symbolic link.
        """
        if path.endswith("/"):
            path += "index.html"
        parts = path[1:].split("/")
        if not _is_plain(parts):
            return None
        place = self.folder.joinpath(*parts)
        try:
            if not stat.S_ISREG(place.stat().st_mode) or place.parent.resolve() != self._root.joinpath(*parts[:-1]):
                return None
            return place if self._is_inside(place) else None
        except (OSError, ValueError):
            return None

    @property
    def _root(self) -> Path:
        return self.folder.resolve()

    def _is_inside(self, file: Path) -> bool:
        return not file.is_symlink() or file.resolve().is_relative_to(self._root)


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # there need not be such a folder
        raise error


def _is_plain(parts: Sequence[str]) -> bool:
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        return False
    hidden = [part for part in parts if part.startswith(".")]
    return not hidden or (hidden == [WELL_KNOWN] and parts[0] == WELL_KNOWN)


def _shown(name: str) -> str:
    """A name that can be printed, whatever its bytes are."""
    return os.fsencode(name).decode(errors="replace")
