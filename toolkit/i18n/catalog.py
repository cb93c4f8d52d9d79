"""What a PO file holds: a header and messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

MessageKey = tuple[str | None, str]
"""What makes a message itself, as in gettext: (context, msgid). The plural is not part of it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its source text, where it is used, and its translations when it sits in a catalog.

    Args:
        msgid: Source text, in the singular.
        context: What tells it from the same words elsewhere (``msgctxt``); None for none.
        plural: Source text in the plural, for a message that counts.
        locations: Files that use it (``#:``).
        comments: What the programmer tells the translators (``#.``).
        translations: One text, or one for each plural form; ``""`` where there is none yet.
        notes: What the translators tell each other (``#``), a line each.
        flags: ``fuzzy``, ``python-format``, ``ignore-urls`` and the like (``#,``).
        previous: The lines of ``#|``: the source text that a fuzzy translation was made for.
        obsolete: No longer used, kept for its translation (``#~``).
        line: Line in its PO file, from 1; 0 when it comes from elsewhere.
    """

    msgid: str
    context: str | None = None
    plural: str | None = None
    locations: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    translations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    previous: tuple[str, ...] = ()
    obsolete: bool = False
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> MessageKey:
        """What makes it this message: its context and msgid."""
        return (self.context, self.msgid)

    @property
    def is_fuzzy(self) -> bool:
        """Marked as a guess: not shown to readers."""
        return "fuzzy" in self.flags

    @property
    def is_translated(self) -> bool:
        """Has a text in every form."""
        return bool(self.translations) and all(self.translations)

    @property
    def sources(self) -> tuple[str, ...]:
        """The source texts: the msgid, and the plural when there is one."""
        return (self.msgid,) if self.plural is None else (self.msgid, self.plural)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The messages of one locale, or with no locale the template (POT) that all catalogs are made from.

    Args:
        messages: In the order of the file, the header left out.
        header: Header fields in the order of the file, such as ``Plural-Forms`` and ``X-Poedit-Basepath``.
        notes: Comment lines above the header.
        flags: Flags of the header entry.
        locale: BCP 47 tag such as ``"pt-BR"``; None for a template.
        path: Where it was read from.
    """

    messages: tuple[Message, ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    locale: str | None = None
    path: Path | None = None

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def __len__(self) -> int:
        return len(self.messages)

    @property
    def active(self) -> list[Message]:
        """The messages still in use."""
        return [message for message in self.messages if not message.obsolete]

    @property
    def obsolete(self) -> list[Message]:
        """The messages kept only for their translations."""
        return [message for message in self.messages if message.obsolete]

    def find(self, msgid: str, *, context: str | None = None) -> Message | None:
        """The message in use with this context and msgid, or None."""
        for message in self.messages:
            if message.msgid == msgid and message.context == context and not message.obsolete:
                return message
        return None

    def with_messages(self, messages: tuple[Message, ...]) -> Catalog:
        """A copy that holds other messages."""
        return replace(self, messages=messages)
