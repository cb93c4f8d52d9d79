"""Pseudo-languages keep everything that is not words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.i18n.catalog import Catalog, Message
from toolkit.i18n.check import check_catalog
from toolkit.i18n.placeholders import OPAQUE
from toolkit.i18n.po import format_po, parse_po
from toolkit.i18n.pseudo import PSEUDO_LOCALES, pseudo, pseudo_catalog


def test_accents_brackets_and_length() -> None:
    assert pseudo("Read the story") == "[Ŕéåð ţĥé šţöŕý one two]"


def test_placeholders_tags_entities_and_addresses_stay() -> None:
    text = 'By <a href="/x" title="y">%(name)s</a>, {count} &amp; 100%% at https://a.example/b %d'
    for locale in PSEUDO_LOCALES:
        assert OPAQUE.findall(pseudo(text, locale)) == OPAQUE.findall(text)


def test_words_turn_right_to_left_one_by_one() -> None:
    assert pseudo("Go %(n)s", "ar-XB") == "\u200f\u202eGo\u202c\u200f %(n)s"


@given(st.text(alphabet="ab <>%(){}/&;\n\tn1"), st.sampled_from(PSEUDO_LOCALES))
def test_blanks_at_the_ends_stay(text: str, locale: str) -> None:
    changed = pseudo(text, locale)
    assert changed[: len(changed) - len(changed.lstrip())] == text[: len(text) - len(text.lstrip())]
    assert changed[len(changed.rstrip()) :] == text[len(text.rstrip()) :]


def test_a_pseudo_catalog_passes_the_checks_and_has_every_form() -> None:
    template = Catalog((Message("Sure?"), Message("%(n)s dog", None, "%(n)s dogs"), Message("May", "month")))
    for locale, count in (("en-XA", 2), ("ar-XB", 6)):
        catalog = pseudo_catalog(template, locale)
        assert [len(message.translations) for message in catalog] == [1, count, 1]
        assert all(message.is_translated for message in catalog)
        assert [found for found in check_catalog(catalog) if found.severity == "error"] == []
        assert parse_po(format_po(catalog).encode(), locale=locale).header["Language"] == locale.replace("-", "_")
