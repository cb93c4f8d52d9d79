"""The modules of a process that are neither Python's, the toolkit's nor installed: those of sites, wherever they are.

Most of some thousand modules never change their place, and to look at each of them again was a fifteenth of a build of
fifty pages in a process that was forked from another, which copies what it looks at.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ELSEWHERE = (
    "<",
    *(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")),
    f"{Path(__file__).parent.parent}{os.sep}",
)
"""What has no file, Python's own, and the toolkit's."""

_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


@dataclass(frozen=True, slots=True)
class OwnModule:
    """A module that a site may have imported from its folders.

    Args:
        name: In ``sys.modules``.
        module: It.
        file: Where it is, as Python found it.
        real: The same, with links resolved.
    """

    name: str
    module: Any
    file: str
    real: str


_known: tuple[tuple[str, Any] | None, tuple[OwnModule, ...]] = (None, ())
"""The last module, in the order of imports, that was looked at and is none of them; and those that are, so far."""


def own_modules() -> tuple[OwnModule, ...]:
    """Those that are there now, in the order in which they were imported."""
    global _known  # as the modules, it belongs to the process
    last, found = _known
    items = _since(last)
    if items is None:
        found, items = (), list(sys.modules.items())
    kept = {one.name: one for one in found if sys.modules.get(one.name) is one.module}
    for name, module in items:
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and not is_elsewhere(file):
            if name not in kept:
                kept[name] = OwnModule(name, module, file, os.path.realpath(file))
        else:
            last = name, module
    _known = last, tuple(kept.values())
    return _known[1]


def _since(last: tuple[str, Any] | None) -> list[tuple[str, Any]] | None:
    """What was imported after a module, if it is still there; None if all must be looked at."""
    if last is None or sys.modules.get(last[0]) is not last[1]:
        return None
    found: list[tuple[str, Any]] = []
    try:
        for item in reversed(sys.modules.items()):
            if item[0] == last[0]:
                return found[::-1]
            found.append(item)
    except RuntimeError:  # another thread imports meanwhile
        return None
    return None


def is_elsewhere(file: str) -> bool:
    """Whether a file of code is Python's, the toolkit's or installed, or is none: no module of a site."""
    return file.startswith(_ELSEWHERE) or is_installed(file)


def is_installed(file: str) -> bool:
    """Whether a file is where libraries are installed."""
    return any(mark in file for mark in _INSTALLED)
