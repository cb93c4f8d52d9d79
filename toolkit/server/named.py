"""Static files that are the site's own: those that its templates name, and what these refer to."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Any

from toolkit.assets.sources import may_refer
from toolkit.errors import ToolkitError

_SECONDS = 1.0
_WORD = re.compile(r"[^\s\"'(){}<>|,=~]+\.[A-Za-z0-9]+")
_QUOTED = re.compile(r"\"([^\"\n]+)\"|'([^'\n]+)'")


class NamedFiles:
    """The files that templates name. They are read again when they changed, once a second at most.

    Args:
        site: A prepared site.
    """

    def __init__(self, site: Any) -> None:
        self.site = site
        self._read_at = -_SECONDS
        self._state: tuple[tuple[str, bytes], ...] = ()
        self._named: frozenset[str] = frozenset()
        self._needed: frozenset[str] = frozenset()

    def has(self, path: str) -> bool:
        """Whether a template names a static file, or one that refers to it."""
        now = time.monotonic()
        if now - self._read_at >= _SECONDS:
            self._read()
            self._needed = frozenset(name for one in self._named for name in self._closure(one))
            self._read_at = now
        return path in self._named or path in self._needed

    def _closure(self, path: str) -> tuple[str, ...]:
        """What a stylesheet, a script or the like refers to, at any depth."""
        if may_refer(path):
            with suppress(ToolkitError):  # the pages that use it say what is wrong
                if self.site.assets.find_file(path) is not None:
                    return tuple(self.site.assets.closure(path))
        return ()

    def _read(self) -> None:
        folders = self.site.environment.folders
        names = folders.list_templates()
        state = tuple((name, folders.digest_of(name)) for name in names)
        if state != self._state:
            prefix = self.site.assets.url_prefix
            sources = [found.text for name in names if (found := folders.read(name)) is not None]
            words = {word for text in sources for word in _WORD.findall(text)}
            words.update(a or b for text in sources for a, b in _QUOTED.findall(text))
            self._named, self._state = frozenset(word.removeprefix(prefix) for word in words), state
