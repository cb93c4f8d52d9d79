"""How the toolkit grows: the same site with more and more stories, and what follows for ten million pages.

``python -m tests.benchmarks.growth --stories 2000 10000 50000 --json growth.json``

Each size is built from nothing, with nothing changed, after an edit of one body, and all anew from the rows that are
in the database by then, each in a new process. Between the last two sizes the growth of each quantity is taken per
page, and carried on in a straight line: what a page costs is known, and a quantity that grows faster than the pages
shows as a ratio above 1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from .corpus import default_source, read_corpus, write_corpus
from .measure import Measurement, keep_to_cores, measure
from .toolkit_contender import Toolkit

PAPER_PAGES = 10_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """One size of the site, measured.

    Args:
        stories: How many stories.
        pages: How many files were built.
        output_bytes: Of all files.
        manifest_bytes: Of the manifest.
        database_bytes: Of the database.
        nothing: From nothing.
        same: With nothing changed.
        edit: After an edit of one body.
        rows: Everything rendered anew, from rows that are in the database already.
    """

    stories: int
    pages: int
    output_bytes: int
    manifest_bytes: int
    database_bytes: int
    nothing: Measurement
    same: Measurement
    edit: Measurement
    rows: Measurement

    @property
    def pages_a_second(self) -> float:
        """From nothing."""
        return self.pages / self.nothing.wall_seconds


def measure_size(source: Path, work: Path, stories: int, *, repeat: int) -> Size:
    """Build a site of so many stories, in a folder that is removed afterwards.

    Args:
        source: The corpus.
        work: Where to work.
        stories: How many.
        repeat: How often; medians are taken by wall time.
    """
    corpus, folder = work / "corpus", work / "site"
    paths = write_corpus(read_corpus(source), corpus, stories=stories)
    contender = Toolkit(related=True)
    contender.prepare(corpus, folder)
    again: list[str | Path] = [sys.executable, "-m", "toolkit", "build", "--clean", "--site", folder]
    runs: dict[str, list[Measurement]] = {"nothing": [], "same": [], "edit": [], "rows": []}
    for number in range(repeat):
        contender.reset()
        os.sync()
        runs["nothing"].append(contender.build())
        os.sync()
        runs["same"].append(contender.build())
        contender.edit(paths[(number + 1) * len(paths) // (repeat + 1)].stem, f"repetition {number}")
        runs["edit"].append(contender.build())
        runs["rows"].append(measure(again, folder=folder, environment={}))
    stats = contender.output_stats()
    size = Size(
        stories,
        stats.files,
        stats.size_bytes,
        folder.joinpath("build.manifest.db").stat().st_size,
        folder.joinpath("corpus.db").stat().st_size,
        **{name: middle(found) for name, found in runs.items()},
    )
    shutil.rmtree(corpus)
    shutil.rmtree(folder)
    return size


def middle(runs: Sequence[Measurement]) -> Measurement:
    """The run of the median wall time, or the one below it."""
    wall = median(run.wall_seconds for run in runs)
    return max((run for run in runs if run.wall_seconds <= wall), key=lambda run: run.wall_seconds)


def format_sizes(sizes: Sequence[Size]) -> str:
    """The measurements as a table."""
    head = ("stories", "pages", "from nothing s", "pages/s", "peak MB", "manifest MB", "from rows s", "peak MB")
    head += ("nothing changed s", "peak MB", "one edit s")
    rows = [
        (
            f"{size.stories:,}",
            f"{size.pages:,}",
            f"{size.nothing.wall_seconds:.2f}",
            f"{size.pages_a_second:.0f}",
            f"{size.nothing.peak_bytes / 1e6:.0f}",
            f"{size.manifest_bytes / 1e6:.1f}",
            f"{size.rows.wall_seconds:.2f}",
            f"{size.rows.peak_bytes / 1e6:.0f}",
            f"{size.same.wall_seconds:.2f}",
            f"{size.same.peak_bytes / 1e6:.0f}",
            f"{size.edit.wall_seconds:.2f}",
        )
        for size in sizes
    ]
    return table([head, *rows])


QUANTITIES = (
    ("from nothing, wall s", lambda size: size.nothing.wall_seconds),
    ("from nothing, CPU s", lambda size: size.nothing.cpu_seconds),
    ("peak of the largest process, MB", lambda size: size.nothing.peak_bytes / 1e6),
    ("from rows, wall s", lambda size: size.rows.wall_seconds),
    ("from rows, CPU s", lambda size: size.rows.cpu_seconds),
    ("from rows, peak MB", lambda size: size.rows.peak_bytes / 1e6),
    ("nothing changed, wall s", lambda size: size.same.wall_seconds),
    ("nothing changed, peak MB", lambda size: size.same.peak_bytes / 1e6),
    ("one body edited, wall s", lambda size: size.edit.wall_seconds),
    ("one body edited, peak MB", lambda size: size.edit.peak_bytes / 1e6),
    ("output, MB", lambda size: size.output_bytes / 1e6),
    ("manifest, MB", lambda size: size.manifest_bytes / 1e6),
    ("database, MB", lambda size: size.database_bytes / 1e6),
)


def format_growth(sizes: Sequence[Size], *, pages: int) -> str:
    """What a page more costs, whether that grows, and what so many pages would take."""
    first, before, last = sizes[0], sizes[-2], sizes[-1]
    rows = [("quantity", "at the start", "per 1,000 pages", "grows by", f"{pages:,} pages")]
    for name, value in QUANTITIES:
        slope = (value(last) - value(before)) / (last.pages - before.pages)
        earlier = (value(before) - value(first)) / (before.pages - first.pages) if before is not first else slope
        fixed = value(last) - slope * last.pages
        ratio = slope / earlier if earlier > 0 else float("nan")
        rows.append((name, f"{fixed:.2f}", f"{slope * 1000:.3f}", f"{ratio:.2f}", f"{fixed + slope * pages:,.0f}"))
    return table(rows)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns of text; the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", type=Path, default=default_source(), help="folder with posts ($TOOLKIT_CORPUS)")
    parser.add_argument("--stories", type=int, nargs="+", default=[2_000, 10_000, 50_000])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--pages", type=int, default=PAPER_PAGES, help="how many to compute for")
    parser.add_argument("--json", type=Path, help="file for every measurement")
    options = parser.parse_args(arguments)
    if options.source is None:
        parser.error("no --source given and TOOLKIT_CORPUS is not set")
    if len(options.stories) < 2:
        parser.error("growth needs two sizes at least")
    cores, load = keep_to_cores(options.cores), os.getloadavg()[0]
    sizes = []
    with tempfile.TemporaryDirectory(prefix="toolkit-growth-") as work:
        for stories in sorted(options.stories):
            sizes.append(measure_size(options.source, Path(work), stories, repeat=options.repeat))
            print(format_sizes(sizes[-1:]), file=sys.stderr)
    print(f"{cores} cores, median of {options.repeat}, load before: {load:.1f}")
    print(format_sizes(sizes), format_growth(sizes, pages=options.pages), sep="\n\n")
    if options.json is not None:
        report = {"cores": cores, "load_before": load, "machine": platform.platform(), "sizes": [*map(asdict, sizes)]}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
