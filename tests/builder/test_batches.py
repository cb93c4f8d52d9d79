"""What a worker tells of the pages that it rendered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.builder.batches import Batch, Numbering, batch_size
from toolkit.builder.inprocess import FULL_COLLECTION, OLDER_COLLECTION, generation_after
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


@pytest.mark.parametrize(
    ("kind", "per_page", "pages"), [("page", None, 100), ("listing", 50, 20), ("listing", 1000, 10), ("feed", None, 25)]
)
def test_pages_that_show_more_go_in_smaller_batches(kind: str, per_page: int | None, pages: int) -> None:
    route: Any = SimpleNamespace(kind=kind, per_page=per_page)
    assert batch_size(route) == pages


def test_the_collector_looks_at_all_of_the_memory_seldom_and_at_a_batch_each_time() -> None:
    assert [generation_after(number) for number in (1, OLDER_COLLECTION, FULL_COLLECTION)] == [0, 1, 2]
