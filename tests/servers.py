"""The servers that the tests may use, and a place of its own on each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from toolkit.database import Database

SERVERS = [url for url in os.environ.get("TOOLKIT_TEST_DATABASES", "").replace(",", " ").split() if url]
"""URLs, from ``TOOLKIT_TEST_DATABASES`` (commas between)."""

KINDS = {"postgresql": ("postgresql", "postgres"), "mariadb": ("mysql", "mariadb")}


def skipped_kinds() -> list[str]:
    """The kinds of servers that no URL is given for."""
    schemes = {url.partition(":")[0].partition("+")[0] for url in SERVERS}
    return [kind for kind, names in KINDS.items() if not schemes & set(names)]


def apart(database: Any) -> Any:
    """The same server's database, seen through a schema (PostgreSQL) or a database (MariaDB) made for one test.

    ``database.drop()`` takes it away and closes the connection.
    """
    name = f"toolkit_{uuid.uuid4().hex[:12]}"
    if database.dialect == "sqlite":
        database.drop = database.close
        return database
    postgresql = database.dialect == "postgresql"
    database.execute(f"CREATE {'SCHEMA' if postgresql else 'DATABASE'} {name}")
    database.close()
    enter = f"SET search_path TO {name}" if postgresql else f"USE {name}"
    database.on_connect(lambda connection: connection.cursor().execute(enter))

    def drop() -> None:
        database.execute(f"DROP {'SCHEMA' if postgresql else 'DATABASE'} {name} {'CASCADE' if postgresql else ''}")
        database.close()

    database.drop = drop
    return database


def opened_apart(url: str) -> Any:
    """A database at a URL, in a place of its own."""
    return apart(Database(url))


@contextmanager
def made_once(make: Callable[[str], Any]) -> Iterator[Callable[[str], Any]]:
    """``make``, which makes the database of a URL the first time it is asked; all are dropped in the end.

    For fixtures of the session that have parameters: pytest ends such a one at each next parameter, and begins it again
    in the next file.
    """
    made: dict[str, Any] = {}

    def find(url: str) -> Any:
        if url not in made:
            made[url] = make(url)
        return made[url]

    yield find
    for database in made.values():
        database.drop()
