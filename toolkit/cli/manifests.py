"""Opening the manifest of the last build, for commands that need the site as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit.builder.manifest import Manifest
from toolkit.builder.targets import FolderTarget
from toolkit.errors import BuildError


@contextmanager
def open_manifest(site: Any, output: Path | None = None) -> Iterator[Manifest]:
    """The manifest of the site's last build.

    Args:
        site: A prepared site.
        output: Another output folder than the site's.

    Raises:
        BuildError: There is none.
    """
    target = FolderTarget(output or site.folder / site.settings.peek("output"))
    if not target.manifest_path.exists():
        raise BuildError(f"{target.title} was not built yet", hint="Run: toolkit build.")
    manifest = Manifest(target.manifest_path, reading=True)
    try:
        yield manifest
    finally:
        manifest.close()
