"""How far a translation has come."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .catalog import Catalog, Message
from .placeholders import words_only

_WORD = re.compile(r"\w+(?:['’\-]\w+)*")


@dataclass(frozen=True, slots=True)
class CatalogStats:
    """Counts of one catalog. Words are those of the source text, placeholders and tags left out.

    Attributes:
        locale: BCP 47 tag; None for a template.
        path: The file, if it came from one.
        translated: Messages that readers see in this language: in all forms, not fuzzy.
        fuzzy: Messages whose translation is a guess.
        untranslated: Messages in use without a translation in every form.
        obsolete: Messages no longer used.
        words: Words of all messages in use.
        translated_words: Words of those translated.
    """

    locale: str | None
    path: Path | None
    translated: int
    fuzzy: int
    untranslated: int
    obsolete: int
    words: int
    translated_words: int

    @property
    def messages(self) -> int:
        """Messages in use."""
        return self.translated + self.fuzzy + self.untranslated

    @property
    def percent(self) -> int:
        """Messages translated, in percent, rounded down: 100 means all of them."""
        return self.translated * 100 // self.messages if self.messages else 100

    @property
    def percent_words(self) -> int:
        """Words translated, in percent, rounded down."""
        return self.translated_words * 100 // self.words if self.words else 100

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        counts = asdict(self)
        counts["path"] = None if self.path is None else self.path.as_posix()
        return {
            **counts,
            "messages": self.messages,
            "percent": self.percent,
            "percent_words": self.percent_words,
        }


def catalog_stats(catalog: Catalog) -> CatalogStats:
    """Count a catalog."""
    active = catalog.active
    translated = [message for message in active if message.is_translated and not message.is_fuzzy]
    fuzzy = sum(message.is_fuzzy for message in active)
    return CatalogStats(
        locale=catalog.locale,
        path=catalog.path,
        translated=len(translated),
        fuzzy=fuzzy,
        untranslated=len(active) - len(translated) - fuzzy,
        obsolete=len(catalog.obsolete),
        words=_words(active),
        translated_words=_words(translated),
    )


def _words(messages: Iterable[Message]) -> int:
    return sum(len(_WORD.findall(words_only(text))) for message in messages for text in message.sources)
