"""What a condition or an expression speaks of, and which part of a statement it belongs to.

SQL computes in an order of its own: rows are chosen (WHERE), grouped, groups are chosen (HAVING), and last of all
windows look at what is there. A condition is taken apart along its ANDs, so that each part stands where its values are
known; a part that cannot be taken apart stands with the last of its values. That is Django's meaning too: a condition
on rows says which rows the windows see, even if it is said after one on a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from toolkit.models.aggregates import Aggregate
from toolkit.models.expressions import F
from toolkit.models.structures import is_among_names, iter_names
from toolkit.models.windows import Window, is_windowed

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler


def iter_aggregates(structure: Any) -> Iterator[Any]:
    """The aggregates in an expression that are over the rows of a group; what a window computes is none."""
    if not isinstance(structure, tuple) or not structure or getattr(structure[0], "closed", False):
        return
    if isinstance(structure[0], type) and issubclass(structure[0], Aggregate):
        yield structure
        return
    if structure[0] is Window:
        _, function, *others = structure
        inside = [*(function if isinstance(function[0], type) else ()), *others]
    else:
        inside = list(structure)
    for item in inside:
        yield from iter_aggregates(item)


def names_beside_aggregates(structure: Any) -> Iterator[str]:
    """The names in a structure that are not inside of an aggregate over a group."""
    inside = [name for each in iter_aggregates(structure) for name in iter_names(each)]
    for name in iter_names(structure):
        if name in inside:
            inside.remove(name)
        elif name != "*":
            yield name


def with_totals(named: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Lifted totals, each with those before it in the place of their names: ``n=Count("pk"), twice=F("n") * 2``.

    Inside of an aggregate a name is that of a field.
    """
    found: dict[str, Any] = {}
    for alias, structure in named:
        found[alias] = _replaced(structure, found)
    return tuple(found.items())


def _replaced(structure: Any, known: Mapping[str, Any]) -> Any:
    if not isinstance(structure, tuple) or not structure or getattr(structure[0], "closed", False):
        return structure
    if structure[0] is F:
        return known.get(structure[1], structure)
    if isinstance(structure[0], type) and issubclass(structure[0], Aggregate):
        return structure
    return tuple(_replaced(item, known) for item in structure)


Parts = tuple[Any, Any, Any]
"""Conditions on rows, on groups and on windows; None where there is none."""


def split(structure: Any, compiler: Compiler, *, negated: bool = False) -> Parts:
    """A condition taken apart into those on rows, on groups and on windows.

    Args:
        structure: A lifted condition.
        compiler: Knows which annotations are of groups and of windows.
        negated: It stands inside of a NOT.
    """
    sort = _sort_of(structure, compiler)
    if sort == 0:
        return structure, None, None
    if structure[0] != "(q)":
        return _placed(structure, sort)
    _, connector, inverted, children = structure
    turned = negated != inverted
    if len(children) > 1 and (connector == "XOR" or (connector == "AND") == turned):
        return _placed(structure, sort)
    found: list[list[Any]] = [[], [], []]
    for child in children:
        if _is_open(child):
            parts = split(child, compiler, negated=turned)
        else:
            parts = _placed(child, _sort_of(child, compiler))
        for place, part in zip(found, parts, strict=True):
            place += [] if part is None else [part]
    rows, groups, windows = (("(q)", connector, inverted, tuple(each)) if each else None for each in found)
    return rows, groups, windows


def _is_open(child: Any) -> bool:
    return bool(child[0] == "(q)")


def _placed(structure: Any, sort: int) -> Parts:
    rows, groups, windows = (structure if number == sort else None for number in range(3))
    return rows, groups, windows


def _sort_of(structure: Any, compiler: Compiler) -> int:
    """0 for a condition on rows, 1 on groups, 2 on windows."""
    whole = structure if _is_open(structure) or isinstance(structure[0], type) else ("(q)", "AND", False, (structure,))
    if is_windowed(whole, compiler):
        return 2
    if not compiler.selection.grouped:
        return 0
    known = compiler.selection.aggregates
    of_groups = any(is_among_names(name, known, compiler.model) for name in iter_names(whole))
    return 1 if of_groups or any(iter_aggregates(whole)) else 0
