"""A deploy to a folder: only what changed, in order, and nothing of anybody else's."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toolkit.deploy.run import Deployer
from toolkit.deploy.state import read_state
from toolkit.deploy.targets.folder import FolderTarget
from toolkit.errors import DeployError

from .conftest import tree

FIRST = {"index.html": "home", "town/index.html": "town", "static/site.1.css": "css", "feed.xml": "feed"}
SECOND = {"index.html": "home 2", "sport/index.html": "sport", "static/site.2.css": "css 2", "feed.xml": "feed"}

Make = Callable[..., Deployer]


class Recording(FolderTarget):
    """A folder that tells what is done to it, in order."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, parallel=1)
        self.done: list[str] = []
        self.failures: dict[str, int] = {}

    def put(self, path: str, *args: Any, **options: Any) -> None:
        if self.failures.get(path, 0) > 0:
            self.failures[path] -= 1
            raise ConnectionResetError(f"{path}: the other side hung up")
        super().put(path, *args, **options)
        self.note(f"put {path}")

    def remove(self, path: str) -> None:
        super().remove(path)
        self.note(f"remove {path}")

    def note(self, line: str) -> None:
        if ".toolkit-deploy" not in line:
            self.done.append(line)


def recorded(make: Make, folder: Path, files: dict[str, str], **options: Any) -> tuple[Deployer, Recording]:
    made = make(folder, files, **options)
    target = Recording(folder)
    target.retries = made.target.retries
    made.target = target
    return made, target


def test_a_first_deploy_puts_everything(deployer: Make, tmp_path: Path) -> None:
    report = deployer(tmp_path, FIRST).deploy()
    assert tree(tmp_path) == FIRST
    assert report.summary().startswith(f"{tmp_path}: 4 files put (15 bytes), 0 deleted, 0 unchanged")


def test_assets_go_first_then_pages_then_feeds_and_deletions_last(deployer: Make, tmp_path: Path) -> None:
    deployer(tmp_path, FIRST).deploy()
    made, target = recorded(deployer, tmp_path, SECOND)
    made.deploy()
    assert target.done == [
        "put static/site.2.css",
        "put index.html",
        "put sport/index.html",
        "remove town/index.html",
        "remove static/site.1.css",
    ]
    assert tree(tmp_path) == SECOND
    assert not (tmp_path / "town").exists(), "no empty folder is left"


def test_a_second_deploy_of_one_build_does_nothing(deployer: Make, tmp_path: Path) -> None:
    deployer(tmp_path, FIRST).deploy()
    made, target = recorded(deployer, tmp_path, FIRST)
    assert made.deploy().summary() == f"{tmp_path}: nothing to do, 4 files are as built"
    assert target.done == []


def test_a_plan_says_what_would_be_done_and_does_nothing(deployer: Make, tmp_path: Path) -> None:
    deployer(tmp_path, FIRST).deploy()
    plan = deployer(tmp_path, SECOND).plan()
    assert {file.path: plan.reasons[file.path] for file in plan.uploads} == {
        "static/site.2.css": "new",
        "index.html": "changed",
        "sport/index.html": "new",
    }
    assert plan.deletions == ["town/index.html", "static/site.1.css"]
    assert plan.unchanged == ["feed.xml"]
    assert tree(tmp_path) == FIRST


def test_a_plan_for_a_folder_that_is_not_there_makes_none(deployer: Make, tmp_path: Path) -> None:
    assert len(deployer(tmp_path / "new", FIRST).plan().uploads) == 4
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("agreed", "told"),
    [
        (1, "at most 1 may be"),
        ("25%", "at most 25% of 4, which is 1 may be"),
        ("0%", "at most 0% of 4, which is 0 may be"),
    ],
)
def test_no_more_is_deleted_than_was_agreed(deployer: Make, tmp_path: Path, agreed: Any, told: str) -> None:
    deployer(tmp_path, FIRST).deploy()
    made = deployer(tmp_path, SECOND, max_deletes=agreed)
    with pytest.raises(DeployError, match=f"2 files would be deleted, and {told}.*town/index.html.*nothing was chan"):
        made.deploy()
    assert tree(tmp_path) == FIRST
    for enough in (2, "50%", -1):
        assert deployer(tmp_path, SECOND, max_deletes=enough).plan().check_deletions(enough) is None


def test_files_of_others_are_left_alone(deployer: Make, tmp_path: Path) -> None:
    (tmp_path / "town").mkdir()
    (tmp_path / "town/theirs.txt").write_text("theirs")
    for files in (FIRST, SECOND):
        deployer(tmp_path, files).deploy()
        assert tree(tmp_path) == {**files, "town/theirs.txt": "theirs"}


def test_a_file_of_others_in_our_place_is_refused_unless_it_is_adopted(deployer: Make, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("theirs")
    with pytest.raises(DeployError, match=r"1 files at the target are not the toolkit's.*: index.html; nothing was ch"):
        deployer(tmp_path, FIRST).deploy()
    assert tree(tmp_path) == {"index.html": "theirs"}
    deployer(tmp_path, FIRST, adopt=True).deploy()
    assert tree(tmp_path) == FIRST


def test_what_is_there_already_is_not_sent_again(deployer: Make, tmp_path: Path) -> None:
    """As after years of rsync: the first deploy finds the same files, and takes them for its own."""
    (tmp_path / "index.html").write_text("home")
    made, target = recorded(deployer, tmp_path, {"index.html": "home", "a.html": "a"})
    made.deploy()
    assert target.done == ["put a.html"]
    deployer(tmp_path, {"a.html": "a"}).deploy()
    assert tree(tmp_path) == {"a.html": "a"}


def test_a_page_may_take_the_place_of_a_folder_and_the_other_way_round(deployer: Make, tmp_path: Path) -> None:
    deployer(tmp_path, {"a/index.html": "folder", "b": "file"}).deploy()
    deployer(tmp_path, {"a": "file", "b/c.html": "folder"}).deploy()
    assert tree(tmp_path) == {"a": "file", "b/c.html": "folder"}


def test_what_fails_is_tried_again(deployer: Make, tmp_path: Path) -> None:
    made, target = recorded(deployer, tmp_path, FIRST)
    target.failures = {"index.html": 2}
    assert made.deploy().retries == 2
    assert tree(tmp_path) == FIRST


def test_what_fails_for_good_ends_the_deploy_and_the_next_one_goes_on(deployer: Make, tmp_path: Path) -> None:
    made, target = recorded(deployer, tmp_path, FIRST)
    target.failures = {"town/index.html": 99}
    with pytest.raises(DeployError, match=r"town/index.html could not be put.*hung up.*it goes on from there"):
        made.deploy()
    assert "feed.xml" not in tree(tmp_path), "nothing leads to a page that is not there"
    made, target = recorded(deployer, tmp_path, FIRST)
    made.deploy()
    assert target.done == ["put town/index.html", "put feed.xml"], "what arrived is not sent again"
    assert tree(tmp_path) == FIRST


def test_full_mends_what_others_did_to_our_files(deployer: Make, tmp_path: Path) -> None:
    deployer(tmp_path, FIRST).deploy()
    (tmp_path / "index.html").write_text("defaced")
    (tmp_path / "feed.xml").unlink()
    assert deployer(tmp_path, FIRST).plan().is_empty, "the manifest is believed"
    made, target = recorded(deployer, tmp_path, FIRST, full=True)
    made.deploy()
    assert target.done == ["put index.html", "put feed.xml"]
    assert tree(tmp_path) == FIRST


def test_a_damaged_manifest_is_told_and_full_does_without(deployer: Make, tmp_path: Path) -> None:
    deployer(tmp_path, FIRST).deploy()
    (tmp_path / ".toolkit-deploy/manifest.json.gz").write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(DeployError, match=r"manifest.json.gz at .* is damaged.*Deploy with --full"):
        deployer(tmp_path, FIRST).plan()
    deployer(tmp_path, FIRST, full=True).deploy()
    assert read_state(FolderTarget(tmp_path)).complete


def test_a_file_that_changed_since_the_build_is_not_sent(deployer: Make, tmp_path: Path) -> None:
    made = deployer(tmp_path / "target", {"index.html": "home"})
    build = made.given
    assert build is not None
    source = tmp_path / "index.html"
    source.write_text("HOME")
    build.files["index.html"] = replace(build.files["index.html"], source=source)
    with pytest.raises(DeployError, match=r"index.html changed since it was built. Build again, then deploy"):
        made.deploy()
    assert tree(tmp_path / "target") == {}


def test_no_symbolic_link_of_others_is_followed_out_of_the_target(deployer: Make, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "target/town").symlink_to(tmp_path / "outside")
    with pytest.raises(DeployError, match="town is or lies behind a symbolic link that leads out of the target"):
        deployer(tmp_path / "target", FIRST).deploy()
    assert list((tmp_path / "outside").iterdir()) == []


def test_nothing_is_deleted_behind_a_symbolic_link_of_others(tmp_path: Path) -> None:
    for folder in ("target", "outside"):
        (tmp_path / folder).mkdir()
    (tmp_path / "outside/index.html").write_text("theirs")
    (tmp_path / "target/town").symlink_to(tmp_path / "outside")
    target = FolderTarget(tmp_path / "target")
    for remove, path in ((target.remove, "town/index.html"), (target.remove_tree, "town/x")):
        with pytest.raises(DeployError, match="town is or lies behind a symbolic link that leads out of the target"):
            remove(path)
    assert (tmp_path / "outside/index.html").read_text() == "theirs"


def test_who_deploys_urls_of_this_machine_is_told(deployer: Make, site: Any, tmp_path: Path) -> None:
    assert site.settings.peek("base_url") == "http://localhost:8000"
    (told,) = deployer(tmp_path / "target", FIRST).deploy().notices
    assert told.startswith("base_url is http://localhost:8000, so feeds, sitemaps and canonical URLs lead there")


def test_a_target_at_another_path_than_its_pages_expect_is_told(
    deployer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deployer(tmp_path / "target", FIRST, declared={"url": "https://ana.example/courier/"})
    monkeypatch.setitem(made.site.settings.__dict__["_values"], "base_url", "https://ana.example")
    (told,) = made.deploy().notices
    assert told == (
        "the target's url is https://ana.example/courier/, and pages link to each other below /, as base_url says"
    )


def test_a_full_disk_is_told_at_once(deployer: Make, tmp_path: Path) -> None:
    made, target = recorded(deployer, tmp_path, FIRST)

    def put(path: str, *args: Any, **options: Any) -> None:
        if path == "index.html":
            raise OSError(errno.ENOSPC, "No space left on device")
        FolderTarget.put(target, path, *args, **options)

    target.put = put  # type: ignore[method-assign]
    with pytest.raises(DeployError, match=r"index.html could not be put to .*No space left on device"):
        made.deploy()
    assert target.retries.count == 0
