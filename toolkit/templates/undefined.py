"""Names that are not there: strict, and able to say what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jinja2
from jinja2.utils import missing

from toolkit.errors import did_you_mean


class UndefinedName(jinja2.exceptions.UndefinedError):
    """A name or attribute that is not there was used.

    Attributes:
        name: The name that was asked for.
        owner: The object that was asked, or Jinja's ``missing`` when it was the context.
    """

    def __init__(self, message: str | None = None, *, name: Any = None, owner: Any = missing) -> None:
        super().__init__(message)
        self.name = name
        self.owner = owner


class StrictUndefined(jinja2.StrictUndefined):
    """Fails wherever its value is needed; ``is defined`` and ``default()`` may still ask."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[jinja2.exceptions.TemplateRuntimeError] = jinja2.exceptions.UndefinedError,
    ) -> None:
        super().__init__(hint, obj, name, exc)
        if exc is jinja2.exceptions.UndefinedError:

            def undefined_name(message: str) -> UndefinedName:
                return UndefinedName(message, name=name, owner=obj)

            self._undefined_exception = undefined_name  # type: ignore[assignment]  # called with the message alone


def describe(error: jinja2.exceptions.UndefinedError, context: Mapping[str, Any]) -> tuple[str, str]:
    """What is missing, and the names that may have been meant.

    Args:
        error: What Jinja raised.
        context: The names that were in reach where it was raised.
    """
    if not isinstance(error, UndefinedName) or not isinstance(error.name, str):
        return (error.message or "a value is not defined").rstrip("."), ""
    if error.owner is missing:
        return f"{error.name!r} is not defined", did_you_mean(error.name, context.keys() - {error.name})
    owner = "None" if error.owner is None else type(error.owner).__name__
    return f"{owner} has no attribute {error.name!r}", did_you_mean(error.name, names_of(error.owner))


def names_of(owner: object) -> Iterable[str]:
    """The public names a template can ask of an object: its keys or its attributes."""
    if owner is None:
        return ()
    if isinstance(owner, Mapping):
        return [key for key in owner if isinstance(key, str)]
    return [name for name in dir(owner) if not name.startswith("_")]
