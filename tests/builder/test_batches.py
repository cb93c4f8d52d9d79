"""What a worker tells of the pages that it rendered."""

from __future__ import annotations

from toolkit.builder.batches import Batch, Numbering
from toolkit.trace import Trace


def read(*names: str) -> Trace:
    trace = Trace()
    for name in names:
        trace.record("file", (name,), name.encode())
    return trace


def test_a_part_that_many_pages_have_is_told_once_and_counts_for_each_of_them() -> None:
    inner, part = read("c"), read("a", "b")
    part.include(inner)
    numbering, batch = Numbering(), Batch(1)
    pages = [read("own", "a"), read("other")]
    for page in pages:
        page.include(part)
    first, second = (numbering.take(page, batch) for page in pages)
    told = {number: value.decode() for number, _, _, value in batch.inputs}
    assert [told[number] for number in first] == ["own", "a", "b", "c"]
    assert [told[number] for number in second] == ["other", "a", "b", "c"]
    assert len(batch.inputs) == 5


def test_whoever_counts_anew_tells_a_part_again() -> None:
    part, page = read("a"), read()
    page.include(part)
    for _ in range(2):
        numbering, batch = Numbering(), Batch(1)
        assert list(numbering.take(page, batch)) == [0]
        assert [value for *_, value in batch.inputs] == [b"a"]
