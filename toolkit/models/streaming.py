"""The keys of a question's rows, a chunk at a time, in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from toolkit.errors import FieldError
from toolkit.models.shapes import Shape
from toolkit.models.sqltext import key_of
from toolkit.trace import Scope

TAKEN = 2000
"""Keys taken from the server at a time, where all of them are taken at once."""


def refuse_chunk(size: int) -> None:
    """Refuse chunks of no rows.

    Raises:
        FieldError: These are such.
    """
    if not isinstance(size, int) or size <= 0:
        raise FieldError(f"iterator(chunk_size={size!r}): a chunk has at least one row")


def iter_keys(scope: Scope, shape: Shape, values: Sequence[Any], size: int) -> Iterator[list[Any]]:
    """The keys of the rows that a question has now, in its order.

    Args:
        scope: Who asks; with a trace, the whole answer is recorded first.
        shape: The compiled question.
        values: Its values.
        size: Keys at a time.
    """
    database = scope.of(shape.model).database
    width = len(shape.model._meta.key)
    sql, parameters = shape.identity.sql, shape.identity.bind(values, scope, ())
    if scope.trace is not None:
        rows = database.ask(sql, parameters)
        shape.note_answer(scope, values, [list(row) for row in rows])
        yield from _chunks([key_of(row, width) for row in rows], size)
    elif database.backend.streams_beside:
        for rows in database.stream(sql, parameters, size=size):
            yield [key_of(row, width) for row in rows]
    else:
        yield from _chunks(_compact(database.stream(sql, parameters, size=TAKEN), width), size)


def _chunks(keys: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(keys), size):
        yield list(keys[start : start + size])


def _compact(chunks: Iterator[list[Any]], width: int) -> Sequence[Any]:
    """All keys, whole numbers as 64 bits each."""
    found: Any = array("q")
    for rows in chunks:
        keys = [key_of(row, width) for row in rows]
        if isinstance(found, array) and not all(key.__class__ is int for key in keys):
            found = list(found)
        found.extend(keys)
    return found  # type: ignore[no-any-return]  # an array or a list
