"""Stylesheets in one: what is imported stands in the place of the ``@import``, as if it had been written there.

Source: CSS Cascading and Inheritance 5 §2 (``@import``), §6.4 (layers).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from toolkit.assets.references import Reference, rewrite
from toolkit.assets.sources import SourceText, Target, find_references
from toolkit.assets.stylesheets import is_closed, without_source_map
from toolkit.errors import TemplateError
from toolkit.text.patterns import deferred

_CHARSET = deferred(r"""\A\s*@charset\s+["'][^"']*["']\s*;""", re.IGNORECASE)
_IMPORT_START = deferred(r"@import(?:\s|/\*(?:(?!\*/)[\s\S])*\*/)*(?:url\(\s*)?\Z", re.IGNORECASE)
_BEFORE_RULES = deferred(
    r"""(?:\s|/\*[\s\S]*?\*/|@(?:charset|layer|import)\b(?:"[^"]*"|'[^']*'|[^;{}"'])*;)*+\Z""", re.IGNORECASE
)
"""What may stand before an import. After a rule browsers read none."""
_CONDITIONS = deferred(r"\s*\)?(?P<conditions>(?:/\*[\s\S]*?\*/|[^;{}])*+)(?:;|\Z)")
_LAYER = deferred(r"\s*layer(?:\(\s*(?P<name>[\w.-]+)\s*\))?(?=\s|\Z)", re.IGNORECASE)
_SUPPORTS = deferred(r"\s*supports(?=\()", re.IGNORECASE)
_NAMESPACE = deferred(r"@namespace\b", re.IGNORECASE)
_STAYS = deferred(r"@(?:import|namespace)\b", re.IGNORECASE)

Read = Callable[[str], "SourceText | None"]
Complain = Callable[[SourceText, Reference, str], TemplateError]


class Bundler:
    """Puts stylesheets in place of their imports.

    Args:
        read: The source of an asset, its own imports in place; None if there is none.
        complain: Makes the error of a reference that means nothing.
        url_prefix: Where assets are published.
    """

    def __init__(self, read: Read, complain: Complain, *, url_prefix: str) -> None:
        self._read = read
        self._complain = complain
        self._url_prefix = url_prefix

    def bundle(self, source: SourceText) -> SourceText:
        """A stylesheet with what it imports in place; other hosts' stylesheets stay imports.

        Raises:
            TemplateError: It imports what is not there.
        """
        text = source.text or ""
        if _NAMESPACE.search(_without_comments(text)):  # has to stand before all rules
            return source
        pieces: list[str] = []
        inlined: list[str] = []
        done = 0
        for start, end, placed, names in self._placeable(source, text):
            pieces += [text[done:start], placed]
            done = end
            inlined += names
        if not inlined:
            return source
        whole = "".join([*pieces, text[done:]])
        references = find_references(source.path, source.file, whole, url_prefix=self._url_prefix)
        return SourceText(source.path, source.file, whole, references, tuple(dict.fromkeys(inlined)))

    def _placeable(self, source: SourceText, text: str) -> list[tuple[int, int, str, list[str]]]:
        """(start, end, what comes there, names) of each import that can be replaced.

        An import has to stand before all rules: so none is replaced that comes before one that stays.
        """
        found: list[tuple[int, int, str, list[str]]] = []
        for reference, target in source.references:
            if not reference.imported:
                continue
            imported = self._read(target.path) if target.path else None
            if imported is None and target.path:
                raise self._complain(source, reference, target.path)
            span = _statement(text, reference)
            if span and not _BEFORE_RULES.match(text[: span[0]]):
                continue
            placed = self._placed(source, imported, span[2]) if imported is not None and span else None
            if imported is None or span is None or placed is None:
                found.clear()
            else:
                found.append((span[0], span[1], placed, [target.path, *imported.inlined]))
        return found

    def _placed(self, source: SourceText, imported: SourceText, conditions: str) -> str | None:
        """The text of an import under its conditions; None where it has to stay an import."""
        text = without_source_map(_CHARSET.sub("", moved(imported, source.path)))
        if _STAYS.search(_without_comments(text)) or not is_closed(text):
            return None
        layer = _LAYER.match(conditions)
        rest = conditions[layer.end() :] if layer else conditions
        supports, media = _supports(rest)
        if supports is None:
            return None
        if media:
            text = f"@media {media} {{\n{text}\n}}"
        if supports:
            text = f"@supports {supports} {{\n{text}\n}}"
        if layer:
            text = f"@layer {layer['name'] + ' ' if layer['name'] else ''}{{\n{text}\n}}"
        return text


def moved(source: SourceText, place: str) -> str:
    """The text of an asset as it has to be written in another one's place: its references lead where they did."""
    targets: dict[int, Target] = {id(reference): target for reference, target in source.references}

    def replaced(reference: Reference) -> str | None:
        target = targets[id(reference)]
        if not target.path:
            return None
        return quote(posixpath.relpath(target.path, posixpath.dirname(place) or ".")) + target.extra

    return rewrite(source.text or "", [reference for reference, _ in source.references], replaced)


def _statement(text: str, reference: Reference) -> tuple[int, int, str] | None:
    """Where an ``@import`` begins and ends, and its conditions."""
    before = _IMPORT_START.search(text, max(0, reference.start - 200), reference.start)
    after = _CONDITIONS.match(text, reference.end)
    if before is None or after is None:
        return None
    return before.start(), after.end(), _without_comments(after["conditions"]).strip()


def _supports(conditions: str) -> tuple[str | None, str]:
    """(the condition of ``supports(…)``, the media after it); None if it cannot be read."""
    match = _SUPPORTS.match(conditions)
    if match is None:
        return "", conditions.strip()
    depth = 0
    for place in range(match.end(), len(conditions)):
        depth += {"(": 1, ")": -1}.get(conditions[place], 0)
        if depth == 0:
            inner = conditions[match.end() + 1 : place].strip()
            shown = inner if inner.startswith(("(", "not ", "selector(", "font-")) else f"({inner})"
            return shown, conditions[place + 1 :].strip()
    return None, ""


def _without_comments(text: str) -> str:
    return re.sub(r"/\*[\s\S]*?(?:\*/|\Z)", "", text)


def concatenated(path: str, parts: list[SourceText], file: Path, *, url_prefix: str) -> SourceText:
    """Several files one after the other, as one asset."""
    between = "\n" if path.endswith(".css") else "\n;\n"
    text = between.join(moved(part, path).rstrip() for part in parts) + "\n"
    names = [part.path for part in parts]
    inlined = tuple(dict.fromkeys([*names, *(name for part in parts for name in part.inlined)]))
    return SourceText(path, file, text, find_references(path, file, text, url_prefix=url_prefix), inlined)
