"""Finds out what a page's code reads that no trace knows of, by watching it once more, slowly.

Python's profiler tells of each call into C: the clock, chance, the system. What the site's own modules, functions and
caches hold is compared before and after: what rendering changes, rendering may depend on.
"""

from __future__ import annotations

import os
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random
from types import FrameType, FunctionType
from typing import Any

_CLOCK = "the wall clock"
_CHANCE = "chance"
_SYSTEM = "what the system says of a file"
_OUTSIDE = "another host or program"

_CALLS: dict[str, str] = {
    **{
        f"time.{name}": _CLOCK
        for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime", "strftime")
    },
    **dict.fromkeys(("datetime.now", "datetime.utcnow", "datetime.today", "date.today"), _CLOCK),
    **{f"Random.{name}": _CHANCE for name in ("random", "getrandbits", "seed", "setstate")},
    **{f"posix.{name}": _CHANCE for name in ("urandom", "getrandom")},
    **{f"posix.{name}": _SYSTEM for name in ("stat", "lstat", "access", "readlink", "statvfs")},
    **{f"posix.{name}": "the process" for name in ("getcwd", "getpid", "getppid", "uname", "getlogin", "cpu_count")},
    **{f"socket.{name}": _OUTSIDE for name in ("connect", "connect_ex", "recv", "getaddrinfo", "gethostname")},
    **{f"_socket.{name}": _OUTSIDE for name in ("getaddrinfo", "gethostname", "gethostbyname")},
    "_posixsubprocess.fork_exec": _OUTSIDE,
    "posix.system": _OUTSIDE,
    "builtins.id": "addresses in memory",
}
"""Function in C, as its module or class names it, to what it reads."""

_WATCHING = (f"{os.sep}site{os.sep}watching.py", f"{os.sep}site{os.sep}told.py")
_TOOLKIT = f"{Path(__file__).parent.parent}{os.sep}"
_PLAIN = (int, float, str, bytes, bool, complex, type(None), frozenset, Random, count)
_BOXES = (list, dict, set, tuple, deque, Counter, defaultdict, OrderedDict)
_DEPTH = 4
_MOST = 10_000


class Detective:
    """Watches code of one site.

    Args:
        site: The site.
    """

    def __init__(self, site: Any) -> None:
        self.site = site
        apps, own = site.code_folders
        self._beginnings: tuple[str, ...] = (*apps, *own)

    def watch(self, action: Callable[[], Any]) -> list[str]:
        """What an action reads that no trace knows of: what, and the line that does it."""
        found: dict[str, None] = {}

        def profile(frame: FrameType, event: str, argument: Any) -> None:
            if event == "c_call":
                what = _CALLS.get(_name_of(argument))
                where = self._line(frame) if what else ""
                if where:
                    found[f"{what} ({_spoken(argument)}) at {where}"] = None

        before = self._state()
        former = sys.getprofile()
        sys.setprofile(profile)
        try:
            action()
        finally:
            sys.setprofile(former)
        after = self._state()
        changed = [name for name, value in after.items() if before.get(name, value) != value]
        return [*found, *(f"{name}, which changes while pages are rendered" for name in changed)]

    def _line(self, frame: FrameType | None) -> str:
        """The line of the site's code that asks, itself or through a library; empty if the toolkit asks."""
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(self._beginnings) and "site-packages" not in name:
                path = Path(name)
                folder = self.site.folder
                shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else name
                template = frame.f_globals.get("__jinja_template__")  # runs as Python, whose lines nobody wrote
                line = frame.f_lineno if template is None else template.get_corresponding_lineno(frame.f_lineno)
                return f"{shown}:{line}"
            if name.startswith(_TOOLKIT) and not name.endswith(_WATCHING):
                return ""
            frame = frame.f_back
        return ""

    # what is held

    def _state(self) -> dict[str, Any]:
        """Name to a likeness of everything that can change in the site's modules, and in functions that pages run."""
        found: dict[str, Any] = {}
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and file.startswith(self._beginnings) and "site-packages" not in file:
                for name, value in list(vars(module).items()):
                    if not name.startswith("__"):
                        found.update(_held(f"{module.__name__}.{name}", value, module.__name__))
        for name, function in self.site.filters.items():
            found.update(_held(f"the filter {name!r}", function, None))
        return found


def _held(name: str, value: Any, module: str | None) -> Iterator[tuple[str, Any]]:
    """(name, likeness) of what a value holds: plain data, a function's attributes, its closure, its cache."""
    if isinstance(value, (*_PLAIN, *_BOXES)):
        yield name, _likeness(value, _DEPTH)
    elif hasattr(value, "cache_info"):
        yield f"the cache of {name}()", tuple(value.cache_info()[2:])
    elif isinstance(value, FunctionType) and module in (None, value.__module__):
        for place, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            yield from _held_plain(f"{place} of {name}()", cell.cell_contents)
        for number, default in enumerate(value.__defaults__ or ()):
            yield from _held_plain(f"a default of {name}() ({number})", default)
        for attribute, held in vars(value).items():
            yield from _held_plain(f"{name}.{attribute}", held)
    elif isinstance(value, type) and value.__module__ == module and not hasattr(value, "_meta"):
        for attribute, held in list(vars(value).items()):
            if not attribute.startswith("__"):
                yield from _held_plain(f"{name}.{attribute}", held)


def _held_plain(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (*_PLAIN, *_BOXES)):
        yield name, _likeness(value, _DEPTH)


def _likeness(value: Any, depth: int) -> Any:
    """Equal while a value stays as it is; of other objects only which they are."""
    if isinstance(value, Random):
        return hash(value.getstate())
    if type(value) is count:
        return repr(value)
    if isinstance(value, _PLAIN):
        return value
    if not isinstance(value, _BOXES) or not depth:
        return id(value)
    items = value.items() if isinstance(value, dict) else value
    if isinstance(value, set):
        return (len(value), frozenset(hash(item) for item in value))
    parts = []
    for place, item in enumerate(list(items)):
        if place == _MOST:
            break
        parts.append(_likeness(item, depth - 1))
    return (len(value), parts)


def _name_of(function: Any) -> str:
    """A C function's name, with its module or class."""
    qualified = getattr(function, "__qualname__", "")
    if "." in qualified:
        return str(qualified)
    module = getattr(function, "__module__", None)
    if module:
        return f"{module}.{qualified}"
    owner = getattr(function, "__self__", None)
    return f"{getattr(owner, '__name__', type(owner).__name__)}.{qualified}"


def _spoken(function: Any) -> str:
    """The same as people know it."""
    return _name_of(function).replace("posix.", "os.").replace("_socket.", "socket.").replace("Random.", "random.")
