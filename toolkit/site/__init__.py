"""The site: settings, apps, database, templates and locales, joined.

It is loaded when it is first asked for: ``toolkit why`` answers from a manifest, and asks the site only where that does
not do.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from toolkit.settings import STATE_FOLDER, find_folder

if TYPE_CHECKING:
    from toolkit.site.site import Site, load_site

__all__ = ["STATE_FOLDER", "Site", "find_folder", "load_site"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.site"), name)
    return value
