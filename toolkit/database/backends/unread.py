"""Values of PostgreSQL's that Python has none for: days and instants beyond the years 1 to 9999, and 24 o'clock.

psycopg's own error says neither which row has one nor in which column. Its answer is read once more, then, so that
whoever knows the columns can tell.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from psycopg import pq
from psycopg.adapt import AdaptersMap, Loader, Transformer

from toolkit.database.backends.reading import NoValue, Unread

_ERA_YEARS, _ERA_DAYS = 400, 146_097
"""After so many years the calendar begins again."""

_DAY = 86_400_000_000
_START = date(2000, 1, 1)
YEARS, CLOCK = "Python's years are 1 to 9999", "a time of day is before 24:00"


def unread(connection: Any, result: Any) -> Unread:
    """The rows of an answer, with what cannot be read as ``NoValue``.

    Args:
        connection: psycopg's.
        result: libpq's.
    """
    values = Transformer(_Lenient(connection))
    values.set_pgresult(result)
    names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
    return Unread(names, values.load_rows(0, result.ntuples, tuple))


class _Lenient:
    """What psycopg's transformer reads with, with other loaders."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.adapters = AdaptersMap(connection.adapters)
        for name, why in (("date", YEARS), ("timestamp", YEARS), ("timestamptz", YEARS), ("time", CLOCK)):
            for form in (pq.Format.TEXT, pq.Format.BINARY):
                oid = self.adapters.types[name].oid
                loader = connection.adapters.get_loader(oid, form)
                self.adapters.register_loader(oid, _lenient(loader, name, form, why))


@cache
def _lenient(loader: Any, name: str, form: pq.Format, why: str) -> type[Loader]:
    """A loader that gives ``NoValue`` where another one fails."""

    class Lenient(Loader):
        format = form

        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._strict = loader(oid, context)

        def load(self, data: Any) -> Any:
            try:
                return self._strict.load(data)
            except Exception:  # noqa: BLE001 - whatever the driver says of it
                raw = bytes(data)
                told = raw.decode() if form == pq.Format.TEXT else _spelt(name, int.from_bytes(raw, "big", signed=True))
                return NoValue(told, why)

    return Lenient


def _spelt(name: str, number: int) -> str:
    """A value in binary form as PostgreSQL writes it. Source: its "Date/Time Types", src/include/utils/timestamp.h."""
    if name == "time":
        return "24:00:00"
    bits = 31 if name == "date" else 63
    if number in (2**bits - 1, -(2**bits)):
        return "infinity" if number > 0 else "-infinity"
    days, rest = (number, 0) if name == "date" else divmod(number, _DAY)
    eras, day = divmod(days, _ERA_DAYS)
    found = _START + timedelta(days=day)
    year = found.year + eras * _ERA_YEARS
    text = f"{year if year > 0 else 1 - year:04}-{found:%m-%d}"
    if name != "date":
        text += f" {datetime.fromtimestamp(0, UTC) + timedelta(microseconds=rest):%H:%M:%S}"
    return text if year > 0 else f"{text} BC"
