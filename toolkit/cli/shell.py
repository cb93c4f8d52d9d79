"""``toolkit shell``: Python with the site at hand."""

from __future__ import annotations

import code
import sys
from typing import Any

import click

from toolkit import url_for
from toolkit.cli.invocation import invocation, site_options
from toolkit.cli.sites import open_site
from toolkit.models import F, Now, Q


@click.command()
@click.option("--command", "-c", metavar="CODE", help="Run this and end.")
@site_options
def shell(command: str | None) -> None:
    """Python with the site at hand.

    That is its models, Q, F, Now, url_for, and 'site' itself. You are an editor here: drafts are seen, and what you
    save is saved. Code on stdin is run too.
    """
    site = open_site()
    names = namespace(site)
    with site:
        if command is not None or not sys.stdin.isatty():
            source = command if command is not None else sys.stdin.read()
            exec(compile(source, "<command>" if command is not None else "<stdin>", "exec"), names)  # noqa: S102 - asked for
            return
        _interact(names, site)


def namespace(site: Any) -> dict[str, Any]:
    """The names at hand."""
    models = {model.__name__: model for model in site.models if not model._meta.hidden}
    return {"__name__": "__main__", "site": site, "Q": Q, "F": F, "Now": Now, "url_for": url_for, **models}


def _interact(names: dict[str, Any], site: Any) -> None:
    """Read and run lines, with completion where Python has readline."""
    try:
        import readline
        import rlcompleter
    except ImportError:
        pass
    else:
        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    models = ", ".join(model.__name__ for model in site.models if not model._meta.hidden)
    banner = f"{site.settings.peek('title')}: {models or 'no models'}; site, Q, F, Now, url_for"
    code.interact(banner=banner, local=names, exitmsg="")
    invocation().output.note("")
