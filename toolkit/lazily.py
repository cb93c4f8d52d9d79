"""Modules that are imported when something in them is first asked for.

A command pays for what it uses: ``toolkit build`` imports no migrations while the tables fit, no process pool for one
page, and ``toolkit --help`` no database. Importing all of it took half of a build that renders one page.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import ModuleType
from typing import Any


def names_from(package: str, homes: Mapping[str, Iterable[str]], *, elsewhere: str = "") -> Callable[[str], Any]:
    """The ``__getattr__`` of a package (PEP 562); its ``dir()`` tells the names, too.

    Args:
        package: Its ``__name__``.
        homes: By module, below the package, the names that are in it; ``.module`` is beside the package.
        elsewhere: The module, seen from the package, whose ``MODULE`` says what there is in place of other names.
    """
    places = {name: module for module, names in homes.items() for name in names}
    there = vars(sys.modules[package])
    there["__dir__"] = lambda: sorted({*there, *places})

    def find(name: str) -> Any:
        if name not in places:
            complaint = f"module {package!r} has no attribute {name!r}"
            instead = importlib.import_module(elsewhere, package).MODULE.get(name) if elsewhere else None
            complaint = f"{complaint}. {instead}" if instead else complaint
            raise AttributeError(complaint, name=name, obj=sys.modules[package])
        value = there[name] = getattr(importlib.import_module(f".{places[name]}", package), name)
        return value

    return find


class LazyModule:
    """Stands for a module until something in it is asked for; beside an import for type checkers.

    Args:
        name: Its full name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _module(self) -> ModuleType:
        return importlib.import_module(self._name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
