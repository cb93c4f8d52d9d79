"""Catalogs boiled down to what a lookup needs, kept by the digest of the file they came from."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from toolkit.errors import CatalogError
from toolkit.files import write_if_changed
from toolkit.trace import digest, digest_bytes

from .catalog import MessageKey
from .plurals import PluralForms, PluralRule
from .po import parse_po
from .soundness import require_sound

_VERSION = 1
_Row = tuple[str | None, str, bool, tuple[str, ...]]
_File = tuple[bytes, int, str, list[_Row]]


class Translation(msgspec.Struct, frozen=True):
    """The translations of one message.

    Args:
        forms: One text, or one for each plural form; ``""`` where a form is not translated.
        counts: Whether it is a message with plural forms.
        rule: Which form goes with which number.
        digest: Stands for the forms, and for the plural rule where it matters: what a trace records.
    """

    forms: tuple[str, ...]
    counts: bool
    rule: PluralRule
    digest: bytes

    def choose(self, plural: str | None, n: int | None) -> str:
        """The form for ``n`` things; ``""`` when this message has no such form.

        As in gettext, a counting message that is asked for without a number answers in the singular, and one
        that does not count has no answer for a number. A fraction takes the last form ("1.5 points").
        """
        if not self.counts:
            return ""
        if plural is None or n is None:
            return self.forms[self.rule(1)]
        whole = int(n)
        return self.forms[self.rule(abs(whole))] if whole == n else self.forms[-1]


class Parsed(msgspec.Struct, frozen=True):
    """One file's messages that readers may see: translated, not fuzzy, not obsolete.

    Args:
        content: Digest of the file's bytes.
        translations: By context and msgid.
    """

    content: bytes
    translations: dict[MessageKey, Translation]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parsed) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)


class ParsedCache:
    """Parsed files on disk: one for each catalog, used while it holds the catalog's content.

    Measured on 2,000 messages: 22 ms to parse, 4 ms from disk. Whatever is in the folder may be deleted.

    Args:
        folder: Where they are kept; None keeps none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, path: Path, locale: str) -> Parsed:
        """The messages of a PO file.

        Args:
            path: The file.
            locale: Its locale, whose plural forms hold when its header names none.

        Raises:
            Problems: It cannot be used.
            CatalogError: It cannot be read.
        """
        try:
            body = path.read_bytes()
        except OSError as problem:
            raise CatalogError(f"the catalog cannot be read: {problem.strerror}", path=path) from problem
        content = digest_bytes(body)
        place = self._folder and self._folder / _file_name(path, locale)
        known = _from_disk(place, content) if place is not None else None
        return known or _parse(body, content, path=path, locale=locale, place=place)


def _file_name(path: Path, locale: str) -> str:
    return f"messages-{_VERSION}-{locale}-{digest(str(path.absolute())).hex()}.msgpack"


def _from_disk(place: Path, content: bytes) -> Parsed | None:
    """What an earlier run made of the same content; anything else there is as good as nothing."""
    try:
        made_of, count, expression, rows = msgspec.msgpack.decode(place.read_bytes(), type=_File)
        return _build(content, PluralForms(count, expression), rows) if made_of == content else None
    except (OSError, msgspec.MsgspecError, CatalogError):
        return None


def _parse(body: bytes, content: bytes, *, path: Path, locale: str, place: Path | None) -> Parsed:
    """Read the file and keep what was read; a cache that cannot be written is no reason to fail."""
    catalog = parse_po(body, path=path, locale=locale)
    forms = require_sound(catalog)
    rows: list[_Row] = [
        (message.context, message.msgid, message.plural is not None, message.translations)
        for message in catalog.active
        if any(message.translations) and not message.is_fuzzy
    ]
    if place is not None:
        with contextlib.suppress(OSError):
            write_if_changed(place, msgspec.msgpack.encode((content, forms.count, forms.expression, rows)))
    return _build(content, forms, rows)


def _build(content: bytes, forms: PluralForms, rows: Sequence[_Row]) -> Parsed:
    rule = forms.compile()
    translations = {
        (context, msgid): Translation(texts, counts, rule, digest([texts, str(forms) if counts else None]))
        for context, msgid, counts, texts in rows
    }
    return Parsed(content, translations)
