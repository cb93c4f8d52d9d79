"""The names that conditions and expressions of a declaration speak of, and the same with other names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

from toolkit.errors import DeclarationError
from toolkit.models.expressions import Expression, F, Q


def filled(text: str, meta: Any, where: str) -> str:
    """A name with those of a model put in, for what several models inherit: ``%(class)s_once``.

    Args:
        text: The name.
        meta: The model's options.
        where: What has it, for the error.

    Raises:
        DeclarationError: It asks for another name.
    """
    names = {"class": meta.model_name, "model_name": meta.model_name, "app_label": meta.app_label}
    try:
        return text % names if "%(" in text else text
    except (KeyError, ValueError, TypeError) as error:
        raise DeclarationError(
            f"{where}: {text!r} asks for a name that no model has",
            hint=f"There are {', '.join(f'%({name})s' for name in names)}.",
        ) from error


def names_in(item: Any) -> Iterator[str]:
    """The first names of all paths in a condition or an expression: ``section`` of ``section__slug``."""
    if isinstance(item, Q):
        for child in item.children:
            yield from _names_in_lookup(*child) if isinstance(child, tuple) else names_in(child)
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
            (change(child[0]), renamed(child[1], change)) if isinstance(child, tuple) else renamed(child, change)
            for child in item.children
        ]
        return condition
    if isinstance(item, F):
        return type(item)(change(item.name))
    if isinstance(item, Expression):
        return _renamed_expression(item, change)
    if type(item) in (list, tuple):
        return type(item)(renamed(value, change) for value in item)
    return item


def _renamed_expression(item: Expression, change: Callable[[str], str]) -> Expression:
    """Made anew of what it was made of; text that it took for the name of a field is one."""
    named = {argument.name for argument in getattr(item, "arguments", ()) if isinstance(argument, F)}

    def told(value: Any) -> Any:
        return change(value) if isinstance(value, str) and value in named else renamed(value, change)

    arguments, options = item.made_with
    return type(item)(*map(told, arguments), **{name: told(value) for name, value in options.items()})


def field_renamer(old: str, new: str) -> Callable[[str], str]:
    """A change of paths: ``-old__lower`` to ``-new__lower``."""

    def change(path: str) -> str:
        sign, name = path[: path.startswith("-")], path.removeprefix("-")
        first, separator, rest = name.partition("__")
        return f"{sign}{new if first == old else first}{separator}{rest}"

    return change
