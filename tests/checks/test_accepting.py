"""Findings that are meant: accepted with a reason, and told when nothing is left to accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from toolkit.checks import CheckReport, Wanted, check_site
from toolkit.checks.catalogue import choose
from toolkit.errors import ToolkitError

from .conftest import found, with_body

Check = Callable[..., CheckReport]

BROKEN = with_body("<h1>A</h1><a href='/gone/'>x</a>")


def test_an_accepted_finding_is_counted_and_not_told(check: Check) -> None:
    report = check(BROKEN, settings='[accepted."links.broken"]\n"/" = "the archive moves"\n"/es/" = "as well"\n')
    assert found(report) == []
    assert report.accepted == 2


def test_only_pages_that_match_are_accepted(check: Check) -> None:
    report = check(BROKEN, settings='[accepted."links.broken"]\n"/es/*" = "the Spanish archive moves"\n')
    assert [letter.partition(" (")[0] for _, letter in found(report)] == ["/: the link to /gone/ leads to nothing"]


def test_a_file_of_the_site_can_be_accepted_too(check: Check) -> None:
    files = {"templates/spare.html": "x"}
    accepted = '[accepted."templates.unused"]\n"templates/spare.html" = "for next week"\n'
    assert found(check(files, settings=accepted)) == []


def test_an_acceptance_that_matches_nothing_is_told(check: Check) -> None:
    ((check_id, letter),) = found(check(settings='[accepted."links.broken"]\n"/old/*" = "moves"\n'))
    assert check_id == "accepted.unused"
    assert "nothing that links.broken finds matches '/old/*' any more" in letter


def test_what_was_not_looked_for_is_not_called_unused(make_site: Any) -> None:
    site = make_site(settings='[accepted."external.broken"]\n"/*" = "x"\n[accepted."html.alt"]\n"/*" = "x"\n')
    report = check_site(site, Wanted(choose(["links"], []), workers=1))
    assert found(report) == []


def test_an_acceptance_of_no_check_says_which_was_meant(check: Check) -> None:
    ((check_id, letter),) = found(check(settings='[accepted."links.brocken"]\n"/*" = "x"\n'))
    assert check_id == "accepted.unknown"
    assert "Did you mean 'links.broken'" in letter


def test_an_acceptance_needs_a_reason(make_site: Any) -> None:
    with pytest.raises(ToolkitError, match=r"the acceptance of links.broken at '/\*' gives no reason"):
        make_site(settings='[accepted."links.broken"]\n"/*" = ""\n')


def test_checks_are_chosen_by_id_or_group() -> None:
    assert choose(["links.broken"], []) == {"links.broken"}
    assert choose(["links"], ["links.orphan"]) == {
        "links.broken", "links.outside", "links.fragment", "links.redirected"
    }  # fmt: skip
    with pytest.raises(ToolkitError, match=r"there is no check 'link'. Did you mean 'links'"):
        choose(["link"], [])


def test_what_is_not_asked_for_is_not_told(make_site: Any) -> None:
    site = make_site(with_body("<h1>A</h1><a href='/gone/'>x</a><img src='/gone.png'>"))
    report = check_site(site, Wanted(choose(["html"], ["html.image-size"]), workers=1))
    assert {check for check, _ in found(report)} == {"html.alt"}


def test_a_site_that_cannot_be_built_is_told_whatever_was_asked_for(make_site: Any) -> None:
    site = make_site({"templates/story.html": "{{ nothing }}"})
    report = check_site(site, Wanted(choose(["links"], []), workers=1))
    assert {check for check, _ in found(report)} == {"templates.failed"}
