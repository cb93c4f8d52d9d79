"""Inputs in words: "Story 41 changed", "template story.html changed"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.builder.names import Names, shown_key

PROVING = "to see whether its trace tells everything"
"""Why a paranoid build renders what need not be."""


def describe(names: Names, shapes: Mapping[str, Mapping[str, Any]], kind: str, key: tuple[Any, ...]) -> str:
    """An input as people would name it."""
    if kind == "row":
        return f"{names.tables.get(key[0], key[0])} {shown_key(key[2])}"
    if kind == "query":
        return _query(names, shapes, key)
    if kind == "message":
        return f"message {key[3]!r} in {key[0]}"
    if kind == "url":
        what = f"{key[0].partition(':')[2]} {key[1]}" if key[1] is not None else key[0].partition(":")[2]
        return f"the URL of {what} in {key[2]}"
    if kind == "subject":
        return f"the subject {shown_key(key[1])} of {key[0].partition(':')[2]} in {key[2]}"
    if kind == "plan":
        return f"the list of {key[0].partition(':')[2]} pages in {key[1]}"
    if kind == "clock":
        return f"the {key[0]}"
    if kind == "stored":
        return f"the stored file {key[1]}"
    if kind == "image":
        return f"the image {key[2]}"
    if kind == "outside":
        return f"what was asked outside ({key[0]})"
    if kind == "imported":
        return f"what was asked outside while modules were imported ({key[0]})"
    if kind == "environment":
        return "the environment" if key[0] == "*" else f"the variable {key[0]}"
    if kind == "code":
        return "the code"
    if kind == "part":
        return "what a build of a part left as it was"
    return f"{kind} {key[0]}"


def _query(names: Names, shapes: Mapping[str, Mapping[str, Any]], key: tuple[Any, ...]) -> str:
    record = shapes.get(key[0], {})
    tables = sorted({table for table, _ in record.get("footprint", ())})
    asked = [names.tables.get(table, table) for table in tables]
    given = ", ".join(repr(value) for value in key[1:])
    if record.get("opaque"):
        asked = [f"what {' '.join(record['sql'].split())[:100]!r} reads"]
    return f"a query on {', '.join(asked)}" + (f" ({given})" if given else "")
