"""``toolkit diff``: two builds, as pages that came, went, moved and changed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from toolkit.builder import Builder
from toolkit.cli.invocation import Invocation, invocation, json_option, site_options
from toolkit.cli.output import Output
from toolkit.cli.sites import open_site
from toolkit.diff.blocks import is_akin, word_changes
from toolkit.diff.compare import Difference, compare
from toolkit.diff.pages import write_page
from toolkit.diff.trees import Tree, url_path

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_KINDS = {"added": "green", "removed": "red", "moved": "yellow", "changed": "cyan"}
_CAPTION = 8
"""Blocks of one page that are shown without ``--all``."""


@click.command()
@click.argument("old", required=False, type=_FOLDER)
@click.argument("new", required=False, type=_FOLDER)
@click.option("--now", is_flag=True, help="Compare the last build with what a build would give now.")
@click.option("--names", is_flag=True, help="Only say which pages and files differ.")
@click.option("--all", "everything", is_flag=True, help="Show every block of every page.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to look at.")
@click.option("--exit-code", is_flag=True, help="End with 1 if anything differs.")
@json_option
@site_options
def diff(
    old: Path | None, new: Path | None, now: bool, names: bool, everything: bool, page: Path | None, exit_code: bool
) -> None:
    """Compare two builds: pages that came, went, moved and changed, and their text.

    OLD and NEW are folders that builds were written to. With --now, the last build of the site is compared with what
    it would be now; nothing is published. With --json each difference is a line of its own.
    """
    asked = invocation()
    with ExitStack() as stack:
        left, right = stack.enter_context(_trees(old, new, now=now))
        found = compare(left, right, texts=not names)
        counts: Counter[str] = Counter()
        if page is not None:
            write_page(_counted(found, counts), page)
            asked.output.note(f"written: {page}")
        elif asked.as_json:
            for one in _counted(found, counts):
                click.echo(json.dumps(one.as_dict(), ensure_ascii=False), color=False)
        else:
            for one in _counted(found, counts):
                _tell(asked.output, one, limit=None if everything else _CAPTION)
    _sum_up(asked, counts)
    if exit_code and any(counts[kind] > 0 for kind in _KINDS):
        click.get_current_context().exit(1)


@contextmanager
def _trees(old: Path | None, new: Path | None, *, now: bool) -> Iterator[tuple[Tree, Tree]]:
    with ExitStack() as stack:
        if now:
            if old is not None:
                raise click.UsageError("--now compares the last build of the site; it takes no folders")
            old, new = stack.enter_context(_built_now(open_site()))
        if old is None or new is None:
            raise click.UsageError("name two folders: toolkit diff OLD NEW; or ask with --now")
        left, right = Tree(old), Tree(new)
        stack.callback(left.close)
        stack.callback(right.close)
        yield left, right


@contextmanager
def _built_now(site: Any) -> Iterator[tuple[Path, Path]]:
    """The last build, and one of now beside it that began as a copy of it, so that only what changed is rendered."""
    last = Builder(site)
    if not last.manifest_path.exists():
        raise click.UsageError(f"{last.output} was not built yet; run: toolkit build")
    with tempfile.TemporaryDirectory(prefix=".diff-", dir=last.output.parent) as scratch:
        folder = Path(scratch) / "now"
        shutil.copytree(last.output, folder, copy_function=shutil.copyfile)
        shutil.copyfile(last.manifest_path, folder.with_name("now.manifest.db"))
        Builder(site, output=folder, published=False).build()
        yield last.output, folder


def _counted(found: Iterator[Difference], counts: Counter[str]) -> Iterator[Difference]:
    for one in found:
        counts[one.kind] += 1
        counts["pages" if one.is_page else "files"] += 1
        counts["bytes"] += one.new_size - one.old_size
        yield one


def _tell(output: Output, one: Difference, *, limit: int | None) -> None:
    route = f" [{one.route}]" if one.route else ""
    if one.kind == "moved":
        leads = "redirected" if one.redirects else "not redirected"
        output.say(f"moved {url_path(one.was)} to {one.url} ({leads}){route}", style=_KINDS["moved"])
    else:
        sizes = (
            f"{one.old_size:,} to {one.new_size:,} bytes"
            if one.kind == "changed"
            else f"{one.new_size or one.old_size:,} bytes"
        )
        output.say(f"{one.kind} {one.url} ({sizes}){route}", style=_KINDS[one.kind])
    if one.kind == "changed" and one.is_page and not one.changes:
        output.say("    nothing that is read: markup, names of assets or scripts")
    lines = [line for change in one.changes for old, new in change.pairs() for line in _lines(old, new)]
    for line in lines[:limit]:
        output.say(f"    {line}")
    if limit is not None and len(lines) > limit:
        output.say(f"    ... and {len(lines) - limit} more; see them with --all")


def _lines(old: str, new: str) -> list[str]:
    if is_akin(old, new):
        marks = {"same": ("", ""), "old": ("[-", "-]"), "new": ("{+", "+}")}
        return ["~ " + "".join(f"{marks[kind][0]}{text}{marks[kind][1]}" for kind, text in word_changes(old, new))]
    return [f"{mark} {text}" for mark, text in (("-", old), ("+", new)) if text]


def _sum_up(asked: Invocation, counts: Counter[str]) -> None:
    if not any(counts[kind] > 0 for kind in _KINDS):
        asked.output.say("the builds are equal", style="green")
        return
    told = ", ".join(f"{counts[kind]} {kind}" for kind in _KINDS if counts[kind])
    asked.output.say(f"{told}: {counts['pages']} pages, {counts['files']} other files; {counts['bytes']:+,} bytes")
