"""What a database says when it is asked to explain a statement."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.database.connections import Database


def explained(database: Database, sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]] | None:
    """All nodes of a plan in JSON; None of a statement that the database does not explain.

    The transaction that it is asked in comes to no harm.
    """
    with suppress(ToolkitError), database.atomic():
        plan = database.run(sql, parameters).fetchone()[0]
        return list(_nodes(json.loads(plan) if isinstance(plan, str) else plan))
    return None


def _nodes(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, dict):
        yield plan
    for inner in plan.values() if isinstance(plan, dict) else plan if isinstance(plan, list) else ():
        yield from _nodes(inner)
