"""``toolkit``: the entry point, and the table of its commands.

A command's module is imported when the command is called, so that ``toolkit --help`` costs little more than click.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import click

from toolkit.cli.groups import RootGroup
from toolkit.cli.invocation import Invocation, site_options

if TYPE_CHECKING:
    from toolkit.ahead import Begun

COMMANDS = {
    "new": ("toolkit.cli.new:new", "Make a small site that builds at once."),
    "build": ("toolkit.cli.build:build", "Publish the site as files, doing only what must be done."),
    "merge": ("toolkit.cli.merge:merge", "Put the outputs of 'toolkit build --shard' together."),
    "serve": ("toolkit.cli.serve:serve", "Answer HTTP with the same pages, on demand."),
    "check": ("toolkit.cli.check:check", "Find what is wrong with the site, before readers do."),
    "why": ("toolkit.cli.why:why", "Say what a page is made of, and why it was last rendered."),
    "impact": ("toolkit.cli.impact:impact", "Name the pages that read a row, a template, a message or a file."),
    "next": ("toolkit.cli.upcoming:upcoming", "Name the coming instants at which embargoes and expiries fall due."),
    "deploy": ("toolkit.cli.deploy:deploy", "Put the last build where readers are, sending only what changed."),
    "diff": ("toolkit.cli.diff:diff", "Compare two builds: pages that came, went, moved and changed, and their text."),
    "routes": ("toolkit.cli.routes:routes", "List every route with its paths, and where it is declared."),
    "settings": ("toolkit.cli.settings:settings", "Show each setting, its value and where it comes from."),
    "migrations": ("toolkit.cli.migrations:migrations", "Make the tables follow the models, and say whether they do."),
    "messages": ("toolkit.cli.messages:messages", "Extract, update, compile, check and count translations."),
    "data": ("toolkit.cli.data:data", "Rows in and out: content files, dumps, tables."),
    "renditions": ("toolkit.cli.renditions:renditions", "Look after the store of made images."),
    "shell": ("toolkit.cli.shell:shell", "Python with the site at hand."),
    "doctor": ("toolkit.cli.doctor:doctor", "Prove that this machine has all that the site needs."),
}
"""Name to (module:object, one line of help). A test holds each line to the command's own help."""


@click.group(
    cls=RootGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done, 1 problems in the site, 2 wrong usage.",
)
@click.version_option(None, "--version", package_name="publishing-toolkit", message="%(package)s %(version)s")
@site_options
def cli() -> None:
    """Publish a newsroom's site: as files, on demand, in all its languages."""


def main(begun: Begun | None = None) -> None:
    """Run the command with the arguments of the process.

    Args:
        begun: What was begun for it meanwhile.
    """
    try:
        cli(prog_name="toolkit", obj=Invocation(begun=begun))
    finally:
        gc.freeze()  # as Python ends it looks for circles in all that was imported: 0.08 s of 0.45
