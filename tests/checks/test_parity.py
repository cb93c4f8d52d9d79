"""The server must answer what was built: a difference is found wherever it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.builder import Builder
from toolkit.checks.built import Built
from toolkit.checks.parity import check_parity, difference


@pytest.fixture
def built(make_site: Any) -> Built:
    pages = '\n@app.page("/about/", template="404.html", aliases=["/about-us/"])\ndef about():\n    return {}\n'
    site = make_site(pages=pages)
    return Built(site, Path(Builder(site, workers=1).build().output))


def letters(built: Built) -> list[str]:
    return [str(finding) for finding in check_parity(built)]


def test_pages_feeds_assets_public_files_and_absent_pages_agree(built: Built) -> None:
    assert letters(built) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_page_that_redirects_agrees_with_any_redirect(make_site: Any, status: int) -> None:
    site = make_site({"redirects.csv": f"from,to,status\n/old/,/stories/flood/,{status}\n"})
    built = Built(site, Path(Builder(site, workers=1).build().output))
    assert built.files["old/index.html"].owner == "redirect"
    assert letters(built) == []


def test_a_redirect_to_another_site_agrees(make_site: Any) -> None:
    site = make_site({"redirects.csv": "from,to,status\n/old/,https://shop.example/?a=1&b=2,301\n"})
    assert letters(Built(site, Path(Builder(site, workers=1).build().output))) == []


def test_a_page_that_was_changed_by_hand_differs(built: Built) -> None:
    path = built.output / "stories/flood/index.html"
    path.write_bytes(path.read_bytes().replace(b"rained", b"snowed"))
    assert "is built as" in letters(built)[0]
    assert "snowed" in letters(built)[0]


def test_a_row_that_changed_since_the_build_differs(built: Built) -> None:
    story = next(model for model in built.site.models if model.__name__ == "Story")
    with built.site:
        story.objects.all().update(title="Another")
    assert any(letter.startswith("/stories/flood/: the ETag is") for letter in letters(built))


def test_an_asset_that_changed_since_the_build_differs(built: Built) -> None:
    (built.site.folder / "public/favicon.ico").write_text("y")
    assert any("/favicon.ico: line 1 is built as b'x' and served as b'y'" in letter for letter in letters(built))


def test_the_first_difference_is_shown_with_its_line() -> None:
    assert difference(b"a\nb", b"a\nc") == "line 2 is built as b'a\\nb' and served as b'a\\nc'"
