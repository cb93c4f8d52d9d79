"""Compiled questions as another process would have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolkit.models.compile import compile_query
from toolkit.models.known import KnownQuestions
from toolkit.models.query import Query, Sight
from toolkit.models.shapes import Shape


class KnownAtOnce(KnownQuestions):
    """Gives each question that can be kept as it comes out of a file.

    Args:
        database: Compiles what is asked for.
        folder: Where nothing is written.

    Attributes:
        read: How many it gave.
        refused: Questions that cannot be kept.
    """

    def __init__(self, database: Any, folder: Path) -> None:
        super().__init__(folder, b"", database.schema.by_label)
        self.database = database
        self.read = 0
        self.refused: list[Query] = []

    def find(self, query: Query, sight: Sight) -> Shape | None:
        """Compile, write, read."""
        name = self._name(query, sight)
        body = self._write(compile_query(self.database, query, sight)) if name else None
        if body is None:
            self.refused.append(query)
            return None
        self.read += 1
        self._kept[name] = body
        return super().find(query, sight)
