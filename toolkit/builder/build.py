"""The build: load content, decide what is stale, render it, and have it published."""

from __future__ import annotations

import os
import sqlite3
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.ahead import Ahead
from toolkit.builder.batches import Batch, Job, Result, batch_size, make_batches
from toolkit.builder.decide import Decider, Decision
from toolkit.builder.inprocess import FEW_PAGES, render_here
from toolkit.builder.interning import Interning
from toolkit.builder.manifest import DAMAGED, Manifest
from toolkit.builder.outputs import Standing
from toolkit.builder.partial import newly_linked
from toolkit.builder.problems import merge_problems
from toolkit.builder.publish import Publisher, Rendered
from toolkit.builder.queries import QueryReport
from toolkit.builder.records import DamagedManifest
from toolkit.builder.report import BuildReport
from toolkit.builder.selections import Segment, Shard
from toolkit.builder.tables import bring_up
from toolkit.builder.targets import FolderTarget, Target, TargetStaging
from toolkit.builder.watcher import Watcher
from toolkit.content.loading import load_sources
from toolkit.database import install_tokens, release_writers
from toolkit.errors import BuildError, Problems, ToolkitError
from toolkit.lazily import LazyModule
from toolkit.models.search import refresh_indexes
from toolkit.pages.routes import Page
from toolkit.site.databases import living_in
from toolkit.trace import entered

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from toolkit.builder import executors, remote, tasks
    from toolkit.builder import paranoid as proving
    from toolkit.builder import workers as processes
else:
    executors = LazyModule("toolkit.builder.executors")
    proving = LazyModule("toolkit.builder.paranoid")
    remote = LazyModule("toolkit.builder.remote")
    tasks = LazyModule("toolkit.builder.tasks")
    processes = LazyModule("toolkit.builder.workers")

SNAPSHOT_TRIES = 3

Progress = Callable[[int, int], None]
"""Told how many pages are done, of how many."""


class Builder:
    """Builds one site into one folder.

    Args:
        site: The site.
        output: The folder, or the URL of a place in a storage; the setting ``output`` by default.
        workers: Processes; the setting ``workers`` by default, which means one for each core.
        executor: Who renders, instead of forked processes: any ``concurrent.futures.Executor``, which stays open, or
            a name that ``executors.open_executor`` knows.
        moment: The instant that the build shows; now by default.
        clean: Render everything, whatever the manifest says.
        part: Build a shard, or a segment, only.
        progress: Told after each batch.
        published: Readers will see it, so that its URLs are remembered for redirects; a check's build is not.
        queries: Count and time what rendering asks the database; see ``BuildReport.queries``.
        paranoid: Render what need not be, too, and compare; see ``BuildReport.differences``.
        ahead: What was seen of files since the command began.
    """

    def __init__(
        self,
        site: Any,
        *,
        output: Path | str | None = None,
        workers: int | None = None,
        executor: Executor | str | None = None,
        moment: datetime | None = None,
        clean: bool = False,
        part: Shard | Segment | None = None,
        progress: Progress | None = None,
        published: bool = True,
        queries: bool = False,
        paranoid: bool = False,
        ahead: Ahead | None = None,
    ) -> None:
        self.site = site.prepare()
        self.ahead = ahead
        self.target: Target = find_target(site, output, ahead)
        self.workers = workers or site.settings.peek("workers") or os.cpu_count() or 1
        if isinstance(executor, str):
            executors.check_executor(executor)
        self.executor = None if executor is None or executor == executors.PROCESSES else executor
        self.moment = moment
        self.clean = clean
        self.part = part
        self.progress = progress or (lambda done, total: None)
        self.published = published
        self.queries = queries
        self.proof = proving.Proof() if paranoid else None
        self._started = 0.0

    @property
    def output(self) -> Path:
        """The folder that is written to.

        Raises:
            BuildError: It is no folder of this machine.
        """
        if isinstance(self.target, FolderTarget):
            return self.target.output
        raise BuildError(f"{self.target.title} is no folder of this machine", hint="Name a folder with --output.")

    @property
    def manifest_path(self) -> Path:
        """The manifest's file."""
        return self.target.manifest_path

    def build(self) -> BuildReport:
        """Build.

        Raises:
            Problems: Everything that is wrong with the site; the last good output is untouched.
        """
        self._started = time.monotonic()
        moment = self.moment or datetime.now(UTC)
        report = BuildReport(self.target.title, moment)
        self.target.check(self.site)
        with self.target.locked():
            self._load(report)
            try:
                with self.target.manifest() as manifest:
                    if self.clean:
                        manifest.forget()
                    try:
                        self._build(manifest, report, moment)
                    except (DamagedManifest, sqlite3.Error) as error:
                        if isinstance(error, sqlite3.Error) and not DAMAGED.search(str(error)):
                            raise
                        manifest.set_aside(str(error))
                        report.events.clear()
                        self._build(manifest, report, moment)
            except sqlite3.Error as error:
                raise BuildError(
                    f"the manifest {self.manifest_path} could not be written: {error}", hint="Mend it and build again."
                ) from error
            except OSError as error:
                raise BuildError(f"the build could not finish: {error}", hint="Mend it and build again.") from error
        self.site.digests.save()
        report.seconds["all"] = time.monotonic() - self._started
        return report

    def _load(self, report: BuildReport) -> None:
        """Bring the database up: tables, content from files, tokens."""
        site = self.site
        with entered(site.scope()):
            bring_up(site)
            for database in site.databases.homes:
                if not database.read_only:
                    release_writers(database)
            sources = [source for app in site.apps for source in app.sources]
            if sources:
                loaded = load_sources(site.scope(), sources, site.folder, ahead=self.ahead)
                report.notices += [str(notice) for notice in loaded.notes]
            for database in site.databases.homes:
                install_tokens(database, _own_tables(site, database))
            refresh_indexes(site.scope())
        report.seconds["content"] = time.monotonic() - self._started

    def _build(self, manifest: Manifest, report: BuildReport, moment: datetime) -> None:
        if manifest.notice:
            report.notices.append(manifest.notice)
        files, pending = manifest.files(), manifest.pending()
        self._check_part(manifest, files, pending)
        standing = Standing(files, pending, *self.target.find_suspects(files, pending))
        self._note_foreign(manifest, report)
        for attempt in range(1, SNAPSHOT_TRIES + 1):
            run = Run(self, manifest, report, moment, standing)
            alone = attempt == SNAPSHOT_TRIES
            with self._one_state() as watcher, self.target.staging() as staging:
                rendered = run.render(staging, None if alone else watcher)
                if rendered is not None:
                    publisher = Publisher(
                        self.site,
                        manifest,
                        report,
                        standing=standing,
                        rendered=rendered,
                        remembers=self.published,
                        workers=self.workers,
                        part=self.part,
                    )
                    publisher.publish(staging)
                    return
        raise BuildError("the database changed all the time while the build began", hint="Build again.")

    def _check_part(self, manifest: Manifest, files: Mapping[str, Any], pending: set[str]) -> None:
        """Refuse to make a part of what is another thing.

        Raises:
            BuildError: The output holds another part, or an interrupted build.
        """
        part, before = self.part, manifest.meta("part") or ""
        is_shard = bool(before) and before != "?"
        where = self.target.title
        if isinstance(part, Shard) and before != str(part) and files:
            what = f"the shard {before}" if is_shard else "a build of the whole site"
            raise BuildError(f"{where} holds {what}", hint="Give each shard a folder of its own: --output.")
        if isinstance(part, Segment) and is_shard:
            raise BuildError(f"{where} holds the shard {before}", hint="Merge the shards first: toolkit merge.")
        if isinstance(part, Segment) and pending:
            raise BuildError(f"the last build of {where} was interrupted", hint="Build all of it once, without --only.")

    @contextmanager
    def _one_state(self) -> Iterator[Watcher]:
        """Rows, templates and assets as they are at one instant; and who tells whether the workers see it too."""
        site = self.site
        watcher = Watcher(site.databases.homes)
        try:
            with site.databases.snapshot(), site.environment.frozen(), site.assets.frozen():
                yield watcher
        finally:
            watcher.close()

    def _note_foreign(self, manifest: Manifest, report: BuildReport) -> None:
        """Without a manifest nobody knows whose the files are that lie in the output: say that they stay."""
        if not manifest.existed and self.target.has_files():
            report.notices.append(
                f"{self.target.title} had files before this build; those that the site does not have were left alone"
            )


def find_target(site: Any, output: Path | str | None, ahead: Ahead | None = None) -> Target:
    """Where builds of a site land.

    Args:
        site: The site.
        output: A folder or a URL; the setting ``output`` by default.
        ahead: What was seen of files since the command began.
    """
    place = os.fspath(output or site.settings.peek("output"))
    if "://" in place:
        return remote.StorageTarget(place, site.state_folder)
    return FolderTarget(Path(output) if output else site.folder / place, ahead)


def _own_tables(site: Any, database: Any) -> set[str]:
    """The tables of a database that are the site's to put triggers on."""
    if database.read_only:
        return set()
    tables = {model._meta.table for model in living_in(database, site.models) if model._meta.managed}
    return tables if database is site.database else tables & set(database.table_names())


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
        known = {
            path: record.digest
            for path, record in (self.standing.files.items() if pages else ())
            if path not in self.standing.suspect
        }
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
            raise Problems(merge_problems(problems), summary=f"{count} could not be rendered; nothing was published")

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
