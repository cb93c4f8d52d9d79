"""What may make an answer of a moment ago another one: the database, the clock, and files. Asked at every request.

The questions here are cheap and may say "perhaps"; whether a page really would be another is then asked of its
trace (``toolkit.server.verifying``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from toolkit.models.passing import first_crossing
from toolkit.stamps import Stamp, is_settled, stamp_of


class _Seen(threading.local):
    token: Any = None
    since: float = 0.0


class DatabaseState:
    """Since when nothing was written to the database, as far as the connection of this thread can tell.

    SQLite counts commits of others (``PRAGMA data_version``), changes of one's own, and changes of the schema, for
    each connection. While these are the same, the database is the one that was read in the meantime by any thread.
    Of other databases nothing is known without asking the question itself.

    Args:
        database: The site's.
    """

    def __init__(self, database: Any) -> None:
        self._database = database
        self._seen = _Seen()

    def unchanged_since(self) -> float:
        """A reading of ``time.monotonic()``: whatever was read from the database after it would be read now."""
        if self._database.dialect != "sqlite":
            return time.monotonic()
        seen = self._seen
        token = self._token()
        if token != seen.token:
            seen.token, seen.since = token, time.monotonic()
        return seen.since

    def _token(self) -> Any:
        """What stays the same while nobody writes."""
        database = self._database
        file = _inode(database.path)
        if self._seen.token is not None and self._seen.token[0] != file:
            database.usable()  # another file was put in its place; this connection would go on reading the old one
        connection = database.connection
        try:  # not by database.fetch(), which tells its listeners of each statement
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            schema = connection.execute("PRAGMA schema_version").fetchone()[0]
        except Exception as error:
            raise database.translated(error, "PRAGMA data_version") from error
        return (file, id(connection), version, schema, connection.total_changes)


class SiteState:
    """Since when nothing was written to any database of a site.

    Args:
        databases: Those that pages are rendered from.
    """

    def __init__(self, databases: Iterable[Any]) -> None:
        self._states = [DatabaseState(database) for database in databases]

    def unchanged_since(self) -> float:
        """A reading of ``time.monotonic()``: see ``DatabaseState``."""
        return max(state.unchanged_since() for state in self._states)


def _inode(path: Any) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        status = os.stat(path)  # noqa: PTH116 - at every request
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant that stands for all instants up to another: no query and no clock would answer differently.

    Args:
        value: The instant to render with.
        crossing: When a row next crosses now(): a page without the clock among its inputs holds until then.
        until: When to take another: at the crossing, or at the next minute.
        taken: ``time.monotonic()`` before the snapshot was begun in which the database was asked.
        shapes: How many query shapes were known.
    """

    value: datetime
    crossing: datetime
    until: datetime
    taken: float
    shapes: int


class Moments:
    """Gives requests the moment they are answered for.

    Taking the same moment for many requests lets them share what was made for it. It stands for now exactly: it is
    left as soon as a row that some query compares with now() crosses it, and with every minute, as finely as
    templates can read the clock.

    Args:
        databases: Those that pages are rendered from.
    """

    def __init__(self, databases: Iterable[Any]) -> None:
        self._databases = list(databases)
        self._known: Moment | None = None
        self._local = threading.local()

    def take(self, since: float, *, taken: float, now: datetime | None = None) -> Moment:
        """The moment for now. To be called in a snapshot.

        Args:
            since: From when on the database was as it is (``DatabaseState.unchanged_since``).
            taken: ``time.monotonic()`` before the snapshot was begun.
            now: For tests.
        """
        now = now or datetime.now(UTC)
        known = self._known
        if known is None or not self._stands(known, since, now):
            known = self._known = self._make(now, taken)
        if getattr(self._local, "value", None) != known.value:
            self._local.value = known.value
            for database in self._databases:
                database.memo.clear()  # its keys contain the moment: what was kept for another is of no more use
        return known

    def refined(self, moment: Moment, *, now: datetime | None = None) -> Moment | None:
        """A moment, by all query shapes that are known now; None if it stands for now no more.

        To be called in the same snapshot, after something was asked that nobody may have asked before.
        """
        shapes = self._shapes()
        if moment.shapes != shapes:
            crossing = self._next_crossing(moment.value)
            until = min(crossing, moment.until)
            moment = self._known = replace(moment, crossing=crossing, until=until, shapes=shapes)
        return moment if (now or datetime.now(UTC)) < moment.crossing else None

    def _shapes(self) -> int:
        return sum(len(database.shapes) for database in self._databases)

    def _next_crossing(self, moment: datetime) -> datetime:
        return min(next_crossing(database, moment) for database in self._databases)

    def _stands(self, known: Moment, since: float, now: datetime) -> bool:
        same = known.taken >= since and known.shapes == self._shapes()
        return same and known.value <= now < known.until

    def _make(self, now: datetime, taken: float) -> Moment:
        shapes = self._shapes()
        crossing = self._next_crossing(now)
        minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        return Moment(now, crossing, min(crossing, minute), taken, shapes)


def next_crossing(database: Any, moment: datetime) -> datetime:
    """When a value that some known query compares with now() is next reached; ``NEVER`` if there is none."""
    return first_crossing(database, {each for shape in list(database.shapes.values()) for each in shape.clock}, moment)


class FileStamps:
    """Whether files, and places where there was none, are as they were; by their stamps.

    Args:
        places: Paths of files and folders.
    """

    __slots__ = ("_settled", "_stamps")

    def __init__(self, places: Iterable[str]) -> None:
        now = time.time_ns()
        self._stamps = [(place, _stamp(place)) for place in sorted(set(places))]
        self._settled = all(stamp is None or is_settled(stamp, at_ns=now) for _, stamp in self._stamps)

    def hold(self) -> bool:
        """Whether all of them certainly are. Stamps that were young when they were taken are certain of nothing."""
        return self._settled and all(_stamp(place) == stamp for place, stamp in self._stamps)


def _stamp(place: str) -> Stamp | None:
    try:
        return stamp_of(os.stat(place))  # noqa: PTH116 - at every request
    except (OSError, ValueError):
        return None
