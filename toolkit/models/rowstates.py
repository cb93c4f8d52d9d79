"""What an instance knows of its row: whether there is one, and in which database."""

from __future__ import annotations

from typing import Any

from toolkit.models.deferred import load_lacking


class RowState:
    """``story._state``, as Django has it.

    Args:
        instance: The instance.
    """

    __slots__ = ("_instance",)

    def __init__(self, instance: Any) -> None:
        self._instance = instance

    @property
    def adding(self) -> bool:
        """Whether it is not in the database yet. Set it, and ``pk = None``, to save a copy."""
        return self._instance._row is None

    @adding.setter
    def adding(self, value: bool) -> None:
        if value and self._instance._row is not None:
            load_lacking([self._instance])  # afterwards nobody knows which row it came from
        self._instance._row = None if value else self._instance._row or ()

    @property
    def db(self) -> str | None:
        """The alias of the database that it was read from, or written to; None before that."""
        found: str = self._instance.__dict__.get("_database") or self._instance._meta.database
        return None if self.adding else found
