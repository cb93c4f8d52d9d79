"""The how-to pages, each followed in a copy of the site that the tutorial ends with.

The tutorial's first chapter is followed with the command as it is installed; here it is run without its start-up.
"""

from __future__ import annotations

import shutil
from itertools import groupby
from pathlib import Path

import pytest

from tests.warm import WarmToolkit

from .following import blocks, chapters, converse, follow, run, write


@pytest.fixture(scope="module")
def finished(warm: WarmToolkit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Courier as the tutorial leaves it: all files in their last state, one migration, built once."""
    folder = tmp_path_factory.mktemp("finished") / "courier"
    folder.mkdir()
    for chapter in chapters("tutorial"):
        for block in blocks(chapter):
            if block.title:
                write(block, folder)
    for command in ("toolkit migrations make newsroom", "toolkit build"):
        status, printed = run(command, folder, warm)
        assert status == 0, printed
    return folder


@pytest.mark.parametrize("chapter", chapters("how-to"), ids=lambda path: path.stem)
def test_each_how_to_does_what_it_shows(chapter: Path, finished: Path, warm: WarmToolkit, tmp_path: Path) -> None:
    steps = [block for block in blocks(chapter) if block.title or block.language in ("console", "pycon")]
    folder = tmp_path / "courier"
    if steps:
        shutil.copytree(finished, folder)
        run("toolkit build", folder, warm)
    for talks, group in groupby(steps, key=lambda block: block.language == "pycon"):
        if talks:
            converse(group, folder, temporary=tmp_path, warm=warm)
            continue
        for block in group:
            if block.title:
                write(block, folder)
            else:
                follow(block, folder, temporary=tmp_path, warm=warm)
