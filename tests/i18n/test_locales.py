"""Language tags, names and directions."""

from __future__ import annotations

import pytest

from toolkit.errors import ValidationError
from toolkit.i18n import direction, get_locale, isolate, validate_tag
from toolkit.i18n.locales import folder_name, is_known, parents


def test_a_locale_knows_its_names_and_direction() -> None:
    arabic, spanish = get_locale("ar"), get_locale("es")
    assert (arabic.autonym, arabic.english_name, arabic.direction, arabic.is_rtl) == ("العربية", "Arabic", "rtl", True)
    assert (spanish.autonym, spanish.direction, str(spanish)) == ("Español", "ltr", "es")
    assert get_locale("pt-br").autonym == "Português (Brasil)"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("ar", "rtl"), ("he", "rtl"), ("fa", "rtl"), ("ur", "rtl"), ("ps", "rtl"), ("yi", "rtl"), ("ckb", "rtl"),
        ("dv", "rtl"), ("az-Arab", "rtl"), ("pa-Arab-PK", "rtl"), ("ar-XB", "rtl"), ("ar_EG", "rtl"), ("pa-PK", "rtl"),
        ("es", "ltr"), ("pa", "ltr"), ("az", "ltr"), ("ku", "ltr"), ("ar-Latn", "ltr"), ("ja", "ltr"), ("tlh", "ltr"),
    ],
)  # fmt: skip
def test_direction_follows_the_script(tag: str, expected: str) -> None:
    assert direction(tag) == expected


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("EN", "en"), ("pt-br", "pt-BR"), ("ZH-HANT-tw", "zh-Hant-TW"), ("es-419", "es-419"),
        ("ca-valencia", "ca-valencia"),
        ("sl-ROZAJ-biske", "sl-rozaj-biske"), ("de-DE-1996", "de-DE-1996"), ("en-u-ca-gregory", "en-u-ca-gregory"),
        ("en-x-Twain", "en-x-twain"), ("zh-yue-HK", "zh-yue-HK"),
    ],
)  # fmt: skip
def test_tags_are_written_canonically(tag: str, canonical: str) -> None:
    assert validate_tag(tag) == canonical
    assert validate_tag(canonical) == canonical


@pytest.mark.parametrize("tag", ["", "e", "x-private", "en-", "-en", "en--US", "en US", "es-ES-ES", "en-x", "1n"])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValidationError, match=r"is not a language tag \(BCP 47\)"):
        validate_tag(tag)


def test_gettexts_spelling_is_explained() -> None:
    with pytest.raises(ValidationError, match="'pt_BR' is not a language tag" r".*Write it as 'pt-BR'"):
        get_locale("pt_BR")


def test_parents_are_the_tags_without_their_ends() -> None:
    assert get_locale("zh-Hant-TW").parents == ("zh-Hant", "zh")
    assert parents("en") == ()
    assert parents("en-x-twain") == ("en",)


def test_a_language_that_cldr_does_not_know_is_its_tag() -> None:
    assert not is_known("tlh") and is_known("en-XA")
    assert get_locale("tlh").autonym == "tlh"


def test_catalog_folders_are_spelt_gettexts_way() -> None:
    assert folder_name("zh-Hant-TW") == "zh_Hant_TW"


def test_isolates_keep_a_name_in_its_own_direction() -> None:
    assert isolate("Ana") == "\u2068Ana\u2069"
    assert isolate("Ana", direction="ltr") == "\u2066Ana\u2069"
    assert isolate("سارة", direction="rtl") == "\u2067سارة\u2069"
