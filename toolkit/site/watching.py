"""Files that page functions read with plain ``open()`` are inputs too: Python's audit events tell of them.

An audit hook cannot be taken away again (PEP 578), so there is one for the process; it looks only while a page is
being rendered, and only at files in the folder of the site at hand.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from toolkit.site.verifying import file_digest, folder_digest
from toolkit.trace import current

_LISTINGS = ("os.listdir", "os.scandir")
_OWN_SUFFIXES = (".py", ".pyc", ".db", ".db-wal", ".db-shm", ".db-journal")

_installed = False


def watch_files() -> None:
    """Begin to record files read by page functions. Further calls do nothing."""
    global _installed  # noqa: PLW0603 - audit hooks belong to the process, whatever we would like
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" and event not in _LISTINGS:
        return
    scope = current.get()
    if scope is None or scope.trace is None or not arguments or not isinstance(arguments[0], str | os.PathLike):
        return
    if sys._getframe(1).f_code.co_filename.startswith("<frozen "):
        return  # the import system looks for modules; code is an input of its own
    writes = event == "open" and isinstance(arguments[1], str) and any(mark in arguments[1] for mark in "wax+")
    if not writes:
        _record(scope, event, os.fspath(arguments[0]))


def _record(scope: Any, event: str, name: Any) -> None:
    if not isinstance(name, str) or name.endswith(_OWN_SUFFIXES):
        return
    site = scope.site
    relative = os.path.relpath(os.path.abspath(name), site.folder)  # noqa: PTH100 - a path need not exist
    if relative.startswith("..") or relative.partition(os.sep)[0] in site.watched_elsewhere:
        return
    trace, scope.trace = scope.trace, None  # our own reading is not the page's
    try:
        path = Path(site.folder, relative)
        if event == "open":
            trace.record("file", (Path(relative).as_posix(),), file_digest(path))
        else:
            trace.record("folder", (Path(relative).as_posix(),), folder_digest(path))
    finally:
        scope.trace = trace
