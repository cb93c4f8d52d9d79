"""Places that fsspec reaches: S3 and what speaks like it, Google Cloud, Azure, FTP, WebDAV, memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from toolkit.deploy.files import DeployFile
from toolkit.deploy.retries import Retries
from toolkit.deploy.targets.base import STATE, Done, Listed, Target
from toolkit.errors import DeployError
from toolkit.storage.s3 import s3_metadata
from toolkit.trace import digest_bytes

POINTER = "current"
"""The object that names the release that readers are to see."""


class ObjectsTarget(Target):
    """A place that fsspec knows.

    Args:
        location: Such as ``gs://bucket/prefix``.
        options: What fsspec takes for it.
        parallel: Files at a time.
        retries: How failures are met.
    """

    keeps_releases = True
    has_folders = True

    def __init__(
        self, location: str, options: Mapping[str, Any], *, parallel: int = 8, retries: Retries | None = None
    ) -> None:
        super().__init__(parallel=parallel, retries=retries)
        self.location = location.rstrip("/")
        self.options = dict(options)
        self.system: Any = None
        self.root = ""

    @property
    def name(self) -> str:
        """Its URL."""
        return self.location

    def open(self) -> None:
        try:
            from fsspec.core import url_to_fs

            self.system, root = url_to_fs(
                self.location, skip_instance_cache=True, use_listings_cache=False, **self.options
            )
        except (ImportError, ValueError, TypeError) as error:
            driver = self.location.partition("://")[0]
            raise DeployError(
                f"{self.location} cannot be reached: {error}",
                hint=f"pip install 'publishing-toolkit[storage]', and what fsspec needs for {driver}://.",
            ) from error
        except OSError as error:
            raise DeployError(f"{self.location} cannot be reached: {error}") from error
        self.root = root.rstrip("/")

    def _key(self, path: str) -> str:
        return f"{self.root}/{path}"

    def read(self, path: str) -> bytes | None:
        body: bytes | None = self._reaching(lambda: self._read(path))
        return body

    def _read(self, path: str) -> bytes | None:
        try:
            body: bytes = self._call("cat_file", self._key(path))
        except (FileNotFoundError, IsADirectoryError):
            return None
        return body

    def has(self, path: str) -> bool:
        return bool(self._reaching(lambda: self._call("isfile", self._key(path))))

    def put(self, path: str, body: bytes, headers: Mapping[str, str], *, redirect: str = "") -> None:
        self._make_folder(path)
        self._call("pipe_file", self._key(path), body)

    def create(self, path: str, body: bytes) -> bool:
        self._make_folder(path)
        try:
            self._call("pipe_file", self._key(path), body, mode="create")
        except FileExistsError:
            return False
        return True

    def remove(self, path: str) -> None:
        try:
            self._call("rm_file", self._key(path))
        except FileNotFoundError:
            return

    def list(self, folder: str = "") -> Iterator[Listed]:
        start = self._key(folder).rstrip("/")
        found = self._reaching(lambda: self._find(start))
        cut = len(self.root) + 1
        for key, detail in found.items():
            path = key[cut:] if key.startswith(f"{self.root}/") else key.lstrip("/")[cut:]
            if not path.startswith(f"{STATE}/"):
                yield Listed(path, int(detail.get("size") or 0))

    def link_all(self, source: str, prefix: str, paths: Sequence[str], done: Done) -> None:
        """Copied by the place itself: nothing is sent from here."""

        def copy(path: str) -> None:
            self._make_folder(prefix + path)
            self.retries.run(lambda: self._call("cp_file", self._key(source + path), self._key(prefix + path)))

        self._each(paths, copy, done)

    def current(self) -> str:
        body = self.read(POINTER)
        return body.decode().strip() if body else ""

    def switch(self, release: str) -> None:
        headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        self.retries.run(lambda: self.put(POINTER, f"{release}\n".encode(), headers))

    def _make_folder(self, path: str) -> None:
        if self.has_folders:
            self._call("makedirs", self._key(path).rpartition("/")[0], exist_ok=True)

    def _find(self, start: str) -> dict[str, Any]:
        found: dict[str, Any] = self._call("find", start, detail=True) if self._call("exists", start) else {}
        return found

    def _call(self, name: str, *args: Any, **options: Any) -> Any:
        """Ask the place; whatever its driver raises becomes an OSError, which may be tried again.

        Raises:
            OSError: It failed.
        """
        try:
            return getattr(self.system, name)(*args, **options)
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"{type(error).__name__}: {error}") from error

    def _reaching(self, function: Callable[[], Any]) -> Any:
        try:
            return self.retries.run(function)
        except OSError as error:
            raise DeployError(f"{self.name} cannot be reached: {error}", hint="Deploy again later.") from error


class S3Target(ObjectsTarget):
    """S3, and storages that speak like it: headers and redirects are kept beside each object."""

    keeps_headers = True
    has_folders = False

    def open(self) -> None:
        try:
            import s3fs  # noqa: F401 - only that it is there
        except ImportError as error:
            raise DeployError(
                f"{self.location} cannot be reached: s3fs is not installed",
                hint="pip install 'publishing-toolkit[s3]'.",
            ) from error
        super().open()

    def close(self) -> None:
        if self.system is not None and self.system._s3 is not None:
            self.system.close_session(self.system.loop, self.system._s3)
        self.system = None

    def put(self, path: str, body: bytes, headers: Mapping[str, str], *, redirect: str = "") -> None:
        metadata = s3_metadata(headers)
        if redirect:
            metadata["WebsiteRedirectLocation"] = quote(redirect, safe="!#$%&'()*+,/:;=?@~-._")
        self._call("pipe_file", self._key(path), body, **metadata)

    def _info(self, path: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._call("info", self._key(path))
        except FileNotFoundError:
            return {}
        return found

    def is_same(self, path: str, file: DeployFile) -> bool:
        """By the ETag, where that is the MD5 of the content; by reading it elsewhere."""
        found = self._reaching(lambda: self._info(path))
        if found.get("size") != file.size:
            return False
        etag = str(found.get("ETag", "")).strip('"')
        if len(etag) == 32 and hashlib.md5(file.read(), usedforsecurity=False).hexdigest() == etag:
            return True
        body = self.read(path)
        return body is not None and digest_bytes(body).hex() == file.digest
