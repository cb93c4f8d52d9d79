"""Making ``.mo`` files of catalogs, for other programs. The toolkit itself reads the PO files."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import CatalogError, Problems, ToolkitError
from toolkit.files import write_if_changed

from .catalog import Catalog, Message
from .catalogs import DOMAIN, catalog_path
from .plurals import PluralForms
from .po import read_po
from .soundness import require_sound

_MAGIC = 0x950412DE
_HEADER_SIZE = 28


@dataclass(frozen=True, slots=True)
class CompiledCatalog:
    """What compiling did to one catalog.

    Attributes:
        path: The ``.mo`` file.
        locale: Its locale.
        messages: How many messages it holds.
        written: Its bytes changed.
    """

    path: Path
    locale: str
    messages: int
    written: bool


def compile_catalogs(
    folder: Path, locales: Iterable[str] | None = None, *, fuzzy: bool = False
) -> list[CompiledCatalog]:
    """Compile the catalogs of a folder, each beside its PO file.

    Args:
        folder: A catalog folder of this site; those of installed packages are their authors' affair.
        locales: Which ones; None for all that are there.
        fuzzy: Take guesses too.

    Raises:
        Problems: All errors of all catalogs, with file and line. Nothing was written.
    """
    problems: list[ToolkitError] = []
    compiled: list[tuple[Path, str, int, bytes]] = []
    for locale in locales if locales is not None else find_locales(folder):
        try:
            path = catalog_path(folder, locale)
            catalog = read_po(path, locale=locale)
            body = compile_catalog(catalog, fuzzy=fuzzy)
            count = len(_shown(catalog, fuzzy))
            compiled.append((path.with_suffix(".mo"), locale, count, body))
        except Problems as found:
            problems += found.problems
        except CatalogError as problem:
            problems.append(problem)
    if problems:
        raise Problems(problems, summary="no catalog was compiled")
    return [
        CompiledCatalog(path, locale, count, write_if_changed(path, body)) for path, locale, count, body in compiled
    ]


def find_locales(folder: Path) -> list[str]:
    """The BCP 47 tags of the catalogs in a folder, sorted."""
    found = folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")
    return sorted({path.parent.parent.name.replace("_", "-") for path in found})


def compile_catalog(catalog: Catalog, *, fuzzy: bool = False) -> bytes:
    """The catalog as a ``.mo`` file, always the same bytes. Format: GNU gettext manual, "MO Files".

    Args:
        catalog: A catalog with a locale or a ``Plural-Forms`` header.
        fuzzy: Take guesses too.

    Raises:
        Problems: Messages without all their plural forms, or a plural rule that cannot be read.
    """
    forms = require_sound(catalog)
    header = "".join(f"{name}: {value}\n" for name, value in catalog.header.items())
    pairs = [(b"", header.encode())]
    pairs += [(_mo_key(message), _mo_value(message, forms)) for message in _shown(catalog, fuzzy)]
    return _pack(sorted(pairs))


def _shown(catalog: Catalog, fuzzy: bool) -> list[Message]:
    return [message for message in catalog.active if any(message.translations) and (fuzzy or not message.is_fuzzy)]


def _mo_key(message: Message) -> bytes:
    key = "\0".join(message.sources)
    return (key if message.context is None else f"{message.context}\4{key}").encode()


def _mo_value(message: Message, forms: PluralForms) -> bytes:
    """The translations; an empty form is filled with the source text, as a lookup here would answer."""
    if message.plural is None:
        return message.translations[0].encode()
    singular = forms.compile()(1)
    texts = [
        text or (message.msgid if index == singular else message.plural)
        for index, text in enumerate(message.translations)
    ]
    return "\0".join(texts).encode()


def _pack(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """Lay out the two tables of (length, offset) and the strings after them, each ended by a NUL."""
    count = len(pairs)
    start = _HEADER_SIZE + 16 * count
    tables: list[list[int]] = [[], []]
    strings = bytearray()
    for column in (0, 1):
        for pair in pairs:
            tables[column] += [len(pair[column]), start + len(strings)]
            strings += pair[column] + b"\0"
    header = struct.pack("<7I", _MAGIC, 0, count, _HEADER_SIZE, _HEADER_SIZE + 8 * count, 0, start)
    return header + struct.pack(f"<{4 * count}I", *tables[0], *tables[1]) + bytes(strings)
