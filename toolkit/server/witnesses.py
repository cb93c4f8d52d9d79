"""Which pages used a file when they were last rendered: where to look first whether one still does.

All of it is hints. Nothing is given to a reader because it stands here, only because a page that is asked today uses
it. So it may be lost, or be deleted with the rest of ``.toolkit``, at any time; the processes of a server share it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from toolkit.server.uses import Use

MOST_PAGES = 6
"""That a process remembers of one file."""

MOST_TOLD = 24
"""That all of them remember together."""

MOST_FILES = 50_000
"""That are remembered in memory, some 20 MB."""

LENT_SECONDS = 300.0
"""For how long a reader may load what a view showed: images that are loaded when they scroll into view."""

_RENEWED = LENT_SECONDS / 5
_TABLES = """
CREATE TABLE IF NOT EXISTS used (kind TEXT, name TEXT, page TEXT, PRIMARY KEY (kind, name, page)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lent (kind TEXT, name TEXT, until REAL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
"""
_NOTE = f"""
INSERT OR IGNORE INTO used SELECT ?, ?, ?
WHERE (SELECT count(*) FROM used WHERE kind = ? AND name = ?) < {MOST_TOLD}
"""  # noqa: S608 - a constant


class Witnesses:
    """Pages by the files that they used, in memory and in a file beside it.

    Args:
        place: The file. Where it cannot be written, this process remembers alone.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._pages: OrderedDict[Use, list[str]] = OrderedDict()
        self._lent: OrderedDict[Use, float] = OrderedDict()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0

    # pages

    def note(self, page: str, uses: Iterable[Use]) -> None:
        """Remember that a page uses these files; of a file that many pages use, that some do is enough."""
        with self._lock:
            new = [use for use in uses if self._is_new(use, page)]
            for use in new:
                self._pages.setdefault(use, []).append(page)
            self._trim(self._pages)
            self._write(_NOTE, [(*use, page, *use) for use in new])

    def _is_new(self, use: Use, page: str) -> bool:
        known = self._pages.get(use, ())
        return page not in known and len(known) < MOST_PAGES

    def of(self, use: Use) -> list[str]:
        """The pages that used a file; at most some of them."""
        with self._lock:
            return list(self._pages.get(use, ()))

    def told(self, use: Use) -> list[str]:
        """Those that other processes know, or this one did before it was started."""
        with self._lock:
            found = self._read("SELECT page FROM used WHERE kind = ? AND name = ?", use)
        return [page for (page,) in found]

    def forget(self, page: str, use: Use) -> None:
        """A page does not use a file any more."""
        with self._lock:
            pages = self._pages.get(use, [])
            if page in pages:
                pages.remove(page)
            self._write("DELETE FROM used WHERE kind = ? AND name = ? AND page = ?", [(*use, page)])

    # views

    def lend(self, uses: Iterable[Use], until: float) -> None:
        """Remember that a view showed these files to a reader.

        Args:
            uses: The files.
            until: When that ends, as ``time.time()`` counts.
        """
        with self._lock:
            new = [use for use in uses if self._lent.get(use, 0.0) < until - _RENEWED]
            self._lent.update(dict.fromkeys(new, until))
            self._trim(self._lent)
            self._write("INSERT OR REPLACE INTO lent VALUES (?, ?, ?)", [(*use, until) for use in new])

    def is_lent(self, use: Use) -> bool:
        """Whether a view showed a file to a reader a moment ago."""
        now = time.time()
        with self._lock:
            if self._lent.get(use, 0.0) > now:
                return True
            found = self._read("SELECT until FROM lent WHERE kind = ? AND name = ?", use)
            return any(until > now for (until,) in found)

    # keeping

    @staticmethod
    def _trim(known: OrderedDict[Use, list[str]] | OrderedDict[Use, float]) -> None:
        while len(known) > MOST_FILES:
            known.popitem(last=False)

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        with suppress(sqlite3.Error, OSError):
            connection = self._connect()
            with connection:
                connection.executemany(statement, rows)

    def _read(self, statement: str, use: Use) -> list[tuple[Any]]:
        if self._connection is None and not self.place.is_file():
            return []
        with suppress(sqlite3.Error, OSError):
            return self._connect().execute(statement, use).fetchall()
        return []

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        """This process's own connection: one that was there before a fork must not be used after it."""
        if self._connection is None or self._owner != os.getpid():
            self.place.parent.mkdir(parents=True, exist_ok=True)
            self._connection, self._owner = self._open(), os.getpid()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        try:
            return _opened(self.place)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # locked, or not to be written
                raise
            self.place.unlink()  # it is no database: nothing is lost but hints
            return _opened(self.place)


def _opened(place: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(place, timeout=0.1, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_TABLES)
    except BaseException:
        connection.close()
        raise
    return connection
