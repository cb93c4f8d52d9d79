"""``toolkit build --shard``, ``--only`` and ``--executor``, and ``toolkit merge``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run

AT = ("--at", "2026-03-01T12:00Z")


def test_shards_are_built_and_merged(run: Run, folder: Path) -> None:
    for number in (1, 2):
        run("build", "--shard", f"{number}/2", "--output", f"part{number}", *AT)
    told = json.loads(run("merge", "part1", "part2", "--output", "whole", "--json").output)
    assert (told["ok"], told["pages"], told["removed"]) == (True, 10, 0)
    assert (folder / "whole/stories/first-edition/index.html").is_file()
    assert "0 files written, 0 removed" in run("merge", "part2", "part1", "--output", "whole").output
    assert "10 pages: 0 rendered" in run("build", "--output", "whole", *AT).output


def test_a_missing_shard_ends_with_status_1(run: Run) -> None:
    run("build", "--shard", "1/2", "--output", "part1")
    assert "missing: 2/2" in run("merge", "part1", "--output", "whole", status=1).output


@pytest.mark.parametrize("wrong", ["3/2", "0/2", "half", "1/0"])
def test_a_shard_that_is_none_is_told_before_anything_is_done(run: Run, wrong: str) -> None:
    assert "no shard. Write 2/5 for the second of five." in run("build", "--shard", wrong, status=2).output


def test_a_shard_is_not_a_segment(run: Run) -> None:
    assert "exclude each other" in run("build", "--shard", "1/2", "--only", "story", status=2).output


def test_only_a_part_is_rendered(run: Run, folder: Path) -> None:
    run("build")
    (folder / "templates/base.html").write_text((folder / "templates/base.html").read_text() + "<!-- new -->")
    told = run("build", "--only", "/stories/first-edition/").output
    assert "10 pages: 1 rendered" in told
    assert "pages outside of what was asked for are stale" in told


def test_an_executor_by_name(run: Run) -> None:
    assert "10 pages: 10 rendered" in run("build", "--executor", "threads").output
    assert "Did you mean 'threads'" in run("build", "--executor", "thread", status=1).output


def test_a_build_into_a_storage_does_not_say_how_to_look_at_it(run: Run) -> None:
    told = run("build", "--output", "memory://press").output
    assert "in memory://press\n" in told
    assert "http.server" not in told
