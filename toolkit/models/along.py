"""What was loaded along with a row: partners of its peers, which nobody has asked for yet.

They are theirs when somebody asks, as long as this process has written none of it: who asks sees what is there by then,
as if each row had asked for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from toolkit.models.fetching import neighbours_of
from toolkit.trace import Scope

_NONE = (None, None)


class Asked(Protocol):
    """A question (``Shape``), or the part of one that makes one object of a row (``Part``)."""

    @property
    def opaque(self) -> bool:
        """Whether nobody knows what else it reads."""

    def tables(self) -> Iterator[str]:
        """The tables that its answer is made of, and those that decide which rows there are."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What was asked without a shape, or in another process.

    Args:
        names: Of which tables.
        opaque: Whether nobody knows what else it read.
    """

    names: frozenset[str]
    opaque: bool = False

    def tables(self) -> Iterator[str]:
        return iter(self.names)


class Along:
    """What was asked for together at one moment.

    Args:
        scope: Who asked, before it was asked.
        model: Of what it was asked.
        asked: The questions, as far as they are known by then.

    Attributes:
        asked: The questions.
        size: For how many rows it was asked, where it takes the place of what was written meanwhile; else 0.
        later: What took its place last.
    """

    __slots__ = ("asked", "database", "eyes", "later", "model", "size", "version")

    def __init__(self, scope: Scope, model: Any, *asked: Asked) -> None:
        self.model, self.eyes = model, scope.eyes
        self.database = database = scope.of(model).database
        self.version = database.version
        self.asked: list[Asked] = list(asked)
        self.size = 0
        self.later: Along | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """As a pickle: what came in one holds until it is written."""
        tables = frozenset(table for each in self.asked for table in each.tables())
        return _restored, (self.model, self.eyes, Tables(tables, any(each.opaque for each in self.asked)))

    def holds(self, scope: Scope) -> bool:
        """Whether the same would be found now."""
        if scope.eyes is not self.eyes and scope.eyes != self.eyes:
            return False
        database = scope.of(self.model).database
        if self.database is None:
            self.database, self.version = database, database.version
        if database is not self.database:
            return False
        version = database.version
        if version != self.version:
            tables = {table for each in self.asked for table in each.tables()}
            if any(each.opaque for each in self.asked) or database.has_written(tables, self.version):
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
        peers = neighbours_of(instance)
        at = next((number for number, peer in enumerate(peers) if peer is instance), 0)
        in_front: Along | None = peers[at - 1].__dict__.get(place, _NONE)[0] if at else None
        later, before.later = before.later or in_front, self
        self.size = max(1, 2 * later.size) if later is not None and later.holds(scope) else 1
        if self.size == 1:
            return []

        def is_pending(peer: Any) -> bool:
            had: Along | None = peer.__dict__.get(place, _NONE)[0]
            return had is before or (had is not None and not had.holds(scope))

        return list(islice(filter(is_pending, peers[at + 1 :]), self.size - 1))


def _restored(model: Any, eyes: tuple[Any, ...], asked: Asked) -> Along:
    made = object.__new__(Along)
    made.model, made.eyes, made.asked = model, eyes, [asked]
    made.database, made.version, made.size, made.later = None, -1, 0, None
    return made


def as_loaded(values: dict[str, Any]) -> dict[str, Any]:
    """What was loaded along, as if it had been asked for: by the names of attributes."""
    return {name.removeprefix(PREFIX): early[1] for name, early in values.items() if name.startswith(PREFIX)}


PREFIX = "_along_"
"""Where partners are kept."""

VALUE_PREFIX = "_value_along_"
"""Where values of the row's own fields are kept."""
