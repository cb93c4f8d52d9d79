"""The site's own template environment and extraction speak of the same messages."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from toolkit.i18n import Catalogs
from toolkit.i18n.extract import extract_site
from toolkit.templates import TemplateFolder, make_environment
from toolkit.trace import Scope, Trace, entered

from .conftest import WriteCatalog
from .test_extract import RUNTIME_TEMPLATE


def test_the_messages_extracted_are_the_messages_a_page_asks_for(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(RUNTIME_TEMPLATE)
    environment = make_environment([TemplateFolder(tmp_path)])
    extracted = {
        (found.context, found.msgid, found.plural) for found in extract_site(environment, [], [page], root=tmp_path)
    }
    trace = Trace()
    site = SimpleNamespace(catalogs=Catalogs([], ["es"]))
    with entered(Scope(site=site, database=None, locale="es", trace=trace)):
        environment.get_template("page.html").render(stories=[1, 2])
    assert {key[2:] for key in trace.keys_of("message")} == extracted


def test_a_page_shows_the_translation_and_escapes_what_is_filled_in(
    tmp_path: Path, write_catalog: WriteCatalog
) -> None:
    write_catalog("es", 'msgid "By <b>%(name)s</b>"\nmsgstr "Por <b>%(name)s</b>"\n')
    (tmp_path / "page.html").write_text("<p>{% trans %}By <b>{{ name }}</b>{% endtrans %}</p>")
    environment = make_environment([TemplateFolder(tmp_path)])
    site = SimpleNamespace(catalogs=Catalogs([("site", tmp_path / "site")], ["es"]))
    with entered(Scope(site=site, database=None, locale="es")):
        shown = environment.get_template("page.html").render(name="<Ana>")
    assert shown == "<p>Por <b>&lt;Ana&gt;</b></p>"
