"""Build one site with several generators, in turn, and print medians and ratios.

``python -m tests.benchmarks.run --stories 10000 --repeat 5 --json result.json``

Each repetition takes every contender through three builds, each in a new process: from nothing, again with
nothing changed, and after an edit of one story's body. All contenders read copies of the same corpus. Before
each build, what earlier ones wrote is flushed to the disk, so that nobody pays for another's pages.

Wall time suffers when the machine does something else; CPU time is printed beside it, and the load.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from .contenders import Contender, OutputStats, paths_of
from .contents import differing
from .corpus import default_source, read_corpus, write_corpus
from .eleventy_contender import Eleventy
from .hugo_contender import Hugo
from .measure import CommandFailed, Measurement, keep_to_cores
from .python_contenders import Distill, Pelican
from .serving import Rates, measure_serving
from .toolkit_contender import Toolkit

DIFFERENCES = 10
"""So many names of files are told when two contenders wrote other ones."""

SCENARIOS = ("from nothing", "nothing changed", "one body edited")

CONTENDERS: dict[str, Callable[[], Contender]] = {
    "hugo-related": lambda: Hugo(related="related"),
    "hugo-cached": lambda: Hugo(related="cached"),
    "hugo-none": lambda: Hugo(related="none"),
    "eleventy": lambda: Eleventy(related=True),
    "pelican": lambda: Pelican(related=True),
    "distill": lambda: Distill(related=True),
    "toolkit": lambda: Toolkit(related=True),
    "toolkit-none": lambda: Toolkit(related=False),
}
"""Every contender by the name that ``--contender`` takes."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one contender took.

    Args:
        name: The contender's.
        runs: Scenario to its measurements, one for each repetition.
        output: What its last build left behind.
    """

    name: str
    runs: dict[str, list[Measurement]]
    output: OutputStats

    def median_of(self, scenario: str, quantity: str) -> float:
        """The median of one quantity of ``Measurement``."""
        values: list[float] = [getattr(run, quantity) for run in self.runs[scenario]]
        return median(values)


def compete(
    contenders: Sequence[Contender], *, slugs: Sequence[str], repeat: int, tell: Callable[[str], None]
) -> list[Result]:
    """Take prepared contenders through all scenarios, in turn.

    Args:
        contenders: Prepared.
        slugs: The stories there are; each repetition edits another one.
        repeat: How often.
        tell: Called with a line after each build.
    """
    runs: list[dict[str, list[Measurement]]] = [{scenario: [] for scenario in SCENARIOS} for _ in contenders]
    for number in range(repeat):
        # Who goes first changes, so that a machine growing warm or busy favours nobody.
        order = [(start + number) % len(contenders) for start in range(len(contenders))]
        for index in order:
            contender = contenders[index]
            contender.reset()
            for scenario in SCENARIOS:
                if scenario == "one body edited":
                    slug = slugs[(number + 1) * len(slugs) // (repeat + 1)]
                    contender.edit(slug, f"repetition {number}")
                os.sync()
                measured = contender.build()
                runs[index][scenario].append(measured)
                tell(f"{number + 1}/{repeat} {contender.name}, {scenario}: {measured.wall_seconds:.2f} s")
    return [Result(contender.name, runs[index], contender.output_stats()) for index, contender in enumerate(contenders)]


def format_table(results: Sequence[Result], *, baseline: str) -> str:
    """Medians as text, with each contender's wall time as a multiple of the baseline's."""
    base = next((result for result in results if result.name == baseline), results[0])
    lines = [f"{'':<16} {'contender':<18} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'/ ' + base.name:>16}"]
    for scenario in SCENARIOS:
        for result in results:
            wall = result.median_of(scenario, "wall_seconds")
            ratio = wall / base.median_of(scenario, "wall_seconds")
            cpu = result.median_of(scenario, "cpu_seconds")
            peak = result.median_of(scenario, "peak_bytes") / 1e6
            lines.append(f"{scenario:<16} {result.name:<18} {wall:8.2f} {cpu:8.2f} {peak:8.0f} {ratio:16.2f}")
    return "\n".join(lines)


def format_outputs(results: Sequence[Result]) -> str:
    """What each contender wrote, as text."""
    lines = []
    for result in results:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in result.output.kinds.items())
        size = result.output.size_bytes / 1e6
        lines.append(f"{result.name}: {result.output.files:,} files, {size:.1f} MB ({kinds})")
    return "\n".join(lines)


def find_differences(contenders: Sequence[Contender]) -> list[str]:
    """The files that some contender wrote and another did not: they would not have built the same site."""
    first, *others = [(contender.name, paths_of(contender.output)) for contender in contenders]
    lines = []
    for name, paths in others:
        for writer, other, alone in ((first[0], name, first[1] - paths), (name, first[0], paths - first[1])):
            if alone:
                shown = ", ".join(sorted(alone)[:DIFFERENCES])
                lines.append(f"{writer} wrote {len(alone):,} files that {other} did not: {shown}")
    return lines


def find_other_contents(contenders: Sequence[Contender]) -> list[str]:
    """Pages of a sample that say something else than the first contender's; related stories where both list them."""
    lines: list[str] = []
    with_related = [one for one in contenders if "none" not in one.name]
    for group, related in ((with_related, True), (contenders, False)):
        outputs = [(contender.name, contender.output) for contender in group]
        lines += differing(outputs, related=related) if len(outputs) > 1 else ()
    return list(dict.fromkeys(lines))[:DIFFERENCES]


def serve(contenders: Sequence[Contender]) -> Rates | None:
    """Measure the server of the first toolkit that takes part, on the pages that it built."""
    toolkit = next((contender for contender in contenders if isinstance(contender, Toolkit)), None)
    if toolkit is None:
        return None
    pages = sorted(path for path in paths_of(toolkit.output) if path.endswith("index.html"))
    return measure_serving(toolkit.folder, ["/" + path.removesuffix("index.html") for path in pages])


def as_json(results: Sequence[Result], *, stories: int, cores: int, load: float, rates: Rates | None) -> str:
    """Every single measurement, for a machine to read."""
    report = {
        "stories": stories,
        "cores": cores,
        "machine": platform.platform(),
        "python": platform.python_version(),
        "load_before": load,
        "results": [asdict(result) for result in results],
        "serve": None if rates is None else asdict(rates),
    }
    return json.dumps(report, indent=1) + "\n"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", type=Path, default=default_source(), help="folder with posts ($TOOLKIT_CORPUS)")
    parser.add_argument("--stories", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--contender", action="append", choices=CONTENDERS, help="again for more; default: all")
    parser.add_argument("--baseline", default="hugo (cached)", help="whose wall time is 1")
    parser.add_argument("--work", type=Path, help="folder to work in, kept afterwards; default: a temporary one")
    parser.add_argument("--serve", action="store_true", help="also measure the pages a second of toolkit serve")
    parser.add_argument("--json", type=Path, help="file for every single measurement")
    options = parser.parse_args(arguments)
    if options.source is None:
        parser.error("no --source given and TOOLKIT_CORPUS is not set")
    return options


def run(options: argparse.Namespace, *, work: Path) -> tuple[list[Result], Rates | None]:
    """Write the corpus, prepare everybody and let them compete.

    Raises:
        CommandFailed: A build failed, or the contenders did not write the same files, or a sample says other things.
    """
    corpus = work / "corpus"
    paths = write_corpus(read_corpus(options.source), corpus, stories=options.stories)
    contenders = []
    for name in options.contender or CONTENDERS:
        contender = CONTENDERS[name]()
        folder = work / name
        folder.mkdir()
        contender.prepare(corpus, folder)
        contenders.append(contender)
    slugs = [path.stem for path in paths]
    results = compete(contenders, slugs=slugs, repeat=options.repeat, tell=lambda line: print(line, file=sys.stderr))
    differences = find_differences(contenders) or find_other_contents(contenders)
    if differences:
        raise CommandFailed("\n".join(differences))
    return results, serve(contenders) if options.serve else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    options = parse(arguments)
    cores = keep_to_cores(options.cores)
    load = os.getloadavg()[0]
    try:
        if options.work is not None:
            options.work.mkdir(parents=True)
            results, rates = run(options, work=options.work)
        else:
            with tempfile.TemporaryDirectory(prefix="toolkit-benchmark-") as work:
                results, rates = run(options, work=Path(work))
    except CommandFailed as error:
        print(error, file=sys.stderr)
        return 1
    title = f"{options.stories:,} stories, {cores} cores, median of {options.repeat}, load before: {load:.1f}"
    print(title, format_table(results, baseline=options.baseline), format_outputs(results), sep="\n\n")
    if rates is not None:
        print(f"\n{rates}")
    if options.json is not None:
        text = as_json(results, stories=options.stories, cores=cores, load=load, rates=rates)
        options.json.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
