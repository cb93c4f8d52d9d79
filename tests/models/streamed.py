"""A process that looks at many rows one after the other, and tells how much memory it took: ``python -m`` URL PLACE."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from toolkit import models
from toolkit.database import Database
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

ROWS = int(os.environ.get("STREAMED_ROWS", "25000"))


class Line(models.Model):
    text = models.CharField(max_length=200)
    number = models.IntegerField()


MODELS, PROBLEMS = resolve_models({"streamed": [Line]})


def kilobytes(name: str) -> int:
    """What Linux says of this process: ``VmRSS``, its memory; ``VmHWM``, the most that it had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def grown(database: Any, rows: Iterable[Any], *, atomic: bool) -> tuple[int, int]:
    """How many rows there are, and how many kilobytes more it took to look at them."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the most that it had (proc(5))
    before = kilobytes("VmRSS")
    with database.atomic() if atomic else nullcontext():
        count = sum(1 for _ in rows)
    return count, kilobytes("VmHWM") - before


def main(url: str, place: str) -> None:
    database = Database(url)
    if place and database.dialect != "sqlite":
        enter = f"SET search_path TO {place}" if database.dialect == "postgresql" else f"USE {place}"
        database.on_connect(lambda connection: connection.cursor().execute(enter))
    database.schema = Schema(MODELS, database.dialect)
    with entered(Scope(None, database)):
        lines = Line.objects.order_by("-number")
        for once in (lines, lines.values_list("text", "number")):  # whatever is loaded and compiled once
            deque(once.iterator(), maxlen=0)
        told = {
            "outside": grown(database, lines.iterator(), atomic=False),
            "inside": grown(database, lines.iterator(), atomic=True),
        }
        if database.backend.streams_beside:
            by_hand = Line.objects.raw("SELECT * FROM streamed_line ORDER BY number DESC")
            told["by hand"] = grown(database, by_hand.iterator(), atomic=False)
            told["values"] = grown(database, lines.values_list("text", "number").iterator(), atomic=False)
        told["at once"] = grown(database, lines, atomic=False)
    database.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
