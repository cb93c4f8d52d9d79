"""Pieces of SQL that are written by hand, for statements too simple for a compiler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from toolkit.database.backends import spelling
from toolkit.errors import DatabaseError
from toolkit.models.nesting import nested_enough

CHUNK_KEYS = 500
"""Keys in one statement: below what any database and driver takes."""


def quoted(dialect: str, name: str) -> str:
    """An identifier in the dialect's quotes."""
    return spelling(dialect).quoted(name)


def placeholder(dialect: str) -> str:
    """What stands in a statement for a bound value."""
    return spelling(dialect).placeholder


def iter_chunks(items: Sequence[Any], dialect: str, width: int = 1) -> Iterator[tuple[list[Any], str]]:
    """The parameters of lists of a size that one statement takes, each with its placeholders."""
    for start in range(0, len(items), CHUNK_KEYS):
        chunk = list(items[start : start + CHUNK_KEYS])
        yield flat(chunk, width), key_marks(placeholder(dialect), len(chunk), width)


def certain(condition: Any, dialect: str) -> Any:
    """A condition that is false where it would be NULL."""
    import sqlalchemy as sa

    if spelling(dialect).conditions_are_values:
        return sa.func.coalesce(condition, sa.false())
    one: Any = sa.literal_column("1")
    return sa.case((condition, one), else_=sa.literal_column("0")) == one


def as_value(condition: Any, dialect: str) -> Any:
    """A condition where a value stands: true, false or NULL."""
    import sqlalchemy as sa

    if spelling(dialect).conditions_are_values:
        return condition
    one, zero = sa.literal_column("1", sa.Boolean()), sa.literal_column("0", sa.Boolean())
    return sa.case((condition, one), (sa.not_(condition), zero))


def key_marks(mark: str, count: int, width: int = 1) -> str:
    """The placeholders of a list of so many keys, for ``IN (...)``.

    Args:
        mark: The dialect's placeholder.
        count: How many keys.
        width: How many columns each has. SQLite takes a list of rows as VALUES only.
    """
    if width == 1:
        return ", ".join([mark] * count)
    row = f"({', '.join([mark] * width)})"
    return f"{'VALUES ' if mark == '?' else ''}{', '.join([row] * count)}"


def key_text(dialect: str, columns: Sequence[str]) -> str:
    """The columns of a key, as what stands before ``IN``."""
    names = ", ".join(quoted(dialect, column) for column in columns)
    return names if len(columns) == 1 else f"({names})"


def flat(keys: Iterable[Any], width: int) -> list[Any]:
    """The parameters for a list of keys."""
    return list(keys) if width == 1 else [value for key in keys for value in key]


def key_of(row: Sequence[Any], width: int, start: int = 0) -> Any:
    """The key that a row has from some column on: a value, or a tuple of several."""
    return row[start] if width == 1 else tuple(row[start : start + width])


def narrowed(sql: str, count: int, indexes: Sequence[int]) -> str | None:
    """A SELECT of some of its columns only, made from its text: to compile another takes as long as the first.

    Args:
        sql: The text, as SQLAlchemy writes it.
        count: How many columns it has.
        indexes: Those that are wanted.

    Returns:
        None where the columns are not all plain ones, whose names have no spaces.
    """
    head, _, rest = sql.partition(" \nFROM ")
    items = head.removeprefix("SELECT ").split(", ")
    if len(items) != count or any(" " in item or "(" in item for item in items):
        return None
    return f"SELECT {', '.join(items[index] for index in indexes)} \nFROM {rest}"


def compiled(select: Any, dialect: Any) -> Any:
    """A statement of SQLAlchemy's as text and parameters.

    Raises:
        DatabaseError: The dialect has no words for it.
        FieldError: It is nested too deeply.
    """
    from sqlalchemy.exc import CompileError

    try:
        with nested_enough():
            return select.compile(dialect=dialect)
    except CompileError as error:
        raise DatabaseError(f"the database cannot be asked this: {error}", hint="Ask it in another way.") from error
