"""Many rows dumped and loaded by a process of its own, which tells how much memory it took at most.

Run as ``python -m tests.serialization.large URL FORMAT ROWS [natural]``: it prints what it measured as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.servers import opened_apart
from toolkit import models
from toolkit.migrations import create_tables
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.serialization import dump, format_of, load
from toolkit.serialization.formats import opened
from toolkit.trace import Scope, entered

BATCH = 5_000


class Desk(models.Model):
    name = models.CharField(max_length=40, unique=True)

    class Meta:
        natural_key = ("name",)


class Item(models.Model):
    """Told by its desk and its code; most refer to one that comes later in the file."""

    desk = models.ForeignKey(Desk, on_delete=models.CASCADE, related_name="items")
    code = models.CharField(max_length=20)
    text = models.CharField(max_length=200)
    next = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")
    tags = models.ManyToManyField(Desk, related_name="tagged")

    class Meta:
        natural_key = ("desk", "code")
        constraints = [models.UniqueConstraint(fields=["desk", "code"], name="item_told")]


def fill(count: int) -> None:
    """Rows of which each refers to the next."""
    desks = Desk.objects.bulk_create([Desk(name=f"desk {number:02}") for number in range(20)])
    for start in range(count, 0, -BATCH):
        numbers = range(start, max(start - BATCH, 0), -1)
        Item.objects.bulk_create(
            [
                Item(
                    pk=number,
                    desk=desks[number % 20],
                    code=f"item {number:09}",
                    text=f"text of {number} " * 5,
                    next_id=number + 1 if number < count else None,
                )
                for number in numbers
            ]
        )
    for number in range(1, count, 50):
        Item.objects.get(pk=number).tags.set(desks[:2])


def peak_mib() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(url: str, kind: str, rows: int, *, natural: bool) -> dict[str, Any]:
    _, problems = resolve_models({"large": [Desk, Item]})
    assert not problems, problems
    place = tempfile.TemporaryDirectory()
    database = opened_apart(f"sqlite:///{place.name}/site.db" if url == "sqlite" else url)
    database.schema = Schema([Desk, Item, Item._meta.get_field("tags").through], database.dialect)
    create_tables(database, list(database.schema))
    try:
        with tempfile.TemporaryDirectory() as folder, entered(Scope(None, database)) as scope:
            fill(rows)
            path = Path(folder) / f"rows.{kind}"
            form, told = format_of(kind), {"start": peak_mib()}
            before = time.perf_counter()
            with opened(path, "w") as out:
                dump(scope, form, out, natural=natural)
            told["dumped"], told["dump_seconds"] = peak_mib(), time.perf_counter() - before
            told["file"] = path.stat().st_size / 1024 / 1024
            for table in ("large_item_tags", "large_item SET next_id = NULL", "large_item", "large_desk"):
                database.execute(f"{'UPDATE' if 'SET' in table else 'DELETE FROM'} {table}")
            told["emptied"] = peak_mib()
            before = time.perf_counter()
            with opened(path, "r") as source:
                done = load(scope, form, source)
            told["loaded"], told["load_seconds"] = peak_mib(), time.perf_counter() - before
            told["added"] = done.added
            return told
    finally:
        database.drop()
        place.cleanup()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), natural="natural" in sys.argv[4:])))
