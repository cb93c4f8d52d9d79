"""Is a page still what it was? Asked of one page's trace."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from toolkit.models.passing import NEVER
from toolkit.pages.plan import Planned, url_digest
from toolkit.pages.rendering import Rendering
from toolkit.pages.subjects import load_subjects
from toolkit.server.freshness import Moment
from toolkit.site.verifying import Answers, Key, Verifier, environment_digest
from toolkit.templates.clock import end_of_moment
from toolkit.trace import ABSENT, UNVERIFIABLE, Trace, entered

FILE_KINDS = frozenset({"template", "message", "asset", "file", "stored", "image", "folder", "link"})

_BATCH = 400


class PageVerifier(Verifier):
    """Answers for one page. A build asks for all URLs of a route at once; here only those on the page are asked.

    What modules were told while they were imported they hold as long as the process lives, and with it what it keeps.
    """

    _one = {**Verifier._one, "imported": lambda verifier, key: UNVERIFIABLE}

    def answer(self, kind: str, keys: Iterable[Key]) -> Answers:
        """Today's digests of inputs of one kind."""
        return self._answer_urls(keys) if kind == "url" else super().answer(kind, keys)

    def _answer_urls(self, keys: Iterable[Key]) -> Answers:
        groups: dict[tuple[str, str], list[Key]] = {}
        for key in keys:
            groups.setdefault((key[0], key[2]), []).append(key)
        answers: Answers = {}
        for (route_id, locale), group in groups.items():
            route = self.site.routes_by_id.get(route_id)
            if route is None or route.model is None or locale not in self.site.route_locales(route):
                answers |= super().answer("url", group)
            else:
                answers |= self._answer_rows(route, locale, group)
        return answers

    def _answer_rows(self, route: Any, locale: str, keys: list[Key]) -> Answers:
        answers: Answers = {}
        for start in range(0, len(keys), _BATCH):
            group = keys[start : start + _BATCH]
            with entered(self.plan.scope(locale)):
                subjects = load_subjects(route, list(dict.fromkeys(key[1] for key in group)))
            peers = list(subjects.values())
            for key in group:
                answers[key] = self._answer_row(route, locale, key, peers, subjects.get(key[1]))
        return answers

    def _answer_row(self, route: Any, locale: str, key: Key, peers: list[Any], subject: Any) -> bytes:
        number = key[3]
        planned = self.plan.find_key(route, locale, key[1], peers=peers) if subject is not None else None
        if planned is None:
            return ABSENT
        if number > 1:
            planned = Planned(planned.key, planned.url, self.plan.pages_of(route, locale, subject))
        return url_digest(planned, number)


def broken_inputs(plan: Any, trace: Trace) -> set[tuple[str, Key]]:
    """The inputs of a page that would be read differently now. To be called in a snapshot."""
    records = {name: shape.record() for name, shape in trace.shapes.items()}
    return PageVerifier(plan, records).broken(trace)


def broken_files(plan: Any, trace: Trace) -> set[tuple[str, Key]]:
    """As above, but only of inputs that are files."""
    return PageVerifier(plan, {}).broken(item for item in trace if item.kind in FILE_KINDS)


def valid_until(rendering: Rendering, moment: Moment) -> datetime:
    """Until when a page holds if nobody writes anything."""
    trace = rendering.trace
    until = NEVER
    if any(kind in ("row", "query", "url", "plan") for kind, _ in trace.inputs):
        until = moment.crossing
    if any(getattr(shape, "opaque", False) for shape in trace.shapes.values()):
        until = moment.value  # a statement by hand may ask the clock
    if trace.keys_of("outside"):
        until = moment.value  # nobody knows what would be answered now
    for (granularity,) in trace.keys_of("clock"):
        until = min(until, end_of_moment(moment.value, granularity))
    return until


def places_of(site: Any, trace: Trace) -> Iterator[str]:
    """Every file that the inputs of a page came from, and every place that was looked at in vain."""
    locales = set()
    for kind, key in trace.inputs:
        if kind == "template":
            yield from (str(found.path) for found in site.environment.why_template(key[0]).candidates)
        elif kind == "asset":
            yield from map(os.fspath, site.assets.places(key[0]))
        elif kind in ("file", "folder", "link"):
            yield os.fspath(site.folder / key[0])
        elif kind == "stored":
            yield from _stored_places(site.storages, *key)
        elif kind == "image":
            yield from _image_places(site, *key[:3])
        elif kind == "message":
            locales.add(key[0])
    for locale in locales:
        yield from (str(path) for _, path in site.catalogs.files(locale))


def _stored_places(storages: Any, name: str, path: str) -> Iterator[str]:
    if name in storages and storages[name].is_local:
        folder = path.rstrip("/")
        yield os.fspath(storages[name].path(folder) if folder else storages[name].folder)


def _image_places(site: Any, kind: str, storage: str, name: str) -> Iterator[str]:
    if kind == "asset":
        yield from map(os.fspath, site.assets.places(name))
    elif kind == "stored":
        yield from _stored_places(site.storages, storage, name)
    else:
        yield os.fspath(site.folder / name)


def environment_reads(trace: Trace) -> tuple[tuple[str, bytes], ...]:
    """The variables of the environment that a page read, with what stands for their values."""
    return tuple((key[0], environment_digest(key[0])) for key in trace.keys_of("environment"))
