"""What Python tells nobody of is exchanged for what tells, and otherwise does the same.

``os.stat``, ``os.lstat``, ``os.access``, ``os.readlink`` and ``os.environ`` raise no audit event. A thread begins with
an empty context, so what it reads for a page would be nobody's: one that the site's code begins while a page is made
has the page's.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from types import FrameType
from typing import Any, Protocol

from toolkit.site.verifying import EVERY_VARIABLE, environment_digest


class Hearer(Protocol):
    """Is told of reads."""

    def find_scope(self, frame: FrameType) -> Any:
        """The scope that a frame reads in, if it is the site's own code that reads and somebody records it."""

    def note_status(self, scope: Any, name: str) -> None:
        """Record that it was looked what is at a path."""

    def note_link(self, scope: Any, name: str) -> None:
        """Record that it was looked whether a path is a link, and where to."""

    def note(self, scope: Any, kind: str, name: str, value: bytes) -> None:
        """Record anything."""


_hearer: Hearer | None = None

_stat, _lstat, _access, _readlink = os.stat, os.lstat, os.access, os.readlink
_start = threading.Thread.start


def tell(hearer: Hearer) -> None:
    """Exchange them, for the process; once."""
    global _hearer  # as the functions, it is the process's
    _hearer = hearer
    os.stat = _told_stat
    os.lstat = _told_lstat
    os.access = _told_access
    os.readlink = _told_readlink
    told = ((_stat, _told_stat), (_lstat, _told_lstat), (_access, _told_access), (_readlink, _told_readlink))
    for able in (os.supports_dir_fd, os.supports_effective_ids, os.supports_fd, os.supports_follow_symlinks):
        able.update(new for old, new in told if old in able)  # such as for shutil.rmtree, which is safer then
    os.environ.__class__ = ToldVariables
    if os.supports_bytes_environ:
        os.environb.__class__ = ToldVariables
    threading.Thread.start = _told_start  # type: ignore[method-assign]  # by one that does it, too


def _told(path: Any, options: Mapping[str, Any], how: Callable[[Hearer], Callable[[Any, str], None]]) -> None:
    """Tell of a path that is looked at by whoever called the caller; not of one below an open folder."""
    hearer = _hearer
    if hearer is not None and options.get("dir_fd") is None and isinstance(path, str | bytes | os.PathLike):
        scope = hearer.find_scope(sys._getframe(2))
        if scope is not None:
            how(hearer)(scope, os.fsdecode(path))


def _status(hearer: Hearer) -> Callable[[Any, str], None]:
    return hearer.note_status


def _link(hearer: Hearer) -> Callable[[Any, str], None]:
    return hearer.note_link


def _told_stat(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
    """``os.stat``, which tells what was looked at."""
    _told(path, options, _status if options.get("follow_symlinks", True) else _link)
    return _stat(path, *arguments, **options)


def _told_lstat(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
    """``os.lstat``, which tells what was looked at."""
    _told(path, options, _link)
    return _lstat(path, *arguments, **options)


def _told_readlink(path: Any, *arguments: Any, **options: Any) -> Any:
    """``os.readlink``, which tells what was looked at."""
    _told(path, options, _link)
    return _readlink(path, *arguments, **options)


def _told_access(path: Any, *arguments: Any, **options: Any) -> bool:
    """``os.access``, which tells what was looked at."""
    _told(path, options, _status)
    return _access(path, *arguments, **options)


class ToldVariables(os._Environ):  # type: ignore[type-arg]  # the class of os.environ
    """``os.environ`` and ``os.environb``, which tell what is read of them."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str | bytes):
            _told_variable(os.fsdecode(key))
        return super().__getitem__(key)

    def __iter__(self) -> Any:
        _told_variable(EVERY_VARIABLE)
        return super().__iter__()


def _told_variable(name: str) -> None:
    hearer = _hearer
    scope = hearer.find_scope(sys._getframe(2)) if hearer is not None else None
    if hearer is not None and scope is not None:
        hearer.note(scope, "environment", name, environment_digest(name))


class _BegunByPage(threading.local):
    """Whether this thread was begun by the site's code while somebody recorded what it reads."""

    value = False


_begun = _BegunByPage()


def is_begun_by_page() -> bool:
    """Whether the site's code began this thread while a page was made: whatever it does is done for pages."""
    return _begun.value


def _told_start(self: threading.Thread) -> None:
    """``Thread.start``: a thread that the site's code begins while a page is made reads for that page."""
    hearer = _hearer
    if hearer is not None and hearer.find_scope(sys._getframe(1)) is not None:
        if not _is_told_pools(self):
            self.run = partial(copy_context().run, _run_for_page, self.run)  # type: ignore[method-assign]  # of this one
        tell_pools()
    _start(self)


def _is_told_pools(thread: threading.Thread) -> bool:
    """Whether a thread is a pool's, which is given each page's context with what it has to do."""
    return _are_pools_told() and getattr(thread, "_target", None) is sys.modules[_POOLS]._worker


def _run_for_page(run: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    before, _begun.value = _begun.value, True
    try:
        return run(*arguments, **named)
    finally:
        _begun.value = before


_POOLS = "concurrent.futures.thread"


def tell_pools() -> None:
    """Have what a page gives to a pool of threads read for that page, if pools are imported: they outlive pages."""
    if _POOLS in sys.modules and not _are_pools_told():
        pool = sys.modules[_POOLS].ThreadPoolExecutor
        submit = pool.submit

        def told_submit(self: Any, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
            hearer = _hearer
            if hearer is not None and hearer.find_scope(sys._getframe(1)) is not None:
                fn = partial(copy_context().run, _run_for_page, fn)
            return submit(self, fn, *arguments, **named)

        pool.submit, pool.is_told = told_submit, True


def _are_pools_told() -> bool:
    return _POOLS in sys.modules and hasattr(sys.modules[_POOLS].ThreadPoolExecutor, "is_told")
