"""What every kind of content file offers once it is parsed: its rows, and where each value stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from toolkit.errors import ContentError

Step = str | int


class Place(NamedTuple):
    """Where something stands in a file.

    Args:
        line: From 1; None when it is not known.
        column: From 1, or the name of a column of data.
        row: Row of tabular data, from 1 (the header is row 1).
    """

    line: int | None = None
    column: int | str | None = None
    row: int | None = None


class Document(Protocol):
    """A parsed content file."""

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Key to value, for each row."""

    def locate(self, row: int, path: tuple[Step, ...] = (), *, key: bool = False) -> Place:
        """Where a value stands, or its key.

        Args:
            row: Index of the row, from 0.
            path: Keys and indexes that lead to the value; empty for the row itself.
            key: The place of the last key rather than of its value.
        """

    def text_of(self, row: int, path: tuple[Step, ...]) -> str | None:
        """The value as it is written, where the file's format gave it a type of its own; None where it did not."""


def content_error(message: str, path: str, place: Place, hint: str | None = None) -> ContentError:
    """An error about a place in a file."""
    return ContentError(message, path=path, line=place.line, column=place.column, row=place.row, hint=hint)
