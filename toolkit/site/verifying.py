"""Would a page read the same things today? Asked of many inputs at once, kind by kind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.models.answers import answer_queries, answer_rows
from toolkit.pages.plan import Plan, url_digest
from toolkit.templates.clock import clock_digest
from toolkit.trace import ABSENT, Scope, digest, digest_bytes

Key = tuple[Any, ...]
Answers = dict[Key, bytes]

UNASKABLE = b"!"
"""The digest of what cannot be read today; no reading has it."""

EVERY_VARIABLE = "*"
"""Stands for all variables of the environment, for code that goes through them."""

DATABASE_KINDS = frozenset({"row", "query"})
PLAN_KINDS = frozenset({"url", "plan"})
SUBJECT_KIND = "subject"


class Verifier:
    """Answers of today for recorded inputs.

    Args:
        plan: All pages, for the viewer and moment in question.
        shapes: Shape id to its record.
    """

    def __init__(self, plan: Plan, shapes: Mapping[str, Mapping[str, Any]]) -> None:
        self.plan = plan
        self.site = plan.site
        self.shapes = shapes

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind of input that there is."""
        return DATABASE_KINDS | self._one.keys()

    def answer(self, kind: str, keys: Iterable[Key]) -> Answers:
        """Today's digests of inputs of one kind."""
        if kind == "row":
            return answer_rows(self._scope(), keys)
        if kind == "query":
            return answer_queries(self._scope(), self.shapes, keys)
        one = self._one[kind]
        return {key: self._answer_one(one, key) for key in keys}

    def _answer_one(self, one: Callable[[Verifier, Key], bytes], key: Key) -> bytes:
        """What cannot be asked today, such as a stylesheet with a broken reference, is not what it was.

        The page that reads it is then made again, and tells what is wrong with its own line and URL; and if no page
        reads it any more, nothing is wrong.
        """
        try:
            return one(self, key)
        except ToolkitError:
            return UNASKABLE

    def broken(self, inputs: Iterable[tuple[str, Key, bytes]]) -> set[tuple[str, Key]]:
        """The inputs that would be read differently today."""
        kinds: dict[str, dict[Key, bytes]] = {}
        for kind, key, recorded in inputs:
            kinds.setdefault(kind, {})[key] = recorded
        found = set()
        for kind, recorded_of in kinds.items():
            answers = self.answer(kind, recorded_of)
            found |= {(kind, key) for key, recorded in recorded_of.items() if answers[key] != recorded}
        return found

    def _scope(self) -> Scope:
        site = self.site
        scope: Scope = site.scope(viewer=self.plan.viewer, moment=self.plan.moment)
        return scope

    def _template(self, key: Key) -> bytes:
        found: bytes = self.site.environment.digest_of(key[0])
        return found

    def _message(self, key: Key) -> bytes:
        found: bytes = self.site.catalogs.digest_of(key)
        return found

    def _asset(self, key: Key) -> bytes:
        found: bytes = self.site.assets.digest_of(key[0])
        return found

    def _file(self, key: Key) -> bytes:
        return file_digest(self.site.folder / key[0])

    def _stored(self, key: Key) -> bytes:
        storages, (name, path) = self.site.storages, key
        if name not in storages:
            return ABSENT
        is_listed = path.endswith("/")
        found: bytes = storages[name].listing_digest(path[:-1]) if is_listed else storages[name].digest_of(path)
        return found

    def _image(self, key: Key) -> bytes:
        found: bytes = self.site.images.digest_of(key)
        return found

    def _folder(self, key: Key) -> bytes:
        return folder_digest(self.site.folder / key[0])

    def _link(self, key: Key) -> bytes:
        return link_digest(self.site.folder / key[0])

    def _setting(self, key: Key) -> bytes:
        found: bytes = self.site.settings.digest_of(key[0])
        return found

    def _environment(self, key: Key) -> bytes:
        return environment_digest(key[0])

    def _outside(self, key: Key) -> bytes:
        return UNASKABLE

    def _clock(self, key: Key) -> bytes:
        return clock_digest(self._scope().now(), key[0])

    def _code(self, key: Key) -> bytes:
        found: bytes = self.site.code_digest
        return found

    def _url(self, key: Key) -> bytes:
        route_id, subject, locale, number = key
        route = self.site.routes_by_id.get(route_id)
        if route is None or locale not in self.site.route_locales(route):
            return ABSENT
        return url_digest(self.plan.unit(route, locale).by_key.get(subject), number)

    def _plan(self, key: Key) -> bytes:
        route = self.site.routes_by_id.get(key[0])
        if route is None or key[1] not in self.site.route_locales(route):
            return ABSENT
        return self.plan.unit(route, key[1]).digest

    def _subject(self, key: Key) -> bytes:
        """The function that gives the subjects is run once for all of them."""
        route_id, subject, locale = key
        route = self.site.routes_by_id.get(route_id)
        if route is None or not route.is_given or locale not in self.site.route_locales(route):
            return ABSENT
        objects = self.plan.objects(route, locale)
        if subject not in objects.by_key:
            return ABSENT
        found = objects.subjects.get(subject)
        return UNASKABLE if found is None or found.digest is None else found.digest

    _one: Mapping[str, Callable[[Verifier, Key], bytes]] = {
        "template": _template,
        "message": _message,
        "asset": _asset,
        "file": _file,
        "stored": _stored,
        "image": _image,
        "folder": _folder,
        "link": _link,
        "setting": _setting,
        "environment": _environment,
        "outside": _outside,
        "imported": _outside,
        "clock": _clock,
        "code": _code,
        "url": _url,
        "plan": _plan,
        SUBJECT_KIND: _subject,
        "part": lambda verifier, key: ABSENT,  # recorded of what was stale when it was left as it was: never verifies
    }


def file_digest(path: Path) -> bytes:
    """A file's content; ABSENT if there is none."""
    try:
        return digest_bytes(path.read_bytes())
    except OSError:
        return ABSENT


def folder_digest(path: Path) -> bytes:
    """The names in a folder; ABSENT if there is none."""
    try:
        return digest(sorted(os.listdir(path)))  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return ABSENT


def link_digest(path: Path) -> bytes:
    """Where a link leads to, or whether it is a file or a folder; ABSENT if there is nothing."""
    try:
        if path.is_symlink():
            return digest(["link", os.fsencode(os.readlink(path))])  # noqa: PTH115 - as it is written
        return digest("folder" if path.is_dir() else "file") if path.exists() else ABSENT
    except OSError:
        return ABSENT


def environment_digest(name: str) -> bytes:
    """A variable's value; ABSENT if it is not set. All of them, for ``EVERY_VARIABLE``."""
    if name == EVERY_VARIABLE:
        return digest(sorted(os.environ.items()))
    value = os.environ.get(name)
    return ABSENT if value is None else digest(value)
