"""Whether the snapshots of several processes show one state of the database."""

from __future__ import annotations

import sqlite3
from typing import Any

from toolkit.errors import DatabaseError

TIMEOUT_SECONDS = 10


class Watcher:
    """Tells whether anybody committed to the database since the watcher was made.

    ``PRAGMA data_version`` answers for one connection whether another one committed. The watcher is made before the
    parent's snapshot begins. If its version stands once all workers are in theirs, then nobody committed in between,
    and all snapshots show the same state.

    Args:
        database: The database; of those that are no SQLite files nothing is known.
    """

    def __init__(self, database: Any) -> None:
        self._connection: Any = None
        if database.dialect == "sqlite" and database.path is not None:
            self._connection = sqlite3.connect(database.path, isolation_level=None, timeout=TIMEOUT_SECONDS)
            self._first = self._version()

    def _version(self) -> int:
        try:
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as error:
            raise DatabaseError(
                f"the database cannot be watched: {error}", hint="Is somebody writing all the time?"
            ) from error

    def agrees(self) -> bool:
        """Whether nobody committed since."""
        return self._connection is None or self._version() == self._first

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
