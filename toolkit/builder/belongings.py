"""What is published beside the pages: assets, renditions, public and stored files, redirects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.builder.decide import Decision
from toolkit.builder.history import current_urls, find_redirects
from toolkit.builder.interning import Interning
from toolkit.builder.manifest import Manifest
from toolkit.builder.outputs import Output, Standing, stage_body, stage_file
from toolkit.builder.records import decode, encode
from toolkit.builder.report import BuildReport
from toolkit.builder.selections import Segment, Shard
from toolkit.builder.targets import TargetStaging
from toolkit.errors import BuildError
from toolkit.http.compression import SUFFIXES, compressed_files, is_text_path
from toolkit.lazily import LazyModule
from toolkit.pages.patterns import output_path
from toolkit.site.history import read_history
from toolkit.site.moved import alias_urls
from toolkit.site.public import PublicFolder
from toolkit.site.stored import stored_files
from toolkit.trace import ABSENT, READER, digest

if TYPE_CHECKING:
    from toolkit.builder import redirects as redirecting
    from toolkit.builder import renditions
else:
    redirecting = LazyModule("toolkit.builder.redirects")
    renditions = LazyModule("toolkit.builder.renditions")


_decode_told = msgspec.msgpack.Decoder(tuple[list[str], list[tuple[str, str]]]).decode


class Work(msgspec.Struct, frozen=True):
    """What publishing works on.

    Args:
        site: The prepared site, its database in the snapshot in which it was rendered.
        manifest: The last build; becomes this one.
        report: Is told what happens.
        standing: The output until now.
        workers: How many images are made at a time.
        part: Publish a part of the site only.
    """

    site: Any
    manifest: Manifest
    report: BuildReport
    standing: Standing
    workers: int = 1
    part: Shard | Segment | None = None


class Belongings:
    """The files of a site that are no pages'.

    Args:
        work: What publishing works on.
        decision: What there was to do.
        interning: The inputs of all pages.
        staging: Where new files go.

    Attributes:
        asset_meta: What it keeps of assets; known after ``assets``.
        redirect_meta: What the manifest keeps of redirects; known after ``redirects``.
        redirects_told: What whoever merges shards is told of them.
    """

    def __init__(self, work: Work, *, decision: Decision, interning: Interning, staging: TargetStaging) -> None:
        self.work = work
        self.site, self.manifest, self.report, self.standing = work.site, work.manifest, work.report, work.standing
        self.plan = decision.plan
        self.left = decision.left
        self.interning = interning
        self.staging = staging
        self.asset_meta: dict[str, Any] = {}
        self.redirect_meta: dict[str, Any] = {}
        self.redirects_told: dict[str, Any] = {}

    def assets(self, used: Collection[int]) -> Iterator[Output]:
        """The assets that pages use, and what those need: no page uses it, it is not published."""
        assets = self.site.assets
        read = (key[0] for _, key in self.interning.inputs_of(used, "asset"))
        names = {name for name in read if assets.digest_of(name) != ABSENT}
        closures = {name: assets.closure(name) for name in sorted(names)}
        self.asset_meta = {"references": encode({name: found for name, found in closures.items() if len(found) > 1})}
        for name in sorted({needed for found in closures.values() for needed in found}):
            path, content = assets.published(name)
            if isinstance(content, bytes):
                yield from self._staged(path, content, "asset")
            elif self._stands(path, content):
                yield from self._standing(path, "asset")
            else:
                body = content.read_bytes()
                if not assets.is_published_as(path, body):
                    raise BuildError(f"the asset {name} changed while the build ran", path=content, hint="Build again.")
                yield from self._staged(path, body, "asset")

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
        yield from map(self.standing.kept, self._beside(path) or ())

    def _beside(self, path: str) -> list[str] | None:
        """The compressed files beside one that stays as it is; None if they have to be made."""
        beside = [path + SUFFIXES[kind] for kind in self._codings if is_text_path(path)]
        known = all(name in self.standing.files and name not in self.standing.suspect for name in beside)
        same = not beside or self.manifest.meta("compression") == self.compression
        return beside if known and same else None

    def _staged(self, path: str, body: bytes, owner: str) -> Iterator[Output]:
        """A file, and the compressed ones beside it."""
        standing = self.standing
        output = stage_body(self.staging, standing.files, standing.suspect, path, body, owner)
        yield output
        beside = self._beside(path)
        if not output.staged and beside is not None:
            yield from map(self.standing.kept, beside)
            return
        for name, packed in compressed_files(path, body, self._codings):
            yield stage_body(self.staging, standing.files, standing.suspect, name, packed, owner)

    @property
    def _codings(self) -> list[str]:
        found: list[str] = self.site.settings.peek("precompress")
        return found

    @property
    def compression(self) -> str:
        """Stands for the libraries that compress: the code digest has their versions."""
        found: bytes = self.site.code_digest
        return found.hex()

    def renditions(self, used: Collection[int]) -> Iterator[Output]:
        """The images that pages show, in the sizes and formats in which they show them."""
        keys = [key for _, key in self.interning.inputs_of(used, "image")]
        if keys:
            standing = self.standing
            files = renditions.RenditionFiles(
                self.site, self.report, known=standing.files, suspect=standing.suspect, workers=self.work.workers
            )
            yield from files.stage(self.staging, (key for key in keys if self.site.images.digest_of(key) != ABSENT))

    def redirects(self, outputs: Iterable[Output]) -> list[Output]:
        """A file at each old URL where nothing else is published now, and at each alias."""
        plan = self.plan
        moved = find_redirects(read_history(self.site.database), current_urls(plan))
        paths = (item.path for item in outputs)
        redirects = redirecting.BuildRedirects(
            self.site, moved=moved, aliases=self._aliases, paths=paths, moment=self.report.moment
        )
        if isinstance(self.work.part, Shard):  # where other shards have files, is known when they are merged
            self.redirects_told = redirects.told()
            return []
        notices, events = redirects.notices(), []
        standing = self.left.standing
        found: list[Output] = []
        for url, new in sorted(redirects.files().items()):
            target = standing.get(new, new)
            if target is None or target == url:
                continue
            body = redirects.page(target)
            found += self._staged(output_path(url), body, "redirect")
            events.append((url, f"to {target}"))
        self._tell_redirects(notices, events)
        self.redirect_meta = {
            **redirects.meta(),
            "redirects_told": encode([notices, events]),
            "aliases": digest(sorted(self._aliases.items())),
        }
        return found

    @cached_property
    def _aliases(self) -> dict[str, str]:
        """Alias URL to the page's."""
        return alias_urls(self.plan)

    def has_same_aliases(self) -> bool:
        """Whether the aliases are those of the last build."""
        return bool(self.manifest.meta("aliases") == digest(sorted(self._aliases.items())))

    def repeat_redirects(self) -> None:
        """Tell what was told when redirects were last looked at, as all of them are the same."""
        if told := self.manifest.meta("redirects_told"):
            self._tell_redirects(*decode(told, _decode_told))

    def _tell_redirects(self, notices: Iterable[str], events: Iterable[tuple[str, str]]) -> None:
        self.report.notices += notices
        for url, what in events:
            self.report.add("redirected", url, what)

    def public(self) -> Iterator[Output]:
        """The files of the folder of those that are published as they are."""
        public = PublicFolder(self.site.folder / self.site.settings.peek("public"))
        self.report.notices += public.left_out()
        for path, file in public.files():
            if self._stands(path, file):
                yield from self._standing(path, "public")
            else:
                yield from self._staged(path, file.read_bytes(), "public")

    def stored(self) -> Iterator[Output]:
        """The files of file fields, of rows that readers see."""
        scope = self.site.scope(viewer=READER, moment=self.report.moment)
        for storage_name, name in stored_files(self.site, scope):
            storage = self.site.storages[storage_name]
            value = storage.digest_of(name)
            if value == ABSENT:
                self.report.notices.append(f"the stored file {name} is not in the storage {storage_name!r}")
                continue
            path = f"{storage.base_url}{name}".lstrip("/")
            yield stage_file(self.staging, self.standing.files, self.standing.suspect, path, storage.path(name), value)
