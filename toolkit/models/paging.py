"""What the pages of one list have in common in one snapshot: how many rows it has, and their keys in order.

By LIMIT and OFFSET the database finds and sorts the whole list for each of its pages, so that all of them together
take time that grows with the square of its length. In a snapshot nothing changes. So when a second page of a list is
asked for there, the keys of all its rows are, once; and the rows of that page and the next ones by their keys. What
is recorded in traces is the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from toolkit.models.combining import LOADING, ORDERS
from toolkit.models.query import Query
from toolkit.models.scopes import find_shape
from toolkit.models.shapes import Shape
from toolkit.trace import Scope

COUNTS = 256
"""Lists of which a snapshot remembers how many rows they have."""

LISTS = 4
"""Lists whose keys are remembered: a process renders the pages of one after the other."""

MOST_KEYS = 200_000
"""Keys of one list that are remembered, some 14 MB at most."""

FINDING = frozenset({"filter", *ORDERS})
"""Operations that say which rows there are and in which order: of no matter once their keys are known."""


def known_rows(scope: Scope, query: Query, shape: Shape, values: Sequence[Any]) -> Any:
    """The rows of an answer, as far as other answers in the snapshot tell them; None if it has to be asked for.

    Args:
        scope: Of the database at hand, with a trace.
        query: The question.
        shape: Its shape.
        values: Its values.
    """
    if shape.opaque or shape.locks:
        return None
    if query.form == "count":
        return _count(scope, shape, values)
    if query.form == "instances" and query.start is not None and query.stop is not None and _is_plain(query):
        return _page(scope, query, shape, values)
    return None


def _is_plain(query: Query) -> bool:
    meta = query.model._meta
    said = {operation[0] for operation in query.operations}
    return said <= FINDING | {*LOADING, "unrestricted"} and len(meta.key) == 1 and not meta.parents


def _count(scope: Scope, shape: Shape, values: Sequence[Any]) -> Any:
    """The row of a count; asked for, if it was not before."""
    bound = shape.statement.bind(values, scope, ())
    kept, key = _kept(scope, "counts"), _key(shape.statement.sql, bound)
    if key is None:
        return None
    if key not in kept:
        _keep(kept, key, scope.database.ask(shape.statement.sql, bound), most=COUNTS)
    return kept[key]


def _page(scope: Scope, query: Query, shape: Shape, values: Sequence[Any]) -> Any:
    keys = _keys(scope, query, values)
    if not keys or query.start is None or query.stop is None:
        return None
    start = values[query.start]
    wanted = keys[start : start + values[query.stop]]
    if not wanted:
        return []
    loading = tuple(operation for operation in query.operations if operation[0] not in FINDING)
    keyed = find_shape(scope, Query(query.model, (*loading, ("keyed", "pk")), "instances"))
    sql, given = keyed.statement.for_keys(wanted)
    rows = {row[-1]: row[:-1] for row in scope.database.ask(sql, keyed.statement.bind(values, scope, given))}
    return [rows[key] for key in wanted] if len(rows) == len(wanted) else None


def _keys(scope: Scope, query: Query, values: Sequence[Any]) -> list[Any] | None:
    """The keys of a whole list; None at the first time that it is met, for it may be the only one."""
    whole = find_shape(scope, replace(query, start=None, stop=None))
    if len(whole.identity_indexes) != 1:
        return None
    bound = whole.identity.bind(values, scope, ())
    kept, key = _kept(scope, "lists"), _key(whole.identity.sql, bound)
    if key is None:
        return None
    if key not in kept:
        _keep(kept, key, None, most=LISTS)
        return None
    if kept[key] is None:
        found = [row[0] for row in scope.database.ask(whole.identity.sql, bound)]
        kept[key] = found if len(found) <= MOST_KEYS else []
    known: list[Any] = kept[key]
    return known


def _kept(scope: Scope, name: str) -> OrderedDict[Any, Any]:
    found: OrderedDict[Any, Any] = scope.database.memo.setdefault((__name__, name), OrderedDict())
    return found


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any, *, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)


def _key(sql: str, bound: Sequence[Any]) -> Any:
    """What an answer is known by; None where a parameter cannot be a part of that."""
    key = (sql, *((value.__class__, value) for value in bound))
    try:
        hash(key)
    except TypeError:
        return None
    return key
