"""What is compared of contenders' pages: the stories, not the markup around them."""

from __future__ import annotations

from pathlib import Path

from .contents import differing, gist_of

PAGE = (
    '<h1 class="t">Cats &amp; dogs</h1><ol><li><h3><a href="/posts/a/">A &quot;cat&quot;</a></h3></ol>'
    '<a rel="tag" href="/tags/x/">X</a>'
)


def test_a_gist_is_the_same_however_it_is_escaped() -> None:
    other = PAGE.replace("&quot;", "&#34;").replace('class="t"', 'class="u" id="v"').replace("<ol>", "\n  <ol>\n")
    assert gist_of(other) == gist_of(PAGE)
    assert gist_of(PAGE).stories == (("/posts/a/", 'A "cat"'),)


def test_a_page_with_other_stories_is_named(tmp_path: Path) -> None:
    for name, text in (("one", PAGE), ("two", PAGE.replace("/posts/a/", "/posts/b/"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(text)
    lines = list(differing([("one", tmp_path / "one"), ("two", tmp_path / "two")]))
    assert len(lines) == 1
    assert lines[0].startswith("index.html: stories of one: (('/posts/a/'")
