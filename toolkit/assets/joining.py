"""Modules that a bundler makes one script of: which they are, and how it is to see them.

A bundler puts modules together and leaves ``new URL("x.png", import.meta.url)`` as it stands; but then the module that
says so is the bundle. So each module is handed over with such names as they are seen from the bundle's place.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from toolkit.assets.references import Reference, rewrite
from toolkit.assets.sources import SCRIPTS, SourceText, Target, kind_of

Read = Callable[[str, "tuple[SourceText, Reference] | None"], "tuple[SourceText, bytes]"]
"""The source of an asset and its bytes, given who asks for it; it raises where there is none."""


@dataclass(frozen=True, slots=True)
class Module:
    """A file that goes into a bundle.

    Args:
        path: The asset.
        file: Where it is written.
        body: What the bundler is to read.
    """

    path: str
    file: Path
    body: bytes


def iter_modules(entry: str, place: str, read: Read) -> Iterator[Module]:
    """A module and everything that it imports, at any depth, now or later.

    Args:
        entry: The module that the bundle begins with.
        place: The asset that the bundle will be.
        read: Gives sources.

    Raises:
        TemplateError: One of them is not there.
    """
    reached = {entry}
    waiting: list[tuple[str, tuple[SourceText, Reference] | None]] = [(entry, None)]
    while waiting:
        path, asked_by = waiting.pop()
        source, body = read(path, asked_by)
        if source.text is None or kind_of(path) not in SCRIPTS:
            yield Module(path, source.file, body)
            continue
        yield Module(path, source.file, _seen_from(source, place).encode())
        for reference, target in source.targets():
            if (reference.imported or reference.later) and target.path not in reached:
                reached.add(target.path)
                waiting.append((target.path, (source, reference)))


def _seen_from(source: SourceText, place: str) -> str:
    """A module whose names of files, but for those of modules, lead to them from the bundle's place."""
    targets: dict[int, Target] = {id(reference): target for reference, target in source.references}

    def replaced(reference: Reference) -> str | None:
        target = targets[id(reference)]
        if reference.imported or reference.later or not target.path:
            return None
        url = quote(posixpath.relpath(target.path, posixpath.dirname(place) or "."))
        return (url if url.startswith("../") or not reference.bare else f"./{url}") + target.extra

    return rewrite(source.text or "", [reference for reference, _ in source.references], replaced)
