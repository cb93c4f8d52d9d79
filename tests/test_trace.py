"""What a page was made of."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.trace import (
    ABSENT,
    EDITOR,
    PREVIEW,
    READER,
    Scope,
    Trace,
    current,
    digest,
    digest_bytes,
    entered,
    record,
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(plain)
def test_a_digest_is_sixteen_bytes_and_the_same_each_time(value: Any) -> None:
    assert digest(value) == digest(value)
    assert len(digest(value)) == 16


@given(st.dictionaries(st.text(), st.integers(0, 9), min_size=2))
def test_the_order_of_a_dict_does_not_matter(value: dict[str, int]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], [2, 1]),
        (["ab", "c"], ["a", "bc"]),
        ([None], []),
        (["1"], [1]),
        ([True], [1]),
        ([b"a"], ["a"]),
        (["a"], ["A"]),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        (date(2026, 1, 1), date(2026, 1, 2)),
    ],
)
def test_values_that_differ_have_digests_that_differ(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)


def test_a_digest_does_not_depend_on_the_hash_seed() -> None:
    script = "from toolkit.trace import digest; print(digest({'b': [1, 'x'], 'a': {'z': None}}).hex())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_the_first_read_of_a_thing_counts() -> None:
    trace = Trace()
    trace.record("file", ("a.md",), b"1")
    trace.record("file", ("a.md",), b"2")
    trace.record("file", ("b.md",), ABSENT)
    trace.record("setting", ("title",), b"3")
    assert len(trace) == 3
    assert next((found.kind, found.key, found.digest) for found in trace) == ("file", ("a.md",), b"1")
    assert trace.keys_of("file") == [("a.md",), ("b.md",)]
    assert trace.keys_of("asset") == []


def test_reads_are_recorded_in_the_current_trace_only() -> None:
    record("file", ("nobody",), b"1")
    outer, inner = Trace(), Trace()
    with entered(Scope(None, None, trace=outer)):
        record("file", ("outer",), b"1")
        with entered(Scope(None, None, trace=inner)):
            record("file", ("inner",), b"1")
        with entered(Scope(None, None)):
            record("file", ("untraced",), b"1")
        record("file", ("outer again",), b"1")
    assert outer.keys_of("file") == [("outer",), ("outer again",)]
    assert inner.keys_of("file") == [("inner",)]
    assert current.get() is None


def test_a_scope_ends_with_its_block_even_when_the_block_fails() -> None:
    with pytest.raises(ValueError, match="no"), entered(Scope(None, None)):
        raise ValueError("no")
    assert current.get() is None


def test_threads_have_scopes_of_their_own() -> None:
    seen: list[Any] = []
    with entered(Scope(None, None)):
        thread = threading.Thread(target=lambda: seen.append(current.get()))
        thread.start()
        thread.join()
    assert seen == [None]


@pytest.mark.parametrize(
    ("viewer", "locale", "sight"),
    [
        (READER, "en", (True, False, False)),
        (READER, "es", (True, True, True)),
        (PREVIEW, "en", (False, False, False)),
        (PREVIEW, "es", (False, True, True)),
        (EDITOR, "en", (False, False, False)),
        (EDITOR, "es", (False, False, True)),
    ],
)
def test_what_a_query_must_mind_follows_from_viewer_and_locale(viewer: Any, locale: str, sight: Any) -> None:
    assert Scope(None, None, viewer, locale).sight == sight


def test_now_is_the_scopes_moment_or_the_wall_clock() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert Scope(None, None, moment=noon).now() == noon
    assert Scope(None, None).now().tzinfo is UTC


def test_the_digest_of_a_file_is_that_of_its_bytes() -> None:
    assert digest_bytes(b"a") != digest_bytes(b"b")
    assert digest_bytes(b"") != ABSENT


def test_a_part_is_read_by_whoever_has_it_and_changes_nothing_that_was_read_before() -> None:
    part, inner, page = Trace(), Trace(), Trace()
    inner.record("file", ("inner.txt",), b"1")
    part.record("file", ("a.txt",), b"2")
    part.include(inner)
    part.shapes["q"] = "shape"
    page.record("file", ("a.txt",), b"3")
    page.include(part)
    assert page.inputs == {("file", ("a.txt",)): b"3", ("file", ("inner.txt",)): b"1"}
    assert page.shapes == {"q": "shape"} and page.has("file", ("inner.txt",)) and len(page) == 2
    assert page.keys_of("file") == [("a.txt",), ("inner.txt",)]
    assert part.inputs == {("file", ("a.txt",)): b"2", ("file", ("inner.txt",)): b"1"}
    other = Trace()
    other.merge(page)
    assert other.inputs == page.inputs


def test_what_is_around_a_part_was_read_before_it() -> None:
    page = Trace()
    page.record("file", ("a.txt",), b"1")
    assert Trace(outer=page).has("file", ("a.txt",)) and not Trace(outer=page).inputs
