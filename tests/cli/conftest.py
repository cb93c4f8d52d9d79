"""The command, run in this process and in one of its own, on a starter site."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from toolkit.builder.rehearsing import FOLDER
from toolkit.cli.main import cli
from toolkit.testing import forget_modules

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``toolkit new`` makes, once, and what a build compiles of it: that was a third of what builds took."""
    folder = tmp_path_factory.mktemp("starter") / "bay-press"
    built = tmp_path_factory.mktemp("built") / "bay-press"
    for command in (["new", str(folder)], ["new", str(built)], ["build", "--site", str(built)]):
        result = CliRunner().invoke(cli, command)
        assert result.exit_code == 0, result.output
    forget_modules(built)
    for name in ("templates", FOLDER):
        shutil.copytree(built / ".toolkit" / name, folder / ".toolkit" / name)
    return folder


@pytest.fixture
def folder(starter: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it to work on; its modules are unloaded afterwards."""
    place = tmp_path / "bay-press"
    shutil.copytree(starter, place)
    yield place
    forget_modules(place)


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("build", "--json")`` in the site's folder; the site is imported anew each time."""
    monkeypatch.chdir(folder)

    def call(*args: str, status: int = 0, stdin: str | None = None) -> Result:
        forget_modules(folder)
        result = CliRunner().invoke(cli, list(args), input=stdin)
        assert result.exit_code == status, f"{args}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        return result

    return call


def in_process(folder: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a shell or CI would run it."""
    return subprocess.run(
        [sys.executable, "-m", "toolkit", *args],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
