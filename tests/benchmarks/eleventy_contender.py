"""Eleventy in the benchmark: the site in ``eleventy/``, built by the package that npm installs beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

from .contenders import OutputStats, put_aside, stats_of
from .corpus import edit_body
from .hugo_contender import STATIC
from .measure import Measurement, measure

SITE = Path(__file__).parent / "eleventy"


class Eleventy:
    """Eleventy with its defaults; it renders in one process.

    Args:
        related: Whether stories list related ones.
    """

    def __init__(self, *, related: bool) -> None:
        self.name = "eleventy" if related else "eleventy (none)"
        self.related = related
        self.folder = Path()

    @property
    def output(self) -> Path:
        """``_site``, below its folder."""
        return self.folder / "_site"

    def prepare(self, corpus: Path, folder: Path) -> None:
        """Copy the site and the corpus; have npm install the version that ``package.json`` names."""
        self.folder = folder
        shutil.copytree(SITE, folder, dirs_exist_ok=True)
        shutil.copytree(corpus / "content" / "posts", folder / "content" / "posts")
        shutil.move(folder / "posts.11tydata.js", folder / "content" / "posts" / "posts.11tydata.js")
        shutil.copytree(STATIC, folder / "static")
        for name in ("authors.csv", "tags.csv"):
            shutil.copy(corpus / name, folder / name)
        measure(["npm", "install", "--no-audit", "--no-fund", "--silent"], folder=folder, environment={})

    def reset(self) -> None:
        """Remove the output and caches."""
        put_aside(self.folder, "_site", ".cache")

    def build(self) -> Measurement:
        """Build everything: the command has no other way."""
        command = ["node", "node_modules/@11ty/eleventy/cmd.cjs", "--quiet"]
        environment = {"RELATED": "all" if self.related else "none", "NODE_OPTIONS": "--max-old-space-size=8192"}
        return measure(command, folder=self.folder, environment=environment)

    def edit(self, slug: str, note: str) -> None:
        """Add a note to a story."""
        edit_body(self.folder / "content" / "posts" / f"{slug}.md", note=note)

    def output_stats(self) -> OutputStats:
        """Count the files below ``_site``."""
        return stats_of(self.output)
