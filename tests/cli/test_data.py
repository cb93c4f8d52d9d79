"""``toolkit data dump``, ``load``, ``import`` and ``export``."""

from __future__ import annotations

import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import Run

TOPICS = "bay_press.Topic"


@pytest.fixture
def built(run: Run) -> None:
    run("data", "load")


def topics(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "site.db") as connection:
        found = [name for (name,) in connection.execute("SELECT name FROM bay_press_topic ORDER BY id")]
    connection.close()
    return found


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl.gz", "rows.yaml", "rows.xml.xz"])
def test_a_dump_is_loaded(built: None, run: Run, folder: Path, name: str) -> None:
    told = run("data", "dump", "--output", name).stdout
    assert told.endswith(f"rows to {name}\n")
    before = (folder / name).read_bytes()
    assert run("data", "load", name).stdout.endswith(" unchanged\n")
    names = topics(folder)
    (folder / "site.db").unlink()
    assert json.loads(run("data", "load", name, "--json").stdout)["added"] == int(told.split()[0])
    assert topics(folder) == names
    run("data", "dump", "-o", name)
    assert (folder / name).read_bytes() == before
    assert not list(folder.glob(".*.rows*"))


def test_a_dump_of_some_rows(built: None, run: Run, folder: Path) -> None:
    rows = json.loads(run("data", "dump", "--model", "topic", "--pks", "1", "--fields", "slug").stdout)
    assert [(row["model"], row["pk"], list(row["fields"])) for row in rows] == [(TOPICS, 1, ["slug"])]
    told = run("data", "dump", "--app", "bay_press", "--exclude", "Story").stdout
    assert " unchanged\n" in run("data", "load", "-", "--format", "json", stdin=told).stdout
    assert "say its --format" in run("data", "load", "-", stdin=told, status=2).stderr
    assert "stdin:1" in run("data", "load", "-", "--format", "json", stdin="x", status=1).stderr
    rows = json.loads(told)
    assert {row["model"] for row in rows} == {TOPICS}
    assert "Did you mean" in run("data", "dump", "--model", "bay_press.Topik", status=1).stderr
    assert "of one model" in run("data", "dump", "--pks", "1", status=1).stderr
    told = run("data", "dump", "--model", "topic", "--pks", "1,x", "-o", "some.json", status=1).stderr
    assert "--pks: 'x' is not a whole number" in told
    told = run("data", "dump", "--model", "topic", "--pks", "1,99", "-o", "some.json", status=1).stderr
    assert "row has the key 99" in told and not (folder / "some.json").exists()


def test_a_dump_leaves_out_what_a_view_shows(built: None, run: Run, folder: Path) -> None:
    """A load could not write it. It is dumped for those who name it."""
    with sqlite3.connect(folder / "site.db") as connection:
        connection.execute("CREATE VIEW heads AS SELECT id, name FROM bay_press_topic")
    connection.close()
    with (folder / "bay_press/models.py").open("a") as models:
        models.write(
            "\n\nclass Head(models.Model):\n    name = models.TextField()\n\n"
            "    class Meta:\n        managed = False\n        db_table = 'heads'\n"
        )
    told = run("data", "dump", "-o", "rows.json").stderr
    assert "bay_press.Head is a view, and has no rows of its own: --model bay_press.Head" in told
    assert run("data", "load", "rows.json").stdout.endswith(" unchanged\n")
    assert json.loads(run("data", "dump", "--model", "Head").stdout)


def test_a_dump_that_is_wrong_is_told_whole(built: None, run: Run, folder: Path) -> None:
    record = {"model": TOPICS, "pk": 1, "fields": {"name": None, "slugg": "x"}}
    (folder / "bad.jsonl").write_text(json.dumps(record) + "\n{\n")
    told = run("data", "load", "bad.jsonl", "--json", status=1)
    assert [(one["line"], one["column"]) for one in json.loads(told.stdout)["problems"]] == [
        (1, "name"), (1, "slugg"), (2, 2),
    ]  # fmt: skip


def test_what_is_wrong_in_several_dumps_is_told_together(built: None, run: Run, folder: Path) -> None:
    """But not that a row is not there, of a model whose rows could not be loaded from the file before."""
    (folder / "a.jsonl").write_text(json.dumps({"model": TOPICS, "pk": 71, "fields": {"slugg": "x"}}))
    fields = {"titel": "x", "topics": [71]}
    (folder / "b.jsonl").write_text(json.dumps({"model": "bay_press.Story", "pk": 1, "fields": fields}))
    told = run("data", "load", "a.jsonl", "b.jsonl", "--json", status=1)
    assert [(one["path"], one["column"]) for one in json.loads(told.stdout)["problems"]] == [
        ("a.jsonl", "slugg"), ("b.jsonl", "titel"),
    ]  # fmt: skip
    (folder / "b.jsonl").write_text(json.dumps({"model": "bay_press.Story", "pk": 1, "fields": {"topics": [71]}}))
    assert "71" not in run("data", "load", "a.jsonl", "b.jsonl", status=1).stderr
    assert "71 is not there" in run("data", "load", "b.jsonl", status=1).stderr


def test_a_file_stays_as_it_was_if_a_dump_fails(built: None, run: Run, folder: Path) -> None:
    (folder / "rows.csv").write_text("before")
    assert "the rows of one model" in run("data", "dump", "-o", "rows.csv", status=1).stderr
    assert (folder / "rows.csv").read_text() == "before"


def test_a_dump_replaces_no_link_and_no_pipe(built: None, run: Run, folder: Path) -> None:
    (folder / "linked.json").symlink_to("elsewhere.json")
    run("data", "dump", "-o", "linked.json")
    assert (folder / "linked.json").is_symlink() and (folder / "elsewhere.json").is_file()
    os.mkfifo(folder / "pipe.json")
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit((folder / "pipe.json").read_text)
        run("data", "dump", "-o", "pipe.json")
        assert read.result() == (folder / "elsewhere.json").read_text()
    assert (folder / "pipe.json").is_fifo()


def test_a_table_in_and_out(built: None, run: Run, folder: Path) -> None:
    (folder / "t.csv").write_text("Name,slug\nBoats,boats\n")
    options = ("data", "import", "t.csv", "--model", TOPICS, "--map", "Name=name")
    assert run(*options, "--dry-run").stdout == "1 added\n"
    assert "Boats" not in topics(folder)
    assert run(*options).stdout == "1 added\n"
    assert run(*options).stdout == "1 unchanged\n"
    assert "Boats,boats\n" in run("data", "export", "--model", TOPICS, "--fields", "name,slug").stdout
    assert run("data", "export", "--model", TOPICS, "-o", "out.jsonl").stdout.endswith("rows to out.jsonl\n")
    assert run("data", "import", "out.jsonl", "--model", TOPICS).stdout.endswith("unchanged\n")
    (folder / "t.csv").write_text("name,slug\n,no slug\n")
    told = run("data", "import", "t.csv", "--model", TOPICS, status=1).stderr
    assert "t.csv:2:name" in told
    assert "t.csv:2:slug" in told


def test_text_files_out_and_in_again(built: None, run: Run, folder: Path) -> None:
    before = run("data", "dump", "--natural").stdout
    assert "files in out" in run("data", "export", "--folder", "out").stdout
    for path in (folder / "content").rglob("*"):
        if path.is_file():
            path.unlink()
    (folder / "site.db").unlink()
    (folder / "out" / "content").replace(folder / "out2")
    for path in (folder / "out2").rglob("*"):
        if path.is_file():
            place = folder / "content" / path.relative_to(folder / "out2")
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    run("data", "load")
    assert run("data", "dump", "--natural").stdout == before
    assert "Give either" in run("data", "export", status=1).stderr


def test_a_database_to_inspect_that_is_not_there_is_told_and_not_made(side: Path, run: Run) -> None:
    assert "Did you mean 'side'?" in run("data", "inspect", "--database", "sied", status=1).stderr
    told = run("data", "inspect", "--database", "sqlite:///none.db", status=1).stderr
    assert "none.db cannot be opened" in told
    assert not (side / "none.db").exists()


def test_rows_that_came_from_no_file_are_given_theirs(built: None, folder: Path, run: Run) -> None:
    path = folder / "content/topics.csv"
    (folder / "new.csv").write_text("slug,name\nsea,Sea\n")
    run("data", "import", "new.csv", "--model", TOPICS)
    path.write_text(path.read_text().replace("Notes", "Remarks"))  # an edit that nobody loaded
    run("data", "export", "--folder", ".")
    assert "sea,Sea" in path.read_text()
    assert "Remarks" in path.read_text()
    assert "topics.csv (bay_press.Topic): 3 unchanged" in run("data", "load").stdout
    path.write_text(path.read_text().replace("Sea", "Ocean"))
    run("data", "load")
    assert "Ocean" in topics(folder)


@pytest.fixture
def side(folder: Path) -> Path:
    """The starter with a second database: its wires refer to topics of the main one, and have labels beside them."""
    with (folder / "toolkit.toml").open("a") as settings:
        settings.write('\ndatabases.side = {url = "sqlite:///side.db"}\n')
    with (folder / "bay_press/models.py").open("a") as models:
        models.write(SIDE)
    return folder


SIDE = """

class Label(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        database = "side"
        natural_key = ("name",)


class Wire(models.Model):
    slug = models.SlugField(unique=True)
    topic = models.ForeignKey(Topic, null=True, db_constraint=False, on_delete=models.DO_NOTHING)
    labels = models.ManyToManyField(Label, blank=True)

    class Meta:
        database = "side"
        natural_key = ("slug",)
"""
LABELS = '{"model": "bay_press.Label", "fields": {"name": "late"}}\n'


def test_rows_of_a_further_database_are_loaded_imported_exported_and_dumped(side: Path, run: Run) -> None:
    run("migrations", "make")
    run("data", "load")
    (side / "labels.jsonl").write_text(LABELS)
    assert run("data", "load", "labels.jsonl", "--database", "side").stdout == "1 added\n"
    (side / "wires.csv").write_text("slug,topic,labels\nflood,notes,late\n")
    assert run("data", "import", "wires.csv", "--model", "Wire").stdout == "1 added\n"
    assert run("data", "export", "--model", "Wire").stdout == "id,slug,topic,labels\n1,flood,notes,late\n"
    told = run("data", "dump", "--database", "side", "--natural", "--format", "jsonl").stdout
    assert (
        told == LABELS + '{"model": "bay_press.Wire", "fields": {"slug": "flood", "topic": 2, "labels": [["late"]]}}\n'
    )
    (side / "rows.jsonl").write_text(told)
    (side / "side.db").unlink()  # the tables of a database that is gone are made anew
    assert run("data", "load", "rows.jsonl", "--database", "side").stdout == "2 added\n"
    assert run("data", "load", "rows.jsonl", "--database", "side").stdout == "2 unchanged\n"


def test_rows_of_a_further_database_are_told_of_where_they_are_not(side: Path, run: Run) -> None:
    run("migrations", "make")
    assert "the rows of 'side' are not among them: --database side" in run("data", "dump", "-o", "all.json").stderr
    told = run("data", "dump", "--model", "wire", status=1).stderr
    assert "'wire' is no model of this database. bay_press.Wire is in another one: say --database side." in told
    (side / "labels.jsonl").write_text(LABELS)
    told = run("data", "load", "labels.jsonl", status=1).stderr
    assert "labels.jsonl:1: 'bay_press.Label' is no model of this database" in told
    assert "Did you mean 'side'?" in run("data", "dump", "--database", "sied", status=1).stderr
    with (side / "bay_press/pages.py").open("a") as pages:
        pages.write("\nfrom .models import Wire\napp.source('content/wires.csv', model=Wire)\n")
    told = run("data", "load", status=1).stderr
    assert "Wire is in the database 'side', and files are loaded into the main one" in told
