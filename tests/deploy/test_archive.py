"""A build in one file: the same bytes for the same build."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.deploy.run import Deployer
from toolkit.errors import DeployError

from .test_run import FIRST, SECOND

Make = Callable[..., Deployer]


def contents(path: Path) -> dict[str, str]:
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as packed:
            return {name: packed.read(name).decode() for name in packed.namelist()}
    with tarfile.open(path) as packed:
        return {name: packed.extractfile(name).read().decode() for name in packed.getnames()}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["site.zip", "site.tar", "site.tar.gz", "site.tgz"])
def test_an_archive_holds_the_build_and_nothing_else(deployer: Make, tmp_path: Path, name: str) -> None:
    place = tmp_path / "out" / name
    for files in (SECOND, FIRST):
        deployer(place, files).deploy()
        assert contents(place) == files
    before = place.read_bytes()
    deployer(place, FIRST).deploy()
    assert place.read_bytes() == before
    assert [path.name for path in place.parent.iterdir()] == [name]


def test_an_archive_that_fails_leaves_the_last_one(deployer: Make, tmp_path: Path) -> None:
    place = tmp_path / "site.zip"
    deployer(place, FIRST).deploy()
    made = deployer(place, SECOND)
    made.target.put = lambda *args, **options: (_ for _ in ()).throw(OSError("disk full"))  # type: ignore[method-assign]
    with pytest.raises(DeployError, match=r"could not be put to .*site\.zip: disk full"):
        made.deploy()
    assert contents(place) == FIRST


@pytest.mark.parametrize("name", ["site.zip", "site.tar.gz"])
def test_a_full_disk_is_told_and_nothing_half_written_stays(deployer: Make, tmp_path: Path, name: str) -> None:
    made = deployer(tmp_path / name, FIRST)
    (tmp_path / f".{name}.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(DeployError, match="No space left on device"):
        made.deploy()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(deployer: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeployError, match=r"site.zip cannot be written"):
        deployer(tmp_path / "file/site.zip", FIRST).deploy()
