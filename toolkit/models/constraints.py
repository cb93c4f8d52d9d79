"""Constraints and indexes of a table, declared in ``class Meta``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from toolkit.models.expressions import Q


@dataclass(frozen=True)
class UniqueConstraint:
    """No two rows may agree in all these fields.

    Args:
        fields: Names of fields.
        name: The constraint's name; unique in the database.
        condition: Only among rows that meet it.
        violation: What to tell somebody whose row was refused.
    """

    fields: Sequence[str]
    name: str
    condition: Q | None = None
    violation: str = ""


@dataclass(frozen=True)
class CheckConstraint:
    """Every row must meet a condition on its own fields.

    Args:
        condition: The condition.
        name: The constraint's name; unique in the database.
        violation: What to tell somebody whose row was refused.
    """

    condition: Q
    name: str
    violation: str = ""


@dataclass(frozen=True)
class Index:
    """An index over fields; ``-`` before a name for descending.

    Args:
        fields: Names of fields.
        name: The index's name; unique in the database.
        condition: Only rows that meet it.
    """

    fields: Sequence[str]
    name: str
    condition: Q | None = field(default=None)


Constraint = UniqueConstraint | CheckConstraint
