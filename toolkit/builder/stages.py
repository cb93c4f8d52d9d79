"""Where rendered files wait until all of them are done: a folder, or a place in a storage on the net.

Whoever renders a page stages its file, in whichever process and on whichever machine.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from toolkit.errors import BuildError

WAITING_BYTES = 8_000_000
"""So much is kept in memory before it is sent to a storage."""


class Stage(Protocol):
    """Takes rendered files. Staging one twice is harmless: the bytes are the same."""

    @property
    def place(self) -> str:
        """Its folder or URL, by which another process opens the same stage."""

    def write(self, path: str, body: bytes) -> None:
        """Take a file; it may be kept in memory until ``flush``."""

    def flush(self) -> None:
        """Have all files that were taken where they belong."""


class FolderStage:
    """A folder; on several machines, one that all of them see.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.place = os.fspath(folder)
        self._latest = ""

    def write(self, path: str, body: bytes) -> None:
        """Write a file."""
        target = f"{self.place}/{path}"
        self._make_folder(target.rpartition("/")[0])
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            view = memoryview(body)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)

    def _make_folder(self, folder: str) -> None:
        """Make a folder: with one call, since that of a page is new, and the one it is in is most likely there."""
        if folder == self._latest:
            return
        try:
            os.mkdir(folder)  # noqa: PTH102 - once for each page
        except FileExistsError:
            pass
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as above
        self._latest = folder

    def flush(self) -> None:
        """Nothing is kept back."""


class StorageStage:
    """A place in a storage that fsspec knows, such as ``s3://bucket/prefix``. Files go there several at a time.

    Args:
        url: The place.
    """

    def __init__(self, url: str) -> None:
        self.place = url
        self._waiting: dict[str, bytes] = {}
        self._size = 0

    def write(self, path: str, body: bytes) -> None:
        """Keep a file until the next flush, or until much waits."""
        self._waiting[f"{self.place}/{path}"] = body
        self._size += len(body)
        if self._size > WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what waits, several files at a time."""
        waiting, self._waiting, self._size = self._waiting, {}, 0
        if waiting:
            open_storage(self.place).pipe(waiting)


def open_stage(place: str) -> Stage:
    """The stage of a place that another process named.

    Raises:
        FileNotFoundError: This process does not see it.
    """
    if "://" in place:
        return StorageStage(place)
    folder = Path(place)
    if not folder.is_dir():
        raise FileNotFoundError(place)
    return FolderStage(folder)


def open_storage(url: str) -> Any:
    """The file system of a URL, as fsspec has it; keys and endpoints come from the environment.

    Raises:
        BuildError: No such kind of storage is installed.
    """
    try:
        import fsspec

        return fsspec.url_to_fs(url)[0]
    except (ImportError, ValueError) as error:
        raise BuildError(
            f"{url} cannot be opened: {error}", hint="Storages need extras: pip install 'publishing-toolkit[s3]'."
        ) from error
