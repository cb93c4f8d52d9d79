"""Publishing what was rendered: the files it needs beside it, everything in place, and what the manifest remembers."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, starmap
from pathlib import Path
from typing import Any

import msgspec

from toolkit.builder.batches import Result
from toolkit.builder.decide import Decision, unit_record
from toolkit.builder.history import (
    current_urls,
    find_redirects,
    history_state,
    redirect_page,
    remember,
)
from toolkit.builder.interning import Interning
from toolkit.builder.manifest import Changes, Manifest, UnitRecord
from toolkit.builder.naming import names_of
from toolkit.builder.outputs import (
    Output,
    check_outputs,
    stage_body,
    stage_file,
)
from toolkit.builder.reasons import describe
from toolkit.builder.records import DamagedManifest, FileRecord, PageRecord
from toolkit.builder.redirects import BuildRedirects
from toolkit.builder.renditions import RenditionFiles
from toolkit.builder.report import BuildReport
from toolkit.builder.selections import Segment, Shard
from toolkit.builder.shards import shard_record
from toolkit.builder.targets import TargetStaging
from toolkit.errors import BuildError
from toolkit.http.compression import SUFFIXES, compressed_files, is_text_path
from toolkit.pages.patterns import output_path
from toolkit.site.history import read_history
from toolkit.site.public import PublicFolder
from toolkit.site.stored import stored_files
from toolkit.trace import ABSENT, READER

DERIVED = ("asset", "rendition", "redirect")
"""Owners of files that are as they were while no page and no row changed."""


@dataclass(frozen=True)
class Standing:
    """The output as it stands before the build.

    Args:
        files: What the last build placed, by path.
        pending: Paths that a build which was ended from outside may have touched.
        suspect: Paths of files that are missing, changed or pending.
        restamped: Records of files whose stamp alone changed.
    """

    files: dict[str, FileRecord]
    pending: set[str]
    suspect: set[str]
    restamped: list[FileRecord]


@dataclass(frozen=True)
class Rendered:
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
        site: The prepared site, its database in the snapshot in which it was rendered.
        manifest: The last build; becomes this one.
        report: Is told what happens.
        standing: The output until now.
        rendered: What the run made.
        remembers: Readers will see it: its URLs are written down for redirects.
        workers: How many images are made at a time.
        part: Publish a part of the site only.
    """

    def __init__(
        self,
        site: Any,
        manifest: Manifest,
        report: BuildReport,
        *,
        standing: Standing,
        rendered: Rendered,
        remembers: bool,
        workers: int = 1,
        part: Shard | Segment | None = None,
    ) -> None:
        self.site = site
        self.manifest = manifest
        self.report = report
        self.standing = standing
        self.decision = rendered.decision
        self.results = rendered.results
        self.interning = rendered.interning
        self.remembers = remembers
        self.workers = workers
        self.part = part
        self._left_records: list[PageRecord] = []
        self._history = ""
        self._redirect_meta: dict[str, str] = {}
        self._redirects_told: dict[str, Any] = {}

    def publish(self, staging: TargetStaging) -> None:
        """Stage the other files, put everything in place, remember it.

        Args:
            staging: Where the rendered files are.

        Raises:
            Problems: Two files want one place; nothing was touched.
            BuildError: The output cannot be written, or somebody else's file stands in the way.
        """
        started = time.monotonic()
        decision, report = self.decision, self.report
        self._keep_left()
        report.rendered = len(self.results)
        report.pages = report.rendered + len(decision.kept) + len(self._left_records)
        report.left_out = [route.path for route in self.site.routes if route.kind == "view"]
        for result, _, reason in self.results:
            report.add("rendered", result.page.url, reason)
        units = [unit_record(unit, self.interning.take(unit.trace)) for unit in decision.replanned]
        self._written_redirects = self.site.redirects.digest(self.report.moment).hex()
        self._history = self._redirect_state()
        changed = bool(self.results or decision.gone or decision.replanned or self.standing.suspect)
        changed = changed or decision.touched or self.manifest.meta("history") != self._history
        changed = changed or (self.manifest.meta("part") or "") != self._part_mark()
        outputs = self._outputs(staging, changed)
        if changed or self._other_public(outputs):
            check_outputs(outputs)
        removed = sorted(self._removable() - {item.path for item in outputs})
        staged = [item for item in outputs if item.staged]
        report.unchanged = len(outputs) - len(staged)
        staging.check_way(staged, removed)
        report.notices += self._remember_urls() if changed and self.remembers else []
        report.notices += [f"{what} changed while the build ran: build again" for what in self._unsure()]
        if staged or removed:
            self.manifest.announce([*(item.path for item in staged), *removed])
        placed = staging.place(outputs, removed) if staged or removed or staging.is_due else []
        for item in staged:
            report.add("written", item.path)
        for path in removed:
            report.add("removed", path)
        self._save(units, placed, removed, changed, staging.meta)
        report.seconds["publish"] = time.monotonic() - started

    def _removable(self) -> set[str]:
        """Files that go unless the site has them: all of ours, but in a segment those of its pages, and redirects."""
        files = self.standing.files
        if not isinstance(self.part, Segment):
            return files.keys() | self.standing.pending
        before = [self.decision.gone, (self.manifest.pages().get(result.page.identity) for result, *_ in self.results)]
        paths = {path for records in before for one in records if one for path in (one.path, *one.attachments)}
        paths |= {f"{path}{suffix}" for path in paths for suffix in SUFFIXES.values()}
        paths -= {path for one in self.decision.left.records for path in (one.path, *one.attachments)}
        return (paths & files.keys()) | {path for path, record in files.items() if record.owner == "redirect"}

    def _part_mark(self) -> str:
        """Which part of the site the manifest knows: empty for all of it."""
        if isinstance(self.part, Shard):
            return str(self.part)
        return "?" if self.decision.left else ""

    def _unsure(self) -> list[str]:
        shapes = {**self.manifest.shapes(), **self.interning.shapes} if self.interning.unsure else {}
        return sorted({describe(names_of(self.site), shapes, kind, key) for kind, key in self.interning.unsure})

    def _other_public(self, outputs: Sequence[Output]) -> bool:
        """Whether public or stored files came or went: they may be in the way of pages and redirects."""
        owners = ("public", "stored")
        before = {path for path, record in self.standing.files.items() if record.owner in owners}
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

    def _outputs(self, staging: TargetStaging, changed: bool) -> list[Output]:
        """Every file that the site has."""
        outputs = [
            Output(result.path, result.digest, result.size, "page", result.written, result.content_type)
            for result, *_ in self.results
        ]
        for result, *_ in self.results:
            outputs += [
                Output(path, value, size, "page", new) if new else self._kept(path)
                for path, value, size, new in result.attachments
            ]
        for record in self.decision.kept:
            outputs.append(self._kept_page(record))
            outputs += [self._kept(path) for path in record.attachments]
        outputs += self._left(outputs)
        if not isinstance(self.part, Shard) or self.part.is_first:
            outputs += self._public(staging)
            outputs += self._stored(staging)
        if changed or self._other_public(outputs):
            outputs += self._assets(staging)
            outputs += self._renditions(staging)
            outputs += self._redirects(staging, outputs)
        else:
            outputs += [self._kept(f.path) for f in self.standing.files.values() if f.owner in DERIVED]
        return outputs

    def _left(self, outputs: Sequence[Output]) -> list[Output]:
        """Files of pages that are left as they are, unless a page that was rendered has their place now."""
        taken = {item.path for item in outputs} if self.decision.left.records else set()
        paths = (path for one in self.decision.left.records for path in (one.path, *one.attachments))
        return [self._kept(path) for path in paths if path not in taken]

    def _kept(self, path: str) -> Output:
        record = self.standing.files.get(path)
        if record is None:
            raise DamagedManifest(ValueError(f"no build wrote {path!r}"))
        return Output(path, record.digest, record.size, record.owner, False)

    def _kept_page(self, page: PageRecord) -> Output:
        """The file of a page that stays; a manifest that tells two things of it would have us take the file away."""
        kept = self._kept(page.path)
        if kept.digest != page.digest:
            raise DamagedManifest(ValueError(f"{page.path!r} is not the file of {page.url}"))
        return replace(kept, kind=page.content_type)

    def _assets(self, staging: TargetStaging) -> Iterator[Output]:
        """The assets that pages use, and what those need: no page uses it, it is not published."""
        assets = self.site.assets
        found = (key[0] for _, key in self.interning.inputs_of(self._used, "asset"))
        names = {name for name in found if assets.digest_of(name) != ABSENT}
        closure = sorted({needed for name in names for needed in assets.closure(name)})
        for name in closure:
            path, content = assets.published(name)
            if isinstance(content, bytes):
                yield from self._staged(staging, path, content, "asset")
            elif self._stands(path, content):
                yield from self._standing(path, "asset")
            else:
                body = content.read_bytes()
                if not assets.is_published_as(path, body):
                    raise BuildError(f"the asset {name} changed while the build ran", path=content, hint="Build again.")
                yield from self._staged(staging, path, body, "asset")

    def _stands(self, path: str, file: Path) -> bool:
        """Whether the output has a file that is published as it is, and all that belongs beside it."""
        record = self.standing.files.get(path)
        if record is None or path in self.standing.suspect or self._beside(path) is None:
            return False
        return bool(self.site.digests.find(file) == record.digest)

    def _standing(self, path: str, owner: str) -> Iterator[Output]:
        """A file that stays as it is, and the compressed ones beside it."""
        record = self.standing.files[path]
        yield Output(path, record.digest, record.size, owner, False)
        yield from map(self._kept, self._beside(path) or ())

    def _beside(self, path: str) -> list[str] | None:
        """The compressed files beside one that stays as it is; None if they have to be made."""
        beside = [path + SUFFIXES[kind] for kind in self._codings if is_text_path(path)]
        known = all(name in self.standing.files and name not in self.standing.suspect for name in beside)
        same = not beside or self.manifest.meta("compression") == self._compression
        return beside if known and same else None

    def _staged(self, staging: TargetStaging, path: str, body: bytes, owner: str) -> Iterator[Output]:
        """A file, and the compressed ones beside it."""
        standing = self.standing
        output = stage_body(staging, standing.files, standing.suspect, path, body, owner)
        yield output
        beside = self._beside(path)
        if not output.staged and beside is not None:
            yield from map(self._kept, beside)
            return
        for name, packed in compressed_files(path, body, self._codings):
            yield stage_body(staging, standing.files, standing.suspect, name, packed, owner)

    @property
    def _codings(self) -> list[str]:
        found: list[str] = self.site.settings.peek("precompress")
        return found

    @property
    def _compression(self) -> str:
        """Stands for the libraries that compress: the code digest has their versions."""
        found: bytes = self.site.code_digest
        return found.hex()

    def _renditions(self, staging: TargetStaging) -> Iterator[Output]:
        """The images that pages show, in the sizes and formats in which they show them."""
        keys = [key for _, key in self.interning.inputs_of(self._used, "image")]
        if keys:
            standing = self.standing
            files = RenditionFiles(
                self.site, self.report, known=standing.files, suspect=standing.suspect, workers=self.workers
            )
            yield from files.stage(staging, (key for key in keys if self.site.images.digest_of(key) != ABSENT))

    def _redirects(self, staging: TargetStaging, outputs: Sequence[Output]) -> list[Output]:
        """A file at each old URL where nothing else is published now, and at each alias."""
        plan = self.decision.plan
        moved = find_redirects(read_history(self.site.database), current_urls(plan))
        paths = (item.path for item in outputs)
        redirects = BuildRedirects(
            self.site, moved=moved, aliases=self.site.aliases(plan), paths=paths, moment=self.report.moment
        )
        if isinstance(self.part, Shard):  # where other shards have files, is known when they are merged
            self._redirects_told = redirects.told()
            return []
        self._redirect_meta = redirects.meta()
        self.report.notices += redirects.notices()
        standing = self.decision.left.standing
        found: list[Output] = []
        for url, new in sorted(redirects.files().items()):
            target = standing.get(new, new)
            if target is None or target == url:
                continue
            body = redirect_page(target)
            found += self._staged(staging, output_path(url), body, "redirect")
            self.report.add("redirected", url, f"to {target}")
        return found

    def _public(self, staging: TargetStaging) -> Iterator[Output]:
        public = PublicFolder(self.site.folder / self.site.settings.peek("public"))
        self.report.notices += public.left_out()
        for path, file in public.files():
            if self._stands(path, file):
                yield from self._standing(path, "public")
            else:
                yield from self._staged(staging, path, file.read_bytes(), "public")

    def _stored(self, staging: TargetStaging) -> Iterator[Output]:
        """The files of file fields, of rows that readers see."""
        scope = self.site.scope(viewer=READER, moment=self.report.moment)
        for storage_name, name in stored_files(self.site, scope):
            storage = self.site.storages[storage_name]
            value = storage.digest_of(name)
            if value == ABSENT:
                self.report.notices.append(f"the stored file {name} is not in the storage {storage_name!r}")
                continue
            path = f"{storage.base_url}{name}".lstrip("/")
            yield stage_file(staging, self.standing.files, self.standing.suspect, path, storage.path(name), value)

    def _redirect_state(self) -> str:
        """Stands for everything that redirects are made of, besides the plan."""
        return f"{history_state(self.site.database)}:{self._written_redirects}"

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
        self,
        units: list[UnitRecord],
        placed: list[FileRecord],
        removed: list[str],
        changed: bool,
        placing: Mapping[str, str],
    ) -> None:
        decision = self.decision
        planned = {(route.id, locale) for route, locale in decision.plan.routes()}
        gone = set(removed)
        known_units = set(self.manifest.units()) if changed else planned
        changes = Changes(
            moment=self.report.moment,
            tables=decision.tables,
            shapes=self.interning.shapes,
            units=units,
            dropped_units=sorted(known_units - planned),
            pages=chain(starmap(_page_record, self.results), self._left_records),
            dropped_pages=[record.identity for record in decision.gone],
            files=[*(record for record in self.standing.restamped if record.path not in gone), *placed],
            dropped_files=removed,
        )
        changes.meta.update({**self._redirect_meta, **placing})
        changes.meta["names"] = msgspec.msgpack.encode(names_of(self.site))
        if changed:
            used, fresh = set(self._used), {(unit.route, unit.locale) for unit in units}
            for unit in units:
                used.update(unit.inputs)
            for key, unit in self.manifest.units().items():
                if key in planned and key not in fresh:
                    used.update(unit.inputs)
            changes.inputs, changes.dropped_inputs = self.interning.written(used), self.interning.dropped(used)
            if changes.dropped_inputs:  # else every shape is still asked
                changes.dropped_shapes = self.interning.unused_shapes(used, self.manifest.shapes())
            changes.meta["history"] = self._history
            changes.meta["compression"] = self._compression
            changes.meta["part"] = self._part_mark()
            if isinstance(self.part, Shard):
                changes.meta["shard"] = shard_record(self.site, self._redirects_told)
        self.manifest.replace(changes)


def _page_record(result: Result, inputs: array[int], reason: str) -> PageRecord:
    """What the manifest keeps of a page."""
    page = result.page
    attachments = tuple(path for path, *_ in result.attachments)
    told = (result.path, result.digest, result.size, result.content_type, result.status)
    return PageRecord(page.identity, page.url, *told, reason, attachments, inputs)
