"""Which conditions are about the same partner of a many-valued relation.

Conditions of one ``filter()`` that cross the same relation speak of one and the same partner, however they are nested
with ``&`` and ``|``, and on whichever side of a comparison: ``weight__lt=F("comments__score")``. What is negated, or a
side of ``^``, is a matter of its own. A row without a partner has NULL there, as in Django:
``comments__score__isnull=True`` is true of a story without comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.models.aggregates import Aggregate
from toolkit.models.context import Context
from toolkit.models.expressions import F
from toolkit.models.paths import Resolved, is_path, join_forward, link_sides, own_column, rows_between, seen_keys
from toolkit.models.relations import ForeignKey
from toolkit.models.structures import iter_names, renamed

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler

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
    def between(self) -> Any:
        """The relation to the rows of the table between, if they have a name: ``bylines`` for ``authors``."""
        return rows_between(self.resolved.node.model, self.resolved.many)

    @property
    def key(self) -> Key:
        """Equal for conditions that cross the same relation from the same table, or the rows between of one."""
        return (id(self.resolved.node), id(self.between or self.resolved.many))

    @property
    def spelled_out(self) -> str:
        """The path by way of the rows between: ``bylines__author__name`` for ``authors__name``."""
        resolved, between = self.resolved, self.between
        beyond = "__".join(resolved.rest)
        before = self.name.removesuffix(beyond).removesuffix("__").split("__")[:-1]
        other = link_sides(resolved.many)[1]
        rest = (
            resolved.rest if resolved.rest and is_path(other.target._meta, resolved.rest[0]) else ("pk", *resolved.rest)
        )
        return "__".join((*before, between.name, other.name, *rest))

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
    return next(_crossings_of(context, leaf), None)


def _crossings_of(context: Context, leaf: Any) -> Iterator[Crossing]:
    """Those that a comparison crosses first: that of its left side, and those of the names on its right."""
    names = [(leaf[0], leaf[1]), *((name, "expression") for name in _right_names(leaf))]
    for name, kind in names:
        home = context.home(name)
        resolved = start_of(home, name, kind)
        if resolved.many is not None:
            yield Crossing(name, home, resolved)


def by_one_way(context: Context, structure: Any) -> tuple[Any, dict[Key, list[ForeignKey[Any]]]]:
    """A structure in which what is about the same row between is said in one way.

    ``authors__name="Ann", bylines__position=1`` is about one byline, as in Django: ``bylines__author__name="Ann"``.

    Returns:
        The structure, and by crossing the keys that now lead to partners from whom the question came before.
    """
    ways: dict[Key, dict[str, Crossing]] = {}
    for name in dict.fromkeys(iter_names(structure)):
        found = crossing_of(context, (name, "expression", ()))
        if found is not None:
            ways.setdefault(found.key, {})[name] = found
    names: dict[str, str] = {}
    keys: dict[Key, list[ForeignKey[Any]]] = {}
    for key, each in ways.items():
        if len({id(found.resolved.many) for found in each.values()}) > 1:
            turned = {name: found for name, found in each.items() if found.between is not None}
            names |= {name: found.spelled_out for name, found in turned.items()}
            keys[key] = list(dict.fromkeys(link_sides(found.resolved.many)[1] for found in turned.values()))
    return (renamed(structure, names) if names else structure), keys


def seen_partners(compiler: Compiler, keys: Iterable[ForeignKey[Any]]) -> list[Any]:
    """Conditions on rows between, that the viewer may see the partners to whom they lead."""
    return [
        own_column(compiler, compiler.root, key).in_(seen_keys(compiler, key))
        for key in keys
        if compiler.hides(key.target)
    ]


def _right_names(leaf: Any) -> Iterator[str]:
    return _names_of_row(leaf[2]) if leaf[1] in ("expression", "items") else iter(())


def _names_of_row(structure: Any) -> Iterator[str]:
    """The names in an expression, but for those of other questions, of aggregates, and of conditions inside."""
    if not isinstance(structure, tuple) or not structure or structure[0] == "(q)":
        return
    kind = structure[0]
    if kind is F:
        yield structure[1]
    if getattr(kind, "closed", False) or getattr(kind, "outward", False):
        return
    if isinstance(kind, type) and issubclass(kind, Aggregate):
        return
    for item in structure:
        yield from _names_of_row(item)


def crossings(context: Context, part: Any) -> dict[Key, Crossing]:
    """The crossings of a part of a condition, without those of what is closed in itself."""
    if is_leaf(part):
        return {found.key: found for found in _crossings_of(context, part)}
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
        return _leaf_without_partner(context, part, crossing)
    if _is_closed(part):
        return part
    settles = part[1] == "OR"  # one that is true settles an OR, one that is false an AND
    left = [without_partner(context, child, crossing) for child in part[3]]
    if settles in left:
        return settles
    rest = tuple(child for child in left if not isinstance(child, bool))
    return ("(q)", part[1], False, rest) if rest else not settles


def _leaf_without_partner(context: Context, leaf: Any, crossing: Crossing) -> Any:
    """What is left of a comparison; of a list, what does not speak of the partner."""
    if crossing.key not in crossings(context, leaf):
        return leaf
    left = crossing_of(context, (leaf[0], leaf[1], ()))
    if leaf[1] != "items" or not leaf[0].endswith("__in") or (left is not None and left.key == crossing.key):
        return leaf[1] == "isnull" and bool(leaf[2])
    items = tuple(item for item in leaf[2] if crossing.key not in crossings(context, ("pk", "items", (item,))))
    return (*leaf[:2], items) if items else False
