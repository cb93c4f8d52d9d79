"""The build: load content, decide what is stale, render it, put it in place, remember how it was made."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.builder.decide import Decider, Decision, unit_record
from toolkit.builder.history import (
    current_urls,
    find_redirects,
    free_redirects,
    history_state,
    redirect_page,
    remember,
)
from toolkit.builder.interning import Interning
from toolkit.builder.manifest import Changes, FileRecord, Identity, Manifest, PageRecord
from toolkit.builder.outputs import (
    Output,
    Staging,
    check_outputs,
    check_way,
    find_suspects,
    place,
    public_files,
    stage_body,
)
from toolkit.builder.reasons import describe
from toolkit.builder.report import BuildReport
from toolkit.builder.tables import bring_up
from toolkit.builder.watcher import Watcher
from toolkit.builder.workers import FEW_PAGES, Batch, Job, Pool, Result, batch_size, make_batches, render_here
from toolkit.content.loading import load_sources
from toolkit.database import install_tokens
from toolkit.errors import BuildError, Problems, ToolkitError
from toolkit.pages.patterns import output_path
from toolkit.pages.routes import Page
from toolkit.site.history import read_history
from toolkit.trace import ABSENT, entered

SNAPSHOT_TRIES = 3

Progress = Callable[[int, int], None]
"""Told how many pages are done, of how many."""


class Builder:
    """Builds one site into one folder.

    Args:
        site: The site.
        output: The folder; the setting ``output`` by default.
        workers: Processes; the setting ``workers`` by default, which means one for each core.
        moment: The instant that the build shows; now by default.
        clean: Render everything, whatever the manifest says.
        progress: Told after each batch.
        published: Readers will see it, so that its URLs are remembered for redirects; a check's build is not.
    """

    def __init__(
        self,
        site: Any,
        *,
        output: Path | None = None,
        workers: int | None = None,
        moment: datetime | None = None,
        clean: bool = False,
        progress: Progress | None = None,
        published: bool = True,
    ) -> None:
        self.site = site.prepare()
        self.output = Path(os.path.abspath(output or site.folder / site.settings.peek("output")))  # noqa: PTH100
        self.workers = workers or site.settings.peek("workers") or os.cpu_count() or 1
        self.moment = moment
        self.clean = clean
        self.progress = progress or (lambda done, total: None)
        self.published = published
        self._started = 0.0

    @property
    def manifest_path(self) -> Path:
        """The manifest, beside the output."""
        return self.output.with_name(f"{self.output.name}.manifest.db")

    def build(self) -> BuildReport:
        """Build.

        Raises:
            Problems: Everything that is wrong with the site; the last good output is untouched.
        """
        self._started = time.monotonic()
        moment = self.moment or datetime.now(UTC)
        report = BuildReport(str(self.output), moment)
        self._check_output()
        with self._locked():
            self._load(report)
            try:
                manifest = Manifest(self.manifest_path)
                try:
                    if self.clean:
                        manifest.forget()
                    self._build(manifest, report, moment)
                finally:
                    manifest.close()
            except sqlite3.Error as error:
                raise BuildError(
                    f"the manifest {self.manifest_path} could not be written: {error}", hint="Mend it and build again."
                ) from error
            except OSError as error:
                raise BuildError(f"the build could not finish: {error}", hint="Mend it and build again.") from error
        report.seconds["all"] = time.monotonic() - self._started
        return report

    def _check_output(self) -> None:
        """Refuse an output folder that holds what the site is made from."""
        site = self.site
        output = self.output.resolve()
        sources = {"the site itself": site.folder, "its state": site.state_folder}
        sources |= {f"the app {app.label!r}": app.folder for app in site.apps}
        for name in ("templates", "static", "public", "locale_folder"):
            sources[f"the folder {name!r}"] = site.folder / site.settings.peek(name)
        for what, source in sources.items():
            folder = source.resolve()
            inside = output in folder.parents or output == folder
            has_room = source in (site.folder, site.state_folder)
            if inside or (not has_room and folder in output.parents):
                raise BuildError(
                    f"the output folder {self.output} is, holds or is within {what}", hint="Choose another 'output'."
                )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One build of an output at a time."""
        path = self.output.with_name(f".{self.output.name}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = path.open("a+")
        except OSError as error:
            raise BuildError(f"{path.parent} cannot be written: {error}", hint="Choose another 'output'.") from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BuildError(
                    f"another build of {self.output} is running", hint="Wait for it, or build to another folder."
                ) from error
            yield

    def _load(self, report: BuildReport) -> None:
        """Bring the database up: tables, content from files, tokens."""
        site = self.site
        with entered(site.scope()):
            bring_up(site)
            sources = [source for app in site.apps for source in app.sources]
            if sources:
                loaded = load_sources(site.scope(), sources, site.folder)
                report.notices += [str(notice) for notice in loaded.notes]
            install_tokens(site.database, site.database.schema.table_names)
        report.seconds["content"] = time.monotonic() - self._started

    def _build(self, manifest: Manifest, report: BuildReport, moment: datetime) -> None:
        if manifest.notice:
            report.notices.append(manifest.notice)
        files, pending = manifest.files(), manifest.pending()
        suspect, restamped = find_suspects(self.output, files, pending)
        self._note_foreign(manifest, report)
        for attempt in range(1, SNAPSHOT_TRIES + 1):
            run = Run(self, manifest, report, moment, files, pending, suspect, restamped)
            alone = attempt == SNAPSHOT_TRIES
            with self._one_state() as watcher, Staging(self.output) as staging:
                if run.render(staging, None if alone else watcher):
                    run.publish(staging)
                    return
        raise BuildError("the database changed all the time while the build began", hint="Build again.")

    @contextmanager
    def _one_state(self) -> Iterator[Watcher]:
        """Rows, templates and assets as they are at one instant; and who tells whether the workers see it too."""
        site = self.site
        watcher = Watcher(site.database)
        try:
            with site.database.snapshot(), site.environment.frozen(), site.assets.frozen():
                yield watcher
        finally:
            watcher.close()

    def _note_foreign(self, manifest: Manifest, report: BuildReport) -> None:
        """Without a manifest nobody knows whose the files are that lie in the output: say that they stay."""
        if manifest.existed or not self.output.is_dir():
            return
        if any(self.output.iterdir()):
            report.notices.append(
                f"{self.output} had files before this build; those that the site does not have were left alone"
            )


class Run:
    """One attempt at a build, within one snapshot."""

    def __init__(
        self,
        builder: Builder,
        manifest: Manifest,
        report: BuildReport,
        moment: datetime,
        files: dict[str, FileRecord],
        pending: set[str],
        suspect: set[str],
        restamped: list[FileRecord],
    ) -> None:
        self.builder = builder
        self.site = builder.site
        self.manifest = manifest
        self.report = report
        self.moment = moment
        self.files = files
        self.pending = pending
        self.suspect = suspect
        self.restamped = restamped
        self.interning = Interning(manifest, self._relied)
        self.results: list[tuple[Result, array[int], str]] = []
        self.decision: Decision
        self._history = ""

    # rendering

    def render(self, staging: Staging, watcher: Watcher | None) -> bool:
        """Decide and render. False if the snapshots of the workers differ, so that one must try again.

        Args:
            staging: Where the files go.
            watcher: Tells whether the workers see our snapshot; None to render without workers.
        """
        started = time.monotonic()
        self.decision = Decider(self.site, self.manifest, self.moment, self.suspect).decide()
        self.report.seconds["verify"] = time.monotonic() - started
        pages = [page for page, _ in self.decision.stale]
        known = {path: record.digest for path, record in self.files.items() if path not in self.suspect}
        database = self.site.database
        alone = self.builder.workers == 1 or len(pages) <= FEW_PAGES or not database.shares_snapshots
        name = "" if alone else database.export_snapshot()
        job = Job(self.site, self.decision.plan, staging.folder, known, name)
        started = time.monotonic()
        if alone or watcher is None:
            agreed = self._render_alone(job, pages)
        else:
            agreed = self._render_parallel(job, pages, watcher)
        self.report.seconds["render"] = time.monotonic() - started
        return agreed

    def _batches(self, pages: Sequence[Page]) -> list[list[Page]]:
        routes = self.site.routes_by_id
        return make_batches(pages, lambda name: batch_size(routes[name]))

    def _render_alone(self, job: Job, pages: Sequence[Page]) -> bool:
        self._collect(render_here(job, self._batches(pages)), len(pages))
        return True

    def _render_parallel(self, job: Job, pages: Sequence[Page], watcher: Watcher) -> bool:
        if not watcher.agrees():
            return False
        pool = Pool(job, self.builder.workers)
        try:
            pool.start()
            if not watcher.agrees():
                return False
            self._collect(pool.run(self._batches(pages)), len(pages))
        finally:
            pool.close()
        return True

    def _collect(self, batches: Iterator[list[Batch]], total: int) -> None:
        """Gather what the workers send; report all problems at once."""
        problems: list[ToolkitError] = []
        reasons = {page.identity: reason for page, reason in self.decision.stale}
        done = 0
        for group in batches:
            for batch in group:
                problems += batch.problems
                self.interning.learn(batch)
            for batch in group:
                for result in batch.results:
                    ids = self.interning.translate(batch.sender, result.inputs)
                    self.results.append((result, ids, reasons[result.page.identity]))
                done += len(batch.results)
            self.builder.progress(done, total)
        if problems:
            raise Problems(
                _distinct(problems), summary=f"{len(problems)} pages could not be rendered; nothing was published"
            )

    # publishing

    def publish(self, staging: Staging) -> None:
        """Stage the other files, put everything in place, remember it."""
        started = time.monotonic()
        decision, report = self.decision, self.report
        pages = self._page_records()
        report.pages, report.rendered = len(pages), len(self.results)
        report.left_out = [route.path for route in self.site.routes if route.kind == "view"]
        for result, _, reason in self.results:
            report.add("rendered", result.page.url, reason)
        units = [unit_record(unit, self.interning.take(unit.trace)) for unit in decision.replanned]
        self._history = history_state(self.site.database)
        changed = bool(self.results or decision.gone or decision.replanned or self.suspect)
        changed = changed or decision.touched or self.manifest.meta("history") != self._history
        outputs = self._outputs(staging, pages, changed)
        if changed or self._other_public(outputs):
            check_outputs(outputs)
        removed = sorted((self.files.keys() | self.pending) - {item.path for item in outputs})
        staged = [item for item in outputs if item.staged]
        check_way(staging.output, staged, removed)
        report.notices += self._remember_urls() if changed and self.builder.published else []
        report.notices += [f"{what} changed while the build ran: build again" for what in self._unsure()]
        if staged or removed:
            self.manifest.announce([*(item.path for item in staged), *removed])
        placed = place(staging, outputs, removed) if staged or removed or not staging.output.exists() else []
        for item in staged:
            report.add("written", item.path)
        for path in removed:
            report.add("removed", path)
        self._save(pages, units, placed, removed, changed)
        report.seconds["publish"] = time.monotonic() - started

    def _relied(self) -> set[int]:
        """Inputs that pages and units rely on which this build does not make anew."""
        found: set[int] = set()
        for record in self.decision.kept:
            found.update(record.inputs)
        fresh = {(unit.route.id, unit.locale) for unit in self.decision.replanned}
        planned = {(route.id, locale) for route, locale in self.decision.plan.routes()}
        for key, unit in self.manifest.units().items():
            if key in planned and key not in fresh:
                found.update(unit.inputs)
        return found

    def _unsure(self) -> list[str]:
        shapes = {**self.manifest.shapes(), **self.interning.shapes} if self.interning.unsure else {}
        return sorted({describe(self.site, shapes, kind, key) for kind, key in self.interning.unsure})

    def _other_public(self, outputs: Sequence[Output]) -> bool:
        """Whether public files came or went: they may be in the way of pages and redirects, or no longer be."""
        before = {path for path, record in self.files.items() if record.owner == "public"}
        return before != {item.path for item in outputs if item.owner == "public"}

    def _page_records(self) -> dict[Identity, PageRecord]:
        pages = {record.identity: record for record in self.decision.kept}
        for result, ids, reason in self.results:
            page = result.page
            pages[page.identity] = PageRecord(
                page.identity,
                page.url,
                result.path,
                result.digest,
                result.size,
                result.content_type,
                result.status,
                reason,
                tuple(path for path, *_ in result.attachments),
                ids,
            )
        return pages

    def _outputs(self, staging: Staging, pages: dict[Identity, PageRecord], changed: bool) -> list[Output]:
        """Every file that the site has."""
        outputs = [
            Output(result.path, result.digest, result.size, "page", result.written) for result, *_ in self.results
        ]
        for result, *_ in self.results:
            outputs += [Output(path, value, size, "page", new) for path, value, size, new in result.attachments]
        for record in self.decision.kept:
            outputs.append(Output(record.path, record.digest, record.size, "page", False))
            outputs += [self._kept(path) for path in record.attachments]
        outputs += self._public(staging)
        if changed or self._other_public(outputs):
            outputs += self._assets(staging, pages)
            outputs += self._redirects(staging, outputs)
        else:
            outputs += [self._kept(f.path) for f in self.files.values() if f.owner in ("asset", "redirect")]
        return outputs

    def _kept(self, path: str) -> Output:
        record = self.files[path]
        return Output(path, record.digest, record.size, record.owner, False)

    def _assets(self, staging: Staging, pages: dict[Identity, PageRecord]) -> Iterator[Output]:
        """The assets that pages use, and what those need: no page uses it, it is not published."""
        used: set[int] = set()
        for record in pages.values():
            used.update(record.inputs)
        assets = self.site.assets
        found = (key[0] for _, key in self.interning.keys_of(used, "asset"))
        names = {name for name in found if assets.digest_of(name) != ABSENT}
        closure = sorted({needed for name in names for needed in assets.closure(name)})
        for name in closure:
            path, content = assets.published(name)
            body = content if isinstance(content, bytes) else content.read_bytes()
            if not assets.is_published_as(path, body):
                raise BuildError(f"the asset {name} changed while the build ran", path=content, hint="Build again.")
            yield stage_body(staging, self.files, self.suspect, path, body, "asset")

    def _redirects(self, staging: Staging, outputs: Sequence[Output]) -> list[Output]:
        """A file at each old URL where nothing else is published now, and at each alias."""
        plan = self.decision.plan
        aliases = self.site.aliases(plan)
        history = find_redirects(read_history(self.site.database), current_urls(plan))
        redirects = {**free_redirects(history, [item.path for item in outputs]), **aliases}
        found = []
        for url, target in sorted(redirects.items()):
            body = redirect_page(target)
            found.append(stage_body(staging, self.files, self.suspect, output_path(url), body, "redirect"))
            self.report.add("redirected", url, f"to {target}")
        return found

    def _public(self, staging: Staging) -> Iterator[Output]:
        for path, file in public_files(self.site):
            yield stage_body(staging, self.files, self.suspect, path, file.read_bytes(), "public")

    def _remember_urls(self) -> list[str]:
        """Outside the snapshot, which is for reading."""
        current = current_urls(self.decision.plan)
        database = self.site.database
        database.end_snapshot()
        try:
            notices = remember(database, current)
            self._history = history_state(database)
            return notices
        finally:
            database.begin_snapshot()

    def _save(
        self,
        pages: dict[Identity, PageRecord],
        units: list[Any],
        placed: list[FileRecord],
        removed: list[str],
        changed: bool,
    ) -> None:
        decision = self.decision
        planned = {(route.id, locale) for route, locale in decision.plan.routes()}
        gone = set(removed)
        known_units = set(self.manifest.units()) if changed else planned
        changes = Changes(
            moment=self.moment,
            tables=decision.tables,
            shapes=self.interning.shapes,
            units=units,
            dropped_units=sorted(known_units - planned),
            pages=[pages[result.page.identity] for result, *_ in self.results],
            dropped_pages=[record.identity for record in decision.gone],
            files=[*(record for record in self.restamped if record.path not in gone), *placed],
            dropped_files=removed,
        )
        if changed:
            used: set[int] = set()
            for record in pages.values():
                used.update(record.inputs)
            fresh = {(unit.route, unit.locale) for unit in units}
            for unit in units:
                used.update(unit.inputs)
            for key, unit in self.manifest.units().items():
                if key in planned and key not in fresh:
                    used.update(unit.inputs)
            changes.inputs, changes.dropped_inputs = self.interning.difference(used)
            if changes.dropped_inputs:  # else every shape is still asked
                changes.dropped_shapes = self.interning.unused_shapes(used, self.manifest.shapes())
            changes.meta["history"] = self._history
        self.manifest.replace(changes)


def _distinct(problems: list[ToolkitError]) -> list[ToolkitError]:
    """Each problem once: a wrong template fails on every page, and is told with the first and how many more."""
    groups: dict[tuple[Any, ...], list[ToolkitError]] = {}
    for problem in problems:
        groups.setdefault((problem.message, str(problem.path), problem.line), []).append(problem)
    found = []
    for first, *others in groups.values():
        if others:
            first.hint = f"{first.hint or ''} The same on {len(others)} more pages.".strip()
        found.append(first)
    return found
