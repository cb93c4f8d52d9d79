"""The build: load content, decide what is stale, render it, and have it published."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.ahead import Ahead
from toolkit.builder.belongings import Work
from toolkit.builder.kept import KeptFiles
from toolkit.builder.manifest import DAMAGED, Manifest
from toolkit.builder.outputs import Standing
from toolkit.builder.publish import Publisher
from toolkit.builder.records import DamagedManifest
from toolkit.builder.report import BuildReport
from toolkit.builder.runs import Run
from toolkit.builder.selections import Segment, Shard
from toolkit.builder.tables import bring_up
from toolkit.builder.targets import FolderTarget, Target
from toolkit.builder.watcher import Watcher
from toolkit.content.loading import load_sources
from toolkit.cores import usable_cores
from toolkit.database import install_tokens, release_writers
from toolkit.errors import BuildError
from toolkit.lazily import LazyModule
from toolkit.models.search import refresh_indexes
from toolkit.site.databases import living_in
from toolkit.trace import entered

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from toolkit.builder import executors, remote
    from toolkit.builder import paranoid as proving
else:
    executors = LazyModule("toolkit.builder.executors")
    proving = LazyModule("toolkit.builder.paranoid")
    remote = LazyModule("toolkit.builder.remote")

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
        self.workers = workers or site.settings.peek("workers") or usable_cores()
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
        report = BuildReport(self.target.title, moment, base_path=self.site.base_path)
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
        files, pending = KeptFiles(manifest), manifest.pending()
        self._check_part(manifest, files, pending)
        standing = Standing(files, pending, *self.target.find_suspects(files, pending))
        self._note_foreign(manifest, report)
        self._note_told(report)
        for attempt in range(1, SNAPSHOT_TRIES + 1):
            run = Run(self, manifest, report, moment, standing)
            alone = attempt == SNAPSHOT_TRIES
            with self._one_state() as watcher, self.target.staging() as staging:
                rendered = run.render(staging, None if alone else watcher)
                if rendered is not None:
                    work = Work(self.site, manifest, report, standing, workers=self.workers, part=self.part)
                    Publisher(work, rendered, remembers=self.published).publish(staging)
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

    def _note_told(self, report: BuildReport) -> None:
        """Say why no build of the site can skip a page, if its modules are told something when they are imported."""
        told = ", ".join(str(key[0]) for key in self.site.told_at_import)
        if told:
            report.notices.append(
                f"every page was rendered, for nobody can say whether the site's modules would be told the same today "
                f"when they are imported: {told}. Ask where the page is made, or hand it over in a variable"
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
