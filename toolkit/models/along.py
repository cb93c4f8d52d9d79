"""What was loaded along with a row: partners of its peers, which nobody has asked for yet.

They are theirs when somebody asks, as long as this process has written none of it: who asks sees what is there by then,
as if each row had asked for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import dropwhile, islice
from typing import Any

from toolkit.models.fetching import neighbours_of
from toolkit.trace import Scope

_NONE = (None, None)


class Along:
    """What was asked for together at one moment.

    Args:
        scope: Who asked, before it was asked.

    Attributes:
        shapes: The questions.
        size: For how many rows it was asked, where it takes the place of what was written meanwhile; else 0.
        later: What took its place last.
    """

    __slots__ = ("database", "eyes", "later", "shapes", "size", "version")

    def __init__(self, scope: Scope) -> None:
        self.database, self.version, self.eyes = scope.database, scope.database.version, scope.eyes
        self.shapes: list[Any] = []
        self.size = 0
        self.later: Along | None = None

    def holds(self, scope: Scope) -> bool:
        """Whether the same would be found now."""
        database, version = scope.database, scope.database.version
        if database is not self.database or scope.eyes != self.eyes:
            return False
        if version != self.version:
            if database.has_written({table for shape in self.shapes for table in _tables_of(shape)}, self.version):
                return False
            self.version = version
        return True

    def others(self, scope: Scope, instance: Any, place: str, before: Along) -> list[Any]:
        """For which rows to ask anew beside one, as what was loaded before no longer holds: for twice as many as the
        last time, or for that one alone if what was asked then does not hold either.

        A loop that writes at each row asks at each row, for no more than that one; one that wrote once asks seldom.

        Args:
            scope: The current scope.
            instance: The row that was asked for it.
            place: The attribute where it is kept.
            before: What no longer holds.
        """
        later, before.later = before.later, self
        self.size = 2 * later.size if later is not None and later.holds(scope) else 1
        if self.size == 1:
            return []
        behind = dropwhile(lambda peer: peer is not instance, neighbours_of(instance))
        pending = (peer for peer in behind if peer.__dict__.get(place, _NONE)[0] is before)
        return list(islice(pending, self.size - 1))


def _tables_of(shape: Any) -> Iterator[str]:
    """The tables that the instances of a question are made of, and those that decide which there are."""
    for level in shape.model._meta.levels:
        yield level._meta.table
        if level._meta.translation is not None:
            yield level._meta.translation._meta.table
    yield from (table.rpartition(":")[2] for table, _ in shape.footprint)


def without(place: str, peers: Iterable[Any]) -> list[Any]:
    """Those for whom nothing was loaded along."""
    return [peer for peer in peers if place not in peer.__dict__]


def as_loaded(values: dict[str, Any]) -> dict[str, Any]:
    """What was loaded along, as if it had been asked for: by the names of attributes."""
    return {name.removeprefix(PREFIX): early[1] for name, early in values.items() if name.startswith(PREFIX)}


PREFIX = "_along_"
