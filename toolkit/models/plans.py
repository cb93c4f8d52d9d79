"""What deleting rows would do, as a value: to be shown before anybody is asked whether they are sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

SHOWN = 5
"""Rows named in a message."""


class PlannedChange(NamedTuple):
    """Rows that stay, and whose reference is set to something else.

    Args:
        field: The foreign key.
        keys: Their primary keys.
        value: What it is set to.
    """

    field: Any
    keys: Sequence[Any]
    value: Any


class Blocker(NamedTuple):
    """Rows that stand in the way, by PROTECT or RESTRICT.

    Args:
        referred: The model of the rows that they refer to.
        field: The foreign key by which they do.
        keys: Their primary keys.
    """

    referred: Any
    field: Any
    keys: Sequence[Any]


@dataclass(frozen=True)
class DeletionPlan:
    """What a delete would do.

    Args:
        deleted: Model to the primary keys of the rows that go; tables between and translations included.
        changed: References that are set to something else, of rows that stay.
        blocked: What stands in the way; the delete is refused if there is anything.
    """

    deleted: Mapping[Any, Sequence[Any]]
    changed: Sequence[PlannedChange]
    blocked: Sequence[Blocker]

    @property
    def allowed(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.blocked

    def counts(self) -> dict[str, int]:
        """How many rows go, by model: what the delete would return."""
        return {model._meta.label: len(keys) for model, keys in self.deleted.items()}

    def objects(self, model: Any) -> list[Any]:
        """The rows of a model that go, in the order of their keys."""
        return _load(model, self.deleted.get(model, ()))

    def blocking(self) -> list[Any]:
        """The rows that stand in the way."""
        return [row for blocker in self.blocked for row in _load(blocker.field.model, blocker.keys)]

    def blocking_text(self) -> str:
        """What stands in the way, in words; the first few rows by name."""
        return "; ".join(_told(blocker) for blocker in self.blocked)

    def __str__(self) -> str:
        lines = [f"{len(keys)} {model._meta.label}" for model, keys in self.deleted.items()]
        lines += [
            f"{len(change.keys)} {change.field.model._meta.label}: {change.field.name} becomes {change.value!r}"
            for change in self.changed
        ]
        return "\n".join(lines + [f"refused: {_told(blocker)}" for blocker in self.blocked])


def _load(model: Any, keys: Sequence[Any]) -> list[Any]:
    found = model._meta.base_manager.unrestricted().order_by().in_bulk(keys)
    return [found[key] for key in keys if key in found]


def _told(blocker: Blocker) -> str:
    shown = ", ".join(map(str, _load(blocker.field.model, blocker.keys[:SHOWN]))) or f"{len(blocker.keys)} rows"
    more = f" and {len(blocker.keys) - SHOWN} more" if len(blocker.keys) > SHOWN else ""
    return f"{blocker.field.model.__name__}.{blocker.field.name} refers to it ({shown}{more})"
