"""Several values as one text, and back: ``acme|7``."""

from __future__ import annotations

from collections.abc import Iterable


def join_parts(parts: Iterable[str]) -> str:
    r"""Texts with ``|`` between them; in a text it is ``\|``, and a backslash ``\\``."""
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def split_parts(text: str) -> list[str]:
    """The texts that ``join_parts`` joined."""
    found, is_escaped = [""], False
    for letter in text:
        if is_escaped or letter not in "\\|":
            found[-1] += letter
            is_escaped = False
        elif letter == "|":
            found.append("")
        else:
            is_escaped = True
    return found
