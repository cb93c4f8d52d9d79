"""Files that a site's own code reads with plain ``open()`` are inputs too: Python's audit events tell of them.

An audit hook cannot be taken away again (PEP 578), so there is one for the process; it looks only while a page is being
rendered or planned, and only at what the site's own functions read: not at what the toolkit reads for them, such as
templates, which are inputs of kinds of their own.

Seen are ``open()`` and what is made of it (``Path.read_text``, ``json.load(open(...))``), also of files that are not
there; ``os.listdir``, ``os.scandir`` and what is made of them (``Path.iterdir``, ``glob``); and ``sqlite3.connect``.
Not seen, because Python tells nobody of them: ``Path.exists``, ``os.stat``, ``os.environ``, sockets.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from types import FrameType
from typing import Any

from toolkit.site.verifying import file_digest, folder_digest
from toolkit.trace import Scope, current

_EVENTS = {"open": "file", "os.listdir": "folder", "os.scandir": "folder", "sqlite3.connect": "file"}
_CODE = (".py", ".pyc")
_TOOLKIT = f"{Path(__file__).parent.parent}{os.sep}"
_LIBRARY = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
_NO_FILES = ("/dev/", "/proc/", "/sys/")

_installed = False


def watch_files() -> None:
    """Begin to record files read by page functions. Further calls do nothing."""
    global _installed  # audit hooks belong to the process, whatever we would like
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    kind = _EVENTS.get(event)
    if kind is None:
        return
    scope = current.get()
    if scope is None or scope.trace is None or not arguments or not _is_ours(sys._getframe(1), scope.site):
        return
    if event == "open" and _writes(*arguments[1:3]):
        return
    name = "." if arguments[0] is None else arguments[0]  # os.listdir() of the current folder
    if isinstance(name, str | bytes | os.PathLike):
        _record(scope, kind, os.fsdecode(name), database=event == "sqlite3.connect")


def _writes(mode: Any = None, flags: Any = None) -> bool:
    """Whether a file is opened for writing; ``os.open`` has flags and no mode."""
    if isinstance(mode, str):
        return any(mark in mode for mark in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _is_ours(frame: FrameType | None, site: Any) -> bool:
    """Whether code of the site or its apps reads, itself or through a library: the toolkit's frames end the search."""
    apps, own = getattr(site, "code_folders", ((), ()))
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return False  # the import system looks for modules; code is an input of its own
        if name.startswith(apps) or (name.startswith(own) and "site-packages" not in name):
            return True
        if name.startswith(_TOOLKIT):
            return False
        frame = frame.f_back
    return False


def _record(scope: Scope, kind: str, name: str, *, database: bool) -> None:
    place = os.path.abspath(name)  # noqa: PTH100 - a path need not exist
    if place.endswith(_CODE) or place.startswith((*_LIBRARY, *_NO_FILES)) or name in ("", ":memory:"):
        return
    key = os.path.relpath(_below(place, scope.site.folder), scope.site.folder).replace(os.sep, "/")
    path = Path(scope.site.folder, key)
    trace, scope.trace = scope.trace, None  # our own reading is not the page's
    if trace is None:
        return
    try:
        trace.record(kind, (key,), file_digest(path) if kind == "file" else folder_digest(path))
        if database:  # what was written and not yet moved into the file itself
            trace.record(kind, (f"{key}-wal",), file_digest(Path(f"{path}-wal")))
    finally:
        scope.trace = trace


def _below(place: str, folder: Path) -> str:
    """A path as it is below the site's folder, if it is; that folder may have been reached through a link."""
    if place.startswith(f"{folder}{os.sep}"):
        return place
    real = os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place))  # noqa: PTH118, PTH119, PTH120
    return real if real.startswith(f"{folder}{os.sep}") else place
