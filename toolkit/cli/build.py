"""``toolkit build``: publish the site as files."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from toolkit.builder import Builder, BuildReport, Segment, Shard
from toolkit.builder.times import SLOWEST, WORTH_TELLING_SECONDS
from toolkit.cli.failing import LETTERS
from toolkit.cli.invocation import invocation, json_option, site_argument, site_options
from toolkit.cli.moments import MOMENT
from toolkit.cli.output import Output
from toolkit.cli.sites import open_site
from toolkit.errors import BuildError

REASONS = 5


class OutputPlace(click.Path):
    """A folder, made absolute, or a URL as it is."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        if "://" in str(value):
            return value
        return Path(str(super().convert(value, param, ctx))).absolute()


OUTPUT = OutputPlace(file_okay=False)


class ShardNumber(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases of click only
    """``2/5``, the second of five."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """Read it."""
        try:
            return Shard.parse(value)
        except BuildError as error:
            self.fail(f"{error.message}. {error.hint}", param, ctx)


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
    type=ShardNumber(),
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
@click.option("--queries", is_flag=True, help="Count what rendering asks the database; name the slowest questions.")
@click.option("--metrics", is_flag=True, help="Tell which templates took longest to render; with the slowest queries.")
@click.option("--verbose", "-v", is_flag=True, help="Print each page and file, with the reason.")
@json_option
@site_options
def build(
    output: Path | str | None,
    workers: int | None,
    executor: str | None,
    shard: Shard | None,
    only: tuple[str, ...],
    moment: datetime | None,
    clean: bool,
    paranoid: bool,
    queries: bool,
    metrics: bool,
    verbose: bool,
) -> None:
    """Publish the site as files, doing only what must be done.

    Pages are rendered whose inputs changed; files are written whose bytes changed; files that the site no longer has
    are removed, and those that no build wrote are left alone. A build that fails leaves the last good output as it
    was.
    """
    speak = invocation().output
    if [bool(shard), bool(only), paranoid].count(True) > 1:
        raise click.UsageError("--shard, --only and --paranoid exclude each other.")
    site = open_site()
    part = shard or (Segment.parse(only, site) if only else None)
    with speak.progress("pages") as progress:
        builder = Builder(
            site,
            output=output,
            workers=workers,
            executor=executor,
            part=part,
            moment=moment,
            clean=clean,
            progress=progress,
            queries=queries or metrics,
            paranoid=paranoid,
        )
        report = builder.build()
    if speak.as_json:
        speak.data({"ok": not report.differences, **report.as_dict()})
    else:
        _tell(speak, report, verbose=verbose, metrics=metrics)
    if report.differences:
        click.get_current_context().exit(1)


def _tell(speak: Output, report: BuildReport, *, verbose: bool, metrics: bool) -> None:
    if verbose:
        for event in report.events:
            speak.say(str(event))
    else:
        _tell_reasons(speak, report)
    if metrics or report.times.seconds > WORTH_TELLING_SECONDS:
        speak.say("slowest templates:" if report.times.templates else "nothing was rendered")
        for one in report.times.slowest()[: SLOWEST if metrics else 3]:
            speak.say(f"  {one}")
    for line in report.queries.lines(report.rendered) if report.queries is not None else ():
        speak.say(line)
    for difference in report.differences[:LETTERS]:
        speak.note(str(difference), style="red")
    if len(report.differences) > LETTERS:
        speak.note(f"... and {len(report.differences) - LETTERS} more; see them with --json")
    for notice in report.notices:
        speak.note(f"note: {notice}", style="yellow")
    if report.left_out:
        speak.say(f"left out, answered by the server only: {', '.join(report.left_out)}")
    speak.say(report.summary(), style="green")
    look = "" if "://" in report.output else f"; look at it with: python3 -m http.server -d {report.output}"
    speak.say(f"in {report.output}{look}")


def _tell_reasons(speak: Output, report: BuildReport) -> None:
    """Why pages were rendered: the commonest reasons with a page of each."""
    rendered = [event for event in report.events if event.kind == "rendered"]
    counts = Counter(event.reason for event in rendered)
    first = {event.reason: event.subject for event in reversed(rendered)}
    for reason, count in counts.most_common(REASONS):
        more = f" and {count - 1} more" if count > 1 else ""
        speak.say(f"rendered {first[reason]}{more}: {reason}")
    if len(counts) > REASONS:
        speak.say(f"... and for {len(counts) - REASONS} more reasons; see them with --verbose")
