"""Subjects that are no rows: what a route is given, and how they are told apart."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import DeclarationError, Problems


def test_subjects_may_be_dicts_objects_and_lists(make_site: Any, build: Any) -> None:
    site = make_site(
        """
        from dataclasses import dataclass, field
        from datetime import date

        @dataclass
        class Issue:
            day: date
            pages: list = field(default_factory=list)

        @app.page("/issues/<day>/", each=lambda: [Issue(date(2026, 1, 2), ["a"])])
        def issue(issue): return f"{issue.day} {issue.pages}"

        @app.page("/teams/<name>/", each=[{"name": "Herons", "players": ["x", "y"]}])
        def team(name, players): return ",".join(players)

        @app.listing("/lists/<name>/", each=lambda: [{"name": "short"}], template="list.html", per_page=2, stable=False)
        def numbers(name): return [1, 2, 3], {"extra": "more"}
        """,
        templates={"list.html": "{{ listing.items }} {{ extra }} {{ name }} {{ listing.total }}"},
    )
    report, files = build(site)
    assert files["issues/2026-01-02/index.html"] == "2026-01-02 ['a']"
    assert files["teams/Herons/index.html"] == "x,y"
    assert files["lists/short/page/2/index.html"] == "[3] more short 3"
    assert "lists/short/page/3/index.html" not in files
    again, _ = build(site)
    assert (report.rendered, again.rendered) == (4, 0)


def test_each_that_gives_no_subjects_is_explained(make_site: Any, build: Any) -> None:
    site = make_site('@app.page("/<x>/", each=lambda: 7)\ndef wrong(x): return ""')
    with pytest.raises((Problems, DeclarationError), match="each= of 'wrong' gave 7, which is no list of subjects"):
        build(site)


def test_two_subjects_for_one_url_are_refused_and_a_repeated_one_is_not(make_site: Any, build: Any) -> None:
    """They share their key, so one of them would be lost."""
    page = '@app.page("/teams/<name>/", each=[{"name": "Herons", "n": 1}, {"name": "Herons", "n": %d}])\n'
    page += "def team(name, n): return str(n)\n"
    with pytest.raises(Problems, match=r"each= of 'team' gives two subjects with name = 'Herons': .*'n': 1.*'n': 2"):
        build(make_site(page % 2))
    assert build(make_site(page % 1))[1]["teams/Herons/index.html"] == "1"
