"""CSV with a header row (RFC 4180); semicolons and tabs are understood too."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.content.place import Place, Step, content_error

_DELIMITERS = ",;\t"
FIELD_BYTES = 16 * 1024 * 1024
"""The longest cell that is read."""


class CsvDocument:
    """The rows of a CSV file. An empty cell is a value that was not given.

    Args:
        rows: Column to cell, for each row.
        lines: Line on which each row begins.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], lines: list[int]) -> None:
        self.rows = rows
        self._lines = lines

    def locate(self, row: int, path: tuple[Step, ...] = (), *, key: bool = False) -> Place:
        column = str(path[0]) if path else None
        return Place(1 if key else self._lines[row], column, 1 if key else row + 2)

    def text_of(self, row: int, path: tuple[Step, ...]) -> str | None:
        return None


def parse_csv(text: str, *, path: str) -> CsvDocument:
    """Read a CSV text.

    Raises:
        ContentError: There is no header, a column is there twice, or a row has more or fewer cells than the header.
    """
    before = csv.field_size_limit(FIELD_BYTES)  # the module has one for the whole process
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    lines, records, begin = [], [], 1
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise content_error(f"the CSV cannot be read: {error}", path, Place(begin, row=len(records) + 1)) from None
    finally:
        csv.field_size_limit(before)
    if not records:
        raise content_error("there is no header row", path, Place(1), "Name the columns in the first row.")
    header = _header(records[0], path)
    rows = [
        _row(header, record, path, Place(line, row=number))
        for number, (record, line) in enumerate(zip(records[1:], lines[1:], strict=True), 2)
    ]
    return CsvDocument(rows, lines[1:])


def _delimiter(text: str) -> str:
    """The first of comma, semicolon and tab that is in the header."""
    first = text.partition("\n")[0]
    return next((mark for mark in _DELIMITERS if mark in first), ",")


def _header(record: list[str], path: str) -> list[str]:
    names = [name.strip() for name in record]
    seen = set()
    for number, name in enumerate(names, 1):
        if not name:
            raise content_error(f"column {number} has no name", path, Place(1, row=1))
        if name in seen:
            raise content_error(f"the column {name!r} is there twice", path, Place(1, name, 1), "Remove one.")
        seen.add(name)
    return names


def _row(header: list[str], record: list[str], path: str, place: Place) -> dict[str, str]:
    if len(record) != len(header):
        raise content_error(
            f"the row has {len(record)} cells; the header has {len(header)}",
            path,
            place,
            "Put a cell with a comma, a quote or a line break in double quotes.",
        )
    return {name: cell for name, cell in zip(header, record, strict=True) if cell != ""}
