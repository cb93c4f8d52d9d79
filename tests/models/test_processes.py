"""Processes that write at once, and processes that are killed while they write: on each database."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.schema import CreateTable

from tests.models import writers
from tests.models.writers import BATCH, PROCESSES, ROUNDS, Counter, Ledger, Page, Row
from toolkit.models import Count
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

ROOT = Path(__file__).parents[2]
KILLS = 5

PLACES = {"sqlite": "SELECT 'main'", "postgresql": "SELECT current_schema()", "mysql": "SELECT database()"}


@pytest.fixture(scope="module")
def track(shared_database: Any, newsroom_models: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A database of its own, which other processes open by URL and place."""
    assert not writers.PROBLEMS
    url = shared_database.url
    if shared_database.dialect == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('track')}/track.db"
    made = newsroom_models.opened_apart(url)
    made.schema = Schema(writers.MODELS, made.dialect)
    for table in made.schema.metadata.sorted_tables:
        made.execute(str(CreateTable(table).compile(dialect=made.sqlalchemy_dialect)))
    yield SimpleNamespace(database=made, url=url, place=made.fetch(PLACES[made.dialect])[0][0])
    made.drop()


def command(track: Any, what: str) -> list[str]:
    return [sys.executable, "-m", "tests.models.writers", what, track.url, track.place]


def test_eight_processes_make_one_row_each_time_and_lose_no_count(track: Any) -> None:
    with entered(Scope(None, track.database)):
        Counter.objects.create(slug="hits")
        Page.objects.create(slug="front")
        done = subprocess.run(command(track, "race"), capture_output=True, text=True, cwd=ROOT, timeout=120)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert (len(told), done.stderr) == (PROCESSES, "")
        total = {name: sum(one[name] for one in told) for name in told[0]}
        assert (total["got"], total["updated"]) == (ROUNDS, ROUNDS)
        assert Counter.objects.filter(slug__startswith="got-").count() == ROUNDS
        updated = Counter.objects.filter(slug__startswith="updated-").values_list("count", flat=True)
        assert list(updated) == [PROCESSES] * ROUNDS
        assert Counter.objects.get(slug="hits").count == PROCESSES * ROUNDS
        page = Page.objects.get()
        assert total["saved"] + total["stale"] == PROCESSES * ROUNDS
        assert (page.saves, page.version) == (total["saved"], total["saved"] + 1)


def test_what_a_killed_writer_acknowledged_is_there_and_nothing_is_half_there(track: Any) -> None:
    chance, said = random.Random(track.database.dialect), {0}
    with (
        subprocess.Popen(
            command(track, "write"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as parent,
        entered(Scope(None, track.database)),
    ):
        assert parent.stdin is not None
        Ledger.objects.all().delete()
        Counter.objects.update_or_create(slug="hits", defaults={"count": 0})
        for _ in range(KILLS):
            parent.stdin.write(f"{max(said) + 1000}\n")  # a commit that was not told may have taken the next number
            parent.stdin.flush()
            said |= kill_at_random(parent.stdout, chance)
            look(track.database, said - {0})
        parent.stdin.close()
        assert parent.wait(20) == 0


def look(database: Any, said: set[int]) -> None:
    """As of one instant: a server may still be at the commit of a writer that is dead."""
    with database.snapshot():
        ledgers = dict(Ledger.objects.annotate(found=Count("entries")).values_list("number", "found"))
        assert said <= set(ledgers), "what was acknowledged is lost"
        assert set(ledgers.values()) == {BATCH}
        assert set(Ledger.objects.values_list("rows", flat=True)) == {BATCH}
        assert Counter.objects.get(slug="hits").count == Row.objects.count() == len(ledgers) * BATCH
        assert not Row.objects.filter(text="first").exists()


def kill_at_random(output: Any, chance: random.Random) -> set[int]:
    """Kill the writer some time after its first batch, and give all that it acknowledged."""
    pid, said = 0, set()
    for line in output:
        if line == "dead\n":
            return said
        if line.startswith("pid"):
            pid = int(line.split()[1])
            continue
        said.add(int(line))
        if pid:
            time.sleep(chance.uniform(0, 0.1))
            os.kill(pid, signal.SIGKILL)
            pid = 0
    raise AssertionError("the writer ended by itself")
