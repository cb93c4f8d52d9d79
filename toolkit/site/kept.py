"""What a function of the site keeps (``functools.cache``, ``lru_cache``) is read by each page that asks it.

Such a function reads for the first page that calls it, and answers the others from what it keeps. Those would be left
as they were when the file changed that it read, and a server would go on answering from the file as it once was. So the
decorators are exchanged for some that do the same, but while a page is made keep an answer for one state of the site,
one language and one viewer, along with what was read to find it, which is then in the trace of each page that has the
answer. Outside of pages, in views and scripts, they are Python's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast
from weakref import WeakKeyDictionary

from toolkit.models.keeping import note_rows
from toolkit.site.modules import is_elsewhere
from toolkit.trace import Scope, Trace, current

_lru_cache = functools.lru_cache


def tell_of_caches() -> None:
    """Exchange Python's decorators, for the process; functions that are none of a site's own get Python's."""
    functools.lru_cache = cast(Any, _told_lru_cache)
    functools.cache = cast(Any, _told_cache)


def _told_cache(user_function: Callable[..., Any], /) -> Any:
    """``functools.cache``."""
    return _told_lru_cache(maxsize=None)(user_function)


def _told_lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
    """``functools.lru_cache``."""
    if callable(maxsize):
        return _keep(maxsize, 128, typed=typed)

    def decorate(user_function: Callable[..., Any]) -> Any:
        return _keep(user_function, maxsize, typed=typed)

    return decorate


def _keep(function: Callable[..., Any], maxsize: int | None, *, typed: bool) -> Any:
    plain = _lru_cache(maxsize, typed)(function)
    code = getattr(function, "__code__", None)
    if code is None or is_elsewhere(code.co_filename):
        return plain
    answers = _Answers(function, lambda find: _lru_cache(maxsize, typed)(find))

    @functools.wraps(function)
    def kept(*arguments: Any, **named: Any) -> Any:
        scope = current.get()
        if scope is None or scope.trace is None:
            return plain(*arguments, **named)
        return answers.give(scope, scope.trace, arguments, named)

    def cache_clear() -> None:
        plain.cache_clear()
        answers.forget()

    told = cast(Any, kept)
    told.cache_info, told.cache_parameters, told.cache_clear = plain.cache_info, plain.cache_parameters, cache_clear
    return told


class _Answers:
    """What a function answered while pages were made.

    Args:
        function: It.
        make: Makes what keeps the answers for one state of the site.
    """

    def __init__(self, function: Callable[..., Any], make: Callable[[Callable[..., Any]], Any]) -> None:
        self.function = function
        self._make = make
        self.forget()

    def forget(self) -> None:
        """Keep nothing."""
        self._of_plans: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._of_trace: tuple[Trace | None, Any] = (None, None)

    def give(self, scope: Scope, trace: Trace, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """An answer; what was read to find it is in the trace then."""
        value, part = self._keeper(scope, trace)((scope.locale, scope.viewer), *arguments, **named)
        if part is not None:
            trace.include(part)
        note_rows(trace, value)
        return value

    def _keeper(self, scope: Scope, trace: Trace) -> Any:
        """Keeps answers for one plan; where the pages of a route are being found, for these."""
        if scope.rendering is not None:
            plan = scope.rendering.plan
            keeper = self._of_plans.get(plan)
            if keeper is None:
                keeper = self._of_plans[plan] = self._make(self._find)
            return keeper
        found, keeper = self._of_trace
        if found is not trace:
            keeper = self._make(self._find)
            self._of_trace = (trace, keeper)
        return keeper

    def _find(self, _view: Any, *arguments: Any, **named: Any) -> tuple[Any, Trace | None]:
        """The answer, and what was read to find it."""
        scope = current.get()
        if scope is None or scope.trace is None:
            return self.function(*arguments, **named), None
        outer, part = scope.trace, Trace(outer=scope.trace)
        scope.trace = part
        try:
            value = self.function(*arguments, **named)
        except BaseException:
            outer.include(part)
            raise
        finally:
            scope.trace, part.outer = outer, None
        return value, part if part.own or part.parts else None
