"""How a thread asks its questions over a connection: all rows at once, again and again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

LARGE_ANSWER = 1_000
"""Rows that may be held on to until the next question."""

Reader = Callable[[str, Sequence[Any]], list[Any]]
"""Gives all rows of a statement, as tuples."""


_CALLS = re.compile(r"""([^\W\d]\w*)["`]?\s*\(""")


def is_reading(sql: str) -> bool:
    """Whether a statement may be asked twice."""
    return sql.startswith("SELECT") or sql.lstrip()[:6].upper() == "SELECT"


def called_in(sql: str) -> list[str]:
    """What may be the names of functions that a statement calls, as they stand there and in small letters."""
    words = set(_CALLS.findall(sql))
    return sorted(words | {word.lower() for word in words})


class NoValue:
    """Stands for a value of a database that Python has none for.

    Args:
        text: It, as the database writes it.
        why: Why Python has none.
    """

    def __init__(self, text: str, why: str) -> None:
        self.text, self.why = text, why

    def __repr__(self) -> str:
        return self.text


class UnreadRows(list[Any]):
    """Rows some of which have a ``NoValue``."""


class Unread(Exception):
    """Some rows have a value that Python has none for.

    Args:
        names: Of the columns.
        rows: All rows, or those among which there is one, with ``NoValue`` in their place.
    """

    def __init__(self, names: Sequence[str], rows: list[Any]) -> None:
        found = ((name, value) for row in rows for name, value in zip(names, row, strict=True))
        name, value = next(((name, value) for name, value in found if isinstance(value, NoValue)), ("", None))
        super().__init__(f"{name!r} is {value}, and {value.why}" if value is not None else "a value cannot be read")
        self.rows = UnreadRows(rows)


class CursorReader:
    """Asks through one cursor of the driver's: to make one takes longer than to use it.

    Nobody else comes between a question and its rows. A cursor that holds many of them is let go.

    Args:
        connection: The driver's.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursor: Any = None

    def __call__(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """All rows of a question."""
        cursor = self._cursor
        if cursor is None:
            cursor = self._cursor = self._connection.cursor()
        rows = self.ask(cursor, sql, parameters)
        if len(rows) > LARGE_ANSWER:
            self._cursor = None
        return rows if isinstance(rows, list) else list(rows)

    def ask(self, cursor: Any, sql: str, parameters: Sequence[Any]) -> Any:
        """The rows, as the driver gives them."""
        cursor.execute(sql, parameters)
        return cursor.fetchall()
