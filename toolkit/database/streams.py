"""The rows of a question, taken from the server so many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

from toolkit.lazily import LazyModule

if TYPE_CHECKING:
    from toolkit.database import refusals
    from toolkit.database.connections import Database
else:
    refusals = LazyModule("toolkit.database.refusals")


class Stream:
    """One question whose rows stay with the server until they are taken. Use it in a ``with`` block.

    Args:
        database: The database.
        cursor: A cursor that asked the question.
        sql: The question.
        parameters: Its parameters.

    Attributes:
        names: Of the columns.
    """

    def __init__(self, database: Database, cursor: Any, sql: str, parameters: Sequence[Any]) -> None:
        self._database, self._cursor, self._sql, self._parameters = database, cursor, sql, parameters
        self.names = [column[0] for column in cursor.description or ()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """A connection that is lost by now has given all rows that were wanted; the next statement finds out."""
        if not self._is_lost():
            try:
                self._cursor.close()
                return
            except Exception as error:
                if not self._is_lost():
                    raise self._database.translated(error, self._sql) from error
        self._database.backend.abandon_stream(self._cursor)

    def chunks(self, size: int) -> Iterator[list[Any]]:
        """All rows, so many at a time."""
        while rows := self._take(size):
            yield rows
        self._database.backend.refuse_doubtful(self._cursor, self._sql)

    def _take(self, size: int) -> list[Any]:
        try:
            return list(self._cursor.fetchmany(size))
        except Exception as error:  # noqa: BLE001 - told
            told = self._database.backend.unread(self._cursor, error, self._sql, self._parameters)
            raise self._broken(told) from told

    def _is_lost(self) -> bool:
        connection = getattr(self._cursor, "connection", None)
        return connection is not None and self._database.backend.is_lost(connection)

    def _broken(self, error: Exception) -> Exception:
        """The error for rows of which only some could be taken."""
        if not self._is_lost():
            return self._database.translated(error, self._sql)
        self._database.renew()
        return refusals.lost_while_taking(self._database, error, self._sql)
