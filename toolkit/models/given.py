"""Arguments in another form than they are wanted in: one thing in place of a list, or no mapping of names to values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.errors import FieldError
from toolkit.models.comparisons import shown


def refuse_one(method: str, argument: str, given: Any) -> None:
    """Refuse one thing where several are wanted: of a text, the letters would be taken for them.

    Args:
        method: What was called.
        argument: The name of the argument.
        given: What it was given.

    Raises:
        FieldError: It is no list, and nothing else that gives several.
    """
    if isinstance(given, str | bytes):
        raise FieldError(f"{method}({argument}={shown(given)}): that is one text", hint=f"Write [{shown(given)}].")
    if not isinstance(given, Iterable):
        hint = "Give a list." if given is None else "Put it in brackets, which makes a list of one."
        raise FieldError(f"{method}({argument}={shown(given)}): that is no list", hint=hint)


def refuse_nameless(method: str, argument: str, given: Any) -> None:
    """Refuse what is no mapping where names have values.

    Args:
        method: What was called.
        argument: The name of the argument.
        given: What it was given; None stands for no values.

    Raises:
        FieldError: It is none.
    """
    if given is not None and not isinstance(given, Mapping):
        raise FieldError(
            f"{method}({argument}={shown(given)}): that gives no names their values",
            hint=f'Write {argument}={{"name": value}}.',
        )
