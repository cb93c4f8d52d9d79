"""What a storage of files must do. Subclass ``Storage`` and write the seven methods that raise here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from toolkit.errors import StorageError
from toolkit.storage.files import ContentFile, File
from toolkit.storage.names import alternative, check_name, fitting, valid_name
from toolkit.trace import ABSENT, current, digest, digest_bytes, record

ATTEMPTS = 100


class Storage:
    """A place for files, each under a name of its own. No file is ever written over: another name is found.

    Args:
        url: Where they are published: a path of the site, or an absolute URL of another host; empty if nowhere.

    Attributes:
        is_local: Whether the site itself publishes the files, with the build and by the server.
        alias: What the site's settings call it; empty for one that is no site's.
        base_path: The path below which the site is published, for a storage whose ``url`` is a path of the site.
    """

    alias: str = ""
    is_local: bool = False
    base_path: str = ""

    def __init__(self, *, url: str = "") -> None:
        self.base_url = url if not url or url.endswith("/") else f"{url}/"

    # what a storage has to know

    def write_new(self, name: str, content: File) -> bool:
        """Keep a file under a name that nobody has, whole or not at all; False if somebody has it."""
        raise NotImplementedError

    def read(self, name: str) -> IO[bytes]:
        """The file's content, opened.

        Raises:
            FileNotFoundError: There is none.
        """
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        raise NotImplementedError

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        raise NotImplementedError

    def size_of(self, name: str) -> int:
        """Bytes.

        Raises:
            FileNotFoundError: There is none.
        """
        raise NotImplementedError

    def modified(self, name: str) -> datetime:
        """When it was written last, aware.

        Raises:
            FileNotFoundError: There is none.
        """
        raise NotImplementedError

    def names_in(self, folder: str) -> tuple[list[str], list[str]]:
        """The folders and the files in a folder, sorted; none if there is no such folder."""
        raise NotImplementedError

    def path(self, name: str) -> Path:
        """The file on this machine.

        Raises:
            StorageError: It is none.
        """
        raise StorageError(
            f"{type(self).__name__} keeps no files on this machine: {name!r} has no path", hint="Use open()."
        )

    def digest_of(self, name: str) -> bytes:
        """16 bytes that stand for the content, as a trace records it; ``ABSENT`` if there is none."""
        try:
            with self.read(check_name(name)) as file:
                return digest_bytes(file.read())
        except (FileNotFoundError, StorageError):
            return ABSENT

    def listing_digest(self, folder: str) -> bytes:
        """16 bytes that stand for the names in a folder."""
        return digest(self.names_in(folder))

    def _note(self, name: str) -> None:
        """Say to the trace of a page that a file was looked at."""
        scope = current.get()
        if self.alias and scope is not None and scope.trace is not None:
            key = (self.alias, name)
            if not scope.trace.has("stored", key):
                scope.trace.record("stored", key, self.digest_of(name))

    # what all storages have

    def open(self, name: str) -> File:
        """A file, to be read.

        Raises:
            StorageError: There is none.
        """
        self._note(name)
        return File(self._found(self.read, name), name)

    def save(self, name: str, content: File | IO[bytes] | bytes, *, max_length: int | None = None) -> str:
        """Keep a file.

        Args:
            name: The name that is wished for.
            content: The file.
            max_length: The most characters that the name may have.

        Returns:
            The name that it got: another one if the wished one is taken.

        Raises:
            StorageError: The name cannot be one.
        """
        file = content if isinstance(content, File) else _as_file(content)
        wished = fitting(check_name(name), max_length)
        name = wished
        for _ in range(ATTEMPTS):
            if not self.has(name) and self.write_new(name, file):
                return name
            name = alternative(wished, max_length)
        raise StorageError(f"no free name was found for {wished!r}")

    def delete(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        self.remove(check_name(name))

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        self._note(name)
        return self.has(check_name(name))

    def size(self, name: str) -> int:
        """Bytes.

        Raises:
            StorageError: There is no such file.
        """
        self._note(name)
        found: int = self._found(self.size_of, name)
        return found

    def listdir(self, folder: str = "") -> tuple[list[str], list[str]]:
        """The names of the folders and of the files in a folder, sorted."""
        place = check_name(folder) if folder else ""
        if self.alias:
            record("stored", (self.alias, f"{place}/"), self.listing_digest(place))
        return self.names_in(place)

    def url(self, name: str) -> str:
        """Where a file is published.

        Raises:
            StorageError: It is not.
        """
        if not self.base_url:
            raise StorageError(f"{name!r} has no URL: its storage publishes nothing", hint="Give the storage a 'url'.")
        below = self.base_path if self.base_url.startswith("/") else ""
        return below + self.base_url + quote(check_name(name))

    def get_valid_name(self, name: str) -> str:
        """A file's own name, without folders, from one that somebody gave it."""
        return valid_name(name)

    def _found(self, read: Callable[[str], Any], name: str) -> Any:
        try:
            return read(check_name(name))
        except FileNotFoundError as error:
            raise StorageError(f"there is no stored file {name!r}") from error


def _as_file(content: Any) -> File:
    return ContentFile(content) if isinstance(content, bytes) else File(content)
