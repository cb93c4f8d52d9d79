"""What the coming instants change: the pages that would come out otherwise, though nobody touches a row.

Asked is what a build would ask then: the queries that compare with the clock, once for the present and once for each
instant. What answers otherwise than just before changes the pages that asked it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from toolkit.builder.manifest import Manifest
from toolkit.builder.records import Key
from toolkit.pages.plan import Plan, Unit
from toolkit.site.verifying import PLAN_KINDS, SUBJECT_KIND, Verifier
from toolkit.trace import READER, Trace


@dataclass(frozen=True)
class Coming:
    """What an instant changes.

    Args:
        moment: When.
        changed: URLs of pages that will be others.
        new: URLs of pages that will appear.
        gone: URLs of pages that will vanish.
    """

    moment: datetime
    changed: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many pages."""
        return len(self.changed) + len(self.new) + len(self.gone)


class Foresight:
    """Looks ahead from a build.

    Args:
        site: A prepared site.
        manifest: Its last build.
    """

    def __init__(self, site: Any, manifest: Manifest) -> None:
        self.site = site
        self.manifest = manifest
        self.shapes = manifest.shapes()
        timed = {name for name, record in self.shapes.items() if record.get("clock") or record.get("opaque")}
        self._queries = {
            number: key for number, (_, key, _) in manifest.inputs(kinds={"query"}).items() if key[0] in timed
        }
        self._others = {n: item[:2] for n, item in manifest.inputs(kinds=PLAN_KINDS | {SUBJECT_KIND}).items()}
        self._units = manifest.units()
        self._built = {row[0] for row in manifest.connection.execute("SELECT url FROM pages")}

    def look(self, now: datetime, moments: Iterable[datetime]) -> Iterator[Coming]:
        """What each instant changes, one after the other.

        Args:
            now: From when.
            moments: The instants, in order.
        """
        with self.site.databases.snapshot():
            before = _View(self, now)
            for moment in moments:
                after = _View(self, moment)
                yield self._difference(before, after)
                before = after

    def _difference(self, before: _View, after: _View) -> Coming:
        numbers = {number for number, value in after.answers.items() if before.answers[number] != value}
        new, gone = sorted(after.urls - before.urls), sorted(before.urls - after.urls)
        known = set(new) | set(gone)
        changed = {url for url in self.manifest.urls_reading(numbers) if url not in known}
        if numbers:  # of pages that came since the build nobody knows what they will read: any change may change them
            changed |= (before.urls & after.urls) - self._built
        return Coming(after.moment, sorted(changed), new, gone)


class _View:
    """The site at an instant, as far as the clock decides."""

    def __init__(self, foresight: Foresight, moment: datetime) -> None:
        self.moment = moment
        site = foresight.site
        plan = Plan(site, viewer=READER, moment=moment)
        adopted: set[tuple[str, str]] = set()
        for (name, locale), record in foresight._units.items():
            route = site.routes_by_id.get(name)
            timeless = foresight._queries.keys().isdisjoint(record.inputs)
            if route is not None and locale in site.route_locales(route) and timeless:
                plan.adopt(Unit(route, locale, record.planned, Trace()))
                adopted.add((name, locale))
        self.urls = {page.url for route, locale in plan.routes() for page in plan.unit(route, locale).pages()}
        verifier = Verifier(plan, foresight.shapes)
        found = verifier.answer("query", set(foresight._queries.values()))
        self.answers: dict[int, bytes] = {number: found[key] for number, key in foresight._queries.items()}
        for kind in (*PLAN_KINDS, SUBJECT_KIND):
            keys: dict[int, Key] = {n: key for n, (one, key) in foresight._others.items() if one == kind}
            if kind == SUBJECT_KIND:  # the same at both instants, where no query of the function's heeds the clock
                same = [n for n, key in keys.items() if (key[0], key[2]) in adopted]
                self.answers.update(dict.fromkeys(same, b""))
                keys = {n: key for n, key in keys.items() if n not in self.answers}
            answers = verifier.answer(kind, set(keys.values()))
            self.answers.update({number: answers[key] for number, key in keys.items()})
