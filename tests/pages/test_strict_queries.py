"""``strict_queries``: a template may not make the database load what nobody planned."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import UnplannedQuery
from toolkit.trace import entered

PAGES = """
@app.page("/", template="home.html")
def home():
    return {"stories": Story.objects.all()}

@app.page("/planned/", template="home.html")
def planned():
    return {"stories": Story.objects.prefetch_related("section")}
"""
TEMPLATES = {"home.html": "<p>\n{% for story in stories %}{{ story.section.name }}{% endfor %}"}


def prepared(make_site: Any, settings: str) -> Any:
    site = make_site(PAGES, templates=TEMPLATES, settings=settings)
    section, story = (next(m for m in site.models if m.__name__ == name) for name in ("Section", "Story"))
    with entered(site.scope()):
        story.objects.create(title="Flood", slug="flood", section=section.objects.create(name="Town", slug="town"))
    return site


def test_without_it_peers_are_loaded_together_and_nobody_has_to_plan(make_site: Any) -> None:
    assert b"Town" in prepared(make_site, "").render("home").body


def test_with_it_the_error_names_the_template_line_and_what_to_ask_for(make_site: Any) -> None:
    site = prepared(make_site, "strict_queries = true")
    with pytest.raises(
        Exception, match=r"home\.html:2: Story\.section is not loaded.*prefetch_related\('section'\)"
    ) as e:
        site.render("home")
    assert isinstance(e.value.__cause__, UnplannedQuery)


def test_what_was_asked_for_along_with_the_rows_is_planned(make_site: Any) -> None:
    assert b"Town" in prepared(make_site, "strict_queries = true").render("planned").body
