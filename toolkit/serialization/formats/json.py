"""JSON (RFC 8259), one array with a record on each line; and JSON Lines, a record on each line and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any

from toolkit.errors import ContentError
from toolkit.serialization.formats.nested import record_of
from toolkit.serialization.records import Place, Record


class _Repeated(ValueError):
    """An object has a key twice."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Repeated(f"the key {key!r} stands twice in one object")
        found[key] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON (RFC 8259 §6)")


_decoder = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_refuse_constant)


def _encoded(record: Record) -> str:
    return json.dumps(record.as_dict(), ensure_ascii=False, allow_nan=False)


def _text(source: IO[bytes]) -> str:
    try:
        return source.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentError(f"the file is not UTF-8: {error.reason} at byte {error.start}") from error


class JSON:
    """One array of records."""

    textual = False

    def write(self, records: Iterable[Record], out: IO[str], /) -> None:
        first = True
        for record in records:
            out.write("[\n" if first else ",\n")
            out.write(_encoded(record))
            first = False
        out.write("[]\n" if first else "\n]\n")

    def read(self, source: IO[bytes], /) -> Iterator[Record | ContentError]:
        for data, place in iter_values(source):
            yield record_of(data, place)


def iter_values(source: IO[bytes]) -> Iterator[tuple[Any, Place]]:
    """The values in an array, one by one: each is told by its line, and none but the text is held.

    Raises:
        ContentError: The file is no array.
    """
    text = _text(source)
    at, line, number = _skip(text, 0), 1, 0
    if text[at : at + 1] != "[":
        raise ContentError("the file is no array of records", line=1, hint="It begins with '['.")
    line, at = line + text.count("\n", 0, at), at + 1
    while True:
        start = _skip(text, at)
        line += text.count("\n", at, start)
        if text[start : start + 1] == "]" and (number == 0 or text[at - 1] != ","):
            break
        try:
            data, end = _decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise ContentError(f"the file is no JSON: {error.msg}", line=error.lineno, column=error.colno) from error
        except (ValueError, RecursionError) as error:
            raise ContentError(f"record {number + 1}: {_told(error)}", line=line) from error
        number += 1
        yield data, Place(line, number)
        line += text.count("\n", start, end)
        at = _skip(text, end)
        line += text.count("\n", end, at)
        if text[at : at + 1] == "]":
            start = at
            break
        if text[at : at + 1] != ",":
            raise ContentError("the file is no JSON: a comma or the end of the array is missing", line=line)
        at += 1
    if text[start + 1 :].strip():
        raise ContentError("something follows the end of the array", line=line)


def _told(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


class JSONLines:
    """A record on each line."""

    textual = False

    def write(self, records: Iterable[Record], out: IO[str], /) -> None:
        for record in records:
            out.write(_encoded(record) + "\n")

    def read(self, source: IO[bytes], /) -> Iterator[Record | ContentError]:
        for data, place in iter_lines(source):
            yield data if isinstance(data, ContentError) else record_of(data, place)


def iter_lines(source: IO[bytes]) -> Iterator[tuple[Any, Place]]:
    """The value on each line; where there is none, why."""
    number = 0
    for line, raw in enumerate(source, 1):
        if raw.strip():
            number += 1
            yield _line(raw, line), Place(line, number)


def _line(raw: bytes, line: int) -> Any:
    try:
        return _decoder.decode(raw.decode("utf-8-sig" if line == 1 else "utf-8").strip())
    except UnicodeDecodeError as error:
        return ContentError(f"the file is not UTF-8: {error.reason}", line=line)
    except json.JSONDecodeError as error:
        return ContentError(f"the line is no JSON: {error.msg}", line=line, column=error.colno)
    except (ValueError, RecursionError) as error:
        return ContentError(f"the line is no JSON: {_told(error)}", line=line)
