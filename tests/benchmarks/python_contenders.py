"""Pelican and Django with django-distill in the benchmark, each in an environment of its own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import yaml

from .contenders import OutputStats, put_aside, stats_of
from .corpus import FRONT_MATTER, edit_body
from .hugo_contender import STATIC
from .measure import Measurement, measure

SITES = Path(__file__).parent


def make_environment(folder: Path) -> Path:
    """An environment with what ``requirements.txt`` names; its Python."""
    measure([sys.executable, "-m", "venv", "venv"], folder=folder, environment={})
    python = folder / "venv" / "bin" / "python"
    measure([python, "-m", "pip", "install", "--quiet", "-r", "requirements.txt"], folder=folder, environment={})
    return python


def pelican_post(text: str) -> str:
    """A post with the metadata that Pelican's reader of Markdown knows, instead of YAML."""
    found = FRONT_MATTER.match(text)
    if found is None:
        raise ValueError("the post has no front matter")
    matter = yaml.safe_load(found[1])
    lines = {
        "Title": matter["title"],
        "Slug": matter["slug"],
        "Date": matter["published"],
        "Plain": matter["summary"],
        "Summary": matter["summary"],
        "Authors": ", ".join(matter["authors"]),
        "Tags": ", ".join(matter["tags"]),
    }
    head = "".join(f"{name}: {value}\n" for name, value in lines.items() if value)
    return f"{head}\n{text[found.end() :].lstrip()}"


class Pelican:
    """Pelican with its defaults: it keeps nothing between builds.

    Args:
        related: Whether stories list related ones.
    """

    def __init__(self, *, related: bool) -> None:
        self.name = "pelican" if related else "pelican (none)"
        self.related = related
        self.folder = self.python = Path()

    @property
    def output(self) -> Path:
        """``output``, below its folder."""
        return self.folder / "output"

    def prepare(self, corpus: Path, folder: Path) -> None:
        """Copy the site and the corpus, in Pelican's spelling; install the version that is pinned."""
        self.folder = folder
        shutil.copytree(SITES / "pelican", folder, dirs_exist_ok=True)
        shutil.copytree(STATIC, folder / "theme" / "static")
        posts = folder / "content" / "posts"
        posts.mkdir(parents=True)
        for path in (corpus / "content" / "posts").glob("*.md"):
            (posts / path.name).write_text(pelican_post(path.read_text("utf-8")), encoding="utf-8")
        for name in ("authors.csv", "tags.csv"):
            shutil.copy(corpus / name, folder / name)
        self.python = make_environment(folder)

    def reset(self) -> None:
        """Remove the output and the cache."""
        put_aside(self.folder, "output", "cache")

    def build(self) -> Measurement:
        """Build everything."""
        command: list[str | Path] = [self.python, "-m", "pelican", "--settings", "pelicanconf.py", "--quiet"]
        return measure(command, folder=self.folder, environment={"RELATED": "all" if self.related else "none"})

    def edit(self, slug: str, note: str) -> None:
        """Add a note to a story."""
        edit_body(self.folder / "content" / "posts" / f"{slug}.md", note=note)

    def output_stats(self) -> OutputStats:
        """Count the files below ``output``."""
        return stats_of(self.output)


class Distill:
    """Django with django-distill, from content files to pages: the database is part of what is built.

    Args:
        related: Whether stories list related ones.
    """

    def __init__(self, *, related: bool) -> None:
        self.name = "django-distill" if related else "django-distill (none)"
        self.related = related
        self.folder = self.python = Path()

    @property
    def output(self) -> Path:
        """``output``, below its folder."""
        return self.folder / "output"

    def prepare(self, corpus: Path, folder: Path) -> None:
        """Copy the project and the corpus; install the versions that are pinned."""
        self.folder = folder
        shutil.copytree(SITES / "distill", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(STATIC, folder / "assets")
        shutil.copytree(corpus / "content" / "posts", folder / "content" / "posts")
        for name in ("authors.csv", "tags.csv"):
            shutil.copy(corpus / name, folder / name)
        self.python = make_environment(folder)

    def reset(self) -> None:
        """Remove the output and the database."""
        put_aside(self.folder, "output", "collected")
        (self.folder / "db.sqlite3").unlink(missing_ok=True)

    def build(self) -> Measurement:
        """Load the posts and generate everything: neither command has another way."""
        environment = {"RELATED": "all" if self.related else "none"}
        return measure([self.python, "manage.py", "publish"], folder=self.folder, environment=environment)

    def edit(self, slug: str, note: str) -> None:
        """Add a note to a story."""
        edit_body(self.folder / "content" / "posts" / f"{slug}.md", note=note)

    def output_stats(self) -> OutputStats:
        """Count the files below ``output``."""
        return stats_of(self.output)
