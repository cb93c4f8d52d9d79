"""A process that writes and is killed: what it acknowledged is there, and of what it had begun nothing is."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

BATCH = 7

WRITER = """
import sys
from sqlalchemy.schema import CreateTable
from toolkit import models
from toolkit.database import Database
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

class Row(models.Model):
    batch = models.IntegerField()

everything, _ = resolve_models({"k": [Row]})
database = Database(f"sqlite:///{sys.argv[1]}")
database.schema = Schema(everything, "sqlite")
if "k_row" not in database.table_names():
    table = database.schema.table(Row)
    database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
number = int(sys.argv[2])
with entered(Scope(None, database)):
    while True:
        with database.atomic():
            Row.objects.create(batch=number)
            Row.objects.bulk_create(Row(batch=number) for _ in range(BATCH - 1))
        print(number, flush=True)
        number += 1
""".replace("BATCH", str(BATCH))


@pytest.mark.parametrize("seed", range(3))
def test_nothing_acknowledged_is_lost_and_no_batch_is_half_there(tmp_path: Path, seed: int) -> None:
    path, said = tmp_path / "rows.db", -1
    for _ in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(said + 1)], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        assert writer.stdout is not None
        said = int(writer.stdout.readline())
        time.sleep(random.Random(seed).uniform(0, 0.2))
        writer.send_signal(signal.SIGKILL)
        rest = [line for line in writer.stdout.read().split("\n") if line]
        said = int(rest[-1]) if rest else said
        writer.wait()
        writer.stdout.close()
        with sqlite3.connect(path) as connection:
            counts = dict(connection.execute("SELECT batch, count(*) FROM k_row GROUP BY batch"))
        connection.close()
        assert set(range(said + 1)) <= set(counts)
        assert set(counts.values()) == {BATCH}
        said = max(counts)
