"""Deploys to a branch of a real repository."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.deploy.run import Deployer
from toolkit.errors import DeployError, TargetLocked

from .test_run import FIRST, SECOND

Make = Callable[..., Deployer]


def git(folder: Path, *args: str) -> str:
    name = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")
    return subprocess.run(["git", *name, *args], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A bare repository whose main branch has something else."""
    bare, work = tmp_path / "site.git", tmp_path / "work"
    bare.mkdir()
    work.mkdir()
    git(bare, "init", "--quiet", "--bare", "--initial-branch=main")
    git(work, "init", "--quiet", "--initial-branch=main")
    (work / "README").write_text("theirs")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "begin")
    git(work, "push", "--quiet", str(bare), "main")
    return bare


@pytest.fixture
def make(repository: Path, deployer: Make) -> Make:
    def made(files: dict[str, str], **options: Any) -> Deployer:
        return deployer(repository, files, declared={"host": "github-pages", "cname": "news.example"}, **options)

    return made


def branch(repository: Path, name: str = "gh-pages") -> dict[str, str]:
    names = git(repository, "ls-tree", "-r", "--name-only", "-z", name).split("\0")
    return {
        path: git(repository, "show", f"{name}:{path}")
        for path in names
        if path and not path.startswith(".toolkit-deploy/")
    }


MARKS = {".nojekyll": "", "CNAME": "news.example\n"}


def test_each_deploy_is_one_commit_on_the_branch(make: Make, repository: Path) -> None:
    for files in (FIRST, SECOND):
        make(files).deploy()
        assert branch(repository) == {**files, **MARKS}
    subjects = git(repository, "log", "--format=%s", "gh-pages").splitlines()
    assert subjects == ["Publish the build of 2026-03-01T12:00:00+00:00"] * 2
    make(SECOND).deploy()
    assert len(git(repository, "log", "--format=%s", "gh-pages").splitlines()) == 2, "nothing changed, no commit"
    assert branch(repository, "main") == {"README": "theirs"}


def test_files_of_others_on_the_branch_stay(make: Make, repository: Path, tmp_path: Path) -> None:
    make(FIRST).deploy()
    work = tmp_path / "theirs"
    git(tmp_path, "clone", "--quiet", "--branch", "gh-pages", str(repository), str(work))
    (work / "theirs.txt").write_text("theirs")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "theirs")
    git(work, "push", "--quiet")
    make(SECOND).deploy()
    assert branch(repository) == {**SECOND, **MARKS, "theirs.txt": "theirs"}
    with pytest.raises(DeployError, match=r"not the toolkit's.*: theirs\.txt"):
        make({"theirs.txt": "ours"}).deploy()


def test_who_pushes_in_between_is_not_written_over(make: Make, repository: Path, tmp_path: Path) -> None:
    make(FIRST).deploy()
    made = make(SECOND)
    original = made.target.commit

    def commit(message: str) -> None:
        make({"index.html": "another"}).deploy()
        original(message)

    made.target.commit = commit  # type: ignore[method-assign]
    with pytest.raises(TargetLocked, match=r"somebody pushed to .*site.git#gh-pages while this deploy was made"):
        made.deploy()
    assert branch(repository) == {"index.html": "another", **MARKS}


def test_names_are_quoted(make: Make, repository: Path) -> None:
    odd = {'a "b"\\c.html': "1", "caf\u00e9 x.html": "2"}
    make(odd).deploy()
    assert branch(repository) == {**odd, **MARKS}


def test_a_repository_that_is_not_there_is_told(deployer: Make, tmp_path: Path) -> None:
    with pytest.raises(
        DeployError, match=r"none\.git cannot be reached: fatal: .*none\.git.*[^.]\. Try: git ls-remote"
    ):
        deployer(tmp_path / "none.git", FIRST, declared={"tries": 1}).deploy()
