"""Which conditions are about the same partner of a many-valued relation.

Conditions of one ``filter()`` that cross the same relation speak of one and the same partner, however they are nested
with ``&`` and ``|``. What is negated, or a side of ``^``, is a matter of its own. A row without a partner has NULL
there, as in Django: ``comments__score__isnull=True`` is true of a story without comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.models.context import Context
from toolkit.models.paths import Resolved, join_forward
from toolkit.models.relations import ForeignKey

Key = tuple[int, int]
"""Names a crossing: the table it starts from, and the relation."""


@dataclass(frozen=True)
class Crossing:
    """A many-valued relation on the path of a condition.

    Args:
        name: The path.
        home: The place whose table the path starts from.
        resolved: Where the path stops, before the relation.
    """

    name: str
    home: Context
    resolved: Resolved

    @property
    def key(self) -> Key:
        """Equal for conditions that cross the same relation from the same table."""
        return (id(self.resolved.node), id(self.resolved.many))

    @property
    def is_end(self) -> bool:
        """Whether the path ends at the relation itself, for ``tags__isnull``."""
        return self.resolved.rest in ((), ("isnull",))


def is_leaf(part: Any) -> bool:
    """Whether a part of a condition is one comparison, rather than a ``Q`` or an expression."""
    return isinstance(part[0], str) and part[0] != "(q)"


def start_of(home: Context, name: str, kind: str) -> Resolved:
    """Where the path of a comparison leads from the place that it starts from.

    Args:
        home: The place.
        name: The path.
        kind: The kind of comparison.
    """
    compiler = home.compiler
    resolved = home.resolve(name)
    if kind == "isnull" and isinstance(resolved.field, ForeignKey) and compiler.hides(resolved.field.target):
        # a reference to a row that the viewer may not see is, for that viewer, none
        other = join_forward(compiler, resolved.node, resolved.field)
        return Resolved(other, other.pk, other.model._meta.pk, resolved.rest)
    return resolved


def crossing_of(context: Context, leaf: Any) -> Crossing | None:
    """The many-valued relation that a comparison crosses first, seen from a place."""
    home = context.home(leaf[0])
    resolved = start_of(home, leaf[0], leaf[1])
    return Crossing(leaf[0], home, resolved) if resolved.many is not None else None


def crossings(context: Context, part: Any) -> dict[Key, Crossing]:
    """The crossings of a part of a condition, without those of what is closed in itself."""
    if is_leaf(part):
        found = crossing_of(context, part)
        return {found.key: found} if found is not None else {}
    if _is_closed(part):
        return {}
    every: dict[Key, Crossing] = {}
    for child in part[3]:
        every |= crossings(context, child)
    return every


def _is_closed(part: Any) -> bool:
    """Whether a part has partners of its own."""
    return not is_leaf(part) and (part[0] != "(q)" or part[2] or part[1] == "XOR")


def grouped(context: Context, parts: Sequence[Any]) -> Iterable[tuple[list[Any], Crossing | None]]:
    """The parts of an AND that have to be about the same partners, with a crossing that several of them share."""
    groups: list[tuple[list[Any], list[dict[Key, Crossing]]]] = []
    for part in parts:
        found = crossings(context, part)
        if not found:  # it shares nothing with any other
            groups.append(([part], [found]))
            continue
        joined: tuple[list[Any], list[dict[Key, Crossing]]] = ([], [])
        kept = []
        for group in groups:
            if any(not found.keys().isdisjoint(each) for each in group[1]):
                joined[0].extend(group[0])
                joined[1].extend(group[1])
            else:
                kept.append(group)
        groups = [*kept, ([*joined[0], part], [*joined[1], found])]
    return [(members, _shared(found)) for members, found in groups]


def _shared(found: Sequence[dict[Key, Crossing]]) -> Crossing | None:
    """A crossing that at least two parts have."""
    seen: set[Key] = set()
    for each in found:
        for key, crossing in each.items():
            if key in seen:
                return crossing
            seen.add(key)
    return None


def without_partner(context: Context, part: Any, crossing: Crossing) -> Any:
    """What is left of a condition where there is no partner: True, False, or a condition on the rest."""
    if is_leaf(part):
        found = crossing_of(context, part)
        if found is None or found.key != crossing.key:
            return part
        return part[1] == "isnull" and bool(part[2])
    if _is_closed(part):
        return part
    settles = part[1] == "OR"  # one that is true settles an OR, one that is false an AND
    left = [without_partner(context, child, crossing) for child in part[3]]
    if settles in left:
        return settles
    rest = tuple(child for child in left if not isinstance(child, bool))
    return ("(q)", part[1], False, rest) if rest else not settles
