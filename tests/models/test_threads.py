"""Many threads, one site: each has its connection, and a shape is compiled once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit.database import Database
from toolkit.models import F
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


def in_threads(database: Any, work: Callable[[], Any], count: int = 6) -> list[Any]:
    """What threads get that all begin at once; an error is an answer, too."""
    answers: list[Any] = []
    start = threading.Barrier(count)

    def run() -> None:
        with entered(Scope(None, database)):
            start.wait(20)
            try:
                answers.append(work())
            except Exception as error:  # noqa: BLE001 - compared with what is wanted
                answers.append(error)
            database.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


WAYS: list[tuple[str, Callable[[Any], Any], Any]] = [
    ("update", lambda m: m.Comment.objects.filter(score=3).update(score=F("score") + 1), 0),
    ("delete", lambda m: m.Comment.objects.filter(score=3).delete(), {}),
    ("check", lambda m: m.Tag(name="Two", slug="two").full_clean(), None),
]


@pytest.fixture
def eager_switches() -> Iterator[None]:
    """Threads take turns so often that each is interrupted while it makes something."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_switches")
@pytest.mark.parametrize(("work", "wanted"), [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
def test_threads_that_write_first_at_the_same_time_share_the_tables(
    m: Any, tmp_path: Path, work: Callable[[Any], Any], wanted: Any
) -> None:
    made = m.make_database(f"sqlite:///{tmp_path}/news.db")
    for _ in range(10):
        made.schema = Schema(m.MODELS, "sqlite")  # no table is made yet
        assert in_threads(made, lambda: work(m)) == [wanted] * 6
    made.close()


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
