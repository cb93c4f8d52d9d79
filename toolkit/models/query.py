"""What is to be compiled."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

Sight = tuple[bool, bool, bool]


class Query(msgspec.Struct, frozen=True, dict=True):
    """What is to be compiled: everything about a queryset but its values.

    Args:
        model: The model asked for.
        operations: Filters, orderings and so on, in the order they were said.
        form: ``instances``, ``rows``, ``count``, ``exists`` or ``aggregate``.
        start: Index of the value that is the OFFSET; None for none.
        stop: Index of the value that is the LIMIT; None for none.
        totals: For ``aggregate``, (alias, structure) pairs.
    """

    model: Any
    operations: tuple[Any, ...]
    form: str
    start: int | None = None
    stop: int | None = None
    totals: tuple[tuple[str, Any], ...] = ()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Kept, for the question of a relation is looked up for each of its owners."""
        return hash((self.model, self.operations, self.form, self.start, self.stop, self.totals))

    def __getstate__(self) -> dict[str, Any]:
        """Without the hash, which is another in another process."""
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}
