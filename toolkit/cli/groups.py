"""Groups of commands that import a command when it is called, and end every failure with a letter."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.invocation import invocation
from toolkit.lazily import LazyModule

if TYPE_CHECKING:
    from toolkit.cli import failing
else:
    failing = LazyModule("toolkit.cli.failing")


_WANTS_JSON = "toolkit.wants_json"


class LazyGroup(click.Group):
    """A group whose commands are named, and imported when they are asked for.

    Args:
        lazy: Name to (``module:object``, one line of help).
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return [*self.lazy, *sorted(self.commands)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, or None."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown name, suggest the nearest."""
        name = args[0]
        known = self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            raise click.exceptions.NoSuchCommand(name, possibilities=known, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without importing any."""
        rows = [(name, text) for name, (_, text) in self.lazy.items()]
        rows += [(name, command.get_short_help_str(80)) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class RootGroup(LazyGroup):
    """The command as a whole: whatever goes wrong below it ends as a letter and an exit status."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note whether a machine reads the answer, even where the rest cannot be understood."""
        ctx.meta[_WANTS_JSON] = "--json" in args
        with _misuse_told(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a failure is told on stderr, and with ``--json`` on stdout too."""
        with _misuse_told(ctx):
            return guarded(ctx, lambda: super(RootGroup, self).invoke(ctx))


@contextmanager
def _misuse_told(ctx: click.Context) -> Iterator[None]:
    """With ``--json`` a wrong call is told on stdout, too; click tells it on stderr."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        if ctx.meta[_WANTS_JSON]:
            failing.report_misuse(error)
        raise


def guarded(ctx: click.Context, run: Callable[[], Any]) -> Any:
    """Run something, and end its failures as ``report_failure`` says."""
    try:
        return run()
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        asked = invocation(ctx)
        if asked.traceback:
            raise
        failing.report_failure(error, asked)
        ctx.exit(1)
