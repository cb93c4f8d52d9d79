"""The parts of a message that are not words: placeholders, tags, entities, addresses."""

from __future__ import annotations

import re

PERCENT = re.compile(
    r"%(?:(?P<name>\(\w+\))[#0\-+]*(?:\d+)?(?:\.\d+)?[hlL]?(?P<named>[diouxXeEfFgGcrsa])"
    r"|[#0\-+]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<bare>[diouxXeEfFgGcrsa])(?![^\W\d_])"
    r"|(?P<percent>%))"
)
"""printf directives (Python "printf-style String Formatting") without the blank flag: "100 % de" is prose."""

BRACE = re.compile(r"\{\{|\}\}|\{(?P<field>[\w.\[\]]*(?:![rsa])?(?::[^{}]*)?)\}")
"""``str.format`` fields, and the doubled braces that stand for one."""

TAG = re.compile(r"<(?P<close>/?)(?P<name>[a-zA-Z][\w:-]*)(?P<attributes>(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*)>")
ATTRIBUTE = re.compile(r"([a-zA-Z_:@][\w:.-]*)\s*(?:=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]*|#\d+|#x[0-9a-fA-F]+);")
URL = re.compile(r"(?:https?|mailto|tel):[^\s\"'<>()]+[^\s\"'<>().,;:!?]")

OPAQUE = re.compile(
    "|".join(re.sub(r"\(\?P<\w+>", "(?:", pattern.pattern) for pattern in (TAG, ENTITY, URL, PERCENT, BRACE))
)
"""Everything that a translator copies as it is."""


def percent_fields(text: str) -> list[str]:
    """The printf directives of a text, ``%%`` left out: ``["%(name)s", "%d"]``."""
    return [
        f"%{match['name'] or ''}{match['named'] or match['bare']}"
        for match in PERCENT.finditer(text)
        if match["percent"] is None
    ]


def brace_fields(text: str) -> list[str]:
    """The ``str.format`` fields of a text: ``["{name}", "{}"]``, format specifications left out."""
    fields = (match["field"] for match in BRACE.finditer(text))
    return ["{" + re.split("[:!]", field)[0] + "}" for field in fields if field is not None]


def has_bare_percent(text: str) -> bool:
    """A ``%`` that is neither a directive nor doubled: formatting the text would fail."""
    return "%" in PERCENT.sub("", text)


def format_flags(*texts: str) -> tuple[str, ...]:
    """The flags that tell translators' tools which placeholders to check."""
    flags = []
    if any(percent_fields(text) for text in texts) and not any(map(has_bare_percent, texts)):
        flags.append("python-format")
    if any(re.search(r"\{[A-Za-z_]\w*\}", text) for text in texts):
        flags.append("python-brace-format")
    return tuple(flags)


def words_only(text: str) -> str:
    """The text with everything opaque replaced by a blank."""
    return OPAQUE.sub(" ", text)
