"""Headers by path: one list, the later rule wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import Problems
from toolkit.site.headers import HeaderRule, HeaderRules, site_headers
from toolkit.testing import temporary_site


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/*", "/", True),
        ("/fonts/*", "/fonts/a.woff2", True),
        ("/fonts/*", "/fonts", False),
        ("/*.pdf", "/a/b.pdf", True),
        ("/*.pdf", "/a/b.pdf.txt", False),
        ("/aa*aa", "/aaa", False),
        ("/town/", "/town/", True),
        ("/town/", "/town/x/", False),
    ],
)
def test_a_pattern_has_one_star_for_any_text(pattern: str, path: str, fits: bool) -> None:
    assert HeaderRule(pattern, ()).fits(path) is fits


def test_a_later_rule_wins_and_an_empty_value_takes_away() -> None:
    rules = HeaderRules(
        [HeaderRule("/*", (("Cache-Control", "no-cache"), ("X-A", "1")))],
        [HeaderRule("/b/*", (("cache-control", "max-age=1"), ("X-A", "")))],
    )
    assert rules.of("/a/") == {"Cache-Control": "no-cache", "X-A": "1"}
    assert rules.of("/b/c") == {"cache-control": "max-age=1"}
    assert rules.apply("/b/", [("Content-Type", "text/html"), ("X-A", "1")]) == [
        ("Content-Type", "text/html"),
        ("cache-control", "max-age=1"),
    ]
    assert rules.apply("/a/", [("X-A", "9")]) == [("X-A", "9")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('[headers."fonts/*"]\nX-A = "1"', r"headers: 'fonts/\*' is no path. Write /path, with at most one \*"),
        ('[headers."/*/b/*"]\nX-A = "1"', r"is no path"),
        ('[headers."/a"]\n"X A" = "1"', r"X A = '1': that is no name of a header"),
        ('[headers."/a"]\nContent-Type = "text/plain"', r"follows from the file, and is not to be set"),
        ('[headers."/a"]\nX-A = 1', r"X-A = 1: expected text"),
        ('[headers."/a"]\nX-A = "a\\nSet-Cookie: b"', r"printable ASCII"),
    ],
)
def test_what_cannot_be_a_header_is_told(tmp_path: Path, line: str, told: str) -> None:
    with temporary_site(tmp_path, settings=line, tables=False) as site, pytest.raises(Problems, match=told):
        site_headers(site)


def test_assets_are_kept_for_ever_and_pages_asked_for_again(tmp_path: Path) -> None:
    with temporary_site(tmp_path, tables=False) as site:
        rules: Any = site_headers(site)
    assert rules.of("/town/")["Cache-Control"] == "no-cache"
    assert rules.of("/static/site.1.css")["Cache-Control"] == "public, max-age=31536000, immutable"
    assert rules.of("/town/")["X-Content-Type-Options"] == "nosniff"
