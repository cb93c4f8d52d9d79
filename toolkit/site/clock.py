"""The wall clock, asked by the site's own modules, is an input that nobody can ask again.

Python tells nobody when ``datetime.now()`` is called, and its class cannot be exchanged. So modules that call it by a
name that they import are compiled with one change: such a call goes through a function that tells of it. Lines stay
where they are. How long something takes, by ``time.monotonic()`` and ``time.perf_counter()``, is not asked for: that
is no date.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from toolkit.site.calls import clock_calls, may_read_clock
from toolkit.site.modules import is_elsewhere

_NAME = "__toolkit_clock__"


def tell_of_clock(tell: Callable[[FrameType, str, int], None]) -> None:
    """Compile modules so that they tell, from now on.

    Args:
        tell: Is told who asks: the frame, its file and the line.
    """

    def told(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        frame = sys._getframe(1)
        tell(frame, frame.f_code.co_filename, frame.f_lineno)
        return function(*arguments, **named)

    place = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(place, _Finder(told))


class _Finder:
    """Finds modules as Python does, and has those of a site that ask for the time compiled by another loader."""

    def __init__(self, told: Callable[..., Any]) -> None:
        self._told = told

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What Python's own finder says, if it is of a module that asks for the time; else None, and it is asked."""
        if name.partition(".")[0] in sys.stdlib_module_names or (path is not None and all(map(is_elsewhere, path))):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or is_elsewhere(spec.loader.path):
            return None
        if not may_read_clock(Path(spec.loader.path).read_bytes()):
            return None
        spec.loader = _Loader(name, spec.loader.path, self._told)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, told: Callable[..., Any]) -> None:
        super().__init__(name, path)
        self._told = told

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[_NAME] = self._told
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        try:
            tree = ast.parse(self.get_data(path), path)
        except (SyntaxError, ValueError):
            return super().get_code(fullname)  # which says it as Python does
        calls = clock_calls(tree)
        if not calls:
            return super().get_code(fullname)
        for call in calls:
            call.args.insert(0, call.func)
            call.func = ast.copy_location(ast.Name(_NAME, ast.Load()), call.func)
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code
