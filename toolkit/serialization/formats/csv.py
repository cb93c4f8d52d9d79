"""CSV (RFC 4180): the rows of one model, with the names of the fields in the first line.

An empty cell is NULL. A list (a natural key, many keys) is JSON. Text that is empty, or begins with ``[`` or a quote
(``"``), has a quote before it, so that none is taken for the other.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from toolkit.errors import ContentError
from toolkit.serialization.formats.nested import record_of
from toolkit.serialization.formats.reading import RECORD_BYTES, cut_off, iter_raw_lines, not_utf8
from toolkit.serialization.records import Place, Record

MODEL, KEY, TRANSLATIONS = "$model", "$pk", "$translations"  # as no field can be called


class CSV:
    """The rows of one model."""

    textual = True

    def write(self, records: Iterable[Record], out: IO[str], /) -> None:
        names: list[str] = []
        model = ""
        for record in records:
            if not model:
                model, names = record.model, list(record.fields)
                out.write(csv_line([MODEL, KEY, *names, TRANSLATIONS]))
            elif record.model != model:
                raise ContentError(
                    f"a CSV file has the rows of one model, not of {model} and {record.model}",
                    hint=f"Name one: --model {model}.",
                )
            translations = json.dumps(record.translations, ensure_ascii=False) if record.translations else ""
            cells = [_cell(record.pk), *(_cell(record.fields[name]) for name in names)]
            out.write(csv_line([model, *cells, translations]))

    def read(self, source: IO[bytes], /) -> Iterator[Record | ContentError]:
        before = csv.field_size_limit(RECORD_BYTES)  # the module has one for the whole process
        try:
            yield from _read(csv.reader(_whole(_decoded(source)), strict=True))
        finally:
            csv.field_size_limit(before)


def csv_line(cells: Sequence[str]) -> str:
    """Cells as a line, each in quotation marks where it must be. The module csv leaves a lone carriage return out."""
    quoted = (f'"{cell.replace(chr(34), chr(34) * 2)}"' if set(cell) & set(',"\r\n') else cell for cell in cells)
    return ",".join(quoted) + "\n"


def _decoded(source: IO[bytes]) -> Iterator[str]:
    for line, raw in enumerate(iter_raw_lines(source), 1):
        try:
            yield raw.decode("utf-8-sig" if line == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise not_utf8(error.reason, line=line) from error


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """The lines; a last one without an end is what is left of a longer one."""
    number, line = 0, "\n"
    for line in lines:
        number += 1
        yield line
    if not line.endswith(("\n", "\r")):
        raise cut_off(line=number)


def _read(reader: Any) -> Iterator[Record | ContentError]:
    header: list[str] = []
    number = line = 0
    try:
        for row in reader:
            begin, line = line + 1, reader.line_num
            if not row:
                continue
            if not header:
                _check(row)
                header = row
                continue
            number += 1
            yield _record(header, row, Place(begin, number))
    except csv.Error as error:
        told = str(error).partition(" - ")[0]  # what follows is for who wrote the call
        raise ContentError(f"the file is no CSV: {told}", line=line + 1) from error


def _check(header: list[str]) -> None:
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise ContentError(f"the column {name!r} stands twice", line=1)
    if MODEL not in header:
        raise ContentError(f"there is no column {MODEL!r}", line=1, hint="For other tables: toolkit data import.")


def _record(header: Sequence[str], row: Sequence[str], place: Place) -> Record | ContentError:
    if len(row) != len(header):
        told = f"row {place.number} has {len(row)} cells, and the first line {len(header)}"
        return ContentError(told, line=place.line)
    cells = dict(zip(header, row, strict=True))
    model, pk, translations = cells.pop(MODEL), cells.pop(KEY, ""), cells.pop(TRANSLATIONS, "")
    name = KEY
    try:
        data = {"model": model, "pk": _value(pk), "fields": {}}
        for name, cell in cells.items():
            data["fields"][name] = _value(cell)
        name = TRANSLATIONS
        data["translations"] = json.loads(translations) if translations else {}
    except (ValueError, RecursionError) as error:
        return ContentError(f"a cell of row {place.number} is no JSON: {error}", line=place.line, column=name)
    return record_of(data, place)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return f'"{value}' if value == "" or value[0] in '"[' else str(value)


def _value(cell: str) -> Any:
    if cell == "":
        return None
    if cell.startswith("["):
        return json.loads(cell)
    return cell.removeprefix('"')
