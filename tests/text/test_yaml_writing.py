"""YAML has the same bytes with libyaml and without."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from toolkit.text.yaml_writing import written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"title": "Café", "views": 3, "tags": ["no", None]}, "title: Café\nviews: 3\ntags:\n- 'no'\n- null\n"),
        ({"title": "Ferry \U0001f6a2"}, "title: Ferry \U0001f6a2\n"),
        ([{"": 1}], "- ? ''\n  : 1\n"),
        ({"a\rb": 1}, '"a\\rb": 1\n'),
        ({"'" + "k" * 124: 1}, f"? '''{'k' * 124}'\n: 1\n"),
        ({"path": r"C:\Users"}, "path: C:\\Users\n"),
    ],
    ids=["plain", "beyond U+FFFF", "an empty key", "an odd key", "a long key", "what looks like an escape"],
)
def test_the_bytes_are_those_of_pyyaml(monkeypatch: pytest.MonkeyPatch, value: Any, text: str) -> None:
    assert written(value, lambda base: base) == text
    monkeypatch.delattr(yaml, "CSafeDumper")
    assert written(value, lambda base: base) == text
