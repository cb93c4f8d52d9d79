"""Mistakes found without rendering a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from toolkit.templates.equivalents import EQUIVALENTS
from toolkit.templates.lint import check_templates

if TYPE_CHECKING:
    from .conftest import Desk


def found(desk: Desk, **options: list[str]) -> list[tuple[str, str]]:
    return [(finding.code, str(finding.error)) for finding in check_templates(desk.environment, **options)]


def test_sound_templates_have_no_findings(desk: Desk) -> None:
    desk.write("base.html", "{% block main %}{% block inner %}{% endblock %}{% endblock %}")
    desk.write(
        "page.html", "{% extends 'base.html' %}{% block inner %}{% include 'ad.html' ignore missing %}{% endblock %}"
    )
    assert found(desk, pages=["page.html"]) == []


def test_every_mistake_is_reported_at_once(desk: Desk) -> None:
    base = desk.write("base.html", "{% block content %}{% endblock %}")
    page = desk.write(
        "page.html",
        "{% extends 'base.html' %}\n{% block contnt %}{% block own %}{% endblock %}{% endblock %}\n"
        "{% block content %}{% include 'crd.html' %}{{ request.user }}{% endblock %}",
    )
    bad = desk.write("bad.html", "\n{% if %}")
    unused = desk.write("card.html", "")
    assert found(desk, pages=["page.html"]) == [
        ("syntax", f"{bad}:2: Expected an expression, got 'end of statement block'"),
        ("missing-template", f"{page}:3: there is no template 'crd.html'. Did you mean 'card.html' or 'bad.html'?"),
        (
            "unknown-block",
            f"{page}:2: block 'contnt' is in no template that page.html extends, so it is never shown. "
            "Did you mean 'content'?",
        ),
        (
            "request-in-page",
            f"{page}:3: 'request' is read by a page, and a page has no request. "
            "Make it a view, or leave it to a script.",
        ),
        ("unused-template", f"{unused}: no page, view or template uses this. Delete it."),
    ]
    assert base.exists()


def test_templates_that_extend_each_other_do_not_hang_the_check(desk: Desk) -> None:
    desk.write("a.html", "{% extends 'b.html' %}")
    desk.write("b.html", "{% extends 'a.html' %}")
    assert found(desk) == []


def test_a_computed_name_may_be_any_template(desk: Desk) -> None:
    desk.write("page.html", "{% include kind ~ '.html' %}")
    desk.write("a.html", "")
    assert found(desk, pages=["page.html"]) == []


def test_a_template_that_no_computed_name_can_be_is_unused(desk: Desk) -> None:
    desk.write(
        "page.html", "{% include ['cards/' ~ kind ~ '.html', 'cards/plain' + suffix] %}{% include 'foot.html' %}"
    )
    for name in ("cards/video.html", "cards/plain.txt", "foot.html"):
        desk.write(name, "")
    lost = desk.write("cards_old.html", "")
    assert [letter for _, letter in found(desk, pages=["page.html"])] == [
        f"{lost}: no page, view or template uses this. Delete it."
    ]


# -- what to write for Django's tags and filters


@pytest.mark.parametrize("row", EQUIVALENTS, ids=lambda row: f"{row.kind} {row.django}")
def test_every_equivalent_compiles(make_desk: Callable[..., Desk], row: object) -> None:
    from toolkit.templates.equivalents import Equivalent

    assert isinstance(row, Equivalent)
    source = row.here
    for start, end in (("{% regroup", ""), ("{% for section", "{% endfor %}"), ("{% set colour", "")):
        source += end if source.startswith(start) else ""
    if source.startswith("{%-") or "…)" in source:
        return
    make_desk().environment.from_string(source)


def test_every_equivalent_is_listed_once_in_order() -> None:
    for kind in ("tag", "filter"):
        names = [row.django for row in EQUIVALENTS if row.kind == kind]
        assert names == sorted(set(names))
    assert all(row.here or row.note for row in EQUIVALENTS)
