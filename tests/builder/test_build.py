"""What a build does, step by step."""

from __future__ import annotations

from typing import Any


def test_a_second_build_renders_nothing(press: Any) -> None:
    first = press.build()
    assert first.rendered == first.pages > 40
    again = press.same()
    assert (again.rendered, again.count("written"), again.count("removed")) == (0, 0, 0)
