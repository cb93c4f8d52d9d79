"""Loading the content of the site that a command is about."""

from __future__ import annotations

from toolkit.builder.tables import bring_up
from toolkit.content import LoadReport, load_sources
from toolkit.site import Site
from toolkit.trace import entered


def load_content(site: Site) -> LoadReport:
    """Make the tables that are missing, and the rows of the content sources what their files say.

    Raises:
        Problems: Everything that is wrong in the files; nothing was written.
    """
    with entered(site.scope()):
        bring_up(site)
        return load_sources(site.scope(), [source for app in site.apps for source in app.sources], site.folder)
