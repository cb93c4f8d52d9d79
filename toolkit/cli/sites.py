"""Finding and opening the site that a command is about."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

import toolkit.site
from toolkit.cli.invocation import Invocation, invocation
from toolkit.folders import find_folder

if TYPE_CHECKING:
    from toolkit.site import Site


def open_site(*, settings: Mapping[str, Any] | None = None, prepared: bool = True) -> Site:
    """The site of the call at hand.

    Args:
        settings: Settings given on the command line; they win over all others.
        prepared: With its declarations checked.

    Raises:
        ToolkitError: There is none here, or something is wrong with its declarations.
    """
    asked: Invocation = invocation()
    asked.folder = find_folder(asked.folder)
    asked.site = toolkit.site.load_site(asked.folder, settings=settings or None)
    click.get_current_context().call_on_close(partial(_close, asked.site))
    if prepared:
        asked.site.prepare()
    _collect_again()
    return asked.site


def _collect_again() -> None:
    """Let Python look for circles again, where the command turned that off; not in what is there, which stays."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _close(site: Site) -> None:
    """Close its databases, of which SQLite's then keep no second file; unless nobody asked for them."""
    if "databases" in vars(site):
        site.databases.close_all()
