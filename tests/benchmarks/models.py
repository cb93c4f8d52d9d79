"""The models' hot path against the bare driver, side by side.

    .venv/bin/python tests/benchmarks/models.py

Prints, for rows turned into instances and for a lookup by key, the time of a raw sqlite3 loop, of the models, and
their ratio. The bounds are 1.5 for rows and 2 for lookups. Each figure is the best of several rounds taken in turns,
so that a busy machine harms both sides alike.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.schema import CreateTable

from toolkit import models
from toolkit.database import Database
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

ROWS = 100_000
LOOKUPS = 5_000
ROUNDS = 7
BOUNDS = {"rows": 1.5, "lookups": 2.0}


class Section(models.Model):
    name = models.CharField(max_length=50)


class Story(models.Model):
    title = models.CharField(max_length=200)
    slug = models.SlugField(unique=True)
    summary = models.TextField()
    section = models.ForeignKey(Section, on_delete=models.PROTECT)
    status = models.CharField(max_length=10, default="live")
    weight = models.IntegerField(default=0)
    free = models.BooleanField(default=True)
    published = models.DateTimeField()
    expires = models.DateTimeField(null=True)


COLUMNS = "id, title, slug, summary, section_id, status, weight, free, published, expires"


def make_database(folder: Path) -> Any:
    """A file database with the rows."""
    found, problems = resolve_models({"bench": [Section, Story]})
    assert not problems
    database: Any = Database(f"sqlite:///{folder}/bench.db")
    database.schema = Schema(found, "sqlite")
    for table in database.schema.metadata.sorted_tables:
        database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
    first = datetime(2026, 1, 1, tzinfo=UTC)
    with entered(Scope(None, database)):
        section = Section.objects.create(name="Town")
        Story.objects.bulk_create(
            Story(
                title=f"Story number {n}",
                slug=f"story-{n}",
                summary="What happened, and to whom, in a sentence or two.",
                section=section,
                weight=n % 7,
                published=first + timedelta(minutes=n),
            )
            for n in range(ROWS)
        )
    return database


def raw_rows(connection: sqlite3.Connection) -> list[Any]:
    """Tuples, with the conversions that the models make."""
    parse = datetime.fromisoformat
    return [
        (r[0], r[1], r[2], r[3], r[4], r[5], r[6], bool(r[7]), _utc(parse(r[8])), None if r[9] is None else parse(r[9]))
        for r in connection.execute(f"SELECT {COLUMNS} FROM bench_story ORDER BY id")
    ]


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def raw_lookups(connection: sqlite3.Connection) -> None:
    """Tuples as they are."""
    sql = f"SELECT {COLUMNS} FROM bench_story WHERE id = ?"
    for key in range(1, LOOKUPS + 1):
        connection.execute(sql, (key,)).fetchone()


def model_rows() -> list[Story]:
    """Instances."""
    return list(Story.objects.order_by("pk"))


def model_lookups() -> None:
    """Instances, one by one."""
    for key in range(1, LOOKUPS + 1):
        Story.objects.get(pk=key)


def measure(raw: Callable[[], Any], ours: Callable[[], Any], count: int) -> tuple[float, float]:
    """Best times in microseconds for one row or lookup: (raw, ours)."""
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for number, work in enumerate((raw, ours)):
            start = time.perf_counter()
            kept = work()
            best[number] = min(best[number], time.perf_counter() - start)
            del kept
    return best[0] / count * 1e6, best[1] / count * 1e6


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        database = make_database(Path(folder))
        connection = sqlite3.connect(f"{folder}/bench.db", isolation_level=None, cached_statements=512)
        with entered(Scope(None, database)):
            figures = {
                "rows": measure(lambda: raw_rows(connection), model_rows, ROWS),
                "lookups": measure(lambda: raw_lookups(connection), model_lookups, LOOKUPS),
            }
        connection.close()
        database.close()
    failed = 0
    for name, (raw, ours) in figures.items():
        ratio = ours / raw
        verdict = "ok" if ratio <= BOUNDS[name] else "TOO SLOW"
        failed |= ratio > BOUNDS[name]
        told = f"{name:8} raw {raw:6.2f} us   models {ours:6.2f} us   ratio {ratio:.2f}"
        print(f"{told} (at most {BOUNDS[name]})  {verdict}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
