"""One digest of all code that pages are made by: the site's and apps' Python sources, the toolkit's, and versions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from toolkit.trace import digest, digest_bytes

LIBRARIES = ("jinja2", "markupsafe", "babel", "pyromark", "nh3", "lxml", "feedgen", "werkzeug", "sqlalchemy", "shapely")
"""Libraries whose version may change a page."""

_SKIPPED = {"__pycache__", "migrations", "tests", "node_modules"}


def code_digest(site: Any) -> bytes:
    """16 bytes that stand for all of it. Found once in the life of a process: code that runs does not change."""
    found: bytes | None = site.__dict__.get("_code_digest")
    if found is None:
        found = site.__dict__["_code_digest"] = _compute(site)
    return found


def _compute(site: Any) -> bytes:
    toolkit = Path(__file__).parent.parent
    sources: list[list[Any]] = [["toolkit", _sources(toolkit)]]
    sources += [[f"app {app.label}", _sources(app.folder)] for app in site.apps if toolkit not in app.folder.parents]
    own = sorted({*site.folder.glob("*.py"), *_imported(site.folder)})
    sources += [[path.relative_to(site.folder).as_posix(), digest_bytes(path.read_bytes())] for path in own]
    return digest([sources, [(name, _version(name)) for name in LIBRARIES], sys.version_info[:3]])


def _imported(folder: Path) -> Iterator[Path]:
    """Modules that were imported from the site's folder, whoever did, with all of the packages they belong to."""
    root = f"{folder}{os.sep}"
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py") or "site-packages" in file:
            continue
        if os.path.realpath(file).startswith(root) and Path(file).is_file():
            path = Path(os.path.realpath(file))
            yield path
            if "." not in name and path.name == "__init__.py":
                yield from (one for one in path.parent.rglob("*.py") if not _SKIPPED.intersection(one.parts))


def _sources(folder: Path) -> list[list[Any]]:
    found = []
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder)
        if not _SKIPPED.intersection(inside.parts):
            found.append([inside.as_posix(), digest_bytes(path.read_bytes())])
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
