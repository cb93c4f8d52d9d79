"""gettext and its kin in a scope, and their lazy twins."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from toolkit.i18n import (
    Catalogs,
    format_lazy,
    gettext,
    gettext_lazy,
    gettext_noop,
    ngettext,
    ngettext_lazy,
    npgettext,
    npgettext_lazy,
    pgettext,
    pgettext_lazy,
)
from toolkit.trace import Scope, entered

from .conftest import WriteCatalog, speaking

SPANISH = """\
msgid "Search"
msgstr "Buscar"

msgid "%(n)d story"
msgid_plural "%(n)d stories"
msgstr[0] "%(n)d artículo"
msgstr[1] "%(n)d artículos"

msgctxt "month"
msgid "May"
msgstr "mayo"

msgctxt "music"
msgid "%d piece"
msgid_plural "%d pieces"
msgstr[0] "%d pieza"
msgstr[1] "%d piezas"
"""


@pytest.fixture
def catalogs(tmp_path: Path, write_catalog: WriteCatalog) -> Catalogs:
    write_catalog("es", SPANISH)
    return Catalogs([("site", tmp_path / "site")], ["en", "es"])


def test_outside_any_scope_the_source_text_is_the_answer() -> None:
    assert gettext("Search") == "Search"
    assert [ngettext("one", "many", n) for n in (0, 1, 2)] == ["many", "one", "many"]
    assert pgettext("month", "May") == "May"
    assert npgettext("music", "piece", "pieces", 2) == "pieces"


def test_a_scope_of_a_site_without_catalogs_answers_the_source_text() -> None:
    with entered(Scope(site=None, database=None, locale="es")):
        assert gettext("Search") == "Search"


def test_in_a_scope_its_language_is_spoken(catalogs: Catalogs) -> None:
    with speaking(catalogs, "es"):
        assert gettext("Search") == "Buscar"
        assert ngettext("%(n)d story", "%(n)d stories", 3) == "%(n)d artículos"
        assert pgettext("month", "May") == "mayo"
        assert npgettext("music", "%d piece", "%d pieces", 1) == "%d pieza"
        assert gettext_noop("Search") == "Search"


def test_each_function_records_the_message_it_read(catalogs: Catalogs) -> None:
    with speaking(catalogs, "es") as trace:
        gettext("Search")
        npgettext("music", "%d piece", "%d pieces", 1)
    assert trace.keys_of("message") == [
        ("es", "messages", None, "Search", None),
        ("es", "messages", "music", "%d piece", "%d pieces"),
    ]


def test_two_languages_live_in_one_process(catalogs: Catalogs) -> None:
    label = gettext_lazy("Search")
    shown = []
    for locale in ("es", "en", "es"):
        with speaking(catalogs, locale):
            shown.append(str(label))
    assert shown == ["Buscar", "Search", "Buscar"]


class Form:
    label = gettext_lazy("Search")
    month = pgettext_lazy("month", "May")


def test_lazy_text_in_a_class_body_speaks_when_it_is_shown(catalogs: Catalogs) -> None:
    with speaking(catalogs, "es"):
        assert f"{Form.label}: {Form.month}" == "Buscar: mayo"


def test_lazy_text_can_be_used_where_text_is_read(catalogs: Catalogs) -> None:
    label = Form.label
    with speaking(catalogs, "es"):
        assert (label + "!", "¡" + label, len(label), label.upper(), label[0]) == (
            "Buscar!",
            "¡Buscar",
            6,
            "BUSCAR",
            "B",
        )
        assert label == "Buscar" and label == gettext_lazy("Search") and label != "Search"
        assert "usc" in label and list(label)[:2] == ["B", "u"] and hash(label) == hash("Buscar")
        assert sorted([label, gettext_lazy("Abc")])[1] is label
        assert f"{label:>8}" == "  Buscar"


def test_lazy_text_in_a_template_is_translated_and_escaped(catalogs: Catalogs) -> None:
    from jinja2 import Environment

    template = Environment(autoescape=True).from_string("{{ label }} {{ danger }} {{ label|upper }}")
    with speaking(catalogs, "es"):
        shown = template.render(label=Form.label, danger=gettext_lazy("<b>"))
    assert shown == "Buscar &lt;b&gt; BUSCAR"


def test_lazy_plurals_choose_when_they_are_filled_in(catalogs: Catalogs) -> None:
    by_key = ngettext_lazy("%(n)d story", "%(n)d stories", "n")
    alone = npgettext_lazy("music", "%d piece", "%d pieces")
    fixed = ngettext_lazy("%(n)d story", "%(n)d stories", 2)
    with speaking(catalogs, "es"):
        assert [by_key % {"n": n} for n in (1, 5)] == ["1 artículo", "5 artículos"]
        assert [alone % n for n in (1, 5)] == ["1 pieza", "5 piezas"]
        assert str(fixed) == "%(n)d artículos"


def test_lazy_formatting_waits_for_its_parts(catalogs: Catalogs) -> None:
    title = format_lazy("{} ({count})", Form.label, count=3)
    with speaking(catalogs, "es"):
        assert str(title) == "Buscar (3)"
    assert str(title) == "Search (3)"


def test_lazy_text_crosses_to_a_worker_process_as_itself(catalogs: Catalogs) -> None:
    for again in (pickle.loads(pickle.dumps(Form.month)), copy.deepcopy(Form.month)):
        with speaking(catalogs, "es"):
            assert str(again) == "mayo"


def test_lazy_text_hands_its_message_to_the_extractor() -> None:
    message = npgettext_lazy("c", "one", "many").message
    assert (message.context, message.msgid, message.plural) == ("c", "one", "many")


def test_lazy_text_has_no_hooks_it_does_not_know() -> None:
    with pytest.raises(AttributeError, match="__html__"):
        Form.label.__html__()
