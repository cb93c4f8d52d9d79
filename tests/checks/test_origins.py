"""Where a finding in a built page was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checks.conftest import BASE, with_body
from toolkit.checks import CheckReport
from toolkit.checks.formats import as_github

Check = Callable[..., CheckReport]

FRONT = "---\ntitle: The flood\npublished: 2026-01-01\n---\n\n"
SPANISH = "---\ntitle: La riada\n---\n\n"
OTHER = {"content/ebb.md": "---\ntitle: The ebb\npublished: 2026-01-02\n---\n\nIt went.\n"}
STORY = """{% extends "base.html" %}
{% block title %}{{ story.title }}{% endblock %}
{% block content %}<h1>{{ story.title }}</h1>{{ story.body|markdown }}
{% endblock %}
"""


def places(report: CheckReport, folder: Path) -> list[tuple[str, str]]:
    """(check, file:line) of each annotation; of one without a place the second is empty."""
    found = []
    for line in as_github(report.findings, folder).splitlines():
        options = dict(part.split("=") for part in line.split(" ", 1)[1].partition("::")[0].split(","))
        found.append((options["title"], f"{options['file']}:{options['line']}" if "file" in options else ""))
    return found


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"content/flood.md": f"{FRONT}Text.\n\n[x](/nowhere/)\n"}, ("links.broken", "content/flood.md:8")),
        ({"content/flood.es.md": f"{SPANISH}[x](/nada/)\n"}, ("links.broken", "content/flood.es.md:5")),
        ({"content/flood.md": f"{FRONT}[x](#there)\n"}, ("links.fragment", "content/flood.md:6")),
        ({"content/flood.md": f"{FRONT}[x](/#there)\n"}, ("links.fragment", "content/flood.md:6")),
        ({"content/flood.md": f"{FRONT}It rained.\n\n#### How deep\n"}, ("html.headings", "content/flood.md:8")),
        ({"templates/base.html": BASE.replace("/search/?q=x", "/serch/")}, ("links.broken", "templates/base.html:8")),
        (with_body("<h1>A</h1>\n<img src='/favicon.ico' width=1 height=1>"), ("html.alt", "templates/home.html:2")),
        (
            with_body("<h1>A</h1>\n<img src='{{ asset('dot.svg') }}' width=1 height=1>"),
            ("html.alt", "templates/home.html:2"),
        ),
        ({"templates/story.html": STORY + "<!-- -->"}, None),
        (
            {**OTHER, "templates/story.html": STORY.replace("}}\n{% endb", "}}\n<a href='/nowhere/'>x</a>\n{% endb")},
            ("links.broken", "templates/story.html:4"),
        ),
    ],
)
def test_annotations_stand_where_it_was_written(
    check: Check, tmp_path: Path, files: dict[str, str], expected: tuple[str, str] | None
) -> None:
    report = check(files)
    annotated = {place for place in places(report, tmp_path) if place[0] != "links.orphan"}
    assert annotated == ({expected} if expected else set())


def test_what_no_row_brings_along_stands_at_the_template(check: Check, tmp_path: Path) -> None:
    base = BASE.replace("{{ page.head }}", "{% if page.url != '/stories/flood/' %}{{ page.head }}{% endif %}")
    report = check({"templates/base.html": base})
    assert ("canonical.missing", "templates/story.html:1") in places(report, tmp_path)
    assert "see " not in str(next(finding for finding in report.findings if finding.id == "canonical.missing"))


def test_rows_of_a_table_have_no_line_of_their_own(check: Check, tmp_path: Path) -> None:
    rows = "slug,title,body,published\nebb,The ebb,#### Deep,2026-01-01\ntide,The tide,,2026-01-01\n"
    report = check({"table.csv": rows}, pages='app.source("table.csv", model=Story)\n')
    assert ("html.headings", "templates/story.html:1") in places(report, tmp_path)


def test_an_image_in_a_folder_below_says_how_it_is_named(check: Check) -> None:
    files = {
        "content/2026/ebb.md": f"{FRONT}![x](pier.svg)\n".replace("flood", "ebb"),
        "content/2026/pier.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>\n',
    }
    pages = 'app.source("content/*/*.md", model=Story)\n'
    (letter,) = {str(one) for one in check(files, pages=pages).findings if one.id == "assets.missing"}
    assert letter.endswith("It lies in a folder below that of the source: write 2026/pier.svg.")
    files["content/2026/ebb.md"] = files["content/2026/ebb.md"].replace("pier.svg", "2026/pier.svg")
    assert "assets.missing" not in {one.id for one in check(files, pages=pages).findings}
