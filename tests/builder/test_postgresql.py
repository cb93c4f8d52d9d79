"""The same builds from PostgreSQL, where all processes look at one exported snapshot.

Runs where TOOLKIT_TEST_POSTGIS names a database that may be written; its tables called ``press_*`` and ``toolkit_*``
are dropped.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

URL = os.environ.get("TOOLKIT_TEST_POSTGIS", "")

pytestmark = pytest.mark.skipif(not URL, reason="TOOLKIT_TEST_POSTGIS names no database")


def connect() -> Any:
    import psycopg

    return psycopg.connect(URL, autocommit=True)


def drop() -> None:
    with connect() as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() "
            "AND (table_name LIKE 'press_%' OR table_name LIKE 'toolkit_%')"
        ).fetchall()
        for (name,) in names:
            connection.execute(f'DROP TABLE "{name}" CASCADE')


@pytest.fixture
def served(planted: Path, tmp_path: Path, make_press: Callable[[Path], Any], planter: Any) -> Iterator[Any]:
    """The press, its rows in PostgreSQL."""
    drop()
    folder = tmp_path / "site"
    shutil.copytree(planted, folder)
    press = make_press(folder)
    press.replace("toolkit.toml", "sqlite:///press.db", URL)
    press.build()
    press.edit(planter)
    yield press
    drop()


def test_builds_are_incremental_and_exact(served: Any) -> None:
    assert served.same().rendered > 0
    assert served.same(workers=2).rendered == 0
    served.edit(lambda m: m.Story.objects.filter(pk=4).update(slug="moved"))
    report = served.same()
    assert 0 < report.rendered < report.pages
    assert "/sport/moved/" in served.read("sport/story-3/index.html")


def test_all_processes_see_one_state_while_somebody_writes(served: Any, tree_of: Any) -> None:
    served.build()
    done = threading.Event()

    def write() -> None:
        with connect() as connection:
            number = 0
            while not done.is_set():
                number += 1
                connection.execute("UPDATE press_story SET title = 'mark-' || %s || '-'", (number,))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for workers in (2, 3):
            served.build(workers=workers, clean=True)
            text = b"".join(body for path, body in tree_of(served.out).items() if "es/" not in path)
            assert len({mark.split(b"-")[0] for mark in text.split(b"mark-")[1:]}) == 1
    finally:
        done.set()
        thread.join()
    served.same()
