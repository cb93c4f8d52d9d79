"""Speaking: rich on a terminal, plain lines in CI and in pipes, JSON to machines."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import click

Progress = Callable[[int, int], None]

EVERY_SECONDS = 10.0
"""How often a log is told how far it is."""


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody watches: a terminal that can do more than print, and no CI."""
    ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return stream.isatty() and not ci and os.environ.get("TERM") != "dumb"


def has_colours(stream: TextIO) -> bool:
    """Whether colours are wanted. Source: https://no-color.org."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


class Output:
    """Where a command speaks.

    Args:
        as_json: Say nothing on stdout but one JSON document.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    def say(self, text: str = "", *, style: str | None = None) -> None:
        """A line of the answer; nothing if a machine asked."""
        if not self.as_json:
            self._write(text, sys.stdout, style)

    def note(self, text: str, *, style: str | None = None) -> None:
        """A line beside the answer, on stderr."""
        self._write(text, sys.stderr, style)

    def _write(self, text: str, stream: TextIO, style: str | None) -> None:
        colours = has_colours(stream)
        click.echo(click.style(text, fg=style) if style and colours else text, file=stream, color=colours)

    def data(self, value: Any) -> None:
        """The answer for a machine."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str), color=False)

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table: drawn on a terminal, columns of text elsewhere."""
        texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
        if self.as_json:
            return
        if is_terminal(sys.stdout):
            self._draw(headers, texts)
            return
        widths = [max(map(len, column)) for column in zip(headers, *texts, strict=True)]
        for row in [list(headers), *texts]:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            click.echo(line.rstrip(), color=False)

    def _draw(self, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        used = [place for place in range(len(headers)) if any(row[place] for row in rows)] or range(len(headers))
        table = Table(*(headers[place] for place in used), box=None, header_style="bold", pad_edge=False)
        for row in rows:
            table.add_row(*(Text(row[place], overflow="fold") for place in used))
        Console(no_color=not has_colours(sys.stdout)).print(table)

    @contextmanager
    def progress(self, unit: str) -> Iterator[Progress]:
        """A function to be told (done, total); shows a bar on a terminal, and now and then a line elsewhere.

        Args:
            unit: What is counted, in the plural.
        """
        if self.as_json:
            yield lambda done, total: None
            return
        if not is_terminal(sys.stderr):
            yield PlainProgress(unit, self.note)
            return
        with _bar(unit) as tell:
            yield tell


class PlainProgress:
    """Progress for logs: a line every ten seconds, so that a short task says nothing.

    Args:
        unit: What is counted, in the plural.
        write: Takes a line.
        clock: Seconds that only grow.
    """

    def __init__(self, unit: str, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._unit = unit
        self._write = write
        self._clock = clock
        self._pace = Pace(clock)
        self._told = clock()

    def __call__(self, done: int, total: int) -> None:
        """Say how far it is, if that was long ago."""
        self._pace.note(done, total)
        now = self._clock()
        if now - self._told >= EVERY_SECONDS:
            self._told = now
            self._write(f"{self._unit}: {done:,} of {total:,}{self._pace.text(self._unit, ', ')}")


class Pace:
    """How fast something goes, and how long it will take.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._done = self._total = 0

    def note(self, done: int, total: int) -> None:
        """Note how far it is; less than before means that something else has begun."""
        if done < self._done or total != self._total:
            self._started = self._clock()
        self._done, self._total = done, total

    def text(self, unit: str, before: str = "") -> str:
        """Units a second, and the time that is left; empty as long as nobody knows."""
        elapsed = self._clock() - self._started
        if elapsed < 0.1 or not self._done:
            return ""
        speed = self._done / elapsed
        left = (self._total - self._done) / speed
        return f"{before}{speed:,.0f} {unit}/s, {spoken(left)} left"


def spoken(seconds: float) -> str:
    """A time in the two largest units: ``8 s``, ``2 min 5 s``, ``1 h 4 min``."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def _bar(unit: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    speed = TextColumn("{task.fields[speed]}")
    columns = (TextColumn(unit), BarColumn(), MofNCompleteColumn(), speed, TimeElapsedColumn())
    # Not refreshed by itself, which takes a thread: a build forks its workers from this process.
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(unit, total=None, speed="")
        pace = Pace()

        def tell(done: int, total: int) -> None:
            pace.note(done, total)
            bar.update(task, completed=done, total=total, speed=pace.text(unit), refresh=True)

        yield tell
