"""The page that tells people who make the site what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import html5lib
import pytest

from toolkit.errors import ContentError, Problems, TemplateError
from toolkit.server.failures import excerpt, failure_token, plain_page, problem_page


@pytest.fixture
def preview(make_newsroom: Any) -> Any:
    return make_newsroom(preview=True)


def parse(body: bytes) -> str:
    """The text of a page, refused unless it is valid HTML."""
    document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(body, transport_encoding="utf-8")
    return "".join(document.itertext())


def test_it_shows_the_template_the_line_and_the_way_there(preview: Any) -> None:
    got = preview.get("/broken/")
    text = parse(got.body)
    assert got.status == 500
    assert "'wordz'" in text and "'words'" in text
    assert "templates/broken.html:2" in text
    assert "templates/base.html:1" in text
    assert b"<mark>    2  {{ wordz }}</mark>" in got.body


def test_python_errors_come_with_their_traceback(preview: Any) -> None:
    text = parse(preview.get("/wrong/").body)
    assert "ZeroDivisionError: <script>" in text
    assert "in wrong" in text


def test_nothing_that_it_shows_is_markup() -> None:
    error = TemplateError("<script>alert(1)</script>", path="a<b>.html", line=1, hint="<img src=x onerror=alert(1)>")
    body = problem_page(error, '/"><script>', site=type("Site", (), {"folder": Path("/x"), "base_path": ""})).body
    assert body.count(b"<script") == 1
    assert b"<img" not in body
    parse(body)


def test_all_problems_of_a_run_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("one\ntwo\nthree")
    problems = Problems(
        [ContentError("first {x}", path="a.md", line=2), ContentError("second", path="b.md")], summary="Two are wrong"
    )
    body = problem_page(problems, "/", site=type("Site", (), {"folder": tmp_path, "base_path": ""})).body
    text = parse(body)
    assert "Two are wrong" in text and "first {x}" in text and "second" in text
    assert b"<mark>    2  two</mark>" in body


def test_an_excerpt_is_cut_at_the_ends_of_the_file(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.write_text("1\n2\n3")
    assert list(excerpt(place, 1)) == ["<pre><mark>    1  1</mark>    2  2\n    3  3\n</pre>"]
    assert list(excerpt(tmp_path / "absent", 1)) == []


def test_another_failure_has_another_token() -> None:
    assert failure_token(ValueError("a")) != failure_token(ValueError("b"))
    assert failure_token(ValueError("a")) == failure_token(ValueError("a"))


def test_a_status_without_a_page_of_its_own_has_a_plain_one() -> None:
    parse(plain_page(404).body)
    assert b"Not Found" in plain_page(404).body
    assert b"Error" in plain_page(499).body
