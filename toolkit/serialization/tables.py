"""Tables of anybody: files with the names of columns in the first row, or in each."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from toolkit.errors import ContentError
from toolkit.serialization.formats.base import kind_of
from toolkit.serialization.formats.json import iter_lines, iter_values
from toolkit.serialization.formats.reading import PIECE_BYTES, RECORD_BYTES, too_long
from toolkit.serialization.formulas import unguarded
from toolkit.serialization.records import Place

DELIMITERS = ",;\t|"

_END = re.compile(r"\r\n|\n|\r")


def kind_of_table(path: Path) -> str:
    """The kind of a table by its file's ending: tab-separated values are CSV with another mark between.

    Raises:
        ContentError: It tells none.
    """
    return "csv" if ".tsv" in path.suffixes[-2:] else kind_of(path)


def read_table(
    source: IO[bytes], kind: str, *, encoding: str | None = None, raw: bool = False
) -> Iterator[tuple[Any, Place]]:
    """The rows of a file, each as column to value.

    Args:
        source: The file.
        kind: ``csv``, ``json`` or ``jsonl``.
        encoding: Of a CSV file; by default UTF-8, or UTF-16 if it begins with a mark that says so.
        raw: In CSV, leave an apostrophe before what a spreadsheet would take for a formula where it is.

    Raises:
        ContentError: It is no such file.
    """
    if kind == "json":
        return iter_values(source)
    if kind == "jsonl":
        return iter_lines(source)
    if kind == "csv":
        return _read_csv(_decoded(source, encoding), read=str if raw else unguarded)
    raise ContentError(
        f"a table is not read from {kind}", hint="Use csv, json or jsonl; for a dump: toolkit data load."
    )


def _decoded(source: IO[bytes], encoding: str | None) -> Iterator[str]:
    """The lines of a CSV file, whichever way they end."""
    piece = source.read(PIECE_BYTES)
    if piece.startswith(b"PK\x03\x04"):
        raise ContentError("the file is a workbook, or another archive, and no CSV", hint="Save it as CSV there.")
    marked = "utf-16" if piece.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    line, text = 1, ""
    try:
        "a".encode(encoding or marked)  # which refuses codecs of other things than text
        decoder = codecs.getincrementaldecoder(encoding or marked)()
        while piece or text:
            more = decoder.decode(piece, final=not piece)
            text += more
            if not piece or "\n" in more or "\r" in more:
                *lines, text = _split(text, is_last=not piece)
                line += len(lines)
                yield from lines
            if len(text) > RECORD_BYTES:
                raise too_long(line=line)
            piece = source.read(PIECE_BYTES) if piece else b""
    except (UnicodeError, LookupError) as error:
        told = f"the file is not {encoding or marked.removesuffix('-sig').upper()}: {error}"
        line += _ends_before(error)
        raise ContentError(told, line=line, hint="Say which it is: --encoding latin-1.") from error


def _ends_before(error: Exception) -> int:
    """How many lines end in a piece before the byte that could not be decoded."""
    if not isinstance(error, UnicodeDecodeError):
        return 0
    return len(_END.findall(error.object[: error.start].decode(error.encoding, "ignore")))


def _split(text: str, *, is_last: bool) -> list[str]:
    """The lines of a text with their ends, and what follows the last of these."""
    ends = [found.end() for found in _END.finditer(text)]
    if not is_last and text.endswith("\r"):
        ends.pop()  # the next piece may begin with the other half of its end
    lines = [text[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    rest = text[ends[-1] if ends else 0 :]
    return [*lines, rest, ""] if is_last and rest else [*lines, "" if is_last else rest]


def _read_csv(lines: Iterator[str], *, read: Callable[[str], str]) -> Iterator[tuple[Any, Place]]:
    head = next(lines, "")
    delimiter = max(DELIMITERS, key=head.count)
    before = csv.field_size_limit(RECORD_BYTES)  # the module has one for the whole process
    reader = csv.reader(itertools.chain([head], lines), delimiter=delimiter, strict=True)
    header: list[str] = []
    number = line = 0
    try:
        for cells in reader:
            begin, line = line + 1, reader.line_num
            if not any(cells):
                continue
            if not header:
                header = _header(cells)
                continue
            number += 1
            if len(cells) != len(header):
                told = (
                    f"the row has {len(cells)} {'cell' if len(cells) == 1 else 'cells'}, and the header {len(header)}"
                )
                yield ContentError(told, line=begin), Place(begin, number)
                continue
            yield dict(zip(header, map(read, cells), strict=True)), Place(begin, number)
    except csv.Error as error:
        raise ContentError(f"the file is no CSV: {error}", line=line + 1) from error
    finally:
        csv.field_size_limit(before)


def _header(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ContentError(f"the column {twice!r} stands twice", line=1)
    if any("\0" in name for name in names):
        raise ContentError(
            "the names of the columns have null characters", line=1, hint="Perhaps: --encoding utf-16-le."
        )
    return names
