"""A page as blocks of text, and what changed between two of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.diff.blocks import Change, block_changes, is_akin, page_blocks, word_changes

PAGE = b"""<!doctype html><html lang="en"><head><title>The  flood</title>
<meta name="description" content="Rain."><link rel="canonical" href="/flood/"><style>p{}</style></head>
<body><header><nav><a href="/">Home</a></nav></header>
<main><h1>The flood</h1><p>It rained <em>for</em>
three days<br>and more. <a href="/rain/">Why</a>.</p><ul><li>one</li><li>two</li></ul>
<figure><img src="/a.jpg" alt="Water"><figcaption>The harbour</figcaption></figure>
<blockquote><p>Never seen.</p></blockquote><script>x()</script><!-- hidden --></main></body></html>"""


def test_a_page_is_read_as_people_read_it() -> None:
    assert page_blocks(PAGE) == [
        "title: The flood",
        "description: Rain.",
        "canonical: /flood/",
        "[Home](/)",
        "# The flood",
        "It rained for three days and more. [Why](/rain/).",
        "- one",
        "- two",
        "![Water](/a.jpg)",
        "The harbour",
        "> Never seen.",
    ]


def test_what_is_no_page_is_text() -> None:
    assert page_blocks(b"") == []
    assert page_blocks(b"only text") == ["only text"]
    assert page_blocks("<p>caf\u00e9".encode()) == ["caf\u00e9"]


def test_changes_are_told_block_by_block() -> None:
    old, new = ["a", "b", "c", "d"], ["a", "B", "c", "d", "e"]
    assert block_changes(old, new) == [Change(("b",), ("B",)), Change((), ("e",))]
    assert list(Change(("b", "c"), ("B",)).pairs()) == [("b", "B"), ("c", "")]


def test_changes_within_a_block_are_told_word_by_word() -> None:
    assert word_changes("It rained for three days.", "It rained for four days!") == [
        ("same", "It rained for "),
        ("old", "three"),
        ("new", "four"),
        ("same", " days"),
        ("old", "."),
        ("new", "!"),
    ]
    assert is_akin("It rained for three days.", "It rained for four days!")
    assert not is_akin("It rained.", "Nobody knows whence 42 came")


BLOCKS = st.lists(st.sampled_from(["a", "b", "c", "long block"]), max_size=12)


@given(old=BLOCKS, new=BLOCKS)
def test_what_stays_is_the_same_on_both_sides(old: list[str], new: list[str]) -> None:
    changes = block_changes(old, new)
    assert (changes == []) == (old == new)
    assert len(old) - sum(len(one.old) for one in changes) == len(new) - sum(len(one.new) for one in changes)


@given(old=st.text(max_size=40), new=st.text(max_size=40))
def test_words_put_together_are_the_blocks(old: str, new: str) -> None:
    found = word_changes(old, new)
    assert "".join(text for kind, text in found if kind != "new") == old
    assert "".join(text for kind, text in found if kind != "old") == new
