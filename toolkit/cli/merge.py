"""``toolkit merge``: the outputs of shards as one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from toolkit.builder.shards import merge as merge_shards
from toolkit.cli.invocation import invocation, json_option, site_options

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("shards", nargs=-1, required=True, type=FOLDER)
@click.option("--output", "-o", metavar="DIR", required=True, type=FOLDER, help="Where the whole site goes.")
@json_option
@site_options
def merge(shards: tuple[Path, ...], output: Path) -> None:
    """Put the outputs of 'toolkit build --shard' together.

    Name the folders of all SHARDS; their manifests are beside them. Nothing is rendered, and no site is needed. Shards
    that are missing, doubled, damaged or made of different code, rows or moments are refused. The next build of the
    output goes on from there.
    """
    speak = invocation().output
    report = merge_shards(shards, output.absolute())
    if speak.as_json:
        speak.data({"ok": True, **asdict(report)})
        return
    speak.say(
        f"{report.pages} pages of {len(shards)} shards: {report.written} files written, {report.removed} removed",
        style="green",
    )
    speak.say(f"in {report.output}")
