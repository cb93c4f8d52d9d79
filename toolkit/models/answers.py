"""Asking again: what would the rows and queries of a trace answer today?

Asked in bulk: all keys of one shape go into few statements, and rows of one table are fetched by key together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from toolkit.database import DEFAULT
from toolkit.models.fields import DateTimeField
from toolkit.models.shapes import KEYS_MARK
from toolkit.models.sqltext import iter_chunks, key_of, key_text, quoted
from toolkit.trace import ABSENT, Scope, digest

Key = tuple[Any, ...]
Record = Mapping[str, Any]

_MOMENT: DateTimeField[Any] = DateTimeField()


def at_place(scope: Scope, alias: str) -> Scope:
    """A scope for the database of this alias, whose rows are asked without a detour to a copy."""
    if alias == DEFAULT or scope.site is None:
        return scope
    database = scope.site.find_database(alias)
    return scope.at(database) if database is not None else scope


def at_table(scope: Scope, name: str) -> tuple[Scope, Any]:
    """The scope of the database that a table of a trace is in, and its model; None if there is none."""
    place, _, table = name.rpartition(":")
    here = at_place(scope, place or DEFAULT)
    if place and here.database.place != place:
        return here, None
    return here, here.database.schema.by_table.get(table)


def answer_rows(scope: Scope, keys: Iterable[Key]) -> dict[Key, bytes]:
    """Today's digests of rows, by input key (table, columns or None, primary key)."""
    groups: dict[tuple[str, Any], list[Any]] = {}
    for table, mask, pk in keys:
        groups.setdefault((table, mask), []).append(pk)
    found: dict[Key, bytes] = {}
    for (table, mask), pks in groups.items():
        here, model = at_table(scope, table)
        answers = _rows_by_key(here, model, mask, pks) if model is not None else {}
        for pk in pks:
            found[(table, mask, pk)] = answers.get(_plain(pk), ABSENT)
    return found


def _rows_by_key(scope: Scope, model: Any, mask: Any, pks: Sequence[Any]) -> dict[Any, bytes]:
    dialect = scope.database.dialect
    meta = model._meta
    names = list(mask or meta.columns)
    if not set(names) <= set(meta.columns):
        return {}
    indexes = [names.index(field.column) for field in meta.key]
    columns = ", ".join(quoted(dialect, name) for name in names)
    table, key = quoted(dialect, meta.table), key_text(dialect, [field.column for field in meta.key])
    found = {}
    for chunk, marks in iter_chunks(pks, dialect, len(indexes)):
        sql = f"SELECT {columns} FROM {table} WHERE {key} IN ({marks})"  # noqa: S608 - names of the schema
        for row in scope.database.ask(sql, chunk):
            found[_plain(key_of([row[index] for index in indexes], len(indexes)))] = digest(row)
    return found


def _plain(key: Any) -> Any:
    """A key as it comes back from where traces are kept: PostgreSQL's UUIDs are text there."""
    if isinstance(key, tuple | list):
        return tuple(_plain(each) for each in key)
    return str(key) if isinstance(key, UUID) else key


def answer_queries(scope: Scope, records: Mapping[str, Record], keys: Iterable[Key]) -> dict[Key, bytes]:
    """Today's digests of queries, by input key (shape id, parameters).

    Args:
        scope: Who asks, and at which moment; nothing is recorded.
        records: Shape id to what ``Shape.record`` gave.
        keys: The inputs' keys.
    """
    keyed: dict[tuple[str, Key], list[Any]] = {}
    sliced: dict[tuple[str, Key], list[Key]] = {}
    found: dict[Key, bytes] = {}
    for key in keys:
        record = records[key[0]]
        here = at_place(scope, record.get("place", DEFAULT))
        if "similar" in record:
            found[key] = _answer_similar(scope, record, key)
        elif record["keyed"]:
            keyed.setdefault((key[0], key[2:]), []).append(key[1])
        elif _slice_order(record["sql"]):
            sliced.setdefault((key[0], key[1:-2]), []).append(key)
        else:
            found[key] = _answer_plain(here, record, key[1:])
    for (shape, _), pages in sliced.items():
        here = at_place(scope, records[shape].get("place", DEFAULT))
        found |= _answer_slices(here, records[shape], pages)
    for (shape, rest), owners in keyed.items():
        here = at_place(scope, records[shape].get("place", DEFAULT))
        answers = _answer_keyed(here, records[shape], rest, owners)
        for owner in owners:
            found[(shape, owner, *rest)] = answers.get(_plain(owner)) or digest([])
    return found


def _parameters(scope: Scope, record: Record, values: Sequence[Any], keys: Sequence[Any] = ()) -> list[Any]:
    given = iter(values)
    write = _MOMENT.db_writer(scope.database.dialect)
    parameters: list[Any] = []
    for source in record["plan"]:
        if source == "keys":
            parameters.extend(keys)
        elif source.startswith("moment"):
            moment = scope.now() + timedelta(microseconds=int(source.removeprefix("moment") or 0))
            parameters.append(write(moment) if write else moment)
        else:
            parameters.append(next(given))
    return parameters


def _answer_plain(scope: Scope, record: Record, values: Sequence[Any]) -> bytes:
    rows = scope.database.ask(record["sql"], _parameters(scope, record, values))
    return digest([list(row) for row in rows])


_SLICED = re.compile(
    r"SELECT (?P<key>\S+) \nFROM .* ORDER BY (?:[^()]*, )?(?P=key)(?: ASC| DESC)?(?: NULLS (?:FIRST|LAST))?\s+"
    r"LIMIT (?:(?:\?|%s\S*) OFFSET (?:\?|%s\S*)|(?P<offset_first>%s, %s))",
    re.DOTALL,
)
"""A slice of rows by key, whose order leaves nothing to chance: it ends with the key."""

DENSE = 4
"""Slices are asked for together if they are at least one in so many of the rows from the first to the last."""


def _answer_slices(scope: Scope, record: Record, keys: Sequence[Key]) -> dict[Key, bytes]:
    """Slices of one list in one question: the pages of a list would each have it sorted again."""
    bounds = {key: _slice_of(record, key) for key in keys}
    counts = [count for _, count in bounds.values()]
    first = min(start for start, _ in bounds.values())
    width = max(start + count for start, count in bounds.values()) - first
    if len(keys) == 1 or min(counts) < 0 or sum(counts) * DENSE < width:
        return {key: _answer_plain(scope, record, key[1:]) for key in keys}
    whole = {"start": first, "count": width}
    given = [*keys[0][1:-2], *(whole[name] for name in _slice_order(record["sql"]))]
    rows = [list(row) for row in scope.database.ask(record["sql"], _parameters(scope, record, given))]
    return {key: digest(rows[start - first : start - first + count]) for key, (start, count) in bounds.items()}


def _slice_of(record: Record, key: Key) -> tuple[int, int]:
    """(start, count) of a slice."""
    given = dict(zip(_slice_order(record["sql"]), key[-2:], strict=True))
    return given["start"], given["count"]


@lru_cache(maxsize=512)
def _slice_order(sql: str) -> tuple[str, ...]:
    """What the last two parameters of a slice are, in their order; empty if it is none that can be cut from another."""
    found = _SLICED.fullmatch(sql)
    if found is None:
        return ()
    return ("start", "count") if found["offset_first"] else ("count", "start")


def _answer_keyed(scope: Scope, record: Record, values: Sequence[Any], owners: Sequence[Any]) -> dict[Any, bytes]:
    groups: dict[Any, list[Any]] = {}
    width = record.get("width", 1)
    for chunk, marks in iter_chunks(owners, scope.database.dialect, width):
        sql = record["sql"].replace(KEYS_MARK, marks)
        for row in scope.database.ask(sql, _parameters(scope, record, values, chunk)):
            key = row[-1] if width == 1 else tuple(row[-width:])
            groups.setdefault(key, []).append(list(row[:-width]))
    return {_plain(owner): digest(rows) for owner, rows in groups.items()}


def _answer_similar(scope: Scope, record: Record, key: Key) -> bytes:
    table, name = record["similar"]
    here, model = at_table(scope, table)
    declared = vars(model).get(name) if model is not None else None
    if declared is None:
        return ABSENT
    _, locale, limit, *tags = key
    asked = Scope(scope.site, here.database, scope.viewer, locale, scope.default_locale, scope.moment)
    answer: bytes = declared.answer(asked, tags, limit)
    return answer
