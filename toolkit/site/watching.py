"""What a site's own code reads past the toolkit is an input too: files, variables, other hosts and programs.

Python's audit events tell of files and hosts. An audit hook cannot be taken away again (PEP 578), so there is one for
the process. Of ``os.stat`` and its kin and of ``os.environ`` Python tells nobody, so they are exchanged for what tells,
and otherwise does the same (``toolkit.site.told``). All of it looks only while a page is being rendered or planned, and
only at what the site's own functions read, in threads that they begin as well: not at what the toolkit reads for them,
such as templates, which are inputs of kinds of their own.

Seen are ``open()`` and what is made of it (``Path.read_text``, ``json.load(open(...))``), also of files that are not
there; ``os.listdir``, ``os.scandir`` and what is made of them (``Path.iterdir``, ``glob``); ``os.stat``, ``os.access``
and what is made of them (``Path.exists``, ``os.path.isfile``), which counts as reading the file; ``os.lstat``,
``os.readlink`` and what is made of them (``Path.resolve``, ``os.path.islink``); ``sqlite3.connect``; ``os.environ``,
``os.getenv``; connections to other hosts and processes that are started, whose answers nobody can verify, so that the
page is made anew by every build; the wall clock, asked by the site's own modules (``toolkit.site.clock``), likewise.
What a module reads while a page's function imports it is read by every page after.
Not seen, because nothing can tell of them: chance, a file's times, values kept between pages, files
that a library opens past Python.
``toolkit check`` looks for those in the source, and ``toolkit build --paranoid`` in what comes out.
"""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from toolkit.folders import STATE_FOLDER
from toolkit.site import told
from toolkit.site.clock import tell_of_clock
from toolkit.site.kept import tell_of_caches
from toolkit.site.modules import own_modules
from toolkit.site.verifying import file_digest, folder_digest, link_digest
from toolkit.trace import UNVERIFIABLE, Trace, current

_EVENTS = {"open": "file", "os.listdir": "folder", "os.scandir": "folder", "sqlite3.connect": "file"}
_OUTSIDE = {
    "socket.connect": 1,
    "socket.getaddrinfo": 0,
    "urllib.Request": 0,
    "subprocess.Popen": 0,
    "socket.gethostname": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "os.system": 0,
    "os.posix_spawn": 0,
    "os.fork": 0,
    "os.forkpty": 0,
}
"""Events of asking others, to which of the arguments says whom."""

_CODE = (".py", ".pyc")
_TOOLKIT = f"{Path(__file__).parent.parent}{os.sep}"
_LIBRARY = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
_IMPORTING = ("<frozen importlib", f"{Path(importlib.__file__).parent / 'metadata'}{os.sep}")
_NO_FILES = ("/dev/", "/proc/", "/sys/")
_FILES = "/dev/shm/"  # noqa: S108 - nothing is written there
"""What is kept in memory there are files like others."""

_installed = False


class Loading:
    """What a site's modules read while they are imported; stands for a scope and its site meanwhile.

    Args:
        folder: The site's.

    Attributes:
        trace: What was read.
        wrote: Whether a file was written, or a program begun, which may write some.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code_folders = ((), tuple({f"{one}{os.sep}" for one in (folder, folder.resolve())}))
        self.trace: Trace | None = Trace()
        self.wrote = False
        self._before = {one.name for one in own_modules()}

    @property
    def site(self) -> Loading:
        """As a scope has it."""
        return self

    @property
    def inputs(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Kind and key of each thing that was read."""
        yield from self.trace.inputs if self.trace is not None else ()

    def read(self) -> dict[tuple[str, tuple[Any, ...]], bytes]:
        """Kind and key of each, with the digest of what was read."""
        return dict(self.trace.inputs) if self.trace is not None else {}

    def modules(self) -> Iterator[Path]:
        """The files of all modules that were imported since it began and are neither Python's nor installed."""
        return (Path(one.file) for one in own_modules() if one.name not in self._before)


_loading: Loading | None = None


@contextmanager
def loading(folder: Path) -> Iterator[Loading]:
    """Record what a site's modules read while they are imported. Within another, it is the same.

    Args:
        folder: The site's.
    """
    global _loading  # as the import system and its audit events, it belongs to the process
    if _loading is not None:
        yield _loading
        return
    watch_files()
    _loading = Loading(folder)
    try:
        yield _loading
    finally:
        _loading = None
        told.tell_pools()


def _scope() -> Any:
    """The scope that is read in, or what stands for one."""
    return current.get() or _loading


def watch_files() -> None:
    """Begin to record files read by page functions. Further calls do nothing."""
    global _installed  # audit hooks belong to the process, whatever we would like
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)
        told.tell(_Hearer())
        tell_of_caches()
        tell_of_clock(_note_clock)


def _hook(event: str, arguments: tuple[Any, ...], *, is_ending: Callable[[], bool] = sys.is_finalizing) -> None:
    if is_ending():  # the names of this module are gone by then, and nobody reads for a page
        return
    kind = _EVENTS.get(event)
    if _loading is not None and (event in _OUTSIDE or (event == "open" and _writes_ours(arguments))):
        _loading.wrote = True
    if kind is None:
        if event in _OUTSIDE:
            _ask_outside(sys._getframe(1), event, arguments)
        return
    if not arguments or (scope := _reading_scope(sys._getframe(1))) is None:
        return
    if event == "open" and _writes(*arguments[1:3]):
        return
    name = "." if arguments[0] is None else arguments[0]  # os.listdir() of the current folder
    if isinstance(name, str | bytes | os.PathLike):
        _record(scope, kind, os.fsdecode(name), database=event == "sqlite3.connect")


def _reading_scope(frame: FrameType) -> Any:
    """The scope that a frame reads in, if it is the site's own code that reads and somebody records it."""
    scope = _scope()
    if scope is None or scope.trace is None:
        return None
    trace, scope.trace = scope.trace, None  # finding out where the site's code is looks at files, too
    try:
        ours = _is_ours(frame, scope.site)
    finally:
        scope.trace = trace
    return scope if ours else None


def _note_status(scope: Any, name: str) -> None:
    """Record that it was looked what is at a path; a file counts as read, since its size is of its content."""
    trace, scope.trace = scope.trace, None  # our own looking is not the page's
    try:
        is_folder, is_there = os.path.isdir(name), os.path.exists(name)  # noqa: PTH110, PTH112 - as written
    finally:
        scope.trace = trace
    if is_folder or not is_there:  # what is not there may become either
        _record(scope, "folder", name, database=False)
    if not is_folder:
        _record(scope, "file", name, database=False)


def _note_link(scope: Any, name: str) -> None:
    """Record that it was looked whether a path is a link, and where to.

    Not of the folders that lead to the site's, nor of others beside it: those say where a machine keeps things.
    """
    place = os.path.abspath(name)  # noqa: PTH100 - a path need not exist
    folder = str(scope.site.folder)
    trace, scope.trace = scope.trace, None  # our own looking is not the page's
    try:
        is_plain_folder = os.path.isdir(place) and not os.path.islink(place)  # noqa: PTH112, PTH114 - as written
        is_file = os.path.isfile(place)  # noqa: PTH113 - as written
    finally:
        scope.trace = trace
    if f"{folder}{os.sep}".startswith(f"{place}{os.sep}") or (is_plain_folder and not _is_below(place, folder)):
        return
    _record(scope, "link", name, database=False)
    if is_file:
        _record(scope, "file", name, database=False)


def _ask_outside(frame: FrameType, event: str, arguments: tuple[Any, ...]) -> None:
    """Whoever is asked, nobody can say whether the answer would be the same today."""
    scope = _reading_scope(frame)
    if scope is not None and scope.trace is not None:
        place = _OUTSIDE[event]
        whom = f" {arguments[place]!r}" if len(arguments) > place else ""
        _note(scope, "outside", f"{event}{whom}"[:200], UNVERIFIABLE)


def _writes(mode: Any = None, flags: Any = None) -> bool:
    """Whether a file is opened for writing; ``os.open`` has flags and no mode."""
    if isinstance(mode, str):
        return any(mark in mode for mark in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _writes_ours(arguments: tuple[Any, ...]) -> bool:
    """Whether a file is opened for writing that may be one of the site's: not Python's bytecode, nor what we derive.

    What has a number was opened by its name before, as Python does with bytecode.
    """
    if not _writes(*arguments[1:3]) or isinstance(arguments[0], int):
        return False
    name = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else ""
    return "__pycache__" not in name and f"{os.sep}{STATE_FOLDER}{os.sep}" not in name


def _is_ours(frame: FrameType | None, site: Any) -> bool:
    """Whether code of the site or its apps reads, itself or through a library: the toolkit's frames end the search."""
    apps, own = getattr(site, "code_folders", ((), ()))
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_IMPORTING) and frame.f_code.co_name != "get_data":
            return False  # the import system looks for modules and distributions; code is an input of its own
        if name.startswith(apps) or (name.startswith(own) and "site-packages" not in name):
            return True
        if name.startswith(_TOOLKIT) and name != told.__file__:
            return False
        frame = frame.f_back
    return told.is_begun_by_page()


def _is_importing(scope: Any) -> bool:
    """Whether a module of the site reads while a page's function imports it: it does so for the first page only."""
    apps, own = getattr(scope.site, "code_folders", ((), ()))
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name == "<module>" and code.co_filename.startswith((*apps, *own)):
            return True
        frame = frame.f_back
    return False


def _note(scope: Any, kind: str, name: str, value: bytes) -> None:
    """Record what the site's code read, for this page, and for the others if it is a module that has it now."""
    scope.trace.record(kind, (name,), value)
    if scope is not _loading and _is_importing(scope):
        scope.site.read_late[kind, (name,)] = value


def _record(scope: Any, kind: str, name: str, *, database: bool) -> None:
    place = os.path.abspath(name)  # noqa: PTH100 - a path need not exist
    if place.endswith(_CODE) or place.startswith(_LIBRARY) or name in ("", ":memory:"):
        return
    if place.startswith(_NO_FILES) and not place.startswith(_FILES):
        return
    key = os.path.relpath(_as_below(place, scope.site.folder), scope.site.folder).replace(os.sep, "/")
    path = Path(scope.site.folder, key)
    trace, scope.trace = scope.trace, None  # our own reading is not the page's
    if trace is None:
        return
    try:
        value = _DIGESTS[kind](path)
        log = file_digest(Path(f"{path}-wal")) if database else None  # what is not yet moved into the file itself
    finally:
        scope.trace = trace
    _note(scope, kind, key, value)
    if log is not None:
        _note(scope, kind, f"{key}-wal", log)


def _note_clock(frame: FrameType, path: str, line: int) -> None:
    """The time is another at each build."""
    scope = _reading_scope(frame)
    if scope is not None:
        folder = f"{scope.site.folder}{os.sep}"
        _note(scope, "outside", f"the wall clock, at {path.removeprefix(folder)}:{line}", UNVERIFIABLE)


class _Hearer:
    """Is told of what was exchanged."""

    find_scope = staticmethod(_reading_scope)
    note_status = staticmethod(_note_status)
    note_link = staticmethod(_note_link)
    note = staticmethod(_note)


_DIGESTS = {"file": file_digest, "folder": folder_digest, "link": link_digest}


def _as_below(place: str, folder: Path) -> str:
    """A path as it is below the site's folder, if it is; that folder may have been reached through a link."""
    if _is_below(place, str(folder)):
        return place
    real = os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place))  # noqa: PTH118, PTH119, PTH120 - for each file that is opened
    return real if _is_below(real, str(folder)) else place


def _is_below(place: str, folder: str) -> bool:
    return place.startswith(f"{folder}{os.sep}")
