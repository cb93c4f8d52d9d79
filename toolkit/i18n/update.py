"""Bringing catalogs up to date with what was extracted, without touching what translators wrote.

The rules: a translation is never lost, never guessed unless asked, and nothing moves without a reason.
Running it a second time changes no byte, and so does moving code about in a file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.errors import CatalogError, Problems, ToolkitError
from toolkit.files import write_if_changed

from .catalog import Catalog, Message, MessageKey
from .catalogs import DOMAIN, catalog_path
from .escapes import quote_lines
from .locales import validate_tag
from .plurals import header_forms, plural_forms
from .po import format_po, read_po

_OUR_FLAGS = frozenset({"python-format", "python-brace-format"})
_NEAR = 0.72
"""How alike two source texts must be for a guess, as difflib measures it (0 to 1)."""


@dataclass(frozen=True, slots=True)
class CatalogUpdate:
    """What updating did to one file.

    Attributes:
        path: The file.
        locale: Its locale; None for the template.
        created: It was not there before.
        written: Its bytes changed.
        added: Messages that are new in it.
        revived: Obsolete messages that are in use again.
        retired: Messages that became obsolete.
        dropped: Messages no longer used that had no translation to keep.
        guessed: New messages that were given a fuzzy translation.
    """

    path: Path
    locale: str | None
    created: bool
    written: bool
    added: int = 0
    revived: int = 0
    retired: int = 0
    dropped: int = 0
    guessed: int = 0


def update_catalogs(
    template: Catalog, folder: Path, locales: Sequence[str], *, fuzzy: bool = False
) -> list[CatalogUpdate]:
    """Write the template (``messages.pot``) and the catalog of each locale in a folder.

    Args:
        template: What :func:`toolkit.i18n.extract.extract_site` found.
        folder: The catalog folder, as given to ``Catalogs``.
        locales: BCP 47 tags of the catalogs to keep; the source language needs none.
        fuzzy: Give new messages the translation of a similar one, marked as a guess.

    Returns:
        What happened to each file, the template first.

    Raises:
        Problems: Catalogs that cannot be read. No file was written.
    """
    problems: list[ToolkitError] = []
    merged: list[tuple[Path, Catalog | None, Catalog]] = []
    for locale in map(validate_tag, locales):
        try:
            path = catalog_path(folder, locale)
            old = read_po(path, locale=locale) if path.exists() else None
            base = old if old is not None else new_catalog(locale, template=template)
            merged.append((path, old, update_catalog(base, template, fuzzy=fuzzy)))
        except Problems as found:
            problems += found.problems
        except CatalogError as problem:
            problems.append(problem)
    if problems:
        raise Problems(problems, summary="no catalog was written")
    place = folder / f"{DOMAIN}.pot"
    created = not place.exists()
    updates = [CatalogUpdate(place, None, created, _write(place, template))]
    return updates + [_write_update(path, old, after) for path, old, after in merged]


def _write_update(path: Path, old: Catalog | None, after: Catalog) -> CatalogUpdate:
    """Write one merged catalog, and count what happened."""
    was = {message.key for message in old.active} if old else set()
    was_obsolete = {message.key for message in old.obsolete} if old else set()
    now = {message.key: message for message in after.active}
    is_obsolete = {message.key for message in after.obsolete}
    new = now.keys() - was - was_obsolete
    return CatalogUpdate(
        path=path,
        locale=after.locale,
        created=old is None,
        written=_write(path, after),
        added=len(new),
        revived=len((now.keys() - was) & was_obsolete),
        retired=len((was - now.keys()) & is_obsolete),
        dropped=len(was - now.keys() - is_obsolete),
        guessed=sum(now[key].is_fuzzy for key in new),
    )


def _write(path: Path, catalog: Catalog) -> bool:
    return write_if_changed(path, format_po(catalog).encode())


def new_catalog(locale: str, *, template: Catalog | None = None) -> Catalog:
    """An empty catalog of a language, with its plural forms from CLDR."""
    header = {
        "Language": locale.replace("-", "_"),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": str(plural_forms(locale)),
    }
    project = template.header.get("Project-Id-Version") if template else None
    return Catalog(header={"Project-Id-Version": project, **header} if project else header, locale=locale)


def update_catalog(catalog: Catalog, template: Catalog, *, fuzzy: bool = False) -> Catalog:
    """A catalog with the messages of a template and its own translations.

    Kept: translations, translators' notes, flags, every header field. Taken from the template: locations,
        comments,
    plurals. A message no longer used is kept as obsolete (``#~``) when it has a translation or a note.

    Args:
        catalog: As the translators left it.
        template: What is in use now.
        fuzzy: See :func:`update_catalogs`.
    """
    count = _form_count(catalog)
    used = {message.key: message for message in template.active}
    known: dict[MessageKey, Message] = {message.key: message for message in catalog.obsolete}
    known |= {message.key: message for message in catalog.active}
    guesses = _Guesses(known.values()) if fuzzy else None
    messages = [
        _merge_message(known.get(key), fresh, count, guesses) for key, fresh in sorted(used.items(), key=_by_key)
    ]
    left = [message for key, message in known.items() if key not in used]
    messages += [_retire(message) for message in left if any(message.translations) or message.notes]
    return replace(catalog, messages=tuple(messages), header=_completed(catalog))


def _by_key(item: tuple[MessageKey, Message]) -> tuple[str, str]:
    context, msgid = item[0]
    return (msgid, context or "")


def _form_count(catalog: Catalog) -> int:
    try:
        return header_forms(catalog.header, catalog.locale).count
    except CatalogError as problem:
        problem.path = problem.path or catalog.path
        raise


def _completed(catalog: Catalog) -> dict[str, str]:
    """The header, with the charset that we write and, where it has none, the language's plural forms."""
    header = {**catalog.header, "Content-Type": "text/plain; charset=UTF-8"}
    said = header.get("Plural-Forms", "")
    if catalog.locale and (not said or "INTEGER" in said):
        header["Plural-Forms"] = str(plural_forms(catalog.locale))
    return header


def _merge_message(known: Message | None, fresh: Message, count: int, guesses: _Guesses | None) -> Message:
    """The message in use, with what the catalog knew of it."""
    forms = count if fresh.plural is not None else 1
    if known is None or not (any(known.translations) or known.notes):
        guess = guesses.find(fresh) if guesses else None
        if guess is not None:
            return _guessed(fresh, guess, forms)
    if known is None:
        return replace(fresh, translations=("",) * forms, line=0)
    flags = [flag for flag in known.flags if flag not in _OUR_FLAGS]
    silenced = {flag.removeprefix("no-") for flag in flags}
    translations = known.translations
    if fresh.plural is None and known.plural is not None:  # it no longer counts: one form is left to show
        translations = (next(filter(None, translations), ""),)
    return replace(
        fresh,
        translations=_fit(translations, forms),
        notes=known.notes,
        flags=(*flags, *(flag for flag in fresh.flags if flag not in silenced)),
        previous=known.previous,
        line=0,
    )


def _fit(translations: tuple[str, ...], forms: int) -> tuple[str, ...]:
    """At least as many forms as are wanted: one more may be a mistake, but it is a translator's work."""
    return (*translations, *("",) * (forms - len(translations)))


def _retire(message: Message) -> Message:
    return replace(message, obsolete=True, locations=(), comments=())


def _guessed(fresh: Message, guess: Message, forms: int) -> Message:
    """The message with the translation of another, marked fuzzy, and what that one said (``#|``)."""
    previous = [] if guess.context is None else quote_lines("msgctxt", guess.context)
    previous += quote_lines("msgid", guess.msgid)
    previous += [] if guess.plural is None else quote_lines("msgid_plural", guess.plural)
    texts = guess.translations if fresh.plural is not None else guess.translations[:1]
    return replace(
        fresh,
        translations=_fit(texts, forms),
        flags=("fuzzy", *fresh.flags),
        previous=tuple(previous),
        line=0,
    )


class _Guesses:
    """Translated messages, to find the one most like a new one."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._by_msgid = {
            message.msgid: message
            for message in sorted(messages, key=lambda message: (message.msgid, message.context or ""))
            if any(message.translations) and not message.is_fuzzy
        }

    def find(self, fresh: Message) -> Message | None:
        near = difflib.get_close_matches(fresh.msgid, self._by_msgid, n=1, cutoff=_NEAR)
        return self._by_msgid[near[0]] if near else None
