"""How texts and questions are cut into words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.text.searching import SearchQuery, Term, find_excerpt, find_marks, parse_query, tokens, words_of


def one(*words: str, is_prefix: bool = False) -> tuple[Term, ...]:
    return (Term(words, is_prefix),)


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Running councils, and the runner", "en", ["run", "council", "and", "the", "runner"]),
        ("Café cafe CAFÉS", "en", ["cafe", "cafe", "cafe"]),
        ("İstanbul straße Σίσυφος", "en", ["istanbul", "strass", "σισυφοσ"]),
        ("Łódź Lodz œuvre oeuvre Tromsø Tromso ǿ", "xx", ["lodz", "lodz", "oeuvre", "oeuvre", "tromso", "tromso", "o"]),
        ("Isparta ısparta ISPARTA", "tr", ["ispar", "ispar", "ispar"]),
        ("las policías de la policía", "es", ["las", "polici", "de", "la", "polici"]),
        ("النشرات النشرة", "ar", ["نشر", "نشر"]),
        ("東京都 and 水", "en", ["東京", "京都", "and", "水"]),
        ("हिन्दी", "xx", ["हिन्दी"]),
        ("well-known don't x_y 3.14", "xx", ["well", "known", "don", "t", "x", "y", "3", "14"]),
        ("ﬁnance ２０２６", "xx", ["finance", "2026"]),
        ("Jahr\u00adhundert می\u200cخواهم zero\u200bwidth", "xx", ["jahrhundert", "میخواهم", "zero", "width"]),
        ("", "en", []),
    ],
)
def test_words_are_folded_and_cut_to_their_stems(text: str, language: str, words: list[str]) -> None:
    assert words_of(text, language) == words


def test_all_words_are_wanted() -> None:
    assert parse_query("city budgets", "en") == SearchQuery((one("citi"), one("budget")))


def test_words_in_quotes_stand_side_by_side() -> None:
    assert parse_query('"city halls"', "en") == SearchQuery((one("citi", "hall"),))


def test_a_minus_leaves_out() -> None:
    assert parse_query('budget -tax -"sea wall"', "en") == SearchQuery(
        (one("budget"),), (Term(("tax",)), Term(("sea", "wall")))
    )


def test_or_joins_its_neighbours() -> None:
    assert parse_query("ferry OR boat harbour", "en") == SearchQuery(
        ((Term(("ferri",)), Term(("boat",))), one("harbour"))
    )


def test_and_says_what_holds_anyway() -> None:
    assert parse_query("ferry AND boat", "en") == parse_query("ferry boat", "en")
    assert parse_query("ferry OR AND boat and", "en").wanted == (one("ferri"), one("boat"), one("and"))


def test_a_star_goes_on_from_what_word_and_stem_share() -> None:
    assert parse_query("council* running*", "en") == SearchQuery(
        (one("council", is_prefix=True), one("run", is_prefix=True))
    )


@pytest.mark.parametrize("text", ["", '"', "-", "*", "OR", "AND", '-"', "()", "'; --", " \x00 ", '""', "-*"])
def test_a_text_without_words_asks_for_nothing(text: str) -> None:
    assert not parse_query(text, "en")


@given(st.text())
def test_every_text_is_a_query_of_letters_and_digits(text: str) -> None:
    query = parse_query(text, "en")
    for term in [*query.terms, *query.unwanted]:
        assert term.words
        assert all(word and not set(word) & set("'\"\\ ()|&!:*<>-") for word in term.words)


@given(st.text(alphabet="ab c-É'東京", max_size=30))
def test_what_is_asked_for_as_it_stands_is_marked(text: str) -> None:
    query = parse_query(f'"{text}"', "en")
    assert bool(find_marks(text, query, "en")) == bool(query)


def test_marks_are_of_the_text_as_written() -> None:
    text = "The Councils of Café Street"
    marks = find_marks(text, parse_query("council OR cafe", "en"), "en")
    assert [text[start:end] for start, end in marks] == ["Councils", "Café"]


def test_the_excerpt_has_most_of_the_marks() -> None:
    text = "one two three budget four five six budget tax seven eight nine ten eleven"
    marks = find_marks(text, parse_query("budget OR tax", "en"), "en")
    start, end = find_excerpt(text, marks, 6)
    assert text[start:end] == "four five six budget tax seven" or "budget tax" in text[start:end]
    assert len(text[start:end].split()) == 6


def test_many_terms_mark_what_each_alone_would() -> None:
    text = "the ferry to the old city hall ferries city-budget cities oldest city"
    asked = ["ferry", '"city hall"', "old*", "city-bud*", "hall", "zz*"]
    alone = {span for each in asked for span in find_marks(text, parse_query(each, "en"), "en")}
    together = find_marks(text, parse_query(" OR ".join(asked), "en"), "en")
    assert [text[start:end] for start, end in together] == [
        "ferry",
        "old",
        "city hall",
        "ferries",
        "city-budget",
        "oldest",
    ]
    assert set(together) <= alone


@given(st.text())
def test_the_short_way_gives_the_same_words(text: str) -> None:
    assert words_of(text, "en") == [token.word for token in tokens(text, "en")]
