"""Which source says a row, where several could: sources of one model, and those of models that inherit from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from toolkit.content.keys import key_reader
from toolkit.content.levels import root_key
from toolkit.content.records import Record, read_keys, read_records
from toolkit.content.source import Source
from toolkit.content.tables import fetch_all


class Giver(NamedTuple):
    """The file that gave a row, and the pattern of its source then."""

    pattern: str
    path: str


def find_givers(database: Any, model: Any) -> dict[Any, Giver]:
    """Primary key to the file that gave a row of a model."""
    own = {path: record for path, record in read_records(database).items() if record.model == model._meta.label}
    keys = read_keys(database, list(own)) if own else {}
    read = key_reader(model, database.dialect)
    return {read(given.pk): Giver(own[path].pattern, path) for path, rows in keys.items() for given in rows}


class Share:
    """The part of a model's rows that one source says, beside the others of a site.

    A row stays with the source that gave it; one that no file gave is said by the first that may. A row that is one of
    a child's too is said by the child's source.

    Args:
        database: The database.
        source: The source.
        sources: All of the site, in their order.
        givers: Primary key to the file that gave the row.
    """

    def __init__(self, database: Any, source: Source, sources: Sequence[Source], givers: dict[Any, Giver]) -> None:
        self._givers = givers
        alike = [other for other in sources if other.model is source.model]
        self._others = patterns_beside(source, sources)
        self._is_first = not alike or alike[0].pattern == source.pattern
        children = {other.model for other in sources if source.model in other.model._meta.levels[:-1]}
        key = root_key(source.model)
        self._childrens = {pk for model in children for (pk,) in fetch_all(database, model, (key,))}

    def has(self, pk: Any) -> bool:
        """Whether the source says the row with a primary key."""
        if pk in self._childrens:
            return False
        giver = self._givers.get(pk)
        return self._is_first if giver is None else giver.pattern not in self._others


def patterns_beside(source: Source, sources: Iterable[Source]) -> set[str]:
    """The patterns of the other sources of the same model."""
    return {other.pattern for other in sources if other.model is source.model} - {source.pattern}


def replaced_files(database: Any, source: Source, sources: Iterable[Source]) -> dict[str, Record]:
    """The files that gave the rows which a source says now: its own, and those of a source that is declared no more."""
    others, label = patterns_beside(source, sources), source.model._meta.label
    return {
        path: record
        for path, record in read_records(database).items()
        if record.pattern == source.pattern or (record.model == label and record.pattern not in others)
    }
