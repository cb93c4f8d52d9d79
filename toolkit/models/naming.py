"""The names that conditions and expressions of a declaration speak of, and the same with other names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

from toolkit.models.expressions import Expression, F, Q


def names_in(item: Any) -> Iterator[str]:
    """The first names of all paths in a condition or an expression: ``section`` of ``section__slug``."""
    if isinstance(item, Q):
        for child in item.children:
            yield from names_in(child) if isinstance(child, Q) else _names_in_lookup(*child)
    elif isinstance(item, F):
        yield item.name.partition("__")[0]
    elif isinstance(item, Expression):
        for value in vars(item).values():
            yield from names_in(value)
    elif isinstance(item, list | tuple):
        for value in item:
            yield from names_in(value)


def _names_in_lookup(name: str, value: Any) -> Iterator[str]:
    yield name.partition("__")[0]
    yield from names_in(value)


def renamed(item: Any, change: Callable[[str], str]) -> Any:
    """A condition or an expression with other names.

    Args:
        item: The condition or expression; anything else is given back as it is.
        change: From a path to the new one.
    """
    if isinstance(item, Q):
        condition = copy(item)
        condition.children = [
            renamed(child, change) if isinstance(child, Q) else (change(child[0]), renamed(child[1], change))
            for child in item.children
        ]
        return condition
    if isinstance(item, Expression):
        made = copy(item)
        told = {name: renamed(value, change) for name, value in vars(item).items()}
        vars(made).update({"name": change(item.name)} if isinstance(item, F) else told)
        return made
    if type(item) in (list, tuple):
        return type(item)(renamed(value, change) for value in item)
    return item


def field_renamer(old: str, new: str) -> Callable[[str], str]:
    """A change of paths: ``-old__lower`` to ``-new__lower``."""

    def change(path: str) -> str:
        sign, name = path[: path.startswith("-")], path.removeprefix("-")
        first, separator, rest = name.partition("__")
        return f"{sign}{new if first == old else first}{separator}{rest}"

    return change
