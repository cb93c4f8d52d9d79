"""Which migrations were applied: the table ``toolkit_migration``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolkit.migrations.graph import Graph, Key

TABLE = "toolkit_migration"


@dataclass(frozen=True)
class Applied:
    """A migration that was applied.

    Args:
        app: The label of its app.
        name: Its name, such as ``0001_initial``.
        applied_at: When, in UTC.
    """

    app: str
    name: str
    applied_at: datetime


class History:
    """The record that a database keeps of its migrations.

    Args:
        database: Where.

    Attributes:
        is_there: Whether its table was seen, or made.
    """

    def __init__(self, database: Any) -> None:
        self._database = database
        self.is_there = False

    def read(self) -> dict[Key, Applied]:
        """What was applied; empty when nothing ever was."""
        self.is_there = self.is_there or self._database.has_table(TABLE)
        if not self.is_there:
            return {}
        rows = self._database.fetch(f"SELECT app, name, applied_at FROM {TABLE} ORDER BY applied_at, app, name")  # noqa: S608 - a constant
        return {(app, name): Applied(app, name, datetime.fromisoformat(moment)) for app, name, moment in rows}

    def prepare(self) -> None:
        """Make the table, where it is not there."""
        self._database.execute(
            f"CREATE TABLE IF NOT EXISTS {TABLE} (app VARCHAR(100) NOT NULL, name VARCHAR(200) NOT NULL, "
            "applied_at VARCHAR(40) NOT NULL, PRIMARY KEY (app, name))"
        )
        self.is_there = True

    def record(self, keys: Iterable[Key]) -> None:
        """Note that migrations were applied, now; those that are noted stay as they are."""
        known = self.read()
        moment = datetime.now(UTC).isoformat(" ")
        for key in dict.fromkeys(keys):
            if key not in known:
                self._database.execute(
                    f"INSERT INTO {TABLE} (app, name, applied_at) VALUES ({self._marks(3)})",  # noqa: S608 - constants
                    (*key, moment),
                )

    def forget(self, keys: Iterable[Key]) -> None:
        """Note that migrations were reversed."""
        mark = self._marks(1)
        for key in keys:
            self._database.execute(f"DELETE FROM {TABLE} WHERE app = {mark} AND name = {mark}", key)  # noqa: S608 - constants

    def _marks(self, count: int) -> str:
        return ", ".join(["?" if self._database.dialect == "sqlite" else "%s"] * count)


def orphaned(graph: Graph, recorded: Iterable[Key]) -> list[Key]:
    """What a database has applied and no file knows; what a squashed migration stands for is known."""
    known = {*graph.files, *(key for one in graph.files for key in graph.replaced(one))}
    return [key for key in recorded if key not in known]


def orphaned_last(graph: Graph, recorded: Mapping[Key, Applied]) -> list[Key]:
    """Of what has no file, that which was applied after all of its app that has one."""
    gone = orphaned(graph, recorded)
    known = [one for key, one in recorded.items() if key not in gone]
    return [
        key for key in gone if all(one.applied_at <= recorded[key].applied_at for one in known if one.app == key[0])
    ]
