"""Source text laid out as ruff lays it out: on one line if it fits, else one item a line with a comma after each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

LINE_LENGTH = 110
INDENT = "    "


@dataclass(frozen=True)
class Group:
    """Items between brackets.

    Args:
        opening: The bracket and what stands before it.
        items: What stands between, in order.
        closing: The bracket.
        separator: Between the items of one line.
        broken: One item a line even if one line would do.
    """

    opening: str
    items: tuple[Doc, ...]
    closing: str
    separator: str = ", "
    broken: bool = False

    @property
    def flat(self) -> str:
        """All on one line."""
        return self.opening + self.separator.join(_flat(item) for item in self.items) + self.closing

    @property
    def must_break(self) -> bool:
        """Whether it, or something in it, wants lines of its own."""
        return bool(self.items) and (
            self.broken or any(isinstance(item, Group) and item.must_break for item in self.items)
        )


@dataclass(frozen=True)
class Chain:
    """Operands of one operator.

    Args:
        operands: Each as text.
        operator: What stands between them.
        prefix: What stands before the first.
    """

    operands: tuple[str, ...]
    operator: str
    prefix: str = ""

    @property
    def flat(self) -> str:
        """All on one line."""
        return self.prefix + f" {self.operator} ".join(self.operands)


Doc: TypeAlias = str | Group | Chain


def call(name: str, arguments: Iterable[tuple[str, Doc]], *, broken: bool = False) -> Group:
    """A call with keyword arguments; an empty keyword makes it a positional one."""
    items = tuple(_keyword(keyword, value) for keyword, value in arguments)
    return Group(f"{name}(", items, ")", broken=broken)


def render(doc: Doc, *, level: int = 0, used: int = 0) -> str:
    """The text of a document.

    Args:
        doc: What to write.
        level: How deep it is indented, in steps of four spaces.
        used: Characters that stand before it on its first line, indentation apart, and after it on its last.
    """
    if isinstance(doc, str):
        return doc
    if isinstance(doc, Chain):
        fits = len(INDENT) * level + used + len(doc.flat) <= LINE_LENGTH
        return doc.flat if fits else doc.prefix + f"\n{INDENT * level}{doc.operator} ".join(doc.operands)
    if not doc.items or (not doc.must_break and len(INDENT) * level + used + len(doc.flat) <= LINE_LENGTH):
        return doc.flat
    inner = INDENT * (level + 1)
    lines = [f"{inner}{render(item, level=level + 1, used=1)},\n" for item in doc.items]
    return f"{doc.opening}\n{''.join(lines)}{INDENT * level}{doc.closing.lstrip(',')}"


def _keyword(keyword: str, value: Doc) -> Doc:
    if not keyword:
        return value
    if isinstance(value, str):
        return f"{keyword}={value}"
    if isinstance(value, Chain):
        return Chain(value.operands, value.operator, f"{keyword}={value.prefix}")
    return Group(f"{keyword}={value.opening}", value.items, value.closing, value.separator, value.broken)


def _flat(doc: Doc) -> str:
    return doc if isinstance(doc, str) else doc.flat
