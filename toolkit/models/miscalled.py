"""Calls of the query API with what it does not take: told with what to write in their place.

Methods that write are told of here: a wrapper costs one in fifty of the least that they do. It would be one in
twenty of a ``count()`` or ``first()`` whose question is known: of those Python tells itself how many arguments there
are, by the name of the class that people know.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from toolkit.errors import FieldError
from toolkit.models.comparisons import shown

K = TypeVar("K", bound=type)


def telling(kind: K) -> K:
    """Let a class of querysets tell of wrong calls of its methods, those of its bases included."""
    for base in kind.__mro__:
        if base is not kind and vars(base).get("_tells_calls"):
            continue  # its methods have the name of the class that people know
        for name, method in vars(base).items():
            if inspect.isfunction(method) and method.__qualname__ == f"{base.__name__}.{name}":
                method.__qualname__ = f"{kind.__name__}.{name}"
    wrappers = {name: functools.partial(_telling, instead=instead) for name, instead in _INSTEAD.items()}
    for called, wrapper in (wrappers | dict.fromkeys(_OF_ONE_ROW, _naming_the_row)).items():
        for name, place in ((called, kind), (f"a{called}", _owner_of(kind, f"a{called}"))):
            method = getattr(place, name, None)
            if method is not None and not hasattr(method, "tells"):
                setattr(place, name, wrapper(name, method))
                getattr(place, name).tells = True  # says that it was wrapped
    kind._tells_calls = True  # type: ignore[attr-defined]  # says that it was here
    return kind


def _owner_of(kind: type, name: str) -> type | None:
    """The class that has a method: those that are awaited are of one class for all."""
    return next((base for base in kind.__mro__ if name in vars(base)), None)


def _telling(name: str, method: Callable[..., Any], instead: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, /, *arguments: Any, **options: Any) -> Any:
        try:
            return method(self, *arguments, **options)
        except TypeError as error:
            inside = error.__traceback__ is None or error.__traceback__.tb_next is not None
            if inside:  # the call itself was right
                raise
            told = f"{name}{_parameters_of(method)} cannot be called as {name}({_given(arguments, options)})"
            raise FieldError(told, hint=instead) from None

    return call


def _naming_the_row(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The method with its first argument refused, where it is all that there is: any row would meet no lookups."""

    @functools.wraps(method)
    def call(self: Any, /, *arguments: Any, **options: Any) -> Any:
        if arguments and not options:
            told = f"{name}({_given(arguments, options)}) does not say which row it is"
            raise FieldError(told, hint=f"Give what names it by name: {name}(slug='flood', defaults={{...}}).")
        return method(self, *arguments, **options)

    return call


def _parameters_of(method: Callable[..., Any]) -> str:
    """What a method takes, as one would write it."""
    _, *parameters = inspect.signature(method).parameters.values()
    plain = [one.replace(annotation=one.empty) for one in parameters]
    return str(inspect.Signature(plain))


def _given(arguments: tuple[Any, ...], options: Mapping[str, Any]) -> str:
    return ", ".join([*map(shown, arguments), *(f"{name}={shown(value)}" for name, value in options.items())])


_BY_NAME = "Give values by name: {0}(title='Flood'); those of a dict with two stars: {0}(**values)."
_INSTEAD: Mapping[str, str] = {
    **{name: _BY_NAME.format(name) for name in ("create", "update")},
    "bulk_create": "Options have names: bulk_create(stories, batch_size=500).",
    "bulk_update": "Give the rows and the names of their fields: bulk_update(stories, ['title']).",
    "clear": "It takes all away; remove(partner) takes one.",
    "delete": "Say which rows first: filter(title='Flood').delete().",
    "select_for_update": "Options have names: select_for_update(nowait=True).",
}
"""Method to what to write instead."""

_OF_ONE_ROW = ("get_or_create", "update_or_create")
"""Methods whose first argument gives the row's other values."""
