"""What several writers do at once: trying again after a deadlock, and changing a row that is locked."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from toolkit.errors import DeadlockError

R = TypeVar("R")

ATTEMPTS = 8
"""How often work is tried that the database gave up for another's. MariaDB does so to all but one of the writers who
insert the same row at the same time."""

PAUSE_SECONDS = 0.02
"""The longest pause before the second attempt; each further one may be twice as long."""


def again_after_deadlock(work: Callable[[], R], database: Any) -> R:
    """Do some work; if the database gives it up in a deadlock, do it again.

    Inside a transaction nothing is tried again: what it did before is lost with it, and only its owner can do that
    anew.

    Args:
        work: What to do.
        database: Where.

    Raises:
        DeadlockError: It was given up too often, or inside a transaction.
    """
    for attempt in range(ATTEMPTS - 1):
        if database.transaction is not None:
            break
        try:
            return work()
        except DeadlockError:
            time.sleep(random.uniform(0, PAUSE_SECONDS * 2**attempt))  # noqa: S311 - nothing is kept secret by it
    return work()


def called(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Values, those that are functions called."""
    return {name: value() if callable(value) else value for name, value in (values or {}).items()}


def change(instance: Any, values: Mapping[str, Any]) -> None:
    """Set these values on a row, and save them; only them, where all are fields.

    Raises:
        FieldError: A name is neither a field nor a property; names may come from outside.
    """
    meta = instance._meta
    for name, value in values.items():
        _refuse_unknown(type(instance), name)
        setattr(instance, name, value)
    names = {field.name for field in meta.fields} | {field.attname for field in meta.fields}
    if set(values) <= names:
        stamped = {field.name for field in meta.fields if field.auto_now}
        instance.save(update_fields=set(values) | stamped)
    else:
        instance.save()


def _refuse_unknown(model: Any, name: str) -> None:
    """Refuse to set what is neither a field of a model nor a property of its rows."""
    if name.startswith("_") or not isinstance(getattr(model, name, None), property):
        model._meta.get_field(name)
