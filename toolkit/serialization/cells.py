"""Several values in one cell of a table, commas between; one that has a comma itself stands in quotes, as in CSV."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PART = re.compile(r'\s*(?:"((?:[^"]|"")*)"(?=\s*(?:,|\Z))|([^,]*))\s*(?:,|\Z)')


def joined_cell(texts: Iterable[str]) -> str:
    """Texts as one cell, which ``split_cell`` takes apart again."""
    return ", ".join(map(_quoted, texts))


def _quoted(text: str) -> str:
    if text and text == text.strip() and "," not in text and text[0] != '"':
        return text
    return f'"{text.replace(chr(34), chr(34) * 2)}"'


def split_cell(cell: str) -> list[str]:
    """The texts in a cell. Without quotes they have no white space around them, and none is empty."""
    found = []
    for part in _PART.finditer(cell):
        if part[1] is not None:
            found.append(part[1].replace('""', '"'))
        elif text := part[2].strip():
            found.append(text)
    return found
