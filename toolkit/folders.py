"""Where a site is: little enough to be known before anything else of it is imported."""

from __future__ import annotations

from pathlib import Path

from toolkit.errors import DeclarationError

FILE_NAME = "toolkit.toml"
STATE_FOLDER = ".toolkit"
"""Derived files of a site, in its folder: compiled templates, parsed catalogs. May be deleted at any time."""


def find_folder(start: Path) -> Path:
    """The nearest folder at or above with a ``toolkit.toml``.

    Raises:
        DeclarationError: There is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise DeclarationError(f"there is no {FILE_NAME} at or above {start}", hint="Make a site with: toolkit new DIR.")
