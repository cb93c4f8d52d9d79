"""All pages read together, by one process or by several: the same findings, in the same order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.builder import Builder
from toolkit.checks import CheckReport, survey
from toolkit.checks.built import Built
from toolkit.checks.survey import Survey, survey_pages

from .conftest import BASE, FILES, found, with_body

Check = Callable[..., CheckReport]


def body_of(text: str) -> dict[str, str]:
    return with_body(f"<h1>A</h1>{text}")


@pytest.mark.parametrize(
    ("body", "check_id", "says"),
    [
        ("<a href='/'></a>", "html.empty-link", "the link to / has no text"),
        ("<a href='/'><img src='/favicon.ico' alt='' width=1 height=1></a>", "html.empty-link", "has no text"),
        ("<button type=button> </button>", "html.empty-button", "a button has no text"),
        ("<input name=q>", "html.label", "the field q has no label"),
        ("<h4>Deep</h4>", "html.headings", "an <h4> follows an <h1>: 'Deep'"),
        ("<h2></h2>", "html.headings", "an <h2> is empty"),
        ("<img src='/favicon.ico' alt=''>", "html.image-size", "has no width and height"),
        ("<img src='http://bay.example/favicon.ico' alt='' width=1 height=1>", "html.mixed-content", "refuse http"),
        ("<script type='application/ld+json'>{a}</script>", "html.json-ld", "the JSON-LD is no JSON"),
        ('<script type=\'application/ld+json\'>{"@context": "x"}</script>', "html.json-ld", "it has no @type"),
        ("<iframe src='https://tube.example/1' title=x></iframe>", "weight.third-party", "tube.example"),
        ("<script src='//cdn.example/x.js'></script>", "weight.third-party", "cdn.example"),
        ("<form><input type=image src='/favicon.ico'></form>", "html.alt", "<input> has no alt"),
        ("<map name=m><area href='/'></map>", "html.alt", "<area> has no alt, and is to be followed"),
        ("<p id='a b'>x</p>", "html.ids", "the id 'a b' has white space in it"),
        ("<p id=''>x</p>", "html.ids", "<p> has an empty id"),
        ("<font color=red>x</font>", "html.obsolete", "<font> is no element of HTML any more"),
    ],
)
def test_a_fault_of_a_page(check: Check, body: str, check_id: str, says: str) -> None:
    (finding,) = check(body_of(body)).findings
    assert finding.id == check_id
    assert says in str(finding)
    assert finding.others == 1  # the Spanish edition


@pytest.mark.parametrize(
    "body",
    [
        "<a href='/'><img src='/favicon.ico' alt='Home' width=1 height=1></a>",
        "<a href='/' aria-label='Home'></a><button aria-label='Menu'></button>",
        "<label>q <input name=q></label><label for=r>r</label><input id=r><input type=hidden name=t>",
        "<h2>x</h2><h3>y</h3><h2>z</h2>",
        "<map name=m><area href='/' alt='Home'><area></map><form><input type=image src='/favicon.ico' alt=Go></form>",
        "<a href='http://other.example/'>plain http is theirs to mend</a>",
        '<script type=\'application/ld+json\'>[{"@context": "x", "@type": "y"}]</script>',
    ],
)
def test_what_is_right_is_not_told(check: Check, body: str) -> None:
    assert found(check(body_of(body))) == []


def test_a_page_that_none_links_to_is_an_orphan(check: Check) -> None:
    home = {"templates/home.html": '{% extends "base.html" %}{% block content %}<h1>A</h1>{% endblock %}'}
    orphans = [letter for check_id, letter in found(check(home)) if check_id == "links.orphan"]
    assert [letter.partition(". ")[0] for letter in orphans] == [
        "/stories/flood/: no page links to /stories/flood/",
        "/es/stories/flood/: no page links to /es/stories/flood/",
    ]


def test_pages_with_one_title_are_told(check: Check) -> None:
    report = check(
        {"templates/story.html": FILES["templates/story.html"].replace("{{ story.title }}{% end", "Bay{% end")}
    )
    assert found(report) == []
    second = {"content/drought.md": "---\ntitle: Drought\npublished: 2026-02-01T00:00:00+00:00\n---\nx\n"}
    story = {
        "templates/story.html": FILES["templates/story.html"].replace(
            "{% block title %}{{ story.title }}", "{% block title %}Same"
        )
    }
    ((check_id, letter),) = found(check({**second, **story}))
    assert check_id == "html.duplicate-title"
    assert letter.startswith("/stories/drought/: it has the same title as /stories/flood/")


def test_an_edition_that_is_not_named_is_a_warning(check: Check) -> None:
    head = '<link rel="canonical" href="{{ page.absolute_url }}">'
    report = check({"templates/base.html": BASE.replace("{{ page.head }}", head)})
    assert {check_id for check_id, _ in found(report)} == {"hreflang.missing"}


def test_a_route_is_held_to_its_budget(check: Check) -> None:
    base = BASE.replace("<main", "<!-- {{ 'x' * 2500 }} --><main")
    report = check(
        {"templates/base.html": base}, settings="[budgets.default]\nhtml_kb = 2\n[budgets.story]\nhtml_kb = 9\n"
    )
    assert not [one for one in report.findings if "stories" in str(one.url)]
    assert "/: its HTML weighs 3 KB, and may weigh 2" in str(report.findings[0])


def test_images_and_all_together_have_budgets(check: Check) -> None:
    files = {"public/big.jpg": "x" * 3000, **body_of("<img src='/big.jpg' alt='' width=1 height=1>")}
    report = check(files, settings="[budgets.home]\nimages_kb = 2\ntotal_kb = 3\n")
    assert [one.id for one in report.findings] == ["weight.images", "weight.total"]


def test_a_site_may_have_third_parties(check: Check) -> None:
    body = body_of("<iframe src='https://tube.example/1' title=x></iframe>")
    assert found(check(body, settings="[budgets.home]\nthird_party = 1\n")) == []


def test_a_template_s_unknown_and_unused_names(check: Check) -> None:
    story = FILES["templates/story.html"].replace(
        "{% block content %}",
        "{% set spare = 1 %}{% block content %}{% if story.body == 'no' %}{{ stroy.title }}{% endif %}",
    )
    told = found(check({"templates/story.html": story}))
    assert [check_id for check_id, _ in told] == ["templates.unused-name", "templates.unknown-name"] or [
        check_id for check_id, _ in told
    ] == ["templates.unknown-name", "templates.unused-name"]
    text = " ".join(letter for _, letter in told)
    assert "it sets 'spare', which nothing reads" in text
    assert "'stroy' is given by no page that is rendered with story.html. Did you mean 'story'" in text


def test_a_value_that_no_template_reads_is_told(check: Check) -> None:
    pages = '\n@app.page("/about/", template="404.html")\ndef about():\n    return {"costly": Story.objects.count()}\n'
    base = BASE.replace("</nav>", "<a href=\"{{ url_for('about') }}\">About</a></nav>")
    titled = {"templates/404.html": FILES["templates/404.html"] + "{% block title %}{{ page.url }}{% endblock %}"}
    ((check_id, letter),) = found(check({"templates/base.html": base, **titled}, pages=pages))
    assert check_id == "templates.unused-name"
    assert "about() gives 'costly', which 404.html never reads" in letter


def test_several_processes_find_what_one_finds(make_site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stories = {
        f"content/s{n}.md": f"---\ntitle: S{n}\npublished: 2026-01-01T00:00:00+00:00\n---\n"
        f"[x](/gone-{n}/)[y](/stories/s0/#z)\n"
        for n in range(30)
    }
    site = make_site(stories)
    built = Built(site, Path(Builder(site, workers=1).build().output))
    alone, together = Survey(), Survey()
    one = list(survey_pages(built, alone, workers=1))
    monkeypatch.setattr(survey, "FEW_PAGES", 4)
    monkeypatch.setattr(survey, "BATCH", 3)
    told: list[tuple[int, int]] = []
    several = list(survey_pages(built, together, workers=2, progress=lambda done, total: told.append((done, total))))
    assert one == several
    assert len(one) >= 30
    assert alone == together
    assert told[-1] == (36, 36)
