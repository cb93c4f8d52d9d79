"""One attempt of a build to decide what is stale, and to render it."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from toolkit.builder.batches import Batch, Job, Result, batch_size, make_batches
from toolkit.builder.decide import Decider, Decision
from toolkit.builder.inprocess import FEW_PAGES, render_here
from toolkit.builder.interning import Interning
from toolkit.builder.kept import KeptDigests
from toolkit.builder.manifest import Manifest
from toolkit.builder.outputs import Standing
from toolkit.builder.partial import newly_linked
from toolkit.builder.publish import Rendered
from toolkit.builder.queries import QueryReport
from toolkit.builder.report import BuildReport
from toolkit.builder.selections import Segment
from toolkit.builder.targets import FolderTarget, TargetStaging
from toolkit.builder.watcher import Watcher
from toolkit.errors import Problems, ToolkitError
from toolkit.lazily import LazyModule
from toolkit.pages.routes import Page

if TYPE_CHECKING:
    from toolkit.builder import executors, rehearsing, tasks
    from toolkit.builder import paranoid as proving
    from toolkit.builder import problems as merging
    from toolkit.builder import workers as processes
    from toolkit.builder.build import Builder
else:
    executors = LazyModule("toolkit.builder.executors")
    proving = LazyModule("toolkit.builder.paranoid")
    rehearsing = LazyModule("toolkit.builder.rehearsing")
    tasks = LazyModule("toolkit.builder.tasks")
    processes = LazyModule("toolkit.builder.workers")
    merging = LazyModule("toolkit.builder.problems")

WORTH_A_REHEARSAL = 1_000
"""With fewer pages to render, what makes the next build of one page faster is not worth its time."""


class Run:
    """One attempt to decide and render, within one snapshot.

    Args:
        builder: Whose build it is.
        manifest: The last build.
        report: Is told how long it took.
        moment: The instant that the build shows.
        standing: The output until now.
    """

    def __init__(
        self, builder: Builder, manifest: Manifest, report: BuildReport, moment: datetime, standing: Standing
    ) -> None:
        self.builder = builder
        self.site = builder.site
        self.manifest = manifest
        self.report = report
        self.moment = moment
        self.standing = standing
        self.interning = Interning(manifest, self._is_relied)
        self.results: list[tuple[Result, array[int], str]] = []
        self.decision: Decision

    def render(self, staging: TargetStaging, watcher: Watcher | None) -> Rendered | None:
        """Decide and render. None if the snapshots of the workers differ, so that one must try again.

        Args:
            staging: Where the files go.
            watcher: Tells whether the workers see our snapshot; None to render without workers.

        Raises:
            Problems: Pages could not be rendered.
        """
        started = time.monotonic()
        self.decision = self._decide()
        self.report.seconds["verify"] = time.monotonic() - started
        pages = [page for page, _ in self.decision.stale]
        files, suspect = self.standing.files, self.standing.suspect
        known: Mapping[str, bytes] = KeptDigests(files, suspect)
        if len(pages) > FEW_PAGES:
            known = {path: record.digest for path, record in files.items() if path not in suspect}
        databases = self.site.databases
        elsewhere = self.builder.executor is not None and len(pages) > FEW_PAGES and self._can_share()
        alone = self.builder.workers == 1 or len(pages) <= FEW_PAGES or not databases.share_snapshots
        names = databases.export_snapshots() if elsewhere or not alone else {}
        same_codings = self.manifest.meta("compression") == self.site.code_digest.hex()
        job = Job(self.site, self.decision.plan, staging.stage, known, names, self.builder.queries, same_codings)
        self.report.queries = QueryReport() if job.queries else None
        started = time.monotonic()
        if elsewhere:
            agreed = self._render_elsewhere(job, pages)
        elif alone or watcher is None:
            agreed = self._render_alone(job, pages)
        else:
            agreed = self._render_parallel(job, pages, watcher)
        if agreed:
            self._render_linked(job)
            if len(pages) >= WORTH_A_REHEARSAL:
                rehearsing.rehearse(self.decision.plan, pages)
        self.report.seconds["render"] = time.monotonic() - started
        if agreed and self.builder.proof is not None:
            self._compare(self.builder.proof)
        return Rendered(self.decision, self.results, self.interning) if agreed else None

    def _decide(self) -> Decision:
        suspect, part = self.standing.suspect, self.builder.part
        decision = Decider(self.site, self.manifest, self.moment, suspect, part).decide()
        proof = self.builder.proof
        if proof is None:
            return decision
        proof.take(decision, self.manifest)
        everything = Decider(self.site, self.manifest, self.moment, suspect, part).decide()
        proof.explain(everything)
        return everything

    def _compare(self, proof: proving.Proof) -> None:
        """Name the pages that a build which believes in traces would have left as they were."""
        target = self.builder.target
        output = target.output if isinstance(target, FolderTarget) else None
        digests = {path: record.digest for path, record in self.standing.files.items()}
        comparison = proving.Comparison(self.site, proof, self.decision.plan, output)
        self.report.differences += comparison.compare(self.results, digests, self.interning)

    def _batches(self, pages: Sequence[Page]) -> list[list[Page]]:
        routes = self.site.routes_by_id
        return make_batches(pages, lambda name: batch_size(routes[name]))

    def _render_alone(self, job: Job, pages: Sequence[Page]) -> bool:
        self._collect(render_here(job, self._batches(pages)), len(pages))
        return True

    def _render_linked(self, job: Job) -> None:
        """Pages outside of a segment that are not there yet, and that a page which was rendered links to."""
        left, seen = self.decision.left, 0
        while left.absent and seen < len(self.results):
            fresh, seen = self.results[seen:], len(self.results)
            links = (key for _, ids, _ in fresh for _, key in self.interning.inputs_of(ids, "url"))
            more = newly_linked(left, links)
            self.decision.stale += more
            self._collect(render_here(job, self._batches([page for page, _ in more])), len(self.decision.stale))
        if self.decision.is_empty and isinstance(self.builder.part, Segment):
            self.report.notices.append("the site has no page of those asked for")
        if left:
            count = len({record.identity for record in left.records} | left.absent.keys())
            self.report.notices.append(f"{count} pages outside of what was asked for are stale or missing")

    def _can_share(self) -> bool:
        shared = tasks.can_share(self.site)
        if not shared:
            self.report.notices.append(
                "no other process can be shown this state of the database, so the executor is not used"
            )
        return shared

    def _render_elsewhere(self, job: Job, pages: Sequence[Page]) -> bool:
        with executors.opened(self.builder.executor, self.builder.workers) as executor:
            renderer = executors.TaskRenderer(job, executor, workers=self.builder.workers, moment=self.moment)
            try:
                self._collect(renderer.run(self._batches(pages)), len(pages))
            finally:
                renderer.close()
        return True

    def _render_parallel(self, job: Job, pages: Sequence[Page], watcher: Watcher) -> bool:
        pool = processes.Pool(job, self.builder.workers, watcher.agrees)
        try:
            if not pool.start():
                return False
            self._collect(pool.run(self._batches(pages)), len(pages))
        finally:
            pool.close()
        return True

    def _collect(self, batches: Iterator[list[Batch]], total: int) -> None:
        """Gather what the workers send; report all problems at once."""
        problems: list[ToolkitError] = []
        stale = {page: (page, reason) for page, reason in self.decision.stale}
        done = 0
        for group in batches:
            for batch in group:
                problems += batch.problems
                self.interning.learn(batch)
                if self.report.queries is not None and batch.queries is not None:
                    self.report.queries.merge(batch.queries)
            for batch in group:
                for result in batch.results:
                    result.page, reason = stale[result.page]  # ours, and not one that came with the message
                    result.inputs = self.interning.translate(batch.sender, result.inputs)
                    self.results.append((result, result.inputs, reason))
                    route = self.site.routes_by_id[result.page.route]
                    self.report.times.add(route.template or route.kind, result.page.url, result.seconds)
                done += len(batch.results)
                if batch.alone:
                    self.interning.forget(batch.sender)
            self.builder.progress(done, total)
            self.builder.target.renew()
        if problems:
            count = f"{len(problems)} page" if len(problems) == 1 else f"{len(problems)} pages"
            raise Problems(
                merging.merge_problems(problems), summary=f"{count} could not be rendered; nothing was published"
            )

    def _is_relied(self, number: int) -> bool:
        """Whether pages or units rely on an input which this build does not make anew."""
        return number not in self.decision.broken and number in self._relied

    @cached_property
    def _relied(self) -> set[int]:
        found: set[int] = set()
        for record in self.decision.kept:
            found.update(record.inputs)
        fresh = {(unit.route.id, unit.locale) for unit in self.decision.replanned}
        planned = {(route.id, locale) for route, locale in self.decision.plan.routes()}
        for key, inputs in self.manifest.unit_inputs().items():
            if key in planned and key not in fresh:
                found.update(inputs)
        return found
