from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.text import plain_text, truncate_chars, truncate_html, truncate_words, word_count


def test_words_are_kept_whole_and_punctuation_does_not_dangle() -> None:
    assert truncate_words("One, two, three.", 2) == "One, two…"
    assert truncate_words("One, two, three.", 3) == "One, two, three."
    assert truncate_words("Is it? It is.", 2, end=" (more)") == "Is it? (more)"
    assert truncate_words("日本語の文章", 3) == "日本語…"
    assert truncate_words("الخبر، ثم الرأي", 1) == "الخبر…"
    assert truncate_words("a b", 0) == "…"
    assert truncate_words("", 0) == ""


def test_characters_include_the_ellipsis() -> None:
    assert truncate_chars("Alder Bay", 9) == "Alder Bay"
    assert truncate_chars("Alder Bay Courier", 10) == "Alder Bay…"
    assert truncate_chars("Alder", 1) == "…"
    assert truncate_chars("Alder", 2, end="...") == ".."


@pytest.mark.parametrize("joined", ["e\u0301", "👩\u200d👧", "👍🏽", "🇪🇸", "بَ", "❤\ufe0f"])
def test_what_is_read_as_one_character_is_not_parted(joined: str) -> None:
    for length in range(1, len(joined) + 2):
        cut = truncate_chars(f"x{joined} more text", length)
        assert cut in ("…", "x…", f"x{joined}…"), repr(cut)


@given(st.text(), st.integers(0, 40))
def test_truncated_text_keeps_its_limits(text: str, limit: int) -> None:
    assert len(truncate_chars(text, limit)) <= limit or text == ""
    assert word_count(truncate_words(text, limit, end="")) <= word_count(text)


@pytest.mark.parametrize(
    ("html", "words", "expected"),
    [
        ("<p>one <b>two three</b> four</p>", 2, "<p>one <b>two…</b></p>"),
        ("<p>one <b>two</b> three</p>", 2, "<p>one <b>two…</b></p>"),
        ("<p>one two</p>", 2, "<p>one two</p>"),
        (
            "<p>one two</p><!-- three --><script>four</script>",
            2,
            "<p>one two</p><!-- three --><script>four</script>",
        ),
        ("<p><b>D</b>rop caps here</p>", 1, "<p><b>D</b>rop…</p>"),
        ("<p>Caf&eacute;s &amp; bars</p>", 1, "<p>Caf&eacute;s…</p>"),
        ("<p>caf&eacute; bar</p>", 1, "<p>caf&eacute;…</p>"),
        ("<p>a&nbsp;b c</p>", 2, "<p>a&nbsp;b…</p>"),
        ("one<br/>two<img src='x'>three", 2, "one<br/>two…"),
        ("<ul><li>one<li>two three</ul>", 2, "<ul><li>one<li>two…</li></ul>"),
        ("<p>one<p>two three", 2, "<p>one<p>two…</p>"),
        ('<p title="a > b">one, two</p>', 1, '<p title="a > b">one…</p>'),
        ("a?x=1&b=2 two", 1, "a?x=1&b=2…"),
        ("</b>one</i> two", 1, "</b>one…"),
        ("<p><b>one</p>two three", 2, "<p><b>one</p>two…</b>"),
        ("<p><b>one<p>two three", 2, "<p><b>one<p>two…</p></b>"),
        ("<p>one<two three", 1, "<p>one<two three"),
    ],
)
def test_html_is_cut_between_words_and_closed(html: str, words: int, expected: str) -> None:
    assert truncate_html(html, words) == expected


TAGS = [
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<em class='x'>",
    "</em>",
    "<br>",
    "<li>",
    "<ul>",
    "</ul>",
    "<img src=x>",
]
TEXTS = [
    "&amp;",
    "&copy",
    " ",
    "word",
    "two words",
    "العربية",
    "日本",
    "x<",
    "&",
    "<!-- c -->",
    "<style>s t</style>",
    "\n",
]
pieces = st.lists(st.sampled_from(TAGS + TEXTS), max_size=12).map("".join)


@given(pieces, st.integers(0, 6))
def test_cut_html_reads_as_a_beginning_of_the_whole(html: str, words: int) -> None:
    cut = truncate_html(html, words, end="")
    assert "".join(plain_text(html).split()).startswith("".join(plain_text(cut).split()))
    assert word_count(plain_text(cut)) <= max(words, 0) or cut == html
    if cut != html:
        errors = html5lib.HTMLParser()
        errors.parseFragment(cut)
        assert not any(code == "expected-closing-tag-but-got-eof" for _, code, _ in errors.errors)


@given(pieces, st.integers(0, 6), st.integers(1, 5))
def test_reading_in_small_chunks_changes_nothing(html: str, words: int, size: int) -> None:
    whole = truncate_html(html, words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.text.truncate._CHUNK", size)
        assert truncate_html(html, words) == whole
