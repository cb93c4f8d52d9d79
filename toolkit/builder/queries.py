"""What rendering asked the database: how often for each page, which questions took longest, and which were asked again
and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import msgspec

from toolkit.database import Database, LoggedQuery

SLOWEST = 5
"""Queries that are told in full."""


class SlowQuery(NamedTuple):
    """One query of a rendering.

    Args:
        seconds: How long it took.
        sql: Its text.
        rows: How many rows it gave.
        where: The line of a template, or of Python, that asked.
        page: URL of the page that was being rendered; of the first of a batch, for what is loaded for all of it.
    """

    seconds: float
    sql: str
    rows: int
    where: str
    page: str

    def __str__(self) -> str:
        return (
            f"{self.seconds * 1000:.1f} ms, {self.rows} rows, asked at {self.where or 'the toolkit'} for {self.page}: "
            f"{' '.join(self.sql.split())[:300]}"
        )


REPEATED = 5
"""So often must a page ask the same question at the same line for it to be told: most likely for each row of a list."""


class RepeatedQuery(NamedTuple):
    """One question that a page asked again and again, with other values.

    Args:
        times: How often.
        sql: Its text.
        where: The line of a template, or of Python, that asked.
        page: URL of the page that was being rendered.
    """

    times: int
    sql: str
    where: str
    page: str

    def __str__(self) -> str:
        return (
            f"{self.times} times at {self.where or 'the toolkit'} for {self.page}: {' '.join(self.sql.split())[:300]}"
        )


class QueryReport(msgspec.Struct):
    """The queries of a build's renderings.

    Attributes:
        pages: URL to how many queries its rendering made. Rows that fifty pages share are loaded once, by the first.
        seconds: What all of them took.
        slowest: The slowest, slowest first.
        repeated: Those that one page asked again and again, most often first.
    """

    pages: Counter[str] = msgspec.field(default_factory=Counter)
    seconds: float = 0.0
    slowest: list[SlowQuery] = msgspec.field(default_factory=list)
    repeated: list[RepeatedQuery] = msgspec.field(default_factory=list)

    def add(self, page: str, queries: Iterable[LoggedQuery]) -> None:
        """Count what was asked for a page."""
        self.pages[page] += 0
        same: Counter[tuple[str, str]] = Counter()
        for query in queries:
            self.pages[page] += 1
            same[query.sql, query.where] += 1
            self.seconds += query.seconds
            self.slowest.append(SlowQuery(query.seconds, query.sql, query.rows, query.where, page))
        self.repeated += [RepeatedQuery(times, *asked, page) for asked, times in same.items() if times >= REPEATED]
        self._keep()

    def merge(self, other: QueryReport) -> None:
        """Take up what another process counted."""
        self.pages.update(other.pages)
        self.seconds += other.seconds
        self.slowest += other.slowest
        self.repeated += other.repeated
        self._keep()

    def _keep(self) -> None:
        self.slowest = sorted(self.slowest, key=lambda query: (-query.seconds, query.page, query.sql))[:SLOWEST]
        self.repeated = sorted(self.repeated, key=lambda query: (-query.times, query.page, query.sql))[:SLOWEST]

    @property
    def count(self) -> int:
        """All queries."""
        return self.pages.total()

    def lines(self, rendered: int) -> Iterator[str]:
        """The report, for people.

        Args:
            rendered: How many pages were rendered.
        """
        average = self.count / rendered if rendered else 0.0
        yield f"{self.count} queries for {rendered} pages, {average:.1f} a page, {self.seconds * 1000:.1f} ms"
        for url, count in self.pages.most_common(SLOWEST):
            if count:
                yield f"  {count} for {url}"
        if self.slowest:
            yield "slowest:"
        for query in self.slowest:
            yield f"  {query}"
        if self.repeated:
            yield "asked again and again, which one question for all rows of a list would spare:"
        for repeated in self.repeated:
            yield f"  {repeated}"

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "count": self.count,
            "seconds": round(self.seconds, 6),
            "pages": dict(sorted(self.pages.items())),
            "slowest": [query._asdict() for query in self.slowest],
            "repeated": [query._asdict() for query in self.repeated],
        }


@contextmanager
def logged(databases: Iterable[Database], page: str, report: QueryReport | None) -> Iterator[None]:
    """Count what is asked inside the block for a page.

    Args:
        databases: Those that may be asked.
        page: Its URL.
        report: Where it is counted; None to count nothing.
    """
    if report is None:
        yield
        return
    with ExitStack() as stack:
        logs = [stack.enter_context(database.log()) for database in databases]
        try:
            yield
        finally:
            for queries in logs:
                report.add(page, queries)
