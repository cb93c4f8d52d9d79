"""Pieces of SQL that are written by hand, for statements too simple for a compiler."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from toolkit.database.backends import spelling

CHUNK_KEYS = 500
"""Keys in one statement: below what any database and driver takes."""


def quoted(dialect: str, name: str) -> str:
    """An identifier in the dialect's quotes."""
    return spelling(dialect).quoted(name)


def placeholder(dialect: str) -> str:
    """What stands in a statement for a bound value."""
    return spelling(dialect).placeholder


def iter_chunks(items: Sequence[Any], dialect: str) -> Iterator[tuple[list[Any], str]]:
    """Lists of a size that one statement takes, each with its placeholders."""
    for start in range(0, len(items), CHUNK_KEYS):
        chunk = list(items[start : start + CHUNK_KEYS])
        yield chunk, ", ".join([placeholder(dialect)] * len(chunk))


def certain(condition: Any, dialect: str) -> Any:
    """A condition that is false where it would be NULL."""
    import sqlalchemy as sa

    if spelling(dialect).conditions_are_values:
        return sa.func.coalesce(condition, sa.false())
    one: Any = sa.literal_column("1")
    return sa.case((condition, one), else_=sa.literal_column("0")) == one
