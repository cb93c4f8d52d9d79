"""Many threads, one site: each has its connection, and a shape is compiled once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from toolkit.database import Database
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


def test_threads_that_ask_first_at_the_same_time_all_get_an_answer(m: Any, tmp_path: Path) -> None:
    made = m.make_database(f"sqlite:///{tmp_path}/news.db")
    with entered(Scope(None, made)):
        m.Tag.objects.create(name="One", slug="one")
    made.close()
    database: Any = Database(f"sqlite:///{tmp_path}/news.db")  # nothing is compiled yet, no table is made
    database.schema = Schema(m.MODELS, "sqlite")
    answers: list[Any] = []
    connections: set[int] = set()
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        with entered(Scope(None, database)):
            answers.append((m.Tag.objects.get(slug="one").name, m.Story.objects.filter(tags__slug="one").count()))
            connections.add(id(database.connection))
            start.wait()
        database.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [("One", 0)] * 8
    assert len(connections) == 8
