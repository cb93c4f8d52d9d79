"""Fetch modes: what happens when a row is asked for something that was not loaded with it.

The mode of an instance stands where its peers would: whoever has a mode of its own has no peers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from weakref import ref

from toolkit.errors import FieldError


class FetchMode(tuple[Any, ...]):
    """How what is missing is fetched; an empty list of peers.

    Args:
        name: As it is written in ``models``.
    """

    name: str

    def __new__(cls, name: str) -> FetchMode:
        made = super().__new__(cls)
        made.name = name
        return made

    def __repr__(self) -> str:
        return f"models.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # the global of this name, so that there is one of each

    def __copy__(self) -> FetchMode:
        return self


FETCH_ONE = FetchMode("FETCH_ONE")
"""Fetch it for this row alone."""

FETCH_PEERS = FetchMode("FETCH_PEERS")
"""Fetch it for all rows that were loaded together; how it is unless another mode is said."""

FETCH_RAISE = FetchMode("FETCH_RAISE")
"""Refuse, and name the line of the template that would have asked."""

RAISE = FETCH_RAISE
"""Django's name of it."""


def known_mode(mode: FetchMode) -> FetchMode:
    """A fetch mode as it was given.

    Raises:
        FieldError: It is none.
    """
    if not isinstance(mode, FetchMode):
        raise FieldError(f"fetch_mode({mode!r}): that is no fetch mode", hint="Such as models.FETCH_RAISE.")
    return mode


def mode_of(instance: Any) -> FetchMode:
    """The fetch mode of an instance."""
    peers = instance._peers
    return peers if peers.__class__ is FetchMode else FETCH_PEERS


NEIGHBOURS = 500
"""Instances of a long list that stand side by side, and have what is large loaded together: partners of relations to
many, and fields that were left out. Whoever looks at ten rows of 200,000 loads little more."""


class Neighbours(list[Any]):
    """What instances that stand side by side in a long list keep of each other: references, or the instances.

    Attributes:
        every: Weak references to all parts of the list, so that one row that somebody keeps holds its own part alone.
    """

    __slots__ = ("__weakref__", "every")
    every: Sequence[ref[Neighbours]]


def linked(instances: Iterable[Any]) -> list[Any]:
    """What few instances keep of each other as peers: weak references, for a circle would be freed by the collector
    alone.

    Fifty rows with two relations, which nobody has any more, cost it 65 us of the 430 that it takes to load them.
    """
    return list(map(ref, instances))


def link(instances: list[Any], *, weakly: bool = True) -> None:
    """Let instances that were loaded together know each other.

    Args:
        instances: In the order of the list.
        weakly: By weak references.
    """
    if len(instances) <= NEIGHBOURS:
        peers = linked(instances) if weakly else instances
        for instance in instances:
            instance._peers = peers
        return
    parts = [instances[start : start + NEIGHBOURS] for start in range(0, len(instances), NEIGHBOURS)]
    known = [Neighbours(linked(part) if weakly else part) for part in parts]
    every = [*map(ref, known)]
    for part, neighbours in zip(parts, known, strict=True):
        neighbours.every = every
        for instance in part:
            instance._peers = neighbours


def neighbours_of(instance: Any) -> Sequence[Any]:
    """The same part of what ``peers_of`` gives: all of a short list."""
    return _there(instance._peers)


def peers_of(instance: Any) -> Sequence[Any]:
    """The instances that were loaded with this one, and it; those that are still there."""
    peers = instance._peers
    if peers.__class__ is Neighbours:
        return [peer for each in peers.every if (part := each()) is not None for peer in _there(part)]
    return _there(peers)


def _there(peers: Sequence[Any] | None) -> Sequence[Any]:
    if not peers:
        return ()
    if peers[0].__class__ is ref:
        return [peer for each in peers if (peer := each()) is not None]
    return peers  # instances: there were many


def iter_neighbours(instance: Any) -> Iterator[Any]:
    """The same as ``neighbours_of``, found when the first is asked for."""
    yield from neighbours_of(instance)


def spread(mode: FetchMode, instances: Iterable[Any]) -> None:
    """Give instances, and the objects that were selected along with them, a mode."""
    if mode is FETCH_PEERS:
        return
    for instance in instances:
        instance._peers = mode
        values = instance.__dict__
        along = [values[key.name] for key in instance._meta.foreign_keys() if values.get(key.name) is not None]
        spread(mode, (other for other in along if other._peers is not mode))
