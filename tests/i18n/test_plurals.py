"""Plural forms of languages, checked against CLDR and against what their speakers say."""

from __future__ import annotations

import pytest

from toolkit.errors import CatalogError
from toolkit.i18n.plurals import header_forms, parse_plural_forms, plural_forms

EXPECTED = {
    # language: (forms, {form index: numbers that take it})
    "en": (2, {0: [1], 1: [0, 2, 11, 1000000]}),
    "fr": (2, {0: [0, 1], 1: [2, 1000000]}),
    "pt-BR": (2, {0: [0, 1], 1: [2]}),
    "pt-PT": (2, {0: [1], 1: [0, 2]}),
    "ar": (6, {0: [0], 1: [1], 2: [2], 3: [3, 10, 103, 110], 4: [11, 99, 111], 5: [100, 101, 102, 1000]}),
    "pl": (3, {0: [1], 1: [2, 4, 22, 34, 102], 2: [0, 5, 11, 12, 14, 21, 112]}),
    "cs": (3, {0: [1], 1: [2, 3, 4], 2: [0, 5, 22, 104]}),
    "sl": (4, {0: [1, 101, 201], 1: [2, 102], 2: [3, 4, 103], 3: [0, 5, 11, 100]}),
    "ga": (5, {0: [1], 1: [2], 2: [3, 6], 3: [7, 10], 4: [0, 11, 101]}),
    "ja": (1, {0: [0, 1, 2, 1000]}),
    "ru": (3, {0: [1, 21, 101], 1: [2, 24, 103], 2: [0, 5, 11, 12, 111, 25]}),
    "lt": (3, {0: [1, 21], 1: [2, 9, 22], 2: [0, 10, 11, 19, 30]}),
    "lv": (3, {0: [0, 10, 11, 30], 1: [1, 21, 101], 2: [2, 9, 22]}),
    "cy": (6, {0: [0], 1: [1], 2: [2], 3: [3], 4: [6], 5: [4, 5, 7, 100]}),
    "he": (3, {0: [1], 1: [2], 2: [0, 3, 20]}),
    "tr": (2, {0: [1], 1: [0, 2]}),
}


@pytest.mark.parametrize("locale", EXPECTED)
def test_numbers_take_the_form_of_their_language(locale: str) -> None:
    count, numbers = EXPECTED[locale]
    forms = plural_forms(locale)
    rule = forms.compile()
    assert forms.count == count
    assert {index: [number for number in some if rule(number) == index] for index, some in numbers.items()} == numbers


@pytest.mark.parametrize("locale", ["ar", "br", "cs", "cy", "ga", "gv", "he", "kw", "mt", "pl", "ro", "sl", "sr-Latn"])
def test_numbers_of_one_cldr_category_share_a_form_and_others_do_not(locale: str) -> None:
    from babel import Locale

    category, rule = Locale.parse(locale, sep="-").plural_form, plural_forms(locale).compile()
    pairs = {(category(number), rule(number)) for number in range(2000)}
    assert len(pairs) == len({name for name, _ in pairs}) == len({index for _, index in pairs})


def test_the_headers_of_common_languages_are_spelt_as_everywhere() -> None:
    assert str(plural_forms("es")) == "nplurals=2; plural=(n != 1);"
    assert str(plural_forms("fr")) == "nplurals=2; plural=(n > 1);"
    assert str(plural_forms("ja")) == "nplurals=1; plural=0;"


def test_an_unknown_language_counts_like_english() -> None:
    assert plural_forms("tlh").count == 2


def test_a_catalogs_own_header_is_believed() -> None:
    header = {"Plural-Forms": "nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2"}
    assert header_forms(header, "lv").compile()(0) == 2


def test_without_a_header_the_language_says() -> None:
    assert header_forms({}, "ar").count == 6
    assert header_forms({"Plural-Forms": "nplurals=INTEGER; plural=EXPRESSION;"}, "pl").count == 3
    assert header_forms({}, None).count == 2


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("two forms", "Plural-Forms is 'two forms'"),
        ("nplurals=2; plural=n **** 1;", "cannot be read"),
        ("nplurals=2; plural=__import__('os');", "cannot be read"),
        ("nplurals=2; plural=n % 0;", "cannot be read"),
        (
            "nplurals=2; plural=n == 1 ? 0 : n == 2 ? 1 : 2;",
            "picks form 2, but nplurals is 2. Set nplurals=3",
        ),
    ],
)
def test_a_bad_header_is_refused(header: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message.replace("*", r"\*").replace("(", r"\(")):
        parse_plural_forms(header).compile()
