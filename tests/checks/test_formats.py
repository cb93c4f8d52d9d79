"""Findings as CI systems read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lxml import etree

from toolkit.checks import Finding
from toolkit.checks.formats import as_github, as_gitlab, as_junit, as_sarif, fingerprint

HERE = Path("/site")
TEMPLATE = Finding("templates.missing", "there is no 'x, y: z'", path="/site/templates/a.html", line=3, hint="100%")
PAGE = Finding("html.alt", "the image x has no alt", path="/site/build/index.html", line=9, url="/", others=2)
DOUBT = Finding("links.orphan", "no page links to /a/ <\x01&>", url="/a/")
ALL = [TEMPLATE, PAGE, DOUBT]


def test_github_shows_a_finding_at_its_file_and_line() -> None:
    first, second, third = as_github(ALL, HERE).splitlines()
    told = "::/site/templates/a.html:3: there is no 'x, y: z'. 100%25"
    assert first == f"::error file=templates/a.html,line=3,title=templates.missing{told}"
    assert second.startswith("::error title=html.alt::/: the image x has no alt (line 9 of the page)")
    assert third.startswith("::warning title=links.orphan::/a/: ")


def test_github_commands_cannot_be_broken_out_of() -> None:
    evil = Finding("links.broken", "x\n::set-output name=a::b\r", path="/site/a,b:c.html", line=1)
    (line,) = as_github([evil], HERE).splitlines()
    assert "%0A::set-output" in line.partition("::")[2]
    assert Finding("content.invalid", "x", path="/site/a,b:c.md").path
    assert "file=a%2Cb%3Ac.md," in as_github([Finding("content.invalid", "x", path="/site/a,b:c.md")], HERE)


def test_gitlab_gets_places_severities_and_fingerprints() -> None:
    found: list[dict[str, Any]] = json.loads(as_gitlab(ALL, HERE))
    assert [one["severity"] for one in found] == ["major", "major", "minor"]
    assert found[0]["location"] == {"path": "templates/a.html", "lines": {"begin": 3}}
    assert len({one["fingerprint"] for one in found}) == 3


def test_a_fingerprint_stays_when_lines_move() -> None:
    moved = Finding(TEMPLATE.id, TEMPLATE.message, path=TEMPLATE.path, line=30)
    assert fingerprint(TEMPLATE, HERE) == fingerprint(moved, HERE)


def test_sarif_names_rules_results_and_places() -> None:
    (run,) = json.loads(as_sarif(ALL, HERE))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["templates.missing", "html.alt", "links.orphan"]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": "templates/a.html"}, "region": {"startLine": 3}}
    assert run["results"][1]["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "/", "kind": "resource"}]


def test_sarif_has_places_as_uris() -> None:
    odd = Finding("content.invalid", "x", path="/site/content/a story, été.md", line=1)
    (found,) = json.loads(as_sarif([odd], HERE))["runs"][0]["results"]
    uri = found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "content/a%20story%2C%20%C3%A9t%C3%A9.md"


def test_junit_has_a_failure_for_each_check_with_errors() -> None:
    root: Any = etree.fromstring(as_junit(ALL, HERE).encode())
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    assert root.find("testcase[@name='links.orphan']/system-out").text.endswith("<&>")
    assert etree.fromstring(as_junit([], HERE).encode()).get("tests") == "1"
