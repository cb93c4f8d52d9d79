"""Publishing what was rendered: the files it needs beside it, everything in place, and what the manifest remembers."""

from __future__ import annotations

import time
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, starmap
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from toolkit.builder.batches import Result
from toolkit.builder.belongings import Belongings, Work
from toolkit.builder.changes import Changes
from toolkit.builder.decide import Decision, unit_record
from toolkit.builder.history import current_urls, history_state, remember
from toolkit.builder.interning import Interning
from toolkit.builder.naming import names_of
from toolkit.builder.outputs import Output, check_outputs
from toolkit.builder.reasons import describe
from toolkit.builder.records import FileRecord, InputRow, PageRecord, UnitRecord
from toolkit.builder.selections import Segment, Shard
from toolkit.builder.targets import TargetStaging
from toolkit.http.compression import SUFFIXES
from toolkit.lazily import LazyModule

if TYPE_CHECKING:
    from toolkit.builder import shards
else:
    shards = LazyModule("toolkit.builder.shards")


SHOWN = {"asset", "image"}
"""Kinds of input that have files published beside the pages."""

DERIVED = ("asset", "rendition", "redirect")
"""Owners of files that are as they were while no page and no row changed."""


class Filing(msgspec.Struct, frozen=True):
    """What becomes of the output and the manifest.

    Args:
        outputs: The files of the site, without those of pages that are known to stay where only pages changed.
        removed: Paths of files that go.
        count: How many files the site has.
        inputs: Inputs to be written.
        dropped_inputs: The numbers of those that nobody has any more.
        is_new_plan: Whether pages, and what is beside them, may be others than before.
    """

    outputs: list[Output]
    removed: list[str]
    count: int
    inputs: Iterable[InputRow] = ()
    dropped_inputs: Collection[int] = ()
    is_new_plan: bool = False


class Rendered(msgspec.Struct, frozen=True):
    """What a run decided and rendered.

    Args:
        decision: What there was to do.
        results: (page, numbers of its inputs, why it was rendered) of each page that was.
        interning: The inputs that those numbers stand for.
    """

    decision: Decision
    results: list[tuple[Result, array[int], str]]
    interning: Interning


class Publisher:
    """Puts a rendered site in place of the last.

    Args:
        work: What it works on.
        rendered: What the run made.
        remembers: Readers will see it: its URLs are written down for redirects.
    """

    def __init__(self, work: Work, rendered: Rendered, *, remembers: bool) -> None:
        self.work = work
        self.site, self.manifest, self.report, self.standing = work.site, work.manifest, work.report, work.standing
        self.decision = rendered.decision
        self.results = rendered.results
        self.interning = rendered.interning
        self.remembers = remembers
        self._left_records: list[PageRecord] = []
        self._history = ""
        self._renditions: list[Output] | None = None
        self._belongings: Belongings

    def publish(self, staging: TargetStaging) -> None:
        """Stage the other files, put everything in place, remember it.

        Args:
            staging: Where the rendered files are.

        Raises:
            Problems: Two files want one place; nothing was touched.
            BuildError: The output cannot be written, or somebody else's file stands in the way.
        """
        started = time.monotonic()
        report, manifest = self.report, self.manifest
        self._keep_left()
        self._tell()
        units = [unit_record(unit, self.interning.take(unit.trace)) for unit in self.decision.replanned]
        self._history = self._redirect_state()
        filing = self._file(staging)
        outputs, removed = filing.outputs, filing.removed
        staged = [item for item in outputs if item.staged]
        report.unchanged = filing.count - len(staged)
        staging.check_way(staged, removed)
        report.notices += self._remember_urls() if filing.is_new_plan and self.remembers else []
        report.notices += [f"{what} changed while the build ran: build again" for what in self._unsure()]
        if staged or removed:
            manifest.announce([*(item.path for item in staged), *removed])
        placed = staging.place(outputs, removed) if staged or removed or staging.is_due else []
        for item in staged:
            report.add("written", item.path)
        for path in removed:
            report.add("removed", path)
        self._save(filing, units, placed, staging.meta)
        report.seconds["publish"] = time.monotonic() - started

    def _tell(self) -> None:
        decision, report = self.decision, self.report
        report.rendered = len(self.results)
        report.pages = report.rendered + len(decision.kept) + len(self._left_records)
        report.left_out = [route.path for route in self.site.routes if route.kind == "view"]
        for result, _, reason in self.results:
            report.add("rendered", result.page.url, reason)

    def _file(self, staging: TargetStaging) -> Filing:
        """Which files the site has: found from the pages that were rendered, where these alone can tell."""
        beside = self._belongings = Belongings(
            self.work, decision=self.decision, interning=self.interning, staging=staging
        )
        given: list[Output] = []
        if not isinstance(self.work.part, Shard) or self.work.part.is_first:
            given = [*beside.public(), *beside.stored()]
        if self._is_framed(given) and not staging.is_due:
            filing = self._file_rendered(given)
            if filing is not None:
                return filing
        return self._file_all(given)

    # few pages

    def _is_framed(self, given: Sequence[Output]) -> bool:
        """Whether only pages may be others that were rendered: the same pages, files beside them and redirects."""
        decision, standing = self.decision, self.standing
        return (
            decision.is_planned_same
            and self.work.part is None
            and not standing.pending
            and not standing.suspect
            and self.manifest.meta("history") == self._history
            and bool(self.manifest.meta("remembered") or not self.remembers)
            and not self._other_public(given)
            and (not decision.touched or self._belongings.has_same_aliases())
        )

    def _file_rendered(self, given: Sequence[Output]) -> Filing | None:
        """What is to be done when the pages that were rendered have the files that they had; None if they have not."""
        pages = list(self._rendered_outputs())
        before = {path for one in self.decision.before.values() for path in (one.path, *one.attachments)}
        if {item.path for item in pages} != before or len(pages) != len(before):
            return None
        used: set[int] = set()
        for _, ids, _ in self.results:
            used.update(ids)
        lost = {number for one in self.decision.before.values() for number in one.inputs} - used
        dropped = lost - self.manifest.still_used(lost, self.decision.before)
        inputs = list(self.interning.written(used))
        if not SHOWN.isdisjoint({kind for _, kind, *_ in inputs} | self.manifest.kinds_of(dropped)):
            return None
        if not self.manifest.is_sound:
            self.manifest.check_files(self.standing.files)
        if self.results or self.decision.touched:  # who sees an image may be another, though no page is
            self._renditions = list(self._belongings.renditions(self.manifest.input_numbers("image")))
            had = {record.path for record in self.standing.files.owned("rendition")}
            if {item.path for item in self._renditions} != had:
                return None
            self._belongings.repeat_redirects()
        return Filing([*pages, *given], [], len(self.standing.files), inputs, dropped)

    def _removable(self) -> set[str]:
        """Files that go unless the site has them: all of ours, but in a segment those of its pages, and redirects."""
        files = self.standing.files
        if not isinstance(self.work.part, Segment):
            return files.keys() | self.standing.pending
        before = self.decision.before
        made = [before[result.page.identity] for result, *_ in self.results if result.page.identity in before]
        paths = {path for one in [*self.decision.gone, *made] for path in (one.path, *one.attachments)}
        paths |= {f"{path}{suffix}" for path in paths for suffix in SUFFIXES.values()}
        paths -= {path for one in self.decision.left.records for path in (one.path, *one.attachments)}
        return (paths & files.keys()) | {record.path for record in files.owned("redirect")}

    def _part_mark(self) -> str:
        """Which part of the site the manifest knows: empty for all of it."""
        if isinstance(self.work.part, Shard):
            return str(self.work.part)
        return "?" if self.decision.left else ""

    def _unsure(self) -> list[str]:
        shapes = {**self.manifest.shapes(), **self.interning.shapes} if self.interning.unsure else {}
        return sorted({describe(names_of(self.site), shapes, kind, key) for kind, key in self.interning.unsure})

    def _other_public(self, outputs: Sequence[Output]) -> bool:
        """Whether public or stored files came or went: they may be in the way of pages and redirects."""
        owners = ("public", "stored")
        before = {record.path for record in self.standing.files.owned(*owners)}
        return before != {item.path for item in outputs if item.owner in owners}

    def _keep_left(self) -> None:
        """The pages that are left stale, and were not rendered after all, remember that they are."""
        if records := self.decision.left.records:
            made = {result.page.identity for result, *_ in self.results}
            self._left_records = [
                replace(record, inputs=self.interning.take_stale(record.inputs))
                for record in records
                if record.identity not in made
            ]

    @cached_property
    def _used(self) -> set[int]:
        """The numbers of all inputs that pages have."""
        used: set[int] = set()
        for _, ids, _ in self.results:
            used.update(ids)
        for record in chain(self.decision.kept, self._left_records):
            used.update(record.inputs)
        return used

    # all pages

    def _file_all(self, given: Sequence[Output]) -> Filing:
        """What is to be done, found from all pages."""
        changed = bool(self.results or self.decision.gone or self.decision.replanned or self.standing.suspect)
        changed = changed or self.decision.touched or self.manifest.meta("history") != self._history
        changed = changed or (self.manifest.meta("part") or "") != self._part_mark()
        outputs = [*self._page_outputs(), *given]
        if changed or self._other_public(given):
            outputs += self._belongings.assets(self._used)
            if self._renditions is None:
                self._renditions = list(self._belongings.renditions(self._used))
            outputs += self._renditions
            outputs += self._belongings.redirects(outputs)
            check_outputs(outputs)
        else:
            outputs += [self.standing.kept(record.path) for record in self.standing.files.owned(*DERIVED)]
        removed = sorted(self._removable() - {item.path for item in outputs})
        if not changed:
            return Filing(outputs, removed, len(outputs))
        used = self._used.union(*self._unit_inputs())
        return Filing(
            outputs, removed, len(outputs), self.interning.written(used), self.interning.dropped(used), is_new_plan=True
        )

    def _page_outputs(self) -> list[Output]:
        """The files of all pages."""
        outputs = list(self._rendered_outputs())
        kept = self.standing.kept
        for record in self.decision.kept:
            outputs.append(self.standing.kept_page(record))
            outputs += map(kept, record.attachments)
        return outputs + self._left(outputs)

    def _rendered_outputs(self) -> Iterator[Output]:
        """The files of the pages that were rendered."""
        for one, *_ in self.results:
            yield Output(one.path, one.digest, one.size, "page", one.written, one.content_type)
        for one, *_ in self.results:
            for path, value, size, new in one.attachments:
                yield Output(path, value, size, "page", new) if new else self.standing.kept(path)

    def _left(self, outputs: Sequence[Output]) -> list[Output]:
        """Files of pages that are left as they are, unless a page that was rendered has their place now."""
        taken = {item.path for item in outputs} if self.decision.left.records else set()
        paths = (path for one in self.decision.left.records for path in (one.path, *one.attachments))
        return [self.standing.kept(path) for path in paths if path not in taken]

    def _unit_inputs(self) -> Iterator[Iterable[int]]:
        """The inputs of the units that were there, and still are; those that were made anew have theirs."""
        planned = {(route.id, locale) for route, locale in self.decision.plan.routes()}
        fresh = {(unit.route.id, unit.locale) for unit in self.decision.replanned}
        for unit in self.decision.replanned:
            yield self.interning.take(unit.trace)
        for key, inputs in self.manifest.unit_inputs().items():
            if key in planned and key not in fresh:
                yield inputs

    def _redirect_state(self) -> str:
        """Stands for everything that redirects are made of, besides the plan."""
        written = self.site.redirects.digest(self.report.moment).hex()
        return f"{history_state(self.site.database)}:{written}"

    def _remember_urls(self) -> list[str]:
        """Outside the snapshot, which is for reading."""
        current = current_urls(self.decision.plan)
        database = self.site.database
        database.end_snapshot()
        try:
            notices = remember(database, current)
            self._history = self._redirect_state()
            return notices
        finally:
            database.begin_snapshot()

    def _save(
        self, filing: Filing, units: list[UnitRecord], placed: list[FileRecord], placing: Mapping[str, str]
    ) -> None:
        decision, before = self.decision, self.decision.tables_before
        gone = set(filing.removed)
        changes = Changes(
            moment=self.report.moment,
            tables={name: state for name, state in decision.tables.items() if state != before.get(name)},
            dropped_tables=sorted(before.keys() - decision.tables.keys()),
            shapes=self.interning.shapes,
            inputs=filing.inputs,
            dropped_inputs=filing.dropped_inputs,
            units=units,
            pages=chain(starmap(_page_record, self.results), self._left_records),
            dropped_pages=[record.identity for record in decision.gone],
            files=[*(record for record in self.standing.restamped if record.path not in gone), *placed],
            dropped_files=filing.removed,
        )
        changes.meta.update({**self._belongings.redirect_meta, **self._belongings.asset_meta, **placing})
        changes.meta["names"] = msgspec.msgpack.encode(names_of(self.site))
        if filing.is_new_plan:
            planned = {(route.id, locale) for route, locale in decision.plan.routes()}
            changes.dropped_units = sorted(self.manifest.unit_keys() - planned)
            changes.meta["history"] = self._history
            changes.meta["remembered"] = "1" if self.remembers else ""
            changes.meta["compression"] = self._belongings.compression
            changes.meta["part"] = self._part_mark()
            if isinstance(self.work.part, Shard):
                changes.meta["shard"] = shards.shard_record(self.site, self._belongings.redirects_told)
        self.manifest.replace(changes)


def _page_record(result: Result, inputs: array[int], reason: str) -> PageRecord:
    """What the manifest keeps of a page."""
    page = result.page
    attachments = tuple(path for path, *_ in result.attachments)
    told = (result.path, result.digest, result.size, result.content_type, result.status)
    return PageRecord(page.identity, page.url, *told, reason, attachments, inputs)
