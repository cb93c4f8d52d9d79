"""A blog of real posts, built as a newsroom's CI would: by the command, each time in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SITE = Path(__file__).parent / "site"
POST = re.compile(r"\d{4}-\d{1,2}-\d{1,2}-.+\.md")


def find_posts() -> list[Path]:
    """The posts below ``$TOOLKIT_CORPUS``, in the order of their names."""
    root = os.environ.get("TOOLKIT_CORPUS")
    found = Path(root).rglob("*.md") if root else ()
    return sorted((path for path in found if POST.fullmatch(path.name)), key=lambda path: path.name)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its content."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@dataclass(frozen=True)
class Report:
    """What ``toolkit build --json`` said."""

    said: Mapping[str, Any]

    def of(self, kind: str) -> list[str]:
        """The URLs or files of all events of a kind, sorted."""
        return sorted(event["subject"] for event in self.said["events"] if event["kind"] == kind)


class Blog:
    """The site in a folder, with its posts unchanged."""

    def __init__(self, folder: Path, posts: list[Path]) -> None:
        self.folder = folder
        shutil.copytree(SITE, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "posts").mkdir()
        for path in posts:
            shutil.copyfile(path, folder / "posts" / path.name)

    @property
    def output(self) -> Path:
        return self.folder / "build"

    def build(self) -> Report:
        command = [sys.executable, "-m", "toolkit", "build", "--site", str(self.folder), "--json"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return Report(json.loads(ended.stdout))

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a post's text."""
        path = self.folder / "posts" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


OLD = "2014-07-15-hot-off-the-press-18fs-api-standards.md"
"""An old post, of whose tags every one but ``api`` has twenty newer ones, so that no feed shows it."""


@dataclass(frozen=True)
class Builds:
    """The builds of one blog, in turn.

    Args:
        posts: Its posts, as they came.
        files: What the first build wrote.
        first: Its report.
        again: With nothing changed.
        body: After an edit of the body of ``OLD``.
        retagged: After ``OLD`` was tagged with "open data" instead of "api".
        incremental: The files after all that.
        clean: The files of another blog with the same posts, built from nothing.
    """

    posts: list[Path]
    files: dict[str, bytes]
    first: Report
    again: Report
    body: Report
    retagged: Report
    incremental: dict[str, bytes]
    clean: dict[str, bytes]


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Build the blog a few times; the tests look at what came of it."""
    posts = find_posts()
    if not posts:
        pytest.skip("TOOLKIT_CORPUS names no folder with posts (YYYY-MM-DD-name.md)")
    folder = tmp_path_factory.mktemp("corpus")
    blog = Blog(folder / "blog", posts)
    first = blog.build()
    files = tree(blog.output)
    again = blog.build()
    blog.edit(OLD, "are generally technology-neutral", "are technology-neutral")
    body = blog.build()
    blog.edit(OLD, "- api\n", "- open data\n")
    retagged = blog.build()
    other = Blog(folder / "other", sorted((blog.folder / "posts").iterdir()))
    other.build()
    return Builds(posts, files, first, again, body, retagged, tree(blog.output), tree(other.output))
