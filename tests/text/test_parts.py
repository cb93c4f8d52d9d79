"""Several values as one text, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.text.parts import join_parts, split_parts


@given(st.lists(st.text("ab|\\ é", max_size=6), min_size=1, max_size=4))
def test_what_was_joined_is_split_again(parts: list[str]) -> None:
    assert split_parts(join_parts(parts)) == parts


@pytest.mark.parametrize(
    ("text", "parts"), [("acme|7", ["acme", "7"]), (r"a\|b|c", ["a|b", "c"]), ("", [""]), ("|", ["", ""])]
)
def test_a_text_is_split_at_the_marks(text: str, parts: list[str]) -> None:
    assert split_parts(text) == parts
    assert join_parts(parts) == text
