"""What is known of a table that is there."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """A column of a table that is there.

    Args:
        kind: Its type, as the database spells it.
        null: Whether it may hold NULL.
        optional: Whether a row may be inserted that does not name it.
        default: What the database gives rows that name no value, as SQL.
        generated: The expression that makes its values, as SQL.
        comment: What the database says of it.
    """

    kind: str
    null: bool
    optional: bool = True
    default: str | None = None
    generated: str | None = None
    comment: str | None = None


@dataclass(frozen=True)
class TableInfo:
    """A table that is there. Constraints are known by what they say, not by their names.

    Args:
        columns: Column name to column.
        constraints: What the table's constraints say.
        indexes: What its indexes say, by name.
        comment: What the database says of it.
    """

    columns: dict[str, Column]
    constraints: frozenset[str]
    indexes: dict[str, str] = field(default_factory=dict)
    comment: str | None = None
