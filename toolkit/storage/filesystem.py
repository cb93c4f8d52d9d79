"""Files in a folder of this machine."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from toolkit.errors import StorageError
from toolkit.stamps import FileDigests
from toolkit.storage.base import Storage
from toolkit.storage.files import File
from toolkit.storage.names import check_name
from toolkit.trace import ABSENT

UNFINISHED = ".unfinished-"
"""Begins the names of files that are being written. One that was left by a crash may be deleted."""


class FileSystemStorage(Storage):
    """A folder. Files are written beside their place and moved into it: nobody sees half of one.

    Args:
        folder: The folder; made when the first file is saved.
        url: Where the files are published.

    Attributes:
        digests: Knows the digests of its files; the site's own, in a storage of a site.
    """

    is_local = True

    def __init__(self, folder: str | Path, *, url: str = "/media/") -> None:
        super().__init__(url=url)
        self.folder = Path(folder)
        self.digests = FileDigests()

    def __repr__(self) -> str:
        return f"<FileSystemStorage {self.folder}>"

    def path(self, name: str) -> Path:
        place = self.folder.joinpath(*check_name(name).split("/"))
        if not place.resolve().is_relative_to(self.folder.resolve()):
            raise StorageError(f"{name!r} leads out of the storage by a link", path=self.folder)
        return place

    def write_new(self, name: str, content: File) -> bool:
        place = self.path(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
        try:
            with unfinished.open("xb") as file:
                for part in content.chunks():
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            return _place(unfinished, place)
        finally:
            with suppress(FileNotFoundError):
                unfinished.unlink()

    def read(self, name: str) -> IO[bytes]:
        try:
            return self.path(name).open("rb")
        except (IsADirectoryError, NotADirectoryError) as error:
            raise FileNotFoundError(name) from error

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError, NotADirectoryError):
            self.path(name).unlink()

    def has(self, name: str) -> bool:
        return os.path.lexists(self.path(name))

    def size_of(self, name: str) -> int:
        return self.path(name).stat().st_size

    def modified(self, name: str) -> datetime:
        return datetime.fromtimestamp(self.path(name).stat().st_mtime, UTC)

    def names_in(self, folder: str) -> tuple[list[str], list[str]]:
        place = self.path(folder) if folder else self.folder
        found = sorted(os.scandir(place), key=lambda entry: entry.name) if place.is_dir() else []
        folders = [entry.name for entry in found if entry.is_dir()]
        return folders, [entry.name for entry in found if entry.is_file() and not entry.name.startswith(UNFINISHED)]

    def digest_of(self, name: str) -> bytes:
        try:
            return self.digests.find(self.path(name)) or ABSENT
        except StorageError:
            return ABSENT


def _place(unfinished: Path, place: Path) -> bool:
    """Give a finished file its name, unless somebody has it; True if it was given.

    A second name (a hard link) is made or refused in one step. Where a file system has none, the name is taken by
    making an empty file, which the finished one then replaces.
    """
    try:
        os.link(unfinished, place)
        return True
    except FileExistsError:
        return False
    except OSError:
        try:
            place.open("xb").close()
        except FileExistsError:
            return False
        unfinished.replace(place)
        return True
