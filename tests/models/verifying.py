"""Pages' traces, verified as another process would: from what is kept of them, and by the answers of today."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from toolkit.models.answers import answer_queries, answer_rows
from toolkit.trace import READER, Scope, Trace, entered


def read_by(database: Any, page: Callable[[], Any]) -> Trace:
    """What a page reads for readers."""
    with entered(Scope(None, database, READER, trace=Trace())) as reading:
        page()
    assert reading.trace is not None
    return reading.trace


def broken(scope: Scope, trace: Trace) -> list[str]:
    """The kinds of the queries and rows that would be read differently today."""
    records = json.loads(json.dumps({key: shape.record() for key, shape in trace.shapes.items()}))
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode([[*name, old] for name, old in trace.inputs.items()]))
    inputs = {(kind, _tupled(key)): old for kind, key, old in kept}
    asked = {kind: [key for each, key in inputs if each == kind] for kind in ("query", "row")}
    today = {"query": answer_queries(scope, records, asked["query"]), "row": answer_rows(scope, asked["row"])}
    return sorted(kind for (kind, key), old in inputs.items() if today[kind][key] != old)


def broken_by(database: Any, pages: Mapping[str, Callable[[], Any]], sql: str) -> set[str]:
    """The pages that are stale once somebody ran a statement; before it none is."""
    traces = {name: read_by(database, page) for name, page in pages.items()}
    asking = Scope(None, database, READER)
    assert [name for name, trace in traces.items() if broken(asking, trace)] == []
    database.execute(sql)
    database.changed()
    return {name for name, trace in traces.items() if broken(asking, trace)}


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value
