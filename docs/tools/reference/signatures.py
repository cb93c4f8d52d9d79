"""Headings and texts for classes and functions."""

from __future__ import annotations

import inspect
from typing import Any

from .docstrings import arguments, read_doc


def signature(thing: Any, *, skip: tuple[str, ...] = ("self", "cls")) -> str:
    """Parameters and defaults without types: ``path, *, each=None``."""
    shown = []
    star = False
    # of a class with both, Python before 3.11.4 takes __new__ for what is called, be it a base's
    own = vars(object)["__init__"] if not isinstance(thing, type) else thing.__init__  # type: ignore[misc]
    for parameter in inspect.signature(thing if own is object.__init__ else own).parameters.values():
        if parameter.name in skip or parameter.name.startswith("_"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            shown.append("*")
            star = True
        star = star or parameter.kind is parameter.VAR_POSITIONAL
        shown.append(_parameter(parameter))
    return ", ".join(shown)


def _parameter(parameter: inspect.Parameter) -> str:
    mark = (
        "*" if parameter.kind is parameter.VAR_POSITIONAL else "**" if parameter.kind is parameter.VAR_KEYWORD else ""
    )
    if parameter.default is parameter.empty:
        return f"{mark}{parameter.name}"
    default = (
        "…" if "object at" in repr(parameter.default) or "<" in repr(parameter.default) else repr(parameter.default)
    )
    return f"{mark}{parameter.name}={default.replace(chr(39), chr(34))}"


def describe(name: str, thing: Any, *, level: int = 3, call: bool = True, identifier: str | None = None) -> str:
    """A heading with the name, what it is, how it is called, and its arguments.

    Args:
        name: As the heading says it.
        thing: The class or function.
        level: Of the heading.
        call: Show how it is called.
        identifier: The heading's id, if not the name.
    """
    doc = read_doc(thing)
    parts = [f"{'#' * level} `{name}`" + (f" {{#{identifier}}}" if identifier else ""), doc.text]
    if call:
        parts.insert(1, f"```python\n{name}({signature(thing)})\n```")
    for section, title in (("Args", ""), ("Attributes", "It has:"), ("Raises", "Raises:")):
        found = arguments(doc, section)
        if found:
            parts += [title, found] if title else [found]
    return "\n\n".join(part for part in parts if part)
