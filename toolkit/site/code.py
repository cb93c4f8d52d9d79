"""One digest of all code that pages are made by: the site's and apps' Python sources, the toolkit's, and versions."""

from __future__ import annotations

import sys
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
    folders = sorted({Path(__file__).parent.parent, *(app.folder for app in site.apps)})
    sources = [[folder.name, _sources(folder)] for folder in folders]
    own = [[path.name, digest_bytes(path.read_bytes())] for path in sorted(site.folder.glob("*.py"))]
    return digest([sources, own, [(name, _version(name)) for name in LIBRARIES], sys.version_info[:3]])


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
