"""A page reads only, and what its function does wrong is told at the line that does it."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import DatabaseError, FieldError, TemplateError, ToolkitError
from toolkit.trace import entered

WRITING = """
@app.page("/created/")
def created():
    return str(Section.objects.create(name="Town", slug="town"))

@app.page("/saved/")
def saved():
    section = Section.objects.using("default").get()
    section.save()
    return section.name

@app.page("/updated/")
def updated():
    return str(Section.objects.using("default").update(name="Port"))

@app.page("/deleted/", template="deleted.html")
def deleted():
    return {"sections": Section.objects.all()}

@app.view("/counted/")
def counted(request):
    return str(Section.objects.update(name="Quay"))
"""


def filled(site: Any) -> Any:
    section = next(model for model in site.models if model.__name__ == "Section")
    with entered(site.scope()):
        section.objects.create(name="Harbour", slug="harbour")
    return section


@pytest.mark.parametrize("page", ["created", "saved", "updated"])
def test_a_page_that_writes_is_refused_at_its_line(make_site: Any, page: str) -> None:
    site = make_site(WRITING)
    section = filled(site)
    with pytest.raises(
        DatabaseError, match=r"pages\.py:\d+: a Section cannot be written while a page is rendered"
    ) as e:
        site.render(page)
    assert str(site.folder) in str(e.value.path)
    with entered(site.scope()):
        assert [one.name for one in section.objects.all()] == ["Harbour"]


def test_so_is_a_template_that_deletes(make_site: Any) -> None:
    site = make_site(WRITING, templates={"deleted.html": "<p>\n{{ sections.first().delete() }}"})
    section = filled(site)
    with pytest.raises(ToolkitError, match=r"deleted\.html:2: a Section cannot be written while a page is rendered"):
        site.render("deleted")
    with entered(site.scope()):
        assert section.objects.count() == 1


def test_a_view_writes(make_site: Any) -> None:
    from toolkit.testing import Client

    site = make_site(WRITING)
    filled(site)
    assert Client(site).get("/counted/").text == "1"


ASKING = """
@app.page("/misspelt/")
def misspelt():
    found = Story.objects.all()
    return str(found.filter(titel="Flood"))

@app.page("/nowhere/", template="hoem.html")
def nowhere():
    return {}
"""


def test_a_query_that_a_page_function_misspells_is_told_by_file_and_line(make_site: Any) -> None:
    site = make_site(ASKING)
    with pytest.raises(FieldError, match=r"no field 'titel'.*Did you mean 'title'") as e:
        site.render("misspelt")
    text = (site.folder / site.apps[0].package / "pages.py").read_text("utf-8")
    assert e.value.line is not None
    assert "titel" in text.splitlines()[e.value.line - 1]


def test_a_template_that_is_not_there_is_told_where_the_page_is_declared(make_site: Any) -> None:
    site = make_site(ASKING, templates={"home.html": ""})
    with pytest.raises(TemplateError, match=r"pages\.py:\d+: there is no template 'hoem\.html'.*'home\.html'"):
        site.render("nowhere")
