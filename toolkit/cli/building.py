"""The work of ``toolkit build``, where there is some."""

from __future__ import annotations

import gc
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.ahead import Ahead
from toolkit.builder import Builder, BuildReport, Segment, Shard, rehearsing
from toolkit.builder.times import SLOWEST, WORTH_TELLING_SECONDS
from toolkit.cli.build import BEGUN_NS, tell_end
from toolkit.cli.invocation import invocation
from toolkit.cli.output import Output
from toolkit.cli.sites import open_site
from toolkit.errors import BuildError
from toolkit.lazily import LazyModule
from toolkit.seals import keep_seal
from toolkit.site.code import take_toolkit_sources
from toolkit.site.watching import loading

if TYPE_CHECKING:
    from toolkit.builder import sealing
    from toolkit.cli import failing
else:
    sealing = LazyModule("toolkit.builder.sealing")
    failing = LazyModule("toolkit.cli.failing")

REASONS = 5
COLLECTING = (200_000, 10, 10)
"""When Python looks for circles: a build makes many objects and few circles, and looking took it a tenth of its time.
After an edit it makes fewer than so many. Workers look themselves, after each batch."""


def run(
    place: Path | None,
    *,
    ahead: Ahead | None,
    output: Path | str | None,
    workers: int | None,
    executor: str | None,
    shard: str | None,
    only: tuple[str, ...],
    moment: datetime | None,
    clean: bool,
    paranoid: bool,
    queries: bool,
    metrics: bool,
    verbose: bool,
) -> None:
    """Build, and tell of it.

    Args:
        place: Where the build's seal is kept; None if it gets none.
        ahead: What is seen of files meanwhile.
        output: And the others: the options of the command.
    """
    gc.set_threshold(*COLLECTING)
    asked = invocation()
    speak = asked.output
    if [bool(shard), bool(only), paranoid].count(True) > 1:
        raise click.UsageError("--shard, --only and --paranoid exclude each other.")
    numbered = _shard(shard) if shard else None
    with loading(asked.folder) as loaded:
        site = open_site()
    if ahead is not None and not loaded.wrote:
        take_toolkit_sources(site, ahead.toolkit_sources())
    part = numbered or (Segment.parse(only, site) if only else None)
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
            ahead=None if loaded.wrote else ahead,
        )
        rehearsing.know_questions(site, loaded, anew=clean or paranoid)
        report = builder.build()
        rehearsing.keep_questions(site)
    if place is not None and report.rendered in (0, report.pages):  # after an edit, the next build is soon enough
        keep_seal(place, sealing.make_seal(builder, report, loaded=loaded, begun_ns=BEGUN_NS))
    if speak.as_json:
        speak.data({"ok": not report.differences, **report.as_dict()})
    else:
        _tell(speak, report, verbose=verbose, metrics=metrics)
    if report.differences:
        click.get_current_context().exit(1)


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except BuildError as error:
        raise click.BadParameter(f"{error.message}. {error.hint}", param_hint="--shard") from error


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
    if report.differences:
        _tell_differences(speak, report)
    for notice in report.notices:
        speak.note(f"note: {notice}", style="yellow")
    tell_end(speak, report.summary(), report.output, report.left_out, base_path=report.base_path)


def _tell_differences(speak: Output, report: BuildReport) -> None:
    for difference in report.differences[: failing.LETTERS]:
        speak.note(str(difference), style="red")
    if len(report.differences) > failing.LETTERS:
        speak.note(f"... and {len(report.differences) - failing.LETTERS} more; see them with --json")


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
