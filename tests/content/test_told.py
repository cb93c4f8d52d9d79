"""Content of which another process tells what became of it: the same is loaded, and less is looked at."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from toolkit import stamps
from toolkit.ahead import Ahead, look_ahead
from toolkit.content import Source, loading
from toolkit.content.records import STAMPS, SUMMARY, summarize
from toolkit.errors import ToolkitError
from toolkit.seals import FORMAT, Seal, Tree
from toolkit.stamps import Stamp
from toolkit.trace import entered

from .conftest import SOURCES, Desk, Story, Tag, make_scope
from .test_incremental import EDITS, GIVEN, NAMES, edit, outcome

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def look(desk: Desk) -> Ahead:
    """Another process that looks at the files and the database, as those do that are asked before a build."""
    now = datetime.now(UTC)
    seal = Seal(
        format=FORMAT,
        process=b"",
        sources=(Tree(str(desk.folder)),),
        sources_digest=b"",
        output="",
        files=(),
        files_digest=b"",
        manifest=("", Stamp(0, 0, 0, 0)),
        database=str(desk.scope.database.path),
        tokens=b"",
        folder=str(desk.folder),
        records=STAMPS,
        summary=SUMMARY,
        since=now,
        until=now,
        told={},
        counts="",
    )
    ahead = look_ahead(seal, worth_it=0, many=0, racy_ns=0)
    assert ahead is not None
    return ahead


def told_at(desk: Desk, ahead: Ahead, database: str | None = None) -> dict[str, Any]:
    """What the process tells, as who loads content asks it."""
    return ahead.told(database or str(desk.scope.database.path), summarize(desk.scope.database))


class ToldDesk(Desk):
    """A desk at which another process looks at the files first."""

    def load(self, **options: Any) -> Any:
        time.sleep(0.01)  # so that the clock of the file system has moved since the files were written
        ahead = look(self)
        try:
            return super().load(ahead=ahead, **options)
        finally:
            ahead.close()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps prove something though the files are young."""
    monkeypatch.setattr(stamps, "RACY_NS", 0)


@pytest.fixture
def desk(tmp_path: Path, settled: None) -> Iterator[ToldDesk]:
    (tmp_path / "site").mkdir()
    scope = make_scope(tmp_path / "desk.db")
    with entered(scope):
        desk = ToldDesk(tmp_path / "site", scope, [SOURCES["sections"], Source("stories/*.md", Story)])
        desk.write("content/sections.yaml", "- {slug: news, name: News}\n")
        for name in ("a", "b", "c"):
            desk.write(f"stories/{name}.md", f"---\ntitle: {name}\nsection: news\n---\n")
        desk.load()
        yield desk
    scope.database.close()


@pytest.fixture
def narrow(desk: ToldDesk, monkeypatch: pytest.MonkeyPatch) -> ToldDesk:
    """A desk that refuses to go through the records of all files."""

    def refuse(*_: Any) -> Any:
        raise AssertionError("somebody read all records")

    monkeypatch.setattr(loading, "read_records", refuse)
    return desk


def test_an_edit_reads_the_record_of_its_file_alone(narrow: ToldDesk) -> None:
    narrow.write("stories/b.md", "---\ntitle: changed\nsection: news\n---\n")
    report = narrow.load()
    assert (report.added, report.changed, report.unchanged, report.removed) == (0, 1, 3, 0)
    assert [(one.pattern, one.files) for one in report.sources] == [("content/sections.yaml", 1), ("stories/*.md", 3)]
    assert narrow.story("b").title == "changed"
    assert narrow.counts() == (0, 0, 4, 0)


def test_a_file_that_was_only_touched_is_noted_as_it_is_now(narrow: ToldDesk) -> None:
    (narrow.folder / "stories/b.md").touch()
    assert narrow.counts() == (0, 0, 4, 0)
    ahead = look(narrow)
    told = told_at(narrow, ahead)
    ahead.close()
    assert told[f"{narrow.folder}/stories"].changed == ()


def test_another_source_is_looked_at_as_before(narrow: ToldDesk) -> None:
    narrow.write("content/sections.yaml", "- {slug: news, name: Latest}\n")
    assert narrow.counts() == (0, 1, 3, 0)


MORE = {
    "a new file": lambda desk: desk.write("stories/d.md", "---\ntitle: d\nsection: news\n---\n"),
    "a file that is gone": lambda desk: desk.delete("stories/b.md"),
    "a renamed file": lambda desk: (desk.folder / "stories/b.md").rename(desk.folder / "stories/e.md"),
    "a translation": lambda desk: desk.write("stories/b.es.md", "---\ntitle: be\n---\n"),
    "a file below": lambda desk: desk.write("stories/below/x.md", "---\ntitle: x\nsection: news\n---\n"),
    "another slug": lambda desk: desk.write("stories/b.md", "---\ntitle: b\nslug: z\nsection: news\n---\n"),
    "a source less": lambda desk: desk.sources.pop(),
    "a source more": lambda desk: desk.sources.append(Source("stories/a.md", Tag, key="name")),
    "another declaration": lambda desk: (
        desk.sources.append(Source("stories/*.md", Story, date="day")) or desk.sources.pop(1)
    ),
}


@pytest.mark.parametrize("what", MORE)
def test_whatever_else_changed_is_loaded_as_by_who_looks_at_all(desk: ToldDesk, what: str) -> None:
    MORE[what](desk)
    clean = Desk(desk.folder, make_scope(), desk.sources)
    results = []
    for one in (desk, clean):
        with entered(one.scope):
            try:
                one.load()
                results.append(one.dump())
            except ToolkitError as error:
                results.append(str(error))
    clean.scope.database.close()
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE toolkit_source SET settled = 0 WHERE path = 'stories/a.md'",
        "UPDATE toolkit_source SET modified = modified - 1 WHERE path = 'stories/a.md'",
        "UPDATE toolkit_source SET changed = changed + 1 WHERE path = 'stories/a.md'",
        "UPDATE toolkit_source SET inode = inode + 1 WHERE path = 'stories/a.md'",
        "UPDATE toolkit_source SET size = size + 1 WHERE path = 'stories/a.md'",
        "UPDATE toolkit_source SET declared = 'other' WHERE path = 'stories/a.md'",
        "DELETE FROM toolkit_source WHERE path = 'stories/a.md'",
        "DROP TABLE toolkit_source",
    ],
)
def test_what_was_told_before_another_load_counts_for_nothing(desk: ToldDesk, statement: str) -> None:
    ahead = look(desk)
    assert f"{desk.folder}/stories" in told_at(desk, ahead)
    desk.scope.database.execute(statement)
    assert told_at(desk, ahead) == {}
    ahead.close()


def test_nothing_is_told_of_another_database(desk: ToldDesk) -> None:
    ahead = look(desk)
    assert told_at(desk, ahead, "elsewhere.db") == {}
    assert f"{desk.folder}/stories" in told_at(desk, ahead)
    ahead.close()


def test_nothing_is_told_of_a_folder_in_which_a_file_came_since(desk: ToldDesk) -> None:
    ahead = look(desk)
    ahead._find()
    desk.write("stories/d.md", "---\ntitle: d\nsection: news\n---\n")
    assert f"{desk.folder}/stories" not in told_at(desk, ahead)
    ahead.close()


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(EDITS)
def test_an_incremental_load_that_is_told_ends_where_a_clean_one_does(settled: None, edits: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as place:
        (folder := Path(place, "site")).mkdir()
        desk = ToldDesk(folder, make_scope(Path(place, "desk.db")))
        edit(desk, "sections", {"a": None, "b": "a"})
        edit(desk, "tags", "one", NAMES)
        for together in edits:
            for one in together:
                edit(desk, *one)
            clean = Desk(desk.folder, make_scope())
            assert outcome(desk, GIVEN) == outcome(clean, GIVEN)
            clean.scope.database.close()
        desk.scope.database.close()
