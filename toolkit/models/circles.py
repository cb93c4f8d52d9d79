"""In which order rows of several models go, and whether they refer to each other in a circle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def children_first(models: Iterable[Any]) -> tuple[list[Any], bool]:
    """Models so that each comes before those it refers to, as far as that is possible.

    Args:
        models: Model classes.

    Returns:
        The models in that order, and whether some refer to each other, or one to itself, in a circle.
    """
    waiting = {model: {key.target._meta.concrete_model for key in model._meta.local_foreign_keys()} for model in models}
    ordered: list[Any] = []
    circular = False
    while waiting:
        free = [model for model in waiting if not any(model in targets for targets in waiting.values())]
        if not free:
            circular = True
            free = [next(iter(waiting))]
        ordered += free
        for model in free:
            del waiting[model]
    return ordered, circular
