"""Python's source files below a folder, by what is in them."""

from __future__ import annotations

import os

from toolkit.trace import digest_bytes

SKIPPED = {"__pycache__", "migrations", "tests", "node_modules"}
"""Folders whose files make no page."""

TOOLKIT = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - a text is wanted


def python_sources(folder: str) -> list[tuple[str, bytes]]:
    """Name and digest of each file; by plain strings, for paths as objects took twice as long for the toolkit's 600."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for path in [os.path.join(place, name) for name in files if name.endswith(".py")]:  # noqa: PTH118 - see above
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
                found.append((path[len(folder) + 1 :].replace(os.sep, "/"), digest_bytes(file.read())))
    return sorted(found)
