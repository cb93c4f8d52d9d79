"""Builds that land in a storage on the net: ``s3://bucket/site`` and whatever else fsspec knows.

Files are staged beside the place and copied within the storage once all are rendered. The manifest is beside it too,
so that any machine can go on from the last build; while a build works, it has a copy in the site's state folder.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from toolkit.builder.manifest import Manifest
from toolkit.builder.outputs import Output
from toolkit.builder.records import FileRecord
from toolkit.builder.stages import StorageStage, open_storage
from toolkit.builder.storage_lock import StorageLock
from toolkit.errors import BuildError, ToolkitError
from toolkit.http.compression import split_compressed
from toolkit.site.headers import HeaderRules, published_headers, site_headers
from toolkit.storage.s3 import is_s3, s3_metadata
from toolkit.trace import digest, digest_bytes

RENEW_SECONDS = 60

TOGETHER = 500
"""Files that are copied or removed in one call."""


class StorageTarget:
    """A place in a storage.

    Args:
        url: The place; it must be below a bucket or the like, for the manifest is kept beside it.
        state: The site's state folder.
    """

    def __init__(self, url: str, state: Path) -> None:
        self.url = url.rstrip("/")
        self.manifest_path = state / "outputs" / f"{digest(self.url).hex()}.manifest.db"
        self._lock: StorageLock | None = None
        self.rules = HeaderRules(())
        self._renewed = 0.0
        self._system: Any = None
        self._manifest: Manifest | None = None

    @property
    def title(self) -> str:
        """The URL."""
        return self.url

    @property
    def system(self) -> Any:
        """The file system."""
        if self._system is None:
            self._system = open_storage(self.url)
        return self._system

    def check(self, site: Any) -> None:
        """Refuse a place that has nothing above it.

        Raises:
            BuildError: It has not.
        """
        self.rules = site_headers(site)
        inside = self.system._strip_protocol(self.url).strip("/")
        if "/" not in inside and self.system.protocol not in ("memory", ("memory",)):
            raise BuildError(
                f"{self.url} has no room for the manifest beside what is published",
                hint=f"Build to a folder within it: {self.url}/site.",
            )

    # one build at a time

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One build of an output at a time, on all machines.

        Raises:
            BuildError: Another one is running, or the storage refuses.
        """
        lock = StorageLock(self.system, self.url)
        with self.telling():
            lock.take()
        self._lock, self._renewed = lock, time.monotonic()
        try:
            yield
        finally:
            self._lock = None
            with suppress(Exception):
                lock.release()

    def renew(self) -> None:
        """Say that this build is still at work; called often, says it seldom."""
        if self._lock is not None and time.monotonic() - self._renewed > RENEW_SECONDS:
            with self.telling():
                self._lock.renew()
            self._renewed = time.monotonic()

    # the manifest

    @contextmanager
    def manifest(self) -> Iterator[Manifest]:
        """The manifest, fetched, and sent back when the build is done."""
        self.manifest_path.parent.mkdir(parents=True, exist_ok=True)
        for suffix in ("", "-wal", "-shm"):
            self.manifest_path.with_name(self.manifest_path.name + suffix).unlink(missing_ok=True)
        with self.telling(), suppress(FileNotFoundError):
            self.manifest_path.write_bytes(self.system.cat_file(f"{self.url}.manifest.db"))
        self._manifest = manifest = Manifest(self.manifest_path)
        try:
            yield manifest
            self.send_manifest()
        finally:
            self._manifest = None
            manifest.close()

    def send_manifest(self) -> None:
        """Have the storage know what this machine knows: before files are touched, and when all are in place."""
        if self._manifest is None:
            return
        self._manifest.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with self.telling():
            self.system.pipe_file(f"{self.url}.manifest.db", self.manifest_path.read_bytes())

    # files

    def find_suspects(
        self, files: Mapping[str, FileRecord], pending: Iterable[str]
    ) -> tuple[set[str], list[FileRecord]]:
        """Files that are not as the last build left them; and records of those whose stamp alone changed."""
        suspect, restamped = set(pending), []
        there = self.listing() if files else {}
        for path, record in files.items():
            size, stamp = there.get(path, (-1, 0))
            if size != record.size:
                suspect.add(path)
            elif stamp != record.changed_ns:
                with self.telling():
                    same = digest_bytes(self.system.cat_file(f"{self.url}/{path}")) == record.digest
                if same:
                    restamped.append(FileRecord(path, record.digest, size, stamp, record.owner))
                else:
                    suspect.add(path)
        return suspect, restamped

    def has_files(self) -> bool:
        """Whether anything lies there."""
        return bool(self.listing())

    def listing(self) -> dict[str, tuple[int, int]]:
        """(size, stamp) of every file there, by path."""
        with self.telling():
            self.system.invalidate_cache()
            found = self.system.find(self.url, detail=True)
        root = self.system._strip_protocol(self.url).rstrip("/") + "/"
        return {path.removeprefix(root): (int(info["size"]), stamp_of(info)) for path, info in found.items()}

    @contextmanager
    def staging(self) -> Iterator[StorageStaging]:
        """A place beside it, emptied before and after."""
        staging = StorageStaging(self)
        staging.clear()
        try:
            yield staging
        finally:
            with suppress(ToolkitError):
                staging.clear()

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Failures of the storage as a letter; drivers have exceptions of their own."""
        try:
            yield
        except ToolkitError:
            raise
        except Exception as error:
            told = " ".join(str(error).split()) or type(error).__name__
            raise BuildError(
                f"the storage {self.url} refuses: {told}",
                hint="Keys and endpoints come from the environment, such as AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL.",
            ) from error


class StorageStaging:
    """A place beside the output, in the same storage.

    Args:
        target: Whose.
    """

    def __init__(self, target: StorageTarget) -> None:
        self._target = target
        self.url = f"{target.url}.staging"
        self.stage = StorageStage(self.url)

    @property
    def is_due(self) -> bool:
        """Whether objects have other headers than those that are declared now."""
        manifest = self._target._manifest
        return manifest is not None and bool(self.meta) and manifest.meta("headers") != self.meta["headers"]

    @property
    def meta(self) -> Mapping[str, str]:
        """The headers that are declared, where objects have some."""
        if not is_s3(self._target.system):
            return {}
        told = [[rule.pattern, *map(list, rule.headers)] for rule in self._target.rules.all]
        return {"headers": digest(told).hex()}

    def clear(self) -> None:
        """Remove what is in it."""
        system = self._target.system
        with self._target.telling(), suppress(FileNotFoundError):
            system.invalidate_cache()
            files = system.find(self.url)
            for start in range(0, len(files), TOGETHER):
                system.rm(files[start : start + TOGETHER])

    def put(self, path: str, body: bytes) -> None:
        """Stage a file's content."""
        with self._target.telling():
            self.stage.write(path, body)

    def copy(self, path: str, source: Path) -> None:
        """Stage a copy of a file."""
        with self._target.telling():
            self._target.system.put_file(str(source), f"{self.url}/{path}")

    def check_way(self, staged: Iterable[Output], removed: Iterable[str]) -> None:
        """Nothing can be in the way: a storage has no folders, and any name may be longer than another."""

    def place(self, outputs: Iterable[Output], removed: Iterable[str]) -> list[FileRecord]:
        """Copy staged files into place, what pages need first, and remove what the site no longer has.

        If headers changed, every other file is copied to where it is: S3 keeps them beside an object.

        Raises:
            BuildError: The storage refuses; the next build completes this one.
        """
        target, every = self._target, list(outputs)
        touched = every if self.is_due else [item for item in every if item.staged]
        staged = {item.path for item in touched if item.staged}
        with target.telling():
            self.stage.flush()
            self._look()
            target.send_manifest()
            for paths, kept in self._batches(touched, {item.path: item.kind for item in every}):
                sources = [f"{self.url if path in staged else target.url}/{path}" for path in paths]
                target.system.copy(sources, [f"{target.url}/{path}" for path in paths], **kept)
                target.renew()
            gone = sorted(removed)
            there = target.listing()
            for start in range(0, len(gone), TOGETHER):
                paths = [f"{target.url}/{path}" for path in gone[start : start + TOGETHER] if path in there]
                if paths:
                    target.system.rm(paths)
        return [FileRecord(item.path, item.digest, item.size, there[item.path][1], item.owner) for item in touched]

    def _look(self) -> None:
        """List what is staged: s3fs asks for the size of each file that it copies, unless it has it in a listing."""
        if is_s3(self._target.system):
            self._target.system.invalidate_cache(self.url)
            self._target.system.find(self.url)

    def _batches(
        self, touched: Iterable[Output], kinds: Mapping[str, str]
    ) -> Iterator[tuple[list[str], dict[str, str]]]:
        """Paths that are copied in one call, in order; with the headers that S3 keeps beside an object, if it is S3."""
        rules = self._target.rules if is_s3(self._target.system) else None

        def kept(item: Output) -> dict[str, str]:
            if rules is None:
                return {}
            plain, _ = split_compressed(item.path, kinds)
            headers = published_headers(item.path, kinds, rules, kind=kinds[plain])
            return {"MetadataDirective": "REPLACE", **s3_metadata(headers)}

        found: dict[tuple[bool, str], tuple[list[str], dict[str, str]]] = {}
        for item in touched:
            metadata = kept(item)
            found.setdefault((item.owner == "page", repr(metadata)), ([], metadata))[0].append(item.path)
        for _, (paths, metadata) in sorted(found.items()):
            for start in range(0, len(paths), TOGETHER):
                yield paths[start : start + TOGETHER], metadata


def stamp_of(info: Mapping[str, Any]) -> int:
    """A number that changes when a file does: of the storage's own fingerprint, or of its time."""
    told = next((info[name] for name in ("ETag", "etag", "mtime", "LastModified", "created") if info.get(name)), "")
    return int.from_bytes(digest(str(told))[:7])
