"""Deploys that end at any instant, one after the other, of one build and another: the last one makes all right.

``KILLS=200`` kills that many processes.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.deploy.run import Deployer
from toolkit.deploy.targets.folder import FolderTarget
from toolkit.errors import DeployError

from .conftest import tree

KILLS = int(os.environ.get("KILLS", "8"))
FOREIGN = {"theirs.txt": "theirs", "static/theirs.css": "theirs"}

Make = Callable[..., Deployer]


class Stop(BaseException):
    """The power is cut."""


class Fragile(FolderTarget):
    """A folder that stops for good after so many changes, and is looked at after each."""

    def __init__(self, folder: Path, lifetime: int, look: Callable[[], None]) -> None:
        super().__init__(folder, parallel=1)
        self.lifetime = lifetime
        self.look = look

    def change(self) -> None:
        self.look()
        self.lifetime -= 1
        if self.lifetime < 0:
            raise Stop

    def put(self, path: str, *args: Any, **options: Any) -> None:
        self.change()
        super().put(path, *args, **options)
        self.change()

    def remove(self, path: str) -> None:
        self.change()
        super().remove(path)
        self.change()

    def link_all(self, *args: Any) -> None:
        self.change()
        super().link_all(*args)
        self.change()

    def switch(self, release: str) -> None:
        self.change()
        super().switch(release)
        self.change()


def site_of(pages: dict[int, int]) -> dict[str, str]:
    """Pages by number, each with the version of the style that it needs."""
    files = {f"page-{number}.html": f"needs static/site.{style}.css" for number, style in pages.items()}
    files |= {f"static/site.{style}.css": f"style {style}" for style in pages.values()}
    return {**files, "feed.xml": " ".join(map(str, sorted(pages)))}


def check_whole(folder: Path) -> None:
    """Every page that readers can see has what it needs."""
    for page in folder.glob("*.html"):
        needed = re.findall(r"needs (\S+)", page.read_text("utf-8"))
        assert all((folder / name).is_file() for name in needed), f"{page.name} needs {needed}"


PAGES = st.dictionaries(st.integers(0, 4), st.integers(0, 3), max_size=5)
DEPLOYS = st.lists(st.tuples(PAGES, st.integers(0, 40)), min_size=1, max_size=4)


@settings(max_examples=60)
@given(deploys=DEPLOYS, last=PAGES, releases=st.sampled_from([0, 1, 3]))
def test_whatever_was_interrupted_the_last_deploy_equals_its_build(
    deployer: Make, tmp_path_factory: pytest.TempPathFactory, deploys: Any, last: dict[int, int], releases: int
) -> None:
    folder = tmp_path_factory.mktemp("target")
    for path, text in FOREIGN.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    seen = folder / "current" if releases else folder
    for pages, lifetime in deploys:
        made = deployer(folder, site_of(pages), declared={"releases": releases})
        made.target = Fragile(folder, lifetime, lambda: check_whole(seen))
        try:
            made.deploy()
        except Stop:
            (folder / ".toolkit-deploy/lock").unlink(missing_ok=True)  # as if it had expired
    deployer(folder, site_of(last), declared={"releases": releases}).deploy()
    check_whole(seen)
    if releases:
        found, wanted = tree(seen), site_of(last)
        assert {path: found.get(path) for path in wanted} == wanted
        assert all(path.startswith("static/") for path in found.keys() - wanted.keys()), "assets of the release before"
        assert len(list((folder / "releases").iterdir())) <= releases + 2
        assert {path: (folder / path).read_text() for path in FOREIGN} == FOREIGN
    else:
        assert tree(folder) == {**site_of(last), **FOREIGN}


def test_a_process_killed_at_any_instant_is_completed_by_the_next(deployer: Make, tmp_path: Path) -> None:
    """Real processes, really killed; what one holds of the lock is known to be void at once."""
    chance = random.Random(7)
    folder = tmp_path / "target"
    build = {f"static/{number}.css": "x" * 2000 for number in range(120)}
    build |= {f"p{number}/index.html": "y" * 2000 for number in range(120)}
    for kill in range(KILLS):
        files = {path: text + str(kill) for path, text in build.items() if chance.random() < 0.8}
        pid = os.fork()
        if pid == 0:
            try:
                made = deployer(folder, files, declared={"max_deletes": -1})
                made.deploy()
            finally:
                os._exit(0)
        time.sleep(chance.random() * 0.08)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    deployer(folder, build).deploy()
    assert tree(folder) == build
    assert {path.name for path in (folder / ".toolkit-deploy").iterdir()} <= {"manifest.json.gz", "unfinished"}


def test_files_that_were_on_their_way_are_cleared_away(deployer: Make, tmp_path: Path) -> None:
    left = tmp_path / ".toolkit-deploy/unfinished/1-2"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    deployer(tmp_path, {"a.html": "a"}).deploy()
    assert not left.exists()


def test_a_release_that_was_begun_is_gone_on_with(deployer: Make, tmp_path: Path) -> None:
    files = {f"p{number}.html": str(number) for number in range(9)}
    made = deployer(tmp_path, files, declared={"releases": 2})
    made.target = Fragile(tmp_path, 14, lambda: None)
    with pytest.raises(Stop):
        made.deploy()
    (tmp_path / ".toolkit-deploy/lock").unlink()
    (begun,) = (tmp_path / "releases").iterdir()
    arrived = {path.name: path.stat().st_ino for path in begun.iterdir()}
    assert 0 < len(arrived) < 9
    report = deployer(tmp_path, files, declared={"releases": 2}).deploy()
    assert report.release == begun.name
    kept = {path.name: path.stat().st_ino for path in begun.iterdir()}
    assert {name: kept[name] for name in arrived} == arrived


def test_a_deploy_that_failed_lets_its_lock_go(deployer: Make, tmp_path: Path) -> None:
    (tmp_path / "a.html").mkdir()
    (tmp_path / "a.html/theirs").write_text("theirs")
    for _ in range(2):
        with pytest.raises(DeployError, match=r"1 files at the target are not the toolkit's.*a\.html"):
            deployer(tmp_path, {"a.html": "a"}).deploy()
