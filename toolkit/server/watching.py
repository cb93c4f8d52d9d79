"""Noticing that files or rows changed, as soon as they do. What a change means is asked of the pages' traces."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.server.freshness import SiteState

POLL_SECONDS = 0.1
"""Between two looks at SQLite's change counter, which costs some microseconds."""

SLOW_POLL_SECONDS = 1.0
"""Between two looks at pages where nothing tells of changes."""

_STEP_MILLISECONDS = 20
_DEBOUNCE_MILLISECONDS = 200
_IGNORED = {"__pycache__", "node_modules"}
_IGNORED_SUFFIXES = (".db", ".db-wal", ".db-shm", ".db-journal", ".pyc", "~", ".swp", ".swx")
_log = logging.getLogger("toolkit.server")


class Changes:
    """A counter that goes up when something changed, and that can be waited for."""

    def __init__(self) -> None:
        self.count = 0
        self.files = 0
        self.interrupts = 0
        self.closed = False
        self._condition = threading.Condition()

    def tell(self, *, files: bool = False) -> None:
        """Something changed; ``files``: a file did."""
        with self._condition:
            self.count += 1
            self.files += files
            self._condition.notify_all()

    def wait(self, count: int, timeout_seconds: float) -> bool:
        """Wait until the counter is no longer at ``count``; False when it still is, whatever ended the waiting."""
        with self._condition:
            asked = self.interrupts
            self._condition.wait_for(
                lambda: self.count != count or self.closed or self.interrupts != asked, max(timeout_seconds, 0)
            )
            return self.count != count

    def interrupt(self) -> None:
        """Let those who wait now do so no longer: the process is about to be replaced."""
        with self._condition:
            self.interrupts += 1
            self._condition.notify_all()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._condition:
            self.closed = True
            self._condition.notify_all()


class Watcher:
    """Watches a site's files and database in threads of its own, until it is closed.

    Args:
        site: The site.
        changes: Told of each change.
        on_files: Called with the paths of changed files before that.
    """

    def __init__(self, site: Any, changes: Changes, *, on_files: Callable[[list[Path]], None]) -> None:
        self._site = site
        self._changes = changes
        self._on_files = on_files
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=f"toolkit-{target.__name__}", daemon=True)
            for target in (self._watch_files, self._watch_database)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=2)

    def _watch_files(self) -> None:
        try:
            for paths in self._iter_changes():
                self._on_files(paths)
                self._changes.tell(files=True)
        except (OSError, RuntimeError) as error:  # such as a limit of the system's on watched folders
            _log.warning("Files cannot be watched (%s); they are looked at every second instead.", error)
            while not self._stop.wait(SLOW_POLL_SECONDS):
                self._on_files([self._site.folder])
                self._changes.tell(files=True)

    def _iter_changes(self) -> Iterator[list[Path]]:
        from watchfiles import watch

        found = watch(
            *watched_folders(self._site),
            watch_filter=lambda _, path: self._matters(Path(path)),
            step=_STEP_MILLISECONDS,
            debounce=_DEBOUNCE_MILLISECONDS,
            stop_event=self._stop,
            rust_timeout=500,
            raise_interrupt=False,
        )
        for changes in found:
            yield sorted({Path(path) for _, path in changes})

    def _matters(self, path: Path) -> bool:
        output = (self._site.folder / self._site.settings.peek("output")).resolve()
        if path.is_relative_to(output) or path.is_relative_to(self._site.state_folder):
            return False
        if _IGNORED.intersection(path.parts) or path.name.endswith(_IGNORED_SUFFIXES):
            return False
        return ".git" not in path.parts

    def _watch_database(self) -> None:
        homes = self._site.databases.homes
        state = SiteState(homes)
        told = all(database.dialect == "sqlite" for database in homes)
        seen = 0.0
        while not self._stop.wait(POLL_SECONDS if told else SLOW_POLL_SECONDS):
            try:
                since = state.unchanged_since()
            except ToolkitError:
                time.sleep(SLOW_POLL_SECONDS)  # it will be told where a page needs the database
                continue
            if since != seen:
                seen = since
                self._changes.tell()
        self._site.databases.close()


def watched_folders(site: Any) -> list[Path]:
    """The site's folder, and those of its apps that lie elsewhere."""
    found: list[Path] = [site.folder]
    for app in site.apps:
        if not any(app.folder.is_relative_to(folder) for folder in found):
            found.append(app.folder)
    return found
