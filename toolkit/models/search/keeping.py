"""Which kind of database keeps which index, and when an index is brought up to date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from toolkit.models.search.declaration import Search
from toolkit.models.search.indexing import SearchIndex
from toolkit.models.search.postgresql import PostgreSQLIndex
from toolkit.models.search.sqlite import SQLiteIndex
from toolkit.trace import Scope

INDEXES: Mapping[str, type[SearchIndex]] = {"sqlite": SQLiteIndex, "postgresql": PostgreSQLIndex}
"""Dialect to its index."""


def find_index(dialect: str) -> type[SearchIndex] | None:
    """How a kind of database keeps the index, or None if it has none."""
    return INDEXES.get(dialect)


def refresh_searched(scope: Scope, searches: Iterable[Search]) -> None:
    """Bring the indexes that a question asks up to date, before it is asked."""
    kind = find_index(scope.database.dialect)
    if kind is not None:
        for search in searches:
            kind(scope, search).refresh()


def refresh_indexes(scope: Scope) -> None:
    """Bring the indexes of all searched models up to date, in each database, before a snapshot in which they are asked.

    Args:
        scope: Gives the databases.
    """
    databases = [scope.database] if scope.site is None else scope.site.databases.homes
    for database in databases:
        if database.schema.searches:
            refresh_searched(scope.at(database), database.schema.searches)
