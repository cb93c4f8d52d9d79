"""When a value that queries compare with now() is next reached: until then nothing changes by itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from toolkit.models.fields import DateTimeField
from toolkit.models.sqltext import placeholder, quoted

NEVER = datetime.max.replace(tzinfo=UTC)


def first_crossing(database: Any, columns: Iterable[tuple[str, str, int]], moment: datetime) -> datetime:
    """When a value of these columns is next reached; ``NEVER`` if there is none.

    Args:
        database: Theirs.
        columns: (table, column, microseconds): compared with the moment, or with one so much later.
        moment: From when.
    """
    return min((_next_value(database, *each, moment) for each in sorted(set(columns))), default=NEVER)


def _next_value(database: Any, table: str, column: str, later: int, moment: datetime) -> datetime:
    """When the next value of a column is reached, if it is compared with a moment so many microseconds later."""
    table = table.rpartition(":")[2]
    model = database.schema.by_table[table]
    field = next(field for field in model._meta.local_fields if field.column == column)
    write, read = field.db_writer(database.dialect), field.db_reader(database.dialect)
    shift = timedelta(microseconds=later)
    bound = moment + shift if isinstance(field, DateTimeField) else (moment + shift).date()
    name = quoted(database.dialect, column)
    mark = placeholder(database.dialect)
    sql = f"SELECT min({name}) FROM {quoted(database.dialect, table)} WHERE {name} >= {mark}"  # noqa: S608 - names
    found = database.fetch(sql, (write(bound) if write else bound,))[0][0]
    if found is None:
        return NEVER
    value = read(found) if read else found
    if isinstance(value, datetime):
        return value.astimezone(UTC) - shift
    day = datetime(value.year, value.month, value.day, tzinfo=UTC) - shift
    return max(day, moment)  # a date that is today's: it may be compared either way
