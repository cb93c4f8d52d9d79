"""Files of any size: the same memory for many rows as for few, and bounds on what one record may take."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.serialization.world import URLS, Place, dumped
from toolkit.errors import ContentError
from toolkit.serialization import Record, format_of, read_table
from toolkit.serialization.formats import reading
from toolkit.trace import Scope

ROWS = int(os.environ.get("TOOLKIT_TEST_ROWS", "6000"))
"""How many rows are many; 300000 shows it best, and takes minutes."""

GROWTH_MIB = 12 if ROWS < 100_000 else 30
"""What caches of the database, of natural keys and of rows on their way may take beyond what few rows take."""


def measured(url: str, kind: str, rows: int, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.serialization.large", url, kind, str(rows), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["added"] == rows + 20
    return found


def test_many_rows_take_the_memory_of_few() -> None:
    """Told by natural keys, and in one array: what would be the easiest to hold as a whole."""
    few, many = (measured("sqlite", "json", rows, "natural") for rows in (1_000, ROWS))
    assert many["dumped"] - few["dumped"] < GROWTH_MIB
    assert many["loaded"] - few["loaded"] < GROWTH_MIB


@pytest.mark.skipif("TOOLKIT_TEST_ROWS" not in os.environ, reason="takes minutes: set TOOLKIT_TEST_ROWS")
@pytest.mark.parametrize("url", ["sqlite", *URLS[1:]])
@pytest.mark.parametrize("kind", ["json", "jsonl", "xml"])
def test_many_rows_take_the_memory_of_few_everywhere(url: str, kind: str) -> None:
    few, many = (measured(url, kind, rows) for rows in (1_000, ROWS))
    assert many["loaded"] - few["loaded"] < GROWTH_MIB


class Endless(io.RawIOBase):
    """A file that begins somehow and then repeats a letter for ever."""

    def __init__(self, start: bytes) -> None:
        self._start, self.given = start, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._start[: len(buffer)] or b"x" * len(buffer)
        self._start = self._start[len(piece) :]
        buffer[: len(piece)] = piece
        self.given += len(piece)
        return len(piece)


BEGINNINGS = {
    "json": b'[{"model": "world.Place", "fields": {"name": "',
    "jsonl": b'{"model": "world.Place", "fields": {"name": "',
    "yaml": b"- model: world.Place\n  fields:\n    name: '",
    "xml": b'<rows><row model="world.Place"><field name="name">',
    "csv": b'$model,name\nworld.Place,"',
}


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_record_without_an_end_is_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte in one field is not read to its end; the bound is lowered here, for it is a matter of time alone."""
    for module in (reading, *map(_module, ("json", "csv"))):
        monkeypatch.setattr(module, "RECORD_BYTES", 1 << 20)
    source = Endless(BEGINNINGS[kind])
    with pytest.raises(ContentError, match=r"longer than 1 MiB|larger than field limit|no XML"):
        list(format_of(kind).read(io.BufferedReader(source)))
    assert source.given < 16 << 20


def _module(kind: str) -> Any:
    return sys.modules[type(format_of(kind)).__module__]


def test_a_table_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.serialization import tables

    monkeypatch.setattr(tables, "RECORD_BYTES", 1 << 20)
    with pytest.raises(ContentError, match="no record may be"):
        list(read_table(io.BufferedReader(Endless(b"name\n")), "csv"))


@pytest.mark.parametrize("kind", ["jsonl", "xml"])
def test_what_could_not_be_loaded_is_not_dumped(kind: str, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.serialization import dumping
    from toolkit.serialization.formats import xml

    monkeypatch.setattr(dumping, "RECORD_BYTES", 20)
    monkeypatch.setattr(xml, "LONGEST_TEXT_BYTES", 20)
    Place.objects.create(name="A place with a long name")
    with pytest.raises(ContentError, match=r"world\.Place \S+ is longer than|name is longer than the 10 MB"):
        dumped(scope, kind, models=[Place])


def pieces(text: bytes, size: int) -> io.BufferedReader:
    """A file that gives a few bytes at a time."""

    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.left = text

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            piece, self.left = self.left[: min(size, len(buffer))], self.left[min(size, len(buffer)) :]
            buffer[: len(piece)] = piece
            return len(piece)

    return io.BufferedReader(Slow(), buffer_size=1)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_an_array_may_come_in_pieces(size: int, ensure_ascii: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PIECE_BYTES", size)
    values = [{"a": 'é\U0001f600\\"\n', "n": [1234567.25e-3, True, None, False]}, 12345, -0.5, "", [], {"b": {}}]
    text = json.dumps(values, ensure_ascii=ensure_ascii, indent=1).encode()
    json_module = _module("json")
    found = list(json_module.iter_values(pieces(text, size)))
    assert [value for value, _ in found] == values
    assert [place.line for _, place in found] == list(_lines_of_items(text.decode(), values))


def _lines_of_items(text: str, values: list[Any]) -> Iterator[int]:
    decoder, at = json.JSONDecoder(), 1
    for _ in values:
        while text[at] in " ,\n":
            at += 1
        yield text.count("\n", 0, at) + 1
        at = decoder.raw_decode(text, at)[1]


def test_what_is_wrong_in_an_array_is_told_with_line_and_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PIECE_BYTES", 4)
    with pytest.raises(ContentError, match="no JSON") as caught:
        list(format_of("json").read(io.BytesIO(b'[{"model": "a.B"},\n  {"model": nothing}]')))
    assert (caught.value.line, caught.value.column) == (2, 13)


def test_records_come_while_the_file_is_read() -> None:
    """The first record is there before the last was asked for."""
    for kind in ("json", "jsonl", "yaml", "xml", "csv"):
        out = io.StringIO(newline="")
        rows = [Record("world.Place", str(number), {"name": "n" * 1000}) for number in range(300)]
        format_of(kind).write(rows, out)
        source = io.BytesIO(out.getvalue().encode())
        next(iter(format_of(kind).read(source)))
        assert source.tell() < len(out.getvalue()) // 2, kind
