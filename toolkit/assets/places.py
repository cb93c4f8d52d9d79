"""Where the files of assets are: which paths may name one, and in which folders it is looked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

Folders = Sequence[tuple[str, Path]]
"""(prefix, folder), in the order they are searched."""


def places_of(path: str, folders: Folders) -> Iterator[Path]:
    """Every place where a file would be this asset; none for a path that no asset can have."""
    if not path or "\\" in path or "\0" in path or path.startswith("/"):
        return
    if any(part in ("", ".", "..") or part.startswith(".") for part in path.split("/")):
        return
    for prefix, folder in folders:
        if not prefix:
            yield folder / path
        elif path.startswith(prefix + "/"):
            yield folder / path[len(prefix) + 1 :]


def paths_in(folders: Folders) -> set[str]:
    """The paths of all files that are assets. Names that begin with a dot are none."""
    found = set()
    for prefix, root in folders:
        for place, below, files in os.walk(root):
            below[:] = [name for name in below if not name.startswith(".")]
            for name in files:
                file = Path(place) / name
                if not name.startswith(".") and not leads_out(file, folders):
                    path = file.relative_to(root).as_posix()
                    found.add(f"{prefix}/{path}" if prefix else path)
    return found


def leads_out(file: Path, folders: Folders) -> bool:
    """Whether a file is a link, or behind one, to what is in none of the folders: nobody put that there.

    Args:
        file: In one of the folders.
        folders: The folders.
    """
    roots = [folder for _, folder in folders]
    root = next(folder for folder in roots if file.is_relative_to(folder))
    way = [file, *file.parents[: len(file.relative_to(root).parts) - 1]]
    if not any(map(os.path.islink, way)):
        return False
    end = file.resolve()
    return not any(end.is_relative_to(folder.resolve()) for folder in roots)
