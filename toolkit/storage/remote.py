"""Files wherever fsspec reaches: S3, Google Cloud, Azure, SFTP, WebDAV."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import IO, Any

from toolkit.errors import StorageError
from toolkit.storage.base import Storage
from toolkit.storage.files import File
from toolkit.storage.names import check_name
from toolkit.storage.s3 import is_s3, s3_metadata
from toolkit.text.media_types import content_type
from toolkit.trace import ABSENT, digest


class FsspecStorage(Storage):
    """A place that fsspec knows. Needs the extra ``storage``, and the driver of the place, such as ``s3fs``.

    Two writers who wish for one name at the same instant are told apart where the place can refuse to write over a
    file; elsewhere the later one wins.

    Args:
        location: Such as ``s3://bucket/media``.
        url: Where the files are published, by that place or by a CDN before it.
        options: What fsspec takes for the place, such as ``anon`` or ``endpoint_url``.
    """

    def __init__(self, location: str, *, url: str = "", **options: Any) -> None:
        super().__init__(url=url)
        self.location = location
        self._options = options
        self._made: tuple[Any, str] | None = None

    def __repr__(self) -> str:
        return f"<FsspecStorage {self.location}>"

    @property
    def system(self) -> Any:
        """fsspec's file system."""
        return self._reach()[0]

    def _reach(self) -> tuple[Any, str]:
        if self._made is None:
            try:
                from fsspec.core import url_to_fs

                self._made = url_to_fs(self.location, **self._options)
            except (ImportError, ValueError) as error:
                raise StorageError(
                    f"the storage {self.location} cannot be reached: {error}",
                    hint="pip install 'publishing-toolkit[storage]', and the driver, such as s3fs for s3://.",
                ) from error
        return self._made

    def _place(self, name: str) -> str:
        root = self._reach()[1].rstrip("/")
        return f"{root}/{name}" if name else root

    def write_new(self, name: str, content: File) -> bool:
        place = self._place(name)
        self.system.makedirs(place.rpartition("/")[0], exist_ok=True)
        kept = s3_metadata({"Content-Type": content_type(name)}) if is_s3(self.system) else {}
        with self.system.open(place, "wb", **kept) as file:
            for part in content.chunks():
                file.write(part)
        self.system.invalidate_cache()
        return True

    def read(self, name: str) -> IO[bytes]:
        file: IO[bytes] = self.system.open(self._place(name), "rb")
        return file

    def remove(self, name: str) -> None:
        place = self._place(name)
        if self.system.isfile(place):
            self.system.rm_file(place)
            self.system.invalidate_cache()

    def has(self, name: str) -> bool:
        return bool(self.system.exists(self._place(name)))

    def size_of(self, name: str) -> int:
        return int(self.system.size(self._place(name)))

    def modified(self, name: str) -> datetime:
        found: datetime = self.system.modified(self._place(name))
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def names_in(self, folder: str) -> tuple[list[str], list[str]]:
        place = self._place(folder)
        found = self.system.ls(place, detail=True) if self.system.isdir(place) else []
        names: dict[str, list[str]] = {"directory": [], "file": []}
        for entry in found:
            names.setdefault(entry["type"], []).append(entry["name"].rstrip("/").rpartition("/")[2])
        return sorted(names["directory"]), sorted(names["file"])

    def digest_of(self, name: str) -> bytes:
        """Of what the place says of the file (its ETag, or size and time), for reading it would be slow."""
        try:
            return digest(str(self.system.ukey(self._place(check_name(name)))))
        except (FileNotFoundError, StorageError):
            return ABSENT
