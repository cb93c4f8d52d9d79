"""Pages on demand: the entry of a URL, kept while its trace verifies."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from toolkit.errors import ToolkitError
from toolkit.models.search import refresh_indexes
from toolkit.pages import Match, Plan, Rendering, match_url, render
from toolkit.server.answers import PRIVATE, Answer
from toolkit.server.cache import Entry, PageCache
from toolkit.server.freshness import FileStamps, Moment, Moments, SiteState
from toolkit.server.paths import locale_of
from toolkit.server.uses import uses_of
from toolkit.server.verifying import broken_files, broken_inputs, environment_reads, places_of, valid_until
from toolkit.server.witnesses import Witnesses
from toolkit.site.headers import REVALIDATE, SECURITY, HeaderRules
from toolkit.text.media_types import content_type
from toolkit.trace import Viewer, digest, digest_bytes

TIMING = "Server-Timing"
"""The header that tells a preview's script which version of the page it stands in (W3C Server Timing)."""

_TRIES = 3
_log = logging.getLogger("toolkit.server")


class Pages:
    """The pages of one site for one viewer.

    Args:
        site: A prepared site.
        viewer: Who looks.
        preview: Whether an editor looks, whose answers must not be kept by anybody between.
        cache: Where entries are kept.
        rules: Headers by path; the site's own are sent with pages.
        witnesses: Is told which files each page uses, if that decides about who is given them.
    """

    def __init__(
        self,
        site: Any,
        *,
        viewer: Viewer,
        preview: bool = False,
        cache: PageCache | None = None,
        rules: HeaderRules | None = None,
        witnesses: Witnesses | None = None,
    ) -> None:
        self.site = site
        self.viewer = viewer
        self.preview = preview
        self.cache = cache or PageCache()
        self.rules = rules or HeaderRules(())
        self.witnesses = witnesses
        self.state = SiteState(site.databases.homes)
        self.moments = Moments(site.databases.homes)
        self._complaint = ""

    def find_fresh(self, path: str) -> Entry | None:
        """The entry of a path, if one is kept that certainly holds."""
        entry = self.cache.find(path)
        if entry is None or not entry.is_fresh(since=self.state.unchanged_since(), now=datetime.now(UTC)):
            return None
        return entry

    def find(self, path: str) -> Entry | Match | None:
        """What stands at a URL path (percent-decoded): the entry of a page, the match of a view, or None.

        A page whose URL is written otherwise (``/0002026/`` for ``/2026/``) is given as its match.

        Raises:
            ToolkitError: The page cannot be made.
        """
        entry = self.find_fresh(path)
        if entry is not None:
            return entry
        self._reload_catalogs()
        with self.snapshot() as (plan, moment):
            kept = self.cache.find(path)
            if kept is not None and self._verify(kept, plan, moment):
                return kept
            self.cache.drop(path)
            match = match_url(plan, path)
            if match is None or match.page is None or unquote(match.page.url) != path:
                return match
            return self._make(path, match, plan, moment)

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Plan, Moment]]:
        """One state of the database, its moment, and the plan of both."""
        since = self.state.unchanged_since()
        taken = time.monotonic()  # before the snapshot, so that nothing it does not see counts as seen
        if any(database.schema.searches for database in self.site.databases.homes):
            refresh_indexes(self.site.scope())
        with self.site.databases.snapshot():
            moment = self.moments.take(since, taken=taken)
            yield Plan(self.site, viewer=self.viewer, moment=moment.value), moment

    def match(self, path: str) -> Match | None:
        """What a URL path means, without rendering it."""
        with self.snapshot() as (plan, _):
            return match_url(plan, path)

    def view_plan(self) -> Plan:
        """The plan for a view, which runs outside of any snapshot because it may write.

        Entering one for a moment makes this thread forget what it kept for another state of the database.
        """
        with self.snapshot() as (plan, _):
            return plan

    # keeping

    def _verify(self, entry: Entry, plan: Plan, moment: Moment) -> bool:
        """Whether an entry still holds, by its trace; if so, note until when."""
        trace = entry.rendering.trace
        try:
            stamps = FileStamps(places_of(self.site, trace))
            refined = None if broken_inputs(plan, trace) else self.moments.refined(moment)
        except ToolkitError:  # such as a stylesheet that refers to nothing: rendering will say it properly
            return False
        if refined is None:
            return False
        moment = refined
        entry.stamps = stamps
        entry.valid_until = valid_until(entry.rendering, moment)
        entry.verified = max(moment.taken, entry.verified)
        return True

    def _make(self, path: str, match: Match, plan: Plan, moment: Moment) -> Entry:
        """Render a page, and keep it if its files held still meanwhile."""
        for _ in range(_TRIES):
            rendering = self._render(match, plan)
            refined = self.moments.refined(moment)
            entry = self._entry(path, rendering, refined or moment)
            if refined is None:  # meanwhile a row crossed now() that only this page's queries compare with it
                moment = self.moments.take(moment.taken, taken=moment.taken)
                plan = Plan(self.site, viewer=self.viewer, moment=moment.value)
                continue
            if not broken_files(plan, rendering.trace):
                self.cache.keep(path, entry)
                if self.witnesses is not None:
                    self.witnesses.note(path, entry.uses)
                break
            self._reload_catalogs()
        return entry

    def _render(self, match: Match, plan: Plan) -> Rendering:
        page = match.page
        if page is None:
            raise TypeError(f"{match.route.name} is a view: it is called, not rendered")
        rendering = render(self.site, page, match.subject, plan=plan, viewer=self.viewer, moment=plan.moment)
        own = (page.route, page.key, page.locale, page.number)
        rendering.trace.record("url", own, digest(page.url))  # that it is published, and here
        return rendering

    def _entry(self, path: str, rendering: Rendering, moment: Moment) -> Entry:
        trace = rendering.trace
        stamps = FileStamps(places_of(self.site, trace))
        until = valid_until(rendering, moment)
        uses = uses_of(self.site, trace) if self.witnesses is not None else frozenset()
        answer = self._answer(path, rendering)
        return Entry(rendering, answer, moment.taken, until, stamps, environment_reads(trace), uses)

    def _answer(self, path: str, rendering: Rendering) -> Answer:
        etag = digest_bytes(rendering.body).hex()
        answer = self._dressed(path, rendering.content_type, rendering.body, etag)
        if self.preview:
            answer = replace(answer, headers=(*answer.headers, (TIMING, f'toolkit;desc="{etag}"')))
        return answer

    def _dressed(self, path: str, kind: str, body: bytes, etag: str) -> Answer:
        """An answer whose headers are as the site's own rules say; but nothing keeps what an editor sees."""
        headers = [("Content-Type", kind), ("Cache-Control", REVALIDATE), *SECURITY]
        headers = self.rules.apply(path, headers)
        if self.preview:
            headers = [item for item in headers if item[0].lower() != "cache-control"]
            headers.append(("Cache-Control", PRIVATE))
        return Answer(200, tuple(headers), body, f'"{etag}"', is_complete=True)

    def _reload_catalogs(self) -> None:
        """See edited catalogs. One that cannot be used stops a preview; readers go on with what is in memory."""
        try:
            self.site.catalogs.reload_if_changed()
            self._complaint = ""
        except ToolkitError as error:
            if self.preview:
                raise
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("%s\nThe messages stay as they were.", error)

    # what is no page of its own

    def find_attachment(self, path: str) -> Answer | None:
        """A part of a sitemap that is split, or None."""
        for route in self.site.routes:
            if route.kind == "sitemap" and _is_part(path, route.path):
                entry = self.find(route.path)
                bodies = dict(entry.rendering.attachments) if isinstance(entry, Entry) else {}
                if path in bodies:
                    return self._part_answer(path, bodies[path])
        return None

    def _part_answer(self, path: str, body: bytes) -> Answer:
        return self._dressed(path, content_type(path), body, digest_bytes(body).hex())

    def find_error_page(self, status: int, path: str) -> Answer | None:
        """The site's page for an error, in the language of the path; None if it has none.

        Raises:
            ToolkitError: It cannot be made.
        """
        route = next((r for r in self.site.routes if r.kind == "error" and r.status == status), None)
        if route is None:
            return None
        locales = self.site.route_locales(route)
        locale = locale_of(path, self.site.settings.peek("locales"))
        pattern = self.site.pattern(route, locale if locale in locales else locales[0])
        entry = self.find(pattern.build({}))
        return replace(entry.answer, status=status, etag="") if isinstance(entry, Entry) else None

    def find_redirect(self, path: str) -> str | None:
        """Where the page that once was at an encoded URL path is today; None if there never was one, or is none."""
        with self.snapshot() as (plan, _):
            found: str | None = self.site.find_redirect(plan, path)
            return found


def _is_part(path: str, whole: str) -> bool:
    suffix = PurePosixPath(whole).suffix
    stem = whole.removesuffix(suffix)
    return re.fullmatch(rf"{re.escape(stem)}-[0-9]+{re.escape(suffix)}", path) is not None
