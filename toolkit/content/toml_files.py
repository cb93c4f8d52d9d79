"""TOML front matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toolkit.content.place import Place, Step, content_error

_POSITION = re.compile(r"\(at line (\d+), column (\d+)\)")
_LONG_HEX = re.compile(r"\b0[xob]\w{3000}")
"""Of which Python reads a number that it cannot write."""

_END = "(at end of document)"


class TomlDocument:
    """The one row of TOML front matter.

    Args:
        values: What was read.
        text: The text, for positions: ``tomllib`` tells none.
        first_line: Its first line in the file, from 1.
    """

    def __init__(self, values: Mapping[str, Any], text: str, *, first_line: int) -> None:
        self.rows = [values]
        self._lines = text.split("\n")
        self._first_line = first_line

    def locate(self, row: int, path: tuple[Step, ...] = (), *, key: bool = False) -> Place:
        for step in [step for step in path if isinstance(step, str)][:1]:
            named = re.compile(rf"""\s*\[?\s*["']?{re.escape(step)}["']?\s*(=|\.|\])""")
            for number, line in enumerate(self._lines):
                if named.match(line):
                    return Place(number + self._first_line, 1 + len(line) - len(line.lstrip()))
        return Place(self._first_line)

    def text_of(self, row: int, path: tuple[Step, ...]) -> str | None:
        return None


def parse_toml(text: str, *, path: str, first_line: int = 1) -> TomlDocument:
    """Read TOML (toml.io, 1.0); it refuses duplicate keys by itself.

    Raises:
        ContentError: It is no TOML.
    """
    import tomllib

    try:
        values = tomllib.loads(text)
        if _LONG_HEX.search(text):
            str(values)  # raises for such a number as reading one in decimal does; in a comment it is none
        return TomlDocument(values, text, first_line=first_line)
    except tomllib.TOMLDecodeError as error:
        told = str(error)
        found = _POSITION.search(told)
        place = Place(first_line + text.count("\n"))
        if found:
            place = Place(int(found[1]) + first_line - 1, int(found[2]))
        told = _POSITION.sub("", told).replace(_END, "").strip()
        raise content_error(f"the TOML cannot be read: {told}", path, place) from None
    except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
        raise content_error(f"the TOML cannot be read: {error}", path, Place(first_line)) from None
