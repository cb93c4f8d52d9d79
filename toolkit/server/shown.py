"""Which files readers are given: those of the site itself, and those that a page which they may see uses today.

A build publishes what its pages use. A server knows that of pages that it rendered, so it asks one: a page that used
the file before, the page that the browser comes from, or the pages of rows that name the file. One page that stands
is enough, and only then is the file there. So a file that a draft, an embargoed or an expired story alone uses is
answered as if it did not exist.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from werkzeug.exceptions import ServiceUnavailable

import toolkit
from toolkit.errors import DatabaseError
from toolkit.server.answers import PRIVATE
from toolkit.server.cache import Entry
from toolkit.server.likely import find_likely
from toolkit.server.named import NamedFiles
from toolkit.server.pages import Pages
from toolkit.server.uses import ASSET, Use, uses_of
from toolkit.server.witnesses import LENT_SECONDS, Witnesses
from toolkit.site.headers import IMMUTABLE, REVOCABLE
from toolkit.trace import Trace

_LAG_SECONDS = 1.0
"""For how long an answer is taken as it was where only the question itself could tell (not on SQLite)."""

_HELD_SECONDS = 10.0
"""For how long what the rows said counts while nobody writes to them (on SQLite)."""

_WAIT_SECONDS = 1.0
_SEARCHES = 2
"""Searches in the rows at one time. Whoever asks for more is told to come back, and pages are answered meanwhile."""

_MOST_ANSWERS = 10_000

_OWN = Path(toolkit.__file__).parent


class _Answer(NamedTuple):
    """What the rows said of a file that no page uses.

    Args:
        asked: When, as ``time.monotonic()`` counts.
        until: When the next row crosses now().
        is_named: Whether a row that readers see names it.
    """

    asked: float
    until: datetime
    is_named: bool


class Shown:
    """Says which files a viewer is given.

    Args:
        site: A prepared site.
        pages: Its pages, for the same viewer.
        witnesses: Where to look first.
    """

    def __init__(self, site: Any, pages: Pages, witnesses: Witnesses) -> None:
        self.site = site
        self.pages = pages
        self.witnesses = witnesses
        self.named = NamedFiles(site)
        self.hides = hides_rows(site)
        self._exact = all(database.dialect == "sqlite" for database in site.databases.homes)
        self._answers: dict[Use, dict[str, _Answer]] = {}
        self._searching = threading.Semaphore(_SEARCHES)

    def cache_of(self, path: str, environ: Mapping[str, Any]) -> str | None:
        """How a static file may be kept under the name that carries its fingerprint; None if it is not to be seen.

        Raises:
            ServiceUnavailable: Too many ask for files of which nothing is known.
        """
        if not self.hides or self._is_own(path) or self.named.has(path):
            return IMMUTABLE
        if not self.pages.viewer.restricted:
            return PRIVATE
        return REVOCABLE if self.has((ASSET, path), path, environ) else None

    def _is_own(self, path: str) -> bool:
        """Whether it comes with the toolkit, such as the scripts of maps."""
        found = self.site.assets.find_file(path)
        return found is not None and found[0].is_relative_to(_OWN)

    def has(self, use: Use, name: str, environ: Mapping[str, Any]) -> bool:
        """Whether a page that the viewer sees uses a file today; or a view showed it a moment ago, and a row names it.

        Args:
            use: The file.
            name: What rows would call it.
            environ: The request's: a page may be where it comes from.

        Raises:
            ServiceUnavailable: Too many ask for files of which nothing is known.
        """
        if self._is_witnessed(self.witnesses.of(use), use):
            return True
        answered = self._answered(use, name)
        if answered is not None:
            return answered and self.witnesses.is_lent(use)
        others = dict.fromkeys((*_referring(environ), *self.pages.cache.paths_using(use)))
        if self._is_witnessed(self.witnesses.told(use), use) or any(self._uses(page, use) for page in others):
            return True
        return self._is_found(use, name)

    def lend(self, trace: Trace) -> None:
        """A view showed a reader what this trace has: the browser will ask for it.

        A view may show more than readers see, to people whom it knows. So this alone gives nothing away: a row that
        readers see must name the file, too.
        """
        uses = uses_of(self.site, trace) if self.hides and self.pages.viewer.restricted else ()
        for use in uses:
            self._answers.pop(use, None)
        if uses:
            self.witnesses.lend(uses, time.time() + LENT_SECONDS)

    # asking pages

    def _is_witnessed(self, pages: Iterable[str], use: Use) -> bool:
        """Whether one of the pages that used a file still does; the others are forgotten."""
        for page in pages:
            if self._uses(page, use):
                return True
            self.witnesses.forget(page, use)
        return False

    def _uses(self, page: str, use: Use) -> bool:
        """Whether a page stands and uses a file."""
        try:
            entry = self._entry(page)
        except DatabaseError:
            raise
        except Exception:  # noqa: BLE001 - it is told to those who ask for the page itself
            return False
        if entry is None or use not in entry.uses:
            return False
        self.witnesses.note(page, [use])
        return True

    def _entry(self, page: str) -> Entry | None:
        kept = self.pages.cache.find(page)
        now = datetime.now(UTC)
        if kept is not None and not self._exact and kept.is_fresh(since=time.monotonic() - _LAG_SECONDS, now=now):
            return kept
        found = self.pages.find(page)
        return found if isinstance(found, Entry) else None

    # looking for pages

    def _answered(self, use: Use, name: str) -> bool | None:
        """What the rows said a moment ago, where no page uses it: whether one names it; None if they are to be asked.

        A page that is rendered meanwhile knows more than they, and is asked before.
        """
        known = self._answers.get(use, {}).get(name)
        if known is None:
            return None
        since = self.pages.state.unchanged_since() if self._exact else 0.0
        held = _HELD_SECONDS if self._exact else _LAG_SECONDS
        holds = since <= known.asked and time.monotonic() < known.asked + held
        return known.is_named if holds and datetime.now(UTC) < known.until else None

    def _is_found(self, use: Use, name: str) -> bool:
        """Whether one of the pages uses a file that might, by what the rows say."""
        if not self._searching.acquire(timeout=_WAIT_SECONDS):
            raise ServiceUnavailable("Too many files are looked for.", retry_after=1)
        try:
            asked = time.monotonic()
            with self.pages.snapshot() as (plan, moment):
                likely = find_likely(plan, name)
                until = (self.pages.moments.refined(moment) or moment).crossing
            if any(self._uses(page, use) for page in likely.pages):
                return True
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            self._answers.setdefault(use, {})[name] = _Answer(asked, until, likely.is_named)
            return likely.is_named and self.witnesses.is_lent(use)
        finally:
            self._searching.release()


def hides_rows(site: Any) -> bool:
    """Whether a site has rows that readers may not see."""
    return any(model._meta.hides((True, False, False)) for model in site.models)


def _referring(environ: Mapping[str, Any]) -> Iterator[str]:
    """The page that a request comes from, if it is one of this host."""
    parts = urlsplit(str(environ.get("HTTP_REFERER", "")))
    mount = str(environ.get("SCRIPT_NAME", ""))
    path = unquote(parts.path)
    if parts.netloc and parts.netloc == environ.get("HTTP_HOST") and path.startswith(f"{mount}/"):
        yield path[len(mount) :]
