"""The checks: each finds its mistake, and keeps still where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.i18n.catalog import Catalog, Message
from toolkit.i18n.check import Finding, check_catalog, check_file, check_ids
from toolkit.i18n.checks import CHECKS, Check, Pair

from .conftest import HEADER, WriteCatalog

ARABIC = "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);"


def findings(
    source: str, translation: str, *, locale: str = "es", flags: tuple[str, ...] = (), locations: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    message = Message(source, translations=(translation,), flags=flags, locations=locations or ("a.html",))
    return [(found.id, found.message) for found in check_catalog(Catalog((message,), locale=locale))]


MISTAKES = [
    ("placeholders", "By %(name)s", "Por %(nombre)s", "%(nombre)s is not in the source text"),
    ("placeholders", "By %(name)s", "Por Ana", "%(name)s is missing"),
    ("placeholders", "Hello {name}", "Hola {nombre}", "{nombre} is not in the source text"),
    ("placeholders", "%s of %s", "%s", "%s is there 1 times instead of 2"),
    ("placeholders", "By %(name)s", "Por %(name)d", "%(name)d is not in the source text"),
    ("percent", "All", "100 % de todo", "a % that is no placeholder has to be written %%"),
    ("percent", "%(n)s of all", "%(n)s % de todo", "a % that is no placeholder has to be written %%"),
    ("tags", "Read <b>this</b>", "Lee <b>esto", "</b> is missing"),
    ("tags", "Read", "<i>Lee</i>", "<i> is not in the source text"),
    ("attributes", "<a>Go</a>", '<a onclick="x()">Ir</a>', "the attribute onclick is not in the source text"),
    ("newlines", "One\n", "Uno", "source and translation must both end with a newline, or neither"),
    ("newlines", "One", "\nUno", "source and translation must both begin with a newline, or neither"),
    ("bidi", "Name", "\u202eNombre", "a direction mark (U+202A to U+202E, U+2066 to U+2069) is not closed"),
    ("controls", "Name", "Nom\x08bre", "the control character U+0008 is in it"),
    ("encoding", "Year", "AÃ±o", "'Ã±' looks like text read in a wrong charset"),
    ("leading-space", "Name", " Nombre", "the blanks at the beginning are not those of the source text"),
    ("trailing-space", "Name: ", "Nombre:", "the blanks at the end are not those of the source text"),
    ("punctuation", "Sure?", "Seguro.", "ends with a question mark, the translation with a full stop"),
    ("punctuation", "Loading…", "Cargando", "ends with an ellipsis, the translation with none"),
    ("urls", "See https://a.example/x.", "Ve https://b.example/x.", "https://b.example/x is not in the source"),
    ("numbers", "Since 1998", "Desde siempre", "the number 1998 is missing"),
    ("brackets", "Hi (there)", "Hola (tú", "( and ) are not as many"),
    ("double-space", "One two", "Uno  dos", "two blanks follow each other"),
    ("doubled-word", "In the house", "En la la casa", "'la' is there twice in a row"),
    ("unchanged", "Headlines", "Headlines", "the translation is the source text"),
]


@pytest.mark.parametrize(("check", "source", "translation", "sentence"), MISTAKES)
def test_a_mistake_is_found_and_named(check: str, source: str, translation: str, sentence: str) -> None:
    found = findings(source, translation)
    assert any(name == check and sentence in message for name, message in found), found


@pytest.mark.parametrize(("check", "source", "translation", "sentence"), MISTAKES)
def test_a_flag_silences_one_check_for_one_message(check: str, source: str, translation: str, sentence: str) -> None:
    assert check not in dict(findings(source, translation, flags=(f"ignore-{check}",)))


@pytest.mark.parametrize(
    ("source", "translation", "locale"),
    [
        ("By %(name)s on %(date)s.", "El %(date)s, por %(name)s.", "es"),
        ("Are you sure?", "¿Seguro?", "es"),
        ("Are you sure?", "هل أنت متأكد؟", "ar"),
        ("Are you sure?", "Σίγουρα;", "el"),
        ("The end.", "终。", "zh"),
        ("The end.", "จบ", "th"),
        ("Read <a href='x'>more</a>…", "<a href='x'>Sigue leyendo</a>...", "es"),
        ("1,234 stories in 2024", "١٬٢٣٤ قصة في ٢٠٢٤", "ar"),
        ("1,234.5 km", "1 234,5 km", "fr"),
        ("%(name)s wrote", "كتب \u2068%(name)s\u2069", "ar"),
        ("100%% of them", "El 100%% de ellos", "es"),
        ("OK", "OK", "xx"),
        ("“Quoted.”", "«Citado.»", "es"),
    ],
)
def test_a_good_translation_has_no_error_or_warning(source: str, translation: str, locale: str) -> None:
    catalog = Catalog((Message(source, translations=(translation,), locations=("a.html",)),), locale=locale)
    assert [str(found) for found in check_catalog(catalog) if found.severity != "info"] == []


def test_a_percent_sign_in_a_text_that_only_python_shows_is_prose() -> None:
    assert "percent" not in dict(findings("All", "100 % de todo", locations=("app.py",)))


def test_a_length_limit_is_a_flag() -> None:
    assert findings("Go", "Adelante", flags=("max-length:5",)) == [("length", "8 characters; at most 5 have room")]


def plural(forms: list[str], *, header: str = ARABIC) -> list[tuple[str, str]]:
    message = Message("%(n)s story", plural="%(n)s stories", translations=tuple(forms), flags=("python-format",))
    catalog = Catalog((message,), header={"Plural-Forms": header}, locale="ar")
    return [(found.id, found.message) for found in check_catalog(catalog)]


GOOD_ARABIC = ["لا مقالات", "مقال واحد", "مقالان", "%(n)s مقالات", "%(n)s مقالًا", "%(n)s مقال"]


def test_forms_for_one_number_may_leave_it_out_and_the_others_may_not() -> None:
    assert plural(GOOD_ARABIC) == []
    assert plural([*GOOD_ARABIC[:5], "مقال"]) == [("placeholders", "%(n)s is missing")]


def test_plural_forms_are_counted() -> None:
    assert plural(GOOD_ARABIC[:2]) == [("plural-count", "it has 2 forms; Plural-Forms says 6")]
    assert plural([*GOOD_ARABIC[:4], "", ""]) == [("plural-empty", "msgstr[4], msgstr[5] is empty")]


def test_the_plural_header_is_checked_against_itself_and_the_language() -> None:
    assert plural(GOOD_ARABIC[3:5], header="nplurals=2; plural=(n != 1);")[0][0] == "plural-language"
    assert [name for name, _ in plural(GOOD_ARABIC, header="nplurals=2; plural=n;")] == [
        "plural-language",
        "plural-forms",
    ]


def test_the_language_header_is_checked() -> None:
    found = check_catalog(Catalog((), header={"Language": "fr"}, locale="es"))
    assert [(finding.id, finding.message) for finding in found] == [("language", "the Language header is 'fr', not es")]


def test_two_sentences_with_one_translation_are_pointed_out() -> None:
    texts = {"Send it now": "Envíalo ahora mismo", "Keep it for later": "Envíalo ahora mismo"}
    messages = tuple(Message(msgid, translations=(text,)) for msgid, text in texts.items())
    assert [finding.id for finding in check_catalog(Catalog(messages, locale="es"))] == ["same-translation"]


def test_fuzzy_obsolete_and_empty_messages_are_left_alone() -> None:
    messages = (
        Message("%(a)s", translations=("x",), flags=("fuzzy",)),
        Message("%(b)s", translations=("x",), obsolete=True),
        Message("%(c)s", translations=("",)),
    )
    assert check_catalog(Catalog(messages, locale="es")) == []


def test_a_file_is_checked_with_its_lines(write_catalog: WriteCatalog) -> None:
    path = write_catalog("es", 'msgid "Sure?"\nmsgstr "Seguro."\n')
    (found,) = check_file(path, locale="es")
    assert (found.path, found.line, found.severity) == (path, HEADER.count("\n") + 1, "warning")
    assert str(found) == (
        f"{path}:6: warning: the source text ends with a question mark, the translation with a full stop"
        " in 'Sure?' [punctuation]"
    )
    assert found.as_dict()["path"] == path.as_posix()


def test_a_file_that_cannot_be_read_is_a_finding_for_each_place(write_catalog: WriteCatalog) -> None:
    path = write_catalog("es", 'msgid "a"\nmsgstr "x\n\nmsgid "b"\nmsgstr "1"\n\nmsgid "b"\nmsgstr "2"\n')
    assert [(found.line, found.id, found.severity) for found in check_file(path, locale="es")] == [
        (7, "syntax", "error"),
        (12, "syntax", "error"),
    ]
    (missing,) = check_file(Path("none.po"), locale="es")
    assert missing.message.startswith("the catalog cannot be read")


def test_a_site_brings_its_own_checks() -> None:
    def find_shouting(pair: Pair) -> list[str]:
        return ["no capitals, please"] if pair.text.isupper() else []

    house = Check("shouting", "warning", "all capitals", find_shouting)
    catalog = Catalog((Message("Now", translations=("AHORA",)),), locale="es")
    assert check_catalog(catalog, checks=[*CHECKS, house]) == [
        Finding(None, 0, "shouting", "warning", "no capitals, please", "Now", "es")
    ]


def test_every_check_has_a_name_a_severity_and_a_description() -> None:
    ids = check_ids()
    assert len(ids) >= 25
    assert all(severity in ("error", "warning", "info") and about for severity, about in ids.values())
