"""Rendered pages that are kept in memory; the least recently asked for goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from toolkit.pages.rendering import Rendering
from toolkit.server.answers import Answer
from toolkit.server.freshness import FileStamps
from toolkit.server.uses import Use
from toolkit.site.verifying import environment_digest

MAX_BYTES = 64 * 1024 * 1024
_OVERHEAD_BYTES = 4096
_INPUT_BYTES = 300
_SOME = 24


@dataclass(slots=True)
class Entry:
    """A page as it was rendered, and when it was last known to be right.

    Args:
        rendering: What was rendered.
        answer: It, ready to be sent.
        verified: ``time.monotonic()`` before its inputs were last read or compared.
        valid_until: Until when it holds if nobody writes anything.
        stamps: The files that it was made of.
        environment: The variables that it was made of, with what stands for their values.
        uses: The files that readers of it need.
    """

    rendering: Rendering
    answer: Answer
    verified: float
    valid_until: datetime
    stamps: FileStamps
    environment: tuple[tuple[str, bytes], ...] = ()
    uses: frozenset[Use] = frozenset()

    def is_fresh(self, *, since: float, now: datetime) -> bool:
        """Whether it certainly is what would be rendered now.

        Args:
            since: From when on the database was as it is now (``time.monotonic()``).
            now: The wall clock.
        """
        return (
            self.verified >= since
            and now < self.valid_until
            and self.stamps.hold()
            and all(environment_digest(name) == value for name, value in self.environment)
        )

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        inputs = len(self.rendering.trace) + len(self.uses)
        return len(self.rendering.body) + _OVERHEAD_BYTES + _INPUT_BYTES * inputs


class PageCache:
    """Entries by URL path, together not larger than a limit.

    Args:
        max_bytes: The limit.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, path: str) -> Entry | None:
        """The entry of a path, or None."""
        with self._lock:
            entry = self._entries.get(path)
            if entry is not None:
                self._entries.move_to_end(path)
            return entry

    def paths_using(self, use: Use) -> list[str]:
        """The paths of some entries that use a file."""
        with self._lock:
            return list(islice((path for path, entry in self._entries.items() if use in entry.uses), _SOME))

    def keep(self, path: str, entry: Entry) -> None:
        """Keep an entry; others go to make room for it. One that is larger than the limit is not kept."""
        with self._lock:
            self._drop(path)
            if entry.size > self.max_bytes:
                return
            self._entries[path] = entry
            self.bytes += entry.size
            while self.bytes > self.max_bytes:
                self._drop(next(iter(self._entries)))

    def drop(self, path: str) -> None:
        """Forget a path."""
        with self._lock:
            self._drop(path)

    def _drop(self, path: str) -> None:
        gone = self._entries.pop(path, None)
        if gone is not None:
            self.bytes -= gone.size
