"""The log of queries: what was asked inside a block, how long it took, and which line asked it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.callers import find_caller

Execute = Callable[[str, Sequence[Any], bool, Mapping[str, Any]], Any]
"""What runs a statement: ``execute(sql, parameters, many, context)`` gives a cursor."""

Wrapper = Callable[[Execute, str, Sequence[Any], bool, Mapping[str, Any]], Any]
"""Stands around it: ``wrapper(execute, sql, parameters, many, context)``, which calls ``execute`` or raises."""


@dataclass(slots=True)
class LoggedQuery:
    """One statement.

    Attributes:
        sql: Its text.
        parameters: Its values; a list of rows of values, if ``many``.
        many: Whether it was run for each of several rows of values.
        where: The line that asked: of a template, such as ``story.html:14``, or of Python code outside the toolkit.
        seconds: How long the database took, the fetching of rows included.
        rows: How many rows were fetched, or written.
        error: What the database refused it with; None if it did not.
    """

    sql: str
    parameters: Sequence[Any]
    many: bool
    where: str
    seconds: float = 0.0
    rows: int = 0
    error: Exception | None = field(default=None, compare=False)


class QueryLog:
    """A wrapper that keeps what it sees.

    Attributes:
        queries: In the order they were asked.
    """

    def __init__(self) -> None:
        self.queries: list[LoggedQuery] = []

    def __call__(
        self, execute: Execute, sql: str, parameters: Sequence[Any], many: bool, context: Mapping[str, Any]
    ) -> Any:
        query = LoggedQuery(sql, parameters, many, find_caller())
        self.queries.append(query)
        started = time.perf_counter()
        try:
            cursor = execute(sql, parameters, many, context)
        except Exception as error:
            query.error = error
            raise
        finally:
            query.seconds += time.perf_counter() - started
        if cursor.description is None:
            query.rows = max(cursor.rowcount, 0)
        return WatchedCursor(cursor, query)


class WatchedCursor:
    """A cursor that tells a logged query how many rows were fetched, and how long that took."""

    def __init__(self, cursor: Any, query: LoggedQuery) -> None:
        self._cursor, self._query = cursor, query

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def _timed(self, fetch: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        try:
            return fetch()
        finally:
            self._query.seconds += time.perf_counter() - started

    def fetchone(self) -> Any:
        """The next row; None when there is none."""
        row = self._timed(self._cursor.fetchone)
        self._query.rows += row is not None
        return row

    def fetchmany(self, *size: int) -> Any:
        """The next rows."""
        rows = self._timed(lambda: self._cursor.fetchmany(*size))
        self._query.rows += len(rows)
        return rows

    def fetchall(self) -> Any:
        """All rows that remain."""
        rows = self._timed(self._cursor.fetchall)
        self._query.rows += len(rows)
        return rows

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row
