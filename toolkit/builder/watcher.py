"""Whether the snapshots of several processes show one state of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from toolkit.errors import DatabaseError

TIMEOUT_SECONDS = 10


class Watcher:
    """Tells whether anybody committed to the database since the watcher was made.

    ``PRAGMA data_version`` answers for one connection whether another one committed. The watcher is made before the
    parent's snapshot begins. If its version stands once all workers are in theirs, then nobody committed in between,
    and all snapshots show the same state.

    Args:
        databases: The databases; of those that are no SQLite files nothing is known.
    """

    def __init__(self, databases: Iterable[Any]) -> None:
        self._connections = [
            sqlite3.connect(
                f"{database.path.absolute().as_uri()}?mode=ro", isolation_level=None, timeout=TIMEOUT_SECONDS, uri=True
            )
            for database in databases
            if database.dialect == "sqlite" and database.path is not None
        ]
        self._first = self._versions()

    def _versions(self) -> list[int]:
        try:
            return [int(one.execute("PRAGMA data_version").fetchone()[0]) for one in self._connections]
        except sqlite3.Error as error:
            raise DatabaseError(
                f"the database cannot be watched: {error}", hint="Is somebody writing all the time?"
            ) from error

    def agrees(self) -> bool:
        """Whether nobody committed since."""
        return self._versions() == self._first

    def close(self) -> None:
        """Close the connections."""
        for one in self._connections:
            one.close()
