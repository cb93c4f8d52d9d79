"""What stands in the structure of an expression or a condition: its parts, and the names that it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from toolkit.models.expressions import F


def iter_parts(structure: Any) -> Iterator[Any]:
    """The expressions in a structure, itself first; a name that a condition begins with counts as ``F`` of it.

    What is inside of a ``Subquery`` is another question's, and so is what an ``OuterRef`` names.
    """
    if not isinstance(structure, tuple) or not structure:
        return
    if isinstance(structure[0], type):
        yield structure
    yield from _iter_inside(structure)


def _iter_inside(structure: Any) -> Iterator[Any]:
    if getattr(structure[0], "closed", False) or getattr(structure[0], "outward", False):
        return
    if structure[0] != "(q)":
        for item in structure:
            yield from iter_parts(item)
        return
    for child in structure[3]:
        if isinstance(child[0], str) and child[0] != "(q)":
            yield (F, child[0])
            if child[1] in ("expression", "items"):
                yield from iter_parts(child[2])
        else:
            yield from iter_parts(child)


def iter_names(structure: Any) -> Iterator[str]:
    """All names in a structure, those of conditions in it too."""
    return (found[1] for found in iter_parts(structure) if found[0] is F)


def renamed(structure: Any, names: Mapping[str, str]) -> Any:
    """A structure with other names in the place of some; what other questions speak of is theirs."""
    if not isinstance(structure, tuple) or not structure:
        return structure
    if getattr(structure[0], "closed", False) or getattr(structure[0], "outward", False):
        return structure
    if structure[0] is F:
        return (F, names.get(structure[1], structure[1]))
    if structure[0] != "(q)":
        return tuple(renamed(item, names) for item in structure)
    return (*structure[:3], tuple(_renamed_part(child, names) for child in structure[3]))


def _renamed_part(part: Any, names: Mapping[str, str]) -> Any:
    if isinstance(part[0], str) and part[0] != "(q)":
        return (names.get(part[0], part[0]), *(renamed(item, names) for item in part[1:]))
    return renamed(part, names)


def is_among_names(name: str, known: Iterable[str], model: Any) -> bool:
    """Whether a name is one of these, or one of these with a transform or lookup behind it.

    Args:
        name: The name.
        known: Names of annotations or of groups.
        model: The model asked for: an annotation may be called like a relation, and does not hide the paths along it.
    """
    longer = [each for each in known if f"{name}__".startswith(f"{each}__")]
    return name in longer or any("__" in each or not _is_path(model._meta, name) for each in longer)


def _is_path(meta: Any, name: str) -> bool:
    """Whether a name leads along a relation."""
    first, second, *_ = name.split("__")
    relation = meta.reverse.get(first) or meta.virtual.get(first) or meta.by_name.get(first)
    target = getattr(relation, "target", None) or getattr(relation, "model", None)
    if relation is None or target is None:
        return False
    other = target._meta
    return second == "pk" or second in other.by_name or second in other.reverse or second in other.virtual
