from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.text import plain_text, reading_time_minutes, word_count
from toolkit.text.words import iter_words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (" — … !? ", 0),
        ("one two  three\nfour", 4),
        ("don't well-known 3.14 1,000", 4),
        ("she left—he stayed/waited", 5),
        ("مُحَمَّدٌ ذَهَبَ إِلَى المَدْرَسَةِ", 4),
        ("الخبر، ثم الرأي؛ نعم؟", 4),
        ("日本語の文章。", 6),
        ("東京 Tokyo 2024年", 5),
        ("한국어 문장 입니다", 3),
        ("नमस्ते दुनिया", 2),
        ("สวัสดีชาวโลก", 2),
    ],
)
def test_words_are_counted_as_readers_of_the_script_would(text: str, count: int) -> None:
    assert word_count(text) == count


@given(st.text())
def test_words_are_in_order_and_do_not_overlap(text: str) -> None:
    last = 0
    for start, end in iter_words(text):
        assert last <= start < end <= len(text)
        last = end


def test_reading_time_depends_on_the_language() -> None:
    words = "word " * 228
    assert reading_time_minutes("") == 0
    assert reading_time_minutes("one") == 1
    assert reading_time_minutes(words, locale="en") == 1
    assert reading_time_minutes(words, locale="ar_EG") == 2
    assert reading_time_minutes(words, words_per_minute=76) == 3
    assert reading_time_minutes("字" * 256, locale="zh-Hans") == 2


def test_plain_text_is_what_a_reader_sees() -> None:
    html = "<h1>A &amp; B</h1><p>one\ntwo<br>three <b>f</b>our</p><script>no()</script><ul><li>x<li>y"
    assert plain_text(html) == "A & B\none two\nthree four\nx\ny"
    assert plain_text("  just \n text ") == "just text"


@given(st.text())
def test_plain_text_never_fails(text: str) -> None:
    assert plain_text("<p>" + text) == plain_text("<p>" + text).strip()
