"""The commands, from their ``--help``."""

from __future__ import annotations

from collections.abc import Iterator

import click

from toolkit.cli.main import cli

WIDTH = 80


def commands() -> str:
    """A heading for each command, with what ``--help`` prints."""
    return "\n\n".join(_walk(cli, "toolkit", None))


def _walk(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    ctx = click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
    path = ctx.command_path
    yield f"{'##' if path.count(' ') < 2 else '###'} `{path}`\n\n```text\n{command.get_help(ctx)}\n```"
    if isinstance(command, click.Group):
        for below in command.list_commands(ctx):
            found = command.get_command(ctx, below)
            assert found is not None  # noqa: S101 - it was listed
            yield from _walk(found, below, ctx)
