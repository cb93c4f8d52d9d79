"""``toolkit build``: publish the site as files.

What builds is imported when there may be something to do. A build whose seal holds is told at once.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from toolkit.ahead import look_ahead
from toolkit.cli.invocation import invocation, json_option, site_argument, site_options
from toolkit.cli.moments import MOMENT
from toolkit.cli.output import Output
from toolkit.folders import STATE_FOLDER, find_folder
from toolkit.seals import Seal, find_seal, seal_path

BEGUN_NS = time.time_ns()
"""Before the site's modules are imported: what changed later may not be what is built."""

STEPS = (
    "jinja2",
    "toolkit.i18n.locales",
    "toolkit.database",
    "toolkit.models",
    "toolkit.pages.plan",
    "toolkit.templates",
    "toolkit.content.loading",
    "toolkit.builder.manifest",
    "toolkit.builder.decide",
    "toolkit.builder.publish",
    "toolkit.cli.building",
)
"""Modules that bring what builds, each some of it."""


class OutputPlace(click.Path):
    """A folder, made absolute, or a URL as it is."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        if "://" in str(value):
            return value
        return Path(str(super().convert(value, param, ctx))).absolute()


OUTPUT = OutputPlace(file_okay=False)


@click.command()
@site_argument
@click.option(
    "--output", "-o", metavar="DIR", type=OUTPUT, help="Publish here instead: a folder, or a URL as s3://bucket/site."
)
@click.option("--workers", "-w", type=click.IntRange(min=1), help="Processes that render.  [default: one a core]")
@click.option(
    "--executor", metavar="NAME", help="Who renders: processes, threads, dask://host:port.  [default: processes]"
)
@click.option(
    "--shard",
    metavar="N/M",
    help="Render the N-th of M parts, for 'toolkit merge' to put together.",
)
@click.option(
    "--only",
    metavar="WHAT",
    multiple=True,
    help="Render a part: a route, /path/, locale:es, changed-since:TIME. The rest stays as it is.",
)
@click.option("--at", "moment", type=MOMENT, metavar="TIME", help="Build as of this instant: 2026-05-01T06:00+02:00.")
@click.option("--clean", is_flag=True, help="Render everything, whatever the last build left.")
@click.option("--paranoid", is_flag=True, help="Render what need not be, too, and name what would have been wrong.")
@click.option(
    "--queries",
    is_flag=True,
    help="Count what rendering asks the database; name the slowest questions, and those asked for row after row.",
)
@click.option("--metrics", is_flag=True, help="Tell which templates took longest to render; with the slowest queries.")
@click.option("--verbose", "-v", is_flag=True, help="Print each page and file, with the reason.")
@json_option
@site_options
def build(output: Path | str | None, verbose: bool, workers: int | None, **options: Any) -> None:
    """Publish the site as files, doing only what must be done.

    Pages are rendered whose inputs changed; files are written whose bytes changed; files that the site no longer has
    are removed, and those that no build wrote are left alone. A build that fails leaves the last good output as it
    was.
    """
    began = time.monotonic()
    asked = invocation()
    asked.folder = find_folder(asked.folder)
    place = None if any(options.values()) else seal_path(asked.folder / STATE_FOLDER, str(output or ""))
    if (begun := asked.begun) is not None and begun.place == place:
        seal, ahead = begun.seal, begun.ahead
    else:
        seal = find_seal(place) if place is not None else None
        ahead = look_ahead(seal) if seal is not None else None
    if seal is not None and seal.may_hold() and (seal.files_hold() if ahead is None else ahead.holds(_import())):
        if ahead is not None:
            ahead.close()
        _tell_unchanged(asked.output, seal, time.monotonic() - began)
        return
    run = importlib.import_module("toolkit.cli.building").run
    run(place, ahead=ahead, output=output, verbose=verbose, workers=workers, **options)


def _import() -> Iterator[None]:
    """Import what builds, in steps that are short."""
    for name in STEPS:
        importlib.import_module(name)
        yield


def _tell_unchanged(speak: Output, seal: Seal, seconds: float) -> None:
    """Say what a build says that finds nothing to do."""
    if speak.as_json:
        told = {**seal.told, "moment": datetime.now(UTC).isoformat(), "seconds": {"all": round(seconds, 4)}}
        speak.data({"ok": True, **told})
    else:
        told = seal.told
        summary = f"{seal.counts}, in {seconds:.2f} s"
        tell_end(speak, summary, told["output"], told["left_out"], base_path=told["base_path"])


def tell_end(speak: Output, summary: str, output: str, left_out: Sequence[str], *, base_path: str) -> None:
    """The last lines of each build.

    Args:
        speak: Says them.
        summary: What was done.
        output: The output folder, or the URL of a storage.
        left_out: Views, which only the server answers.
        base_path: The path below which the pages expect to be published.
    """
    if left_out:
        speak.say(f"left out, answered by the server only: {', '.join(left_out)}")
    speak.say(summary, style="green")
    if base_path:
        speak.say(f"in {output}, for a host that has it at {base_path}/; look at it with: toolkit serve")
    else:
        look = "" if "://" in output else f"; look at it with: python3 -m http.server -d {output}"
        speak.say(f"in {output}{look}")
