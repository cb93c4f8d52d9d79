"""One fault is told once, in one order, whichever page met it first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.builder.problems import merge_problems
from toolkit.errors import TemplateError, ToolkitError


def fault(
    url: str, message: str = "'x' is not defined", *, line: int | None = 3, path: str | None = "base.html"
) -> ToolkitError:
    return TemplateError(message, path=path, line=line, url=url, hint="Define it.")


def test_the_way_to_a_fault_does_not_make_it_another() -> None:
    found = merge_problems(
        [
            fault("/b/", "'x' is not defined (extended by story.html:1)"),
            fault("/c/", "'x' is not defined (included from nav.html:2, extended by tag.html:1)"),
            fault("/a/", "'x' is not defined (extended by home.html:1)"),
            fault("/d/", "'x' is not defined"),
        ]
    )
    assert [str(problem) for problem in found] == [
        "base.html:3: 'x' is not defined (extended by home.html:1) (page /a/). Define it. The same on 3 more pages."
    ]


def test_two_faults_of_one_place_stay_two() -> None:
    """A parenthesis with a value is not a way."""
    told = ["'31.02' is not a date (expected YYYY-MM-DD)", "'31.02' is not a date (expected DD.MM.YYYY)"]
    assert [problem.message for problem in merge_problems([fault("/", message) for message in told])] == sorted(told)


def test_faults_are_told_by_file_line_and_url() -> None:
    found = merge_problems(
        [
            fault("/a/", line=10),
            fault("/c/", path="a.html"),
            fault("/b/", line=9),
            fault("/z/", "gone", path=None, line=None),
        ]
    )
    assert [(p.path, p.line, p.url) for p in found] == [
        (None, None, "/z/"),
        ("a.html", 3, "/c/"),
        ("base.html", 9, "/b/"),
        ("base.html", 10, "/a/"),
    ]


def test_what_is_merged_is_left_as_it_was() -> None:
    first, second = fault("/a/"), fault("/b/")
    assert merge_problems([first, second])[0].hint == "Define it. The same on 1 more page."
    assert first.hint == "Define it."


PROBLEMS = [
    fault(f"/{page}/", f"{what} (extended by {page}.html:1)", line=line)
    for page in "abc"
    for what in "xy"
    for line in (1, 2)
]


@given(st.permutations(PROBLEMS))
def test_the_order_of_the_workers_is_not_seen(problems: list[ToolkitError]) -> None:
    assert [str(p) for p in merge_problems(problems)] == [str(p) for p in merge_problems(PROBLEMS)]
