"""Live preview: the browser reloads when its own page has changed, and content files become rows as they are saved."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote

from toolkit.content.loading import load_sources
from toolkit.errors import ToolkitError
from toolkit.folders import FILE_NAME
from toolkit.pages import Match
from toolkit.pages.context import RELOAD_PATH
from toolkit.server.answers import Answer, text_answer
from toolkit.server.cache import Entry
from toolkit.server.failures import failure_token
from toolkit.server.pages import Pages
from toolkit.server.watching import Changes, Watcher
from toolkit.trace import digest_bytes, entered

WAIT_PATH = "/_toolkit/wait"
WAIT_SECONDS = 25.0
"""How long a request waits for a change: less than what proxies and browsers allow."""

_SCRIPT = Path(__file__).with_name("reload.js")
_REMEMBERED = 1000
_log = logging.getLogger("toolkit.server")


class Reloader:
    """Answers a preview's script, and keeps rows up with content files.

    Args:
        site: A prepared site.
        pages: Its pages, for the preview's viewer.

    Attributes:
        wait_seconds: How long a request may wait.
    """

    def __init__(self, site: Any, pages: Pages) -> None:
        self.site = site
        self.pages = pages
        self.wait_seconds = WAIT_SECONDS
        self.changes = Changes()
        self.problem: Exception | None = None
        self._traceback: TracebackType | None = None
        self._watcher: Watcher | None = None
        self._served: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._sources = [source for app in site.apps for source in app.sources]

    def answer(self, environ: Mapping[str, Any], path: str) -> Answer | None:
        """The script, or what it waits for; None for any other path.

        Raises:
            Exception: The content files have problems, so no page can be trusted.
        """
        self._start()
        if path == RELOAD_PATH:
            return script_answer()
        if path == WAIT_PATH:
            return self._wait(parse_qs(environ.get("QUERY_STRING", "")))
        self._raise_problem()
        return None

    def served(self, path: str, entry: Entry) -> None:
        """Remember what was last shown at a path, for browsers that cannot tell."""
        with self._lock:
            self._served[path] = entry.answer.etag.strip('"')
            self._served.move_to_end(path)
            if len(self._served) > _REMEMBERED:
                self._served.popitem(last=False)

    def close(self) -> None:
        """End the watching and the waiting."""
        self.changes.close()
        with self._lock:
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    def _start(self) -> None:
        """Begin to watch at the first request: in the process that answers, not in one that forks it."""
        if self._watcher is not None:
            return
        with self._lock:
            if self._watcher is None:
                watcher = Watcher(self.site, self.changes, on_files=self._saved)
                watcher.start()
                self._load()
                self._watcher = watcher

    def _raise_problem(self) -> None:
        """Raise what is wrong with the content files, with the traceback that it had when it was found."""
        problem = self.problem
        if problem is not None:
            raise problem.with_traceback(self._traceback)

    # waiting

    def _wait(self, query: Mapping[str, list[str]]) -> Answer:
        """200 as soon as the page is another than the one with this token; 204 if it stays that one for long."""
        path = unquote(query.get("page", ["/"])[0]).removeprefix(self.site.base_path)
        token = query.get("token", [""])[0] or self._served.get(path, "")
        files, interrupts = self.changes.files, self.changes.interrupts
        end = time.monotonic() + self.wait_seconds
        while True:
            count = self.changes.count
            version, until = self._version(path, files)
            if version != token:
                return text_answer(200, "changed")
            left = end - time.monotonic()
            if left <= 0 or self.changes.closed or self.changes.interrupts != interrupts:
                return Answer(204, (("Cache-Control", "no-store"),))
            soon = (until - datetime.now(UTC)).total_seconds() if until is not None else left
            self.changes.wait(count, min(left, max(soon, 0.01)))

    def _version(self, path: str, files: int) -> tuple[str, datetime | None]:
        """What stands for a page as it would be shown now, and until when that holds by itself."""
        try:
            self._raise_problem()
            found = self.pages.find(path)
            if isinstance(found, Entry):
                return found.answer.etag.strip('"'), found.valid_until
            if isinstance(found, Match):  # a view's reads are its own business: any saved file may matter to it
                return ("" if self.changes.files == files else "changed"), None
            page = self.pages.find_error_page(404, path)
            return (digest_bytes(page.body).hex() if page is not None else ""), None
        except Exception as error:  # noqa: BLE001 - whatever it is, the page shows it
            return failure_token(error), None

    # content

    def _saved(self, paths: list[Path]) -> None:
        """Load content files again, if some of these are any; make way for a process with changed code."""
        if any(replaces_process(path) for path in paths):
            self.changes.interrupt()
        roots = [self.site.folder / _fixed_part(source.pattern) for source in self._sources]
        if self.problem is not None or any(path.is_relative_to(root) for path in paths for root in roots):
            self._load()

    def _load(self) -> None:
        """Make rows of the content files; what is wrong with them is shown in place of every page."""
        if not self._sources:
            return
        try:
            with entered(self.site.scope()):
                load_sources(self.site.scope(), self._sources, self.site.folder)
            self.problem = None
        except ToolkitError as error:
            _log.error("%s", error)
            self.problem, self._traceback = error, error.__traceback__
        except Exception as error:  # noqa: BLE001 - the watching must go on, whatever a field's code raises
            _log.error("Content files cannot be loaded: %s", error, exc_info=error)
            self.problem, self._traceback = error, error.__traceback__


def script_answer() -> Answer:
    """The preview's script."""
    body = _SCRIPT.read_bytes()
    headers = (("Content-Type", "text/javascript; charset=utf-8"), ("Cache-Control", "no-cache"))
    return Answer(200, headers, body, f'"{digest_bytes(body).hex()}"')


def replaces_process(path: Path) -> bool:
    """Whether a changed file is one that a running process cannot take up: code, or the settings."""
    return path.suffix == ".py" or path.name == FILE_NAME


def _fixed_part(pattern: str) -> str:
    """The part of a glob pattern before its first wildcard: ``content/stories`` of ``content/stories/*.md``."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return fixed if fixed == pattern else fixed.rpartition("/")[0]
