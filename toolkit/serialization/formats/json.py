"""JSON (RFC 8259), one array with a record on each line; and JSON Lines, a record on each line and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any

from toolkit.errors import ContentError
from toolkit.serialization.formats.nested import record_of
from toolkit.serialization.formats.reading import RECORD_BYTES, Text, iter_raw_lines, not_utf8, too_long
from toolkit.serialization.records import Place, Record

LONGEST_TOKEN = 16
"""More characters than an escape or a word such as ``false`` has."""


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
    """The values of an array, one at a time.

    Raises:
        ContentError: It is no array, or no JSON.
    """
    text = Text(source)
    if text.skip_space() != "[":
        raise ContentError("the file is no array of records", line=1, hint="An array begins with '['.")
    text.at += 1
    number = before = 0
    if text.skip_space() == "]":
        text.at += 1
        _refuse_more(text)
        return
    while True:
        text.skip_space()
        line = text.place()[0]
        number += 1
        yield _next_value(text, number), Place(line, number, line == before)
        before = line
        mark = text.skip_space()
        if mark not in ("]", ","):
            line = text.place()[0]
            raise ContentError("the file is no JSON: a comma or the end of the array is missing", line=line)
        text.at += 1
        if mark == "]":
            _refuse_more(text)
            return


def _refuse_more(text: Text) -> None:
    if text.skip_space():
        raise ContentError("something follows the end of the array", line=text.place()[0])


def _next_value(text: Text, number: int) -> Any:
    """The value where reading stands; more of the file is taken until it is whole."""
    while True:
        try:
            data, end = _decoder.raw_decode(text.text, text.at)
        except json.JSONDecodeError as error:
            if text.has_ended or not _may_be_cut_off(error, text.text):
                line, column = text.place(error.pos)
                raise ContentError(f"the file is no JSON: {error.msg}", line=line, column=column) from error
        except (ValueError, RecursionError) as error:
            raise ContentError(f"record {number}: {_told(error)}", line=text.place()[0]) from error
        else:
            if end < len(text.text) or text.has_ended:  # else it may be the beginning of a longer number
                text.at = end
                return data
        if len(text.text) - text.at > RECORD_BYTES:
            raise too_long(number, line=text.place()[0])
        text.more()


def _may_be_cut_off(error: json.JSONDecodeError, text: str) -> bool:
    """Whether what is wrong may be that the text ends here for now."""
    return error.msg.startswith("Unterminated string") or error.pos > len(text) - LONGEST_TOKEN


def _told(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


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
    for line, raw in enumerate(iter_raw_lines(source), 1):
        if raw.strip():
            number += 1
            yield _line(raw, line), Place(line, number)


def _line(raw: bytes, line: int) -> Any:
    try:
        return _decoder.decode(raw.decode("utf-8-sig" if line == 1 else "utf-8").strip())
    except UnicodeDecodeError as error:
        return not_utf8(error.reason, line=line)
    except json.JSONDecodeError as error:
        return ContentError(f"the line is no JSON: {error.msg}", line=line, column=error.colno)
    except (ValueError, RecursionError) as error:
        return ContentError(f"the line is no JSON: {_told(error)}", line=line)
