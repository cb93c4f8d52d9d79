"""Questions that are nested more deeply than Python can follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toolkit.errors import FieldError


@contextmanager
def nested_enough() -> Iterator[None]:
    """A block that walks through what somebody nested.

    Raises:
        FieldError: It is nested too deeply.
    """
    try:
        yield
    except RecursionError as error:
        raise FieldError(
            "conditions or expressions are nested too deeply",
            hint="Ask in several steps, with __in; compute a long formula in parts, or in Python.",
        ) from error


def lift_nested(item: Any, values: list[Any]) -> Any:
    """``item.lift(values)``: the structure of a condition or an expression; its values are appended to the list.

    Raises:
        FieldError: It is nested too deeply.
    """
    with nested_enough():
        return item.lift(values)
