"""Shards: built apart and merged, they are the build of one machine."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builder.conftest import NOON
from tests.builder.test_executors import meaning
from toolkit.builder.reader import ManifestReader, manifest_path
from toolkit.builder.selections import Shard
from toolkit.builder.shards import MergeReport, merge
from toolkit.errors import BuildError, Problems
from toolkit.pages.routes import Page


def shards(press: Any, count: int, **options: Any) -> list[Path]:
    """The outputs of all shards, each built by a process of its own."""
    folders = [press.out.with_name(f"part{number}") for number in range(1, count + 1)]
    for number, folder in enumerate(folders, 1):
        press.build(folder, part=Shard(number, count), **options)
    return folders


@pytest.mark.parametrize("count", [1, 3])
def test_merged_shards_are_the_build_of_one_machine(press: Any, tree_of: Any, count: int) -> None:
    press.take_built()
    folders = shards(press, count)
    merged = press.out.with_name("merged")
    merge(folders, merged)
    assert tree_of(merged) == tree_of(press.out)
    one, other = (meaning(folder.with_name(f"{folder.name}.manifest.db")) for folder in (press.out, merged))
    assert (one["units"], one["files"]) == (other["units"], other["files"])
    # what rows a page read may be noted coarser or finer: it depends on which pages were rendered together
    assert {key: page[:-1] for key, page in one["pages"].items()} == {
        key: page[:-1] for key, page in other["pages"].items()
    }
    assert press.build(merged).events == []
    told = [references_of(folder) for folder in (press.out, merged)]
    assert told[0] == told[1] != {}


def references_of(output: Path) -> Any:
    """Which assets need others, as a manifest tells it."""
    with closing(ManifestReader(manifest_path(output))) as manifest:
        return manifest.references()


def test_the_next_build_goes_on_from_merged_shards(press: Any, tree_of: Any) -> None:
    merge(shards(press, 2), press.out)
    press.sql("UPDATE press_story SET slug = 'moved' WHERE id = 2")
    report = press.same()
    assert 0 < report.rendered < report.pages
    assert "/sport/moved/" in press.read("sport/story-1/index.html")


def test_shards_are_incremental_and_so_is_their_merge(press: Any, tree_of: Any) -> None:
    merge(shards(press, 3), press.out)
    press.sql("UPDATE press_story SET slug = 'moved', status = 'live' WHERE id = 2")
    press.sql("UPDATE press_story SET status = 'draft' WHERE id = 3")
    folders = [press.out.with_name(f"part{number}") for number in (1, 2, 3)]
    reports = [press.build(folder, part=Shard(number, 3)) for number, folder in enumerate(folders, 1)]
    assert all(report.rendered < report.pages for report in reports)
    report = merge(list(reversed(folders)), press.out)
    assert 0 < report.written < report.pages
    assert report.removed > 0
    assert tree_of(press.out) == press.clean()
    assert merge(folders, press.out) == MergeReport(str(press.out), report.pages, 0, 0)


def test_shards_of_a_site_that_asks_a_program_at_import_are_merged(press: Any, tree_of: Any) -> None:
    """Each asked anew, and nobody can say whether it was told the same."""
    models = (press.folder / "press/models.py").read_text("utf-8")
    press.write("press/models.py", f"{models}\nimport subprocess\nsubprocess.run(['true'])\n")
    merge(shards(press, 2), press.out)
    assert tree_of(press.out) == press.clean()


def test_old_urls_lead_on_after_a_merge(press: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET slug = 'moved' WHERE id = 2")
    merge(shards(press, 2), press.out)
    assert "/sport/moved/" in press.read("sport/story-1/index.html")
    assert (press.out / "s/moved/index.html").exists()


@given(
    st.integers(1, 7),
    st.lists(st.tuples(st.text(max_size=5), st.integers(-(2**63), 2**63 - 1)), max_size=20, unique=True),
)
def test_every_page_is_in_exactly_one_shard(count: int, names: list[tuple[str, int]]) -> None:
    pages = [Page(name, key, "en", 1, "/") for name, key in names]
    for page in pages:
        assert [Shard(number, count).has(page) for number in range(1, count + 1)].count(True) == 1


def test_shards_have_about_as_much_to_do() -> None:
    pages = [Page("press:story", key, "en", 1, "/") for key in range(5000)]
    sizes = Counter(number for page in pages for number in range(1, 6) if Shard(number, 5).has(page))
    assert max(sizes.values()) < 1.1 * min(sizes.values())


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(BuildError, match=f"{re.escape(repr(text))} is no shard"):
        Shard.parse(text)


def test_a_shard_does_not_prune_a_whole_build_nor_another_shard(press: Any) -> None:
    press.take_built()
    with pytest.raises(BuildError, match="holds a build of the whole site"):
        press.build(part=Shard(1, 2))
    with pytest.raises(BuildError, match="holds a build of the whole site"):
        press.build(part=Shard(1, 2), clean=True)
    part = press.out.with_name("part")
    press.build(part, part=Shard(1, 2))
    with pytest.raises(BuildError, match="holds the shard 1/2"):
        press.build(part, part=Shard(2, 2))
    assert press.build(part).rendered > 0  # all of it, where a shard was
    assert press.build(part).rendered == 0


# what does not fit together


@pytest.fixture(scope="module")
def made(planted: Path, make_press: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A press with three shards."""
    folder = tmp_path_factory.mktemp("made") / "site"
    shutil.copytree(planted, folder)
    press = make_press(folder)
    shards(press, 3)
    return press


@pytest.fixture
def parts(made: Any, tmp_path: Path) -> list[Path]:
    """The three, to spoil."""
    for path in made.out.parent.glob("part*"):
        shutil.copytree(path, tmp_path / path.name) if path.is_dir() else shutil.copyfile(path, tmp_path / path.name)
    return [tmp_path / f"part{number}" for number in (1, 2, 3)]


def refused(parts: list[Path], told: str) -> None:
    output = parts[0].with_name("merged")
    with pytest.raises((BuildError, Problems)) as caught:
        merge(parts, output)
    assert re.search(told, str(caught.value)), str(caught.value)
    assert not output.exists()


def test_a_missing_shard_is_named(parts: list[Path]) -> None:
    refused(parts[:1], "missing: 2/3, 3/3")


def test_a_doubled_shard_is_named(parts: list[Path]) -> None:
    refused([*parts, parts[1].rename(parts[1].with_name("copy"))], "copy is no shard|part2 is no shard")


def test_the_same_shard_twice_is_named(parts: list[Path]) -> None:
    copy = parts[0].with_name("copy")
    shutil.copytree(parts[0], copy)
    shutil.copyfile(parts[0].with_name("part1.manifest.db"), copy.with_name("copy.manifest.db"))
    refused([*parts, copy], "part1 and .*copy are both the shard 1/3")


def test_a_shard_of_another_count_is_named(made: Any, parts: list[Path]) -> None:
    other = made.out.with_name("half")
    made.build(other, part=Shard(2, 2))
    refused([*parts, other], "part1 is the shard 1/3, and .*half the shard 2/2")


def test_a_whole_build_and_a_folder_of_somebody_are_no_shards(made: Any, parts: list[Path]) -> None:
    made.build()
    parts[0].with_name("photos").mkdir()
    refused([*parts, made.out], "out is no shard: it was built without --shard")
    refused([*parts, parts[0].with_name("photos")], "photos is no shard: it needs its manifest")


def test_files_that_were_changed_or_removed_are_named(parts: list[Path]) -> None:
    page = next(parts[1].rglob("index.html"))
    page.write_text("somebody else's")
    refused(parts, "index.html was changed or removed since its shard was built")
    page.unlink()
    refused(parts, "index.html was changed or removed since its shard was built")


@pytest.mark.parametrize("spoil", [b"", b"no database", bytes(40_000)])
def test_a_spoilt_manifest_is_named_and_left_where_it_is(parts: list[Path], spoil: bytes) -> None:
    path = parts[2].with_name("part3.manifest.db")
    path.write_bytes(spoil)
    refused(parts, "part3")
    assert path.read_bytes() == spoil


@pytest.fixture
def other(made: Any, tmp_path: Path, make_press: Callable[[Path], Any]) -> Any:
    """A copy of the press, on another machine as it were, where the third shard is built of something else."""
    shutil.copytree(made.folder, tmp_path / "other" / "site")
    return make_press(tmp_path / "other" / "site")


def rebuilt(other: Any, parts: list[Path], **options: Any) -> list[Path]:
    """Two of the shards, and the third built there."""
    other.build(part=Shard(3, 3), **options)
    return [*parts[:2], other.out]


def test_shards_of_several_machines_fit_together(press: Any, other: Any, parts: list[Path], tree_of: Any) -> None:
    merged = parts[0].with_name("merged")
    merge(rebuilt(other, parts), merged)
    assert tree_of(merged) == press.clean()


def test_shards_of_other_moments_are_refused(other: Any, parts: list[Path]) -> None:
    told = "other moments, 2026-03-01 12.* and .*13:.*--at"
    refused(rebuilt(other, parts, moment=NOON + timedelta(hours=1)), told)


def test_shards_of_other_rows_are_refused(other: Any, parts: list[Path]) -> None:
    other.sql("UPDATE press_story SET title = title || '!', slug = 's-' || slug WHERE id = 2")
    refused(rebuilt(other, parts), "(?s)other rows, in press_story.*other pages of press:story in en")


def test_shards_of_other_code_are_refused(other: Any, parts: list[Path]) -> None:
    other.write("press/pages.py", (other.folder / "press/pages.py").read_text() + "# edited\n")
    refused(rebuilt(other, parts), "other code: app press/pages.py")


def test_shards_of_another_template_are_refused(other: Any, parts: list[Path]) -> None:
    other.write("templates/base.html", (other.folder / "templates/base.html").read_text() + "<!-- edited -->")
    refused(rebuilt(other, parts), "shards read it differently: template base.html")


def test_shards_of_another_setting_are_refused(other: Any, parts: list[Path]) -> None:
    refused(rebuilt(other, parts, settings={"title": "Another"}), "shards read it differently: setting title")
