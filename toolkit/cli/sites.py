"""Finding and opening the site that a command is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.builder.tables import bring_up
from toolkit.cli.invocation import Invocation, invocation
from toolkit.content import LoadReport, load_sources
from toolkit.site import Site, find_folder, load_site
from toolkit.trace import entered


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
    asked.site = load_site(asked.folder, settings=settings or None)
    return asked.site.prepare() if prepared else asked.site


def load_content(site: Site) -> LoadReport:
    """Make the tables that are missing, and the rows of the content sources what their files say.

    Raises:
        Problems: Everything that is wrong in the files; nothing was written.
    """
    with entered(site.scope()):
        bring_up(site)
        return load_sources(site.scope(), [source for app in site.apps for source in app.sources], site.folder)
