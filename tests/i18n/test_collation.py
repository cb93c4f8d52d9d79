"""Sorting as dictionaries do."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.i18n import sort_key

SORTED = {
    "en": ["Adam", "adàm", "Ådam", "Bee", "cab", "coop", "co-op", "Coop", "É", "zoo", "Ωmega", "Яна", "أحمد"],
    "es": ["nube", "ñu", "oso", "pan"],
    "sv": ["Adam", "Zebra", "Åsa", "Ärla", "Öberg"],
    "da": ["Bo", "Zoe", "Ærø", "Øst", "Aabenraa", "Åse"],
    "de": ["Apfel", "Äpfel", "Bär", "Strasse", "Straße", "Zug"],
    "cs": ["cihla", "čáp", "dům", "hrad", "chata", "ruka", "řeka"],
    "pl": ["Lublin", "Lwów", "Łódź", "Ząb", "Źle", "Żar"],
    "hr": ["cesta", "čaj", "ćud", "dom", "džep", "đak", "luk", "ljeto"],
    "tr": ["Ilgaz", "Irmak", "izmir", "İzmir"],
    "hu": ["cukor", "csap", "ostoba", "öreg"],
    "cy": ["cath", "chwaer", "da", "ddoe"],
    "ar": ["أحمد", "باسم", "تامر", "يوسف"],
    "ru": ["Анна", "Егор", "Ёлка", "Яна"],
}


@pytest.mark.parametrize("locale", SORTED)
def test_words_sort_as_in_the_languages_dictionaries(locale: str) -> None:
    words = SORTED[locale]
    assert sorted(random.Random(7).sample(words, len(words)), key=sort_key(locale)) == words


def test_accents_count_only_between_equal_letters_and_case_only_after_them() -> None:
    assert sorted(["résumé", "resume", "Resume", "resumes"], key=sort_key("fr")) == [
        "resume", "Resume", "résumé", "resumes",
    ]  # fmt: skip


def test_numbers_come_before_letters_and_punctuation_before_numbers() -> None:
    assert sorted(["a", "1", "(x)", "Z"], key=sort_key("en")) == ["(x)", "1", "a", "Z"]


def test_regions_sort_like_their_language() -> None:
    assert sort_key("es-MX")("ñu") == sort_key("es")("ñu")


@given(st.text(), st.text(), st.sampled_from(["en", "es", "cs", "tr", "ar", "hu"]))
def test_only_equal_texts_have_equal_keys_and_order_does_not_hang_on_composition(a: str, b: str, locale: str) -> None:
    import unicodedata

    key = sort_key(locale)
    assert (key(a) == key(b)) == (unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b))
    assert key(unicodedata.normalize("NFD", a)) == key(a)
