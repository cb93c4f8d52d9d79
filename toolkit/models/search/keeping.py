"""Which kind of database keeps which index, and when an index is brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

from toolkit.models.search.declaration import Search
from toolkit.models.search.indexing import DECLARATIONS, SearchIndex
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


def drop_indexes(database: Any, is_outdated: Callable[[str, Set[str]], bool]) -> None:
    """Take away indexes; of a model that is searched, the next search makes it anew.

    Args:
        database: The database, in a transaction.
        is_outdated: Whether to, of the table of a model, and all tables whose changes are noted for its index.
    """
    kind = find_index(database.dialect)
    if kind is None or not database.has_table(DECLARATIONS):
        return
    for (table,) in list(database.fetch(f"SELECT name FROM {DECLARATIONS} ORDER BY name")):  # noqa: S608 - a constant
        if is_outdated(table, {table, *kind.watched(database, table)}):
            kind.drop(database, table)
            mark = database.backend.placeholder
            database.run(f"DELETE FROM {DECLARATIONS} WHERE name = {mark}", (table,))  # noqa: S608 - a constant


def refresh_indexes(scope: Scope) -> None:
    """Bring the indexes of all searched models up to date, in each database, before a snapshot in which they are asked.

    Args:
        scope: Gives the databases.
    """
    databases = [scope.database] if scope.site is None else scope.site.databases.homes
    for database in databases:
        if database.schema.searches:
            refresh_searched(scope.at(database), database.schema.searches)
