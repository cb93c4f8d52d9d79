"""A site, from the folder that it is in."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import DeclarationError
from toolkit.folders import FILE_NAME, find_folder
from toolkit.settings import load_settings
from toolkit.site.site import Site
from toolkit.site.watching import loading


def load_site(folder: Path, *, settings: Mapping[str, Any] | None = None) -> Site:
    """The site that a folder's ``toolkit.toml`` names.

    Args:
        folder: The site's folder, or one below it.
        settings: Settings that win over all others.

    Raises:
        ToolkitError: It names none, or it cannot be imported.
    """
    folder = find_folder(folder)
    name = load_settings(folder, overrides=settings).peek("site")
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise DeclarationError(
            f"{folder / FILE_NAME}: the setting 'site' names no Site", hint='Write site = "newsroom.site:site".'
        )
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        with loading(folder) as loaded:
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name not in (module_name, module_name.partition(".")[0]):
            raise
        raise DeclarationError(
            f"the setting site = {name!r}: there is no module {module_name!r} in {folder}"
        ) from error
    site = getattr(module, attribute, None)
    if not isinstance(site, Site):
        raise DeclarationError(f"the setting site = {name!r}: {module_name}.{attribute} is no Site")
    site.read_at_import.update(loaded.read())
    if settings:
        site.override(settings)
    return site
