"""One counting of inputs, from the manifest and from all processes."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from toolkit.builder.batches import Batch
from toolkit.builder.changes import Changes
from toolkit.builder.interning import UNSURE, Interning
from toolkit.builder.manifest import Manifest
from toolkit.builder.records import PageRecord, decode_key, encode_key
from toolkit.trace import Trace

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FILE = ("file", ("data/a.json",))


@pytest.fixture
def manifest(tmp_path: Path) -> Any:
    """The manifest of one page that read one file."""
    found = Manifest(tmp_path / "manifest.db")
    page = PageRecord(
        ("app:page", None, "en", 1), "/", "index.html", b"d", 1, "text/html", 200, "new", (), array("I", [7])
    )
    found.replace(Changes(NOON, inputs=[(7, FILE[0], encode_key(FILE[1]), b"one")], pages=[page]))
    yield found
    found.close()


def nobody(number: int) -> bool:
    """No kept page relies on any input."""
    return False


def trace(value: bytes) -> Trace:
    made = Trace()
    made.record(*FILE, value)
    return made


def difference(interning: Interning, used: set[int]) -> tuple[dict[int, Any], list[int]]:
    """What is to be written, and dropped."""
    written = {number: (kind, decode_key(key), value) for number, kind, key, value in interning.written(used)}
    return written, interning.dropped(used)


def test_an_input_keeps_its_number(manifest: Any) -> None:
    interning = Interning(manifest, nobody)
    assert list(interning.take(trace(b"one"))) == [7]
    assert difference(interning, {7}) == ({}, [])


def test_what_a_stale_page_reads_anew_is_todays(manifest: Any) -> None:
    interning = Interning(manifest, nobody)
    assert list(interning.take(trace(b"two"))) == [7]
    assert difference(interning, {7}) == ({7: (*FILE, b"two")}, [])
    assert not interning.unsure


def test_what_changed_after_a_page_was_kept_verifies_never(manifest: Any) -> None:
    interning = Interning(manifest, {7}.__contains__)
    interning.take(trace(b"two"))
    assert interning.unsure == {FILE}
    assert difference(interning, {7}) == ({7: (*FILE, UNSURE)}, [])


def test_what_two_processes_read_differently_verifies_never(manifest: Any) -> None:
    interning = Interning(manifest, nobody)
    for sender, value in ((1, b"two"), (2, b"three"), (3, b"two")):
        interning.learn(Batch(sender, inputs=[(0, FILE[0], encode_key(FILE[1]), value)]))
        assert list(interning.translate(sender, array("I", [0]))) == [7]
    assert difference(interning, {7}) == ({7: (*FILE, UNSURE)}, [])


def test_inputs_and_shapes_that_nobody_has_any_more_are_dropped(manifest: Any) -> None:
    interning = Interning(manifest, nobody)
    query = Trace()
    query.record("query", ("shape-1", 3), b"x")
    (number,) = interning.take(query)
    written, dropped = difference(interning, {number})
    assert (list(written), dropped) == ([number], [7])
    shapes = {name: {"footprint": [], "clock": []} for name in ("shape-1", "shape-2")}
    manifest.replace(Changes(NOON, inputs=list(interning.written({number})), dropped_inputs=dropped, shapes=shapes))
    assert set(manifest.shapes()) == {"shape-1"}
    assert manifest.kinds() == {"query"}
