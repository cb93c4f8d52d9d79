"""How a command fails: every problem as a letter, at most so many, and a count of the rest."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from toolkit.cli.invocation import Invocation
from toolkit.cli.output import Output
from toolkit.errors import Problems, ToolkitError

LETTERS = 50
"""Problems that are printed; ``--json`` gives all of them."""


def flatten(error: ToolkitError) -> Iterator[ToolkitError]:
    """The single problems of an error."""
    if isinstance(error, Problems):
        for problem in error.problems:
            yield from flatten(problem)
    else:
        yield error


def letter(problem: ToolkitError | str) -> str:
    """A problem as it is printed, with paths from here."""
    return str(problem).replace(f"{Path.cwd()}{os.sep}", "")


def problem_data(problem: ToolkitError) -> dict[str, Any]:
    """A problem for a machine."""
    return {
        "kind": type(problem).__name__,
        "message": problem.message,
        "path": None if problem.path is None else str(problem.path),
        "line": problem.line if problem.line is not None else problem.row,
        "column": problem.column,
        "url": problem.url,
        "hint": problem.hint,
    }


def report_failure(error: Exception, asked: Invocation) -> None:
    """Tell a failure: letters on stderr, and with ``--json`` the same on stdout."""
    problems = list(flatten(error if isinstance(error, ToolkitError) else unexpected(error, asked)))
    if asked.as_json:
        asked.output.data({"ok": False, "problems": [problem_data(problem) for problem in problems]})
    if isinstance(error, Problems):
        asked.output.note(f"{error.message}:", style="red")
    print_letters(problems, asked)


def report_misuse(error: click.UsageError) -> None:
    """Tell a machine, on stdout, that a command was called wrongly."""
    problem = ToolkitError(
        error.format_message(), hint=f"Ask with: {error.ctx.command_path} --help." if error.ctx else None
    )
    data = problem_data(problem) | {"kind": "UsageError"}
    Output(as_json=True).data({"ok": False, "problems": [data]})


def print_letters(problems: list[ToolkitError], asked: Invocation, *, indent: str = "") -> None:
    """Print problems on stderr, capped."""
    for problem in problems[:LETTERS]:
        asked.output.note(indent + letter(problem), style="red" if len(problems) == 1 else None)
    if len(problems) > LETTERS:
        asked.output.note(f"{indent}... and {len(problems) - LETTERS} more; mend these first, or ask with --json.")


def unexpected(error: Exception, asked: Invocation) -> ToolkitError:
    """An exception nobody foresaw, as a letter: at the line of the site's code, if it passed through any."""
    if isinstance(error, SyntaxError) and error.filename:
        return ToolkitError(f"Python cannot read it: {error.msg}", path=error.filename, line=error.lineno)
    frames = traceback.extract_tb(error.__traceback__)
    folder = f"{asked.folder.resolve()}{os.sep}"
    own = [frame for frame in frames if frame.filename.startswith(folder) and "site-packages" not in frame.filename]
    message = f"{type(error).__name__}: {error}"
    if own:
        return ToolkitError(
            message, path=own[-1].filename, line=own[-1].lineno, hint="Ask with --traceback for the whole story."
        )
    hint = "This is a fault of the toolkit, not of your site. Ask with --traceback, and report what it says."
    return ToolkitError(message, hint=hint)
