"""Fingerprints: an asset's name changes with its content and with that of everything it refers to.

References make a graph. Stylesheets may not import each other in a circle; modules may, and often do: those of a
circle get their fingerprints together, from all of their texts.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from toolkit.assets.references import Reference, rewrite
from toolkit.assets.sources import STYLESHEETS, SourceText, Target, kind_of
from toolkit.errors import TemplateError
from toolkit.trace import digest, digest_bytes

FINGERPRINT_DIGITS = 12
"""48 bits: one pair of versions of a file in 280 million million shares a name."""


class Version(msgspec.Struct, frozen=True):
    """What an asset is at one moment.

    Args:
        path: Of the asset.
        file: Where it is written.
        content: Digest of that file.
        fingerprint: Part of its name.
        body: What is published; None for the file as it is.
        references: The assets it refers to itself.
        imports: Those of them without which it cannot begin.
    """

    path: str
    file: Path
    content: bytes
    fingerprint: str
    body: bytes | None = None
    references: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


class _Visit(msgspec.Struct):
    """A node of the graph while its circle is looked for (Tarjan)."""

    source: SourceText
    content: bytes
    index: int
    low: int
    open: bool = True
    targets: list[str] = msgspec.field(default_factory=list)


Find = Callable[[str], "tuple[SourceText, bytes] | None"]
"""The source of an asset, and the digest of its file; None if there is none."""

Finish = Callable[[str, Path, str], str]
"""The text that is published, given the path, the file and the text with its references rewritten."""


class Versions:
    """The versions of one asset and of all that it needs.

    Args:
        find: The source of an asset.
        finish: What is done to texts after their references were rewritten.
        finisher: Stands for what ``finish`` does.
        complain: Makes the error of a reference that means nothing.
    """

    def __init__(
        self,
        find: Find,
        finish: Finish,
        finisher: str,
        complain: Callable[[SourceText, Reference, str], TemplateError],
    ) -> None:
        self._find = find
        self._finish = finish
        self._finisher = finisher
        self._complain = complain
        self._visits: dict[str, _Visit | None] = {}
        self._stack: list[str] = []
        self.found: dict[str, Version] = {}

    def of(self, path: str) -> Version | None:
        """The version of an asset; None if there is none.

        Raises:
            TemplateError: It, or something it needs, refers to what is not there; or stylesheets import each other.
        """
        if path not in self._visits:
            self._visit(path)
        return self.found.get(path)

    def _visit(self, path: str) -> None:
        found = self._find(path)
        if found is None:
            self._visits[path] = None
            return
        visit = self._visits[path] = _Visit(*found, len(self._visits), len(self._visits))
        self._stack.append(path)
        for reference, target in visit.source.targets():
            self._follow(path, visit, reference, target)
        if visit.low == visit.index:
            circle = self._stack[self._stack.index(path) :]
            del self._stack[-len(circle) :]
            self._name(circle)

    def _follow(self, path: str, visit: _Visit, reference: Reference, target: Target) -> None:
        if target.path not in self._visits:
            self._visit(target.path)
        other = self._visits[target.path]
        if other is None:
            if not reference.optional:
                raise self._complain(visit.source, reference, target.path)
            return
        visit.targets.append(target.path)
        if other.open:
            if kind_of(target.path) in STYLESHEETS and kind_of(path) in STYLESHEETS:
                cycle = [*self._stack[self._stack.index(target.path) :], target.path]
                raise TemplateError(f"stylesheets import each other: {' -> '.join(cycle)}", path=visit.source.file)
            visit.low = min(visit.low, other.low)

    def _name(self, circle: list[str]) -> None:
        """Give the assets of a circle, nearly always of one, their fingerprints and texts."""
        visits = {path: visit for path in circle if (visit := self._visits[path]) is not None}
        together = len(circle) > 1 or circle[0] in visits[circle[0]].targets
        names = self._names_together(visits) if together else {}
        for path, visit in visits.items():
            visit.open = False
            self.found[path] = self._version(path, visit, names)

    def _names_together(self, visits: Mapping[str, _Visit]) -> dict[str, str]:
        """Fingerprints from all texts of a circle, each without the names of the others."""
        texts = sorted((path, self._text(visit, {})) for path, visit in visits.items())
        whole = digest([texts, self._finisher])
        return {path: digest([path, whole]).hex()[:FINGERPRINT_DIGITS] for path in visits}

    def _version(self, path: str, visit: _Visit, names: Mapping[str, str]) -> Version:
        source = visit.source
        references = tuple(sorted(set(visit.targets)))
        if source.text is None:
            return Version(path, source.file, visit.content, visit.content.hex()[:FINGERPRINT_DIGITS])
        body = self._finish(path, source.file, self._text(visit, names)).encode()
        fingerprint = names.get(path) or digest_bytes(body).hex()[:FINGERPRINT_DIGITS]
        imports = {target.path for reference, target in source.targets() if reference.imported}
        imports &= set(references)
        return Version(path, source.file, visit.content, fingerprint, body, references, tuple(sorted(imports)))

    def _text(self, visit: _Visit, names: Mapping[str, str]) -> str:
        """The text of an asset with the names that its references have now."""
        source = visit.source
        targets = {id(reference): target for reference, target in source.references}

        def replaced(reference: Reference) -> str | None:
            target = targets[id(reference)]
            known = self.found.get(target.path) if target.path else None
            fingerprint = known.fingerprint if known else names.get(target.path)
            if fingerprint is None:
                return None
            name = fingerprinted(target.path, fingerprint)
            url = quote(posixpath.relpath(name, posixpath.dirname(source.path) or "."))
            dotted = url if not reference.bare or url.startswith("../") else f"./{url}"
            return dotted + target.extra

        return rewrite(source.text or "", [reference for reference, _ in source.references], replaced)


def fingerprinted(path: str, fingerprint: str) -> str:
    """``css/site.css`` as ``css/site.3f2a1c9d8e7b.css``."""
    folder, slash, name = path.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    changed = f"{stem}.{fingerprint}.{suffix}" if dot and stem else f"{name}.{fingerprint}"
    return folder + slash + changed
