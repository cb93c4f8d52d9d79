"""The toolkit in the benchmark: ``tests/corpus_site``, built by ``toolkit build``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from .contenders import OutputStats, put_aside, stats_of
from .corpus import edit_body
from .measure import Measurement, measure

SITE = Path(__file__).parents[1] / "corpus_site"
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""What pip installs is compiled, and stays it: no build compiles the toolkit again, whatever this machine is set to."""

RELATED = "story.related(5)"
"""The call in the site's pages that finds related stories."""


class Toolkit:
    """The toolkit with its defaults, from content files to pages: the database is part of what is built.

    Args:
        related: Whether stories list related ones.
    """

    def __init__(self, *, related: bool) -> None:
        self.name = "toolkit" if related else "toolkit (none)"
        self.related = related
        self.folder = Path()

    @property
    def output(self) -> Path:
        """``build``, below its folder."""
        return self.folder / "build"

    def prepare(self, corpus: Path, folder: Path) -> None:
        """Copy the site, and the corpus's posts and names."""
        self.folder = folder
        shutil.copytree(SITE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(corpus / "content" / "posts", folder / "content" / "posts")
        for name in ("authors.csv", "tags.csv"):
            shutil.copy(corpus / name, folder / name)
        if not self.related:
            pages = folder / "corpus" / "pages.py"
            text = pages.read_text(encoding="utf-8")
            if RELATED not in text:
                raise ValueError(f"{pages}: {RELATED} is not in it, so it cannot be left out")
            pages.write_text(text.replace(RELATED, "[]"), encoding="utf-8")

    def reset(self) -> None:
        """Remove the output, the manifest and caches, and the database."""
        put_aside(self.folder, "build", ".toolkit")
        for path in self.folder.glob("*.db*"):
            path.unlink()

    def build(self) -> Measurement:
        """Build what changed."""
        command: list[str | Path] = [sys.executable, "-m", "toolkit", "build", "--site", self.folder]
        return measure(command, folder=self.folder, environment=COMPILED)

    def edit(self, slug: str, note: str) -> None:
        """Add a note to a story."""
        edit_body(self.folder / "content" / "posts" / f"{slug}.md", note=note)

    def output_stats(self) -> OutputStats:
        """Count the files below ``build``."""
        return stats_of(self.output)
