"""The pages of one list in one snapshot: asked for in less time, with the same rows and the same record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from toolkit.models import F, Now
from toolkit.trace import READER, entered

LISTS: dict[str, Callable[[Any], Any]] = {
    "ordered": lambda m: m.Story.objects.order_by("-title"),
    "reversed": lambda m: m.Story.objects.order_by("title").reverse(),
    "filtered": lambda m: m.Story.objects.filter(published__gte="2026-02-01", section__slug__contains="section"),
    "of a section": lambda m: m.Section.objects.get(slug="section-1").stories.all(),
    "of a tag": lambda m: m.Tag.objects.get(slug="tag-1").stories.all(),
    "with fewer columns": lambda m: m.Story.objects.only("title"),
    "with a section": lambda m: m.Story.objects.select_related("section"),
    "of all": lambda m: m.Story.objects.unrestricted(),
    "computed": lambda m: m.Story.objects.annotate(again=F("weight")),
}


def read(m: Any, database: Any, rows: Callable[[Any], Any], *, snapshot: bool) -> tuple[Any, Any]:
    """All pages of a list, each with the number of all its rows; and what a page that shows them records."""
    with entered(m.look(database, READER, traced=True)) as scope:
        if snapshot:
            with database.snapshot():
                found = [_page(rows(m), at) for at in range(0, 24, 3)]
        else:
            found = [_page(rows(m), at) for at in range(0, 24, 3)]
        return found, (scope.trace.inputs, list(scope.trace.shapes))


def _page(rows: Any, at: int) -> Any:
    return [(row.pk, row.title, row.section.name if row.section else None) for row in rows[at : at + 3]], rows.count()


@pytest.mark.parametrize("name", LISTS)
def test_a_snapshot_gives_the_same_rows_and_the_same_record(m: Any, newsroom: Any, scope: Any, name: str) -> None:
    alone = read(m, scope.database, LISTS[name], snapshot=False)
    together = read(m, scope.database, LISTS[name], snapshot=True)
    assert together == alone
    assert sum(len(rows) for rows, _ in alone[0]) == alone[0][0][1] > 2


def test_a_list_is_counted_once_and_found_once(m: Any, newsroom: Any, scope: Any) -> None:
    with scope.database.snapshot(), entered(m.look(scope.database, READER, traced=True)):
        rows = m.Story.objects.filter(title__contains="t").order_by("title")
        with scope.database.counted() as asked:
            for at in (0, 3, 6, 9):
                list(rows.all()[at : at + 3])
                rows.all().count()
    assert len([sql for sql in asked if "LIMIT" in sql]) == 2, "the first page, and the second, which might be the last"
    assert len([sql for sql in asked if "count(*)" in sql]) == 1


def test_what_is_written_after_a_snapshot_is_seen_in_the_next(m: Any, newsroom: Any, scope: Any) -> None:
    def pages() -> list[Any]:
        with scope.database.snapshot(), entered(m.look(scope.database, READER, traced=True)):
            rows = m.Story.objects.order_by("title")
            return [[row.title for row in rows[at : at + 3]] for at in (3, 6, 9)] + [rows.count()]

    before = pages()
    m.Story.objects.filter(pk=m.Story.objects.order_by("title")[4].pk).delete()
    after = pages()
    assert after[-1] == before[-1] - 1
    assert after != before


def test_what_may_differ_at_every_moment_is_asked_each_time(m: Any, newsroom: Any, scope: Any) -> None:
    with scope.database.snapshot(), entered(m.look(scope.database, READER, traced=True)):
        rows = m.Story.objects.annotate(age=Now() - F("published")).filter(age__lte=timedelta(days=3))
        with scope.database.counted() as asked:
            assert {rows.all().count() for _ in range(4)} == {4}
    assert len(asked) == 4
