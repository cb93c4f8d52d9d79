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


def referred_first(models: Iterable[Any]) -> list[Any]:
    """Models by table, but each after those that it refers to: tables of others may check each row as it is written.

    A circle begins with a model whose rows may be there before those that they refer to.
    """
    waiting = sorted(models, key=lambda model: model._meta.table)
    ordered: list[Any] = []
    while waiting:
        others = {model: _others(model, waiting) for model in waiting}
        whole = (model for model in waiting if not others[model])
        loose = (model for model in waiting if all(key.null for key in others[model]))
        found = next(whole, None) or next(loose, waiting[0])
        ordered.append(found)
        waiting.remove(found)
    return ordered


def _others(model: Any, among: Iterable[Any]) -> list[Any]:
    """The references of a model to others of these."""
    keys = ((key, key.target._meta.concrete_model) for key in model._meta.local_foreign_keys())
    return [key for key, target in keys if target is not model and target in among]
