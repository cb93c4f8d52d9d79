"""``toolkit build --paranoid``: render what the traces say need not be, and name what they did not know.

A page that is skipped because its trace verifies must come out as it is. Where it does not, it read something that is
in no trace; the page, the first difference and, as far as it can be found, the read are told, and the output is mended.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from toolkit.builder.batches import Result, load_pages
from toolkit.builder.decide import Decision
from toolkit.builder.interning import Interning
from toolkit.builder.manifest import Manifest
from toolkit.builder.naming import names_of
from toolkit.builder.reasons import PROVING, describe
from toolkit.builder.records import Identity, PageRecord
from toolkit.builder.untracked import Detective
from toolkit.errors import ToolkitError
from toolkit.pages.plan import Plan
from toolkit.pages.render import render
from toolkit.pages.routes import Page
from toolkit.trace import entered

EXAMINED = 20
"""Pages that are rendered again to find out what they read."""

_AROUND = 40


class Difference(msgspec.Struct, frozen=True):
    """A page that would have been skipped, and is another.

    Args:
        url: Its URL path.
        what: The first difference.
        reads: What it read that no trace knows of, as far as that was found.
    """

    url: str
    what: str
    reads: tuple[str, ...] = ()

    def __str__(self) -> str:
        why = f" It reads {'; '.join(self.reads)}." if self.reads else " What it read was not found out."
        return f"{self.url} would have been skipped, and is another: {self.what}.{why}"


class Proof(msgspec.Struct):
    """What a build would have skipped, kept to be compared with what comes out.

    Attributes:
        records: The pages that would have been skipped, as the last build made them.
        reasons: Of the others, why they are rendered.
        inputs: What the skipped pages read.
    """

    records: dict[Identity, PageRecord] = msgspec.field(default_factory=dict)
    reasons: dict[Identity, str] = msgspec.field(default_factory=dict)
    inputs: dict[int, tuple[str, tuple[Any, ...], bytes]] = msgspec.field(default_factory=dict)
    is_taken: bool = False

    def take(self, decision: Decision, manifest: Manifest) -> None:
        """Remember what was decided, and have the manifest forget it: everything is made anew."""
        if not self.is_taken:
            self.records = {record.identity: record for record in decision.kept}
            self.reasons = {page.identity: reason for page, reason in decision.stale}
            self.inputs = manifest.inputs()
            self.is_taken = True
        manifest.forget()

    def explain(self, decision: Decision) -> None:
        """Give the pages of a decision to make everything the reasons of the decision before."""
        known = {**dict.fromkeys(self.records, PROVING), **self.reasons}
        decision.stale = [(page, known.get(page.identity, reason)) for page, reason in decision.stale]


class Comparison:
    """Compares what was rendered with what would have been skipped.

    Args:
        site: The site, in the snapshot that the build shows.
        proof: What would have been skipped.
        plan: All pages of this build.
        output: The folder of the last build; None if it is none of this machine.
    """

    def __init__(self, site: Any, proof: Proof, plan: Plan, output: Path | None) -> None:
        self.site = site
        self.proof = proof
        self.plan = plan
        self.output = output
        self.detective = Detective(site)

    def compare(
        self, results: Sequence[tuple[Result, array[int], str]], attachments: Mapping[str, bytes], interning: Interning
    ) -> list[Difference]:
        """The pages that differ, in the order of their URLs.

        Args:
            results: What was rendered.
            attachments: Digest of each file as the last build left it.
            interning: The inputs of the results.
        """
        found: list[Difference] = []
        differing = [one for one in results if self._differs(one[0], attachments)]
        for result, ids, _ in sorted(differing, key=lambda one: one[0].page.url):
            reads = self._examine(result.page) if len(found) < EXAMINED else []
            reads = reads or self._other_inputs(result.page, ids, interning)
            found.append(Difference(result.page.url, self._what(result), tuple(reads)))
        return found + self._other_pages(results)

    def _differs(self, result: Result, attachments: Mapping[str, bytes]) -> bool:
        record = self.proof.records.get(result.page.identity)
        if record is None:
            return False
        same = (record.digest, record.content_type, record.status, record.url) == (
            result.digest,
            result.content_type,
            result.status,
            result.page.url,
        )
        extras = {path: value for path, value, *_ in result.attachments}
        return not same or extras != {path: attachments.get(path) for path in record.attachments}

    def _what(self, result: Result) -> str:
        before, after = self._body_before(result), self._body_now(result.page)
        if before is None or after is None or before == after:
            return "its bytes are others"
        return first_difference(before, after)

    def _body_before(self, result: Result) -> bytes | None:
        try:
            return (self.output / result.path).read_bytes() if self.output is not None else None
        except OSError:
            return None

    def _body_now(self, page: Page) -> bytes | None:
        try:
            return self._render(page)
        except ToolkitError:
            return None

    def _render(self, page: Page) -> bytes:
        route = self.site.routes_by_id[page.route]
        with entered(self.plan.scope(page.locale)):
            subject = load_pages(self.plan, route, [page])[page.key]
        return render(self.site, page, subject, plan=self.plan, moment=self.plan.moment).body

    def _examine(self, page: Page) -> list[str]:
        try:
            return self.detective.watch(lambda: self._render(page))
        except ToolkitError:
            return []

    def _other_inputs(self, page: Page, ids: Iterable[int], interning: Interning) -> list[str]:
        """What the page reads now and did not read before: something unknown led it there."""
        record = self.proof.records[page.identity]
        before = {self.proof.inputs[number][:2] for number in record.inputs if number in self.proof.inputs}
        now = set(interning.inputs_of(ids))
        names = names_of(self.site)
        fresh = sorted(describe(names, interning.shapes, kind, key) for kind, key in now - before)
        return [f"something that made it read {', '.join(fresh[:3])} now"] if fresh else []

    def _other_pages(self, results: Sequence[tuple[Result, array[int], str]]) -> list[Difference]:
        """Pages that the last plan did not know, or knew and are gone."""
        now = {result.page.identity: result.page for result, *_ in results}
        known = self.proof.records.keys() | self.proof.reasons.keys()
        if not known:
            return []
        found = [
            Difference(now[one].url, "it would not have been made: its route has it now", self._plan_reads(one))
            for one in now.keys() - known
        ]
        found += [
            Difference(record.url, "it would have stayed: its route has it no longer", self._plan_reads(one))
            for one, record in self.proof.records.items()
            if one not in now
        ]
        return sorted(found, key=lambda one: one.url)

    def _plan_reads(self, identity: Identity) -> tuple[str, ...]:
        """What finding the pages of a route reads that no trace knows of."""
        route = self.site.routes_by_id.get(identity[0])
        if route is None or identity[2] not in self.site.route_locales(route):
            return ()
        fresh = Plan(self.site, viewer=self.plan.viewer, moment=self.plan.moment)
        try:
            return tuple(self.detective.watch(lambda: fresh.unit(route, identity[2])))
        except ToolkitError:
            return ()


def first_difference(before: bytes, after: bytes) -> str:
    """Where two bodies part, in words."""
    place = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    line = before.count(b"\n", 0, place) + 1
    start = max(before.rfind(b"\n", 0, place) + 1, place - _AROUND)
    old, new = (_shown(body[start : place + _AROUND]) for body in (before, after))
    return f"line {line} was {old!r} and is {new!r}"


def _shown(body: bytes) -> str:
    return body.decode("utf-8", "replace").partition("\n")[0]
