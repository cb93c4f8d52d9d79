"""Files that another process looks at while the toolkit is imported."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from toolkit.ahead import MANY_ENTRIES, WORTH_IT, Ahead, _begin_output, _read_output, begin, look_ahead
from toolkit.content.files import list_files
from toolkit.folders import FILE_NAME, STATE_FOLDER
from toolkit.seals import FORMAT, Seal, Tree, files_digest, keep_seal, seal_path, survey
from toolkit.site.code import toolkit_sources
from toolkit.stamps import Stamp, stamp_of

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="only where a process can be asked ahead")


@dataclass
class Place:
    """A site's folder with many posts, and an output with many files."""

    folder: Path
    seal: Seal

    def look(self) -> Ahead:
        ahead = look_ahead(self.seal)
        assert ahead is not None
        return ahead

    @property
    def posts(self) -> Path:
        return self.folder / "content"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("ahead")
    names = tuple(f"{number}.html" for number in range(WORTH_IT))
    for place, files in {"build": names, "content": [f"{n}.md" for n in range(MANY_ENTRIES)], "few": ["a.md"]}.items():
        (folder / place).mkdir()
        for name in files:
            (folder / place / name).write_text(name)
    now = datetime.now(UTC)
    seal = Seal(
        format=FORMAT,
        process=b"",
        sources=(Tree(str(folder), shallow=True), Tree(f"{folder}/content"), Tree(f"{folder}/few")),
        sources_digest=b"",
        output=f"{folder}/build",
        files=(*names, "missing.html"),
        files_digest=b"",
        manifest=("", Stamp(0, 0, 0, 0)),
        database="",
        tokens=b"",
        folder=str(folder),
        records="SELECT 1 WHERE 0",
        summary="SELECT 1",
        since=now,
        until=now,
        told={},
        counts="",
    )
    return Place(folder, seal)


@pytest.fixture
def place(made: Place) -> Iterator[Place]:
    before = set(made.posts.iterdir())
    age(made.posts)
    yield made
    for path in set(made.posts.iterdir()) - before:
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def age(folder: Path) -> None:
    """Make a folder one in which nothing came or went for long."""
    os.utime(folder, (LONG_AGO, LONG_AGO))


def test_what_it_saw_is_what_a_stat_says(place: Place) -> None:
    ahead = place.look()
    seen = ahead.files(place.seal.output)
    status = (place.folder / "build" / "7.html").stat()
    assert seen["7.html"] == (status.st_size, status.st_ctime_ns)
    assert len(seen) == WORTH_IT
    found = ahead.folder(f"{place.folder}/content/")
    assert found is not None
    assert dict(found[1])["7.md"] == stamp_of((place.posts / "7.md").stat())


def test_a_listing_is_the_same_with_it_and_without(place: Place) -> None:
    (place.posts / ".hidden.md").write_text("x")
    (place.posts / "below").mkdir()
    age(place.posts)
    assert place.look().folder(str(place.posts)) is not None
    with_it, without = (list_files(place.folder, "content/*.md", one) for one in (place.look(), None))
    assert with_it.stamps == without.stamps
    assert list(with_it.stamps) == sorted(without.stamps)
    assert with_it.now < without.now


def sealed(place: Place) -> Ahead:
    """One that looks for a seal of the files as they are."""
    names = place.seal.files[:-1]
    digest, sources = files_digest(place.seal.output, names), survey(place.seal.sources)[0]
    ahead = look_ahead(structs.replace(place.seal, files=names, files_digest=digest, sources_digest=sources))
    assert ahead is not None
    return ahead


def test_a_seal_holds_while_all_files_are_as_they_were(place: Place) -> None:
    ahead = sealed(place)
    assert ahead.holds()
    ahead.close()


@pytest.mark.parametrize("name", ["build/7.html", "content/7.md"])
def test_a_seal_breaks_when_a_file_changes_or_is_gone(place: Place, name: str) -> None:
    path = place.folder / name
    kept = path.read_text()
    before = sealed(place)
    seal = before._seal
    before.close()
    held = []
    for change in (lambda: path.write_text("changed"), path.unlink):
        change()
        ahead = look_ahead(seal)
        assert ahead is not None
        held.append(ahead.holds())
        ahead.close()
    path.write_text(kept)
    assert held == [False, False]


def test_a_missing_file_of_the_output_is_not_told_of(place: Place) -> None:
    assert "missing.html" in place.seal.files
    assert "missing.html" not in place.look().files(place.seal.output)


def test_the_toolkits_own_sources_are_read_where_the_seal_does_not_hold(place: Place) -> None:
    ahead = place.look()
    assert ahead.toolkit_sources() == toolkit_sources()
    kept = sealed(place)
    assert kept.toolkit_sources() == []


def test_an_output_stands_whose_files_are_all_as_they_were(place: Place) -> None:
    ahead = sealed(place)
    assert ahead.stands(place.seal.output)
    assert ahead.files(place.seal.output) == {}  # and nobody need be told of each


def test_an_output_does_not_stand_of_which_a_file_changed(place: Place) -> None:
    before = sealed(place)
    seal = before._seal
    before.close()
    path = place.folder / "build" / "7.html"
    kept = path.read_text()
    path.write_text("other")
    ahead = look_ahead(seal)
    assert ahead is not None
    assert not ahead.stands(place.seal.output)
    assert ahead.files(place.seal.output)["7.html"][0] == len("other")
    path.write_text(kept)


def test_nothing_is_said_of_another_output(place: Place) -> None:
    ahead = sealed(place)
    assert not ahead.stands(f"{place.folder}/elsewhere")
    ahead.close()


def test_the_output_is_looked_at_again_if_the_process_that_did_came_to_harm(place: Place) -> None:
    ahead = sealed(place)
    ahead.close()
    answer, write = os.pipe()
    os.close(write)
    process = os.fork()
    if not process:
        os._exit(0)
    assert _read_output(ahead._seal, process, answer) == (True, ())


def test_the_output_is_looked_at_though_no_further_process_is_to_be_had(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = sealed(place)
    ahead.close()

    def refuse() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    assert _begin_output(ahead._seal)() == (True, ())


def knowing(place: Place, manifest: Path) -> Ahead:
    """One whose seal has a manifest as it is."""
    stamp = stamp_of(manifest.stat())
    ahead = look_ahead(structs.replace(place.seal, manifest=(str(manifest), stamp)))
    assert ahead is not None
    return ahead


def test_it_knows_a_manifest_that_is_as_the_seal_has_it(place: Place, tmp_path: Path) -> None:
    manifest = tmp_path / "build.manifest.db"
    manifest.write_text("whole")
    ahead = knowing(place, manifest)
    assert ahead.knows(str(manifest))
    assert not ahead.knows(str(tmp_path / "other.manifest.db"))
    manifest.write_text("wrote")
    assert not ahead.knows(str(manifest))
    ahead.close()


@pytest.mark.parametrize("end", ["-wal", "-journal"])
def test_it_does_not_know_a_manifest_that_a_build_was_writing_when_it_was_killed(
    place: Place, tmp_path: Path, end: str
) -> None:
    manifest = tmp_path / "build.manifest.db"
    manifest.write_text("whole")
    ahead = knowing(place, manifest)
    manifest.with_name(manifest.name + end).write_text("more")
    assert not ahead.knows(str(manifest))
    ahead.close()


def test_something_is_done_until_the_process_has_an_answer(place: Place) -> None:
    ahead = sealed(place)
    assert ahead.holds(itertools.count())
    ahead.close()


def test_the_files_are_looked_at_here_if_the_process_came_to_harm(place: Place) -> None:
    ahead = sealed(place)
    os.kill(ahead._process, 9)
    assert ahead.holds()
    ahead.close()


def test_it_ends_well_where_the_end_of_children_is_ignored(place: Place) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as some of those that begin commands leave it
    try:
        ahead = sealed(place)
        assert ahead.holds()
        while Path(f"/proc/{ahead._process}").exists():
            os.sched_yield()
            ahead._said.read(1 << 20)
        ahead.close()
        sealed(place).close()
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_other_folders_and_small_ones_are_left_to_who_asks(place: Place) -> None:
    ahead = place.look()
    assert ahead.files("/elsewhere") == {}
    assert ahead.folder("/elsewhere") is None
    assert ahead.folder(f"{place.folder}/few") is None
    assert ahead.folder(str(place.folder)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "new.md").write_text("new"),
        lambda folder: (folder / "link.md").symlink_to("0.md"),
        lambda folder: (folder / "0.md").rename(folder / "0.md-"),
    ],
)
def test_a_folder_in_which_files_came_or_went_is_looked_at_again(
    place: Place, change: Callable[[Path], object]
) -> None:
    ahead = place.look()
    change(place.posts)
    try:
        assert ahead.folder(str(place.posts)) is None
    finally:
        if (place.posts / "0.md-").exists():
            (place.posts / "0.md-").rename(place.posts / "0.md")


def test_a_folder_that_just_changed_proves_nothing(place: Place) -> None:
    os.utime(place.posts)
    assert place.look().folder(str(place.posts)) is None


def test_a_folder_with_a_link_in_it_is_left_to_who_asks(place: Place) -> None:
    (place.posts / "link.md").symlink_to("nowhere")
    age(place.posts)
    assert place.look().folder(str(place.posts)) is None


def test_a_process_that_is_ended_has_seen_nothing(place: Place) -> None:
    ahead = place.look()
    os.kill(ahead._process, 9)
    assert ahead.files(place.seal.output) in ({}, place.look().files(place.seal.output))


def test_few_files_are_not_worth_a_process(place: Place) -> None:
    few = structs.replace(place.seal, files=())
    assert look_ahead(few) is None


@pytest.fixture
def site(tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site's folder with a seal, in which a command runs."""
    (tmp_path / FILE_NAME).write_text("")
    (tmp_path / "content").mkdir()
    keep_seal(seal_path(tmp_path / STATE_FOLDER, ""), place.seal)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [[], ["--json"], ["-v", "content"], ["--site", "."], [".", "--verbose"], ["--site", "content", "--json"]],
)
def test_a_plain_build_is_begun_before_its_command_is_imported(site: Path, arguments: list[str]) -> None:
    begun = begin(["build", *arguments])
    assert begun is not None
    assert begun.place == seal_path(site / STATE_FOLDER, "")
    assert begun.seal is not None
    assert begun.ahead is not None
    begun.close()
    begun.close()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check"],
        ["build", "--clean"],
        ["build", "--output", "x"],
        ["build", "--site"],
        ["build", "--site", "/nowhere"],
    ],
)
def test_any_other_command_is_understood_first(site: Path, arguments: list[str]) -> None:
    assert begin(arguments) is None


def test_a_build_without_a_seal_looks_for_itself(site: Path) -> None:
    shutil.rmtree(site / STATE_FOLDER)
    begun = begin(["build"])
    assert begun is not None
    assert begun.seal is begun.ahead is None
