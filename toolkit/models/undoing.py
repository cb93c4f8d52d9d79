"""What instances had before they were written, to be put back when nothing is written after all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolkit.models.fields.base import MISSING


class Before:
    """Notes what a write changes of instances.

    Else a row that was refused would be saved anew with a key that was taken back with it, which may be somebody
    else's by then, and without the expressions that were to give its values.

    Args:
        keeps: Note it; not of rows that nobody will have any more.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        self._keeps = keeps
        self._values: list[tuple[dict[str, Any], str, Any]] = []
        self._rows: list[tuple[Any, Any]] = []

    def note(self, instances: Iterable[Any], names: Iterable[str]) -> None:
        """Note the values of attributes, which are about to be changed."""
        if self._keeps:
            found = [instance.__dict__ for instance in instances]
            self._values += [(values, name, values.get(name, MISSING)) for name in names for values in found]

    def note_rows(self, instances: Iterable[Any]) -> None:
        """Note what is known of rows in the database, which are about to be others."""
        if self._keeps:
            self._rows += [(instance, instance._row) for instance in instances]

    def put_back(self) -> None:
        """Give all instances what they had; what was noted first is put back last."""
        for values, name, value in reversed(self._values):
            if value is MISSING:
                values.pop(name, None)
            else:
                values[name] = value
        for instance, row in reversed(self._rows):
            instance._row = row
