"""``explain()``: each database's own command, and its answer as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from toolkit.errors import FieldError, did_you_mean

FORMATS = {"sqlite": ("text",), "postgresql": ("text", "json", "xml", "yaml"), "mysql": ("text", "json")}
"""Formats by dialect."""


def explain_prefix(dialect: str, *, format: str | None, analyze: bool) -> str:
    """What stands before a statement to have it explained.

    Raises:
        FieldError: The database does not know the format, or cannot analyze.
    """
    chosen = (format or "text").lower()
    known = FORMATS.get(dialect, ("text",))
    if chosen not in known:
        hint = did_you_mean(chosen, known) or f"It has: {', '.join(known)}."
        raise FieldError(f"explain(format={format!r}): {dialect} does not know this format", hint=hint)
    if dialect == "sqlite":
        if analyze:
            raise FieldError("explain(analyze=True): SQLite does not measure its steps", hint="Leave it out.")
        return "EXPLAIN QUERY PLAN"
    if dialect == "mysql":
        how = " FORMAT=JSON" if chosen == "json" else ""
        return f"{'ANALYZE' if analyze else 'EXPLAIN'}{how}"
    return f"EXPLAIN ({'ANALYZE, ' if analyze else ''}FORMAT {chosen.upper()})"


def explained(dialect: str, rows: Sequence[Sequence[Any]]) -> str:
    """The answer as text: SQLite's steps indented by depth, others line by line."""
    if dialect == "sqlite":
        depth = {0: -1}
        lines = []
        for number, parent, _, told in rows:
            depth[number] = depth.get(parent, -1) + 1
            lines.append(f"{'  ' * depth[number]}{told}")
        return "\n".join(lines)
    return "\n".join("\t".join(_text(value) for value in row) for row in rows)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
