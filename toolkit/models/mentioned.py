"""The names that the structure of an expression or a condition mentions, and the questions inside of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.models.comparisons import Liftable, Structure


def iter_structures(structure: Any) -> Iterator[Structure]:
    """The structures in a structure, itself first; what is inside of a ``Subquery`` is another question's."""
    if not isinstance(structure, tuple) or not structure:
        return
    if _is_expression(structure) or is_comparison(structure):
        yield structure
        if _is_closed(structure):
            return
    for item in structure:
        yield from iter_structures(item)


def _is_expression(structure: Structure) -> bool:
    return isinstance(structure[0], type) and issubclass(structure[0], Liftable)


def is_comparison(structure: Structure) -> bool:
    """Whether it is what ``lift_condition`` gives: (name, kind, ...)."""
    return len(structure) > 2 and isinstance(structure[0], str) and structure[1] in KINDS


KINDS = frozenset({"value", "list", "listed", "items", "isnull", "expression", "subquery"})
"""Of comparisons: what stands on their right side."""


def _is_closed(structure: Structure) -> bool:
    """Whether names inside are those of another question."""
    return structure[0].closed if _is_expression(structure) else is_comparison(structure) and structure[1] == "subquery"


def is_closed_somewhere(structure: Structure) -> bool:
    """Whether another question is part of it."""
    return any(_is_closed(each) for each in iter_structures(structure))


def names_in(structure: Any) -> set[str]:
    """The names of fields: those of ``F``, of comparisons, and of an ``OuterRef`` in a question inside."""
    found = set()
    for each in iter_structures(structure):
        if _is_expression(each) and each[0].is_name:
            found.add(each[1])
        elif isinstance(each[0], str):
            found.add(each[0])
        if _is_closed(each):
            found |= _outer_names(each, 0)
    return found


def _outer_names(structure: Any, depth: int) -> set[str]:
    """The names that an ``OuterRef`` gives to the question so many levels further out."""
    if not isinstance(structure, tuple) or not structure:
        return set()
    if _is_expression(structure) and structure[0].outward:
        name, levels = structure[1], 1
        while not name[0].is_name:
            name, levels = name[1], levels + 1
        return {name[1]} if levels == depth else set()
    inner = depth + 1 if _is_closed(structure) else depth
    return {name for item in structure for name in _outer_names(item, inner)}
