"""Compiling, read back by the standard library, polib and Babel."""

from __future__ import annotations

import io
from gettext import GNUTranslations
from pathlib import Path

import polib
import pytest

from toolkit.errors import Problems
from toolkit.i18n.compile import compile_catalog, compile_catalogs, find_locales
from toolkit.i18n.po import parse_po

from .conftest import HEADER, WriteCatalog

BODY = """\
msgid "Search"
msgstr "Buscar"

msgctxt "month"
msgid "May"
msgstr "mayo"

msgid "one"
msgid_plural "many"
msgstr[0] "uno"
msgstr[1] ""

#, fuzzy
msgid "Guess"
msgstr "Quizá"

msgid "Empty"
msgstr ""

#~ msgid "Gone"
#~ msgstr "Ido"
"""


def test_the_standard_library_reads_the_same_translations() -> None:
    translations = GNUTranslations(io.BytesIO(compile_catalog(parse_po((HEADER + BODY).encode(), locale="es"))))
    assert translations.gettext("Search") == "Buscar"
    assert translations.pgettext("month", "May") == "mayo"
    assert [translations.ngettext("one", "many", n) for n in (1, 2)] == ["uno", "many"]
    assert [translations.gettext(msgid) for msgid in ("Guess", "Empty", "Gone")] == ["Guess", "Empty", "Gone"]
    assert translations.info()["content-type"] == "text/plain; charset=UTF-8"


def test_polib_and_babel_read_it_too(tmp_path: Path) -> None:
    from babel.messages.mofile import read_mo

    body = compile_catalog(parse_po((HEADER + BODY).encode(), locale="es"), fuzzy=True)
    (tmp_path / "x.mo").write_bytes(body)
    assert {entry.msgid: entry.msgstr for entry in polib.mofile(str(tmp_path / "x.mo")) if not entry.msgid_plural} == {
        "Search": "Buscar",
        "May": "mayo",
        "Guess": "Quizá",
    }
    assert {str(message.id) for message in read_mo(io.BytesIO(body))} >= {"Search", "Guess"}


def test_catalogs_are_compiled_beside_their_sources_and_only_when_they_changed(
    tmp_path: Path, write_catalog: WriteCatalog
) -> None:
    write_catalog("es", BODY)
    write_catalog("pt_BR", BODY)
    assert find_locales(tmp_path / "site") == ["es", "pt-BR"]
    first, second = compile_catalogs(tmp_path / "site"), compile_catalogs(tmp_path / "site")
    assert [(one.locale, one.messages, one.written) for one in first] == [("es", 3, True), ("pt-BR", 3, True)]
    assert [one.written for one in second] == [False, False]
    assert first[0].path == tmp_path / "site/es/LC_MESSAGES/messages.mo"


def test_errors_name_file_and_line_and_nothing_is_written(tmp_path: Path, write_catalog: WriteCatalog) -> None:
    write_catalog("es", BODY)
    write_catalog("fr", 'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "x"\n')
    write_catalog("it", 'msgid "a"\nmsgstr "x\n')
    with pytest.raises(Problems, match="no catalog was compiled") as caught:
        compile_catalogs(tmp_path / "site")
    assert [problem.line for problem in caught.value.problems] == [6, 7]
    assert not list(tmp_path.rglob("*.mo"))


def test_a_catalog_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Problems, match="cannot be read"):
        compile_catalogs(tmp_path, ["es"])
