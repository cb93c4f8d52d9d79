"""A process that looks at many rows one after the other, and tells how much memory it took: ``python -m`` URL PLACE."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from toolkit import models
from toolkit.database import Database
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

ROWS = int(os.environ.get("STREAMED_ROWS", "50000"))


class Line(models.Model):
    text = models.CharField(max_length=200)
    number = models.IntegerField()


MODELS, PROBLEMS = resolve_models({"streamed": [Line]})


def peak_kilobytes() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def grown(database: Any, rows: Iterable[Any], *, atomic: bool) -> tuple[int, int]:
    """How many rows there are, and how many kilobytes more it took to look at them."""
    before = peak_kilobytes()
    with database.atomic() if atomic else nullcontext():
        count = sum(1 for _ in rows)
    return count, peak_kilobytes() - before


def main(url: str, place: str) -> None:
    database = Database(url)
    if place and database.dialect != "sqlite":
        enter = f"SET search_path TO {place}" if database.dialect == "postgresql" else f"USE {place}"
        database.on_connect(lambda connection: connection.cursor().execute(enter))
    database.schema = Schema(MODELS, database.dialect)
    with entered(Scope(None, database)):
        lines = Line.objects.order_by("-number")
        list(lines[:4000].iterator())  # whatever is loaded once
        list(lines[:4000].values_list("text").iterator())
        told = {
            "outside": grown(database, lines.iterator(), atomic=False),
            "inside": grown(database, lines.iterator(), atomic=True),
        }
        if database.backend.streams_beside:
            told["values"] = grown(database, lines.values_list("text", "number").iterator(), atomic=False)
        told["at once"] = grown(database, lines, atomic=False)
    database.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
