"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from toolkit.text.patterns import deferred


def test_it_is_used_as_any_pattern() -> None:
    found = deferred(r"(?P<day>\d+)\.", re.IGNORECASE)
    assert found.findall("31. 12. 9") == ["31", "12"]
    assert found.sub("x", "1.2.") == "xx"
    match = found.fullmatch("31.")
    assert match is not None and match["day"] == "31"
    assert found.pattern == r"(?P<day>\d+)\." and found.flags & re.IGNORECASE
    assert found.sub.__self__.findall("7.") == ["7"]  # type: ignore[attr-defined]  # the pattern itself by now


def test_a_mistake_shows_when_it_is_used() -> None:
    found = deferred("(")
    with pytest.raises(re.error, match="unterminated subpattern"):
        found.search("x")
