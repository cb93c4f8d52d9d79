"""Files in the memory of this process, for tests."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime
from typing import IO

from toolkit.storage.base import Storage
from toolkit.storage.files import File


class InMemoryStorage(Storage):
    """Files that are gone when the process ends.

    Args:
        url: Where they would be published.
    """

    def __init__(self, *, url: str = "/media/") -> None:
        super().__init__(url=url)
        self._files: dict[str, tuple[bytes, datetime]] = {}
        self._lock = threading.Lock()

    def write_new(self, name: str, content: File) -> bool:
        body = b"".join(content.chunks())
        with self._lock:
            if name in self._files:
                return False
            self._files[name] = (body, datetime.now(UTC))
            return True

    def read(self, name: str) -> IO[bytes]:
        return io.BytesIO(self._get(name)[0])

    def remove(self, name: str) -> None:
        self._files.pop(name, None)

    def has(self, name: str) -> bool:
        return name in self._files

    def size_of(self, name: str) -> int:
        return len(self._get(name)[0])

    def modified(self, name: str) -> datetime:
        return self._get(name)[1]

    def names_in(self, folder: str) -> tuple[list[str], list[str]]:
        prefix = f"{folder}/" if folder else ""
        rest = [name.removeprefix(prefix) for name in self._files if name.startswith(prefix)]
        folders = {name.partition("/")[0] for name in rest if "/" in name}
        return sorted(folders), sorted(name for name in rest if "/" not in name)

    def _get(self, name: str) -> tuple[bytes, datetime]:
        try:
            return self._files[name]
        except KeyError:
            raise FileNotFoundError(name) from None
