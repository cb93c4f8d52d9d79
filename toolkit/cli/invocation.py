"""What every command is asked: for which site, how to speak, and how to fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from toolkit.cli.output import Output

if TYPE_CHECKING:
    from toolkit.ahead import Begun
    from toolkit.site import Site

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Invocation:
    """One call of the command.

    Attributes:
        folder: The site's folder, or one below it.
        as_json: A machine reads the answer.
        traceback: Let failures through as Python tells them.
        site: The site, once a command asked for it.
        begun: What was begun before the command was understood.
    """

    folder: Path = field(default_factory=Path.cwd)
    as_json: bool = False
    traceback: bool = False
    site: Site | None = None
    begun: Begun | None = None

    @property
    def output(self) -> Output:
        """How to speak."""
        return Output(as_json=self.as_json)


def invocation(ctx: click.Context | None = None) -> Invocation:
    """The call at hand."""
    found: Invocation = (ctx or click.get_current_context()).find_root().ensure_object(Invocation)
    return found


def _take(name: str, convert: Callable[[Any], Any] = lambda value: value) -> Callable[..., Any]:
    """A callback that puts an option's value into the invocation, if it was given."""

    def callback(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value:
            setattr(invocation(ctx), name, convert(value))
        return value

    return callback


_FOLDER = click.Path(exists=True, file_okay=False)


def site_options(function: F) -> F:
    """Add ``--site`` and ``--traceback``: to the group, and again to each command, so that either place will do."""
    options = [
        click.option(
            "--site",
            metavar="DIR",
            type=_FOLDER,
            expose_value=False,
            callback=_take("folder", Path),
            help="The site's folder, or one below it.  [default: here]",
        ),
        click.option(
            "--traceback",
            is_flag=True,
            expose_value=False,
            callback=_take("traceback"),
            help="Show Python's traceback when something fails.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def json_option(function: F) -> F:
    """Add ``--json``."""
    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_take("as_json"),
        help="Answer in JSON on stdout.",
    )(function)


def site_argument(function: F) -> F:
    """Add an optional ``[DIR]``, for commands that take nothing else: ``toolkit build docs``."""
    return click.argument(
        "dir", metavar="[DIR]", required=False, type=_FOLDER, expose_value=False, callback=_take("folder", Path)
    )(function)


def is_ci() -> bool:
    """Whether nobody watches: most CI services set ``CI=true``."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def is_interactive() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty() and not is_ci()
