"""The site: settings, apps, database, templates and locales, joined.

It is loaded when it is first asked for: ``toolkit why`` answers from a manifest, and asks the site only where that does
not do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.folders import STATE_FOLDER, find_folder
from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.site.loading import load_site
    from toolkit.site.site import Site

__all__ = ["STATE_FOLDER", "Site", "find_folder", "load_site"]

__getattr__ = names_from(__name__, {"site": ["Site"], "loading": ["load_site"]})
