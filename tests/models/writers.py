"""Processes that write at once: ``python -m tests.models.writers race|write URL PLACE``, for test_processes.py.

The process imports everything once, and forks those who write; they share nothing but the database. PLACE is a
schema on PostgreSQL, a database on MariaDB, and of no account on SQLite.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from toolkit import models
from toolkit.database import Database
from toolkit.errors import StaleInstanceError
from toolkit.models import F
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

PROCESSES, ROUNDS, BATCH = 8, 6, 7


class Counter(models.Model):
    slug = models.SlugField(unique=True)
    count = models.IntegerField(default=0)


class Page(models.Model):
    """Known by its version."""

    slug = models.SlugField(unique=True)
    saves = models.IntegerField(default=0)
    version = models.VersionField()


class Ledger(models.Model):
    """How many rows each batch has."""

    number = models.IntegerField(unique=True)
    rows = models.IntegerField()


class Row(models.Model):
    ledger = models.ForeignKey(Ledger, on_delete=models.CASCADE, related_name="entries")
    text = models.TextField()


MODELS, PROBLEMS = resolve_models({"race": [Counter, Page, Ledger, Row]})


def opened(url: str, place: str) -> Any:
    """The database, as seen from its place."""
    database = Database(url)
    if database.dialect == "postgresql":
        database.on_connect(lambda connection: connection.execute(f"SET search_path TO {place}"))
    elif database.dialect == "mysql":
        database.on_connect(lambda connection: connection.cursor().execute(f"USE {place}"))
    database.schema = Schema(MODELS, database.dialect)
    return database


def race() -> dict[str, int]:
    """What one of the eight does: make the same rows, count in the same row, save the same instance."""
    made = {"got": 0, "updated": 0, "stale": 0, "saved": 0}
    for number in range(ROUNDS):
        made["got"] += Counter.objects.get_or_create(slug=f"got-{number}")[1]
        made["updated"] += Counter.objects.update_or_create(
            slug=f"updated-{number}", defaults={"count": F("count") + 1}, create_defaults={"count": 1}
        )[1]
        Counter.objects.filter(slug="hits").update(count=F("count") + 1)
        page = Page.objects.get(slug="front")
        page.saves += 1
        try:
            page.save()
            made["saved"] += 1
        except StaleInstanceError:
            made["stale"] += 1
    return made


def write_batch(database: Any, number: int) -> None:
    with database.atomic():
        ledger = Ledger.objects.create(number=number, rows=0)
        Row.objects.create(ledger=ledger, text="first")
        Row.objects.bulk_create(Row(ledger=ledger, text="x" * 500) for _ in range(BATCH))
        Row.objects.filter(ledger=ledger, text="first").delete()
        Ledger.objects.filter(pk=ledger.pk).update(rows=BATCH)
        Counter.objects.filter(slug="hits").update(count=F("count") + BATCH)


def write(database: Any, number: int) -> None:
    """Write batch after batch, and tell each one that is committed, until killed."""
    while True:
        write_batch(database, number)
        os.write(1, b"%d\n" % number)
        number += 1


class TakenBack(Exception):
    """Ends what is only done to be compiled."""


def compile_questions(database: Any, work: Callable[[], Any]) -> None:
    """Do this and take it back, so that not each of those who are forked compiles the same."""
    with entered(Scope(None, database)), suppress(TakenBack), database.atomic():
        work()
        raise TakenBack
    database.close_all()


def forked(work: Callable[[], None]) -> int:
    """A process that does this and nothing else."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def main(what: str, url: str, place: str) -> None:
    database = opened(url, place)

    def racer() -> None:
        with entered(Scope(None, database)):
            os.write(1, json.dumps(race()).encode() + b"\n")

    def writer() -> None:
        with entered(Scope(None, database)):
            write(database, number)

    if what == "race":
        compile_questions(database, race)
        for pid in [forked(racer) for _ in range(PROCESSES)]:
            os.waitpid(pid, 0)
        return
    compile_questions(database, lambda: write_batch(database, -1))
    for line in sys.stdin:  # each line is the number to begin with; the writer is killed by its number
        number = int(line)
        pid = forked(writer)
        os.write(1, b"pid %d\n" % pid)
        os.waitpid(pid, 0)
        os.write(1, b"dead\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
