"""A zip or tar file with the whole build: the same build gives the same bytes."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from toolkit.deploy.files import DeployFile
from toolkit.deploy.retries import Retries
from toolkit.deploy.targets.base import STATE, Done, Listed, Target
from toolkit.errors import DeployError

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can tell."""


class ArchiveTarget(Target):
    """One file, written beside its place and renamed over it; it holds the build and nothing else.

    Args:
        path: It; ends in ``.zip``, ``.tar``, ``.tar.gz`` or ``.tgz``.
        parallel: Not used: one file follows the other.
        retries: How failures are met.
    """

    is_whole = True
    needs_lock = False

    def __init__(self, path: Path, *, parallel: int = 8, retries: Retries | None = None) -> None:
        super().__init__(parallel=1, retries=retries)
        self.path = path
        self._unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        self._zip: zipfile.ZipFile | None = None
        self._tar: tarfile.TarFile | None = None
        self._files: list[IO[bytes]] = []

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def close(self) -> None:
        try:
            self._end()
        finally:
            with suppress(FileNotFoundError, NotADirectoryError):
                self._unfinished.unlink()

    def read(self, path: str) -> bytes | None:
        return None  # each archive is made anew

    def put(self, path: str, body: bytes, headers: Mapping[str, str], *, redirect: str = "") -> None:
        if path.startswith(f"{STATE}/"):
            return
        self._begin()
        if self._zip is not None:
            about = zipfile.ZipInfo(path, _EARLIEST)
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            self._zip.writestr(about, body)
        elif self._tar is not None:
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(body), 0o644
            self._tar.addfile(member, io.BytesIO(body))

    def put_all(self, prefix: str, files: Sequence[DeployFile], done: Done) -> None:
        for file in files:
            self._put_one(prefix + file.path, file)
            done(file.path)

    def _begin(self) -> None:
        if self._zip is not None or self._tar is not None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file: IO[bytes] = self._unfinished.open("wb")
        except OSError as error:
            raise DeployError(f"{self.path} cannot be written: {error}", hint="Mend the folder's rights.") from error
        self._files.append(file)
        if self.path.name.endswith(".zip"):
            self._zip = zipfile.ZipFile(file, "w")
            return
        if self.path.name.endswith(("gz", "tgz")):
            packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0)
            self._files.append(packed)  # type: ignore[arg-type]  # it writes bytes
            self._tar = tarfile.open(fileobj=packed, mode="w")  # noqa: SIM115 - closed by _end
        else:
            self._tar = tarfile.open(fileobj=file, mode="w")  # noqa: SIM115 - as above

    def _end(self) -> None:
        with ExitStack() as ending:  # each is closed, even where one finds no room for its last bytes
            for file in self._files:
                ending.callback(file.close)
            for archive in (self._zip, self._tar):
                if archive is not None:
                    ending.callback(archive.close)
            self._zip, self._tar, self._files = None, None, []

    def commit(self, message: str) -> None:
        self._begin()
        self._end()
        self._unfinished.replace(self.path)

    def create(self, path: str, body: bytes) -> bool:
        return True

    def remove(self, path: str) -> None:
        """Nothing is in it yet."""

    def list(self, folder: str = "") -> Iterator[Listed]:
        return iter(())

    def find(self, paths: Sequence[str]) -> set[str]:
        return set()
