"""What was written, told after the commit: ``rows_changed`` for every write path, raw SQL included.

Nothing is collected while nobody listens. The models say what they write; for SQL that others run through
``Database.execute``, the database itself is asked which tables a statement writes, once for each text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from toolkit.signals import rows_changed
from toolkit.trace import Scope, current

KNOWN_TEXTS = 1_000
"""Statements whose tables are remembered."""


class Changes:
    """What one transaction wrote so far, in the order it was written.

    Kept by depth, so that what a savepoint takes back is never told.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[int, Any, str], set[Any] | None] = {}

    def add(self, depth: int, model: Any, operation: str, keys: Iterable[Any] | None) -> None:
        """Note rows. ``None`` stands for rows that are not known."""
        place = (depth, model, operation)
        before = self._found.setdefault(place, set())
        self._found[place] = None if keys is None or before is None else before | set(keys)

    def keep(self, depth: int) -> None:
        """A savepoint was released: what it wrote belongs to the block around it."""
        found, self._found = self._found, {}
        for (at, model, operation), keys in found.items():
            self.add(min(at, depth), model, operation, keys)

    def take_back(self, depth: int) -> None:
        """A savepoint was rolled back."""
        self._found = {place: keys for place, keys in self._found.items() if place[0] <= depth}

    def send(self, database: Any) -> list[Exception]:
        """Tell everybody; errors come back together."""
        errors: list[Exception] = []
        for (_, model, operation), keys in self._found.items():
            if keys is None or keys:
                scope = _scope_of(database)
                errors += database.receivers.send_to_all(
                    rows_changed, model, keys=keys, operation=operation, scope=scope
                )
        return errors


def _scope_of(database: Any) -> Scope:
    scope = current.get()
    return scope if scope is not None else Scope(None, database)


class RawWatch:
    """Tells which tables a statement writes, by asking the database to explain it.

    Args:
        database: The database.
    """

    def __init__(self, database: Any) -> None:
        self._database = database
        self._known: dict[str, tuple[Any, ...]] = {}

    def written(self, sql: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
        """The models whose tables this statement writes."""
        found = self._known.get(sql)
        if found is None:
            if len(self._known) >= KNOWN_TEXTS:
                self._known.clear()
            found = self._known[sql] = self._find(sql, parameters)
        return found

    def _find(self, sql: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
        schema = self._database.schema
        if schema is None:
            return ()
        tables = self._database.backend.written_tables(self._database, sql, parameters)
        if tables is None:  # the database explains no such statement: it may have written whatever it mentions
            tables = mentioned(schema.table_names, sql)
        return tuple(schema.by_table[name] for name in schema.table_names if name in tables)


def mentioned(tables: Iterable[str], sql: str) -> set[str]:
    """The tables whose names are in a statement, whatever they are there."""
    text = sql.casefold()
    return {name for name in tables if name.casefold() in text}


@contextmanager
def errors_told() -> Iterator[list[Exception]]:
    """Collect errors in a block, and raise the first when it is over."""
    errors: list[Exception] = []
    yield errors
    if errors:
        raise errors[0]
