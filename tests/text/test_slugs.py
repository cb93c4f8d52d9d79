from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import ValidationError
from toolkit.text import slugify


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("  spaces -- and_underscores  ", "spaces-and_underscores"),
        ("Straße", "strasse"),
        ("STRASSE: ẞ", "strasse-ss"),
        ("Ærø, Ørsted & Łódź", "aero-orsted-lodz"),
        ("Ñandú ¿qué?", "nandu-que"),
        ("Đà Nẵng", "da-nang"),
        ("Þingvellir", "thingvellir"),
        ("don't, don’t", "dont-dont"),
        ("½ price ﬁsh", "1-2-price-fish"),
        ("3.5% of 1,000", "3-5-of-1-000"),
        ("Привет, мир", "privet-mir"),
        ("Άνοιξη στην Αθήνα", "anoixi-stin-athina"),
        ("soft\u00adhyphen and\u200bzero", "softhyphen-andzero"),
        ("www.example.org/a/b", "www-example-org-a-b"),
    ],
)
def test_a_slug_is_the_words_in_a_to_z(text: str, slug: str) -> None:
    assert slugify(text) == slug


@pytest.mark.parametrize(
    ("text", "locale", "slug"),
    [
        ("Überflüssige Äpfel", "de", "ueberfluessige-aepfel"),
        ("Überflüssige Äpfel", "de_CH", "ueberfluessige-aepfel"),
        ("Smørrebrød på Gården", "da", "smoerrebroed-paa-gaarden"),
        ("L'été à l’hôtel", "fr-CA", "l-ete-a-l-hotel"),
        ("IĞDIR İstanbul", "tr", "igdir-istanbul"),
        ("Григорій", "uk", "hryhorii"),
        ("Ångström", "sv", "angstrom"),
    ],
)
def test_the_language_decides_how_its_letters_are_rewritten(text: str, locale: str, slug: str) -> None:
    assert slugify(text, locale=locale) == slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("فيضان النَّهـــر", "فيضان-النهر"),
        ("مدرسة؟ نعم، ١٢٣", "مدرسة-نعم-١٢٣"),
        ("\u200fعربي\u200e", "عربي"),
        ("می‌خواهم", "می-خواهم"),
        ("हिन्दी में", "हिन्दी-में"),
        ("日本語 の タイトル", "日本語-の-タイトル"),
        ("Élan Vital", "élan-vital"),
        ("❤️ Love", "love"),
    ],
)
def test_other_scripts_keep_their_letters_when_asked(text: str, slug: str) -> None:
    assert slugify(text, allow_unicode=True) == slug


def test_the_same_title_in_two_normal_forms_has_one_slug() -> None:
    decomposed = unicodedata.normalize("NFD", "Café Ñ أهلا")
    for allow_unicode in (False, True):
        composed = slugify("Café Ñ أهلا", allow_unicode=allow_unicode, default="")
        assert slugify(decomposed, allow_unicode=allow_unicode, default="") == composed


def test_nothing_left_is_an_error_that_names_the_way_out() -> None:
    with pytest.raises(ValidationError, match=r"no slug can be made of '\?\?\?'. Give a slug by hand"):
        slugify("???")
    with pytest.raises(ValidationError, match="allow_unicode=True to keep letters"):
        slugify("日本語")
    assert slugify("???", default="untitled") == "untitled"


def test_a_long_slug_is_cut_after_a_whole_word() -> None:
    assert slugify("one two three", max_length=9) == "one-two"
    assert slugify("one two three", max_length=7) == "one-two"
    assert slugify("one two three", max_length=8) == "one-two"
    assert slugify("unbreakable", max_length=5) == "unbre"


@given(st.text())
def test_an_ascii_slug_is_clean_and_its_own_slug(text: str) -> None:
    slug = slugify(text, default="")
    assert re.fullmatch(r"([a-z0-9]([a-z0-9_-]*[a-z0-9])?)?", slug)
    assert slugify(slug, default="") == slug


@given(st.text())
def test_a_unicode_slug_has_no_separators_at_its_ends_and_is_its_own_slug(text: str) -> None:
    slug = slugify(text, allow_unicode=True, default="")
    assert slug == slug.strip("-_")
    assert not re.search(r"[\s/?#%&.]", slug)
    assert slugify(slug, allow_unicode=True, default="") == slug


@given(st.text(min_size=1), st.integers(min_value=1, max_value=20))
def test_max_length_holds(text: str, length: int) -> None:
    assert len(slugify(text, max_length=length, allow_unicode=True, default="")) <= length
