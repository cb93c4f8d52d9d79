"""Checking catalogs: what translators get wrong without noticing, and what would break a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import CatalogError, Problems, ToolkitError

from .catalog import Catalog, Message
from .checks import CHECKS, Check, Pair, Severity
from .plurals import PluralForms, PluralRule, header_forms, plural_forms
from .po import read_po
from .soundness import has_right_count

CATALOG_CHECKS: dict[str, tuple[Severity, str]] = {
    "syntax": ("error", "the file cannot be read, or has a message twice"),
    "plural-forms": ("error", "the Plural-Forms header cannot be read"),
    "plural-language": ("warning", "Plural-Forms has another number of forms than the language"),
    "plural-count": ("error", "a message has more or fewer forms than Plural-Forms says"),
    "plural-empty": ("warning", "some forms of a message are not translated"),
    "language": ("warning", "the Language header is not that of the folder"),
    "same-translation": ("info", "two source texts have one translation"),
}
"""The checks on a message or a catalog as a whole: id to severity and what it finds."""

_TRIED = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a check found.

    Attributes:
        path: The catalog; None for one made in memory.
        line: Line of the message, from 1; 0 for the catalog as a whole.
        id: Name of the check.
        severity: ``"error"``, ``"warning"`` or ``"info"``.
        message: What is wrong.
        msgid: Source text of the message; empty for the catalog as a whole.
        locale: BCP 47 tag.
    """

    path: Path | None
    line: int
    id: str
    severity: Severity
    message: str
    msgid: str = ""
    locale: str | None = None

    def __str__(self) -> str:
        about = f" in {self.msgid[:40]!r}" if self.msgid else ""
        return f"{self.path or 'catalog'}:{self.line}: {self.severity}: {self.message}{about} [{self.id}]"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "path": None if self.path is None else self.path.as_posix()}


def check_ids() -> dict[str, tuple[Severity, str]]:
    """Every check: id to its severity and what it finds."""
    return {**CATALOG_CHECKS, **{check.id: (check.severity, check.about) for check in CHECKS}}


def check_file(path: Path, *, locale: str, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Check a PO file; one that cannot be read is a finding for each place.

    Args:
        path: The file.
        locale: BCP 47 tag of its language.
        checks: The checks on one text; a site may hand over its own with the built-in ones.
    """
    try:
        return check_catalog(read_po(path, locale=locale), checks=checks)
    except Problems as found:
        problems: Iterable[ToolkitError] = found.problems
    except CatalogError as problem:
        problems = [problem]
    return [_syntax(problem, path, locale) for problem in problems]


def _syntax(problem: ToolkitError, path: Path, locale: str) -> Finding:
    message = f"{problem.message}. {problem.hint}" if problem.hint else problem.message
    return Finding(path, problem.line or 0, "syntax", "error", message, locale=locale)


def check_catalog(catalog: Catalog, *, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """All findings of a catalog by line. Obsolete, fuzzy and untranslated messages are left alone.

    Args:
        catalog: A catalog with a locale.
        checks: See :func:`check_file`.
    """
    found = list(_check_header(catalog))
    try:
        forms = header_forms(catalog.header, catalog.locale)
        rule = forms.compile()
    except CatalogError as problem:
        return [*found, _finding(catalog, None, "plural-forms", problem.message)]
    shown = [message for message in catalog.active if any(message.translations) and not message.is_fuzzy]
    for message in shown:
        found += _check_message(message, catalog, forms)
        pairs = list(_pairs(message, catalog.locale or "", rule))
        for check in checks:
            found += _run(check, message, pairs, catalog)
    found += _check_same(shown, catalog)
    return sorted(found, key=lambda finding: (finding.line, finding.id, finding.message))


def _finding(catalog: Catalog, message: Message | None, check: str, text: str) -> Finding:
    line, msgid = (message.line, message.msgid) if message else (0, "")
    return Finding(catalog.path, line, check, CATALOG_CHECKS[check][0], text, msgid, catalog.locale)


def _is_silenced(message: Message, check: str) -> bool:
    return f"ignore-{check}" in message.flags


def _run(check: Check, message: Message, pairs: Sequence[Pair], catalog: Catalog) -> Iterator[Finding]:
    """One check on all forms of a message, each sentence once."""
    if _is_silenced(message, check.id):
        return
    sentences = dict.fromkeys(sentence for pair in pairs for sentence in check.find(pair))
    for sentence in sentences:
        yield Finding(catalog.path, message.line, check.id, check.severity, sentence, message.msgid, catalog.locale)


def _check_header(catalog: Catalog) -> Iterator[Finding]:
    language = catalog.header.get("Language", "")
    if catalog.locale and language and language.replace("_", "-").lower() != catalog.locale.lower():
        yield _finding(catalog, None, "language", f"the Language header is {language!r}, not {catalog.locale}")
    value = catalog.header.get("Plural-Forms", "")
    if not catalog.locale or "nplurals" not in value or "INTEGER" in value:
        return
    usual, said = plural_forms(catalog.locale), value.split("=", 1)[1].split(";")[0].strip()
    if said.isdigit() and int(said) != usual.count:
        text = f"Plural-Forms says {said} forms; {catalog.locale} has {usual.count}: {usual}"
        yield _finding(catalog, None, "plural-language", text)


def _check_message(message: Message, catalog: Catalog, forms: PluralForms) -> Iterator[Finding]:
    """What concerns all forms together."""
    if not has_right_count(message, forms):
        if not _is_silenced(message, "plural-count"):
            text = f"it has {len(message.translations)} forms; Plural-Forms says {forms.count}"
            yield _finding(catalog, message, "plural-count", text)
    elif not message.is_translated and not _is_silenced(message, "plural-empty"):
        empty = [f"msgstr[{index}]" for index, text in enumerate(message.translations) if not text]
        yield _finding(catalog, message, "plural-empty", f"{', '.join(empty)} is empty")


def _check_same(messages: Sequence[Message], catalog: Catalog) -> Iterator[Finding]:
    """Different sentences with one translation: a copy that was pasted and not edited."""
    first: dict[str, Message] = {}
    for message in messages:
        text = message.translations[0]
        if message.plural is not None or len(text.split()) < 3:
            continue  # "Save" and "Store" may well be one word
        other = first.setdefault(text.casefold(), message)
        if other.msgid.casefold() != message.msgid.casefold() and not _is_silenced(message, "same-translation"):
            yield _finding(catalog, message, "same-translation", f"{other.msgid[:40]!r} has this translation too")


def _pairs(message: Message, locale: str, rule: PluralRule) -> Iterator[Pair]:
    """Each translated form with the source text it goes with."""
    if message.plural is None:
        yield Pair(message, message.msgid, message.translations[0], locale)
        return
    numbers: dict[int, list[int]] = {}
    for number in range(_TRIED):
        numbers.setdefault(rule(number), []).append(number)
    for index, text in enumerate(message.translations):
        if text:
            used = numbers.get(index, [])
            source = message.msgid if used == [1] else message.plural
            yield Pair(message, source, text, locale, is_exact=len(used) == 1)
