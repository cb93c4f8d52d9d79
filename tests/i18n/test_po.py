"""Reading and writing PO files, with polib and Babel as independent readers."""

from __future__ import annotations

from pathlib import Path

import polib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import CatalogError, Problems
from toolkit.i18n.catalog import Catalog, Message
from toolkit.i18n.po import format_po, parse_po, read_po

POEDIT = """\
# Spanish of the Courier.
# Marta Vidal <marta@courier.example>, 2024.
#
msgid ""
msgstr ""
"Project-Id-Version: courier\\n"
"Language: es\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"X-Poedit-SourceCharset: UTF-8\\n"
"X-Poedit-SearchPath-0: .\\n"

#. Above the map.
#: newsroom/pages.py templates/map.html
#: templates/with space.html
#, python-format
msgid "%(count)s place"
msgid_plural "%(count)s places"
msgstr[0] "%(count)s lugar"
msgstr[1] "%(count)s lugares"

# Ask the desk.
#, fuzzy
#| msgid "Read on"
msgctxt "link"
msgid "Read more"
msgstr "Leer más"

#, fuzzy
#~| msgid "Old"
#~ msgid "Gone"
#~ msgstr "Ido"
"""


def parse(text: str) -> Catalog:
    return parse_po(text.encode(), path=Path("es.po"), locale="es")


def body(entry: str) -> Catalog:
    return parse('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n' + entry)


def test_everything_translators_tools_write_is_read() -> None:
    catalog = parse(POEDIT)
    places, more, gone = catalog.messages
    assert catalog.header["X-Poedit-SearchPath-0"] == "."
    assert catalog.notes == ("Spanish of the Courier.", "Marta Vidal <marta@courier.example>, 2024.", "")
    assert (places.plural, places.translations) == (
        "%(count)s places",
        ("%(count)s lugar", "%(count)s lugares"),
    )
    assert places.comments == ("Above the map.",)
    assert (more.context, more.is_fuzzy, more.notes) == ("link", True, ("Ask the desk.",))
    assert more.previous == ('msgid "Read on"',)
    assert gone.obsolete and gone.is_fuzzy and gone.previous == ('msgid "Old"',)


def test_each_message_knows_the_line_of_its_msgid() -> None:
    assert [POEDIT.splitlines()[message.line - 1] for message in parse(POEDIT).active] == [
        'msgid "%(count)s place"',
        'msgid "Read more"',
    ]


def test_writing_keeps_headers_notes_flags_previous_texts_and_obsolete_messages() -> None:
    catalog = parse(POEDIT)
    again = parse(format_po(catalog))
    assert again == parse(format_po(again))
    assert dict(again.header) == dict(catalog.header)
    assert sorted(again.messages, key=str) == sorted(
        (
            message
            if not message.locations
            else Message(**{**fields(message), "locations": tuple(sorted(message.locations))})
            for message in catalog.messages
        ),
        key=str,
    )


def fields(message: Message) -> dict[str, object]:
    return {name: getattr(message, name) for name in Message.__dataclass_fields__}


def test_polib_reads_what_we_write_as_it_reads_the_original() -> None:
    ours, theirs = polib.pofile(format_po(parse(POEDIT))), polib.pofile(POEDIT)
    assert ours.metadata == theirs.metadata
    for entry in theirs:
        same = ours.find(entry.msgid, include_obsolete_entries=True, msgctxt=entry.msgctxt or False)
        assert same is not None
        assert (same.msgstr, same.msgstr_plural, same.flags, same.comment, same.obsolete) == (
            entry.msgstr,
            entry.msgstr_plural,
            entry.flags,
            entry.comment,
            entry.obsolete,
        )
        assert same.previous_msgid == entry.previous_msgid


def test_locations_lose_their_line_numbers_and_keep_their_spaces() -> None:
    catalog = body('#: a.py:12 a.py:40 \u2068my file.html\u2069:3\nmsgid "x"\nmsgstr ""\n')
    assert catalog.messages[0].locations == ("a.py", "my file.html")
    assert "#: a.py\n#: \u2068my file.html\u2069\n" in format_po(catalog)


def test_messages_are_written_sorted_with_the_obsolete_ones_last() -> None:
    messages = (
        Message("b"),
        Message("a", obsolete=True, translations=("A",)),
        Message("a", "z"),
        Message("a"),
    )
    text = format_po(Catalog(messages=messages))
    assert [line for line in text.splitlines() if "msgid" in line][1:] == [
        'msgid "a"',
        'msgid "a"',
        'msgid "b"',
        '#~ msgid "a"',
    ]


def test_long_texts_break_only_after_newlines() -> None:
    text = format_po(Catalog(messages=(Message("word " * 60, translations=("one\ntwo",)),)))
    assert '"\nmsgstr ""\n"one\\n"\n"two"\n' in text
    assert max(map(len, text.splitlines())) > 300


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@given(st.dictionaries(texts.filter(bool), st.tuples(texts, texts, st.none() | texts), max_size=5))
def test_any_text_survives_writing_and_reading(contents: dict[str, tuple[str, str, str | None]]) -> None:
    messages = tuple(
        Message(msgid, context, plural=many, translations=(one, many))
        if many
        else Message(msgid, context, translations=(one,))
        for msgid, (one, many, context) in sorted(contents.items())
    )
    catalog = Catalog(messages=messages, header={"Content-Type": "text/plain; charset=UTF-8"})
    assert set(parse(format_po(catalog)).messages) == set(messages)


@given(texts.filter(bool), texts)
def test_babel_reads_any_text_we_write(msgid: str, translation: str) -> None:
    from babel.messages.pofile import read_po as babel_read

    catalog = Catalog(messages=(Message(msgid, translations=(translation,)),))
    lines = format_po(catalog).split("\n")
    if any(char in "\a\b\f\v" for char in msgid + translation):
        return  # C escapes that Babel does not know
    assert [message.string for message in babel_read(lines) if message.id == msgid] == [translation]


def test_c_escapes_are_understood() -> None:
    assert body(r'msgid "a\tb\"c\\d\x41\102"' + '\nmsgstr ""\n').messages[0].msgid == 'a\tb"c\\dAB'


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm() -> None:
    text = POEDIT.replace("\n", "\r\n").encode("utf-8-sig")
    assert parse_po(text, locale="es").messages == parse(POEDIT).messages


def test_another_charset_is_read_by_its_name() -> None:
    text = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=ISO-8859-1\\n"\n\nmsgid "x"\nmsgstr "año"\n'
    assert parse_po(text.encode("latin-1")).messages[0].translations == ("año",)


@pytest.mark.parametrize(
    ("entry", "line", "message"),
    [
        ('msgid "a\nmsgstr "b"\n', 4, "cannot be understood"),
        ('msgid "a"\nmsgstr "b\n', 5, "cannot be understood"),
        ('msgid "a"\nmsgstr ""\n"b\n', 6, "not closed"),
        ('msgid "a"\n\nmsgid "b"\nmsgstr ""\n', 6, "a second msgid"),
        ('msgid "a"\n', 4, "msgstr is missing"),
        ('msgstr "a"\n', 4, "a second msgstr in one message. Is a msgid missing"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr "c"\n', 4, "takes msgstr"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr[1] "c"\n', 4, "without gaps"),
        ('msgid "a"\nmsgstr[0] "c"\n', 4, "takes msgstr"),
        ('msgctxt "x"\nmsgid_plural "b"\nmsgid "a"\nmsgstr[0] "c"\n', 6, "msgid after msgid_plural"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr[1] "c"\nmsgstr[0] "d"\n', 7, r"msgstr\[0\] after msgstr\[1\]"),
        ('msgid "a"\n# note\nmsgstr "b"\n', 5, "a comment inside a message. Move it above"),
        ('mesgid "a"\n', 4, "cannot be understood"),
        ('msgid "a"\nmsgstr "1"\n\nmsgid "a"\nmsgstr "2"\n', 7, "'a' is there twice.*first place is line 4"),
    ],
)
def test_a_mistake_is_reported_with_file_and_line(entry: str, line: int, message: str) -> None:
    with pytest.raises(Problems, match=message) as caught:
        body(entry)
    assert [str(problem.path) for problem in caught.value.problems] == ["es.po"] * len(caught.value.problems)
    assert caught.value.problems[0].line == line


@pytest.mark.parametrize(
    ("text", "message"), [('"b"\n', "1: text without a keyword"), ('msgstr "a"\n', "1: msgid is missing")]
)
def test_a_file_that_begins_in_the_middle_is_refused(text: str, message: str) -> None:
    with pytest.raises(Problems, match=message):
        parse(text)


def test_all_mistakes_of_a_file_are_reported_together() -> None:
    with pytest.raises(Problems, match="2 problems") as caught:
        body('msgid "a\nmsgstr "x"\n\nmsgid "ok"\nmsgstr "ok"\n\nmsgid "b"\nmsgstr "\n')
    assert [problem.line for problem in caught.value.problems] == [4, 11]


def test_a_byte_of_another_charset_is_reported_with_its_line() -> None:
    with pytest.raises(CatalogError, match="byte 0xf1 is not utf-8") as caught:
        parse_po(b'msgid ""\nmsgstr ""\n\nmsgid "x"\nmsgstr "a\xf1o"\n', path=Path("es.po"))
    assert caught.value.line == 5


def test_an_unknown_charset_is_reported() -> None:
    with pytest.raises(CatalogError, match="charset 'martian' is unknown"):
        parse_po(b'msgid ""\nmsgstr "Content-Type: text/plain; charset=martian\\n"\n')


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be read: No such file"):
        read_po(tmp_path / "none.po")
