"""All messages of a site in memory: what a page asks when it says ``gettext``.

Catalogs are PO files, ``FOLDER/<locale>/LC_MESSAGES/messages.po``. They are read as they are, in process: no
``.mo`` has to be compiled first, or can be stale. What was parsed is kept by the digest of the file's bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from toolkit.errors import CatalogError, Problems, ToolkitError
from toolkit.stamps import Sighting, look_at
from toolkit.trace import ABSENT, current, digest

from .catalog import Message
from .locales import folder_name, parents, validate_tag
from .parsed import Parsed, ParsedCache, Translation

DOMAIN = "messages"
"""gettext's name of our one text domain, and of the files."""

_File = tuple[Sighting | None, Parsed | None]
_Files = dict[Path, _File]
_Table = dict[tuple[str | None, str], Translation]


def catalog_path(folder: Path, locale: str) -> Path:
    """Where a folder keeps the catalog of a locale: gettext's ``pt_BR``, or ``pt-BR`` when that is there.

    Raises:
        CatalogError: Both are there.
    """
    usual, dashed = (folder / name / "LC_MESSAGES" / f"{DOMAIN}.po" for name in (folder_name(locale), locale))
    if usual == dashed or not dashed.exists():
        return usual
    if usual.exists() and not usual.samefile(dashed):
        raise CatalogError(
            f"two catalogs for {locale}", path=usual, hint=f"Merge {dashed} into it, and remove that one."
        )
    return dashed


class Catalogs:
    """The catalogs of several folders, laid over each other.

    Args:
        folders: (name of the app, its catalog folder); an earlier one overrides a later one, message by
            message:
            the site's own first, then its apps', then the toolkit's.
        locales: BCP 47 tags of the site.
        cache_folder: Where parsed catalogs are kept between runs; None keeps them in memory only.
            Anything in it may be deleted at any time.

    Raises:
        ValidationError: A locale is not a BCP 47 tag.
    """

    def __init__(
        self,
        folders: Sequence[tuple[str, Path]],
        locales: Sequence[str],
        *,
        cache_folder: Path | None = None,
    ) -> None:
        self.folders = tuple(folders)
        self.locales = tuple(validate_tag(locale) for locale in locales)
        self._cache = ParsedCache(cache_folder)
        self._tables: dict[str, _Table] = {}
        self._files: dict[str, _Files] = {}

    def load(self) -> None:
        """Read the catalogs of all locales now.

        Raises:
            Problems: Everything that is wrong in all of them.
        """
        problems: list[ToolkitError] = []
        for locale in self.locales:
            try:
                self._table(locale)
            except Problems as found:
                problems += [problem for problem in found.problems if str(problem) not in map(str, problems)]
        if problems:
            raise Problems(problems)

    def files(self, locale: str) -> list[tuple[str, Path]]:
        """(app, path) of each place where messages of a locale are looked for, the strongest first."""
        chain = (locale, *parents(locale))
        return [(app, catalog_path(folder, tag)) for tag in chain for app, folder in self.folders]

    def lookup(
        self,
        locale: str,
        msgid: str,
        *,
        context: str | None = None,
        plural: str | None = None,
        n: int | None = None,
    ) -> str:
        """The translation of a message, or its source text where there is none.

        Falls back from ``pt-BR`` to ``pt`` to the source text. The read is recorded in the current trace.

        Args:
            locale: BCP 47 tag.
            msgid: Source text.
            context: What tells it from the same words elsewhere.
            plural: Source text for several; with ``n``.
            n: How many there are.
        """
        table = self._tables.get(locale)
        if table is None:
            table = self._table(locale)
        found = table.get((context, msgid))
        scope = current.get()
        if scope is not None and scope.trace is not None:
            key = ("message", (locale, DOMAIN, context, msgid, plural))
            scope.trace.own.setdefault(key, ABSENT if found is None else found.digest)
        if found is not None:
            text = found.forms[0] if plural is None and not found.counts else found.choose(plural, n)
            if text:
                return text
        return msgid if plural is None or n == 1 else plural

    def digest_of(self, key: Sequence[Any]) -> bytes:
        """The digest that a lookup would record now for the key of a recorded message input.

        Args:
            key: (locale, domain, context, msgid, plural), as in ``Input.key``.
        """
        locale, domain, context, msgid, _ = key
        found = self._table(locale).get((context, msgid)) if domain == DOMAIN else None
        return ABSENT if found is None else found.digest

    def find_missing(self, locale: str, messages: Iterable[Message]) -> list[Message]:
        """The messages that readers of a locale would see in the source language, wholly or in some number.

        Args:
            locale: BCP 47 tag.
            messages: What the site uses, such as the template that was extracted.
        """
        table = self._table(locale)
        return [message for message in messages if not _is_shown(message, table.get(message.key))]

    def digest(self, locale: str) -> bytes:
        """Stands for all catalogs of a locale: while it is the same, every message of it is.

        Lets a builder verify all messages of all pages at once.
        """
        self._table(locale)
        return digest([parsed and parsed.content for _, parsed in self._files[locale].values()])

    def reload_if_changed(self) -> bool:
        """Look at the files again. An equal stamp, if old enough, spares the reading; else content decides.

        Returns:
            Whether a file that is in use changed its content, came or went.

        Raises:
            Problems: A changed file cannot be used. The messages in memory stay as they were, and the next
                call looks again.
        """
        changed = False
        for locale in list(self._tables):
            table, files = self._read(locale, known=self._files[locale])
            before = {path: parsed for path, (_, parsed) in self._files[locale].items()}
            if before != {path: parsed for path, (_, parsed) in files.items()}:
                self._tables[locale] = table
                changed = True
            self._files[locale] = files
        return changed

    def _table(self, locale: str) -> _Table:
        """All messages of a locale, its fallbacks under it."""
        table = self._tables.get(locale)
        if table is None:
            table, self._files[locale] = self._read(validate_tag(locale), known={})
            self._tables[locale] = table
        return table

    def _read(self, locale: str, *, known: _Files) -> tuple[_Table, _Files]:
        """The table of a locale, and its files; those with the stamp they have in ``known`` are not read."""
        problems: list[ToolkitError] = []
        files: _Files = {}
        for tag in (locale, *parents(locale)):
            for _, folder in self.folders:
                try:
                    path = catalog_path(folder, tag)
                    files[path] = self._read_file(path, tag, known.get(path))
                except Problems as found:
                    problems += found.problems
                except CatalogError as problem:
                    problems.append(problem)
        if problems:
            raise Problems(problems)
        return _merge(parsed for _, parsed in files.values()), files

    def _read_file(self, path: Path, tag: str, known: _File | None) -> _File:
        seen = look_at(path)
        if seen is None:
            return None, None
        if known is not None and known[0] is not None and known[0].proves(seen.stamp):
            return known
        return seen, self._cache.read(path, tag)


def _is_shown(message: Message, found: Translation | None) -> bool:
    """Whether a translation has a text for every use of the message."""
    if found is None or not all(found.forms):
        return False
    return found.counts or message.plural is None


def _merge(layers: Iterable[Parsed | None]) -> _Table:
    """One table of several files, the first that has a message winning."""
    table: _Table = {}
    for parsed in layers:
        if parsed is not None:
            for key, translation in parsed.translations.items():
                table.setdefault(key, translation)
    return table
