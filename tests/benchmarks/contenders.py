"""What takes part in the benchmark: something that builds a site, and can be asked to again."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .measure import Measurement

KINDS = (
    ("home", re.compile(r"index\.html")),
    ("story", re.compile(r"posts/[^/]+/index\.html")),
    ("tag", re.compile(r"tags/[^/]+(/page/\d+)?/index\.html")),
    ("author", re.compile(r"authors/[^/]+(/page/\d+)?/index\.html")),
    ("month", re.compile(r"archive/\d{4}/\d\d(/page/\d+)?/index\.html")),
    ("overview", re.compile(r"(tags|authors|archive)/index\.html")),
    ("feed", re.compile(r"(tags/[^/]+/)?feed\.xml")),
    ("sitemap", re.compile(r"sitemap[^/]*\.xml")),
    ("asset", re.compile(r"static/.+")),
)
"""Kinds of pages and the files they land in, tried in turn; anything else is counted as ``other``."""


@dataclass(frozen=True, slots=True)
class OutputStats:
    """What a build left behind.

    Args:
        files: How many.
        size_bytes: Of all files together.
        kinds: Number of files of each kind of page.
    """

    files: int
    size_bytes: int
    kinds: dict[str, int]


class Contender(Protocol):
    """A generator, set up to build the benchmark's site in a folder of its own.

    The runner calls ``prepare`` once; then, for each repetition, ``reset``, ``build`` (from nothing),
    ``build`` (nothing changed), ``edit``, ``build`` (one body edited). Only ``build`` is measured.
    """

    name: str

    @property
    def output(self) -> Path:
        """Where builds land."""

    def prepare(self, corpus: Path, folder: Path) -> None:
        """Set up the site in ``folder``, with a copy of the corpus that ``corpus.write_corpus`` wrote."""

    def reset(self) -> None:
        """Remove the output and everything kept from earlier builds."""

    def build(self) -> Measurement:
        """Build the site in a new process."""

    def edit(self, slug: str, note: str) -> None:
        """Add a note to the body of one story, in this contender's copy."""

    def output_stats(self) -> OutputStats:
        """Count what the last build left behind."""


def put_aside(folder: Path, *names: str) -> None:
    """Move what earlier builds left into a folder beside; it goes with the benchmark's own.

    To remove it here would be measured: ext4 without a journal, as on many virtual machines, gives the number of a file
    that was removed to no other for five minutes, and passes over all of these whenever it looks for a free one. A page
    then takes 160 us of CPU to write in place of 40.
    """
    aside = Path(tempfile.mkdtemp(prefix="aside-", dir=folder.parent))
    for name in names:
        if (folder / name).exists():
            (folder / name).rename(aside / name)


def paths_of(output: Path) -> set[str]:
    """The files of a folder, relative to it; an asset's name without the digest that a generator may put into it."""
    found = (path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file())
    return {re.sub(r"\.[0-9a-f]{8,}(?=\.\w+$)", "", path) if kind_of(path) == "asset" else path for path in found}


def kind_of(path: str) -> str:
    """The kind of page that a file of the output is, by its path relative to the output."""
    return next((kind for kind, pattern in KINDS if pattern.fullmatch(path)), "other")


def stats_of(output: Path) -> OutputStats:
    """Count the files of a folder."""
    kinds: Counter[str] = Counter()
    size = 0
    for folder, _, names in os.walk(output):
        for name in names:
            path = Path(folder, name)
            kinds[kind_of(path.relative_to(output).as_posix())] += 1
            size += path.stat().st_size
    return OutputStats(kinds.total(), size, dict(sorted(kinds.items())))
