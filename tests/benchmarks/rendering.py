"""What rendering one page takes, part by part: ``python -m tests.benchmarks.rendering --stories 400 --repeat 12``.

Every repetition renders the same pages in one process, as a build does, and of each page and part the least CPU time
counts: what else the machine does makes a repetition slower and none faster, so two versions can be told apart on a
machine that is busy. Parts overlap: rendering contains Markdown, fragments and the rest.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from toolkit.builder import batches
from toolkit.builder.build import Builder
from toolkit.builder.stages import FolderStage
from toolkit.pages.plan import Plan
from toolkit.site.site import load_site
from toolkit.templates.fragments import FragmentTag
from toolkit.templates.markdown import Markdown
from toolkit.trace import READER

from .corpus import default_source, read_corpus, write_corpus
from .toolkit_contender import Toolkit

PARTS: Sequence[tuple[Any, str, str]] = (
    (batches, "_render_page", "all"),
    (batches, "render", "rendering"),
    (Markdown, "render", "  Markdown"),
    (FragmentTag, "render", "  fragments"),
    (batches.Numbering, "take", "numbering inputs"),
    (FolderStage, "write", "writing"),
)
"""Where each part begins: owner, name of the function, and what it is called in the table."""

PAGES = 100
"""So many pages of each route are rendered."""


class Clock:
    """The CPU time of the parts of the page at hand, and the least of all repetitions."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.least: dict[tuple[str, str, str], float] = {}

    def timed(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        """A function that counts what it takes to a part."""

        def measured(*args: Any, **named: Any) -> Any:
            started = time.thread_time()
            try:
                return function(*args, **named)
            finally:
                self.now[part] += time.thread_time() - started  # type: ignore[assignment] # seconds are no whole number
                if part == "all":
                    self.take(args[1].route, args[1].url)

        return measured

    def take(self, route: str, url: str) -> None:
        """A page is done."""
        for part, seconds in self.now.items():
            key = (route, url, part)
            self.least[key] = min(seconds, self.least.get(key, seconds))
        self.now.clear()


def measure(site: Any, *, repeat: int) -> Clock:
    """Render up to ``PAGES`` pages of each route, again and again."""
    clock = Clock()
    with ExitStack() as patches:
        for owner, name, part in PARTS:
            patches.enter_context(mock.patch.object(owner, name, clock.timed(getattr(owner, name), part)))
        for _ in range(repeat):
            render_once(site)
    return clock


def render_once(site: Any) -> None:
    """One repetition, with nothing left from the one before."""
    with (
        tempfile.TemporaryDirectory() as stage,
        site.databases.snapshot(),
        site.environment.frozen(),
        site.assets.frozen(),
    ):
        plan = Plan(site, viewer=READER, moment=datetime(2026, 1, 1, tzinfo=UTC))
        job = batches.Job(site, plan, FolderStage(Path(stage)), {})
        batch, numbering = batches.Batch(os.getpid()), batches.Numbering()
        for route, locale in plan.routes():
            pages = list(plan.unit(route, locale).pages())[:PAGES]
            gc.collect()
            gc.disable()
            if pages:
                batches.render_pages(job, pages, batch, numbering)
            gc.enable()
        if batch.problems:
            raise batch.problems[0]


def format_clock(clock: Clock) -> str:
    """Milliseconds a page, by route and part."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (route, _, part), seconds in clock.least.items():
        found[route][part].append(seconds)
    lines = []
    for route, parts in found.items():
        count = len(parts["all"])
        lines.append(f"{route}, {count} pages, ms a page")
        lines += [f"  {part:<20} {1e3 * sum(parts[part]) / count:7.3f}" for _, _, part in PARTS if part in parts]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", type=Path, default=default_source(), help="folder with posts ($TOOLKIT_CORPUS)")
    parser.add_argument("--stories", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=12)
    options = parser.parse_args(arguments)
    if options.source is None:
        parser.error("no --source given and TOOLKIT_CORPUS is not set")
    with tempfile.TemporaryDirectory(prefix="toolkit-benchmark-") as work:
        corpus, folder = Path(work, "corpus"), Path(work, "site")
        write_corpus(read_corpus(options.source), corpus, stories=options.stories)
        folder.mkdir()
        Toolkit(related=True).prepare(corpus, folder)
        site = load_site(folder).prepare()
        Builder(site).build()
        print(format_clock(measure(site, repeat=options.repeat)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
