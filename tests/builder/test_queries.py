"""``toolkit build --queries``: what pages ask the database, the slowest questions, and those for each row of a list."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.builder.queries import SLOWEST, QueryReport
from toolkit.database import LoggedQuery


@pytest.mark.parametrize("workers", [1, 2])
def test_a_build_counts_the_queries_of_each_page_and_names_the_line(press: Any, workers: int) -> None:
    report = press.build(workers=workers, queries=True)
    assert report.queries.count > 0
    assert set(report.queries.pages) <= {event.subject for event in report.events if event.kind == "rendered"}
    lines = {query.where.rpartition(":")[0] for query in report.queries.slowest}
    assert any(line.endswith((".html", ".py", ".xml")) for line in lines)
    again = press.build(workers=workers, queries=True)
    assert (again.rendered, again.queries.count) == (0, 0)


def test_a_build_counts_nothing_unless_it_is_asked_to(press: Any) -> None:
    report = press.build(workers=1)
    assert report.queries is None
    assert "queries" not in report.as_dict()


def test_reports_of_several_processes_are_one() -> None:
    first, second = QueryReport(), QueryReport()
    first.add("/a/", [LoggedQuery("SELECT 1", (), False, "a.html:1", seconds=0.2, rows=3)])
    second.add("/a/", [LoggedQuery("SELECT 2", (), False, "b.html:2", seconds=0.5) for _ in range(8)])
    second.add("/b/", [])
    first.merge(second)
    assert (first.count, first.pages["/a/"], first.pages["/b/"]) == (9, 9, 0)
    assert len(first.slowest) == SLOWEST
    lines = list(first.lines(rendered=2))
    assert lines[0] == "9 queries for 2 pages, 4.5 a page, 4200.0 ms"
    assert lines[1] == "  9 for /a/"
    assert lines[3] == "  500.0 ms, 0 rows, asked at b.html:2 for /a/: SELECT 2"
    assert lines[-2:] == [
        "asked again and again, which one question for all rows of a list would spare:",
        "  8 times at b.html:2 for /a/: SELECT 2",
    ]
    assert first.as_dict()["repeated"] == [{"times": 8, "sql": "SELECT 2", "where": "b.html:2", "page": "/a/"}]
