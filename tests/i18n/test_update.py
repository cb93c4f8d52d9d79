"""Updating catalogs: nothing lost, nothing guessed, nothing moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import Problems
from toolkit.i18n.catalog import Catalog, Message
from toolkit.i18n.extract import make_template
from toolkit.i18n.po import format_po, parse_po, read_po
from toolkit.i18n.update import new_catalog, update_catalog, update_catalogs

SPANISH = """\
# Spanish, by Marta.
msgid ""
msgstr ""
"Project-Id-Version: courier 1\\n"
"POT-Creation-Date: 2023-01-01 10:00+0000\\n"
"PO-Revision-Date: 2023-02-01 10:00+0000\\n"
"Language: es\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"X-Generator: Poedit 3.4\\n"
"X-Poedit-Basepath: ..\\n"

# Not "leer", see the style guide.
#: old.py:12
#, ignore-punctuation
msgid "Read more"
msgstr "Sigue leyendo"

#: old.py:13
msgid "Gone"
msgstr "Ido"

msgid "Gone too"
msgstr ""

#~ msgid "Back again"
#~ msgstr "De vuelta"
"""


def spanish() -> Catalog:
    return parse_po(SPANISH.encode(), locale="es")


def template(*messages: Message) -> Catalog:
    return make_template(messages)


IN_USE = template(
    Message("Read more", locations=("a.py",), comments=("A link.",)),
    Message("Back again", locations=("a.py",)),
    Message("%(n)s story", None, "%(n)s stories", ("b.html",), flags=("python-format",)),
)


def test_what_translators_wrote_is_kept() -> None:
    more = update_catalog(spanish(), IN_USE).find("Read more")
    assert more is not None
    assert more.translations == ("Sigue leyendo",)
    assert more.notes == ('Not "leer", see the style guide.',)
    assert more.flags == ("ignore-punctuation",)
    assert (more.locations, more.comments) == (("a.py",), ("A link.",))


def test_every_header_field_is_kept_and_no_date_is_touched() -> None:
    updated = update_catalog(spanish(), IN_USE)
    assert dict(updated.header) == dict(spanish().header)
    assert updated.notes == ("Spanish, by Marta.",)


def test_a_header_without_plural_forms_gets_those_of_the_language() -> None:
    for said in ({}, {"Plural-Forms": "nplurals=INTEGER; plural=EXPRESSION;"}):
        updated = update_catalog(Catalog(header=said, locale="pl"), IN_USE)
        assert updated.header["Plural-Forms"].startswith("nplurals=3;")
        assert updated.header["Content-Type"] == "text/plain; charset=UTF-8"


def test_unused_messages_become_obsolete_when_they_have_a_translation() -> None:
    updated = update_catalog(spanish(), IN_USE)
    assert [(message.msgid, message.translations) for message in updated.obsolete] == [("Gone", ("Ido",))]


def test_obsolete_messages_come_back_with_their_translation() -> None:
    back = update_catalog(spanish(), IN_USE).find("Back again")
    assert back is not None and back.translations == ("De vuelta",)


def test_new_messages_are_empty_in_all_forms_and_never_guessed() -> None:
    arabic = update_catalog(new_catalog("ar"), IN_USE)
    story = arabic.find("%(n)s story")
    assert story is not None and story.translations == ("",) * 6 and not story.is_fuzzy


def test_a_guess_is_made_only_when_asked_for_and_marked() -> None:
    fresh = template(Message("Read more!"))
    assert update_catalog(spanish(), fresh).active[0].translations == ("",)
    guess = update_catalog(spanish(), fresh, fuzzy=True).active[0]
    assert guess.translations == ("Sigue leyendo",) and guess.is_fuzzy
    assert guess.previous == ('msgid "Read more"',)
    assert '#, fuzzy\n#| msgid "Read more"\nmsgid "Read more!"' in format_po(Catalog(messages=(guess,)))


def test_a_message_that_begins_to_count_keeps_its_translation_in_the_first_form() -> None:
    fresh = template(Message("Gone", plural="%d gone"))
    assert update_catalog(spanish(), fresh).active[0].translations == ("Ido", "")


def test_a_message_that_no_longer_counts_keeps_one_form() -> None:
    counted = update_catalog(spanish(), template(Message("a", plural="as")))
    counted = counted.with_messages(tuple(replace(m, translations=("", "b")) for m in counted.active))
    assert update_catalog(counted, template(Message("a"))).active[0].translations == ("b",)


def test_a_format_flag_follows_the_source_and_a_no_flag_silences_it() -> None:
    flagged = Message("x", flags=("python-format",))
    known = Catalog(messages=(Message("x", translations=("y",), flags=("no-python-format",)),), locale="es")
    assert update_catalog(known, template(flagged)).active[0].flags == ("no-python-format",)
    known = Catalog(messages=(Message("x", translations=("y",), flags=("python-format",)),), locale="es")
    assert update_catalog(known, template(Message("x"))).active[0].flags == ()


def test_new_catalogs_have_the_plural_forms_of_their_language(tmp_path: Path) -> None:
    update_catalogs(IN_USE, tmp_path, ["ar", "pl", "pt-BR"])
    arabic = polib.pofile(str(tmp_path / "ar/LC_MESSAGES/messages.po"))
    assert arabic.metadata["Plural-Forms"].startswith("nplurals=6; ")
    assert arabic.metadata["Language"] == "ar"
    (counted,) = (entry for entry in arabic if entry.msgid_plural)
    assert list(counted.msgstr_plural) == [0, 1, 2, 3, 4, 5]
    assert polib.pofile(str(tmp_path / "pt_BR/LC_MESSAGES/messages.po")).metadata["Language"] == "pt_BR"


def test_the_second_run_changes_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "es/LC_MESSAGES/messages.po"
    path.parent.mkdir(parents=True)
    path.write_text(SPANISH)
    first = update_catalogs(IN_USE, tmp_path, ["es", "ar"])
    assert [(update.locale, update.created, update.written) for update in first] == [
        (None, True, True),
        ("es", False, True),
        ("ar", True, True),
    ]
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.rglob("*.po*")}
    assert not any(update.written for update in update_catalogs(IN_USE, tmp_path, ["es", "ar"]))
    assert before == {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.rglob("*.po*")}


def test_the_run_says_what_it_did(tmp_path: Path) -> None:
    path = tmp_path / "es/LC_MESSAGES/messages.po"
    path.parent.mkdir(parents=True)
    path.write_text(SPANISH)
    update = update_catalogs(IN_USE, tmp_path, ["es"])[1]
    assert (update.added, update.revived, update.retired, update.dropped, update.guessed) == (1, 1, 1, 1, 0)


def test_a_broken_catalog_stops_the_run_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "es/LC_MESSAGES/messages.po"
    path.parent.mkdir(parents=True)
    path.write_text(SPANISH + '\nmsgid "x"\nmsgstr "\n')
    with pytest.raises(Problems, match=r"no catalog was written:\n  .*messages\.po:30"):
        update_catalogs(IN_USE, tmp_path, ["ar", "es"])
    assert list(tmp_path.rglob("*.po*")) == [path]


def test_a_bad_plural_header_is_reported_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "es/LC_MESSAGES/messages.po"
    path.parent.mkdir(parents=True)
    path.write_text(SPANISH.replace("nplurals=2; plural=(n != 1);", "two"))
    with pytest.raises(Problems, match=r"messages\.po: Plural-Forms is 'two'"):
        update_catalogs(IN_USE, tmp_path, ["es"])


def test_polib_finds_every_translation_in_the_updated_file(tmp_path: Path) -> None:
    path = tmp_path / "es/LC_MESSAGES/messages.po"
    path.parent.mkdir(parents=True)
    path.write_text(SPANISH)
    update_catalogs(IN_USE, tmp_path, ["es"])
    file = polib.pofile(str(path))
    assert {entry.msgid: entry.msgstr for entry in file.translated_entries()} == {
        "Read more": "Sigue leyendo",
        "Back again": "De vuelta",
    }
    assert {entry.msgid for entry in file.obsolete_entries()} == {"Gone"}


names = st.sampled_from(["a", "b", "c", "d"])
translated = st.dictionaries(names, st.sampled_from(["", "X", "Y"]))


@given(translated, st.lists(st.sets(names), min_size=1, max_size=4))
def test_no_translation_is_ever_lost_whatever_comes_and_goes(start: dict[str, str], runs: list[set[str]]) -> None:
    catalog = Catalog(messages=tuple(Message(name, translations=(text,)) for name, text in start.items()), locale="es")
    for used in runs:
        catalog = update_catalog(catalog, template(*map(Message, used)))
        catalog = replace(parse_po(format_po(catalog).encode(), locale="es"))
        assert {message.msgid for message in catalog.active} == used
        assert format_po(update_catalog(catalog, template(*map(Message, used)))) == format_po(catalog)
    kept = {message.msgid: message.translations[0] for message in catalog}
    assert {name: text for name, text in start.items() if text} == {name: text for name, text in kept.items() if text}


def test_the_template_is_one_that_other_tools_read(tmp_path: Path) -> None:
    update_catalogs(IN_USE, tmp_path, [])
    assert [entry.msgid for entry in polib.pofile(str(tmp_path / "messages.pot"))] == [
        "%(n)s story",
        "Back again",
        "Read more",
    ]
    assert read_po(tmp_path / "messages.pot").locale is None
